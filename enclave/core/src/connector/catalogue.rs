//! The connectors that are built in.

use std::sync::OnceLock;

use aws_lc_rs::digest as hash;

use super::load::load;
use super::model::Connector;
use crate::network;

/// The connector files in their embedded form, sorted by id: `(id, JSON)`.
const EMBEDDED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/connectors.rs"));

/// All connectors, loaded once.
pub fn all() -> &'static [Connector] {
    static LOADED: OnceLock<Vec<Connector>> = OnceLock::new();
    // INVARIANT: the build loads every file with this same code, so none is refused here.
    LOADED.get_or_init(|| {
        let mut loaded = Vec::with_capacity(EMBEDDED.len());
        loaded.extend(EMBEDDED.iter().filter_map(|(_, bytes)| load(bytes).ok()));
        loaded
    })
}

pub fn find(id: &str) -> Option<&'static Connector> {
    let added = || ADDED.get()?.iter().copied().find(|connector| connector.id == id);
    all().iter().find(|connector| connector.id == id).or_else(added)
}

/// None in a program: nothing but a test calls [`dangerous_add`].
static ADDED: OnceLock<Vec<&'static Connector>> = OnceLock::new();

/// Adds connectors that are not built in, once, for the rest of the process: for tests of the whole enclave with providers that
/// no connector describes. They are in no digest, and take the place of none that is built in.
pub fn dangerous_add(connectors: Vec<&'static Connector>) {
    let _ = ADDED.set(connectors);
}

/// SHA-256 over what is embedded: the number of connectors and for each in order of id `length(id) ‖ id ‖ length(JSON) ‖
/// JSON`, then the same of networks, numbers and lengths as 8 bytes big-endian, behind the domain `tensfer connectors v2` and a zero byte. Part of the attested identity.
pub fn digest() -> [u8; 32] {
    let mut context = hash::Context::new(&hash::SHA256);
    context.update(b"tensfer connectors v2\0");
    for files in [EMBEDDED, network::embedded()] {
        context.update(&(files.len() as u64).to_be_bytes());
        for part in files.iter().flat_map(|(id, bytes)| [id.as_bytes(), bytes]) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
    }
    let mut out = [0; 32];
    out.copy_from_slice(context.finish().as_ref());
    out
}

/// Loads a connector that is not built in, for the rest of the process: for checks and tests of other files.
pub fn load_leaked(bytes: &[u8]) -> Result<&'static Connector, String> {
    load(bytes).map(|connector| &*Box::leak(Box::new(connector)))
}
