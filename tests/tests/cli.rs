//! The command-line client against the whole stack: what the README shows, and what must be refused.
#![expect(clippy::unwrap_used, reason = "tests")]

use person::{ACCOUNTS, Person, account, said};
use serde_json::Value;
use stack::{Folder, Stack, tensfer};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

#[path = "cli/actions.rs"]
mod actions;
#[path = "cli/agent.rs"]
mod agent;
#[path = "cli/everywhere.rs"]
mod everywhere;
#[path = "cli/faults.rs"]
mod faults;
#[path = "cli/granting.rs"]
mod granting;
#[path = "cli/histories.rs"]
mod histories;
#[path = "cli/history.rs"]
mod history;
#[path = "cli/hostile.rs"]
mod hostile;
#[path = "cli/json.rs"]
mod json;
#[path = "cli/keys.rs"]
mod keys;
#[path = "cli/moving.rs"]
mod moving;
#[path = "cli/new_keys.rs"]
mod new_keys;
#[path = "cli/person.rs"]
mod person;

/// Per asset over all account types: exchanges name their account types in different words.
type Totals = BTreeMap<String, wire::decimal::Decimal>;

fn add(totals: &mut Totals, symbol: &str, total: &str) {
    let sum = totals.entry(symbol.to_owned()).or_default();
    *sum = sum.checked_add(total.parse().unwrap()).unwrap();
}

fn seeded(account: &Value) -> Totals {
    let mut totals = Totals::new();
    for assets in account["balances"].as_object().unwrap().values() {
        for (symbol, amounts) in assets.as_object().unwrap() {
            add(&mut totals, symbol, amounts["total"].as_str().unwrap());
        }
    }
    totals
}

fn shown(connection: &Value) -> Totals {
    let mut totals = Totals::new();
    let accounts = connection["accounts"].as_array().unwrap();
    for asset in accounts.iter().flat_map(|account| account["assets"].as_array().unwrap()) {
        add(&mut totals, asset["symbol"].as_str().unwrap(), asset["total"].as_str().unwrap());
    }
    totals
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

#[test]
fn two_linked_accounts_make_one_portfolio_that_equals_what_was_seeded() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    person.link_all();
    let portfolio = person.json(&["balances", "--json"]);
    assert_eq!(portfolio["currency"], "EUR");
    assert_eq!(portfolio["coverage"]["complete"], true, "{portfolio:#}");
    let connections = portfolio["connections"].as_array().unwrap();
    assert_eq!(connections.len(), ACCOUNTS.len());
    let mut total = wire::decimal::Decimal::ZERO;
    for (connection, (exchange, name)) in connections.iter().zip(ACCOUNTS) {
        assert_eq!(connection["exchange"], exchange);
        assert_eq!(connection["errors"], Value::Array(Vec::new()));
        assert_eq!(shown(connection), seeded(&account(exchange, name)), "{exchange}");
        let accounts = connection["accounts"].as_array().unwrap();
        for asset in accounts.iter().flat_map(|account| account["assets"].as_array().unwrap()) {
            assert!(asset["total"].is_string(), "m31: amounts are strings: {asset}");
            for amount in ["free", "used"] {
                assert!(asset[amount].is_string() || asset[amount].is_null(), "m31: or unknown: {asset}");
            }
            if let Some(value) = asset["value"].as_str() {
                total = total.checked_add(value.parse().unwrap()).unwrap();
            }
        }
    }
    assert_eq!(portfolio["total"], total.to_string());
    let table = person.done(&["balances", "--in", "usd"]);
    assert!(table.contains("total ") && table.contains(" USD as of "), "{table}");
    assert!(table.contains("binance prices none of this in USD"), "USDT is not USD: {table}");
    assert!(!person.done(&["balances", "--in", "usdt"]).contains("prices none"));
}

