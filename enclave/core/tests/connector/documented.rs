//! Answers in the shapes that exchanges document, for those whose answers nobody has recorded.

use enclave::connector::*;

/// Exchange, source, answer; then asset, account, free, used and total of each balance.
type Case = (&'static str, &'static str, &'static str, &'static [[&'static str; 5]]);

const NONE: &str = "";

const CASES: &[Case] = &[
    (
        "krakenfutures",
        "cash",
        r#"{"result":"success","accounts":{"cash":{"type":"cashAccount","balances":{"xbt":1.5,"usd":0}}}}"#,
        &[["BTC", "funding", "1.5", "0", "1.5"], ["USD", "funding", "0", "0", "0"]],
    ),
    (
        "krakenfutures",
        "flex",
        r#"{"accounts":{"flex":{"type":"multiCollateralMarginAccount","currencies":{"XBT":{"quantity":0.5,
            "value":9998.9,"collateral":9886.4,"available":0.4}},"balanceValue":34995.52}}}"#,
        &[["BTC", "futures", "0.4", "0.1", "0.5"]],
    ),
    (
        "krakenfutures",
        "single-collateral",
        r#"{"accounts":{"cash":{"type":"cashAccount","balances":{}},"fi_xbtusd":{"type":"marginAccount","currency":"xbt",
            "balances":{"xbt":0.5},"auxiliary":{"af":0.1,"pnl":0.1,"pv":0.6}}}}"#,
        &[["BTC", "futures", "0.1", "0.5", "0.6"]],
    ),
    ("whitebit", "main", r#"{"BTC":{"main_balance":"0.25"}}"#, &[["BTC", "funding", "0.25", "0", "0.25"]]),
    (
        "whitebit",
        "trade",
        r#"{"USDT":{"available":"10.5","freeze":"2"}}"#,
        &[["USDT", "spot", "10.5", "2", "12.5"]],
    ),
    (
        "whitebit",
        "collateral",
        r#"[{"asset":"BTC","balance":"1","borrow":"0.1","availableWithoutBorrow":"0.9","availableWithBorrow":"3"}]"#,
        &[["BTC", "margin", "0.9", "0.1", "1"]],
    ),
    (
        "whitebit",
        "lending",
        r#"{"offset":0,"limit":100,"records":[{"id":"1","plan":{"ticker":"USDT"},"status":1,"amount":"100"}]}"#,
        &[["USDT", "earn", NONE, NONE, "100"]],
    ),
    (
        "p2b",
        "spot",
        r#"{"success":true,"errorCode":"","message":"","result":{"ETH":{"available":"1","freeze":"0.5"}}}"#,
        &[["ETH", "spot", "1", "0.5", "1.5"]],
    ),
    (
        "indodax",
        "spot",
        r#"{"success":1,"return":{"balance":{"idr":5000,"str":"0.1"},"balance_hold":{"idr":1000,"str":"0"}}}"#,
        &[["IDR", "spot", "5000", "1000", "6000"], ["XLM", "spot", "0.1", "0", "0.1"]],
    ),
    (
        "zaif",
        "spot",
        r#"{"success":1,"return":{"funds":{"jpy":15320,"btc":1.389},"deposit":{"jpy":20440,"btc":1.479},"rights":{}}}"#,
        &[["JPY", "spot", "15320", "5120", "20440"], ["BTC", "spot", "1.389", "0.09", "1.479"]],
    ),
    (
        "coinspot",
        "spot",
        r#"{"status":"ok","message":"ok","balances":[{"AUD":{"balance":1.5,"audbalance":1.5,"rate":1}},{"BTC":{"balance":2}}]}"#,
        &[["AUD", "spot", NONE, NONE, "1.5"], ["BTC", "spot", NONE, NONE, "2"]],
    ),
    (
        "coinone",
        "spot",
        r#"{"result":"success","error_code":"0","balances":[{"available":"9","limit":"1","average_price":"5","currency":"btc"}]}"#,
        &[["BTC", "spot", "9", "1", "10"]],
    ),
    (
        "mercado",
        "spot",
        r#"{"status_code":100,"response_data":{"balance":{"brl":{"available":"3000.00","total":"4900.00"}}}}"#,
        &[["BRL", "spot", "3000", "1900", "4900"]],
    ),
    (
        "latoken",
        "accounts",
        r#"[{"currency":"0c3a106d-bde3-4c13-a26e-3fd2394529e5","available":"5","blocked":"1","type":"ACCOUNT_TYPE_WALLET"},
            {"currency":"f0000000-0000-0000-0000-000000000000","available":"2","blocked":"0","type":"ACCOUNT_TYPE_SPOT"}]"#,
        &[
            ["USDT", "funding", "5", "1", "6"],
            ["f0000000-0000-0000-0000-000000000000", "spot", "2", "0", "2"],
        ],
    ),
    (
        "bit2c",
        "spot",
        r#"{"AVAILABLE_NIS":10.5,"NIS":12,"LOCKED_NIS":1.5,"AVAILABLE_BTC":0.5,"LOCKED_BTC":0,"Fees":{"BtcNis":{"FeeMaker":1.0}}}"#,
        &[["ILS", "spot", "10.5", "1.5", "12"], ["BTC", "spot", "0.5", "0", "0.5"]],
    ),
    (
        "bitbns",
        "spot",
        r#"{"data":{"availableorderMoney":12.5,"availableorderBTC":1,"inorderMoney":0.5,"inorderBTC":0},"status":1,"code":200}"#,
        &[["INR", "spot", "12.5", "0.5", "13"], ["BTC", "spot", "1", "0", "1"]],
    ),
    (
        "btcmarkets",
        "spot",
        r#"[{"assetName":"LTC","balance":"5","available":"4","locked":"1"}]"#,
        &[["LTC", "spot", "4", "1", "5"]],
    ),
    (
        "independentreserve",
        "spot",
        r#"[{"AccountGuid":"66dcac65","AccountStatus":"Active","AvailableBalance":45.25,"CurrencyCode":"Xbt","TotalBalance":46}]"#,
        &[["BTC", "spot", "45.25", "0.75", "46"]],
    ),
    (
        "btcturk",
        "spot",
        r#"{"data":[{"asset":"TRY","assetname":"Lira","balance":"10","locked":"4","free":"6","orderFund":"4"}],"success":true,"code":0}"#,
        &[["TRY", "spot", "6", "4", "10"]],
    ),
    (
        "paymium",
        "spot",
        r#"{"name":"BC-U123456","locale":"en","balance_btc":"25.5","locked_btc":"1.5","balance_eur":"1893.96","locked_eur":"300"}"#,
        &[["BTC", "spot", "25.5", "1.5", "27"], ["EUR", "spot", "1893.96", "300", "2193.96"]],
    ),
    (
        "btcbox",
        "spot",
        r#"{"uid":8,"nameauth":0,"moflag":0,"btc_balance":4.5,"btc_lock":0.5,"jpy_balance":2344581.519,"jpy_lock":868862.481}"#,
        &[["BTC", "spot", "4.5", "0.5", "5"], ["JPY", "spot", "2344581.519", "868862.481", "3213444"]],
    ),
    (
        "foxbit",
        "spot",
        r#"{"data":[{"currency_symbol":"btc","balance":"10.0","balance_available":"9.0","balance_locked":"1.0"}]}"#,
        &[["BTC", "spot", "9", "1", "10"]],
    ),
];

