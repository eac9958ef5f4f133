//! The operations, and how a sealed request reaches one.

mod acknowledge;
mod act;
mod balances;
mod begin;
mod confirm_backup;
mod export;
mod finish;
mod forget;
mod grant;
mod granted;
mod hand_on;
mod inspect;
mod keys;
mod link;
mod panic;
mod prove;
mod read;
mod refresh;
mod renew;
mod revoke;
mod rewrap;
mod rotate;
mod rotate_key;
mod spend;
mod take_in;

use crate::calls::{Call, Finished, refusal_of};
use crate::connections::Standing;
use crate::connector::{self, Connector, Credential, Grant, Outcome};
use crate::credentials::{CredentialName, HolderName};
use crate::enclave::Enclave;
use crate::envelope::{self, Share, layout};
use crate::hash::sha256;
use crate::limits::REFRESH_BEFORE_MS;
use crate::line::{LookedUp, Release};
use crate::network::{self, Account};
use crate::nonces::Requester;
use crate::provider::{Provider, Run};
use crate::reply::Asker;
use crate::request::{Authorised, Consent, Danger, Factors, Fresh, Opened, SealedTo, body};
use crate::secret::SecretBytes;
use minicbor::bytes::ByteSlice;
use wire::action::{Inquiry, Instruction};
use wire::authorisation::Begin;
use wire::envelope::Purpose;
use wire::grant::{End, GRANTABLE, Make};
use wire::moving::{Capsule, HandOn};
use wire::operation::{Balances, Link, Nothing, Op, Rotate};
use wire::proof::Challenge;
use wire::provider_key::RotateKey;
use wire::record::Query;
use wire::request::{self, SignedRequest};
use wire::{Canonical, ConnectionId, Refusal};
use zeroize::Zeroizing;

/// An envelope whose owner authorised this very operation on it, and that this start lets be used.
pub(crate) struct Admitted {
    opened: envelope::Opened,
    share: Share,
    /// Of the credential to use.
    name: CredentialName,
    /// Of the one that is in the envelope: another where the provider has replaced it, and its owner has not stored that
    /// yet.
    stored: CredentialName,
    standing: Standing,
    _authorised: Authorised,
}

impl Admitted {
    fn is_replaced(&self) -> bool {
        self.name != self.stored
    }

    /// Uses what a provider gave in the place of the credential.
    fn replace(&mut self, name: CredentialName, credential: SecretBytes) {
        self.name = name;
        self.opened.credential = credential;
    }
}

/// A request that belongs here and now, on its way to an operation.
struct Incoming<'r, 'b> {
    fresh: Fresh,
    message: &'r request::Authorised<'b>,
    request: &'r SignedRequest<'b>,
    /// SHA-256 of the signed request.
    hash: [u8; 32],
}

/// What became of a request that was read.
enum Read {
    Next(Next),
    /// The state of its connection is asked for first.
    LookUp(ConnectionId),
}

/// How an operation goes on.
enum Next {
    Done(Vec<u8>),
    /// Its provider is asked first.
    Ask(Box<Call<Work>>),
}

/// What an operation keeps while its provider is asked.
pub(crate) enum Work {
    Link(Box<link::Linking>),
    Balances(balances::Valuing),
    Read(read::Reading),
    Spend(spend::Spending),
    Act(act::Acting),
    Exchange(Box<Exchanging>),
}

/// What waits for an authorisation server.
pub(crate) enum Exchanging {
    Begin(begin::Beginning),
    Finish(finish::Finishing),
    Make(finish::Finishing),
    Refresh(refresh::Refreshing),
    Renew(Box<renew::Renewing>),
    Revoke(Admitted),
    RotateKey(Box<rotate_key::Rotating>),
    Panic(Box<panic::Ending>),
}

impl Enclave {
    /// Takes a sealed request. What cannot be opened is refused by number; everything else gets a sealed reply.
    pub(crate) fn request(&mut self, stream: u32, bytes: &[u8]) {
        if self.is_behind() {
            return self.surroundings.outbox.refuse(stream, Refusal::Overloaded);
        }
        let opened = match Opened::open(&self.keys, bytes) {
            Ok(opened) => opened,
            Err(refusal) => return self.surroundings.outbox.refuse(stream, refusal),
        };
        let Opened { plaintext, sealed_to, reply } = opened;
        let asker = Asker {
            stream,
            op: None,
            request: None,
            chain: None,
            admitted: None,
            granted: None,
            seal: reply,
        };
        self.hear(asker, plaintext, sealed_to);
    }