#[test]
fn each_part_rotates_alone_and_together_and_the_accounts_stay_usable() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    person.link_all();
    let before = person.json(&["balances", "--json"])["connections"].clone();
    let generation = || person.json(&["inspect", "okx", "--json"])["generation"].as_u64().unwrap();
    let owners = || person.json(&["inspect", "okx", "--json"])["owners"].clone();
    let first = owners();
    for (flags, steps) in [
        (&["--data-key"][..], 1),
        (&["--share"], 1),
        (&["--epoch"], 0),
        (&["--owner-keys"], 1),
        (&["--data-key", "--epoch", "--share", "--owner-keys"], 1),
        (&[], 1),
    ] {
        let last = generation();
        person.done(&[&["rotate", "okx"], flags].concat());
        assert_eq!(generation(), last + steps, "{flags:?}");
    }
    assert_ne!(owners(), first);
    person.done(&["rotate", "--all"]);
    let after = &person.json(&["balances", "--json"])["connections"];
    let accounts = |connections: &Value| connections[0]["accounts"].clone();
    assert_eq!(accounts(after), accounts(&before));
    assert_eq!(shown(&after[1]), shown(&before[1]));
}

#[test]
fn a_new_epoch_is_taken_and_what_was_sealed_before_still_opens_after_a_restart() {
    let folder = Folder::new();
    let data = folder.join("data");
    let stack = Stack::start_in(&data);
    let person = Person::new(&stack);
    person.link_all();
    let epoch = said(Command::new(tensfer()).args(["root", "epoch", "new", "--data"]).arg(&data), b"");
    assert_eq!(epoch.code, 0, "{}", epoch.err);
    person.done(&["rotate", "okx", "--epoch"]);
    assert_eq!(person.json(&["inspect", "okx", "--json"])["epoch"], 2);
    assert_eq!(person.json(&["inspect", "binance", "--json"])["epoch"], 1);

    let Person { folder: home, .. } = person;
    stack.stop();
    let stack = Stack::start_in(&data);
    let person = Person { folder: home, ..Person::new(&stack) };
    let again = person.run(&["balances", "--json"]);
    assert_eq!(again.code, 0, "{}", again.err);
    assert!(again.err.contains("the enclave was started anew"), "a new boot is told: {}", again.err);
    let connections = person.json(&["connections", "--json"]);
    assert_eq!(connections[0]["boots"].as_array().unwrap().len(), 2);
    assert_eq!(connections[0]["receipt_gaps"], 0);
}

#[test]
fn inspect_shows_what_is_in_an_envelope_and_never_the_secret() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    let account = account("kraken", "everything");
    person.link(&account, "kraken");
    let said = person.run(&["inspect", "kraken", "--json"]);
    let inspected: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(inspected["fields"], serde_json::json!(["apiKey", "secret"]));
    assert_eq!(inspected["current"], true);
    for value in account["credentials"].as_object().unwrap().values() {
        let value = value.as_str().unwrap();
        assert!(!said.out.contains(value) && !said.err.contains(value));
    }
}

#[test]
fn a_key_that_can_withdraw_is_warned_about_and_one_that_cannot_is_not() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    for (name, warned) in [("everything", true), ("reader", false)] {
        let account = account("kraken", name);
        let mut command = person.command(&["link", "kraken", "--credentials", "-"]);
        let said = said(&mut command, account["credentials"].to_string().as_bytes());
        assert_eq!(said.code, 0, "{}", said.err);
        assert_eq!(said.err.contains("WARNING: this key CAN WITHDRAW"), warned, "{name}: {}", said.err);
    }
}

#[test]
fn an_export_needs_the_second_factor_and_gives_what_was_linked() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    person.link_all();
    let neither = person.run(&["export", "okx"]);
    assert_eq!(neither.code, 2, "nothing is printed unless it is said where: {}", neither.out);

    let (second, apart) =
        (person.home().join("simulated/second-factor.key"), person.folder.join("second-factor.key"));
    std::fs::rename(&second, &apart).unwrap();
    let refused = person.run(&["export", "okx", "--print"]);
    assert_eq!((refused.code, refused.out.as_str()), (1, ""), "{}", refused.err);
    assert!(refused.err.contains("second factor") && refused.err.contains("hint: "), "{}", refused.err);
    // So does what changes who opens the envelope, and nothing else.
    for flags in [&[][..], &["--share"], &["--owner-keys"]] {
        let refused = person.run(&[&["rotate", "okx"], flags].concat());
        assert_eq!((refused.code, refused.out.as_str()), (1, ""), "{flags:?}: {}", refused.err);
        assert!(refused.err.contains("second factor"), "{flags:?}: {}", refused.err);
    }
    person.done(&["rotate", "okx", "--data-key", "--epoch"]);
    person.done(&["rotate", "okx", "--second-factor", apart.to_str().unwrap()]);

    let file = person.folder.join("credential.json");
    let (apart, path) = (apart.to_str().unwrap(), file.to_str().unwrap());
    person.done(&["export", "okx", "--output", path, "--second-factor", apart]);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let exported: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(exported, account("okx", "reader")["credentials"]);
    let again = person.run(&["export", "okx", "--output", path, "--second-factor", apart]);
    assert_ne!(again.code, 0, "an existing file is not overwritten");
}

