//! Grants from end to end: an owner makes one, a business on another machine uses it while the owner is away, the server is
//! started anew, the owner ends it. What is none of the grant is refused, and says what to do.

use crate::person::{Person, Said, account};
use serde_json::Value;
use stack::{Folder, Stack};

/// A person who linked one account, `kraken`.
fn owner(stack: &Stack) -> Person<'_> {
    let owner = Person::new(stack);
    owner.link(&account("kraken", "everything"), "kraken");
    owner
}

/// A business with keys of its own; the public ones are in its `own.pub`.
fn business(stack: &Stack) -> Person<'_> {
    let business = Person::new(stack);
    let output = path(&business, "own.pub");
    let made = business.json(&["granted", "key", "--output", &output, "--simulated", "--json"]);
    assert_eq!(made["key"].as_str().unwrap().len(), 64);
    business
}

fn path(person: &Person<'_>, name: &str) -> String {
    person.folder.join(name).to_str().unwrap().to_owned()
}

/// Grants something to a business, whose folder has the file under that name.
fn make(owner: &Person<'_>, business: &Person<'_>, name: &str, more: &[&str]) -> Value {
    let (to, output) = (path(business, "own.pub"), path(business, name));
    let words = ["grant", "make", "kraken", "--to", &to, "--days", "30", "--output", &output];
    owner.json(&[&words[..], &["--yes", "--json"], more].concat())
}

fn take(business: &Person<'_>, name: &str) -> Said {
    let file = path(business, name);
    business.run(&["granted", "take", &file, "--name", name, "--json"])
}

fn granted(owner: &Person<'_>, business: &Person<'_>, name: &str, more: &[&str]) -> Value {
    let made = make(owner, business, name, more);
    let taken = take(business, name);
    assert_eq!(taken.code, 0, "{}", taken.err);
    made
}

/// Refused with that code, and told what to do.
fn refused(said: &Said, code: &str) {
    assert_eq!((said.code, said.out.as_str()), (1, ""), "{code}: {}", said.err);
    assert!(said.err.contains(&format!("({code})")) && said.err.contains("\nhint: "), "{code}: {}", said.err);
}

#[test]
fn a_business_reads_an_account_by_its_owners_grant_until_it_is_used_up_or_ended_whatever_is_started_anew() {
    let folder = Folder::new();
    let stack = Stack::start_in(&folder.join("data"));
    let (owner, business) = (owner(&stack), business(&stack));
    let made = granted(&owner, &business, "ada", &["--uses", "4", "--operations", "balances,read"]);
    assert_eq!((&made["uses"], &made["operations"][0]), (&4.into(), &"balances".into()));

    let balances = |business: &Person<'_>| business.run(&["granted", "balances", "ada", "--json"]);
    let said = balances(&business);
    assert_eq!(said.code, 0, "{}", said.err);
    let portfolio: Value = serde_json::from_str(&said.out).unwrap();
    let mine = owner.json(&["balances", "--json"]);
    assert_eq!(portfolio["connections"][0]["accounts"], mine["connections"][0]["accounts"]);
    let history = business.json(&["granted", "history", "ada", "deposits", "--json"]);
    assert_eq!(history["rows"], owner.json(&["history", "kraken", "deposits", "--json"])["rows"]);

    let listed = owner.json(&["grant", "list", "--json"]);
    let counted = [&listed[0]["grant"], &listed[0]["used"], &listed[0]["left"], &listed[0]["to"]];
    assert_eq!(counted, [&made["grant"], &2.into(), &2.into(), &"own".into()]);
    assert_eq!(business.json(&["granted", "list", "--json"])[0]["left"], 2);

    let (owners, businesses) = (owner.folder, business.folder);
    stack.stop();
    let stack = Stack::start_in(&folder.join("data"));
    let at = |folder| Person { url: stack.url().to_owned(), stack: &stack, folder };
    let (owner, business) = (at(owners), at(businesses));
    assert_eq!([balances(&business).code, balances(&business).code], [0, 0]);
    refused(&balances(&business), "grant_used_up");

    let made = granted(&owner, &business, "bob", &["--uses", "100", "--per-day", "50"]);
    business.done(&["granted", "balances", "bob"]);
    owner.done(&["grant", "revoke", "kraken", made["grant"].as_str().unwrap()]);
    refused(&business.run(&["granted", "balances", "bob"]), "grant_over");
    let owners = owner.folder;
    let businesses = business.folder;
    stack.stop();
    let stack = Stack::start_in(&folder.join("data"));
    let at = |folder| Person { url: stack.url().to_owned(), stack: &stack, folder };
    let (owner, business) = (at(owners), at(businesses));
    refused(&business.run(&["granted", "balances", "bob"]), "grant_over");
    refused(&business.run(&["granted", "balances", "ada"]), "grant_used_up");
    assert_eq!(owner.json(&["grant", "list", "kraken", "--json"]).as_array().unwrap().len(), 1);
    // The owner's own chain of receipts has no gap by any of it.
    let quiet = owner.run(&["inspect", "kraken"]);
    assert!(quiet.code == 0 && !quiet.err.contains("never arrived"), "{}", quiet.err);
}

