//! Answers with 500 assets in the shape of each exchange, and made-up credentials.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use enclave::connector::{Credential, Value, find, to_base64};

const ASSETS: u32 = 500;

/// Exchange, source, answer.
pub fn balances() -> Vec<(&'static str, &'static str, String)> {
    vec![
        ("binance", "spot", binance()),
        ("bybit", "unified", bybit()),
        ("coinbase", "wallets", coinbase()),
        ("kraken", "spot", kraken()),
        ("kucoin", "trade", kucoin()),
        ("okx", "trading", okx()),
    ]
}

/// `A000`, `A001`, …
fn asset(index: u32) -> String {
    format!("A{index:03}")
}

/// A number with eight digits behind the point that differs from row to row.
fn amount(index: u32) -> String {
    format!("{}.{:08}", index * 37 % 1000, index.wrapping_mul(48_271) % 100_000_000)
}

fn rows(row: impl Fn(u32) -> String) -> String {
    (0..ASSETS).map(row).collect::<Vec<_>>().join(",")
}

fn binance() -> String {
    let rows =
        rows(|i| format!(r#"{{"asset":"{}","free":"{}","locked":"0.00000000"}}"#, asset(i), amount(i)));
    format!(
        r#"{{"makerCommission":10,"takerCommission":10,"canTrade":true,"canWithdraw":true,"canDeposit":true,"updateTime":1701856395927,"accountType":"SPOT","balances":[{rows}],"permissions":["SPOT"],"uid":365859102}}"#
    )
}

fn kraken() -> String {
    let rows =
        rows(|i| format!(r#""{}":{{"balance":"{}","hold_trade":"0.0000000000"}}"#, asset(i), amount(i)));
    format!(r#"{{"error":[],"result":{{{rows}}}}}"#)
}

fn kucoin() -> String {
    let rows = rows(|i| {
        let (asset, amount) = (asset(i), amount(i));
        format!(
            r#"{{"id":"63580b04cb4b540001{i:06}","currency":"{asset}","type":"trade","balance":"{amount}","available":"{amount}","holds":"0"}}"#
        )
    });
    format!(r#"{{"code":"200000","data":[{rows}]}}"#)
}

fn coinbase() -> String {
    let rows = rows(|i| {
        let (asset, amount) = (asset(i), amount(i));
        format!(
            r##"{{"id":"e43047d8-3c24-56bf-bbd7-84dc28{i:06}","name":"{asset} Wallet","primary":true,"type":"wallet","balance":{{"amount":"{amount}","currency":"{asset}"}},"created_at":"2023-08-28T23:49:17Z","updated_at":"2023-08-28T23:49:17Z","resource":"account","resource_path":"/v2/accounts/e43047d8-3c24-56bf-bbd7-84dc28{i:06}","currency":{{"asset_id":"45ce7f01-2962-5576-8dfd-449e4a{i:06}","code":"{asset}","color":"#1C68F3","exponent":8,"name":"{asset} Network","slug":"{asset}-network","type":"crypto","rewards":null}},"allow_deposits":true,"allow_withdrawals":true}}"##
        )
    });
    format!(
        r#"{{"data":[{rows}],"pagination":{{"ending_before":null,"limit":500,"next_starting_after":null,"next_uri":null,"order":"desc","previous_ending_before":null,"previous_uri":null,"starting_after":null}}}}"#
    )
}

fn bybit() -> String {
    let rows = rows(|i| {
        let (asset, amount) = (asset(i), amount(i));
        format!(
            r#"{{"availableToBorrow":"","bonus":"0","accruedInterest":"0","availableToWithdraw":"","totalOrderIM":"0","equity":"{amount}","totalPositionMM":"0","usdValue":"{amount}","unrealisedPnl":"0","collateralSwitch":true,"spotHedgingQty":"0","borrowAmount":"0.000000000000000000","totalPositionIM":"0","walletBalance":"{amount}","cumRealisedPnl":"-0.00190505","locked":"0","marginCollateral":true,"coin":"{asset}"}}"#
        )
    });
    format!(
        r#"{{"retCode":0,"retMsg":"OK","result":{{"list":[{{"totalEquity":"92255.96988644","accountIMRate":"0.0006","accountType":"UNIFIED","coin":[{rows}]}}]}},"retExtInfo":{{}},"time":1736866023302}}"#
    )
}

fn okx() -> String {
    let rows = rows(|i| {
        let (asset, amount) = (asset(i), amount(i));
        format!(
            r#"{{"accAvgPx":"","availBal":"{amount}","availEq":"{amount}","borrowFroz":"0","cashBal":"{amount}","ccy":"{asset}","clSpotInUseAmt":"","colBorrAutoConversion":"0","collateralEnabled":false,"collateralRestrict":false,"crossLiab":"0","disEq":"0","eq":"{amount}","eqUsd":"{amount}","fixedBal":"0","frozenBal":"0","imr":"","interest":"0","isoEq":"0","isoLiab":"0","isoUpl":"0","liab":"0","maxLoan":"0","maxSpotInUse":"","mgnRatio":"","mmr":"","notionalLever":"","openAvgPx":"","ordFrozen":"0","rewardBal":"","smtSyncEq":"0","spotBal":"","spotCopyTradingEq":"0","spotInUseAmt":"","spotIsoBal":"0","spotUpl":"","spotUplRatio":"","stgyEq":"0","totalPnl":"","totalPnlRatio":"","twap":"0","uTime":"1752243327154","upl":"0","uplLiab":"0"}}"#
        )
    });
    format!(
        r#"{{"code":"0","data":[{{"adjEq":"152648.60323464675","availEq":"151181.075297336","details":[{rows}],"imr":"","isoEq":"0","mgnRatio":"","mmr":"","notionalUsd":"","ordFroz":"","totalEq":"152648.603","uTime":"1752243327154","upl":"0"}}],"msg":""}}"#
    )
}

/// The kinds of key of an exchange, each with a credential.
pub fn credentials(id: &str) -> Vec<(String, Credential)> {
    let connector = find(id).unwrap();
    let make = |secret: &str| {
        let values = connector.credential.iter().map(|field| {
            let text = if field.name == "secret" { secret } else { "APIKEYtest0001" };
            (field.name.clone(), Value::from(text))
        });
        Credential::from_json(connector, Value::Map(values.collect()).to_json().as_bytes()).unwrap()
    };
    if id != "coinbase" {
        return vec![(id.to_owned(), make("U0VDUkVUdGVzdC1zZWNyZXQtMDAwMQ=="))];
    }
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let der = to_base64(pair.to_pkcs8v1().unwrap().as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----");
    vec![
        ("coinbase".to_owned(), make(&pem)),
        ("coinbase_eddsa".to_owned(), make(&to_base64(&[9; 32]))),
        ("coinbase_legacy".to_owned(), make("legacysecret0001")),
    ]
}