#[test]
fn another_owners_second_factor_does_not_export() {
    let stack = Stack::start();
    let (person, other) = (Person::new(&stack), Person::new(&stack));
    person.link_all();
    other.link_all();
    let theirs = other.home().join("simulated/second-factor.key");
    let refused = person.run(&["export", "okx", "--print", "--second-factor", theirs.to_str().unwrap()]);
    assert_eq!((refused.code, refused.out.as_str()), (1, ""), "{}", refused.err);
}

#[test]
fn a_forgotten_connection_is_gone_here_and_refused_there() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    person.link_all();
    let id = person.json(&["connections", "--json"])[0]["id"].as_str().unwrap().to_owned();
    let file = person.home().join("simulated/connections").join(format!("{id}.json"));
    let copy = std::fs::read(&file).unwrap();
    person.done(&["forget", &id]);
    assert!(!file.exists());
    assert_eq!(person.json(&["connections", "--json"]).as_array().unwrap().len(), 1);

    std::fs::write(&file, copy).unwrap();
    let codes = || person.run(&["inspect", &id]);
    let first = codes();
    assert_eq!(first.code, 1, "{}", first.err);
    assert!(codes().err.contains("(forgotten)"), "{}", codes().err);
}

#[test]
fn m17_a_simulated_enclave_is_refused_unless_its_very_root_is_named() {
    let (stack, other) = (Stack::start(), Stack::start());
    let person = Person::new(&stack);
    let credentials = account("kraken", "reader")["credentials"].to_string();
    let link = ["link", "kraken", "--credentials", "-"];

    let bare = said(&mut person.bare(&link), credentials.as_bytes());
    assert_eq!(bare.code, 1, "{}", bare.err);

    let mut wrong = person.bare(&link);
    wrong.arg("--dangerous-simulated").arg(other.simulation_root());
    let wrong = said(&mut wrong, credentials.as_bytes());
    assert_eq!(wrong.code, 1, "{}", wrong.err);
    assert!(
        wrong.err.contains("(root_not_pinned)") || wrong.err.contains("(simulated_not_allowed)"),
        "{}",
        wrong.err
    );
    assert!(!person.home().join("simulated").exists(), "nothing was made for an enclave that was refused");

    let zeros = "0".repeat(96);
    let mut program = person.command(&["verify", "--json", "--measurement", &format!("PCR0={zeros}")]);
    let program = said(&mut program, b"");
    let verdict: Value = serde_json::from_str(&program.out).unwrap();
    assert_eq!((program.code, &verdict["reason"]), (1, &"measurement_mismatch".into()));
}

#[test]
fn verify_says_simulated_only_to_a_caller_who_allowed_it() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    let allowed = person.json(&["verify", stack.url(), "--json"]);
    assert_eq!((&allowed["verdict"], &allowed["kind"]), (&"simulated".into(), &"nitro".into()));
    assert_eq!(allowed["reason"], Value::Null);
    assert!(allowed["checks"].as_array().unwrap().iter().all(|check| check["ok"] == true));
    assert_eq!(allowed["measurements"].as_object().unwrap().len(), 3);

    let bare = said(&mut person.bare(&["verify", "--json"]), b"");
    let refused: Value = serde_json::from_str(&bare.out).unwrap();
    assert_eq!((bare.code, &refused["verdict"]), (1, &"refused".into()));

    // Named alone, a measurement does not make a simulation acceptable.
    let measurement = format!("PCR0={}", allowed["measurements"]["PCR0"].as_str().unwrap());
    let measured = said(&mut person.bare(&["verify", "--json", "--measurement", &measurement]), b"");
    let refused: Value = serde_json::from_str(&measured.out).unwrap();
    assert_eq!((measured.code, &refused["reason"]), (1, &"simulated_not_allowed".into()));
}

