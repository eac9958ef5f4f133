//! The operations, and how a sealed request reaches one.

mod acknowledge;
mod act;
mod balances;
mod begin;
mod export;
mod finish;
mod forget;
mod inspect;
mod link;
mod prove;
mod read;
mod refresh;
mod renew;
mod revoke;
mod rewrap;
mod rotate;
mod spend;

use crate::calls::{Call, Finished, refusal_of};
use crate::connections::Standing;
use crate::connector::{self, Connector, Credential, Grant, Outcome};
use crate::credentials::{CredentialName, HolderName};
use crate::enclave::Enclave;
use crate::envelope::{self, Share};
use crate::hash::sha256;
use crate::limits::REFRESH_BEFORE_MS;
use crate::network::{self, Account};
use crate::nonces::Requester;
use crate::provider::{Provider, Run};
use crate::reply::Asker;
use crate::request::{Authorised, Consent, Danger, Factors, Fresh, Opened, SealedTo, body};
use crate::secret::SecretBytes;
use minicbor::bytes::ByteSlice;
use wire::action::{Inquiry, Instruction};
use wire::envelope::Purpose;
use wire::operation::{Balances, Link, Nothing, Op, Rotate};
use wire::record::Query;
use wire::request::{self, SignedRequest};
use wire::{Canonical, ConnectionId, Refusal};

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
}

impl Enclave {
    /// Takes a sealed request. What cannot be opened is refused by number; everything else gets a sealed reply.
    pub(crate) fn request(&mut self, stream: u32, bytes: &[u8]) {
        if self.surroundings.outbox.is_full() {
            return self.surroundings.outbox.refuse(stream, Refusal::Overloaded);
        }
        let opened = match Opened::open(&self.keys, bytes) {
            Ok(opened) => opened,
            Err(refusal) => return self.surroundings.outbox.refuse(stream, refusal),
        };
        let Opened { plaintext, sealed_to, reply } = opened;
        let mut asker = Asker { stream, op: None, request: None, chain: None, seal: reply };
        let next = self.read(&plaintext, &sealed_to, &mut asker);
        if next.is_err() {
            asker.request.get_or_insert_with(|| sha256(&plaintext));
        }
        self.go_on(asker, next);
    }

    fn go_on(&mut self, asker: Asker, next: Result<Next, Refusal>) {
        match next {
            Ok(Next::Done(result)) => self.reply(asker, Ok(result)),
            Ok(Next::Ask(call)) => self.calls.start(asker, *call, &mut self.surroundings),
            Err(refusal) => self.reply(asker, Err(refusal)),
        }
    }

    /// Answers the operations whose providers have answered, or never will.
    pub(crate) fn finish_calls(&mut self) {
        while let Some(Finished { mut asker, work, outcome, doubtful, prices }) = self.calls.next_finished() {
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
        }
    }

    fn read(&mut self, plaintext: &[u8], sealed_to: &SealedTo, asker: &mut Asker) -> Result<Next, Refusal> {
        let content = body(plaintext)?;
        let message = request::Authorised::from_bytes(&content).map_err(|_| Refusal::Malformed)?;
        let hash = *asker.request.insert(sha256(message.request));
        let request = SignedRequest::from_bytes(message.request).map_err(|_| Refusal::Malformed)?;
        asker.op = Some(request.op);
        let fresh = Fresh::check(&request, sealed_to, &self.surroundings.clock, &self.nonces)?;
        self.run(Incoming { fresh, message: &message, request: &request, hash }, asker)
    }

    fn run(&mut self, incoming: Incoming<'_, '_>, asker: &mut Asker) -> Result<Next, Refusal> {
        let args = incoming.request.args;
        match incoming.request.op {
            Op::Link => {
                let link: Link<'_> = parse(args)?;
                self.link(incoming, &link, asker)
            }
            op @ (Op::Balances | Op::Read | Op::Preview | Op::Act | Op::Status) => {
                let danger = asked(op, args)?;
                let admitted = self.admit(incoming, danger, asker)?;
                self.perform(admitted, op, args)
            }
            Op::Rotate => {
                let change: Rotate<'_> = parse(args)?;
                let rotation = rotate::read(&change)?;
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
            Op::Refresh => {
                let admitted = self.admit_bare(incoming, asker)?;
                self.refresh(admitted)
            }
            Op::Revoke => {
                let admitted = self.admit_bare(incoming, asker)?;
                self.revoke(admitted)
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
        let Incoming { fresh, message, request, .. } = incoming;
        let share = Share::parse(request.share.ok_or(Refusal::Malformed)?)?;
        let opened = envelope::open(request.envelope.ok_or(Refusal::Malformed)?, &share, &self.roots)?;
        if opened.header().purpose != Purpose::ExchangeCredential {
            return Err(Refusal::EnvelopeRefused);
        }
        let owners = &opened.contents().owners;
        let factors = Factors::of(request.op, danger);
        let new_owners = match danger {
            Danger::Rotation(rotation) => rotation.owners.as_deref(),
            Danger::None | Danger::Action(_) => None,
        };
        let consent = Consent::check(message, factors, owners, new_owners)?;
        let exchange = &opened.contents().exchange;
        let name = opened.lend_credential(|credential| self.credentials.name(exchange, credential));
        let requester = Requester::Holder(HolderName::of(opened.header().connection, name));
        let clock = &mut self.surroundings.clock;
        let authorised = Authorised::spend(consent, fresh, requester, clock, &mut self.nonces)?;
        let standing = self.connections.admit(opened.header(), name)?;
        asker.chain = Some((opened.header().connection, authorised.last_receipt));
        if standing == Standing::Pending && !matches!(request.op, Op::Inspect | Op::Acknowledge) {
            return Err(Refusal::GenerationPending);
        }
        let mut admitted = Admitted { opened, share, name, stored: name, standing, _authorised: authorised };
        if let Some((name, credential)) = self.held.replacement(name) {
            admitted.replace(name, credential);
        }
        Ok(admitted)
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