    /// Reads a request: for the first time, or again when the state of its connection is known.
    pub(crate) fn hear(&mut self, mut asker: Asker, plaintext: Zeroizing<Vec<u8>>, sealed_to: SealedTo) {
        let read = self.read(&plaintext, &sealed_to, &mut asker);
        if read.is_err() {
            asker.request.get_or_insert_with(|| sha256(&plaintext));
        }
        match read {
            Ok(Read::LookUp(id)) => self.look_up(LookedUp::new(asker, plaintext, sealed_to, id)),
            Ok(Read::Next(next)) => self.set_out(asker, next),
            Err(refusal) => self.go_on(asker, Err(refusal)),
        }
    }

    /// What changes something at a provider begins when it is certain that this start may still do it.
    fn set_out(&mut self, asker: Asker, next: Next) {
        match next {
            Next::Ask(call) if asker.granted.is_some() || asker.op.is_some_and(waits_for_a_head) => {
                self.calls.reserve(call.connection);
                // The head has what was counted of a grant.
                let counted = asker.granted.as_ref().map(|granted| granted.connection);
                self.release_of(Release::Call(Box::new((asker, *call))), counted);
            }
            next => self.go_on(asker, Ok(next)),
        }
    }

    fn go_on(&mut self, asker: Asker, next: Result<Next, Refusal>) {
        match next {
            Ok(Next::Done(_)) if !self.is_still_granted(&asker) => {
                self.reply(asker, Err(Refusal::GrantOver));
            }
            Ok(Next::Done(result)) => self.reply(asker, Ok(result)),
            Ok(Next::Ask(call)) => self.calls.start(asker, *call, &mut self.surroundings),
            Err(refusal) => self.reply(asker, Err(refusal)),
        }
    }

    /// Answers the operations whose providers have answered, or never will.
    pub(crate) fn finish_calls(&mut self) {
        while let Some(finished) = self.calls.next_finished() {
            self.finish(finished);
        }
    }

    pub(crate) fn finish(&mut self, finished: Finished<Work>) {
        let Finished { mut asker, work, outcome, doubtful, prices } = finished;
        let next = match work {
            Work::Link(linking) => self.linked(*linking, outcome, &mut asker).map(Next::Done),
            Work::Balances(valuing) => self.valued(&valuing, outcome, prices).map(Next::Done),
            Work::Read(reading) => self.page(&reading, outcome).map(Next::Done),
            Work::Exchange(exchanging) => self.exchanged(*exchanging, outcome),
            Work::Spend(spending) => self.spent(&spending, outcome).map(Next::Done),
            Work::Act(acting) => self.acted(&acting, outcome, doubtful).map(Next::Done),
        };
        self.go_on(asker, next);
    }

    fn exchanged(
        &mut self,
        exchanging: Exchanging,
        outcome: Result<Outcome, Refusal>,
    ) -> Result<Next, Refusal> {
        match exchanging {
            Exchanging::Begin(beginning) => self.pushed(&beginning, outcome).map(Next::Done),
            Exchanging::Finish(finishing) => self.finished(finishing, outcome),
            Exchanging::Make(finishing) => self.made(finishing, outcome),
            Exchanging::Refresh(refreshing) => self.refreshed(refreshing, outcome).map(Next::Done),
            Exchanging::Renew(renewing) => self.renewed(*renewing, outcome),
            Exchanging::Revoke(admitted) => self.revoked(&admitted, outcome).map(Next::Done),
            Exchanging::RotateKey(rotating) => self.rotating(*rotating, outcome),
            Exchanging::Panic(ending) => self.ending(*ending, outcome),
        }
    }

    fn read(&mut self, plaintext: &[u8], sealed_to: &SealedTo, asker: &mut Asker) -> Result<Read, Refusal> {
        let content = body(plaintext)?;
        let message = request::Authorised::from_bytes(&content).map_err(|_| Refusal::Malformed)?;
        let hash = *asker.request.insert(sha256(message.request));
        let request = SignedRequest::from_bytes(message.request).map_err(|_| Refusal::Malformed)?;
        asker.op = Some(request.op);
        let fresh = Fresh::check(&request, sealed_to, &self.surroundings.clock, &self.nonces)?;
        let held = self.line.check_held();
        // What its owner gives up is ended at its provider, whoever has the line; and what is handed on changes nothing, here or
        // anywhere. Nothing else begins without it, and what does not end something does not begin while nobody witnesses.
        match request.op {
            Op::Panic | Op::HandOn => {}
            Op::Revoke => held?,
            _ => self.line.check_open()?,
        }
        let unknown = |id: &ConnectionId| held.is_ok() && !self.connections.knows(*id);
        if let Some(id) = connection_of(&request).filter(unknown) {
            return Ok(Read::LookUp(id));
        }
        self.run(Incoming { fresh, message: &message, request: &request, hash }, asker).map(Read::Next)
    }

