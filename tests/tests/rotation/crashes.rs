//! Killing the commands before every call of the kernel that changes something.

use super::{done, rotate};
use serde_json::Value;
use stack::{Folder, Stack, tensfer, trace};
use std::path::Path;
use std::process::Command;

/// Oldest, current and newest epoch, as the file has them.
fn state(data: &Path) -> [u64; 3] {
    let status = done(data, &["status"]);
    ["oldest", "current", "newest"].map(|name| status[name].as_u64().unwrap())
}

/// Runs a step and kills it before its call number `call`; whether it got there.
fn killed(data: &Path, step: &[&str], call: u32) -> bool {
    let mut command = Command::new(tensfer());
    command.args(["root", "rotate"]).args(step).arg("--data").arg(data);
    trace::kill_before(&mut command, call)
}

/// Every call of `step` as the one that never happened: the file has the state before or after it, and the same step
/// given again leads to the state after it.
fn at_every_call(
    data: &Path,
    step: &[&str],
    prepare: impl Fn(),
    after: impl Fn([u64; 3]) -> [u64; 3],
) -> u32 {
    for call in 1.. {
        prepare();
        let before = state(data);
        let was_killed = killed(data, step, call);
        let found = state(data);
        let after = after(before);
        assert!(found == before || found == after, "{step:?} killed at {call}: {before:?} became {found:?}");
        let [oldest, current, newest] = found;
        assert!(oldest <= current && current <= newest && newest <= current + 1, "{found:?}");
        let again = rotate(data, step);
        assert_eq!(again.code, 0, "{step:?} after it was killed at {call}: {}", again.err);
        assert_eq!(state(data), after, "{step:?} after it was killed at {call}");
        if !was_killed {
            return call;
        }
    }
    unreachable!("a command makes fewer calls")
}

#[test]
fn m21_a_step_that_is_killed_at_any_call_leaves_one_current_epoch_and_goes_on_when_given_again() {
    let folder = Folder::new();
    let data = folder.join("data");
    Stack::start_in(&data).stop();
    let copy = folder.join("copy");
    let restore = |from: &str| {
        let text = std::fs::read(folder.join(from)).unwrap();
        std::fs::write(data.join("simulated-root"), text).unwrap();
    };
    std::fs::copy(data.join("simulated-root"), &copy).unwrap();
    let begun = at_every_call(&data, &["begin", "--from", "1"], || restore("copy"), |_| [1, 1, 2]);
    std::fs::copy(data.join("simulated-root"), folder.join("begun")).unwrap();
    let promoted = at_every_call(&data, &["promote", "2"], || restore("begun"), |_| [1, 2, 2]);
    assert!(begun > 5 && promoted > 5, "calls that change something were found: {begun}, {promoted}");
    // The very root that was begun is the one that was promoted, and everything starts with it.
    let line = |name: &str| {
        std::fs::read_to_string(folder.join(name)).unwrap().lines().nth(2).unwrap()[..66].to_owned()
    };
    assert_eq!(line("data/simulated-root"), line("begun"));
    assert_eq!(Stack::start_in(&data).stop().code, Some(0));
}

#[test]
fn m21_a_destruction_that_is_killed_at_any_call_goes_on_and_nothing_is_stated_of_a_root_that_is_still_there()
{
    let folder = Folder::new();
    let data = folder.join("data");
    let stack = Stack::start_in(&data);
    let next = || {
        let [oldest, current, _] = state(&data);
        if oldest == current {
            done(&data, &["begin"]);
            done(&data, &["promote"]);
        }
    };
    let mut calls = 0;
    for call in 1.. {
        next();
        let before = state(&data);
        let epoch = before[0].to_string();
        let statement = data.join(format!("rotation/destruction-{epoch}.cbor"));
        let was_killed = killed(&data, &["destroy", &epoch], call);
        let found = state(&data);
        let after = [before[0] + 1, before[1], before[2]];
        assert!(found == before || found == after, "killed at {call}: {before:?} became {found:?}");
        assert!(!statement.exists() || found == after, "killed at {call}: stated, and still there");
        let again: Value = done(&data, &["destroy", &epoch]);
        assert_eq!(state(&data), after, "after it was killed at {call}: {again}");
        assert!(statement.exists());
        for left in ["simulated-root.old", "simulated-root.next"] {
            assert!(!data.join(left).exists(), "{left} is left of the one that was killed at {call}");
        }
        calls = call;
        if !was_killed {
            break;
        }
    }
    assert!(calls > 20, "calls that change something were found: {calls}");
    assert_eq!(stack.stop().code, Some(0));
    assert_eq!(Stack::start_in(&data).stop().code, Some(0));
}
