//! Every route that has to be signed, before a real identity: as nobody, a stranger, with the wrong key and the right one.

use super::answers::PUBLIC;
use super::people::PERSONAL;
use super::{Rig, Seen, from, get, send};
use crate::calls::Role;
use crate::clock;
use crate::gateway::Limits;
use crate::identity::{
    Actor, Code, Environment, INVITATION, Identity, Invitation, Name, Networks, NewKey, Organisation, Place,
    Public, RequestName, Rights, Scope, Scopes, Validity,
};
use crate::policy::LONGEST;
use crate::signatures::{Algorithm, Authority, Request as Signable, Scheme, Signer, SigningKey, Stamp, sign};
use crate::store::{AcceptInvitation, AddKey, CreateOrganisation, Database, Provenance, RevokeKey, Store};
use crate::testing::workload;
use aws_lc_rs::signature::Ed25519KeyPair;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Version};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::task::JoinHandle;
use wire::{EventId, OrganisationId};

const HOST: &str = "localhost:8080";
pub const HOUR: u64 = 3_600_000;

/// Method, path of the OpenAPI document, a target of it, and the scope that it takes to ask it about others.
pub const SIGNED: [(&str, &str, &str, Scope); 8] = [
    ("get", "/v1/organisation", "/v1/organisation", Scope::OrganisationRead),
    ("get", "/v1/keys", "/v1/keys?limit=2", Scope::KeysRead),
    ("post", "/v1/keys", "/v1/keys", Scope::KeysWrite),
    ("get", "/v1/keys/{id}", "/v1/keys/key_00000000000000000000000000000000", Scope::KeysRead),
    (
        "post",
        "/v1/keys/{id}/revoke",
        "/v1/keys/key_00000000000000000000000000000000/revoke",
        Scope::KeysWrite,
    ),
    (
        "post",
        "/v1/keys/{id}/rotate",
        "/v1/keys/key_00000000000000000000000000000000/rotate",
        Scope::KeysWrite,
    ),
    ("get", "/v1/policies", "/v1/policies", Scope::PoliciesRead),
    ("put", "/v1/policies", "/v1/policies", Scope::PoliciesWrite),
];
/// Signed, with the key that the body brings.
const INTRODUCED: [&str; 5] = [
    "post /v1/invitations/accept",
    "post /v1/people",
    "post /v1/sessions",
    "post /v1/recovery",
    "post /v1/recovery/finish",
];
pub struct Program(SigningKey);

impl Program {
    pub fn new() -> Program {
        let document = Ed25519KeyPair::generate().unwrap().to_pkcs8().unwrap();
        Program(SigningKey::from_pkcs8(Algorithm::Ed25519, document.as_ref()).unwrap())
    }

    pub fn public(&self) -> Public {
        Public::new(Algorithm::Ed25519, &self.0.public()).unwrap()
    }

    /// A request of now, signed each time anew.
    pub fn signed(&self, method: &str, target: &str, body: &str) -> Vec<(String, String)> {
        self.signed_as("application/json", method, target, body)
    }

    /// The same by the device of a person.
    pub fn signed_in(&self, method: &str, target: &str, body: &str) -> Vec<(String, String)> {
        self.signed_by(&self.public().session().to_string(), "application/json", method, target, body)
    }

    fn signed_as(&self, media: &str, method: &str, target: &str, body: &str) -> Vec<(String, String)> {
        self.signed_by(&self.public().id().to_string(), media, method, target, body)
    }

    fn signed_by(
        &self,
        keyid: &str,
        media: &str,
        method: &str,
        target: &str,
        body: &str,
    ) -> Vec<(String, String)> {
        let method = method.to_uppercase();
        let mut fields = Vec::new();
        if !body.is_empty() {
            fields.push(("content-type".to_owned(), media.to_owned()));
        }
        let borrowed = fields.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let request = Signable::new(Scheme::Http, &method, HOST, target, borrowed).unwrap();
        let nonce = format!("{:032x}", number());
        let stamp = Stamp { created: clock::now(), lifetime: 60, nonce: &nonce };
        let added = sign(&request, body.as_bytes(), &[], Signer { key: &self.0, keyid }, stamp).unwrap();
        fields.extend(added.into_iter().map(|(name, value)| (name.to_owned(), value)));
        fields
    }
}