#[test]
fn m33_documented_balance_answers_are_read_with_what_is_free_and_what_is_not() {
    for (id, source, answer, expected) in CASES {
        let connector = find(id).unwrap();
        let source = connector.balances.iter().find(|known| known.name == *source).unwrap();
        let document = Document::parse(answer.as_bytes()).unwrap();
        let reply = Reply { connector, arguments: &Params::new(), root: document.root() };
        let read = reply.balances(source).unwrap_or_else(|_| panic!("{id} does not fit"));
        assert!(!read.damaged, "{id}");
        let text = |amount: Option<wire::Decimal>| amount.map_or(String::new(), |amount| amount.to_string());
        let ours: Vec<[String; 5]> = merged(read.rows)
            .unwrap()
            .iter()
            .map(|row| {
                let (asset, account) = (row.asset.to_string(), row.account.to_string());
                [asset, account, text(row.free), text(row.used), text(row.total)]
            })
            .collect();
        let amounts = |rows: &[[String; 5]]| {
            let mut rows: Vec<[String; 5]> = rows.to_vec();
            rows.sort();
            rows
        };
        let expected: Vec<[String; 5]> = expected.iter().map(|row| row.map(normal)).collect();
        assert_eq!(amounts(&ours), amounts(&expected), "{id}");
    }
}

