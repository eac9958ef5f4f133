//! The policies that hold for an organisation: the program's, and its own as they were last written.

use super::ask::Denied;
use super::{Refusal, admission::denied};
use crate::calls::Role;
use crate::log;
use crate::policy::{Base, Policies};
use crate::store::Store;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use wire::OrganisationId;

/// Organisations whose policies are kept read; each takes some hundred KiB at most.
const KEPT: usize = 256;

/// Reads them once for each version. Which is in force is asked of the store each time.
#[derive(Debug)]
pub struct Restrictions {
    base: &'static Base,
    alone: Arc<Policies>,
    read: Mutex<HashMap<OrganisationId, Read>>,
}

#[derive(Clone, Debug)]
struct Read {
    version: i64,
    /// `None`: they do not fit this version of the program.
    policies: Option<Arc<Policies>>,
}

impl Restrictions {
    pub fn new(base: &'static Base) -> Restrictions {
        Restrictions { base, alone: Arc::new(Policies::base(base)), read: Mutex::default() }
    }

    pub fn base(&self) -> &'static Base {
        self.base
    }

    /// What holds whatever an organisation wrote.
    pub fn of_the_program(&self) -> Arc<Policies> {
        Arc::clone(&self.alone)
    }

    /// # Errors
    /// `policies_outdated`: nothing is permitted by policies that cannot be read.
    pub async fn of(&self, store: &Store, organisation: OrganisationId) -> Result<Arc<Policies>, Denied> {
        let version = store.policies_version(organisation).await.map_err(denied)?;
        if version == 0 {
            return Ok(self.of_the_program());
        }
        let known = self.lock().get(&organisation).filter(|read| read.version == version).cloned();
        let read = match known {
            Some(read) => read,
            None => self.read(store, organisation).await?,
        };
        Ok(read.policies.ok_or(Refusal::PoliciesOutdated)?)
    }

    async fn read(&self, store: &Store, organisation: OrganisationId) -> Result<Read, Denied> {
        let written = store.policies(organisation).await.map_err(denied)?.ok_or(Refusal::Failed)?;
        let policies = Policies::restricted(self.base, &written.text);
        if let Err(unfit) = &policies {
            log::line(
                Role::Identity,
                format_args!("policies of {organisation} do not fit any more: {unfit}"),
            );
        }
        let read = Read { version: written.version, policies: policies.ok().map(Arc::new) };
        let mut kept = self.lock();
        if kept.len() >= KEPT {
            // Rare, and those in use are read again.
            kept.clear();
        }
        kept.insert(organisation, read.clone());
        Ok(read)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<OrganisationId, Read>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
