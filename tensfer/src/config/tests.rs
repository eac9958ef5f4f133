//! Where settings come from, and what is said of those that are wrong.

use super::*;
use setting::Value;
use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

fn around(variables: &[(&str, &str)]) -> Surroundings {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    Surroundings { variables }
}

fn settings_file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

/// What a command line comes to.
fn read(words: &[&str], variables: &[(&str, &str)]) -> Result<Vec<String>, String> {
    let words = std::iter::once("tensfer").chain(words.iter().copied()).map(OsString::from).collect();
    let read = arguments(&crate::command(), words, &around(variables));
    let text = |word: OsString| word.into_string().unwrap();
    read.map(|words| words.into_iter().skip(1).map(text).collect()).map_err(|wrong| wrong.to_string())
}

fn wrong(text: &str) -> String {
    let named = Path::new("tensfer.toml");
    file::settings(&crate::command(), named, text).unwrap_err().to_string()
}

#[test]
fn the_command_line_goes_before_the_environment_and_that_before_the_file() {
    let file = settings_file(
        "[up]\nport = 1\ncertificate_life = 60\nrequire_confinement = true\n[egress]\nsandbox = 9\n",
    );
    let path = file.path().to_str().unwrap();
    let named = [("TENSFER_CONFIG", path)];
    let all = ["up", "--certificate-life=60", "--port=1", "--require-confinement"];
    let mut from_file = read(&["up"], &named).unwrap();
    from_file.sort();
    let mut expected: Vec<&str> = all.to_vec();
    expected.sort_unstable();
    assert_eq!(from_file, expected);
    assert_eq!(read(&["up", "--config", path], &[]).unwrap().len(), 6);

    let both =
        [("TENSFER_CONFIG", path), ("TENSFER_UP_PORT", "2"), ("TENSFER_UP_REQUIRE_CONFINEMENT", "false")];
    let words = read(&["up", "--data", "x"], &both).unwrap();
    assert!(words.contains(&"--port=2".to_owned()) && !words.contains(&"--port=1".to_owned()), "{words:?}");
    assert!(!words.contains(&"--require-confinement".to_owned()), "{words:?}");
    for given in [&["up", "--port", "3"][..], &["up", "--port=3"]] {
        let words = read(given, &both).unwrap();
        assert_eq!(words.iter().filter(|word| word.starts_with("--port")).count(), 1, "{words:?}");
        assert!(words.join(" ").replace('=', " ").contains("--port 3"), "{words:?}");
    }
}

#[test]
fn what_excludes_a_setting_on_the_command_line_goes_before_it() {
    let tls = "[up]\nport = 81\ndatabase_file = '/etc/db'\n";
    let file = settings_file(tls);
    let named = [("TENSFER_CONFIG", file.path().to_str().unwrap())];
    let words = read(&["up", "--listen", "[::]:8443"], &named).unwrap();
    assert!(!words.iter().any(|word| word.starts_with("--port")), "{words:?}");
    let words = read(&["up", "--database", "postgres:///x"], &named).unwrap();
    assert!(!words.iter().any(|word| word.starts_with("--database-file")), "{words:?}");
    // Options of the sandbox, behind `--`, are no options of ours.
    let words = read(&["up", "--", "--port", "5"], &named).unwrap();
    assert!(words.contains(&"--port=81".to_owned()), "{words:?}");
}

#[test]
fn what_is_set_is_checked_as_an_option_is() {
    let refused = |text: &str| {
        let file = settings_file(text);
        let words = read(&["up"], &[("TENSFER_CONFIG", file.path().to_str().unwrap())]).unwrap();
        crate::command()
            .try_get_matches_from([vec!["tensfer".to_owned()], words].concat())
            .unwrap_err()
            .to_string()
    };
    assert!(refused("[up]\ncertificate_life = 5\n").contains("--certificate-life"));
    // No plain HTTP comes of half the settings of TLS.
    assert!(refused("[up]\nlisten = '[::]:8443'\n").contains("--tls-key"));
    assert!(refused("[up]\nport = -1\n").contains("--port"));
}

#[test]
fn a_wrong_key_is_named_with_its_line_and_the_nearest_there_is() {
    let said = wrong("# ours\n[up]\n\nprot = 1\n");
    assert_eq!(said, "tensfer.toml:4: nothing is called `prot`; the nearest that there is: `port`");
    let said = wrong("[gatway]\nport = 1\n");
    assert_eq!(said, "tensfer.toml:1: nothing is called `gatway`; the nearest that there is: `gateway`");
    // A client's options, and those that name no setting, are none.
    for text in
        ["[up]\nserver = 'x'\n", "[up]\nconfig = 'x'\n", "[up]\nhelp = true\n", "port = 1\n", "up = 1\n"]
    {
        assert!(wrong(text).starts_with("tensfer.toml:"), "{text}");
    }
    let said = read(&["up"], &[("TENSFER_UP_CERTIFICAT_LIFE", "60")]).unwrap_err();
    assert_eq!(
        said,
        "TENSFER_UP_CERTIFICAT_LIFE: nothing is called `certificat_life`; the nearest that there is: `certificate_life`"
    );
    // All of the file is read, whoever asks.
    let file = settings_file("[egress]\nport = 1\n");
    assert!(read(&["up"], &[("TENSFER_CONFIG", file.path().to_str().unwrap())]).is_err());
}

