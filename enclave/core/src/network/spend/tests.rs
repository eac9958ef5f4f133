//! What hostile nodes and altered quotes can do: nothing but what the owner signed.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use super::*;
use crate::connector::{Request, Step};
use crate::network::Run;
use crate::wallet::bitcoin::{self, Branch};
use crate::wallet::{evm, hex, solana};
use proptest::prelude::*;
use serde_json::{Value, json};
use wire::Decimal;
use wire::action::{Instruction, Kind, Reference};

const PHRASE: &str = "test test test test test test test test test test test junk";
const NOW_MS: u64 = 1_800_000_000_000;

/// A wallet on a chain, and a node that is honest.
struct Chain {
    network: &'static Network,
    addresses: &'static str,
    asset: &'static str,
    amount: &'static str,
    to: &'static str,
    answer: fn(&Chain, &str, &str) -> Option<String>,
}

impl Chain {
    fn all() -> &'static [Chain] {
        static ALL: OnceLock<Vec<Chain>> = OnceLock::new();
        ALL.get_or_init(Chain::load)
    }

    fn load() -> Vec<Chain> {
        let ethereum = crate::network::find("ethereum").unwrap();
        let to = "0x4242424242424242424242424242424242424242";
        let evm = |asset, amount| Chain {
            network: ethereum,
            addresses: "segwit",
            asset,
            amount,
            to,
            answer: evm_answer,
        };
        let regtest = network("bitcoin", "bip122:0f9188f13cb7b2c71f2a335e3a4fc328", json!([]));
        let to = "bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqc8gma6";
        let bitcoin = |addresses| Chain {
            network: regtest,
            addresses,
            asset: "BTC",
            amount: "0.004",
            to,
            answer: bitcoin_answer,
        };
        let mint = solana::Address([9; 32]).to_string();
        let tokens = json!([{ "symbol": "TEST", "asset": format!("token:{mint}"), "decimals": 6 }]);
        let dev = network("solana", "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1", tokens);
        let to = "GjJyeC1r2RgkuoCWMyPYkCWSGSGLcz266EaAkLA27AhL";
        let solana = |asset, amount| Chain {
            network: dev,
            addresses: "segwit",
            asset,
            amount,
            to,
            answer: solana_answer,
        };
        vec![
            evm("ETH", "1.5"),
            evm("USDC", "2.5"),
            bitcoin("segwit"),
            bitcoin("taproot"),
            solana("SOL", "0.25"),
            solana("TEST", "0.75"),
        ]
    }

    fn wallet(&self) -> Wallet {
        let credential = json!({ "phrase": PHRASE, "addresses": self.addresses }).to_string();
        Wallet::open(self.network, credential.as_bytes()).unwrap()
    }

    fn instruction(&self) -> Instruction {
        let amount: Decimal = self.amount.parse().unwrap();
        Instruction {
            address: Some(self.to.to_owned()),
            max_fee: Some("0.1".to_owned()),
            max_fee_asset: Some(self.network.coin.asset.clone()),
            ..Instruction::new(Kind::Withdraw, Reference([7; 16]), self.asset, amount)
        }
    }

    fn order(&self, instruction: &Instruction) -> Order {
        Order::read(self.network, instruction).unwrap()
    }

    fn preview(&self, altered: &mut dyn FnMut(&mut Vec<u8>)) -> Option<Answered> {
        let order = self.order(&self.instruction());
        self.run(Task::preview(self.network, order, self.wallet()).unwrap(), altered).0
    }

    /// The instruction with an honest node's quote.
    fn signed(&self) -> Instruction {
        match self.preview(&mut |_| ()) {
            Some(Answered::Quote(quote)) => {
                Instruction { quote: Some(quote.plan.write()), ..self.instruction() }
            }
            other => panic!("{}: {other:?}", self.network.id),
        }
    }

    fn send(&self, signed: &Instruction) -> Result<Task, Refusal> {
        Task::send(self.network, self.order(signed), self.wallet(), [7; 32])
    }

    /// Runs a task; the answers, as `altered` leaves them; whatever was sent to be broadcast.
    fn run(&self, task: Task, altered: &mut dyn FnMut(&mut Vec<u8>)) -> (Option<Answered>, Vec<Vec<u8>>) {
        let mut run = Run::spend(Arc::new(task)).unwrap();
        let (mut now, mut broadcast) = (NOW_MS, Vec::new());
        loop {
            match run.next(now) {
                Step::Wait { until_ms } => now = until_ms.unwrap(),
                Step::Done(outcome) => match outcome.answer {
                    Answer::Spending(answered) => return (Some(*answered), broadcast),
                    _ => return (None, broadcast),
                },
                Step::Send { call, request, .. } => {
                    let (mut body, sent) = self.serve(&request);
                    broadcast.extend(sent);
                    altered(&mut body);
                    run.answer(call, now, 200, &[], &body);
                }
            }
        }
    }

    fn serve(&self, request: &Request) -> (Vec<u8>, Option<Vec<u8>>) {
        if request.body.is_empty() {
            let answer = (self.answer)(self, &request.target, "").unwrap_or_else(|| "not found".to_owned());
            return (answer.into_bytes(), None);
        }
        let text = std::str::from_utf8(&request.body).unwrap();
        let Ok(asked) = serde_json::from_str::<Value>(text) else {
            // A transaction of Bitcoin's.
            return ("7".repeat(64).into_bytes(), hex::decode(text));
        };
        let (method, params) = (asked["method"].as_str().unwrap(), asked["params"].to_string());
        let sent =
            asked["params"][0].as_str().filter(|_| method.contains("end") && method.contains("ransaction"));
        let sent = sent.filter(|_| matches!(method, "eth_sendRawTransaction" | "sendTransaction"));
        let sent = sent.map(|text| match text.strip_prefix("0x") {
            Some(digits) => hex::decode(digits).unwrap(),
            None => crate::connector::from_base64(text.as_bytes()).unwrap(),
        });
        let result = (self.answer)(self, method, &params).unwrap_or_else(|| "null".to_owned());
        let answer = format!(r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#, asked["id"]);
        (answer.into_bytes(), sent)
    }

    /// What bytes do that were sent to be broadcast.
    fn summary(&self, sent: &[u8]) -> Summary {
        match self.wallet() {
            Wallet::Evm(_) => evm::Signed::decode(sent).unwrap().transaction.summary().unwrap(),
            Wallet::Bitcoin(account) => {
                let signed = bitcoin::Transaction::decode(sent).unwrap();
                assert_eq!(signed.inputs.len(), 1);
                let coin = bitcoin::Coin { outpoint: signed.inputs[0].previous, ..coin(&account) };
                let change =
                    signed.outputs.iter().any(|out| *out == change(&account, out.value)).then_some(0);
                bitcoin::Draft { transaction: signed, coins: vec![coin], change }
                    .claimed_summary(&account)
                    .unwrap()
            }
            wallet @ Wallet::Solana(_) => {
                let message = solana::Message::decode(&sent[65..]).unwrap();
                let to = self.to.parse().unwrap();
                message.summary(solana::Cluster::Dev, &wallet.solana_address().unwrap(), Some(&to)).unwrap()
            }
        }
    }
}

