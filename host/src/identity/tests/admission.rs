//! Who is admitted, and what is told to whom.

use super::*;
use crate::identity::Refusal::*;
use crate::signatures::Refused;

const HERE: &str = "/v1/organisation";

#[tokio::test]
async fn a_request_that_a_registered_key_signed_is_carried_out_once() {
    let rig = Rig::start().await;
    let (program, organisation) = rig.program().await;
    let head = program.head(&Asking::get(HERE));
    let token = rig.admit(&head).await.unwrap();
    let (status, shown) = rig.pass_on(token.clone(), Vec::new(), NOW).await.unwrap();
    assert_eq!((status, &shown["id"]), (200, &json!(organisation.to_string())));
    assert_eq!(rig.admit(&head).await, Err(Refused::Replayed.into()));
    assert_eq!(
        rig.pass_on(token, Vec::new(), NOW).await,
        Err(TokenRefused.into()),
        "a token counts once, too"
    );
}

#[tokio::test]
async fn an_unknown_key_a_wrong_signature_and_a_strangers_guess_at_a_revoked_key_look_alike() {
    let rig = Rig::start().await;
    let (program, revoked, stranger) = (rig.program().await.0, rig.program().await.0, Program::new());
    rig.revoke(&revoked).await;
    let asking = Asking::get(HERE);
    for keyid in [stranger.id(), program.id(), revoked.id()].map(|id| id.to_string()) {
        let head = stranger.head_as(&keyid, &asking);
        assert_eq!(rig.admit(&head).await, Err(Refused::NotSigned.into()), "{keyid}");
    }
    for keyid in ["key-1", "operator", "key_00"] {
        assert_eq!(rig.admit(&stranger.head_as(keyid, &asking)).await, Err(Refused::NotSigned.into()));
    }
    // Who holds it learns it.
    assert_eq!(rig.admit(&revoked.head(&asking)).await, Err(KeyRevoked.into()));
}

#[tokio::test]
async fn a_key_counts_in_its_time_its_environment_and_its_networks_alone() {
    let rig = Rig::start().await;
    let (first, _) = rig.program().await;
    let near = rig.made_by(&first, sandbox(&[Scope::OrganisationRead], "10.0.0.0/8 2001:db8::/32")).await;
    let from = |peer| Asking { peer, ..Asking::get(HERE) };
    for peer in ["10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1"] {
        assert!(rig.admit(&near.head(&from(peer))).await.is_ok(), "{peer}");
    }
    for peer in ["127.0.0.1", "11.0.0.0", "2001:db9::", "::1"] {
        assert_eq!(rig.admit(&near.head(&from(peer))).await, Err(NetworkNotAllowed.into()), "{peer}");
    }
    // A header that names another sender is the sender's to write.
    let forwarded = Asking { fields: vec![("x-forwarded-for", "10.1.2.3".to_owned())], ..from("127.0.0.1") };
    assert_eq!(rig.admit(&near.head(&forwarded)).await, Err(NetworkNotAllowed.into()));

    let later = START.plus(LIFETIME);
    let late = Asking { signed: later.minus(30_000), ..from("10.0.0.1") };
    let before = rig.admit_at(&near.head(&late), later.minus(1)).await;
    assert!(before.is_ok(), "{before:?}");
    assert_eq!(rig.admit_at(&near.head(&late), later).await, Err(KeyExpired.into()));
}

#[tokio::test]
async fn a_key_of_the_other_environment_is_refused() {
    let folder = Folder::new();
    let store = Database::Sqlite(folder.path().join("identity.db")).open().await.unwrap();
    let at = |environment| {
        let authorities = vec![Authority::parse(Scheme::Http, HOST).unwrap()];
        Shared::new(store.clone(), Place { authorities, environment, parties: Vec::new() }, START).unwrap()
    };
    let rig = Rig { shared: at(Environment::Live), _folder: folder };
    let (program, _) = rig.program().await;
    let asking = Asking::get(HERE);
    assert!(rig.admit(&program.head(&asking)).await.is_ok());
    let other = Rig { shared: at(Environment::Sandbox), _folder: Folder::new() };
    assert_eq!(other.admit(&program.head(&asking)).await, Err(WrongEnvironment.into()));
}

#[tokio::test]
async fn what_was_signed_for_another_host_or_before_the_start_counts_for_nothing() {
    let rig = Rig::start().await;
    let (program, _) = rig.program().await;
    let mut head = program.head(&Asking::get(HERE));
    head.authority = "evil.example".to_owned();
    assert_eq!(rig.admit(&head).await, Err(Refused::OtherAuthority.into()));
    let program = rig.made_by(&program, sandbox(&[], "")).await;
    let early = Asking { signed: START.plus(5_000), ..Asking::get(HERE) };
    let soon = START.plus(6_000);
    assert_eq!(rig.admit_at(&program.head(&early), soon).await, Err(Refused::Starting.into()));
}

