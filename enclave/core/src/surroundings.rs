//! What the parts of the enclave reach outside themselves: time, randomness, whom to believe, frames for the host.

use crate::clock::Clock;
use crate::egress::Trust;
use crate::entropy::Entropy;
use crate::outbox::Outbox;

pub(crate) struct Surroundings {
    pub(crate) clock: Clock,
    pub(crate) entropy: Box<dyn Entropy>,
    pub(crate) trust: Trust,
    pub(crate) outbox: Outbox,
}