    fn run(&mut self, incoming: Incoming<'_, '_>, asker: &mut Asker) -> Result<Next, Refusal> {
        let args = incoming.request.args;
        if incoming.request.grant.is_some() && !GRANTABLE.contains(&incoming.request.op) {
            return Err(Refusal::NotGranted);
        }
        match incoming.request.op {
            Op::Link => {
                let link: Link<'_> = parse(args)?;
                self.link(incoming, &link, asker)
            }
            op @ (Op::Balances | Op::Read | Op::Preview | Op::Act | Op::Status) => {
                let danger = asked(op, args)?;
                let admitted = match incoming.request.grant {
                    Some(grant) => self.admit_granted(incoming, grant, asker)?,
                    None => self.admit(incoming, danger, asker)?,
                };
                self.perform(admitted, op, args)
            }
            Op::Rotate => {
                let change: Rotate<'_> = parse(args)?;
                let rotation = rotate::read(&change, &self.statement.relying_parties)?;
                let admitted = self.admit(incoming, Danger::Rotation(&rotation), asker)?;
                self.rotate(&admitted, rotation).map(Next::Done)
            }
            Op::Acknowledge => {
                let admitted = self.admit_bare(incoming, asker)?;
                self.acknowledge(&admitted).map(Next::Done)
            }
            Op::Inspect => {
                let admitted = self.admit_bare(incoming, asker)?;
                Ok(Next::Done(inspect::inspect(&admitted)))
            }
            Op::Export => {
                let (export, hash) = (parse(args)?, incoming.hash);
                let admitted = self.admit(incoming, Danger::None, asker)?;
                export::export(&admitted, &export, &hash).map(Next::Done)
            }
            Op::Forget => {
                let admitted = self.admit_bare(incoming, asker)?;
                self.forget(&admitted).map(Next::Done)
            }
            Op::Begin => {
                let begin = parse(args)?;
                self.begin_authorisation(incoming, &begin, asker)
            }
            Op::Finish => {
                let finish = parse(args)?;
                self.finish_authorisation(incoming, &finish, asker)
            }
            Op::Challenge => {
                let challenge = parse(args)?;
                self.challenge(incoming, &challenge, asker).map(Next::Done)
            }
            Op::Prove => {
                let proof = parse(args)?;
                self.prove(incoming, &proof, asker).map(Next::Done)
            }
            Op::ConfirmBackup => {
                let confirm = parse(args)?;
                let admitted = self.admit(incoming, Danger::None, asker)?;
                self.confirm_backup(&admitted, &confirm).map(Next::Done)
            }
            Op::Refresh => {
                let admitted = self.admit_bare(incoming, asker)?;
                self.refresh(admitted)
            }
            Op::Revoke => {
                let admitted = self.admit_bare(incoming, asker)?;
                self.revoke(admitted)
            }
            Op::RotateKey => {
                let RotateKey { step } = parse(args)?;
                let admitted = self.admit(incoming, Danger::None, asker)?;
                self.rotate_key(admitted, step)
            }
            Op::Panic => {
                let admitted = self.admit_bare(incoming, asker)?;
                self.panic(admitted)
            }
            Op::HandOn => {
                let asked: HandOn = parse(args)?;
                let admitted = self.admit(incoming, Danger::None, asker)?;
                // Nothing is recorded of it, so it is in no chain of receipts either.
                asker.chain = None;
                self.hand_on(&admitted, &asked).map(Next::Done)
            }
            Op::TakeIn => {
                let capsule: Capsule = parse(args)?;
                self.take_in(incoming, &capsule, asker).map(Next::Done)
            }
            Op::Grant => {
                let make: Make = parse(args)?;
                let admitted = self.admit(incoming, Danger::None, asker)?;
                self.grant(&admitted, &make).map(Next::Done)
            }
            Op::Ungrant => {
                let end: End = parse(args)?;
                let admitted = self.admit(incoming, Danger::None, asker)?;
                Ok(Next::Done(self.ungrant(&admitted, end)))
            }
            Op::Grants => {
                let admitted = self.admit_bare(incoming, asker)?;
                Ok(Next::Done(self.grants(&admitted)))
            }
        }
    }

