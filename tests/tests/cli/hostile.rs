//! The client before a hostile server: a proxy that alters, repeats, swaps and drops what passes through it.

use crate::person::{Person, account, said};
use serde_json::Value;
use stack::{Stack, http};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What comes back to the client; `None` breaks the connection off.
type Answer = Option<(u16, String, Vec<u8>)>;

/// Sees the path, then what the real server answers.
type Tamper = Box<dyn FnMut(&str, (u16, String, Vec<u8>)) -> Answer + Send>;

/// Passes everything on to `stack` and its answers through `tamper`; gives the proxy's URL.
fn proxy(
    stack: &Stack,
    tamper: impl FnMut(&str, (u16, String, Vec<u8>)) -> Answer + Send + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (upstream, tamper) = (stack.url().to_owned(), Arc::new(Mutex::new(Box::new(tamper) as Tamper)));
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (upstream, tamper) = (upstream.clone(), Arc::clone(&tamper));
            std::thread::spawn(move || serve(stream, &upstream, &tamper));
        }
    });
    url
}

fn serve(mut stream: TcpStream, upstream: &str, tamper: &Mutex<Tamper>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut words = lines.first()?.split(' ');
    let (method, path) = (words.next()?, words.next()?);
    let header = |name: &str| {
        let mut headers = lines.iter().filter_map(|line| line.split_once(':'));
        headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    };
    let mut body = vec![0; header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let media = header("content-type").unwrap_or("text/plain");
    let answer = http::request(method, &format!("{upstream}{path}"), &[("content-type", media)], &body);
    let media = answer.header("content-type").unwrap_or("").to_owned();
    let answer = tamper.lock().unwrap()(path, (answer.status, media, answer.body));
    let (status, media, body) = answer?;
    let head = format!(
        "HTTP/1.1 {status} -\r\ncontent-type: {media}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(&body).ok()
}

fn is_request(path: &str) -> bool {
    path == "/v1/requests"
}

/// A person with a kraken account, whose client now speaks to the proxy.
fn linked_behind(
    stack: &Stack,
    tamper: impl FnMut(&str, (u16, String, Vec<u8>)) -> Answer + Send + 'static,
) -> Person<'_> {
    let mut person = Person::new(stack);
    person.link(&account("kraken", "reader"), "kraken");
    person.url = proxy(stack, tamper);
    person
}

#[test]
fn a_replaced_enclave_is_verified_again_and_the_request_sealed_anew_once() {
    let stack = Stack::start();
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = Arc::clone(&seen);
    let mut refusals = 1;
    let person = linked_behind(&stack, move |path, answer| {
        log.lock().unwrap().push(path.split('?').next().unwrap().to_owned());
        if is_request(path) && refusals > 0 {
            refusals -= 1;
            let problem = br#"{"code": "unknown_key", "retryable": true, "request_id": "r"}"#;
            return Some((409, "application/problem+json".into(), problem.to_vec()));
        }
        Some(answer)
    });
    let said = person.run(&["inspect", "kraken"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let (verify, request) = ("/v1/attestation", "/v1/requests");
    assert_eq!(*seen.lock().unwrap(), [verify, request, verify, request]);
}

#[test]
fn an_enclave_that_is_always_gone_ends_in_an_error_not_in_a_loop() {
    let stack = Stack::start();
    let person = linked_behind(&stack, |path, answer| {
        let problem = br#"{"code": "unknown_key", "retryable": true}"#;
        Some(if is_request(path) {
            (409, "application/problem+json".into(), problem.to_vec())
        } else {
            answer
        })
    });
    let said = person.run(&["inspect", "kraken"]);
    assert_eq!(said.code, 4, "{}", said.err);
    assert!(said.err.contains("unknown_key"), "{}", said.err);
}

#[test]
fn an_altered_reply_is_refused_wherever_it_was_altered() {
    let stack = Stack::start();
    let mut round = 0;
    let person = linked_behind(&stack, move |path, (status, media, mut body)| {
        if is_request(path) {
            let position = [0, body.len() / 2, body.len() - 1][round % 3];
            body[position] ^= 1;
            round += 1;
        }
        Some((status, media, body))
    });
    for _ in 0..3 {
        let said = person.run(&["balances", "--json"]);
        assert_eq!(said.code, 1, "{}", said.err);
        let portfolio: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(portfolio["coverage"]["complete"], false);
        assert_eq!(portfolio["connections"][0]["accounts"], Value::Array(Vec::new()));
        assert_eq!(portfolio["connections"][0]["errors"][0]["code"], "reply_malformed");
    }
}

#[test]
fn an_earlier_reply_is_not_taken_for_this_request() {
    let stack = Stack::start();
    let mut kept: Option<Vec<u8>> = None;
    let person = linked_behind(&stack, move |path, (status, media, body)| {
        let body = if is_request(path) { kept.get_or_insert(body).clone() } else { body };
        Some((status, media, body))
    });
    assert_eq!(person.run(&["inspect", "kraken"]).code, 0);
    let said = person.run(&["inspect", "kraken"]);
    assert_eq!((said.code, said.out.as_str()), (1, ""), "{}", said.err);
}

#[test]
fn m06_evidence_that_answers_another_nonce_is_refused_before_anything_is_sent() {
    let stack = Stack::start();
    let (mut kept, requests): (Option<Vec<u8>>, Arc<Mutex<u32>>) = (None, Arc::default());
    let counted = Arc::clone(&requests);
    let person = linked_behind(&stack, move |path, (status, media, body)| {
        if is_request(path) {
            *counted.lock().unwrap() += 1;
            return Some((status, media, body));
        }
        Some((status, media, kept.get_or_insert(body).clone()))
    });
    assert_eq!(person.run(&["inspect", "kraken"]).code, 0);
    let mut link = person.command(&["link", "kraken", "--credentials", "-"]);
    let said = said(&mut link, account("kraken", "reader")["credentials"].to_string().as_bytes());
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("the server's enclave was refused"), "{}", said.err);
    assert_eq!(*requests.lock().unwrap(), 1, "only the first command sent anything");
}

#[test]
fn lost_replies_are_told_and_are_no_gap() {
    let stack = Stack::start();
    let mut drops = 2;
    let person = linked_behind(&stack, move |path, answer| {
        if is_request(path) && drops > 0 {
            drops -= 1;
            return None;
        }
        Some(answer)
    });
    for _ in 0..2 {
        let said = person.run(&["inspect", "kraken"]);
        assert_eq!(said.code, 4, "{}", said.err);
    }
    let said = person.run(&["inspect", "kraken"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.contains("2 earlier replies for `kraken` never arrived here"), "{}", said.err);
    assert_eq!(person.json(&["connections", "--json"])[0]["receipt_gaps"], 0);
}

#[test]
fn requests_that_this_device_never_made_are_a_gap_that_stays_visible() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    person.link(&account("kraken", "reader"), "kraken");
    // A thief with a copy of everything here uses the connection; then the owner does.
    let folder = person.home().join("simulated");
    let file = std::fs::read_dir(folder.join("connections")).unwrap().next().unwrap().unwrap().path();
    let files = [file, folder.join("receipts")];
    let copies = files.each_ref().map(|file| std::fs::read(file).unwrap());
    person.done(&["balances"]);
    person.done(&["inspect", "kraken"]);
    files.iter().zip(copies).for_each(|(file, copy)| std::fs::write(file, copy).unwrap());
    let said = person.run(&["inspect", "kraken"]);
    assert_eq!((said.code, said.out.as_str()), (1, ""), "{}", said.err);
    assert!(
        said.err.contains("answered 2 requests for this connection that this device never made"),
        "{}",
        said.err
    );
    assert!(person.done(&["connections"]).contains("WARNING: kraken has a gap of 2 receipts"));
    person.done(&["inspect", "kraken"]);
}

#[test]
fn a_rotation_whose_replies_are_lost_at_either_step_is_taken_up_again() {
    for lost in [0, 1] {
        let stack = Stack::start();
        let mut seen = 0;
        let person = linked_behind(&stack, move |path, answer| {
            let now = seen;
            seen += u32::from(is_request(path));
            if is_request(path) && now == lost { None } else { Some(answer) }
        });
        assert_eq!(person.run(&["rotate", "kraken"]).code, 4);
        person.done(&["balances"]);
        person.done(&["rotate", "kraken"]);
        let inspected = person.json(&["inspect", "kraken", "--json"]);
        assert_eq!((&inspected["generation"], &inspected["current"]), (&3.into(), &true.into()), "{lost}");
    }
}

#[test]
fn an_account_of_the_real_exchanges_never_reaches_a_sandbox() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    person.link(&account("kraken", "reader"), "kraken");
    let folder = person.home().join("simulated/connections");
    let file = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let sandboxed = std::fs::read_to_string(&file).unwrap();
    assert!(sandboxed.contains(r#""environment": "sandbox""#), "{sandboxed}");
    std::fs::write(&file, sandboxed.replace(r#""environment": "sandbox""#, r#""environment": "live""#))
        .unwrap();
    for command in [&["balances"][..], &["rotate", "kraken"], &["inspect", "kraken"], &["forget", "kraken"]] {
        let said = person.run(command);
        assert_eq!(said.code, 1, "{command:?}: {}", said.err);
        assert!(said.err.contains("you linked `kraken` over live exchanges"), "{command:?}: {}", said.err);
    }
    std::fs::write(&file, sandboxed).unwrap();
    person.done(&["balances"]);

    // And whoever says so before has an enclave of the sandbox refused as a whole.
    let refused = person.run(&["verify", "--environment", "live", "--json"]);
    let verdict: Value = serde_json::from_str(&refused.out).unwrap();
    assert_eq!((refused.code, &verdict["reason"]), (1, &"environment_mismatch".into()));
    let mut link = person.command(&["link", "kraken", "--credentials", "-", "--environment", "live"]);
    let refused = said(&mut link, account("kraken", "everything")["credentials"].to_string().as_bytes());
    assert_eq!(refused.code, 1, "{}", refused.err);
    assert!(refused.err.contains("environment_mismatch"), "{}", refused.err);
    person.done(&["verify", "--environment", "sandbox"]);
}

#[test]
fn a_flood_in_place_of_an_answer_is_cut_off() {
    let stack = Stack::start();
    let person = linked_behind(&stack, |path, (status, media, body)| {
        Some(if is_request(path) { (status, media, vec![0; 8 << 20]) } else { (status, media, body) })
    });
    let said = person.run(&["inspect", "kraken"]);
    assert_eq!(said.code, 4, "{}", said.err);
    assert!(said.err.contains("more than the protocol allows"), "{}", said.err);
}