pub struct Served {
    pub rig: Rig,
    pub store: Store,
    pub first: Program,
    identity: JoinHandle<std::io::Result<()>>,
}

impl Served {
    pub async fn start() -> Served {
        Served::start_with(Limits::default()).await
    }

    async fn start_with(limits: Limits) -> Served {
        let rig = Rig::start(limits);
        let store = Database::Sqlite(rig.folder.path().join("identity.db")).open().await.unwrap();
        let authorities = vec![Authority::parse(Scheme::Http, HOST).unwrap()];
        let place = Place { authorities, environment: Environment::Sandbox, parties: Vec::new() };
        // It started a minute ago: it takes what is signed now.
        let started = clock::now().minus(60_000);
        let identity = Identity::bind_started(
            &rig.folder.address(),
            workload(Role::Identity),
            store.clone(),
            place,
            started,
        )
        .unwrap();
        let identity = tokio::spawn(identity.serve(std::future::pending()));
        let first = organisation(&store, Environment::Sandbox).await;
        Served { rig, store, first, identity }
    }

    /// A key that the first one made.
    async fn made(&self, scopes: &[Scope], networks: &str, validity: Validity) -> Program {
        let program = Program::new();
        let (scopes, networks) = (scopes.iter().copied().collect(), Networks::parse(networks).unwrap());
        let rights = Rights { scopes, environment: Environment::Sandbox, networks };
        let new = NewKey { name: Name::parse("made").unwrap(), public: program.public(), rights, validity };
        let maker = self.first.public().id();
        self.store.change(&AddKey { maker, new, by: by(Actor::Key(maker)) }).await.unwrap();
        program
    }
}

/// An organisation's first key.
async fn organisation(store: &Store, environment: Environment) -> Program {
    let (id, code) = (OrganisationId(number().to_be_bytes()), Code::from_random(&number().to_be_bytes()));
    let (now, name) = (clock::now().minus(2 * HOUR), Name::parse("Example").unwrap());
    let organisation = Organisation { id, name: name.clone(), created: now };
    let expires = now.plus(INVITATION);
    let (scopes, created) = (Scopes::all(), now);
    let invitation = Invitation {
        code: code.hash(),
        organisation: id,
        scopes,
        environment,
        created,
        expires,
        used_by: None,
    };
    let by = |actor| Provenance { now, ..by(actor) };
    store.change(&CreateOrganisation { organisation, invitation, by: by(Actor::Operator) }).await.unwrap();
    let program = Program::new();
    let (public, actor) = (program.public(), Actor::Key(program.public().id()));
    store.change(&AcceptInvitation { code: code.hash(), name, public, by: by(actor) }).await.unwrap();
    program
}

pub fn by(actor: Actor) -> Provenance {
    let request = RequestName::parse(&format!("req_{:032x}", number())).unwrap();
    Provenance { event: EventId(number().to_be_bytes()), actor, now: clock::now(), request }
}

pub fn number() -> u128 {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).unwrap();
    u128::from_be_bytes(bytes)
}

fn year() -> Validity {
    Validity::starting(clock::now().minus(HOUR))
}

pub async fn ask(
    router: &Router,
    method: &str,
    target: &str,
    fields: &[(String, String)],
    body: &str,
) -> Seen {
    ask_from("127.0.0.1:1", router, method, target, fields, body).await
}

async fn ask_from(
    peer: &str,
    router: &Router,
    method: &str,
    target: &str,
    fields: &[(String, String)],
    body: &str,
) -> Seen {
    let mut request =
        Request::builder().method(method.to_uppercase().as_str()).uri(target).header("host", HOST);
    for (name, value) in fields {
        request = request.header(name, value);
    }
    let mut request = request.body(Body::from(body.to_owned())).unwrap();
    request.extensions_mut().insert(from(peer));
    send(router, request).await
}

pub fn body_of(method: &str) -> &'static str {
    if matches!(method, "post" | "put") { "{}" } else { "" }
}

