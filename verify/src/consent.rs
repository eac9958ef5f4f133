//! Which roots a program qualifies for, by their consent class: what holders and predecessors check alike
//! (docs/spec/provisioning.md §11).

use crate::manifest::sha256;
use crate::measurement::{Name, Registers};
use wire::consent::Class;
use wire::evidence::Hash;
use wire::manifest::{Manifest, Program, RootCommitment};

/// What is known of an enclave that is to have roots, once its evidence was verified under its manifest.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Names of the manifest's programs that it is: one, unless the manifest says the same of several.
    pub programs: Vec<Hash>,
    /// Whether its program has been public for as long as class `delayed` wants, by the clock of who decides.
    pub is_public: bool,
}

impl Candidate {
    /// Whether it may have this root, which its manifest commits to.
    pub fn qualifies(&self, root: &RootCommitment) -> bool {
        match root.class() {
            Some(Class::Any) => true,
            Some(Class::Delayed) => self.is_public,
            Some(Class::Owner) => root.program.is_some_and(|program| self.programs.contains(&program)),
            None => false,
        }
    }
}

/// The name of a program, as roots of class `owner` have it.
pub fn program_name(program: &Program) -> Hash {
    Hash(sha256(&program.transcript()))
}

/// The names of a manifest's programs that an enclave with these registers is.
pub fn programs(manifest: &Manifest, registers: &Registers) -> Vec<Hash> {
    let is_it = |program: &&Program| is_program(program, registers);
    manifest.programs.iter().filter(is_it).map(program_name).collect()
}

/// Whether every register that the program names has its value; one that names none is nobody's (m01).
pub fn is_program(program: &Program, registers: &Registers) -> bool {
    let mut listed = program.registers.iter();
    !program.registers.is_empty()
        && listed.all(|register| {
            let found = Name::parse(&register.name).and_then(|name| registers.value(name));
            found == Some(&register.value)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::identity::TeeKind;
    use wire::manifest::Register;

    fn program(registers: &[(&str, u8)]) -> Program {
        let register = |(name, fill): &(&str, u8)| Register { name: (*name).into(), value: [*fill; 48] };
        Program { tee: TeeKind::Nitro, registers: registers.iter().map(register).collect() }
    }

    fn root(class: Class, program: Option<&Program>) -> RootCommitment {
        RootCommitment {
            class: class.name().into(),
            epoch: 1,
            commitment: Hash([1; 32]),
            shares: Vec::new(),
            program: program.map(program_name),
        }
    }

    #[test]
    fn each_class_asks_for_what_it_says() {
        let (mine, other) = (program(&[("PCR0", 1)]), program(&[("PCR0", 2)]));
        for is_public in [false, true] {
            let candidate = Candidate { programs: vec![program_name(&mine)], is_public };
            assert!(candidate.qualifies(&root(Class::Any, None)));
            assert_eq!(candidate.qualifies(&root(Class::Delayed, None)), is_public);
            assert!(candidate.qualifies(&root(Class::Owner, Some(&mine))));
            assert!(!candidate.qualifies(&root(Class::Owner, Some(&other))), "however long it was public");
            assert!(!candidate.qualifies(&root(Class::Owner, None)));
            let unknown = RootCommitment { class: "later".into(), ..root(Class::Any, None) };
            assert!(!candidate.qualifies(&unknown));
        }
    }

    #[test]
    fn m01_a_program_is_the_one_whose_every_register_is_found_and_one_without_registers_is_nobodys() {
        let (small, whole) = (program(&[("PCR0", 1)]), program(&[("PCR0", 1), ("PCR2", 3)]));
        let others = [program(&[("PCR0", 9)]), program(&[("PCR0", 1), ("PCR7", 3)]), program(&[])];
        let found =
            Registers::new().with(Name::Pcr(0), [1; 48]).unwrap().with(Name::Pcr(2), [3; 48]).unwrap();
        let vectors: serde_json::Value =
            serde_json::from_slice(&crate::testing::vector("provisioning.json")).unwrap();
        let encoded = crate::testing::unhex(vectors["manifests"][0]["encoded"].as_str().unwrap());
        let mut manifest = crate::manifest::read(&encoded).unwrap();
        manifest.programs = others.into_iter().chain([small.clone(), whole.clone()]).collect();
        assert_eq!(programs(&manifest, &found), [program_name(&small), program_name(&whole)]);
        assert!(programs(&manifest, &Registers::new()).is_empty());
    }
}
