//! An owner, an enclave, an exchange, and somebody who holds a grant.

use crate::support::{Authority, Draft, Exchange, Key, Machine, NOW, Owner, Sealed, sandbox, sha256};
use verify::hpke::{Info, RecipientKey};
use wire::grant::{Body, End, Grant, Listed, Made, Make, Terms, share_info};
use wire::identity::SUITE;
use wire::operation::{Balances, Op};
use wire::owner::OwnerRole;
use wire::reply::Reply;
use wire::transcript::domain;
use wire::{Canonical, GrantId, Refusal};

pub const DAY: u64 = 24 * 3_600_000;

/// Whom a grant names, and what they keep.
pub struct Holder {
    pub key: Key,
    pub grant: Vec<u8>,
    pub share: Vec<u8>,
    pub envelope: Vec<u8>,
}

pub struct Scene {
    pub authority: Authority,
    pub machine: Machine,
    pub exchange: Exchange,
    pub owner: Owner,
}

/// What came back: the reply, and what it says.
pub struct Came {
    pub reply: Reply,
    pub receipt: wire::receipt::Receipt,
    pub result: Result<Vec<u8>, Refusal>,
}

/// Balances and histories, so many times, for a day.
pub fn terms(key: &Key, uses: u32) -> Terms {
    Terms {
        key: key.public.clone(),
        ops: vec![Op::Balances, Op::Read],
        from: NOW,
        expires: NOW.plus(DAY),
        uses,
        rate: None,
    }
}

pub fn key() -> Key {
    Key::es256(OwnerRole::Device)
}

impl Scene {
    pub fn new() -> Scene {
        let authority = Authority::sandbox();
        let (machine, exchange) = (sandbox(1, &authority), Exchange::honest(&authority));
        Scene { authority, machine, exchange, owner: Owner::eddsa() }
    }

    /// A grant of so many uses to somebody new.
    pub fn holder(&mut self, uses: u32) -> Holder {
        let key = key();
        let terms = terms(&key, uses);
        self.grant(key, terms).unwrap()
    }

    pub fn make_draft(&self, terms: Terms, recipient: &RecipientKey) -> Draft {
        let mut draft = self.owner.draft(&self.machine, Op::Grant).now(&self.machine);
        draft.args = Make { terms, recipient: recipient.public_key().bytes().to_vec() }.to_bytes();
        draft
    }

    pub fn grant(&mut self, key: Key, terms: Terms) -> Result<Holder, Refusal> {
        let recipient = RecipientKey::generate().unwrap();
        let draft = self.make_draft(terms, &recipient);
        let made = self.owner.ask_twice_signed(&mut self.machine, &draft)?;
        let Made { grant, encapsulated, ciphertext } = Made::from_bytes(&made).unwrap();
        let id = body(&grant).id;
        let info = share_info(id, &sha256(&Grant::from_bytes(&grant).unwrap().body));
        let mut context =
            recipient.setup_recipient(&encapsulated, &Info::new(SUITE, &info).unwrap()).unwrap();
        let share = context.open(b"", &ciphertext).unwrap().to_vec();
        Ok(Holder { key, grant, share, envelope: self.owner.envelope.clone() })
    }

    /// What the holder asks by the grant, as their client makes it.
    pub fn draft(&self, holder: &Holder, op: Op) -> Draft {
        let mut draft = Draft::new(&self.machine, op, args(op)).now(&self.machine);
        draft.envelope = Some(holder.envelope.clone());
        draft.share = Some(holder.share.clone());
        draft.grant = Some(holder.grant.clone());
        draft
    }

    pub fn ask(&mut self, holder: &Holder, op: Op) -> Result<Vec<u8>, Refusal> {
        let draft = self.draft(holder, op);
        self.ask_draft(holder, &draft).result
    }

    pub fn ask_draft(&mut self, holder: &Holder, draft: &Draft) -> Came {
        self.ask_sealed(&seal(holder, draft))
    }

    pub fn ask_sealed(&mut self, sealed: &Sealed) -> Came {
        let stream = self.machine.begin(&sealed.bytes);
        self.exchange.run(&mut self.machine);
        let answer = self.machine.answer(stream);
        let outcome = sealed.open(answer, &self.machine);
        Came { reply: outcome.reply, receipt: outcome.receipt, result: outcome.result }
    }

    pub fn end(&mut self, id: GrantId) -> Result<Vec<u8>, Refusal> {
        let mut draft = self.owner.draft(&self.machine, Op::Ungrant).now(&self.machine);
        draft.args = End { id }.to_bytes();
        self.owner.ask_draft(&mut self.machine, &draft)
    }

    pub fn listed(&mut self) -> Vec<wire::grant::GrantState> {
        let draft = self.owner.draft(&self.machine, Op::Grants).now(&self.machine);
        let listed = self.owner.ask_draft(&mut self.machine, &draft).unwrap();
        Listed::from_bytes(&listed).unwrap().grants
    }

    /// The enclave is started anew, on what its host kept.
    pub fn restart(&mut self, seed: u8) {
        let trust = enclave::egress::Trust::sandbox(self.authority.der()).unwrap();
        let keeper = self.machine.keeper.clone();
        self.machine = Machine::start_with(seed, crate::support::roots(1), trust, keeper);
    }

    /// How often the exchange was asked what is held.
    pub fn asked(&self) -> usize {
        self.exchange.requests.iter().filter(|(_, line)| line.contains("/private/")).count()
    }
}

pub fn seal(holder: &Holder, draft: &Draft) -> Sealed {
    draft.seal_signing(|request| vec![holder.key.sign1_under(domain::GRANTED_REQUEST, request)])
}

pub fn body(grant: &[u8]) -> Body {
    Grant::parse(grant).unwrap().1
}

/// Arguments that an operation takes, where it is one that can be granted.
fn args(op: Op) -> Vec<u8> {
    match op {
        Op::Balances => Balances { currency: "EUR".into() }.to_bytes(),
        Op::Read => vec![0xa1, 0x00, 0x01],
        _ => wire::operation::Nothing {}.to_bytes(),
    }
}