#[tokio::test]
async fn every_route_is_public_or_refused_to_everybody_but_who_may() {
    let served = Served::start().await;
    let router = &served.rig.router;
    let stranger = Program::new();
    let all = Scope::ALL;
    let over = Validity::new(clock::now().minus(2 * HOUR), clock::now().minus(HOUR)).unwrap();
    let revoked = served.made(&all, "", year()).await;
    let id = revoked.public().id();
    served.store.change(&RevokeKey { asker: id, id, by: by(Actor::Key(id)) }).await.unwrap();
    let expired = served.made(&all, "", over).await;
    let later = Validity::starting(clock::now().plus(HOUR));
    let early = served.made(&all, "", later).await;
    let elsewhere = served.made(&all, "192.0.2.0/24 2001:db8::/32", year()).await;
    let live = organisation(&served.store, Environment::Live).await;
    let refused = [
        (&stranger, 401, "not_signed"),
        (&revoked, 401, "key_revoked"),
        (&expired, 401, "key_expired"),
        (&early, 401, "key_not_yet_valid"),
        (&elsewhere, 403, "network_not_allowed"),
        (&live, 403, "wrong_environment"),
    ];
    for (method, _, target, scope) in SIGNED {
        let body = body_of(method);
        let expect = |seen: Seen, status, code: &str| {
            assert_eq!(seen.problem(), (status, code.to_owned()), "{method} {target}");
            if status == 401 {
                assert_eq!(seen.header("www-authenticate"), "Signature");
            }
        };
        let typed = [("content-type".to_owned(), "application/json".to_owned())];
        expect(ask(router, method, target, &typed, body).await, 401, "signature_missing");
        for (program, status, code) in refused {
            let fields = program.signed(method, target, body);
            expect(ask(router, method, target, &fields, body).await, status, code);
        }
        let others: Vec<Scope> = all.into_iter().filter(|other| *other != scope).collect();
        let wrong = served.made(&others, "", year()).await;
        expect(
            ask(router, method, target, &wrong.signed(method, target, body), body).await,
            403,
            "scope_missing",
        );
        // Who may is not refused for any of that, and once.
        let right = served.made(&[scope], "127.0.0.0/8", year()).await;
        let fields = right.signed(method, target, body);
        let seen = ask(router, method, target, &fields, body).await;
        assert!(!matches!(seen.status.as_u16(), 401 | 403 | 500..), "{method} {target}: {}", seen.status);
        expect(ask(router, method, target, &fields, body).await, 401, "signature_replayed");
        let fields = right.signed(method, target, body);
        expect(
            ask_from("192.0.2.1:1", router, method, target, &fields, body).await,
            403,
            "network_not_allowed",
        );
    }
}

/// Routes that nobody has to sign: method, target, type of a body.
const UNSIGNED: [(&str, &str, &str); 3] = [
    ("get", "/v1/exchanges", ""),
    ("post", "/v1/requests", "message/ohttp-req"),
    ("post", "/v1/envelopes/rewrap", "application/cbor"),
];

#[tokio::test]
async fn a_signature_that_nobody_asked_for_counts_or_the_request_is_refused() {
    // No enclave answers here: whoever is let in is told so soon.
    let limits = Limits { request: Duration::from_millis(50), ..Limits::default() };
    let served = Served::start_with(limits).await;
    let router = &served.rig.router;
    let revoked = served.made(&Scope::ALL, "", year()).await;
    let id = revoked.public().id();
    served.store.change(&RevokeKey { asker: id, id, by: by(Actor::Key(id)) }).await.unwrap();
    let elsewhere = served.made(&[Scope::KeysRead], "192.0.2.0/24", year()).await;
    let stranger = Program::new();
    let good = served.made(&[Scope::KeysRead], "", year()).await;
    let is_let_in = |seen: &Seen| !matches!(seen.status.as_u16(), 401 | 403);
    for (method, target, media) in UNSIGNED {
        let body = if media.is_empty() { "" } else { "sealed" };
        let signed = |program: &Program| program.signed_as(media, method, target, body);
        for (program, code) in
            [(&revoked, "key_revoked"), (&elsewhere, "network_not_allowed"), (&stranger, "not_signed")]
        {
            let seen = ask(router, method, target, &signed(program), body).await;
            assert_eq!(seen.problem().1, code, "{method} {target}");
        }
        let fields = signed(&good);
        assert!(is_let_in(&ask(router, method, target, &fields, body).await), "{method} {target}");
        let again = ask(router, method, target, &fields, body).await.problem();
        assert_eq!(again, (401, "signature_replayed".to_owned()), "{method} {target}");
        // Nobody has to, and what others sign is not ours.
        let typed = vec![("content-type".to_owned(), media.to_owned())];
        let mut others = if media.is_empty() { Vec::new() } else { typed };
        assert!(is_let_in(&ask(router, method, target, &others, body).await), "{method} {target}");
        others.push(("signature-input".to_owned(), "proxy=();tag=\"other\"".to_owned()));
        assert!(is_let_in(&ask(router, method, target, &others, body).await), "{method} {target}");
        if body.is_empty() {
            continue;
        }
        let other = ask(router, method, target, &signed(&good), "other").await.problem();
        assert_eq!(other, (400, "other_body".to_owned()), "{target}");
        let bare = good.signed_as(media, method, target, "");
        let typed = bare.into_iter().chain([("content-type".to_owned(), media.to_owned())]);
        let uncovered = ask(router, method, target, &typed.collect::<Vec<_>>(), body).await.problem();
        assert_eq!(uncovered, (401, "not_covered".to_owned()), "{target}");
    }
    served.identity.abort();
}