fn network(family: &str, chain: &str, tokens: Value) -> &'static Network {
    let symbol = if family == "solana" { "SOL" } else { "BTC" };
    let decimals = if family == "solana" { 9 } else { 8 };
    let file = json!({
        "id": "test", "name": "Test", "family": family, "chain": chain,
        "guide": { "url": "https://example.com", "steps": "None." },
        "nodes": [{ "operator": "one", "host": "node.example", "path": "/" }],
        "coin": { "symbol": symbol, "asset": "slip44:1", "decimals": decimals },
        "tokens": tokens,
    });
    crate::network::load_leaked(file.to_string().as_bytes()).unwrap()
}

fn evm_answer(_: &Chain, method: &str, _: &str) -> Option<String> {
    Some(match method {
        "eth_chainId" => "\"0x1\"".to_owned(),
        "eth_getBlockByNumber" => {
            format!(r#"{{"number":"0x100","timestamp":"0x{:x}"}}"#, NOW_MS / 1000)
        }
        "eth_getTransactionCount" => "\"0x5\"".to_owned(),
        "eth_feeHistory" => {
            r#"{"oldestBlock":"0xfe","baseFeePerGas":["0x3b9aca00","0x3b9aca00"],"reward":[["0x77359400"]]}"#
                .to_owned()
        }
        "eth_getBalance" => "\"0x8ac7230489e80000\"".to_owned(),
        "eth_call" => format!("\"0x{:064x}\"", 5_000_000),
        "eth_estimateGas" => "\"0x5208\"".to_owned(),
        "eth_sendRawTransaction" => format!("\"0x{}\"", "ab".repeat(32)),
        _ => return None,
    })
}

/// A transaction that paid the wallet's first address.
fn made(account: &bitcoin::Account) -> bitcoin::Transaction {
    let script = account.address(Branch::Receive, 0).unwrap().destination.script();
    let previous = bitcoin::OutPoint { txid: [5; 32], index: 0 };
    let input = bitcoin::Input { previous, script_sig: vec![], sequence: 0, witness: vec![] };
    let outputs = vec![bitcoin::Output { value: 1_000_000, script }];
    bitcoin::Transaction { version: 2, inputs: vec![input], outputs, lock_time: 0 }
}

fn coin(account: &bitcoin::Account) -> bitcoin::Coin {
    let outpoint = bitcoin::OutPoint { txid: made(account).txid(), index: 0 };
    bitcoin::Coin { outpoint, value: 1_000_000, branch: Branch::Receive, index: 0 }
}

fn change(account: &bitcoin::Account, value: u64) -> bitcoin::Output {
    let script = account.address(Branch::Change, 0).unwrap().destination.script();
    bitcoin::Output { value, script }
}

/// The first address of a kind, and the transaction that paid it.
fn funded(chain: &Chain) -> &'static (String, bitcoin::Transaction) {
    static SEGWIT: OnceLock<(String, bitcoin::Transaction)> = OnceLock::new();
    static TAPROOT: OnceLock<(String, bitcoin::Transaction)> = OnceLock::new();
    let kept = if chain.addresses == "segwit" { &SEGWIT } else { &TAPROOT };
    kept.get_or_init(|| {
        let Wallet::Bitcoin(account) = chain.wallet() else { panic!() };
        (account.address(Branch::Receive, 0).unwrap().to_string(), made(&account))
    })
}