#[test]
fn m18_no_secret_is_in_the_home_in_clear_and_everything_there_is_its_owners_alone() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    person.link_all();
    person.done(&["rotate", "--all"]);
    let mut secrets: Vec<String> = Vec::new();
    for (exchange, name) in ACCOUNTS {
        let credentials = account(exchange, name)["credentials"].clone();
        secrets.extend(credentials.as_object().unwrap().values().map(|v| v.as_str().unwrap().to_owned()));
    }
    let mut folders = vec![person.home()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            assert_eq!(
                std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600,
                "{}",
                path.display()
            );
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            assert!(secrets.iter().all(|secret| !text.contains(secret)), "{}", path.display());
            assert!(!text.contains(r#""kind": "none""#), "{} is not locked", path.display());
        }
    }
    assert_eq!(files, 8, "lock, two key files, two connections, receipts, marks, versions");
}

#[test]
fn without_a_passphrase_keys_are_stored_in_clear_and_that_is_said() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    let mut command = person.bare(&["link", "kraken", "--credentials", "-", "--dangerous-simulated"]);
    command.arg(stack.simulation_root());
    let said = said(&mut command, account("kraken", "reader")["credentials"].to_string().as_bytes());
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.contains("is stored unencrypted (mode 0600)"), "{}", said.err);
}

#[test]
fn a_wrong_passphrase_opens_nothing() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    person.link_all();
    std::fs::write(person.folder.join("passphrase"), "wrong\n").unwrap();
    let refused = person.run(&["balances"]);
    assert_eq!((refused.code, refused.out.as_str()), (1, ""));
    assert!(refused.err.contains("the passphrase is wrong"), "{}", refused.err);
}

#[test]
fn at_a_terminal_the_passphrase_is_asked_for_before_the_credential_and_again_when_it_was_mistyped() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    person.link_all();
    let credentials = account("kraken", "reader")["credentials"].clone();
    let [key, secret] = ["apiKey", "secret"].map(|field| credentials[field].as_str().unwrap().to_owned());
    let typed = format!("wrong\ncorrect horse\n{key}\n{secret}\n");
    let said = person.at_a_terminal(&["link", "kraken"], &typed);
    assert_eq!(said.code, 0, "{}", said.out);
    let order = ["owner.key`: ", "that is not the passphrase: 2 tries are left", "API key", "linked kraken"];
    let places = order.map(|text| said.out.find(text).unwrap_or_else(|| panic!("no {text}: {}", said.out)));
    assert!(places.is_sorted(), "{}", said.out);

    let said = person.at_a_terminal(&["balances"], "wrong\nwrong\nwrong\ncorrect horse\n");
    assert_eq!(said.code, 1, "{}", said.out);
    assert!(said.out.contains("the passphrase is wrong"), "{}", said.out);
}

#[test]
fn a_new_start_of_the_enclave_is_told_once_for_all_accounts() {
    let folder = Folder::new();
    let stack = Stack::start_in(&folder.join("data"));
    let person = Person::new(&stack);
    person.link_all();
    let Person { folder: home, .. } = person;
    stack.stop();
    let stack = Stack::start_in(&folder.join("data"));
    let person = Person { folder: home, ..Person::new(&stack) };
    let said = person.run(&["balances"]);
    assert_eq!(said.err.matches("started anew").count(), 1, "{}", said.err);
    assert_eq!(person.run(&["balances"]).err.matches("started anew").count(), 0);
}