/// Each as a JSON parser reads it: the result of a PRF.
const PRF: [&str; 6] = [
    r#"{"clientExtensionResults":{"prf":{"enabled":true,"results":{"first":"c2VjcmV0"}}}}"#,
    r#"{"prf":{"results":null}}"#,
    r#"{"\u0070r\u0066":{"resul\u0074s":{"first":"c2VjcmV0"}}}"#,
    r#"{"prf":{},"prf":{"results":{"first":"c2VjcmV0"},"results":1}}"#,
    r#"[[{"a":{"prf":[{"results":"c2VjcmV0"}]}}]]"#,
    r#"{"credential":"{\"prf\":{\"results\":\"c2VjcmV0\"}}"}"#,
];

#[tokio::test]
async fn the_result_of_a_passkeys_prf_is_refused_and_counted_on_every_route_however_it_is_spelled() {
    let served = Served::start().await;
    let router = &served.rig.router;
    let signed = SIGNED.map(|(method, _, target, _)| (method, target));
    let personal = PERSONAL.map(|(method, _, target)| (method, target));
    let named =
        INTRODUCED.into_iter().chain(["post /v1/challenges"]).filter_map(|route| route.split_once(' '));
    let mut refused = 0;
    for (method, target) in named.chain(signed).chain(personal) {
        for body in PRF {
            let fields = served.first.signed(method, target, body);
            let seen = ask(router, method, target, &fields, body).await;
            assert_eq!(seen.problem(), (400, "prf_secret_sent".to_owned()), "{method} {target} {body}");
            assert!(!String::from_utf8_lossy(&seen.body).contains("c2VjcmV0"));
            refused += 1;
            assert_eq!(served.rig.state.prf_secrets.count(), refused);
        }
    }
    // No other route of nobody's reads JSON at all.
    for route in PUBLIC.into_iter().filter(|route| *route != "post /v1/challenges") {
        let (method, path) = route.split_once(' ').unwrap();
        let media = [("content-type".to_owned(), "application/json".to_owned())];
        let seen = ask(router, method, path, &media, PRF[0]).await;
        assert!(method == "get" || seen.status.as_u16() == 415, "{route}");
    }
    assert_eq!(served.rig.state.prf_secrets.count(), refused);
}

#[tokio::test]
async fn no_route_is_in_neither_list() {
    let rig = Rig::start(Limits::default());
    let seen = send(&rig.router, get("/openapi.json")).await;
    let document: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
    let mut served = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        served.extend(methods.as_object().unwrap().keys().map(|method| format!("{method} {path}")));
    }
    let signed = SIGNED.map(|(method, path, ..)| format!("{method} {path}"));
    let personal = PERSONAL.map(|(method, path, _)| format!("{method} {path}"));
    let named = PUBLIC.into_iter().chain(INTRODUCED).map(str::to_owned);
    assert_eq!(served, named.chain(signed).chain(personal).collect());
}

#[tokio::test]
async fn an_invitation_is_accepted_by_who_signs_with_the_key_and_has_the_code() {
    let served = Served::start().await;
    let router = &served.rig.router;
    let target = "/v1/invitations/accept";
    let program = Program::new();
    let body = serde_json::json!({
        "code": Code::from_random(&[0; 16]).reveal(), "name": "first", "algorithm": "ed25519",
        "public_key": program.public().base64(),
    });
    let body = body.to_string();
    let typed = [("content-type".to_owned(), "application/json".to_owned())];
    let ask = async |fields: &[(String, String)]| ask(router, "post", target, fields, &body).await.problem();
    assert_eq!(ask(&typed).await, (401, "signature_missing".to_owned()));
    assert_eq!(ask(&Program::new().signed("post", target, &body)).await, (401, "not_signed".to_owned()));
    assert_eq!(ask(&program.signed("post", target, &body)).await, (403, "invitation_refused".to_owned()));
}