    /// The operations that ask the provider by its connector, or the nodes of a chain.
    fn dispatch(&mut self, admitted: &Admitted, op: Op, args: &[u8]) -> Result<Next, Refusal> {
        let args: &ByteSlice = args.into();
        match op {
            Op::Balances => self.balances(admitted, parse(args)?),
            Op::Read => self.ask_for_page(admitted, &parse(args)?),
            Op::Status => {
                let inquiry: Inquiry = parse(args)?;
                match provider_of(admitted)? {
                    Provider::Network(network) => {
                        self.spend(admitted, network, Op::Status, &inquiry.instruction)
                    }
                    Provider::Exchange(_) => self.status(admitted, inquiry),
                }
            }
            op => {
                let instruction: Instruction = parse(args)?;
                match (op, provider_of(admitted)?) {
                    (op, Provider::Network(network)) => self.spend(admitted, network, op, &instruction),
                    (Op::Act, Provider::Exchange(connector)) => self.act(admitted, connector, instruction),
                    (_, Provider::Exchange(_)) => self.preview(admitted, instruction),
                }
            }
        }
    }

    /// For the operations without arguments.
    fn admit_bare(&mut self, incoming: Incoming<'_, '_>, asker: &mut Asker) -> Result<Admitted, Refusal> {
        let Nothing {} = parse(incoming.request.args)?;
        self.admit(incoming, Danger::None, asker)
    }

    /// Asks the provider of an admitted envelope, with its credential.
    fn ask(
        &mut self,
        admitted: &Admitted,
        wants_prices: bool,
        plan: impl FnOnce(Provider) -> Result<(connector::Operation, Work), Refusal>,
    ) -> Result<Next, Refusal> {
        let connection = admitted.opened.header().connection;
        self.calls.check_room(connection)?;
        let provider = provider_of(admitted)?;
        let prices = provider.priced_by().filter(|_| wants_prices);
        let (operation, work) = plan(provider)?;
        let name = admitted.name;
        let (run, tls12) = match provider {
            Provider::Exchange(connector) => {
                let credential =
                    admitted.opened.lend_credential(|json| Credential::from_json(connector, json));
                let credential = credential.map_err(|_| Refusal::CredentialMalformed)?;
                if credential.is_over(self.surroundings.clock.now().0, REFRESH_BEFORE_MS) {
                    return Err(Refusal::RefreshNeeded);
                }
                (self.begin(connector, operation, credential, name)?, connector.tls12)
            }
            Provider::Network(network) => {
                let account = admitted.opened.lend_credential(|json| Account::from_json(network, json));
                let account = account.map_err(|_| Refusal::CredentialMalformed)?;
                let run = network::Run::start(network, operation, account);
                let run = run.map_err(|_| Refusal::NotOffered)?;
                self.credentials.take(name);
                (Run::Network(Box::new(run)), false)
            }
        };
        Ok(Next::Ask(Box::new(Call { work, connection, name, run, tls12, prices, must_end: false })))
    }

    /// Begins a run of the connector engine with the nonces of its credential, which are taken into use.
    fn begin(
        &mut self,
        connector: &'static connector::Connector,
        operation: connector::Operation,
        credential: Credential,
        name: CredentialName,
    ) -> Result<Run, Refusal> {
        let (nonce, skew_ms) = self.credentials.take(name);
        let run = connector::Run::start(connector, operation, Some(credential), skew_ms, nonce);
        run.map(|run| Run::Exchange(Box::new(run))).map_err(|fault| {
            self.credentials.release(name, None);
            refusal_of(&fault)
        })
    }

    /// Opens the envelope, checks its owner's signatures, spends the request, then checks whether the envelope's
    /// generation may be used.
    fn admit(
        &mut self,
        incoming: Incoming<'_, '_>,
        danger: Danger<'_>,
        asker: &mut Asker,
    ) -> Result<Admitted, Refusal> {
        let share = Share::parse(incoming.request.share.ok_or(Refusal::Malformed)?)?;
        let envelope = incoming.request.envelope.ok_or(Refusal::Malformed)?;
        let opened = envelope::open(envelope, &share, &self.roots)?;
        self.admit_opened(incoming, (opened, share), danger, asker)
    }

