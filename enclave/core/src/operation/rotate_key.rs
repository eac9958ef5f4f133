//! `rotate_key`: the provider makes a key with the rights of the one in use; it is tried, goes into the next generation, and
//! when its owner has stored that, the one before it is deleted.
//!
//! The key in use works until the new one is stored, and never less than one works. A key that was made and did not
//! reach its owner is found by its name, and deleted before another is made. `docs/spec/keys.md` has the table of what
//! breaks.

use super::keys::{key_name, member, own_key, superseded, told};
use super::link::capabilities;
use super::{Admitted, Enclave, Exchanging, Next, Work};
use crate::calls::Call;
use crate::connections::Standing;
use crate::connector::api_keys::RETIRES;
use crate::connector::{
    self, ApiKeys, Connector, Credential, Document, Granted, KeyQuestion, KeyRow, MadeKey, Operation, Outcome,
};
use crate::credentials::CredentialName;
use crate::envelope::{self, Rotation};
use crate::held::Replaced;
use crate::secret::SecretBytes;
use wire::capability::{Capability, Finding, State};
use wire::provider_key::{KeyMade, KeyRetired, Step};
use wire::{Canonical, Refusal};

/// What is kept while the provider is asked.
pub(crate) struct Rotating {
    connector: &'static Connector,
    admitted: Admitted,
    step: Step,
    stage: Stage,
}

/// What the provider is being asked.
enum Stage {
    Listing,
    /// The first of these ids is being deleted.
    Deleting {
        ids: Vec<String>,
        deleted: u32,
        own: KeyRow,
    },
    Creating {
        own: KeyRow,
    },
    /// Not held yet, if it is new.
    Trying {
        made: Option<NewKey>,
    },
    /// A key that was made and is not taken is being deleted again.
    Undoing {
        because: Refusal,
    },
}

/// A key that was made and is to be tried.
struct NewKey {
    name: CredentialName,
    credential: SecretBytes,
    id: Option<String>,
}

impl Enclave {
    pub(super) fn rotate_key(&mut self, admitted: Admitted, step: Step) -> Result<Next, Refusal> {
        let exchange = &admitted.opened.contents().exchange;
        let connector = connector::find(exchange).ok_or(Refusal::NotOffered)?;
        if connector.api_keys.as_ref().is_none_or(|keys| keys.create.is_none()) {
            return Err(Refusal::NotOffered);
        }
        self.calls.check_room(admitted.opened.header().connection)?;
        let is_held = admitted.is_replaced();
        match step {
            // It was made and tried before, and its owner has not stored it: the same is handed out again.
            Step::Make if is_held => {
                let rotating = Rotating { connector, admitted, step, stage: Stage::Trying { made: None } };
                self.try_key(rotating)
            }
            Step::Make => {
                self.held.reserve(replaced(&admitted))?;
                let rotating = Rotating { connector, admitted, step, stage: Stage::Listing };
                self.or_release(rotating, |enclave, rotating| enclave.ask_keys(rotating, &KeyQuestion::List))
            }
            Step::Retire if is_held => Err(Refusal::RefreshUnderWay),
            Step::Retire if admitted.opened.lend_credential(|json| member(json, RETIRES)).is_none() => {
                Ok(Next::Done(KeyRetired { deleted: 0 }.to_bytes()))
            }
            Step::Retire => {
                let rotating = Rotating { connector, admitted, step, stage: Stage::Listing };
                self.ask_keys(rotating, &KeyQuestion::List)
            }
        }
    }

    /// The provider has answered, or never will.
    pub(super) fn rotating(
        &mut self,
        rotating: Rotating,
        outcome: Result<Outcome, Refusal>,
    ) -> Result<Next, Refusal> {
        if matches!(rotating.stage, Stage::Trying { .. }) {
            return self.tried(rotating, outcome);
        }
        self.or_release(rotating, |enclave, mut rotating| {
            let stage = core::mem::replace(&mut rotating.stage, Stage::Listing);
            match (stage, told(outcome)) {
                // Whether it went or not: the next attempt finds it by its name.
                (Stage::Undoing { because }, _) => Err(because),
                (_, Err(refusal)) => Err(refusal),
                (Stage::Listing, Ok(Granted::Keys(rows))) => enclave.listed(rotating, &rows),
                (Stage::Deleting { ids, deleted, own }, Ok(Granted::Deleted)) => {
                    let left = ids.into_iter().skip(1).collect();
                    enclave.delete_keys(rotating, left, deleted + 1, own)
                }
                (Stage::Creating { own }, Ok(Granted::MadeKey(made))) => {
                    enclave.check_made(rotating, &own, &made)
                }
                _ => Err(Refusal::ProviderFailed),
            }
        })
    }

