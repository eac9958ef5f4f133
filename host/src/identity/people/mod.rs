//! People: who signs in with a passkey, and the devices that they are signed in with (docs/spec/people.md).

pub(super) mod ceremony;
pub(super) mod desk;
pub(super) mod enter;
mod model;
pub(super) mod recover;
pub(super) mod step_up;
pub mod view;

pub use model::{
    LONGEST_IDLE, LONGEST_RECOVERY, LONGEST_SESSION, MOST_PASSKEYS, MOST_SESSIONS, Passkey, Person,
    PersonalEvent, RECOVERY_CODES, RECOVERY_WAIT, Recovery, Session, passkey_id,
};
