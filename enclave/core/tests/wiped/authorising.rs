//! Calls to a provider's authorisation server, and the call by which it makes a key.

use crate::watch;
use enclave::connector::{Answer, Grant, Granted, Outcome, Signing, Step, Tokens, find};
use enclave::entropy::{Entropy, NoEntropy};

const CLIENT: &[u8] = br#"{"clientId":"client","clientSecret":"marked client secret/+"}"#;
const CODE: &str = "marked/code+that-came";
const VERIFIER: &str = "marked-verifier-of-the-code-that-is-43-long";
const GRANTED: &[u8] = br#"{"access_token":"marked-access-token-9f2c41d07b","token_type":"bearer","refresh_token":"marked-refresh-token-5e80aa13c6","expires_in":60}"#;
const MADE: &[u8] = br#"{"result":{"api_key":"marked-api-key-that-was-made","secret":"bWFya2VkIHNlY3JldCB0aGF0IHdhcyBtYWRl"}}"#;

struct Fixed;

impl Entropy for Fixed {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), NoEntropy> {
        out.fill(7);
        Ok(())
    }
}

/// Sends the request of a call nowhere, and gives what came of the answer.
fn answered(mut grant: Grant, body: &[u8]) -> Outcome {
    let Step::Send { request, .. } = grant.step() else { panic!("it has a request") };
    drop(request);
    grant.answer(200, body);
    let Step::Done(outcome) = grant.step() else { panic!("it is done") };
    outcome
}

fn tokens(exchange: &str) -> Tokens {
    let connector = find(exchange).unwrap();
    let grant = Grant::exchange(connector, CLIENT, CODE, "http://127.0.0.1:1/x", VERIFIER).unwrap();
    match answered(grant, GRANTED).answer {
        Answer::Granted(Granted::Tokens(tokens)) => tokens,
        other => panic!("{other:?}"),
    }
}

pub fn no_token_and_no_key_is_left_behind_by_authorising() {
    let escaped = "marked%20client%20secret";
    let basic = enclave::connector::to_base64(b"client:marked%20client%20secret%2F%2B");
    let secrets: [&[u8]; 8] = [
        b"marked client secret/+",
        escaped.as_bytes(),
        basic.as_bytes(),
        VERIFIER.as_bytes(),
        b"marked-access-token-9f2c41d07b",
        b"marked-refresh-token-5e80aa13c6",
        b"marked-api-key-that-was-made",
        b"bWFya2VkIHNlY3JldCB0aGF0IHdhcyBtYWRl",
    ];
    let (found, ()) = watch(&secrets, || {
        let tokens = tokens("coinbase_oauth");
        let credential = tokens.credential(CLIENT, 0).unwrap();
        drop((tokens, credential));
    });
    assert_eq!(found, 0, "tokens");
    let (found, ()) = watch(&secrets, || {
        let tokens = tokens("kraken");
        let mut signing = Signing { credential: None, now_ms: 0, nonce: 0, entropy: &mut Fixed };
        let grant = Grant::make_key(find("kraken").unwrap(), &tokens, &mut signing).unwrap();
        let outcome = answered(grant, MADE);
        assert!(matches!(outcome.answer, Answer::Granted(Granted::Key(_))));
        drop((outcome, tokens));
    });
    assert_eq!(found, 0, "a key");
}