    /// Deletes what must go, then makes a key if one is wanted.
    fn listed(&mut self, rotating: Rotating, rows: &[KeyRow]) -> Result<Next, Refusal> {
        let connection = rotating.admitted.opened.header().connection;
        let found = rotating.admitted.opened.lend_credential(|json| {
            let own = own_key(rotating.connector, json, rows)?;
            Some((own.clone(), superseded(connection, json, own, rows)))
        });
        // A list without the key that asked for it is of something else.
        let (own, ids) = found.ok_or(Refusal::ProviderFailed)?;
        if rotating.step == Step::Make && own.pinned {
            return Err(Refusal::RightsWidened);
        }
        self.delete_keys(rotating, ids, 0, own)
    }

    fn delete_keys(
        &mut self,
        mut rotating: Rotating,
        ids: Vec<String>,
        deleted: u32,
        own: KeyRow,
    ) -> Result<Next, Refusal> {
        let Some(id) = ids.first().cloned() else {
            return match rotating.step {
                Step::Make => self.create_key(rotating, own),
                Step::Retire => Ok(Next::Done(KeyRetired { deleted }.to_bytes())),
            };
        };
        rotating.stage = Stage::Deleting { ids, deleted, own };
        self.ask_keys(rotating, &KeyQuestion::Delete { id: Some(&id) })
    }

    fn create_key(&mut self, mut rotating: Rotating, own: KeyRow) -> Result<Next, Refusal> {
        let name = key_name(rotating.admitted.opened.header().connection);
        let scope = own.scope.clone();
        rotating.stage = Stage::Creating { own };
        self.ask_keys(rotating, &KeyQuestion::Create { name: &name, scope: &scope })
    }

    /// Another key than the one in use, with no more rights: then it is tried.
    fn check_made(&mut self, mut rotating: Rotating, own: &KeyRow, made: &MadeKey) -> Result<Next, Refusal> {
        let stated = made.scope.as_deref();
        let is_same = made.id.as_deref() == Some(own.id.as_str());
        let named_by = rotating.connector.api_keys.as_ref().map(|keys| keys.named_by.as_str());
        let key = named_by.and_then(|name| member(made.fields.expose(), name));
        if is_same || key.is_none_or(|key| key == own.key) {
            return Err(Refusal::ProviderFailed);
        }
        if stated.is_some_and(|scope| !ApiKeys::is_within(scope, &own.scope)) {
            return self.undo(rotating, made.id.clone(), Refusal::RightsWidened);
        }
        let credential =
            rotating.admitted.opened.lend_credential(|json| with_key(json, &made.fields, &own.id));
        let Some(credential) = credential else {
            return self.undo(rotating, made.id.clone(), Refusal::ProviderFailed);
        };
        let name = self.credentials.name(&rotating.connector.id, credential.expose());
        rotating.stage = Stage::Trying { made: Some(NewKey { name, credential, id: made.id.clone() }) };
        self.try_key(rotating)
    }

    /// Asks what the new key may do, by the new key.
    fn try_key(&mut self, rotating: Rotating) -> Result<Next, Refusal> {
        let (connector, connection) = (rotating.connector, rotating.admitted.opened.header().connection);
        let read = |json: &[u8]| Credential::from_json(connector, json);
        let (name, credential) = match &rotating.stage {
            Stage::Trying { made: Some(made) } => (made.name, read(made.credential.expose())),
            _ => (rotating.admitted.name, rotating.admitted.opened.lend_credential(read)),
        };
        let credential = credential.map_err(|_| Refusal::ProviderFailed);
        let run = credential.and_then(|key| self.begin(connector, Operation::Capabilities, key, name));
        let run = match run {
            Ok(run) => run,
            Err(refusal) => return self.not_taken(rotating, refusal),
        };
        let work = Work::Exchange(Box::new(Exchanging::RotateKey(Box::new(rotating))));
        let (tls12, prices) = (connector.tls12, None);
        Ok(Next::Ask(Box::new(Call { work, connection, name, run, tls12, prices, must_end: true })))
    }

    /// It works and may do no more than the one before: from now on it is held for its owner.
    fn tried(&mut self, mut rotating: Rotating, outcome: Result<Outcome, Refusal>) -> Result<Next, Refusal> {
        let name = match &rotating.stage {
            Stage::Trying { made: Some(made) } => made.name,
            _ => rotating.admitted.name,
        };
        let skew_ms = outcome.as_ref().ok().and_then(|outcome| outcome.skew_ms);
        self.credentials.release(name, skew_ms);
        let found = match outcome.and_then(|outcome| capabilities(&outcome)) {
            Ok(found) => found,
            Err(refusal) => return self.not_taken(rotating, refusal),
        };
        let before = &rotating.admitted.opened.contents().finding.capabilities;
        if is_wider(&found, before) {
            return self.not_taken(rotating, Refusal::RightsWidened);
        }
        let stage = core::mem::replace(&mut rotating.stage, Stage::Listing);
        if let Stage::Trying { made: Some(NewKey { name, credential, .. }) } = stage {
            self.held.put(replaced(&rotating.admitted), name, &credential);
            rotating.admitted.replace(name, credential);
        }
        self.hand_out_key(rotating, found).map(Next::Done)
    }

