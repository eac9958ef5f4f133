//! A person's browser: follows redirects and keeps cookies, as far as a sign-in needs it.

use stack::http::{self, Response};
use std::collections::BTreeMap;

pub struct Browser {
    cookies: BTreeMap<String, String>,
    /// Where the real provider's host is served.
    authorisation: u16,
}

impl Browser {
    pub fn new(authorisation: u16) -> Browser {
        Browser { cookies: BTreeMap::new(), authorisation }
    }

    /// Opens the address that the client printed, and goes where it is sent until that is the client's own page, which
    /// it leaves for the caller to open.
    pub fn sign_in(&mut self, url: &str) -> String {
        let path = url.strip_prefix("https://login.coinbase.com/").expect("the provider's real address");
        let mut at = format!("http://127.0.0.1:{}/{path}", self.authorisation);
        for _ in 0..12 {
            let response = self.get(&at);
            assert!((300..400).contains(&response.status), "{at}: {} {}", response.status, response.text());
            let next = response.header("location").expect("a redirect says where to").to_owned();
            if next.contains("/tensfer?") {
                return next;
            }
            at = if next.starts_with('/') {
                format!("http://127.0.0.1:{}{next}", self.authorisation)
            } else {
                next
            };
        }
        panic!("sent around in circles: {at}");
    }

    fn get(&mut self, url: &str) -> Response {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let response = http::request("GET", url, &[("cookie", &cookies.join("; "))], &[]);
        for (_, cookie) in response.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (name, value) = cookie.split(';').next().and_then(|pair| pair.split_once('=')).unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        response
    }
}
