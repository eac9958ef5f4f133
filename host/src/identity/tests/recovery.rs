//! The way back of who has lost every passkey: staged, slow, and stopped by whoever is signed in.

use super::authenticator::{Authenticator, Said};
use super::people::Someone;
use super::*;
use crate::identity::{LONGEST_RECOVERY, RECOVERY_CODES, RECOVERY_WAIT};
use crate::signatures::Refused;

impl Rig {
    async fn codes(&self, someone: &Someone) -> Vec<String> {
        let asking = Asking { method: "POST", ..Asking::get("/v1/recovery-codes") };
        let (status, told) = self.ask_fresh(someone, &someone.authenticator, &asking).await.unwrap();
        assert_eq!(status, 201);
        told["codes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned()).collect()
    }

    async fn begin_recovery(&self, device: &Program, code: &str, now: UnixMillis) -> Result<Value, Denied> {
        let public = device.public.base64();
        let body =
            json!({ "code": code, "algorithm": "ed25519", "public_key": public, "device": "new phone" });
        self.bring("/v1/recovery", device, &body, now).await
    }

    async fn finish(
        &self,
        device: &Program,
        passkey: &Authenticator,
        now: UnixMillis,
    ) -> Result<Value, Denied> {
        let begun = self.begin_at("recover", device, now).await;
        let registered = passkey.registered(&Said::create(&begun.challenge));
        let body = json!({
            "ceremony": begun.token, "algorithm": "ed25519", "public_key": device.public.base64(),
            "device": "new phone", "passkey": registered,
        });
        self.bring("/v1/recovery/finish", device, &body, now).await
    }

    async fn waiting(&self, someone: &Someone) -> (u64, usize) {
        let (_, person) = self.ask_as(&someone.device, &Asking::get("/v1/person")).await.unwrap();
        (person["recovery_codes"].as_u64().unwrap(), person["recoveries"].as_array().unwrap().len())
    }
}

fn cancelling() -> Asking {
    Asking { method: "DELETE", ..Asking::get("/v1/recovery") }
}

#[tokio::test]
async fn who_lost_every_passkey_comes_back_after_three_days_and_everybody_else_is_signed_out() {
    let rig = Rig::start().await;
    let ada = rig.someone().await;
    let codes = rig.codes(&ada).await;
    assert_eq!((codes.len(), rig.waiting(&ada).await), (RECOVERY_CODES, (10, 0)));
    let (device, passkey) = (Program::new(), Authenticator::new());
    let begun = rig.begin_recovery(&device, &codes[3], NOW).await.unwrap();
    assert_eq!((&begun["person"], &begun["due"]), (&json!(ada.id), &json!(NOW.plus(RECOVERY_WAIT).0)));
    // Its answer may have been lost on the way.
    assert_eq!(rig.begin_recovery(&device, &codes[3], NOW).await.unwrap(), begun);
    assert_eq!(rig.waiting(&ada).await, (9, 1), "whoever is signed in is told");

    let due = NOW.plus(RECOVERY_WAIT);
    let other = Program::new();
    rig.begin_recovery(&other, &codes[4], NOW).await.unwrap();
    let late = due.minus(60_000);
    let before = Someone { device: rig.sign_in_at(&ada, late).await, ..ada };
    let early = rig.finish(&device, &passkey, due.minus(1)).await;
    assert_eq!(early, Err(Refusal::RecoveryNotDue.into()));
    let session = rig.finish(&device, &passkey, due).await.unwrap();
    assert_eq!(session["person"], before.id);
    let asked = rig.ask_at(&before.device, &Asking::get("/v1/person"), due).await;
    assert_eq!(asked, Err(Refusal::SessionRevoked.into()));
    assert!(rig.ask_at(&device, &Asking::get("/v1/person"), due).await.is_ok());
    // What else waited is over, and so is this one.
    for device in [&other, &device] {
        let again = rig.finish(device, &Authenticator::new(), due).await;
        assert_eq!(again, Err(Refusal::RecoveryRefused.into()));
    }
    let back = Someone { authenticator: passkey, ..before };
    rig.sign_in_at(&back, due).await;
}

#[tokio::test]
async fn whoever_is_signed_in_stops_a_recovery_without_what_they_may_have_lost() {
    let rig = Rig::start().await;
    let (ada, eve) = (rig.someone().await, rig.someone().await);
    let codes = rig.codes(&ada).await;
    let (thief, due) = (Program::new(), NOW.plus(RECOVERY_WAIT));
    rig.begin_recovery(&thief, &codes[0], NOW).await.unwrap();
    assert_eq!(rig.ask_as(&eve.device, &cancelling()).await.unwrap().1, json!({ "ended": 0 }));
    assert_eq!(rig.ask_as(&ada.device, &cancelling()).await.unwrap().1, json!({ "ended": 1 }));
    assert_eq!(rig.waiting(&ada).await, (9, 0));
    assert_eq!(rig.begin_recovery(&thief, &codes[0], NOW).await, Err(Refusal::RecoveryRefused.into()));
    let refused = rig.finish(&thief, &Authenticator::new(), due).await;
    assert_eq!(refused, Err(Refusal::RecoveryRefused.into()));
}

#[tokio::test]
async fn a_code_is_good_for_one_device_and_until_there_are_new_ones() {
    let rig = Rig::start().await;
    let ada = rig.someone().await;
    let codes = rig.codes(&ada).await;
    let refused = Err(Refusal::RecoveryRefused.into());
    let (device, other) = (Program::new(), Program::new());
    rig.begin_recovery(&device, &codes[0], NOW).await.unwrap();
    assert_eq!(rig.begin_recovery(&other, &codes[0], NOW).await, refused);
    assert_eq!(rig.begin_recovery(&device, &codes[1], NOW).await, refused, "a device waits once");
    for code in ["", "rec_", "rec_AAAAAAAAAAAAAAAAAAAAAA", &codes[1].replace("rec_", "inv_")] {
        assert_eq!(rig.begin_recovery(&other, code, NOW).await, refused, "{code}");
    }
    let newer = rig.codes(&ada).await;
    assert_eq!(rig.begin_recovery(&other, &codes[1], NOW).await, refused);
    assert!(rig.begin_recovery(&other, &newer[1], NOW).await.is_ok());
    // Whoever signs for another's device gets nothing.
    let body = json!({ "code": newer[2], "algorithm": "ed25519", "public_key": device.public.base64(), "device": "x" });
    let asking = Asking::post("/v1/recovery", &body);
    let forged = Program::new().head_as(&device.public.session().to_string(), &asking);
    assert_eq!(rig.introduce(forged, asking.body).await, Err(Refused::NotSigned.into()));
}

#[tokio::test]
async fn a_recovery_is_finished_by_its_own_device_in_its_time() {
    let rig = Rig::start().await;
    let ada = rig.someone().await;
    let codes = rig.codes(&ada).await;
    let (device, due) = (Program::new(), NOW.plus(RECOVERY_WAIT));
    rig.begin_recovery(&device, &codes[0], NOW).await.unwrap();
    let refused = Err(Refusal::RecoveryRefused.into());
    assert_eq!(rig.finish(&Program::new(), &Authenticator::new(), due).await, refused);
    // Before it, and with a passkey that says something wrong: nothing of it is used up.
    let begun = rig.begin_at("recover", &device, due).await;
    let wrong = Authenticator::new().registered(&Said { flags: 0x41, ..Said::create(&begun.challenge) });
    let body = json!({
        "ceremony": begun.token, "algorithm": "ed25519", "public_key": device.public.base64(),
        "device": "new phone", "passkey": wrong,
    });
    let outcome = rig.bring("/v1/recovery/finish", &device, &body, due).await;
    assert_eq!(outcome, Err(Refusal::PasskeyRefused.into()));
    let last = due.plus(LONGEST_RECOVERY);
    assert_eq!(rig.finish(&device, &Authenticator::new(), last).await, refused);
    let rig = Rig::start().await;
    let ada = rig.someone().await;
    let codes = rig.codes(&ada).await;
    rig.begin_recovery(&device, &codes[0], NOW).await.unwrap();
    assert!(rig.finish(&device, &Authenticator::new(), last.minus(1)).await.is_ok());
}
