//! Nodes that answer anything: a run ends, and says what came of it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::{Account, Network, Run, find};
use crate::connector::{Answer, Operation, Outcome, Params, Position, Request, Step, TransportFault};
use proptest::prelude::*;
use serde_json::Value;

const NOW_MS: u64 = 1_795_305_600_000;
const EVM: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
const DESCRIPTOR: &str = "wpkh(xpub6BosfCnifzxcFwrSzQiqu2DBVTshkCXacvNsWGYJVVhhawA7d4R5WSWGFNbi8Aw6ZRc1brxMyWMzG3DSSSSoekkudhUd9yLb6qx39T9nMdj/<0;1>/*)";
const SOLANA: &str = "9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM";

fn wallets() -> [(&'static Network, Account); 3] {
    [("ethereum", EVM), ("bitcoin", DESCRIPTOR), ("solana", SOLANA)].map(|(id, watch)| {
        let network = find(id).unwrap();
        let json = format!(r#"{{"watch":"{watch}"}}"#);
        (network, Account::from_json(network, json.as_bytes()).unwrap())
    })
}

fn operations() -> [Operation; 4] {
    let read = |operation: &str, from| Operation::Read {
        operation: operation.to_owned(),
        arguments: Params::new(),
        extra: Params::new(),
        from,
        pages: Some(5),
    };
    [
        Operation::Balances { sources: None },
        read("addresses", Position::Start),
        read("ledger", Position::Start),
        read("ledger", Position::Cursor("0.0.-".to_owned())),
    ]
}

/// Runs to the end, whatever `answer` gives; counts what was sent.
fn run(
    network: &'static Network,
    account: &Account,
    operation: Operation,
    mut answer: impl FnMut(&Request, u32) -> Result<(u16, Vec<u8>), TransportFault>,
) -> (Outcome, u32) {
    let mut run = Run::start(network, operation, account.clone()).unwrap();
    let (mut now_ms, mut sent) = (NOW_MS, 0);
    loop {
        match run.next(now_ms) {
            Step::Done(outcome) => return (outcome, sent),
            Step::Wait { until_ms } => now_ms = until_ms.unwrap(),
            Step::Send { call, request, authenticated } => {
                assert!(!authenticated);
                sent += 1;
                assert!(sent <= 600, "no more than a run may send");
                match answer(&request, sent) {
                    Ok((status, body)) => run.answer(call, now_ms, status, &[], &body),
                    Err(fault) => run.failed(call, now_ms, fault),
                }
            }
        }
    }
}

/// What an honest node answers, about an account that was used: enough that every reading gets far.
fn honest(request: &Request) -> String {
    let body = String::from_utf8(request.body.clone()).unwrap();
    let number = body.split_once(r#""id":"#).map_or("0", |(_, rest)| rest.split(',').next().unwrap());
    let zeros = format!("{:064x}", 0);
    let result = match body.split_once(r#""method":""#).map(|(_, rest)| rest.split('"').next().unwrap()) {
        None => return esplora(&request.target),
        Some("eth_chainId") => r#""0x1""#.to_owned(),
        Some("eth_getBlockByNumber") => {
            format!(r#"{{"number":"0x2710","timestamp":"{:#x}"}}"#, NOW_MS / 1000)
        }
        Some("eth_getBalance") => r#""0xde0b6b3a7640000""#.to_owned(),
        Some("eth_call") => format!(r#""0x{:064x}{zeros}""#, 32),
        Some("eth_getLogs") if !body.contains(r#""toBlock":"0x2710""#) => "[]".to_owned(),
        Some("eth_getLogs") => {
            let own = format!("0x{:0>64}", EVM[2..].to_ascii_lowercase());
            let topics = format!(
                r#"["0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef","{own}","{own}"]"#
            );
            format!(
                r#"[{{"address":"0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48","topics":{topics},"data":"0x{:064x}","blockNumber":"0x2710","transactionHash":"0x{zeros}","logIndex":"0x0"}}]"#,
                5
            )
        }
        Some("getGenesisHash") => r#""5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d""#.to_owned(),
        Some("getBalance") => r#"{"context":{"slot":1},"value":1000000000}"#.to_owned(),
        Some("getTokenAccountsByOwner") => format!(
            r#"{{"value":[{{"pubkey":"{SOLANA}","account":{{"data":{{"parsed":{{"info":{{"mint":"EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v","owner":"{SOLANA}","state":"initialized","tokenAmount":{{"amount":"5","decimals":6}}}}}}}}}}}}]}}"#
        ),
        Some("getSignaturesForAddress") => format!(r#"[{{"signature":"{}","err":null}}]"#, "5".repeat(88)),
        Some(_) => format!(
            r#"{{"blockTime":1795305600,"transaction":{{"message":{{"accountKeys":[{{"pubkey":"{SOLANA}"}}]}}}},"meta":{{"err":null,"fee":5000,"preBalances":[10000],"postBalances":[5000],"preTokenBalances":[],"postTokenBalances":[]}}}}"#
        ),
    };
    format!(r#"{{"jsonrpc":"2.0","id":{number},"result":{result}}}"#)
}

fn esplora(target: &str) -> String {
    let parts: Vec<&str> = target.trim_start_matches("/api/").split('/').collect();
    match parts.as_slice() {
        ["address", address, "txs", ..] => format!(
            r#"[{{"txid":"{:064x}","status":{{"confirmed":true,"block_time":1795305600}},"fee":100,"vin":[{{"prevout":null}}],"vout":[{{"scriptpubkey_address":"{address}","value":5}}]}}]"#,
            7
        ),
        ["address", address] => format!(
            r#"{{"address":"{address}","chain_stats":{{"funded_txo_sum":5,"spent_txo_sum":0,"tx_count":1}},"mempool_stats":{{"funded_txo_sum":0,"spent_txo_sum":0,"tx_count":0}}}}"#
        ),
        _ => "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f".to_owned(),
    }
}

#[test]
fn what_an_honest_node_answers_is_read() {
    for (network, account) in wallets() {
        for operation in operations().into_iter().take(3) {
            let (outcome, _) = run(network, &account, operation.clone(), |request, _| {
                Ok((200, honest(request).into_bytes()))
            });
            assert!(
                !matches!(outcome.answer, Answer::Nothing),
                "{} {operation:?}: {:?}",
                network.id,
                outcome.coverage
            );
        }
    }
}

#[test]
fn an_account_whose_every_address_was_used_is_cut_off_and_said_to_be() {
    let [_, (bitcoin, account), _] = wallets();
    let (outcome, sent) = run(bitcoin, &account, Operation::Balances { sources: None }, |request, _| {
        Ok((200, honest(request).into_bytes()))
    });
    assert!(matches!(outcome.answer, Answer::Balances(_)) && !outcome.is_complete());
    assert!((300..=401).contains(&sent), "{sent}");
}

/// Puts numbers at the edges of their types where an answer has numbers, but for a call's own and the chain's.
fn stretched(body: &str, mut choice: u64) -> String {
    let Ok(mut answer) = serde_json::from_str::<Value>(body) else { return body.to_owned() };
    fn stretch(value: &mut Value, choice: &mut u64) {
        *choice = choice.rotate_right(3);
        match value {
            Value::Number(number) if *choice & 1 == 1 => {
                let edges = [0, 1, 1 << 51, 2_100_000_000_000_000_000, u64::MAX - 1, u64::MAX];
                *number = edges[(*choice >> 1) as usize % edges.len()].into();
            }
            Value::String(text) if text.len() <= 20 && *choice & 1 == 1 => {
                let edges =
                    ["0x0", "0x1", "0xfffffffffffffffe", "0xffffffffffffffff", "18446744073709551615"];
                *text = edges[(*choice >> 1) as usize % edges.len()].to_owned();
            }
            Value::Array(values) => values.iter_mut().for_each(|value| stretch(value, choice)),
            Value::Object(members) => members.values_mut().for_each(|value| stretch(value, choice)),
            _ => {}
        }
    }
    match answer.get_mut("result") {
        // The time stays, or nothing behind it would be read.
        Some(Value::Object(block)) if block.contains_key("timestamp") => {
            stretch(&mut block["number"], &mut choice);
        }
        Some(Value::String(text)) if text == "0x1" => {}
        Some(result) => stretch(result, &mut choice),
        None => stretch(&mut answer, &mut choice),
    }
    answer.to_string()
}

#[test]
fn a_balance_beyond_all_the_money_there_is_ends_nothing() {
    let [_, (bitcoin, account), _] = wallets();
    // Each address could be; together they are not, and their sum is beyond 64 bits.
    for each in [2_100_000_000_000_000_u64, 2_100_000_000_000_000_000, u64::MAX] {
        let (outcome, _) = run(bitcoin, &account, Operation::Balances { sources: None }, |request, _| {
            Ok((200, honest(request).replace(":5,", &format!(":{each},")).into_bytes()))
        });
        assert!(matches!(outcome.answer, Answer::Nothing), "{each}");
    }
}

#[test]
fn a_listed_token_has_its_own_decimals_in_a_history_too() {
    let [.., (solana, account)] = wallets();
    for (decimals, is_read) in [(6, true), (5, false)] {
        let (outcome, _) = run(solana, &account, operations()[2].clone(), |request, _| {
            let row = format!(
                r#""postTokenBalances":[{{"owner":"{SOLANA}","mint":"EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v","uiTokenAmount":{{"amount":"5","decimals":{decimals}}}}}]"#
            );
            Ok((200, honest(request).replace(r#""postTokenBalances":[]"#, &row).into_bytes()))
        });
        assert_eq!(matches!(outcome.answer, Answer::Rows(_)), is_read, "{decimals}");
    }
}

#[test]
fn the_largest_block_number_that_can_be_written_ends_nothing() {
    let [(ethereum, account), ..] = wallets();
    let (outcome, _) = run(ethereum, &account, operations()[2].clone(), |request, _| {
        let body = honest(request).replace("\"0x2710\"", "\"0xffffffffffffffff\"");
        Ok((200, body.into_bytes()))
    });
    assert!(matches!(outcome.answer, Answer::Rows(_)), "{:?}", outcome.coverage);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_a_node_answers_a_reading_ends(bytes in proptest::collection::vec(any::<u8>(), 0..200), status in 100_u16..600) {
        for (network, account) in wallets() {
            for operation in operations() {
                let (outcome, _) = run(network, &account, operation, |_, _| Ok((status, bytes.clone())));
                // `addresses` asks nobody on two of the three.
                prop_assert!(matches!(outcome.answer, Answer::Nothing | Answer::Rows(_)));
            }
        }
    }

    #[test]
    fn one_altered_byte_of_one_answer_ends_in_an_answer_or_at_the_next_node(
        which in 1_u32..8, at: prop::sample::Index, value in 1_u8.., wallet in 0_usize..3, operation in 0_usize..4,
    ) {
        let (network, account) = wallets()[wallet].clone();
        let operation = operations()[operation].clone();
        run(network, &account, operation, |request, sent| {
            let mut body = honest(request).into_bytes();
            if sent == which {
                let at = at.index(body.len());
                body[at] ^= value;
            }
            Ok((200, body))
        });
    }

    #[test]
    fn numbers_at_the_edges_of_their_types_end_no_reading_in_a_panic(choice: u64, wallet in 0_usize..3, operation in 0_usize..4) {
        let (network, account) = wallets()[wallet].clone();
        run(network, &account, operations()[operation].clone(), |request, sent| {
            Ok((200, stretched(&honest(request), choice.rotate_left(sent)).into_bytes()))
        });
    }

    #[test]
    fn whichever_calls_are_lost_a_reading_ends(lost: u64, wallet in 0_usize..3, operation in 0_usize..4) {
        let (network, account) = wallets()[wallet].clone();
        run(network, &account, operations()[operation].clone(), |request, sent| {
            let is_lost = lost >> (sent % 64) & 1 == 1;
            if is_lost { Err(TransportFault::Timeout) } else { Ok((200, honest(request).into_bytes())) }
        });
    }
}