fn stats(address: &str, count: u64) -> String {
    let stats =
        |count: u64| json!({ "tx_count": count, "funded_txo_sum": count * 1_000_000, "spent_txo_sum": 0 });
    json!({ "address": address, "chain_stats": stats(count), "mempool_stats": stats(0) }).to_string()
}

fn bitcoin_answer(chain: &Chain, path: &str, _: &str) -> Option<String> {
    let (first, made) = funded(chain);
    let txid = bitcoin::txid_text(&made.txid());
    Some(match path {
        "/block-height/0" => "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206".to_owned(),
        "/blocks/tip/height" => "500".to_owned(),
        "/fee-estimates" => r#"{"1":9.5,"3":4.25}"#.to_owned(),
        path if path == format!("/address/{first}/utxo") => {
            format!(
                r#"[{{"txid":"{txid}","vout":0,"value":1000000,"status":{{"confirmed":true,"block_height":7}}}}]"#
            )
        }
        path if path == format!("/address/{first}") => stats(first, 1),
        path if path == format!("/tx/{txid}/hex") => hex::encode(&made.encode()),
        path if path.starts_with("/address/") => stats(path.trim_start_matches("/address/"), 0),
        path if path.contains("/outspend/") => r#"{"spent":false}"#.to_owned(),
        _ => return None,
    })
}

