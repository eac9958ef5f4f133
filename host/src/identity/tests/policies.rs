//! What an organisation forbids itself holds from the next request on, for itself alone.

use super::*;
use crate::identity::Refusal::*;
use crate::policy::PolicyName;
use crate::store::ReplacePolicies;

const HERE: &str = "/v1/organisation";
const OFFICE: &str = r#"@id("from-the-office-alone") forbid (principal, action, resource) unless { context.from.isInRange(ip("10.0.0.0/8")) };"#;

fn replacing(text: &str, replaces: u64) -> Asking {
    let body = json!({ "text": text, "replaces": replaces });
    Asking { method: "PUT", ..Asking::post("/v1/policies", &body) }
}

fn from_the_office(asking: Asking) -> Asking {
    Asking { peer: "10.1.2.3", ..asking }
}

#[tokio::test]
async fn an_organisations_policies_hold_from_the_next_request_on_and_for_itself_alone() {
    let rig = Rig::start().await;
    let ((mine, _), (theirs, _)) = (rig.program().await, rig.program().await);
    let (_, before) = rig.ask(&mine, &Asking::get("/v1/policies")).await.unwrap();
    assert_eq!((&before["version"], &before["text"]), (&json!(0), &json!("")));
    let (status, written) = rig.ask(&mine, &replacing(OFFICE, 0)).await.unwrap();
    assert_eq!((status, &written["version"], &written["text"]), (200, &json!(1), &json!(OFFICE)));
    assert_eq!(written["changed_by"], mine.id().to_string());

    let forbidden = rig.ask(&mine, &Asking::get(HERE)).await.unwrap_err();
    let policy = PolicyName::parse("organisation/from-the-office-alone").unwrap();
    assert_eq!(forbidden, Denied::Forbidden(OrganisationForbids, policy));
    assert_eq!(rig.ask(&mine, &from_the_office(Asking::get(HERE))).await.unwrap().0, 200);
    assert_eq!(rig.ask(&theirs, &Asking::get(HERE)).await.unwrap().0, 200);

    // Those are the program's alone to decide.
    assert_eq!(rig.ask(&mine, &Asking::get("/v1/policies")).await.unwrap().1, written);
    assert_eq!(rig.ask(&mine, &replacing("", 1)).await.unwrap().0, 200);
    assert_eq!(rig.ask(&mine, &Asking::get(HERE)).await.unwrap().0, 200);
}

#[tokio::test]
async fn what_does_not_only_restrict_is_not_kept() {
    let rig = Rig::start().await;
    let (program, _) = rig.program().await;
    let permit = r#"@id("all") permit (principal, action, resource);"#;
    for text in [permit, "forbid (principal, action, resource);", "nonsense", "// \u{0}"] {
        assert_eq!(why(rig.ask(&program, &replacing(text, 0)).await), Some(PoliciesUnfit), "{text}");
    }
    assert_eq!(why(rig.ask(&program, &replacing("", 1)).await), Some(PoliciesReplaced));
    for body in [json!({ "text": "" }), json!({ "replaces": 0 }), json!({ "text": "", "replaces": -1 })] {
        let asking = Asking { method: "PUT", ..Asking::post("/v1/policies", &body) };
        assert_eq!(why(rig.ask(&program, &asking).await), Some(FieldsMalformed), "{body}");
    }
    let (_, shown) = rig.ask(&program, &Asking::get("/v1/policies")).await.unwrap();
    assert_eq!(shown["version"], 0);
}

#[tokio::test]
async fn policies_that_fit_no_more_permit_nothing_until_they_are_replaced() {
    let rig = Rig::start().await;
    let (program, _) = rig.program().await;
    let text = r#"@id("past") forbid (principal, action == Tensfer::Action::"keys.gone", resource);"#;
    let change =
        ReplacePolicies { asker: program.id(), text: text.to_owned(), replaces: 0, by: by(&program) };
    rig.shared.store.change(&change).await.unwrap();
    for target in [HERE, "/v1/keys"] {
        assert_eq!(why(rig.ask(&program, &Asking::get(target)).await), Some(PoliciesOutdated), "{target}");
    }
    let (_, shown) = rig.ask(&program, &Asking::get("/v1/policies")).await.unwrap();
    assert_eq!(shown["text"], text);
    rig.ask(&program, &replacing(OFFICE, 1)).await.unwrap();
    assert_eq!(rig.ask(&program, &from_the_office(Asking::get(HERE))).await.unwrap().0, 200);
}

#[tokio::test]
async fn a_policy_that_cannot_be_evaluated_permits_nothing() {
    let rig = Rig::start().await;
    let (program, _) = rig.program().await;
    let overflow = format!(
        r#"@id("overflow") forbid (principal, action, resource) when {{ context.now * {} > 0 }};"#,
        i64::MAX
    );
    rig.ask(&program, &replacing(&overflow, 0)).await.unwrap();
    assert_eq!(why(rig.ask(&program, &Asking::get(HERE)).await), Some(PolicyFailed));
}