#[test]
fn a_value_of_another_kind_is_refused_at_its_line_and_not_quoted() {
    for text in [
        "[up]\nrequire_confinement = 'secret'\n",
        "[up]\nport = ['secret']\n",
        "[up]\nport = 1.5\n",
        "[up]\nport = 0x10\n",
        "[up]\nhost = 'secret'\n",
        "[up]\nwitness = [true]\n",
        "[up]\nport = secret\n",
        "[up]\nport = 1\nport = 2\n",
    ] {
        let said = wrong(text);
        assert!(said.starts_with("tensfer.toml:2") || said.starts_with("tensfer.toml:3"), "{said}");
        assert!(!said.contains("secret"), "{said}");
    }
    assert!(read(&["up"], &[("TENSFER_UP_REQUIRE_CONFINEMENT", "yes")]).is_err());
    assert!(read(&["up", "--config", "/nowhere"], &[]).unwrap_err().contains("/nowhere"));
    assert!(read(&["up"], &[("TENSFER_CONFIG", "/nowhere")]).is_err());
    let file = settings_file("[up]\nport = 1\n");
    let named = [("TENSFER_CONFIG", file.path().to_str().unwrap())];
    assert!(read(&["up"], &named).is_ok());
    std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o620)).unwrap();
    assert!(read(&["up"], &named).unwrap_err().contains("chmod go-w"));
}

#[test]
fn commands_of_clients_and_help_read_no_settings() {
    let broken = [("TENSFER_UP_PROT", "1"), ("TENSFER_CONFIG", "/nowhere")];
    for words in [
        &["link", "up"][..],
        &["--server", "up", "balances"],
        &["up", "--help"],
        &["witness", "key", "--data", "x"],
        &["--version"],
        &[],
    ] {
        assert_eq!(read(words, &broken).unwrap(), words);
    }
    assert!(read(&["--server", "http://localhost:1", "up"], &broken).is_err());
}

#[test]
fn what_is_printed_says_where_it_comes_from_and_holds_no_password() {
    let text = "[up]\nhost = ['a.example', '\"b']\ndatabase = 'postgres://me:hunter2@db/x'\n";
    let file = settings_file(text);
    let around = around(&[("TENSFER_UP_PORT", "81")]);
    let command = crate::command();
    let settings = around.settings(&command, Some(file.path())).unwrap();
    let shown = print::for_people(&command, &settings).unwrap();
    let name = file.path().display();
    assert!(shown.contains("[up]\n") && shown.contains("port = 81  # TENSFER_UP_PORT\n"), "{shown}");
    assert!(shown.contains(&format!("host = [\"a.example\",\"\\\"b\"]  # {name}:2\n")), "{shown}");
    assert!(shown.contains("certificate_life = 300  # default\n") && shown.contains("# listen: not set\n"));
    let programs = print::for_programs(&command, &settings);
    assert_eq!(programs["up"]["port"]["source"], "TENSFER_UP_PORT");
    assert_eq!(programs["up"]["host"]["value"][0], "a.example");
    assert!(!shown.contains("hunter2") && !programs.to_string().contains("hunter2"));
    // What is printed is a file of settings.
    let again =
        file::settings(&command, Path::new("again"), &shown.replace("(a password is in it)", "")).unwrap();
    let port = again.iter().find(|setting| setting.is_of("up", "port")).unwrap();
    assert_eq!(port.value, Value::One(OsStr::new("81").to_owned()));
}

#[test]
fn every_setting_is_in_the_documentation_and_nothing_else_is() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    let document = std::fs::read_to_string(path).unwrap();
    let command = crate::command();
    for name in COMMANDS {
        let (_, section) = document.split_once(&format!("\n## `[{name}]`\n")).unwrap();
        let section = section.split("\n## ").next().unwrap();
        let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
        let mut documented: Vec<&str> = rows.collect();
        let mut known: Vec<String> =
            options(command.find_subcommand(name).unwrap()).map(|(_, option)| key(option)).collect();
        documented.sort_unstable();
        known.sort();
        assert_eq!(documented, known, "[{name}]");
    }
}
