//! Operators' keys on tokens, over the real processes. `make test` leaves this module out, and says so, where SoftHSM cannot be had.

use super::operators::{Operators, Said};
use super::token::{NAME, PIN, SoftToken};
use super::{QUORUM, balances};
use stack::{Folder, Stack};

/// One approver and one holder have their keys on a token, and so does a later holder.
const ON_TOKEN: &[&str] = &["ada", "dot", "gus"];

fn operators(folder: &Folder) -> Operators {
    Operators::with_token(folder, SoftToken::new(&folder.join("token")), ON_TOKEN)
}

fn refused(said: &Said, code: i32, why: &str) {
    assert_eq!(said.code, code, "{why}: {}{}", said.out, said.err);
    assert!(said.err.contains(why), "{why}: {}", said.err);
}

/// `words` with one of them replaced.
fn with(words: &[String], from: &str, to: &str) -> Vec<String> {
    assert!(words.iter().any(|word| word == from), "{from}");
    words.iter().map(|word| if word == from { to.to_owned() } else { word.clone() }).collect()
}

#[test]
fn a_quorum_of_which_some_keep_to_tokens_makes_a_root_brings_it_back_and_gives_it_to_others() {
    let folder = Folder::new();
    let data = folder.join("data");
    let stack = Stack::start_as(&data, &QUORUM);
    let operators = operators(&folder);
    assert!(!operators.path("ada.key").exists(), "what is on a token is in no file");
    let manifest = std::fs::read_to_string(operators.path("manifest")).unwrap();
    assert!(manifest.contains("alias = \"ada\"\nkey = \"p256:"), "{manifest}");
    let file = std::fs::read_to_string(operators.path("dot.key")).unwrap();
    assert!(file.contains("\"kind\": \"token\"") && !file.contains("argon2id"), "{file}");

    operators.genesis(&stack);
    assert!(operators.release(&stack, "dot").out.contains("collecting"));
    assert!(operators.release(&stack, "eve").out.contains("provisioned"));
    operators.link(&stack);
    let before = balances(&operators, &stack);
    stack.stop();
    let stack = Stack::start_as(&data, &QUORUM);
    operators.release(&stack, "fay");
    operators.release(&stack, "dot");
    assert_eq!(balances(&operators, &stack)["connections"], before["connections"]);
    stack.stop();

    let stack = Stack::start_as(&data, &QUORUM);
    operators.ask_for(&stack, &["gus", "hal"]);
    assert!(operators.give_away(&stack, "dot").contains("collecting"));
    assert!(operators.give_away(&stack, "eve").contains("reshared"));
    operators.take_over(&stack);
    for holder in ["gus", "hal"] {
        operators.done(&stack, &operators.release_of("after", holder, "anew"));
    }
    assert_eq!(balances(&operators, &stack)["connections"], before["connections"]);
    operators.open(&stack, "anew", &["gus", "hal"]);

    // A copy of the file is worth nothing once the token's key is gone.
    std::fs::copy(operators.path("dot.key"), operators.path("copy")).unwrap();
    assert!(operators.token().says_of("dot").contains("derive"));
    let gone = operators.done(&stack, &operators.destroy_words("dot", &["gus", "hal"]));
    assert!(gone.contains("is gone") && !operators.path("dot.key").exists(), "{gone}");
    assert_eq!(operators.token().says_of("dot"), "");
    std::fs::rename(operators.path("copy"), operators.path("dot.key")).unwrap();
    refused(&operators.run(&stack, &operators.giving_words("dot")), 2, "has no key `dot`");
}

#[test]
fn a_key_that_was_made_on_a_token_does_one_thing_and_stays_there_by_the_tokens_own_word() {
    let folder = Folder::new();
    let operators = operators(&folder);
    for (label, does, does_not) in [("ada", "sign", "derive"), ("dot", "derive", "sign")] {
        let said = operators.token().says_of(label);
        let line =
            |name: &str| said.lines().find(|line| line.trim_start().starts_with(name)).unwrap().to_owned();
        assert!(line("Usage:").contains(does) && !line("Usage:").contains(does_not), "{said}");
        let access = line("Access:");
        for word in ["sensitive", "always sensitive", "never extractable", "local"] {
            assert!(access.contains(word), "{label} {word}: {said}");
        }
    }
}

