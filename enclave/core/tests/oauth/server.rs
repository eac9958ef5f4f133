//! The server as a process, HTTP to it, and a person's browser.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

pub const CLIENT: &str = "tensfer-test";
/// Registered for these tests, made up.
pub const SECRET: &str = "made-up-client-secret";
pub const ISSUER: &str = "https://login.provider.example";
pub const REDIRECT: &str = "http://127.0.0.1:43210/tensfer";

pub struct Server {
    process: Child,
    authorisation: u16,
    api: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a server is to be like.
#[derive(Clone, Copy)]
pub struct Like {
    /// It takes nothing but pushed requests.
    pub push: bool,
    pub rotate: bool,
    /// Of an access token, in seconds.
    pub lifetime: u32,
}

impl Server {
    pub fn start(like: Like) -> Server {
        let folder = std::env::var("TENSFER_OAUTH").expect("`make test-oauth` names the folder it fetched");
        let configuration = json!({
            "issuer": ISSUER,
            "routes": {"authorization": "/auth", "token": "/token", "revocation": "/revoke",
                "pushed_authorization_request": "/par"},
            "client": {"id": CLIENT, "secret": SECRET, "method": "client_secret_basic", "redirect": "http://127.0.0.1/tensfer"},
            "scopes": ["accounts", "offline_access"],
            "lifetime": like.lifetime, "push": like.push, "rotate": like.rotate,
            "accounts": {"/balances": {"balances": [{"asset": "BTC", "amount": "0.5"}]}},
            "public": {},
        });
        let mut node = Command::new("node");
        node.current_dir(folder).arg("server.mjs").arg(configuration.to_string()).stdout(Stdio::piped());
        let mut process = node.spawn().expect("node runs");
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ports: Vec<u16> = line.split_whitespace().skip(1).map(|port| port.parse().unwrap()).collect();
        Server { process, authorisation: ports[0], api: ports[1] }
    }

    /// Carries a request of the enclave's to whichever of the two it is for; gives status line and body.
    pub fn relay(authorisation: u16, api: u16, request: &str) -> (String, String) {
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let host = header(head, "host").unwrap();
        let port = if host.starts_with("login.") { authorisation } else { api };
        let mut carried =
            format!("{}\r\nhost: {host}\r\nconnection: close\r\n", head.lines().next().unwrap());
        for name in ["authorization", "content-type", "accept", "content-length"] {
            if let Some(value) = header(head, name) {
                carried.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        let answer = exchanged(port, &format!("{carried}\r\n{body}"));
        (answer.status, answer.body)
    }

    pub fn ports(&self) -> (u16, u16) {
        (self.authorisation, self.api)
    }

    /// Everything that the token endpoint and the API were asked.
    pub fn calls(&self) -> Vec<Value> {
        let request = "GET /calls HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        serde_json::from_str(&exchanged(self.api, request).body).unwrap()
    }

    /// The statuses that the token endpoint answered this grant with.
    pub fn grants(&self, grant: &str) -> Vec<u64> {
        let calls = self.calls();
        let of_grant = calls.iter().filter(|call| call["endpoint"] == "token" && call["grant"] == grant);
        of_grant.map(|call| call["status"].as_u64().unwrap()).collect()
    }

    /// A person opens the address and says yes; gives the address of the client's own page that they are sent to.
    pub fn sign_in(&self, url: &str) -> String {
        let mut cookies: BTreeMap<String, String> = BTreeMap::new();
        let mut path = url.strip_prefix(ISSUER).expect("the provider's address").to_owned();
        for _ in 0..12 {
            let jar: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let request = format!(
                "GET {path} HTTP/1.1\r\nhost: login.provider.example\r\ncookie: {}\r\nconnection: close\r\n\r\n",
                jar.join("; ")
            );
            let answer = exchanged(self.authorisation, &request);
            for cookie in answer.headers.iter().filter_map(|line| line.strip_prefix("set-cookie: ")) {
                let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
                cookies.insert(name.to_owned(), value.to_owned());
            }
            let next = answer.headers.iter().find_map(|line| line.strip_prefix("location: "));
            let next = next.unwrap_or_else(|| panic!("{path}: {} {}", answer.status, answer.body)).to_owned();
            if next.starts_with(REDIRECT) {
                return next;
            }
            let origins = [ISSUER, "http://login.provider.example"];
            path = origins.iter().find_map(|origin| next.strip_prefix(origin)).unwrap_or(&next).to_owned();
        }
        panic!("sent around in circles");
    }
}

struct Answered {
    status: String,
    /// Names in lower case.
    headers: Vec<String>,
    body: String,
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn exchanged(port: u16, request: &str) -> Answered {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().strip_prefix("HTTP/1.1 ").unwrap().to_owned();
    let lower = |line: &str| {
        let (name, value) = line.split_once(": ").unwrap();
        format!("{}: {value}", name.to_ascii_lowercase())
    };
    let headers: Vec<String> = lines.map(lower).collect();
    let is_chunked = headers.iter().any(|line| line == "transfer-encoding: chunked");
    let body = if is_chunked { dechunked(body) } else { body.to_owned() };
    Answered { status, headers, body }
}

fn dechunked(mut rest: &str) -> String {
    let mut body = String::new();
    while let Some((size, tail)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        body.push_str(&tail[..size]);
        rest = tail[size..].trim_start_matches("\r\n");
        if size == 0 {
            break;
        }
    }
    body
}