#[tokio::test]
async fn each_operation_asks_for_its_scope() {
    let rig = Rig::start().await;
    let (first, _) = rig.program().await;
    let none = rig.made_by(&first, sandbox(&[], "")).await;
    let other = rig.made_by(&first, sandbox(&[], "")).await;
    let key = format!("/v1/keys/{}", other.id());
    let asked = [
        (Asking::get(HERE), Scope::OrganisationRead),
        (Asking::get("/v1/keys"), Scope::KeysRead),
        (Asking::get(&key), Scope::KeysRead),
        (Asking::post("/v1/keys", &json!({})), Scope::KeysWrite),
        (Asking::post(&format!("{key}/rotate"), &json!({})), Scope::KeysWrite),
        (Asking::revoke(&key), Scope::KeysWrite),
        (Asking::get("/v1/policies"), Scope::PoliciesRead),
        (Asking { method: "PUT", ..Asking::post("/v1/policies", &json!({})) }, Scope::PoliciesWrite),
    ];
    for (asking, scope) in asked {
        assert_eq!(why(rig.ask(&none, &asking).await), Some(ScopeMissing), "{}", asking.target);
        for other in Scope::ALL.into_iter().filter(|other| *other != scope) {
            let wrong = rig.made_by(&first, sandbox(&[other], "")).await;
            assert_eq!(why(rig.ask(&wrong, &asking).await), Some(ScopeMissing), "{}", asking.target);
        }
        let right = rig.made_by(&first, sandbox(&[scope], "")).await;
        assert_ne!(why(rig.ask(&right, &asking).await), Some(ScopeMissing), "{}", asking.target);
    }
    // Of itself a key needs none.
    let own = format!("/v1/keys/{}", none.id());
    assert_eq!(rig.ask(&none, &Asking::get(&own)).await.unwrap().0, 200);
    assert_eq!(rig.ask(&none, &Asking::revoke(&own)).await.unwrap().0, 200);
    assert_eq!(rig.ask(&none, &Asking::get(&own)).await, Err(KeyRevoked.into()));
}

#[tokio::test]
async fn another_organisations_key_is_not_found_and_not_listed() {
    let rig = Rig::start().await;
    let ((mine, _), (others, _)) = (rig.program().await, rig.program().await);
    let theirs = format!("/v1/keys/{}", others.id());
    let rotation = rotation(&Program::new(), OrganisationId([0; 16]), 0);
    assert_eq!(rig.ask(&mine, &Asking::get(&theirs)).await, Err(KeyNotFound.into()));
    assert_eq!(rig.ask(&mine, &Asking::revoke(&theirs)).await, Err(KeyNotFound.into()));
    let rotate = Asking::post(&format!("{theirs}/rotate"), &rotation);
    assert_eq!(rig.ask(&mine, &rotate).await, Err(KeyNotFound.into()));
    let (_, page) = rig.ask(&mine, &Asking::get("/v1/keys")).await.unwrap();
    assert_eq!(page["keys"].as_array().unwrap().len(), 1);
    assert_eq!(page["next"], Value::Null);
}

fn proof(program: &Program, organisation: OrganisationId) -> String {
    use base64::Engine;
    let signature = program.signing.sign(&program.public.possession(organisation)).unwrap();
    base64::engine::general_purpose::STANDARD.encode(signature)
}

fn making(program: &Program, organisation: OrganisationId) -> Value {
    json!({
        "name": "made", "algorithm": "ed25519", "public_key": program.public.base64(),
        "possession": proof(program, organisation), "scopes": ["keys:read"],
    })
}

fn rotation(program: &Program, organisation: OrganisationId, overlap: u64) -> Value {
    json!({
        "algorithm": "ed25519", "public_key": program.public.base64(),
        "possession": proof(program, organisation), "overlap_seconds": overlap,
    })
}

#[tokio::test]
async fn a_key_is_registered_only_with_its_holders_will() {
    let rig = Rig::start().await;
    let ((maker, organisation), (_, other)) = (rig.program().await, rig.program().await);
    let (new, stranger) = (Program::new(), Program::new());
    let good = making(&new, organisation);
    for possession in [proof(&new, other), proof(&stranger, organisation), String::new(), "!".to_owned()] {
        let mut bad = good.clone();
        bad["possession"] = json!(possession);
        let refused = rig.ask(&maker, &Asking::post("/v1/keys", &bad)).await;
        assert_eq!(refused, Err(PossessionUnproven.into()));
    }
    let (status, key) = rig.ask(&maker, &Asking::post("/v1/keys", &good)).await.unwrap();
    assert_eq!((status, &key["id"]), (201, &json!(new.id().to_string())));
    assert_eq!(key["created_by"], json!(maker.id().to_string()));
    assert_eq!(rig.ask(&new, &Asking::get("/v1/keys")).await.unwrap().0, 200);
}

