//! Who witnesses for the enclave of an `up`: a process of its own beside the others, or ones that run already.

use super::children::{Children, Output};
use super::confined;
use super::folder::Folder;
use super::spawn::Program;
use crate::witness::{parse_key, public_key};
use anyhow::{Context, bail};
use aws_lc_rs::digest::{SHA256, digest};
use std::path::{Path, PathBuf};
use wire::Canonical;
use wire::evidence::Hash;
use wire::freshness::{Witnessed, simulation_transcript};
use wire::manifest::{MAX_MEMBERS, Signer, Signers, SigningKey};

/// Witnesses that are there or getting ready.
pub struct Witnesses {
    /// Of each one's data.
    folders: Vec<PathBuf>,
    /// The one that was started, until it is ready.
    own: Option<Output>,
}

impl Witnesses {
    /// Those whose folders were given; if none was, one that is started now.
    pub fn start(
        children: &mut Children,
        this: &Path,
        folder: &Folder,
        given: Vec<PathBuf>,
        confined: confined::ConfinedOptions,
    ) -> anyhow::Result<Witnesses> {
        if !given.is_empty() {
            let absolute = given.into_iter().map(std::path::absolute).collect::<Result<_, _>>()?;
            return Ok(Witnesses { folders: absolute, own: None });
        }
        let own = folder.witness();
        let program =
            Program::own("witness", this).with([Path::new("--data"), &own]).with(confined.passed_on());
        Ok(Witnesses { own: Some(children.start(program)?), folders: vec![own] })
    }

    /// Where the relay reaches each of them: the options of its command line.
    pub fn options(&self) -> impl Iterator<Item = PathBuf> {
        self.folders.iter().flat_map(|folder| ["--witness".into(), folder.join("run")])
    }

    /// What a simulated enclave is told of them, as soon as they are ready. A majority has to agree.
    pub async fn witnessed(&mut self) -> anyhow::Result<Witnessed> {
        let keys = match self.own.take() {
            Some(own) => vec![parse_key(&own.ready().await?).context("the witness's key has another form")?],
            None => self.folders.iter().map(|folder| public_key(folder)).collect::<Result<_, _>>()?,
        };
        witnessed(keys)
    }
}

fn witnessed(keys: Vec<SigningKey>) -> anyhow::Result<Witnessed> {
    let Some(threshold) = u8::try_from(keys.len() / 2 + 1).ok().filter(|_| keys.len() <= MAX_MEMBERS) else {
        bail!("{} witnesses are more than {MAX_MEMBERS}", keys.len())
    };
    let member = |(number, key)| Signer { alias: format!("w{number}"), key };
    let witnesses = Signers { threshold, members: (1..).zip(keys).map(member).collect() };
    if verify::witness::Witnesses::new(&witnesses).is_none() {
        bail!("a witness is named twice, and would count twice");
    }
    let mut deployment = Hash([0; 32]);
    deployment.0.copy_from_slice(digest(&SHA256, &simulation_transcript(&witnesses.to_bytes())).as_ref());
    Ok(Witnessed { deployment, witnesses, replaced: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::owner::OwnerAlgorithm;

    fn key(number: u8) -> SigningKey {
        SigningKey { algorithm: OwnerAlgorithm::EdDsa, public: vec![number; 32] }
    }

    #[test]
    fn more_than_half_of_the_witnesses_have_to_agree_and_none_is_there_twice() {
        for (number, threshold) in [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)] {
            let witnessed = witnessed((0..number).map(key).collect()).unwrap();
            assert_eq!(witnessed.witnesses.threshold, threshold);
        }
        assert!(witnessed(vec![key(1), key(2), key(1)]).is_err());
        assert!(witnessed((0..17).map(key).collect()).is_err());
    }

    #[test]
    fn other_witnesses_are_another_deployment() {
        let [one, other] = [1, 2].map(|number| witnessed(vec![key(number)]).unwrap().deployment);
        assert_ne!(one, other);
    }
}