#[tokio::test]
async fn what_arrives_is_what_was_signed_or_nothing() {
    let served = Served::start().await;
    let (router, first) = (&served.rig.router, &served.first);
    let (target, body) = ("/v1/keys", "{\"name\":\"a\"}");
    let fields = first.signed("post", target, body);
    let code = async |method: &str, target: &str, fields: &[(String, String)], body: &str| {
        ask(router, method, target, fields, body).await.problem().1
    };
    assert_eq!(code("post", "/v1/keys?a=1", &fields, body).await, "not_signed");
    assert_eq!(code("get", target, &fields, "").await, "not_signed");
    assert_eq!(code("post", target, &fields, "{\"name\":\"b\"}").await, "other_body");
    let long = "x".repeat(17 << 10);
    let fields = first.signed("post", target, &long);
    assert_eq!(code("post", target, &fields, &long).await, "body_too_large");
    let fields = first.signed("get", target, "");
    assert_eq!(code("get", target, &fields, "{}").await, "media_type_unsupported");
}

#[tokio::test]
async fn what_a_policy_forbids_names_it() {
    let served = Served::start().await;
    let (router, first) = (&served.rig.router, &served.first);
    let problem = async |program: &Program| {
        let seen = ask(router, "get", "/v1/keys", &program.signed("get", "/v1/keys", ""), "").await;
        let body: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
        (seen.status.as_u16(), body["code"].clone(), body["policy"].clone())
    };
    let base = "base/reading-other-keys-takes-its-scope";
    let none = served.made(&[], "", year()).await;
    assert_eq!(problem(&none).await, (403, "scope_missing".into(), base.into()));
    let text = r#"@id("no-lists") forbid (principal, action == Tensfer::Action::"keys.list", resource);"#;
    // As long as policies may be, each byte twice as long in JSON.
    let longest = format!("{text}{}", "\n".repeat(LONGEST - text.len()));
    let body = serde_json::json!({ "text": longest, "replaces": 0 }).to_string();
    let replaced =
        ask(router, "put", "/v1/policies", &first.signed("put", "/v1/policies", &body), &body).await;
    assert_eq!(replaced.status.as_u16(), 200);
    assert_eq!(problem(first).await, (403, "organisation_forbids".into(), "organisation/no-lists".into()));
    let ended = served.made(&[Scope::KeysRead], "", year()).await;
    let id = ended.public().id();
    served.store.change(&RevokeKey { asker: id, id, by: by(Actor::Key(id)) }).await.unwrap();
    assert_eq!(problem(&ended).await, (401, "key_revoked".into(), serde_json::Value::Null));
}

#[tokio::test]
async fn over_http_2_the_authority_is_what_was_signed_for() {
    let served = Served::start().await;
    let (router, first) = (&served.rig.router, &served.first);
    let target = "/v1/organisation";
    for (authority, status) in [(HOST, 200), ("localhost:8081", 421)] {
        let mut request =
            Request::builder().version(Version::HTTP_2).uri(format!("http://{authority}{target}"));
        for (name, value) in first.signed("get", target, "") {
            request = request.header(name, value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(from("127.0.0.1:1"));
        assert_eq!(send(router, request).await.status.as_u16(), status, "{authority}");
    }
}

#[tokio::test]
async fn without_identity_nobody_is_admitted_and_the_rest_goes_on() {
    let served = Served::start().await;
    let (router, first) = (&served.rig.router, &served.first);
    let target = "/v1/organisation";
    let ask_now = async || ask(router, "get", target, &first.signed("get", target, ""), "").await;
    assert_eq!(ask_now().await.status.as_u16(), 200);
    served.identity.abort();
    let _ = served.identity.await;
    let (status, code) = ask_now().await.problem();
    assert_eq!((status, code.as_str()), (503, "identity_gone"));
    assert_eq!(send(router, get("/v1/health")).await.status.as_u16(), 200);
}