#[test]
fn a_holders_file_opens_with_the_token_that_locked_it_and_its_pin_alone() {
    let folder = Folder::new();
    let stack = Stack::start_as(&folder.join("data"), &QUORUM);
    let mut operators = operators(&folder);
    operators.genesis(&stack);
    let words = operators.release_words("dot", &["ada", "ben"]);
    let run = |operators: &Operators, words: &[String]| operators.run(&stack, words);

    let bare: Vec<String> = words.iter().take_while(|word| *word != "--token").cloned().collect();
    refused(&run(&operators, &bare), 2, "opens with a token only");
    // The approver's key is on the same token.
    let named = |label: &str| with(&words, "dot", label);
    refused(&run(&operators, &named("ada")), 1, "other_token");
    refused(&run(&operators, &named("nobody")), 2, "has no key `nobody`");
    let in_a_file =
        [&operators.release_words("eve", &["ada", "ben"])[..], &operators.token().words("dot")].concat();
    refused(&run(&operators, &in_a_file), 2, "is under no token");

    operators.token().write_pin("wrong pin");
    let wrong = run(&operators, &words);
    refused(&wrong, 1, "wrong_pin");
    assert!(wrong.err.contains("counts wrong ones"), "SoftHSM says that it does: {}", wrong.err);
    operators.token().write_pin(PIN);

    // A new token with the old one's names is another one all the same.
    let old = SoftToken::none(&folder.join("token"));
    operators.replace_token(SoftToken::none(&folder.join("nothing")));
    refused(&run(&operators, &words), 2, "no token that is ready");
    operators.replace_token(SoftToken::new(&folder.join("replaced")));
    refused(&run(&operators, &words), 2, "has no key `dot`");
    operators.token().make("prime256v1", "dot", "01", "--sensitive");
    refused(&run(&operators, &words), 1, "other_token");
    operators.replace_token(old);

    let released = run(&operators, &words);
    assert!(released.code == 0 && released.out.contains("collecting"), "{}", released.err);
}

#[test]
fn a_token_or_key_that_is_not_the_one_that_was_meant_is_named_for_what_it_is() {
    let folder = Folder::new();
    let stack = Stack::start_as(&folder.join("data"), &QUORUM);
    let operators = operators(&folder);
    operators.approve_as(&stack, "manifest", &["ben"]);
    let words = operators.approve_words("manifest", "ada");
    let run = |words: &[String]| operators.run(&stack, words);
    let module = |path: &str| with(&words, super::token::MODULE, path);
    refused(&run(&module("/nowhere/module.so")), 2, "there is no such file");
    refused(&run(&module(operators.path("manifest").to_str().unwrap())), 2, "is no library");
    refused(&run(&with(&words, "ada", "dot")), 1, "not_an_approver");
    let both = [&words[..], &["--key".to_owned(), operators.word("ben.key")]].concat();
    refused(&run(&both), 2, "cannot be used with");

    let token = operators.token();
    token.make("prime256v1", "twin", "01", "--sensitive");
    token.make("prime256v1", "twin", "02", "--sensitive");
    token.make("secp384r1", "large", "03", "--sensitive");
    refused(&run(&with(&words, "ada", "twin")), 2, "several keys `twin`");
    refused(&run(&with(&words, "ada", "large")), 2, "none of P-256");

    let named = |name: &str| [&words[..], &["--token-name".to_owned(), name.to_owned()]].concat();
    refused(&run(&named("another")), 2, "is not there");
    token.initialise("another");
    let unclear = run(&words);
    refused(&unclear, 2, "not clear");
    assert!(
        unclear.err.contains("`another`") && unclear.err.contains(&format!("`{NAME}`")),
        "{}",
        unclear.err
    );
    assert!(!operators.path("manifest.ada").exists());
    let approved = run(&named(NAME));
    assert_eq!(approved.code, 0, "{}", approved.err);
}

#[test]
fn a_key_that_another_program_made_on_a_token_serves_if_the_token_keeps_it_and_none_is_made_over_it() {
    let folder = Folder::new();
    let stack = Stack::start_as(&folder.join("data"), &QUORUM);
    let operators = operators(&folder);
    let token = operators.token();
    token.make("prime256v1", "kept", "01", "--sensitive");
    token.make("prime256v1", "loose", "02", "--extractable");
    let key = |role: &str, label: &str, further: &[&str]| {
        let named = ["root", "key", role].map(str::to_owned);
        let further: Vec<String> = further.iter().map(|word| (*word).to_owned()).collect();
        operators.run(&stack, &[&named[..], &token.words(label), &further].concat())
    };
    let kept = key("approver", "kept", &["--existing"]);
    assert!(kept.code == 0 && kept.out.starts_with("key = \"p256:"), "{}", kept.err);
    refused(&key("approver", "loose", &["--existing"]), 1, "key_extractable");
    let file = operators.word("ian.key");
    refused(&key("holder", "loose", &["--existing", "--output", &file]), 1, "key_extractable");
    assert!(!operators.path("ian.key").exists());

    refused(&key("holder", "kept", &["--existing", "--output", &file]), 2, "cannot do that");
    refused(&key("approver", "kept", &[]), 2, "has a key `kept` already");
    refused(&key("approver", "new", &["--output", &file]), 2, "is in no file");
    refused(&key("approver", "new", &["--simulated"]), 2, "leave `--simulated` out");
    refused(&key("holder", "new", &[]), 2, "--output FILE");
    refused(&key("holder", "new", &["--output", &operators.word("dot.key")]), 2, "exists already");
    let nowhere = operators.word("no/such/folder.key");
    assert_ne!(key("holder", "new", &["--output", &nowhere]).code, 0);
    assert_eq!(token.says_of("new"), "", "nothing is left of a key whose file was not written");
}
