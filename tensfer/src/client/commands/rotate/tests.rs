use super::*;
use crate::client::home::realm::Realm;
use crate::client::testing::{CONNECTION, Loss, Scripted, copied_home, linked_home, use_it};
use wire::envelope::Envelope;

const REALM: Realm = Realm::Simulated;

fn args(flags: &str) -> Args {
    Args {
        id: Some("kraken".into()),
        all: false,
        data_key: flags.contains('d'),
        epoch: flags.contains('e'),
        share: flags.contains('s'),
        owner_keys: flags.contains('o'),
        consent: None,
        provider_key: false,
        json: false,
    }
}

/// One command, from what lies on disk.
fn run_once(home: &Home, enclave: &Scripted, flags: &str) -> Result<Renewed> {
    rotate_all(home, enclave, &args(flags))?.remove(0).renewed
}

fn stored(home: &Home) -> Record {
    home.connection(REALM, &CONNECTION.to_string()).unwrap()
}

fn envelope(slot: &Slot) -> Envelope {
    Envelope::from_bytes(&slot.envelope).unwrap()
}

#[test]
fn each_part_rotates_alone_and_all_together() {
    for flags in ["d", "e", "s", "o", "", "deso"] {
        let directory = tempfile::tempdir().unwrap();
        let (home, enclave) = (linked_home(directory.path()), Scripted::new());
        enclave.add_epoch();
        let before = stored(&home).current.unwrap();
        run_once(&home, &enclave, flags).unwrap();
        let record = stored(&home);
        let (after, has) =
            (record.current.unwrap(), |flag: char| flags.is_empty() && flag != 'o' || flags.contains(flag));
        assert!(record.pending.is_none());
        assert_eq!(
            envelope(&after).payload.nonce != envelope(&before).payload.nonce,
            has('d'),
            "data key, `{flags}`"
        );
        assert_eq!(after.epoch, 2, "epoch, `{flags}`");
        assert_eq!(after.share_version, if has('s') { 2 } else { 1 }, "share, `{flags}`");
        assert_eq!(after.owners != before.owners, has('o'), "owner keys, `{flags}`");
        assert_eq!(after.generation, if flags == "e" { 1 } else { 2 }, "generation, `{flags}`");
        use_it(&home, &enclave).unwrap();
    }
}

#[test]
fn an_epoch_that_is_current_already_is_no_error_and_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (home, enclave) = (linked_home(directory.path()), Scripted::new());
    let before = stored(&home);
    let renewed = run_once(&home, &enclave, "e").unwrap();
    assert_eq!(renewed.text("kraken"), "kraken is in epoch 1 already\n");
    assert_eq!(stored(&home), before);
}

#[test]
fn what_programs_read_names_each_connection_and_what_came_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let (home, enclave) = (linked_home(directory.path()), Scripted::new());
    let line = |flags: &str| {
        let outcomes = rotate_all(&home, &enclave, &args(flags)).unwrap();
        serde_json::to_value(outcomes[0].line()).unwrap()
    };
    let record = stored(&home);
    let named = |rotated: bool, generation: u64| {
        serde_json::json!({
            "connection": CONNECTION.to_string(), "name": record.name, "exchange": record.exchange,
            "rotated": rotated, "generation": generation, "epoch": 1, "consent": "any", "error": null,
        })
    };
    assert_eq!(line("e"), named(false, 1));
    assert_eq!(line("d"), named(true, 2));
    enclave.lose(Loss::Request(Op::Rotate));
    let lost = line("d");
    assert_eq!((&lost["rotated"], &lost["generation"]), (&false.into(), &serde_json::Value::Null));
    assert_eq!(lost["error"]["code"], "unreachable");
}

/// m21: at every step something is lost, or this program ends; then the enclave may be started anew; and the next
/// command, which knows the disk alone, uses the connection, rotates it again and uses it again.
#[test]
fn m21_a_crash_at_any_step_of_a_rotation_loses_nothing() {
    let losses = [
        Loss::Request(Op::Rotate),
        Loss::Reply(Op::Rotate),
        Loss::Request(Op::Acknowledge),
        Loss::Reply(Op::Acknowledge),
    ];
    for flags in ["", "o", "deso"] {
        for loss in losses {
            for restart in [false, true] {
                let directory = tempfile::tempdir().unwrap();
                let (home, enclave) = (linked_home(directory.path()), Scripted::new());
                enclave.lose(loss);
                let case = format!("`{flags}`, {loss:?}, restart: {restart}");
                assert_eq!(run_once(&home, &enclave, flags).unwrap_err().code, "unreachable", "{case}");
                if restart {
                    enclave.restart();
                }
                let slot = use_it(&home, &enclave).unwrap_or_else(|failure| panic!("{case}: {failure}"));
                let stored_before =
                    matches!(loss, Loss::Request(Op::Acknowledge) | Loss::Reply(Op::Acknowledge));
                assert_eq!(slot.generation, if stored_before { 2 } else { 1 }, "{case}");
                run_once(&home, &enclave, flags).unwrap_or_else(|failure| panic!("{case}: {failure}"));
                assert!(use_it(&home, &enclave).unwrap().generation > slot.generation, "{case}");
            }
        }
    }
}