    /// The same of an envelope that opened with this share.
    fn admit_opened(
        &mut self,
        incoming: Incoming<'_, '_>,
        (opened, share): (envelope::Opened, Share),
        danger: Danger<'_>,
        asker: &mut Asker,
    ) -> Result<Admitted, Refusal> {
        let Incoming { fresh, message, request, .. } = incoming;
        if opened.header().purpose != Purpose::ExchangeCredential {
            return Err(Refusal::EnvelopeRefused);
        }
        let owners = &opened.contents().owners;
        let factors = Factors::of(request.op, danger, opened.header().class);
        let new_owners = match danger {
            Danger::Rotation(rotation) => rotation.owners.as_deref(),
            Danger::None | Danger::Action(_) => None,
        };
        let consent = Consent::check(message, factors, owners, new_owners, &self.statement.relying_parties)?;
        if factors == Factors::DeviceAndSecond && !self.line.is_witnessed() {
            return Err(Refusal::NoQuorum);
        }
        let exchange = &opened.contents().exchange;
        let name = opened.lend_credential(|credential| self.credentials.name(exchange, credential));
        let requester = Requester::Holder(HolderName::of(opened.header().connection, name));
        let clock = &mut self.surroundings.clock;
        let authorised = Authorised::spend(consent, fresh, requester, clock, &mut self.nonces)?;
        // Without the line nothing is known of the connection, and nothing recorded: only what ends it comes here then.
        let mut standing = Standing::Current;
        if self.line.check_held().is_ok() {
            standing = self.stand(&opened, name, request.op)?;
            asker.chain = Some((opened.header().connection, authorised.last_receipt));
            asker.admitted = Some(opened.header().clone());
        }
        if standing == Standing::Pending && !matches!(request.op, Op::Inspect | Op::Acknowledge | Op::Panic) {
            return Err(Refusal::GenerationPending);
        }
        let mut admitted = Admitted { opened, share, name, stored: name, standing, _authorised: authorised };
        if let Some((name, credential)) = self.held.replacement(name) {
            admitted.replace(name, credential);
        }
        Ok(admitted)
    }

    /// What an envelope that its owner authorised the use of is to this connection.
    fn stand(
        &mut self,
        opened: &envelope::Opened,
        name: CredentialName,
        op: Op,
    ) -> Result<Standing, Refusal> {
        match self.connections.admit(opened.header(), name) {
            // What could not be ended at its provider is ended again; nothing else is done with it.
            Err(Refusal::Forgotten) if op == Op::Panic => Ok(Standing::Current),
            standing => standing,
        }
    }
}

/// Whether an operation begins when a head was committed after its request was authorised (docs/spec/freshness.md §4): it
/// moves value, or uses up, makes or deletes what a provider gives once. What only ends something waits for nobody: given
/// twice it is over once, and an owner who gives up wants that at once.
const fn waits_for_a_head(op: Op) -> bool {
    matches!(op, Op::Act | Op::Finish | Op::Refresh | Op::RotateKey)
}

/// Which connection a request says it is about. Nobody has authorised it yet; one without has no form that is read on.
fn connection_of(request: &SignedRequest<'_>) -> Option<ConnectionId> {
    if let Some(envelope) = request.envelope {
        return layout::parse(envelope).ok().map(|layout| layout.header.connection);
    }
    match request.op {
        Op::Link => parse::<Link<'_>>(request.args).ok().map(|link| link.connection),
        Op::Begin => parse::<Begin<'_>>(request.args).ok().map(|begin| begin.connection),
        Op::Challenge => parse::<Challenge<'_>>(request.args).ok().map(|challenge| challenge.connection),
        _ => None,
    }
}

/// Whom an admitted envelope is linked to.
fn provider_of(admitted: &Admitted) -> Result<Provider, Refusal> {
    Provider::find(&admitted.opened.contents().exchange).ok_or(Refusal::UnknownExchange)
}

/// Asks a provider's authorisation server.
fn ask_server(
    exchanging: Exchanging,
    (connection, name): (ConnectionId, CredentialName),
    connector: &'static Connector,
    grant: Grant,
    must_end: bool,
) -> Next {
    let work = Work::Exchange(Box::new(exchanging));
    let (run, tls12) = (Run::Grant(Box::new(grant)), connector.tls12);
    Next::Ask(Box::new(Call { work, connection, name, run, tls12, prices: None, must_end }))
}

/// Checks the arguments of an operation that asks the provider, and says how dangerous it is.
fn asked(op: Op, args: &ByteSlice) -> Result<Danger<'static>, Refusal> {
    match op {
        Op::Balances => parse::<Balances>(args).map(|_| Danger::None),
        Op::Read => parse::<Query>(args).map(|_| Danger::None),
        Op::Status => {
            let inquiry: Inquiry = parse(args)?;
            inquiry.checked().map(|_| Danger::None).ok_or(Refusal::Malformed)
        }
        _ => {
            let instruction: Instruction = parse(args)?;
            instruction.checked().map(|_| Danger::Action(instruction.kind)).ok_or(Refusal::Malformed)
        }
    }
}

/// An operation's arguments: canonical, or refused.
fn parse<'b, T: Canonical<'b>>(args: &'b ByteSlice) -> Result<T, Refusal> {
    T::from_bytes(args).map_err(|_| Refusal::Malformed)
}