fn solana_answer(chain: &Chain, method: &str, _: &str) -> Option<String> {
    let own = chain.wallet().solana_address().unwrap();
    let base64 = |bytes: &[u8]| crate::connector::to_base64(bytes);
    Some(match method {
        "getGenesisHash" => "\"EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG\"".to_owned(),
        "getLatestBlockhash" => {
            let hash = solana::Address([3; 32]);
            format!(
                r#"{{"context":{{"slot":9}},"value":{{"blockhash":"{hash}","lastValidBlockHeight":900}}}}"#
            )
        }
        "getBlockHeight" => "800".to_owned(),
        "getMultipleAccounts" => {
            let tokens = [[9; 32].as_slice(), &own.0, &1_000_000_u64.to_le_bytes(), &[0; 93]].concat();
            let system = solana::Address::SYSTEM;
            let wallet = format!(r#"{{"lamports":5000000000,"owner":"{system}","data":["","base64"]}}"#);
            let held = format!(
                r#"{{"lamports":2039280,"owner":"{}","data":["{}","base64"]}}"#,
                solana::TOKEN,
                base64(&tokens)
            );
            let rest = if chain.asset == "SOL" { String::new() } else { format!(",{held},null") };
            format!(r#"{{"context":{{"slot":9}},"value":[{wallet},null{rest}]}}"#)
        }
        "getRecentPrioritizationFees" => r#"[{"slot":1,"prioritizationFee":1000}]"#.to_owned(),
        "getSignatureStatuses" => r#"{"context":{"slot":9},"value":[null]}"#.to_owned(),
        "getSignaturesForAddress" => "[]".to_owned(),
        "sendTransaction" => "\"5\"".to_owned(),
        _ => return None,
    })
}

#[test]
fn what_is_sent_is_what_was_shown() {
    for chain in Chain::all() {
        let signed = chain.signed();
        let task = chain.send(&signed).unwrap();
        let Want::Send { shown, .. } = &task.want else { panic!() };
        let shown = (**shown).clone();
        assert_eq!((shown.to.as_str(), &shown.chain), (chain.to, &chain.network.chain));
        let (answered, broadcast) = chain.run(task, &mut |_| ());
        assert_eq!(broadcast.len(), 1, "{}", chain.asset);
        assert_eq!(chain.summary(&broadcast[0]), shown);
        let Some(Answered::Report(report)) = answered else { panic!("{answered:?}") };
        // What a node calls the transaction is not believed.
        let txid = report.txid.unwrap();
        assert!(!txid.contains("abab") && !txid.contains("777777") && txid.len() > 5, "{txid}");
    }
}

#[test]
fn looking_for_a_transaction_signs_nothing() {
    for chain in Chain::all() {
        let signed = chain.signed();
        let txids = |task: Task| match chain.run(task, &mut |_| ()) {
            (Some(Answered::Report(report)), broadcast) => (report, broadcast),
            (other, _) => panic!("{other:?}"),
        };
        let (sent, broadcast) = txids(chain.send(&signed).unwrap());
        let (found, nothing) =
            txids(Task::find(chain.network, chain.order(&signed), chain.wallet()).unwrap());
        assert!(nothing.is_empty());
        // A signature of Solana's is the transaction's name, and would be all that it takes to send it.
        let is_solana = matches!(chain.wallet(), Wallet::Solana(_));
        assert_eq!(found.txid, if is_solana { None } else { sent.txid });
        assert_eq!(broadcast.len(), 1);
    }
}

#[test]
fn a_quote_is_for_its_instruction_and_no_other() {
    for chain in Chain::all() {
        let signed = chain.signed();
        assert!(chain.send(&signed).is_ok());
        let other_to = Chain::all().iter().find(|other| other.network.id != chain.network.id).unwrap();
        for (other, refusal) in [
            (Instruction { amount: "0.1".into(), ..signed.clone() }, Refusal::Malformed),
            (Instruction { max_fee: Some("0.000001".into()), ..signed.clone() }, Refusal::FeeAboveMaximum),
            (Instruction { max_fee: None, max_fee_asset: None, ..signed.clone() }, Refusal::TermsUnstated),
            (Instruction { min_received: Some("4".into()), ..signed.clone() }, Refusal::TooLittleReceived),
            (Instruction { quote: None, ..signed.clone() }, Refusal::QuoteExpired),
            (Instruction { quote: Some("AAAA".into()), ..signed.clone() }, Refusal::Malformed),
            (Instruction { quote: other_to.signed().quote, ..signed.clone() }, Refusal::Malformed),
        ] {
            assert_eq!(chain.send(&other).err(), Some(refusal), "{}: {other:?}", chain.asset);
        }
    }
}

/// Every byte of a quote turned: it is refused, or signs a transaction that does the very same for the same fee.
#[test]
fn every_altered_byte_of_a_quote_is_refused_or_changes_nothing_that_was_shown() {
    for chain in Chain::all() {
        let signed = chain.signed();
        let honest = crate::connector::from_base64(signed.quote.as_ref().unwrap().as_bytes()).unwrap();
        let Want::Send { shown, .. } = chain.send(&signed).unwrap().want else { panic!() };
        let most: wire::Decimal = signed.max_fee.as_ref().unwrap().parse().unwrap();
        let mut refused = 0;
        for at in 0..honest.len() {
            let mut bytes = honest.clone();
            bytes[at] ^= 1 << (at % 8);
            let altered = Instruction { quote: Some(crate::connector::to_base64(&bytes)), ..signed.clone() };
            let Ok(task) = chain.send(&altered) else {
                refused += 1;
                continue;
            };
            for sent in chain.run(task, &mut |_| ()).1 {
                let does = chain.summary(&sent);
                let fee = crate::network::amount::decimal(does.max_fee, chain.network.coin.decimals).unwrap();
                assert!(fee <= most);
                let same = Summary { max_fee: shown.max_fee, nonce: shown.nonce, ..does };
                assert_eq!(same, *shown, "{}: byte {at}", chain.asset);
            }
        }
        assert!(refused * 10 > honest.len() * 3, "{}: {refused} of {}", chain.asset, honest.len());
    }
}

#[test]
fn the_largest_transaction_fits_a_quote() {
    let chain = Chain::all().iter().find(|chain| chain.addresses == "taproot").unwrap();
    let Wallet::Bitcoin(account) = chain.wallet() else { panic!() };
    let coins: Vec<bitcoin::Coin> = (0..300)
        .map(|index| bitcoin::Coin {
            outpoint: bitcoin::OutPoint { index, ..coin(&account).outpoint },
            ..coin(&account)
        })
        .collect();
    let rate = bitcoin::FeeRate::new(1000).unwrap();
    let amount = crate::wallet::payment::Amount::Leaving(crate::wallet::u256::U256::from(199_500_000_u64));
    let payment = bitcoin::Payment { to: chain.to.parse().unwrap(), amount, rate, change: 7, height: 500 };
    let draft = payment.build(&account, &coins).unwrap();
    assert_eq!((draft.coins.len(), draft.change), (bitcoin::MAX_COINS, Some(7)));
    let plan = Plan::Bitcoin(draft);
    assert!(plan.write().len() <= wire::action::MAX_QUOTE);
    assert_eq!(Plan::read(chain.network.family, &plan.write()), Ok(plan));
}

#[test]
fn instructions_that_a_wallet_has_no_use_for_are_refused() {
    for chain in Chain::all() {
        let good = chain.instruction();
        assert!(Order::read(chain.network, &good).is_ok());
        let text = |text: &str| Some(text.to_owned());
        for (other, refusal) in [
            (Instruction { kind: Kind::Transfer, ..good.clone() }, Refusal::NotOffered),
            (Instruction { saved: text("mine"), ..good.clone() }, Refusal::NotOffered),
            (Instruction { fee_either: true, ..good.clone() }, Refusal::NotOffered),
            (Instruction { address: None, ..good.clone() }, Refusal::NotOffered),
            (Instruction { from: text("spot"), ..good.clone() }, Refusal::UnknownAccount),
            (Instruction { chain: text("eip155:5"), ..good.clone() }, Refusal::UnknownNetwork),
            (Instruction { tag: text("1"), ..good.clone() }, Refusal::TagNotTaken),
            (Instruction { asset: "DOGE".into(), ..good.clone() }, Refusal::UnknownAsset),
            (
                Instruction { address: text("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"), ..good.clone() },
                Refusal::AddressMalformed,
            ),
            (
                Instruction { address: text("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"), ..good.clone() },
                Refusal::AddressMalformed,
            ),
            (Instruction { amount: "0.0000000000000000001".into(), ..good.clone() }, Refusal::NotAMultiple),
            (Instruction { max_fee_asset: text("USDT"), ..good.clone() }, Refusal::TermsUnstated),
        ] {
            assert_eq!(Order::read(chain.network, &other).err(), Some(refusal), "{other:?}");
        }
    }
}

#[test]
fn what_is_only_watched_signs_nothing() {
    for chain in Chain::all() {
        for credential in [r#"{"address":"x"}"#, r#"{"watch":"x"}"#, "{}", ""] {
            let wallet = Wallet::open(chain.network, credential.as_bytes());
            assert_eq!(wallet.err(), Some(Refusal::PermissionMissing));
        }
    }
}

/// A node that hides a payment, and says that its place is taken or its time over, does not make its owner pay anew.
#[test]
fn m38_no_single_node_says_that_a_payment_came_to_nothing() {
    let chain = &Chain::all()[0];
    let signed = chain.signed();
    assert!(chain.network.nodes.len() > 1);
    let find = || Task::find(chain.network, chain.order(&signed), chain.wallet()).unwrap();
    // The account's count is above the transaction's, and nobody has the transaction.
    let over = |body: &mut Vec<u8>| {
        let text = String::from_utf8(body.clone()).unwrap().replace("\"0x5\"", "\"0x6\"");
        *body = text.into_bytes();
    };
    let told = |task: Task, altered: &mut dyn FnMut(&mut Vec<u8>)| match chain.run(task, altered).0 {
        Some(Answered::Report(report)) => report.progress,
        other => panic!("{other:?}"),
    };
    assert_eq!(told(find(), &mut { over }), Progress::Superseded, "all of them say so");
    let mut answers = 0;
    let first_lies = told(find(), &mut |body| {
        answers += 1;
        if answers <= 6 {
            over(body);
        }
    });
    assert_eq!(first_lies, Progress::Unknown);
    assert!(answers > 6, "another one was asked");
}

/// A height that comes late, behind a list that came early, would call a payment expired that has arrived between the two.
#[test]
fn m38_whether_a_payment_is_there_is_asked_when_the_height_is_known() {
    for chain in Chain::all().iter().filter(|chain| chain.network.family == Family::Solana) {
        let signed = chain.signed();
        let find = Task::find(chain.network, chain.order(&signed), chain.wallet()).unwrap();
        for task in [find, chain.send(&signed).unwrap()] {
            let mut run = Run::spend(Arc::new(task)).unwrap();
            let mut asked = Vec::new();
            // Nothing is answered yet: what is asked at once.
            while let Step::Send { request, .. } = run.next(NOW_MS) {
                asked.push(String::from_utf8(request.body.clone()).unwrap());
            }
            assert!(asked.iter().any(|body| body.contains("getBlockHeight")), "{asked:?}");
            assert!(!asked.iter().any(|body| body.contains("getSignature")), "{asked:?}");
        }
    }
}

#[test]
fn a_quote_of_another_chain_is_no_payment_whose_place_is_taken() {
    let ethereum = &Chain::all()[0];
    let Plan::Evm(former) = Plan::read(ethereum.network.family, &ethereum.signed().quote.unwrap()).unwrap()
    else {
        panic!()
    };
    for (chain_id, is_taken) in [(1, true), (137, false)] {
        let former = Plan::Evm(evm::Transaction { chain_id, ..former.clone() });
        let instruction = Instruction { quote: Some(former.write()), ..ethereum.instruction() };
        let order = ethereum.order(&instruction);
        let task = Task::preview(ethereum.network, order, ethereum.wallet()).unwrap();
        match ethereum.run(task, &mut |_| ()).0 {
            Some(Answered::Quote(_)) => assert!(is_taken),
            Some(Answered::Refused(Refusal::Malformed)) => assert!(!is_taken),
            other => panic!("{other:?}"),
        }
    }
}

/// `TENSFER_SOAK=1` (`make soak`): a hundred times as many.
fn effort(cases: u32) -> u32 {
    if std::env::var_os("TENSFER_SOAK").is_some() { cases * 100 } else { cases }
}

/// Overwrites, cuts out and repeats pieces of an answer, or puts other numbers where numbers are.
fn damage(body: &mut Vec<u8>, (place, kind, value): (u16, u8, u8)) {
    let at = usize::from(place) % (body.len() + 1);
    let end = (at + usize::from(value % 24)).min(body.len());
    match kind % 5 {
        0 if at < body.len() => body[at] = value,
        1 => {
            let part = body[at..end].to_vec();
            body.splice(at..at, part);
        }
        2 => drop(body.drain(at..end)),
        3 => body.insert(at, value),
        _ => body
            .iter_mut()
            .filter(|byte| byte.is_ascii_digit())
            .skip(at % 40)
            .take(usize::from(value % 9))
            .for_each(|byte| *byte = b'9'),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(effort(40)))]

    #[test]
    fn whatever_nodes_answer_a_quote_pays_what_was_asked(which in 0_usize..6, edits in proptest::collection::vec(any::<(u16, u8, u8)>(), 1..30)) {
        let chain = &Chain::all()[which];
        let mut edits = edits.into_iter();
        let answered = chain.preview(&mut |body| {
            if let Some(edit) = edits.next().filter(|(place, ..)| place % 3 == 0) {
                damage(body, edit);
            }
        });
        let Some(Answered::Quote(quote)) = answered else { return Ok(()) };
        let honest = Instruction { quote: Some(quote.plan.write()), max_fee: Some("1000000000".into()), ..chain.instruction() };
        let task = chain.send(&honest).unwrap();
        let Want::Send { shown, .. } = &task.want else { panic!() };
        prop_assert_eq!(&shown.to, chain.to);
        prop_assert_eq!(&**shown, &quote.summary);
    }

    #[test]
    fn whatever_nodes_answer_nothing_is_sent_but_what_was_shown(which in 0_usize..6, edits in proptest::collection::vec(any::<(u16, u8, u8)>(), 1..12)) {
        let chain = &Chain::all()[which];
        let task = chain.send(&chain.signed()).unwrap();
        let Want::Send { shown, .. } = &task.want else { panic!() };
        let shown = (**shown).clone();
        let mut edits = edits.into_iter();
        let (_, broadcast) = chain.run(task, &mut |body| {
            if let Some(edit) = edits.next() {
                damage(body, edit);
            }
        });
        for sent in broadcast {
            prop_assert_eq!(&chain.summary(&sent), &shown);
        }
    }

    #[test]
    fn arbitrary_quotes_are_read_or_refused(which in 0_usize..6, quote in "[A-Za-z0-9+/]{0,200}(==|=|)") {
        let chain = &Chain::all()[which];
        let signed = Instruction { quote: Some(quote.clone()), ..chain.instruction() };
        prop_assert!(chain.send(&signed).is_err());
        if let Ok(plan) = Plan::read(chain.network.family, &quote) {
            prop_assert_eq!(plan.write(), quote);
        }
    }
}