#[test]
fn an_error_names_whose_fault_it_is_and_what_to_do() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    let mut account = account("kraken", "reader");
    account["credentials"]["secret"] = "d3JvbmcgYnV0IGJhc2U2NA==".into();
    let mut command = person.command(&["link", "kraken", "--credentials", "-"]);
    let provider = said(&mut command, account["credentials"].to_string().as_bytes());
    assert_eq!(provider.code, 3, "{}", provider.err);
    assert!(
        provider.err.contains("error: kraken refused the key (credential_refused)\nhint: "),
        "{}",
        provider.err
    );
    assert!(!person.home().join("simulated/connections").exists(), "a refused link leaves no record");

    let usage = person.run(&["link", "nowhere", "--credentials", "-"]);
    assert_eq!(usage.code, 2);
    assert!(usage.err.contains("there is no connector for `nowhere`\nhint: there are: "), "{}", usage.err);

    let mut host = Command::new(tensfer());
    host.env("TENSFER_HOME", person.home()).args(["verify", "http://127.0.0.1:9"]);
    let host = said(&mut host, b"");
    assert_eq!(host.code, 4, "{}", host.err);
    assert!(host.err.contains("does not answer") && host.err.contains("hint: "), "{}", host.err);
}

#[test]
fn verify_repeats_the_verdict_on_documents_of_every_kind_of_tee() {
    let evidence = repository().join("vectors/evidence");
    let judge = |kind: &str, file: &str, more: &[(&str, &str)], measurement: &str, at: &str| {
        let mut command = Command::new(tensfer());
        command.args(["verify", "--json", "--kind", kind, "--at", at, "--measurement", measurement]);
        command.arg("--document").arg(evidence.join(file));
        for (option, file) in more {
            command.arg(option).arg(evidence.join(file));
        }
        let said = said(&mut command, b"");
        let judgement: Value = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}", said.err));
        let text = |name: &str| judgement[name].as_str().unwrap_or_default().to_owned();
        (said.code, text("kind"), text("verdict"), text("reason"))
    };
    let accepted = |kind: &str| (0, kind.to_owned(), "hardware".to_owned(), String::new());
    let refused = |kind: &str, reason: &str| (1, kind.to_owned(), "refused".to_owned(), reason.to_owned());

    let genoa = "MEASUREMENT=f57dc09a507c6ecd82369bffb600f0003792f4d99bc26e985ec0c266fc34faf3706faf814c9e61065768a6ff917c89ae";
    let (report, now) = ("snp/trustee-az-genoa-report.bin", "2026-11-22T17:00:00Z");
    let chip = [("--certificates", "snp/trustee-az-genoa-vcek.pem")];
    assert_eq!(judge("sev-snp", report, &chip, genoa, now), accepted("sev-snp"));
    assert_eq!(judge("sev-snp", report, &[], genoa, now), refused("sev-snp", "certificate_missing"));
    assert_eq!(judge("sev-snp", report, &chip, genoa, "2036-01-01T00:00:00Z"), refused("sev-snp", "expired"));
    let other = [("--certificates", "snp/trustee-vcek.der")];
    assert_eq!(judge("sev-snp", report, &other, genoa, now), refused("sev-snp", "chip_mismatch"));

    let mrtd = "MRTD=91eb2b44d141d4ece09f0c75c2c53d247a3c68edd7fafe8a3520c942a604a407de03ae6dc5f87f27428b2538873118b7";
    let (quote, then) = ("tdx/dcapqvl-tdx_quote", "2025-06-20T12:00:00Z");
    let intel = [("--collateral", "tdx/dcapqvl-tdx_quote_collateral.json")];
    assert_eq!(judge("tdx", quote, &intel, mrtd, then), accepted("tdx"));
    assert_eq!(judge("tdx", quote, &[], mrtd, then), refused("tdx", "collateral_missing"));
    assert_eq!(judge("tdx", quote, &intel, genoa, then), refused("tdx", "measurement_mismatch"));
    assert_eq!(judge("tdx", report, &intel, mrtd, then), refused("tdx", "malformed"));
}

