use super::provider::*;
use enclave::connector::*;

fn table(id: &str, provider: impl FnMut(&Request, u64) -> Respond) -> PriceTable {
    let mut run = Run::start(find(id).unwrap(), Operation::Prices, None, 0, NonceState::new()).unwrap();
    match finish(&mut run, provider).0.answer {
        Answer::Prices(table) => table,
        other => panic!("{other:?}"),
    }
}

fn value(table: &PriceTable, asset: &str, currency: &str) -> Option<String> {
    table.value(asset, currency).map(|price| price.to_string())
}

#[test]
fn prices_come_from_each_exchange_own_market() {
    let kraken = table("kraken", |request, _| match request.path() {
        "/0/public/AssetPairs" => ok(r#"{"error":[],"result":{"XXBTZEUR":{"base":"XXBT","quote":"ZEUR"},
            "XTZUSD":{"base":"XTZ","quote":"ZUSD"},"EURUSD":{"base":"ZEUR","quote":"ZUSD"}}}"#),
        _ => ok(
            r#"{"error":[],"result":{"XXBTZEUR":{"c":["90000.5","1"]},"XTZUSD":{"c":["0.75","1"]},"EURUSD":{"c":["1.25","1"]},
            "UNKNOWN":{"c":["1","1"]}}}"#,
        ),
    });
    assert_eq!(value(&kraken, "BTC", "EUR").unwrap(), "90000.5");
    assert_eq!(value(&kraken, "XTZ", "EUR").unwrap(), "0.6");
    assert_eq!(value(&kraken, "UNKNOWN", "EUR"), None);

    let binance = table("binance", |_, _| {
        ok(r#"[{"symbol":"BTCUSDT","price":"100000.00000000"},{"symbol":"EURUSDT","price":"1.25"},
        {"symbol":"BTCTUSD","price":"100100"},{"symbol":"DEADUSDT","price":"0.00000000"}]"#)
    });
    assert_eq!(value(&binance, "BTC", "EUR").unwrap(), "80000");
    assert_eq!(value(&binance, "BTC", "TUSD").unwrap(), "100100");
    assert_eq!(value(&binance, "DEAD", "USDT"), None);

    let okx = table("okx", |_, _| {
        ok(r#"{"code":"0","data":[{"instId":"BTC-USDT","last":"","bidPx":"10","askPx":"12"}]}"#)
    });
    assert_eq!(value(&okx, "BTC", "USDT").unwrap(), "11");

    let bybit = table("bybit", |_, _| {
        ok(r#"{"retCode":0,"result":{"list":[{"symbol":"BTCUSDC","lastPrice":"99999"}]}}"#)
    });
    assert_eq!(value(&bybit, "BTC", "USDC").unwrap(), "99999");

    let kucoin = table("kucoin", |_, _| {
        ok(r#"{"code":"200000","data":{"ticker":[{"symbol":"XBT-USDT","last":"5"}]}}"#)
    });
    assert_eq!(value(&kucoin, "BTC", "USDT").unwrap(), "5");

    let coinbase = table("coinbase", |_, _| {
        ok(r#"{"products":[{"base_currency_id":"BTC","quote_currency_id":"USD","price":"100001"}]}"#)
    });
    assert_eq!(value(&coinbase, "BTC", "USD").unwrap(), "100001");
}

#[test]
fn m39_prices_and_connectors_are_shared_by_all_owners() {
    // A connector is loaded once for the process; runs refer to it, and hold no market list of their own.
    assert!(std::ptr::eq(find("binance").unwrap(), find("binance").unwrap()));
    assert!(std::mem::size_of::<Run>() < 1024, "{}", std::mem::size_of::<Run>());
    // Balances are asked without any market list, so 1,000 owners need none.
    let mut run = start("binance", Operation::Balances { sources: None });
    while let Step::Send { request, .. } = run.next(NOW_MS, &mut Counting(0)) {
        assert!(
            !request.path().contains("exchangeInfo") && !request.path().contains("ticker"),
            "{request:?}"
        );
    }
    // The table is a plain value without an owner, asked without a credential.
    fn shared<T: Send + Sync + 'static>() {}
    shared::<PriceTable>();
    let mut run = Run::start(find("kraken").unwrap(), Operation::Prices, None, 0, NonceState::new()).unwrap();
    assert!(matches!(run.next(NOW_MS, &mut Counting(0)), Step::Send { authenticated: false, .. }));
}
