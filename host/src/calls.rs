//! Who may call whom, for what: one table, enforced where a call arrives ([`crate::transport::Calls`]).

/// A process of ours, or a person's command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Role {
    /// A command of the root's operators (`tensfer root release`, `tensfer root epoch new`), as the host's user.
    Operator = 1,
    /// `tensfer up`: starts the others and ends with them.
    Up = 2,
    /// HTTP for clients; the only public listener.
    Gateway = 3,
    /// Owns the host's end of the enclave's channel.
    Relay = 4,
    /// Dumb TCP to providers.
    Egress = 5,
    /// Remembers the last head of each line; another party's, or for a simulation one of our own.
    Witness = 6,
    /// Organisations and keys: says who asks.
    Identity = 7,
}

impl Role {
    pub const ALL: &'static [Role] =
        &[Role::Operator, Role::Up, Role::Gateway, Role::Relay, Role::Egress, Role::Witness, Role::Identity];

    pub const fn name(self) -> &'static str {
        match self {
            Role::Operator => "operator",
            Role::Up => "up",
            Role::Gateway => "gateway",
            Role::Relay => "relay",
            Role::Egress => "egress",
            Role::Witness => "witness",
            Role::Identity => "identity",
        }
    }

    pub fn from_name(name: &str) -> Option<Role> {
        Role::ALL.iter().copied().find(|role| role.name() == name)
    }
}

/// What one role asks of another. Those that the enclave answers, or asks, have its frame's number
/// ([`wire::frame::Kind`]); the host's own are between 0x40 and 0x7f.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Operation {
    /// Evidence for a client's nonce.
    Attest = 0x03,
    /// A sealed request.
    Request = 0x04,
    /// Re-wrapping envelopes to the current epoch.
    Rewrap = 0x05,
    /// Reading the register out, to conclude a rotation.
    Conclude = 0x21,
    /// Destroying the oldest epoch of a class.
    Destroy = 0x22,
    /// Nobody waits for this answer any more.
    Cancel = 0x06,
    /// A step of provisioning by operators.
    Ceremony = 0x07,
    /// Write nothing to the enclave until the channel comes back: the caller writes a frame of its own.
    LendChannel = 0x40,
    /// The caller has written its frame; its body is a nonce, and the answer is evidence of the time after it.
    ReturnChannel = 0x41,
    /// The file of roots has a new epoch: hand it to the enclave.
    NewEpoch = 0x42,
    /// A term of a line, of a witness: `witness::Take`.
    TakeLine = 0x43,
    /// A head that a witness is to accept: `witness::Advance`.
    AdvanceLine = 0x44,
    /// The head of a signed request: `identity::Head`. The answer is a transaction token.
    Admit = 0x45,
    /// A request that is signed with the key that it registers: `identity::Introduction`.
    Introduce = 0x46,
    /// A request that was admitted, for identity itself: `identity::Admitted`.
    AskIdentity = 0x47,
    /// An organisation, and an invitation for its first key: `identity::NewOrganisation`.
    CreateOrganisation = 0x48,
    /// Every organisation.
    ListOrganisations = 0x49,
    /// An invitation for one more key of an organisation: `identity::Invite`.
    Invite = 0x4a,
    /// A passkey is to be asked for something, by nobody who is known: `identity::Begin`.
    BeginCeremony = 0x4b,
    /// A TCP connection to a provider.
    EgressOpen = 0x90,
    /// Bytes for a provider.
    EgressSend = 0x91,
    /// The end of a TCP connection.
    EgressClose = 0x92,
}

impl Operation {
    pub const ALL: &'static [Operation] = &[
        Operation::Attest,
        Operation::Request,
        Operation::Rewrap,
        Operation::Conclude,
        Operation::Destroy,
        Operation::Cancel,
        Operation::Ceremony,
        Operation::LendChannel,
        Operation::ReturnChannel,
        Operation::NewEpoch,
        Operation::TakeLine,
        Operation::AdvanceLine,
        Operation::Admit,
        Operation::Introduce,
        Operation::AskIdentity,
        Operation::CreateOrganisation,
        Operation::ListOrganisations,
        Operation::Invite,
        Operation::BeginCeremony,
        Operation::EgressOpen,
        Operation::EgressSend,
        Operation::EgressClose,
    ];

    pub fn from_number(number: u8) -> Option<Operation> {
        Operation::ALL.iter().copied().find(|operation| *operation as u8 == number)
    }

    /// Whether it goes on with, or ends, what was begun before on its connection.
    pub const fn goes_on(self) -> bool {
        matches!(
            self,
            Operation::Cancel | Operation::ReturnChannel | Operation::EgressSend | Operation::EgressClose
        )
    }
}