#[test]
fn saved_documents_of_aws_get_their_verdict() {
    let nitro = repository().join("vectors/evidence/nitro");
    let judge = |file: &str, arguments: &[&str]| {
        let mut command = Command::new(tensfer());
        command
            .args(["verify", "--kind", "nitro", "--json", "--document"])
            .arg(nitro.join(file))
            .args(arguments);
        let said = said(&mut command, b"");
        let judgement: Value = serde_json::from_str(&said.out).unwrap();
        (said.code, judgement)
    };
    let at = ["--at", "2022-10-13T08:58:02Z"];
    let (code, judgement) = judge("evervault-beta-valid.cose", &at);
    assert_eq!((code, &judgement["reason"]), (1, &"empty_policy".into()), "m01");
    let mut keys: Vec<&String> = judgement.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["checks", "kind", "measurements", "reason", "verdict"]);

    let measurement = format!("PCR0={}", judgement["measurements"]["PCR0"].as_str().unwrap());
    let with = |more: &[&str]| {
        judge("evervault-beta-valid.cose", &[&["--measurement", &measurement], more].concat())
    };
    let (code, judgement) = with(&at);
    assert_eq!((code, &judgement["verdict"]), (0, &"hardware".into()), "{judgement:#}");
    assert_eq!(with(&[]).1["reason"], "expired");
    assert_eq!(with(&[&at[..], &["--nonce", "00"]].concat()).1["reason"], "nonce_mismatch");
    let zeros = format!("PCR0={}", "00".repeat(48));
    assert_eq!(
        judge("evervault-beta-valid.cose", &[&at[..], &["--measurement", &zeros]].concat()).1["reason"],
        "measurement_mismatch"
    );
    let debug = ["--at", "2022-10-12T13:50:06Z", "--measurement", &zeros];
    let (code, judgement) = judge("evervault-beta-debugmode.cose", &debug);
    assert_eq!((code, &judgement["reason"]), (1, &"debug".into()), "m02: {judgement:#}");
    let (code, judgement) =
        judge("evervault-ga-valid.b64", &["--at", "2023-09-18T15:03:30Z", "--measurement", &zeros]);
    assert_eq!((code, &judgement["reason"]), (1, &"debug".into()), "base64 text is read: {judgement:#}");
}

#[test]
fn an_option_that_would_not_be_heeded_is_refused() {
    for option in [["--at", "2022-10-13T08:58:02Z"], ["--nonce", "00"], ["--kind", "nitro"]] {
        let mut command = Command::new(tensfer());
        let said = said(command.args(["verify", "http://localhost:9"]).args(option), b"");
        assert_eq!(said.code, 2, "{option:?}: {}", said.err);
    }
}

#[test]
fn a_missing_or_damaged_file_of_the_home_is_named() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    person.link(&account("kraken", "reader"), "kraken");
    let realm = person.home().join("simulated");
    let key = std::fs::read(realm.join("owner.key")).unwrap();
    std::fs::remove_file(realm.join("owner.key")).unwrap();
    let refused = person.run(&["balances"]);
    assert_eq!(refused.code, 1, "{}", refused.err);
    assert!(refused.err.contains("owner.key` is missing"), "{}", refused.err);
    std::fs::write(realm.join("owner.key"), key).unwrap();

    let entry = std::fs::read_dir(realm.join("connections")).unwrap().next().unwrap().unwrap();
    std::fs::write(entry.path(), "{").unwrap();
    let refused = person.run(&["balances"]);
    assert_eq!(refused.code, 1, "{}", refused.err);
    assert!(refused.err.contains(entry.path().to_str().unwrap()), "{}", refused.err);
}

#[test]
fn connectors_check_passes_arguments_and_exit_code_on() {
    let vectors = repository().join("vectors/exchanges");
    let mut command = Command::new(tensfer());
    command.args(["connectors", "check", "--json", "--exchange", "kraken", "--vectors"]).arg(vectors);
    let passed = said(&mut command, b"");
    assert_eq!(passed.code, 0, "{}", passed.err);
    assert!(serde_json::from_str::<Value>(&passed.out).is_ok(), "{}", passed.out);
    let nothing = Folder::new();
    let mut command = Command::new(tensfer());
    command.args(["connectors", "check", "--exchange", "kraken", "--vectors"]).arg(nothing.path());
    assert_ne!(said(&mut command, b"").code, 0);
}