#[tokio::test]
async fn a_body_is_what_its_path_takes_and_nothing_else() {
    none_where_none_is_taken().await;
    let rig = Rig::start().await;
    let (maker, organisation) = rig.program().await;
    let new = Program::new();
    let with = |field: &str, value: Value| {
        let mut body = making(&new, organisation);
        body[field] = value;
        Asking::post("/v1/keys", &body)
    };
    for (field, value) in [
        ("other", json!(1)),
        ("name", json!("")),
        ("name", json!("a\u{202e}b")),
        ("scopes", json!(["everything"])),
        ("scopes", json!(["keys:read", "keys:read"])),
        ("networks", json!(["10.0.0.1/8"])),
        ("environment", json!("Sandbox")),
        ("not_before", json!(-1)),
        ("expires", json!(NOW.0)),
        ("expires", json!(NOW.0 + LONGEST_LIFETIME + 1)),
    ] {
        let refused = rig.ask(&maker, &with(field, value.clone())).await;
        assert_eq!(refused, Err(FieldsMalformed.into()), "{field}: {value}");
    }
    for (field, value) in [("public_key", json!("AAAA")), ("algorithm", json!("rsa-pss-sha512"))] {
        assert_eq!(rig.ask(&maker, &with(field, value)).await, Err(KeyInvalid.into()), "{field}");
    }
    let live = with("environment", json!("live"));
    assert_eq!(rig.ask(&maker, &live).await, Err(RightsExceeded.into()));
    for target in ["/v1/keys?limit=0", "/v1/keys?x=1", "/v1/keys?cursor=1"] {
        assert_eq!(rig.ask(&maker, &Asking::get(target)).await, Err(FieldsMalformed.into()), "{target}");
    }
    let queried = Asking::get("/v1/organisation?x=1");
    assert_eq!(rig.ask(&maker, &queried).await, Err(FieldsMalformed.into()));
}

#[tokio::test]
async fn a_rotated_key_and_its_successor_overlap_as_long_as_was_said() {
    let rig = Rig::start().await;
    let (old, organisation) = rig.program().await;
    let (next, last) = (Program::new(), Program::new());
    let path = format!("/v1/keys/{}/rotate", old.id());
    let too_long = Asking::post(&path, &rotation(&next, organisation, LONGEST_OVERLAP / 1000 + 1));
    assert_eq!(rig.ask(&old, &too_long).await, Err(FieldsMalformed.into()));
    let rotate = Asking::post(&path, &rotation(&next, organisation, 60));
    assert_eq!(rig.ask(&old, &rotate).await.unwrap().0, 201);
    let at = |time: UnixMillis| Asking { signed: time.minus(1000), ..Asking::get(HERE) };
    for program in [&old, &next] {
        let time = NOW.plus(59_999);
        assert!(rig.admit_at(&program.head(&at(time)), time).await.is_ok());
    }
    let over = NOW.plus(60_000);
    assert_eq!(rig.admit_at(&old.head(&at(over)), over).await, Err(KeyExpired.into()));
    let path = format!("/v1/keys/{}/rotate", next.id());
    rig.ask(&next, &Asking::post(&path, &rotation(&last, organisation, 0))).await.unwrap();
    assert_eq!(rig.admit(&next.head(&Asking::get(HERE))).await, Err(KeyRevoked.into()));
}

#[tokio::test]
async fn an_idempotency_key_is_signed_or_refused_and_answers_alike() {
    let rig = Rig::start().await;
    let (maker, organisation) = rig.program().await;
    let with = |body: &Value, key: &str| Asking {
        fields: vec![("idempotency-key", key.to_owned())],
        ..Asking::post("/v1/keys", body)
    };
    let (one, two) = (making(&Program::new(), organisation), making(&Program::new(), organisation));
    let answered = rig.ask(&maker, &with(&one, "a")).await.unwrap();
    assert_eq!(rig.ask(&maker, &with(&one, "a")).await.unwrap(), answered);
    assert_eq!(rig.ask(&maker, &with(&two, "a")).await, Err(IdempotencyKeyReused.into()));
    assert_eq!(rig.ask(&maker, &Asking::post("/v1/keys", &one)).await, Err(KeyTaken.into()));
    let long = "a".repeat(65);
    for key in ["", "a b", &long] {
        assert_eq!(rig.ask(&maker, &with(&two, key)).await, Err(IdempotencyKeyMalformed.into()), "{key}");
    }
    let mut head = maker.head(&Asking::post("/v1/keys", &two));
    head.fields.push(HeadField { name: "Idempotency-Key".to_owned(), value: b"b".to_vec() });
    assert_eq!(rig.admit(&head).await, Err(IdempotencyKeyMalformed.into()), "nobody signed it");
}

