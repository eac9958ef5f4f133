//! One verified enclave for the length of one command: what is sealed goes to it, what comes back is checked.
//!
//! Every command verifies anew (m20).

use crate::client::clock::now;
use crate::client::encode::canonical_secret;
use crate::client::failure::{Failure, Fault, Result};
use crate::client::gateway::Gateway;
use crate::client::home::Home;
use crate::client::home::environment::Environment;
use crate::client::home::key_file::random;
use crate::client::home::keys::{SigningKey, sha256};
use crate::client::home::marks::Marks;
use crate::client::home::realm::Realm;
use crate::client::home::versions::Met;
use crate::client::notices;
use crate::client::terminal::{Progress, say};
use minicbor::bytes::ByteSlice;
use std::sync::{Arc, Mutex, PoisonError};
use verify::client::Outcome;
use verify::expect::Version;
use verify::measurement::Registers;
use verify::receipt::{About, Last};
use verify::{Expect, Refused, Verdict, bhttp, receipt};
use wire::consent::Class;
use wire::identity::{Identity, WIRE_VERSION};
use wire::operation::Op;
use wire::receipt::Receipt;
use wire::request::{Authorised, MAX_VALIDITY_MS, SignedRequest};
use wire::transcript::domain;
use wire::{BootId, ConnectionId, GrantId, Refusal};

/// The one resource inside the seal.
const PATH: &str = "/v1/operation";

pub struct Session {
    gateway: Gateway,
    expect: Expect,
    realm: Realm,
    environment: Environment,
    marks: Marks,
    verdict: Mutex<Arc<Verdict>>,
}

/// Evidence that was verified, with all that another verification takes.
pub struct Shown {
    /// As received.
    pub evidence: Vec<u8>,
    pub nonce: [u8; 32],
    pub registers: Registers,
}

/// One operation on one connection.
pub struct Call<'a> {
    pub op: Op,
    /// Canonical CBOR.
    pub args: &'a [u8],
    pub connection: ConnectionId,
    pub envelope: Option<&'a [u8]>,
    pub share: &'a [u8; 32],
    pub signers: Vec<&'a SigningKey>,
    /// Of the last receipt: counter and hash.
    pub last: (u64, Option<[u8; 32]>),
    pub by: By<'a>,
}

/// By whose word something is asked.
#[derive(Clone, Copy)]
pub enum By<'a> {
    Owner,
    /// The owner is away: whom they named asks. `used` is the number of the last use that is known.
    Grant {
        id: GrantId,
        grant: &'a [u8],
        used: u64,
    },
}

/// What the enclave said, with its receipt: signed by the verified enclave, and about this very request and reply.
pub struct Answer {
    pub outcome: std::result::Result<Vec<u8>, Refusal>,
    pub receipt: Receipt,
    pub receipt_hash: [u8; 32],
    /// The receipt as it came: COSE_Sign1, checked.
    pub signed_receipt: Vec<u8>,
    /// SHA-256 of the signed request.
    pub request_hash: [u8; 32],
    /// The identity that answered.
    pub identity: Identity,
    /// The grant by which it was asked, if it came back in another epoch.
    pub grant: Option<Vec<u8>>,
}

impl<'a> By<'a> {
    fn grant(self) -> Option<&'a [u8]> {
        match self {
            By::Owner => None,
            By::Grant { grant, .. } => Some(grant),
        }
    }

    fn id(self) -> Option<GrantId> {
        match self {
            By::Owner => None,
            By::Grant { id, .. } => Some(id),
        }
    }

    /// What a signature is for.
    const fn domain(self) -> &'static str {
        match self {
            By::Owner => domain::OWNER_REQUEST,
            By::Grant { .. } => domain::GRANTED_REQUEST,
        }
    }

    /// Of a grant's uses the number alone counts: no other use follows from it.
    fn last(self) -> Option<Last> {
        match self {
            By::Grant { used, .. } if used > 0 => {
                Some(Last { counter: used, hash: [0; 32], boot: BootId([0; 16]) })
            }
            By::Owner | By::Grant { .. } => None,
        }
    }
}