/// The answer of the host's own operations when they are done.
pub const DONE: u8 = 0x7e;
/// And when they could not be.
pub const FAILED: u8 = 0x7f;

/// Caller, callee, operations. What is not here is refused.
const TABLE: &[(Role, Role, &[Operation])] = &[
    (
        Role::Gateway,
        Role::Relay,
        &[Operation::Attest, Operation::Request, Operation::Rewrap, Operation::Cancel],
    ),
    (
        Role::Gateway,
        Role::Identity,
        &[
            Operation::Admit,
            Operation::Introduce,
            Operation::AskIdentity,
            Operation::BeginCeremony,
            Operation::Cancel,
        ],
    ),
    (
        Role::Operator,
        Role::Identity,
        &[Operation::CreateOrganisation, Operation::ListOrganisations, Operation::Invite],
    ),
    (Role::Relay, Role::Egress, &[Operation::EgressOpen, Operation::EgressSend, Operation::EgressClose]),
    (Role::Relay, Role::Witness, &[Operation::TakeLine, Operation::AdvanceLine]),
    (Role::Up, Role::Relay, &[Operation::LendChannel, Operation::ReturnChannel]),
    (Role::Operator, Role::Up, &[Operation::NewEpoch]),
    (
        Role::Operator,
        Role::Relay,
        &[Operation::Attest, Operation::Conclude, Operation::Destroy, Operation::Ceremony],
    ),
];

/// A call that the table does not list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAllowed {
    pub caller: Role,
    pub callee: Role,
    /// As it arrived; it may name no operation at all.
    pub number: u8,
}

impl core::fmt::Display for NotAllowed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "{} may not ask operation {:#04x} of {}",
            self.caller.name(),
            self.number,
            self.callee.name()
        )
    }
}

impl core::error::Error for NotAllowed {}

/// The operation with this number, if the table lets `caller` ask it of `callee`.
pub fn admit(caller: Role, callee: Role, number: u8) -> Result<Operation, NotAllowed> {
    let not_allowed = NotAllowed { caller, callee, number };
    let operation = Operation::from_number(number).ok_or(not_allowed)?;
    let listed = TABLE
        .iter()
        .any(|(from, to, operations)| *from == caller && *to == callee && operations.contains(&operation));
    if listed { Ok(operation) } else { Err(not_allowed) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::frame::Kind;

    /// Written by hand and not from the table: `caller > callee: operation`.
    const GOLDEN: &str = "\
        gateway > relay: Attest, gateway > relay: Request, gateway > relay: Rewrap, gateway > relay: Cancel, \
        up > relay: LendChannel, up > relay: ReturnChannel, operator > up: NewEpoch, \
        operator > relay: Attest, operator > relay: Conclude, operator > relay: Destroy, \
        operator > relay: Ceremony, \
        relay > egress: EgressOpen, relay > egress: EgressSend, relay > egress: EgressClose, \
        relay > witness: TakeLine, relay > witness: AdvanceLine, \
        gateway > identity: Admit, gateway > identity: Introduce, gateway > identity: AskIdentity, \
        gateway > identity: BeginCeremony, gateway > identity: Cancel, \
        operator > identity: CreateOrganisation, operator > identity: ListOrganisations, \
        operator > identity: Invite";

    #[test]
    fn every_operation_is_refused_to_every_pair_of_roles_that_the_golden_list_does_not_name() {
        let golden: Vec<&str> = GOLDEN.split(", ").collect();
        let mut admitted = 0;
        for caller in Role::ALL {
            for callee in Role::ALL {
                for number in 0..=u8::MAX {
                    let outcome = admit(*caller, *callee, number);
                    let Some(operation) = Operation::from_number(number) else {
                        assert!(outcome.is_err(), "{number:#04x} is no operation");
                        continue;
                    };
                    let call = format!("{} > {}: {operation:?}", caller.name(), callee.name());
                    assert_eq!(outcome.is_ok(), golden.contains(&call.as_str()), "{call}");
                    admitted += usize::from(outcome.is_ok());
                }
            }
        }
        assert_eq!(admitted, golden.len());
    }

    #[test]
    fn an_operation_of_the_enclave_has_its_frames_number() {
        for operation in Operation::ALL {
            let frame = Kind::from_number(*operation as u8).map(|kind| format!("{kind:?}"));
            let own = (0x40..0x80).contains(&(*operation as u8));
            assert_eq!(frame, (!own).then(|| format!("{operation:?}")));
        }
    }
}