#[tokio::test]
async fn an_invitation_is_for_who_signs_with_the_key_that_it_registers() {
    let rig = Rig::start().await;
    let invited = rig.invite().await;
    let (mine, others) = (Program::new(), Program::new());
    let body = |program: &Program, code: &str| json!({ "code": code, "name": "first", "algorithm": "ed25519", "public_key": program.public.base64() });
    let path = "/v1/invitations/accept";
    // Somebody else's key in the body, and the other way round.
    let asking = Asking::post(path, &body(&mine, &invited.code));
    for head in [others.head(&asking), others.head_as(&mine.id().to_string(), &asking)] {
        assert_eq!(rig.introduce(head, asking.body.clone()).await, Err(Refused::NotSigned.into()));
    }
    // Another body than was signed.
    let head = mine.head(&Asking::post(path, &body(&mine, "inv_AAAAAAAAAAAAAAAAAAAAAA")));
    assert_eq!(rig.introduce(head, asking.body.clone()).await, Err(Refused::OtherBody.into()));
    for code in ["inv_AAAAAAAAAAAAAAAAAAAAAA", "inv_", "", &invited.code.to_uppercase()] {
        assert_eq!(rig.accept(&mine, code).await, Err(InvitationRefused.into()), "{code}");
    }
    // Who is not invited takes no room among the nonces, however often they come.
    let uninvited = Asking::post(path, &body(&others, "inv_AAAAAAAAAAAAAAAAAAAAAA"));
    let head = others.head(&uninvited);
    for _ in 0..2 {
        let refused = rig.introduce(head.clone(), uninvited.body.clone()).await;
        assert_eq!(refused, Err(InvitationRefused.into()));
    }
    let (status, key) = rig.accept(&mine, &invited.code).await.unwrap();
    assert_eq!((status, &key["created_by"]), (201, &json!(mine.id().to_string())));
    assert_eq!(rig.accept(&mine, &invited.code).await.unwrap().1, key, "its answer may have been lost");
    assert_eq!(rig.accept(&others, &invited.code).await, Err(InvitationRefused.into()));
}

#[tokio::test]
async fn one_key_that_asks_too_much_keeps_nobody_else_out() {
    let rig = Rig::start().await;
    let ((busy, _), (calm, _)) = (rig.program().await, rig.program().await);
    let asking = Asking::get(HERE);
    let mut refused = None;
    for _ in 0..20_000 {
        if let Err(denied) = rig.admit(&busy.head(&asking)).await {
            refused = Some(denied);
            break;
        }
    }
    assert_eq!(refused, Some(TooManyOfKey.into()));
    assert!(rig.admit(&calm.head(&asking)).await.is_ok());
}

#[tokio::test]
async fn a_keys_last_use_is_told_at_once_and_kept() {
    let rig = Rig::start().await;
    let (program, _) = rig.program().await;
    let own = Asking { peer: "192.0.2.7", ..Asking::get(&format!("/v1/keys/{}", program.id())) };
    let (_, shown) = rig.ask(&program, &own).await.unwrap();
    assert_eq!(shown["last_used"], json!({ "at": NOW.0, "from": "192.0.2.7" }));
    rig.shared.write_uses().await;
    let kept = rig.shared.store.key(program.id()).await.unwrap().unwrap();
    assert_eq!(kept.last_used, Some(Use { at: NOW, from: "192.0.2.7".parse().unwrap() }));
}

async fn none_where_none_is_taken() {
    let rig = Rig::start().await;
    let (program, _) = rig.program().await;
    let key = format!("/v1/keys/{}", program.id());
    for asking in [Asking::get(HERE), Asking::get("/v1/policies"), Asking::get(&key), Asking::revoke(&key)] {
        let with_body = Asking { body: b"{}".to_vec(), ..asking.clone() };
        assert_eq!(rig.ask(&program, &with_body).await, Err(FieldsMalformed.into()), "{}", asking.target);
        assert!(rig.ask(&program, &asking).await.is_ok(), "{}", asking.target);
    }
}