/// A verified enclave, as the commands see it: tests put a scripted one in its place.
pub trait Enclave: Sync {
    fn realm(&self) -> Realm;
    fn environment(&self) -> Environment;
    /// The epoch that it seals this class's envelopes under; 0: none, it has no root of the class.
    fn current_epoch_of(&self, class: Class) -> u32;
    /// Verifies again: after a person took their time, or the enclave was replaced.
    fn refresh(&self) -> Result<()>;
    /// One request and its checked answer.
    fn call(&self, call: &Call<'_>) -> Result<Answer>;
}

impl Session {
    /// Verifies the server's enclave with a fresh nonce. Says so where it is only simulated.
    pub fn open(home: &Home, gateway: Gateway, expect: Expect) -> Result<Session> {
        let _progress = Progress::start("verifying the enclave");
        let verdict = examine(&gateway, &expect)?.verdict.map_err(|refused| explain_refused(&refused))?;
        home.meet(realm_of(&verdict), &met(&gateway, &verdict))?;
        Session::with(home, gateway, expect, verdict)
    }

    /// The same of an enclave that is to be left: its version may be below the highest that was met.
    pub fn open_former(home: &Home, gateway: Gateway, expect: Expect) -> Result<Session> {
        let _progress = Progress::start("verifying the old enclave");
        let verdict = examine(&gateway, &expect)?.verdict.map_err(|refused| explain_refused(&refused))?;
        Session::with(home, gateway, expect, verdict)
    }

    fn with(home: &Home, gateway: Gateway, mut expect: Expect, verdict: Verdict) -> Result<Session> {
        let (realm, environment) = (realm_of(&verdict), Environment::of(identity(&verdict)));
        // Whatever answers when this command verifies again reaches the same exchanges, and is no older.
        expect.environment = expect.environment.or(Some(environment.demand()));
        expect.minimum_version =
            expect.minimum_version.max(Version::parse(&identity(&verdict).build.version));
        if realm == Realm::Simulated {
            say("SIMULATED: this enclave is a development program and protects nothing; use test keys only");
        }
        notices::warn(home, realm, gateway.base(), identity(&verdict))?;
        let marks = home.marks(realm)?;
        Ok(Session { gateway, expect, realm, environment, marks, verdict: Mutex::new(Arc::new(verdict)) })
    }

    pub fn server(&self) -> &str {
        self.gateway.base()
    }

    /// What it says of itself.
    pub fn identity(&self) -> Identity {
        identity(&self.verdict()).clone()
    }

    /// What it says of itself, what was measured, and by which release it was accepted.
    pub fn program(&self) -> (Identity, Registers, Option<String>) {
        let verdict = self.verdict();
        let release = match &*verdict {
            Verdict::Hardware(verified) => verified.release(),
            Verdict::Simulated(verified) => verified.release(),
        };
        (identity(&verdict).clone(), registers(&verdict).clone(), release.map(str::to_owned))
    }

    /// Evidence over a fresh nonce, for somebody else to verify as well; verified here.
    pub fn show(&self) -> Result<Shown> {
        let nonce: [u8; 32] = random()?;
        let evidence = self.gateway.attestation(&nonce)?;
        let verdict = verify::client::check(&evidence, &nonce, &self.expect, now()).verdict;
        let verdict = verdict.map_err(|refused| explain_refused(&refused))?;
        let registers = registers(&verdict).clone();
        self.go_on_with(verdict)?;
        Ok(Shown { evidence, nonce, registers })
    }

    /// Verifies again by an expectation that was read anew: what goes on for long heeds a policy that changed meanwhile.
    /// The enclave is of the same realm and environment, and of no lower version than was ever worked with.
    pub fn renew(&self, home: &Home, mut expect: Expect) -> Result<()> {
        expect.environment = expect.environment.or(Some(self.environment.demand()));
        let verdict =
            examine(&self.gateway, &expect)?.verdict.map_err(|refused| explain_refused(&refused))?;
        let found = (realm_of(&verdict), Environment::of(identity(&verdict)));
        if found.0 != self.realm {
            return Err(Realm::mixed(self.realm, found.0));
        }
        if found.1 != self.environment {
            return Err(Environment::mixed(self.environment, found.1, self.server()));
        }
        home.meet(found.0, &met(&self.gateway, &verdict))?;
        notices::warn(home, found.0, self.server(), identity(&verdict))?;
        self.go_on_with(verdict)
    }