/// A number in its shortest form, as the engine writes it; other text as it is.
fn normal(text: &str) -> String {
    text.parse::<wire::Decimal>().map_or_else(|_| text.to_owned(), |number| number.to_string())
}

/// Exchange, status, answer, and what it means; nothing where the call succeeded.
const FAULTS: &[(&str, u16, &str, Option<FaultKind>)] = &[
    (
        "krakenfutures",
        200,
        r#"{"result":"error","error":"apiLimitExceeded","serverTime":"2025-01-01T00:00:00Z"}"#,
        Some(FaultKind::RateLimit),
    ),
    ("krakenfutures", 200, r#"{"result":"success","accounts":{}}"#, None),
    ("whitebit", 401, r#"{"code":10,"message":"Unauthorized request."}"#, Some(FaultKind::Credential)),
    ("whitebit", 429, r#"{"code":0,"message":"Too Many Attempts."}"#, Some(FaultKind::RateLimit)),
    ("p2b", 200, r#"{"success":true,"errorCode":"","message":"","result":{}}"#, None),
    ("p2b", 200, r#"{"success":false,"errorCode":1013,"message":"m"}"#, Some(FaultKind::RateLimit)),
    (
        "indodax",
        200,
        r#"{"success":0,"error":"Invalid credentials. Bad sign.","error_code":"invalid_credentials"}"#,
        Some(FaultKind::Credential),
    ),
    ("zaif", 200, r#"{"success":0,"error":"nonce not incremented"}"#, Some(FaultKind::Clock)),
    ("zaif", 200, r#"{"success":1,"return":{}}"#, None),
    ("coinspot", 200, r#"{"status":"error","message":"invalid nonce"}"#, Some(FaultKind::Clock)),
    ("coinspot", 200, r#"{"status":"ok","balances":[]}"#, None),
    ("coinone", 200, r#"{"result":"error","error_code":"12","error_msg":"m"}"#, Some(FaultKind::Credential)),
    ("coinone", 200, r#"{"result":"success","error_code":"0","balances":[]}"#, None),
    ("mercado", 200, r#"{"status_code":429,"error_message":"m"}"#, Some(FaultKind::RateLimit)),
    ("mercado", 200, r#"{"status_code":100,"response_data":{}}"#, None),
    (
        "latoken",
        401,
        r#"{"status":"FAILURE","error":"NOT_AUTHORIZED","message":"m"}"#,
        Some(FaultKind::Credential),
    ),
    ("bit2c", 200, r#"{"error":"Please provide valid nonce in Request"}"#, Some(FaultKind::Clock)),
    ("bitbns", 200, r#"{"data":[],"status":0,"error":"m","code":416}"#, Some(FaultKind::Funds)),
    ("bitbns", 200, r#"{"data":{},"status":1,"error":null,"code":200}"#, None),
    ("btcmarkets", 400, r#"{"code":"InsufficientFund","message":"m"}"#, Some(FaultKind::Funds)),
    ("independentreserve", 401, r#"{"Message":"Invalid signature"}"#, Some(FaultKind::Credential)),
    ("btcturk", 200, r#"{"data":[],"success":true,"message":null,"code":0}"#, None),
    ("paymium", 401, r#"{"errors":["Invalid nonce"]}"#, Some(FaultKind::Clock)),
    ("btcbox", 200, r#"{"result":false,"code":"106"}"#, Some(FaultKind::Clock)),
    ("foxbit", 401, r#"{"error":{"message":"m","code":2001}}"#, Some(FaultKind::Credential)),
];

#[test]
fn documented_refusals_are_told_from_answers() {
    for (id, status, answer, expected) in FAULTS {
        let document = Document::parse(answer.as_bytes()).unwrap();
        let fault = refusal(find(id).unwrap(), *status, Some(&document));
        assert_eq!(fault.map(|fault| fault.code), expected.map(FaultCode::Provider), "{id}: {answer}");
    }
}