#[test]
fn a_grant_is_of_no_use_without_the_keys_that_it_names_and_for_nothing_that_it_does_not_name() {
    let stack = Stack::start();
    let (owner, business) = (owner(&stack), business(&stack));
    granted(&owner, &business, "ada", &["--uses", "9"]);
    granted(&owner, &business, "bob", &["--uses", "9", "--operations", "read"]);
    refused(&business.run(&["granted", "history", "ada", "deposits"]), "not_granted");
    refused(&business.run(&["granted", "balances", "bob"]), "not_granted");

    // Whoever copied all that the business keeps of it, but for its keys.
    let thief = super::granting::business(&stack);
    for folder in ["taken", "given"] {
        let from = business.home().join("simulated/grants").join(folder);
        let to = thief.home().join("simulated/grants").join(folder);
        std::fs::create_dir_all(&to).unwrap();
        for file in std::fs::read_dir(from).into_iter().flatten() {
            let file = file.unwrap();
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
    refused(&thief.run(&["granted", "balances", "ada"]), "grant_for_other_keys");
    std::fs::copy(path(&business, "ada"), path(&thief, "ada")).unwrap();
    refused(&take(&thief, "ada"), "grant_for_other_keys");
    std::fs::remove_file(thief.home().join("simulated/grantee.key")).unwrap();
    let without = thief.run(&["granted", "balances", "ada"]);
    assert!(without.code == 1 && without.err.contains("grantee.key` is missing"), "{}", without.err);

    // With another account's envelope it is no grant.
    let mut file: Value = serde_json::from_slice(&std::fs::read(path(&business, "ada")).unwrap()).unwrap();
    let rotated = owner.run(&["rotate", "kraken"]);
    assert!(rotated.code == 0 && rotated.err.contains("2 grants of `kraken` ended"), "{}", rotated.err);
    assert!(owner.done(&["grant", "list"]).contains("no grant is in force"));
    refused(&business.run(&["granted", "balances", "ada"]), "grant_over");
    make(&owner, &business, "later", &["--uses", "1"]);
    let later: Value = serde_json::from_slice(&std::fs::read(path(&business, "later")).unwrap()).unwrap();
    file["envelope"] = later["envelope"].clone();
    std::fs::write(path(&business, "mixed"), file.to_string()).unwrap();
    let mixed = take(&business, "mixed");
    assert!(mixed.code == 2 && mixed.err.contains("does not hold a grant"), "{}", mixed.err);
}

#[test]
fn a_grant_is_asked_for_at_the_deployment_that_made_it_and_no_other() {
    let (stack, other) = (Stack::start(), Stack::start());
    let (owner, business) = (owner(&stack), business(&stack));
    granted(&owner, &business, "ada", &["--uses", "2"]);
    business.done(&["granted", "balances", "ada"]);
    let Person { folder, .. } = business;
    let elsewhere = Person { url: other.url().to_owned(), stack: &other, folder };
    refused(&elsewhere.run(&["granted", "balances", "ada"]), "other_deployment");
    let business = Person { url: stack.url().to_owned(), stack: &stack, folder: elsewhere.folder };
    business.done(&["granted", "balances", "ada"]);
    refused(&business.run(&["granted", "balances", "ada"]), "grant_used_up");
}

#[test]
fn a_grant_takes_the_owners_word_and_second_key_and_four_are_in_force_at_most() {
    let stack = Stack::start();
    let (owner, business) = (owner(&stack), business(&stack));
    let (to, output) = (path(&business, "own.pub"), path(&business, "ada"));
    let words = ["grant", "make", "kraken", "--to", &to, "--uses", "1", "--days", "1", "--output", &output];
    let unsaid = owner.run(&words);
    assert!(unsaid.code == 2 && unsaid.err.contains("without your word"), "{}", unsaid.err);
    let without =
        owner.run(&[&words[..], &["--yes", "--second-factor", &path(&owner, "nowhere.key")]].concat());
    assert!(without.code == 1 && without.err.contains("second factor"), "{}", without.err);
    assert_eq!(owner.json(&["grant", "list", "--json"]), Value::Array(Vec::new()));

    let made = make(&owner, &business, "ada", &["--uses", "1", "--name", "Payroll"]);
    assert_eq!(business.json(&["grant", "show", &output, "--json"]), made);
    let kept = std::fs::read_to_string(&output).unwrap();
    let credentials = account("kraken", "everything")["credentials"].clone();
    for secret in credentials.as_object().unwrap().values().map(|value| value.as_str().unwrap()) {
        assert!(!kept.contains(secret));
    }
    for name in ["bob", "eve", "joe"] {
        make(&owner, &business, name, &["--uses", "1"]);
    }
    let words = ["grant", "make", "kraken", "--to", &to, "--uses", "1", "--days", "1", "--yes"];
    refused(&owner.run(&[&words[..], &["--output", &path(&business, "fifth")]].concat()), "too_many_grants");
    let grant = made["grant"].as_str().unwrap();
    assert!(owner.done(&["grant", "list"]).contains("Payroll"));
    assert!(owner.done(&["grant", "revoke", "kraken", grant]).contains("is over"));
    make(&owner, &business, "fifth", &["--uses", "1"]);
}

#[test]
fn a_business_makes_new_keys_and_its_grants_keep_theirs() {
    let stack = Stack::start();
    let (owner, business) = (owner(&stack), business(&stack));
    let first = business.json(&["granted", "key", "--simulated", "--json"]);
    granted(&owner, &business, "ada", &["--uses", "2"]);
    std::fs::remove_file(path(&business, "own.pub")).unwrap();
    let output = path(&business, "own.pub");
    let second = business.json(&["granted", "key", "--new", "--output", &output, "--simulated", "--json"]);
    assert_ne!(first["key"], second["key"]);
    let made = granted(&owner, &business, "bob", &["--uses", "2"]);
    assert_eq!(made["key"], second["key"]);
    for name in ["ada", "bob"] {
        business.done(&["granted", "balances", name]);
    }
    // The same file once more changes nothing, and does not give uses back.
    let again = take(&business, "ada");
    assert!(again.code == 0 && again.out.contains("\"used\": 1"), "{}{}", again.out, again.err);
    let key = business.home().join("simulated/grantee.key");
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    business.done(&["granted", "remove", "ada"]);
    assert_eq!(business.run(&["granted", "balances", "ada"]).code, 2);
}

#[test]
fn a_business_learns_by_a_grant_what_became_of_its_owners_withdrawal() {
    let stack = Stack::start();
    let (owner, business) = (owner(&stack), business(&stack));
    let place = ["--chain", "eip155:1", "--address", "0x52908400098527886E0F7030069857D2E4169EE7"];
    let words = ["withdraw", "kraken", "100", "USDT", "--fee-included", "--yes", "--json"];
    let ordered = owner.json(&[&words[..], &place].concat());
    let reference = ordered["outcome"]["reference"].as_str().unwrap();
    let action = owner.home().join(format!("simulated/actions/{reference}.json"));
    granted(&owner, &business, "ada", &["--uses", "2", "--operations", "status"]);
    let ask = ["granted", "status", "ada", "--json", "--action", action.to_str().unwrap()];
    let told = business.json(&ask);
    assert_eq!((told["reference"].as_str(), told["status"].as_str()), (Some(reference), Some("done")));
    refused(&business.run(&["granted", "balances", "ada"]), "not_granted");
}
