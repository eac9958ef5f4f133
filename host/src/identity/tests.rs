//! Requests before a whole identity over a database of its own, as a gateway brings them: who is admitted, to what, and what a gateway
//! that is not ours any more cannot do.

mod admission;
pub(crate) mod authenticator;
mod corpus;
mod people;
mod policies;
mod recovery;
mod step_up;
mod tokens;
mod vectors;

use super::ask::{Denied, Head, HeadField};
use super::serve::Shared;
use super::*;
use crate::calls::Operation;
use crate::signatures::{Algorithm, Authority, Request, Scheme, Signer, SigningKey, Stamp, sign};
use crate::store::{AddKey, Database, Provenance, RevokeKey};
use crate::testing::Folder;
use authenticator::parties;
use aws_lc_rs::signature::Ed25519KeyPair;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use wire::{Canonical, EventId, KeyId, OrganisationId, UnixMillis};

pub const HOST: &str = "localhost:8080";
/// Identity starts.
pub const START: UnixMillis = UnixMillis(1_800_000_000_000);
/// Requests are signed: later than what it takes nothing from.
pub const NOW: UnixMillis = START.plus(60_000);

/// A program, with its key pair.
pub struct Program {
    pub signing: SigningKey,
    pub public: Public,
}

/// What a program asks.
#[derive(Clone)]
pub struct Asking {
    pub method: &'static str,
    pub target: String,
    pub fields: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    pub peer: &'static str,
    pub signed: UnixMillis,
}

pub struct Rig {
    pub shared: Shared,
    _folder: Folder,
}

impl Program {
    pub fn new() -> Program {
        let document = Ed25519KeyPair::generate().unwrap().to_pkcs8().unwrap();
        let signing = SigningKey::from_pkcs8(Algorithm::Ed25519, document.as_ref()).unwrap();
        let public = Public::new(Algorithm::Ed25519, &signing.public()).unwrap();
        Program { signing, public }
    }

    pub fn id(&self) -> KeyId {
        self.public.id()
    }

    /// The head of a request that it signs.
    pub fn head(&self, asking: &Asking) -> Head {
        self.head_as(&self.id().to_string(), asking)
    }

    /// The same with another key's id.
    pub fn head_as(&self, keyid: &str, asking: &Asking) -> Head {
        let mut fields: Vec<(String, String)> =
            asking.fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        if !asking.body.is_empty() {
            fields.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        let names: Vec<String> = asking.fields.iter().map(|(name, _)| (*name).to_owned()).collect();
        let also: Vec<&str> = names.iter().map(String::as_str).collect();
        let added = {
            let borrowed = fields.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
            let request = Request::new(Scheme::Http, asking.method, HOST, &asking.target, borrowed).unwrap();
            let nonce = nonce();
            let stamp = Stamp { created: asking.signed, lifetime: 60, nonce: &nonce };
            sign(&request, &asking.body, &also, Signer { key: &self.signing, keyid }, stamp).unwrap()
        };
        fields.extend(added.into_iter().map(|(name, value)| (name.to_owned(), value)));
        let field = |(name, value): (String, String)| HeadField { name, value: value.into_bytes() };
        Head {
            request: format!("req_{:032x}", number()),
            is_https: false,
            method: asking.method.to_owned(),
            authority: HOST.to_owned(),
            target: asking.target.clone(),
            fields: fields.into_iter().map(field).collect(),
            peer: asking.peer.to_owned(),
        }
    }
}

impl Asking {
    pub fn get(target: &str) -> Asking {
        let (fields, body) = (Vec::new(), Vec::new());
        Asking { method: "GET", target: target.to_owned(), fields, body, peer: "127.0.0.1", signed: NOW }
    }

    pub fn post(target: &str, body: &Value) -> Asking {
        Asking { method: "POST", body: body.to_string().into_bytes(), ..Asking::get(target) }
    }

    pub fn revoke(key: &str) -> Asking {
        Asking { method: "POST", ..Asking::get(&format!("{key}/revoke")) }
    }
}

impl Rig {
    pub async fn start() -> Rig {
        let folder = Folder::new();
        let store = Database::Sqlite(folder.path().join("identity.db")).open().await.unwrap();
        let authorities = vec![Authority::parse(Scheme::Http, HOST).unwrap()];
        let place = Place { authorities, environment: Environment::Sandbox, parties: parties() };
        Rig { shared: Shared::new(store, place, START).unwrap(), _folder: folder }
    }