#[test]
fn the_old_envelope_is_on_disk_until_the_new_one_is_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let (home, enclave) = (linked_home(directory.path()), Scripted::new());
    enclave.lose(Loss::Request(Op::Acknowledge));
    run_once(&home, &enclave, "").unwrap_err();
    let record = stored(&home);
    assert_eq!((record.current.unwrap().generation, record.pending.unwrap().generation), (1, 2));
}

#[test]
fn a_share_version_is_never_used_twice() {
    let directory = tempfile::tempdir().unwrap();
    let (home, enclave) = (linked_home(directory.path()), Scripted::new());
    for lost in [Loss::Request(Op::Rotate), Loss::Reply(Op::Rotate)] {
        enclave.lose(lost);
        run_once(&home, &enclave, "s").unwrap_err();
    }
    run_once(&home, &enclave, "s").unwrap();
    assert_eq!(stored(&home).current.unwrap().share_version, 4);
}

#[test]
fn new_owner_keys_take_the_old_ones_place_and_the_old_ones_are_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let (home, enclave) = (linked_home(directory.path()), Scripted::new());
    let old = stored(&home).current.unwrap().owners;
    enclave.lose(Loss::Reply(Op::Acknowledge));
    run_once(&home, &enclave, "o").unwrap_err();
    use_it(&home, &enclave).unwrap();
    let new = stored(&home).current.unwrap().owners;
    assert_eq!(enclave.signers(), new[..1], "the new device key signs alone");
    run_once(&home, &enclave, "o").unwrap();
    let (owner, second) = (home.owner(REALM).unwrap().unwrap(), home.second_factor(REALM).unwrap().unwrap());
    assert!(
        old.iter().chain(&new).all(|key| owner.devices.find(key).is_none() && second.find(key).is_none())
    );
    use_it(&home, &enclave).unwrap();
}

#[test]
fn share_and_owner_keys_do_not_rotate_without_the_second_factor_and_data_key_and_epoch_do() {
    let directory = tempfile::tempdir().unwrap();
    let (home, enclave) = (linked_home(directory.path()), Scripted::new());
    std::fs::remove_file(home.second_factor_path(REALM)).unwrap();
    let before = stored(&home);
    for flags in ["o", "s", "ds", "des", ""] {
        let refused = run_once(&home, &enclave, flags).unwrap_err();
        assert_eq!(refused.code, "second_factor_needed", "`{flags}`");
        assert!(refused.hint.unwrap().contains("--data-key --epoch"), "`{flags}`");
    }
    assert_eq!(stored(&home), before, "and no share version is spent");
    enclave.add_epoch();
    run_once(&home, &enclave, "de").unwrap();
}

#[test]
fn the_second_factor_signs_only_where_it_is_needed() {
    let directory = tempfile::tempdir().unwrap();
    let (home, enclave) = (linked_home(directory.path()), Scripted::new());
    for (flags, signers) in [("d", 1), ("s", 2), ("o", 4)] {
        enclave.lose(Loss::Request(Op::Acknowledge));
        run_once(&home, &enclave, flags).unwrap_err();
        assert_eq!(enclave.signers().len(), signers, "`{flags}`");
        use_it(&home, &enclave).unwrap();
    }
}

#[test]
fn an_envelope_of_another_connection_or_owner_is_refused_and_the_old_one_kept() {
    let directory = tempfile::tempdir().unwrap();
    let home = linked_home(directory.path());
    let record = stored(&home);
    let slot = record.current.clone().unwrap();
    let altered: [fn(&mut Envelope); 4] = [
        |envelope| envelope.header.connection.0[0] ^= 1,
        |envelope| envelope.header.organisation.0[0] ^= 1,
        |envelope| envelope.header.owners[0] ^= 1,
        |envelope| envelope.header.generation = 0,
    ];
    for alter in altered {
        let mut other = envelope(&slot);
        alter(&mut other);
        let refused =
            record.slot(other.to_bytes(), 1, slot.owners.clone(), wire::consent::Class::Any).unwrap_err();
        assert_eq!(refused.code, "envelope_unexpected");
    }
    assert!(
        record.slot(slot.envelope[1..].to_vec(), 1, slot.owners.clone(), wire::consent::Class::Any).is_err()
    );
    assert_eq!(stored(&home), record);
}

#[test]
fn a_copy_that_was_left_behind_is_told_so_and_cannot_use_the_old_envelope() {
    let directory = tempfile::tempdir().unwrap();
    let (home, enclave) = (linked_home(directory.path()), Scripted::new());
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = copied_home(directory.path(), elsewhere.path());
    run_once(&copy, &enclave, "d").unwrap();
    let codes = [(); 2].map(|()| use_it(&home, &enclave).unwrap_err().code);
    assert_eq!(codes, ["receipt_gap", "stale_generation"]);
}
