//! The way back for who has lost every passkey: a code begins it on a device, the device waits, whoever is signed in can stop it,
//! and then a new passkey ends it. It gives sessions back, and no authority over any key: the enclave knows nothing of it.

use super::super::admission::denied;
use super::super::ask::{Denied, Introduction, Reply};
use super::super::passkey;
use super::super::{Actor, Code, Refusal};
use super::ceremony::Purpose;
use super::enter::{Door, refused};
use super::model::Passkey;
use super::view::{self, Recovered, RecoveryBegun};
use crate::store::{BeginRecovery, FinishRecovery, Provenance};

impl Door<'_> {
    pub async fn begin_recovery(&self, introduction: &Introduction) -> Result<Reply, Denied> {
        let begun: RecoveryBegun = self.body(introduction)?;
        let (public, name) = (begun.device()?, view::name(&begun.device)?);
        let (device, peer) = (public.session(), introduction.head.peer()?);
        let code = Code::hash_of_recovery(&begun.code).ok_or(Refusal::RecoveryRefused)?;
        let head = introduction.head.request()?;
        let signed = self.admission.introduced(&head, (&public, &device), self.now)?;
        // Anybody has a key: only who has a code too takes room among the nonces.
        if !self.store.is_recovery_code(&code, device).await.map_err(denied)? {
            return Err(Refusal::RecoveryRefused.into());
        }
        self.admission.once(signed, self.now)?.with_body(&introduction.body)?;
        let request = introduction.head.name()?;
        let by = Provenance { event: self.event, actor: Actor::Session(device), now: self.now, request };
        let change = BeginRecovery { code, device, name, from: peer, by };
        Ok(view::recovery(&self.store.change(&change).await.map_err(denied)?))
    }

    pub async fn finish_recovery(&self, introduction: &Introduction) -> Result<Reply, Denied> {
        let recovered: Recovered = self.body(introduction)?;
        let ceremony = (Purpose::Recover, recovered.ceremony.as_str());
        let arrived = self.arrived(introduction, ceremony, recovered.device()?, &recovered.device)?;
        let name = view::name(&recovered.passkey.name)?;
        let head = introduction.head.request()?;
        let device = (&arrived.device, &arrived.device.session());
        let signed = self.admission.introduced(&head, device, self.now)?;
        let found = self.store.recovery(arrived.device.session()).await.map_err(denied)?;
        let recovery = found.ok_or(Refusal::RecoveryRefused)?;
        recovery.check_due(self.now)?;
        let registration = recovered.passkey.registration();
        let credential = passkey::register(registration, self.expected(&arrived)).map_err(refused)?;
        self.admission.once(signed, self.now)?.with_body(&introduction.body)?;
        self.ceremonies.take(&arrived.ceremony, self.now)?;

        let (person, created) = (recovery.person, self.now);
        let passkey = Passkey { person, name, credential, created, last_used: None };
        let session = self.session(&arrived, person, passkey.id());
        let change = FinishRecovery { passkey, session, by: self.by(&arrived) };
        Ok(view::signed_in(&self.store.change(&change).await.map_err(denied)?))
    }
}