    fn go_on_with(&self, verdict: Verdict) -> Result<()> {
        if realm_of(&verdict) != self.realm {
            return Err(Realm::mixed(self.realm, realm_of(&verdict)));
        }
        *self.verdict.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(verdict);
        Ok(())
    }

    fn verdict(&self) -> Arc<Verdict> {
        Arc::clone(&self.verdict.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Enclave for Session {
    fn realm(&self) -> Realm {
        self.realm
    }

    fn environment(&self) -> Environment {
        self.environment
    }

    fn current_epoch_of(&self, class: Class) -> u32 {
        identity(&self.verdict()).epochs_of(class).map_or(0, |epochs| epochs.current)
    }

    fn refresh(&self) -> Result<()> {
        let verdict =
            examine(&self.gateway, &self.expect)?.verdict.map_err(|refused| explain_refused(&refused))?;
        self.go_on_with(verdict)
    }

    /// Signs, seals, sends, opens and checks.
    fn call(&self, call: &Call<'_>) -> Result<Answer> {
        let verdict = self.verdict();
        let identity = identity(&verdict).clone();
        // What is handed on says nothing of any state, and may come from an enclave that is behind it.
        let before = match call.op {
            Op::HandOn => self.marks.check_deployment(&identity, call.connection).map(|()| None)?,
            _ => Some(self.marks.before(&identity, call.connection)?),
        };
        let at = now();
        let sealer = match &*verdict {
            Verdict::Hardware(verified) => verified.sealer(at),
            Verdict::Simulated(verified) => verified.sealer(at),
        }
        .map_err(|refused| explain_refused(&refused))?;
        let request = SignedRequest {
            version: WIRE_VERSION,
            op: call.op,
            args: call.args.into(),
            envelope: call.envelope.map(Into::into),
            share: Some(call.share.as_slice().into()),
            nonce: random()?,
            issued: at,
            expires: at.plus(MAX_VALIDITY_MS),
            identity: identity_hash(&verdict),
            key: sealer.key_id(),
            encapsulated: sealer.encapsulated_key_hash(),
            last_counter: call.last.0,
            last_receipt: call.last.1,
            grant: call.by.grant().map(Into::into),
        };
        let room = call.args.len()
            + call.envelope.map_or(0, <[u8]>::len)
            + call.by.grant().map_or(0, <[u8]>::len)
            + 1024;
        let request = canonical_secret(&request, room);
        let content = authorise(call.by.domain(), &request, &call.signers);
        let message = bhttp::Request::post(PATH, content);
        let message = message.to_padded_bytes().map_err(|_| too_large())?;
        let (sealed, opener) = sealer.seal(&message).map_err(|_| too_large())?;
        let reply = self.gateway.request(&sealed)?;
        let reply =
            verify::client::open_reply(&opener, &reply).map_err(|refused| explain_refused(&refused))?;
        // The sequence is the record's to check: replies of this device may have been lost on the way.
        let about = About {
            op: call.op,
            connection: Some(call.connection),
            request: &request,
            reply: &reply,
            grant: call.by.id(),
            last: call.by.last(),
        };
        let checked = receipt::check(&identity, &about).map_err(|refused| explain_refused(&refused))?;
        if let Some(before) = &before {
            self.marks.see(before, &identity, call.connection, &reply)?;
        }
        Ok(Answer {
            outcome: match (reply.result, reply.refusal) {
                (Some(result), _) => Ok(result),
                (None, refusal) => Err(refusal.unwrap_or(Refusal::Internal)),
            },
            receipt_hash: checked.last.map_or([0; 32], |last| last.hash),
            receipt: checked.receipt,
            signed_receipt: reply.receipt,
            request_hash: sha256(&request),
            identity,
            grant: reply.grant,
        })
    }
}

/// Whether the enclave that was verified is gone: then a new verification may help, once.
pub fn is_replaced(answer: &Result<Answer>) -> bool {
    match answer {
        Ok(answer) => matches!(answer.outcome, Err(Refusal::UnknownKey | Refusal::WrongIdentity)),
        // The server's word, outside any seal: it costs a second request and no more.
        Err(failure) => ["unknown_key", "wrong_identity", "verification_expired", "no_sealing_key"]
            .contains(&failure.code),
    }
}

/// Asks for evidence over a fresh nonce and checks it, whatever comes of it.
pub fn examine(gateway: &Gateway, expect: &Expect) -> Result<Outcome> {
    let nonce: [u8; 32] = random()?;
    let evidence = gateway.attestation(&nonce)?;
    Ok(verify::client::check(&evidence, &nonce, expect, now()))
}

/// A check's refusal as a sentence.
pub fn explain_refused(refused: &Refused) -> Failure {
    let hint = match refused {
        Refused::EmptyPolicy => {
            "name the program that you expect, as its release lists it, with `--measurement PCR0=HEX` or once for all in \
             a policy file (`--policy`); for development only: `--dangerous-simulated FILE`, with the file that `tensfer \
             up` names when it starts"
        }
        Refused::SimulatedNotAllowed => {
            "for development only: name the running simulation's root with `--dangerous-simulated \
             FILE`, which `tensfer up` names when it starts; each start has a new one"
        }
        Refused::RootNotPinned => {
            "a simulation has a new root at each start: name the one of the running server with `--dangerous-simulated FILE`"
        }
        Refused::ClockSkew { .. } => "set this machine's clock (`timedatectl set-ntp true`), then try again",
        Refused::ReleaseOver | Refused::ReleaseNotYetValid => {
            "get the present release from who publishes it, and put it into your policy's folder (docs/spec/client.md §4)"
        }
        Refused::ReleaseMismatch => {
            "the program says another version, commit or connectors than its release: do not send it anything"
        }
        Refused::VersionTooOld => "the server runs an older program than your policy allows: do not use it",
        Refused::MeasurementMismatch => {
            "the server runs another program than you named: do not send it anything"
        }
        Refused::EnvironmentMismatch => {
            "name the server that you mean with `--server URL`; a real key must never go to a sandbox"
        }
        _ => "nothing secret was sent to it; try again, and if it stays do not use this server",
    };
    let fault = match refused {
        Refused::EmptyPolicy => "you did not say what to trust",
        Refused::ClockSkew { .. } => "this machine's clock is wrong",
        Refused::ReplyMalformed
        | Refused::ReceiptMalformed
        | Refused::ReceiptSignature
        | Refused::ReceiptMismatch => "the server's answer was refused",
        _ => "the server's enclave was refused",
    };
    Failure::new(Fault::Refused, refused.code(), format!("{fault}: {refused} ({})", refused.code()))
        .hint(hint)
}

fn authorise(domain: &str, request: &[u8], signers: &[&SigningKey]) -> zeroize::Zeroizing<Vec<u8>> {
    let signatures: Vec<Vec<u8>> = signers.iter().map(|key| key.sign(domain, request)).collect();
    let signatures: Vec<&ByteSlice> =
        signatures.iter().map(|signature| signature.as_slice().into()).collect();
    let room = request.len() + 256 * signatures.len() + 64;
    canonical_secret(&Authorised { request: request.into(), signatures }, room)
}

pub fn identity(verdict: &Verdict) -> &Identity {
    match verdict {
        Verdict::Hardware(verified) => verified.identity(),
        Verdict::Simulated(verified) => verified.identity(),
    }
}

/// The version of what was verified, under the names that it is known by.
pub fn met<'m>(gateway: &'m Gateway, verdict: &'m Verdict) -> Met<'m> {
    let release = match verdict {
        Verdict::Hardware(verified) => verified.release(),
        Verdict::Simulated(verified) => verified.release(),
    };
    Met { server: gateway.base(), release, version: &identity(verdict).build.version }
}

fn identity_hash(verdict: &Verdict) -> [u8; 32] {
    match verdict {
        Verdict::Hardware(verified) => verified.identity_hash(),
        Verdict::Simulated(verified) => verified.identity_hash(),
    }
}

fn registers(verdict: &Verdict) -> &Registers {
    match verdict {
        Verdict::Hardware(verified) => verified.registers(),
        Verdict::Simulated(verified) => verified.registers(),
    }
}

pub fn realm_of(verdict: &Verdict) -> Realm {
    match verdict {
        Verdict::Hardware(_) => Realm::Hardware,
        Verdict::Simulated(_) => Realm::Simulated,
    }
}

fn too_large() -> Failure {
    Failure::usage("your request is larger than the protocol allows")
}