    /// A program whose key is an organisation's first.
    pub async fn program(&self) -> (Program, OrganisationId) {
        let program = Program::new();
        let invited = self.invite().await;
        self.accept(&program, &invited.code).await.unwrap();
        (program, OrganisationId::parse(&invited.organisation).unwrap())
    }

    pub async fn invite(&self) -> Invited {
        let question = NewOrganisation { name: "Example Ltd.".to_owned() }.to_bytes();
        let answer = self.shared.carry_out(Operation::CreateOrganisation, &question, NOW).await.unwrap();
        Invited::from_bytes(&answer).unwrap()
    }

    pub async fn accept(&self, program: &Program, code: &str) -> Result<(u16, Value), Denied> {
        let body = json!({ "code": code, "name": "first", "algorithm": "ed25519", "public_key": program.public.base64() });
        let asking = Asking::post("/v1/invitations/accept", &body);
        self.introduce(program.head(&asking), asking.body).await
    }

    pub async fn introduce(&self, head: Head, body: Vec<u8>) -> Result<(u16, Value), Denied> {
        let introduction = Introduction { head, body }.to_bytes();
        read(&self.shared.carry_out(Operation::Introduce, &introduction, NOW).await?)
    }

    /// A key that another made, with these rights.
    pub async fn made_by(&self, maker: &Program, rights: Rights) -> Program {
        let made = Program::new();
        let validity = Validity::starting(START);
        let new =
            NewKey { name: Name::parse("made").unwrap(), public: made.public.clone(), rights, validity };
        self.shared.store.change(&AddKey { maker: maker.id(), new, by: by(maker) }).await.unwrap();
        made
    }

    pub async fn revoke(&self, program: &Program) {
        let change = RevokeKey { asker: program.id(), id: program.id(), by: by(program) };
        self.shared.store.change(&change).await.unwrap();
    }

    pub async fn admit(&self, head: &Head) -> Result<String, Denied> {
        self.admit_at(head, NOW).await
    }

    pub async fn admit_at(&self, head: &Head, now: UnixMillis) -> Result<String, Denied> {
        let token = self.shared.carry_out(Operation::Admit, &head.to_bytes(), now).await?;
        Ok(String::from_utf8(token).unwrap())
    }

    /// Admits and carries out, as a gateway does.
    pub async fn ask(&self, program: &Program, asking: &Asking) -> Result<(u16, Value), Denied> {
        let token = self.admit(&program.head(asking)).await?;
        self.pass_on(token, asking.body.clone(), NOW).await
    }

    pub async fn pass_on(
        &self,
        token: String,
        body: Vec<u8>,
        now: UnixMillis,
    ) -> Result<(u16, Value), Denied> {
        let admitted = Admitted { token, body }.to_bytes();
        read(&self.shared.carry_out(Operation::AskIdentity, &admitted, now).await?)
    }
}

/// The refusal, whichever policy it is by.
pub fn why<T: core::fmt::Debug>(outcome: Result<T, Denied>) -> Option<super::Refusal> {
    match outcome {
        Err(Denied::Refused(refusal) | Denied::Forbidden(refusal, _)) => Some(refusal),
        Err(Denied::Unsigned(_)) | Ok(_) => None,
    }
}

fn read(answer: &[u8]) -> Result<(u16, Value), Denied> {
    let Reply { status, body } = Reply::from_bytes(answer).unwrap();
    Ok((status, serde_json::from_str(&body).unwrap()))
}

pub fn by(program: &Program) -> Provenance {
    let event = EventId(u128::from(number()).to_be_bytes());
    let request = RequestName::parse(&format!("req_{:032x}", number())).unwrap();
    Provenance { event, actor: Actor::Key(program.id()), now: NOW, request }
}

pub fn sandbox(scopes: &[Scope], networks: &str) -> Rights {
    let (scopes, networks) = (scopes.iter().copied().collect(), Networks::parse(networks).unwrap());
    Rights { scopes, environment: Environment::Sandbox, networks }
}

fn nonce() -> String {
    format!("{:022}", number())
}

fn number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1 << 40);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn program_of(transaction: &Transaction<'_>) -> (KeyId, OrganisationId) {
    match transaction.asker() {
        Asker::Program(program) => (program.key, program.organisation),
        Asker::Person(person) => panic!("{person:?}"),
    }
}