    /// A key that is not taken is deleted again, by the one in use. One that is held already stays.
    fn not_taken(&mut self, rotating: Rotating, because: Refusal) -> Result<Next, Refusal> {
        match &rotating.stage {
            Stage::Trying { made: Some(made) } => {
                let id = made.id.clone();
                self.or_release(rotating, |enclave, rotating| enclave.undo(rotating, id, because))
            }
            _ => Err(because),
        }
    }

    /// Without its id it is found by its name when its owner tries again.
    fn undo(
        &mut self,
        mut rotating: Rotating,
        id: Option<String>,
        because: Refusal,
    ) -> Result<Next, Refusal> {
        let Some(id) = id else { return Err(because) };
        rotating.stage = Stage::Undoing { because };
        self.ask_keys(rotating, &KeyQuestion::Delete { id: Some(&id) })
    }

    /// The next generation, with the new key under a new data key, and what it may do.
    fn hand_out_key(&mut self, rotating: Rotating, found: Vec<Capability>) -> Result<Vec<u8>, Refusal> {
        let Rotating { mut admitted, .. } = rotating;
        let id = admitted.opened.header().connection;
        // As for tokens: nothing is made of an envelope that was superseded while the provider answered, and what is held
        // serves the one in use.
        if self.connections.standing(admitted.opened.header())? != Standing::Current {
            return Err(Refusal::GenerationPending);
        }
        let exchange = admitted.opened.contents().exchange.clone();
        let finding = self.finding_of(id, exchange, found);
        let signed = self.signatory.key.sign_finding(&finding);
        admitted.opened.contents.finding = finding;
        let generation = self.connections.next_generation(id)?;
        let rotation = Rotation { data_key: true, generation: Some(generation), ..Rotation::default() };
        let envelope = envelope::rotate(
            &admitted.opened,
            &admitted.share,
            &rotation,
            &self.roots,
            &mut *self.surroundings.entropy,
        )?;
        self.connections.set_pending(id, generation);
        let epoch = envelope.wrap.epoch;
        Ok(KeyMade { envelope: envelope.to_bytes(), generation, epoch, finding: signed }.to_bytes())
    }

    fn ask_keys(&mut self, rotating: Rotating, question: &KeyQuestion<'_>) -> Result<Next, Refusal> {
        let holder = (rotating.admitted.opened.header().connection, rotating.admitted.name);
        let connector = rotating.connector;
        let credential = rotating.admitted.opened.lend_credential(SecretBytes::copied);
        let exchanging = Exchanging::RotateKey(Box::new(rotating));
        self.ask_about_keys(holder, connector, credential.expose(), question, exchanging)
    }

    /// Ends the exclusive use of the key in use where nothing came of it.
    fn or_release(
        &mut self,
        rotating: Rotating,
        work: impl FnOnce(&mut Enclave, Rotating) -> Result<Next, Refusal>,
    ) -> Result<Next, Refusal> {
        let (step, replaced) = (rotating.step, replaced(&rotating.admitted));
        let next = work(self, rotating);
        if next.is_err() && step == Step::Make {
            self.held.give_up(replaced);
        }
        next
    }
}

fn replaced(admitted: &Admitted) -> Replaced {
    Replaced::Credential { stored: admitted.stored, spent: admitted.name }
}

/// The credential with another key in it, which takes the place of the one of that id.
fn with_key(before: &[u8], made: &SecretBytes, own_id: &str) -> Option<SecretBytes> {
    let document = Document::parse(made.expose()).ok()?;
    let mut set = Vec::new();
    let names: Vec<String> = document.root().members().map(|(name, _)| name.text().into_owned()).collect();
    let texts: Vec<_> = names.iter().filter_map(|name| connector::text(&document, name)).collect();
    for (name, text) in names.iter().zip(&texts) {
        set.push((name.as_str(), text.0.as_ref()));
    }
    set.push((RETIRES, own_id));
    connector::changed(before, &set, &[])
}

/// Whether something is allowed that was known not to be.
fn is_wider(found: &[Capability], before: &[Capability]) -> bool {
    const LIMITS: [&str; 2] = ["ip_restricted", "expires"];
    let was = |name: &str| before.iter().find(|known| known.name == name).map(|known| known.state);
    found.iter().any(|now| match was(&now.name) {
        // What limits a key must not be gone.
        Some(State::Yes) if LIMITS.contains(&now.name.as_str()) => now.state != State::Yes,
        Some(State::No) if !LIMITS.contains(&now.name.as_str()) => now.state == State::Yes,
        _ => false,
    })
}

impl Enclave {
    fn finding_of(
        &self,
        connection: wire::ConnectionId,
        exchange: String,
        found: Vec<Capability>,
    ) -> Finding {
        let now = self.surroundings.clock.now();
        Finding {
            connection,
            exchange,
            capabilities: found,
            found: now,
            expires: now.plus(crate::limits::FINDING_MS),
        }
    }
}
