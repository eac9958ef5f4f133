#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

const EVERY_SCOPE: &[&str] =
    &["keys:read", "keys:write", "organisation:read", "policies:read", "policies:write"];

fn base() -> &'static Base {
    Base::get().unwrap()
}

fn program<'q>(scopes: &'q [&'q str]) -> Principal<'q> {
    Principal::Program { id: "key_1", organisation: "org_1", scopes, environment: "sandbox" }
}

fn key<'q>(organisation: &'q str, environment: &'q str) -> Resource<'q> {
    Resource::Key { id: "key_2", organisation, environment }
}

fn question<'q>(principal: Principal<'q>, action: Action, resource: Resource<'q>) -> Question<'q> {
    Question { principal, action, resource, from: IpAddr::V4(Ipv4Addr::LOCALHOST), now: 1_800_000_000 }
}

/// What each action is asked of, and the scope that it takes: written by hand, and not from the schema.
fn expected(action: Action) -> (Resource<'static>, &'static str) {
    let own = Resource::Organisation("org_1");
    match action {
        Action::KeysList => (own, "keys:read"),
        Action::KeysShow => (key("org_1", "sandbox"), "keys:read"),
        Action::KeysMake => (own, "keys:write"),
        Action::KeysRotate | Action::KeysRevoke => (key("org_1", "sandbox"), "keys:write"),
        Action::OrganisationShow => (own, "organisation:read"),
        Action::PoliciesShow => (own, "policies:read"),
        Action::PoliciesReplace => (own, "policies:write"),
        Action::PersonShow
        | Action::SessionsList
        | Action::SessionsEndOthers
        | Action::PasskeysAdd
        | Action::RecoveryCodes
        | Action::RecoveryCancel => (Resource::Person("person_1"), ""),
        Action::PasskeysName | Action::PasskeysRemove => {
            (Resource::Passkey { id: "pk_1", person: "person_1" }, "")
        }
        Action::SessionsShow | Action::SessionsName | Action::SessionsEnd => {
            (Resource::Session { id: "ses_1", person: "person_1" }, "")
        }
    }
}

fn of_programs() -> impl Iterator<Item = &'static Action> {
    Action::ALL.iter().filter(|action| !action.is_of_people())
}

#[test]
fn what_changes_who_can_sign_in_takes_a_fresh_word_and_nothing_else_does() {
    let policies = Policies::base(base());
    for action in Action::ALL.iter().filter(|action| action.is_of_people()) {
        let (resource, _) = expected(*action);
        let stale = |id| Principal::Person { id, session: "ses_1", is_fresh: false };
        let own = policies.decide(&question(stale("person_1"), *action, resource));
        let takes = matches!(action, Action::PasskeysAdd | Action::PasskeysRemove | Action::RecoveryCodes);
        assert_eq!(own.code(), takes.then_some("step_up_needed"), "{action:?}");
        // Of another's, nobody learns that it would.
        let others = policies.decide(&question(stale("person_2"), *action, resource));
        assert_eq!(others.code(), Some("nothing_permits"), "{action:?}");
    }
}

#[test]
fn people_see_and_change_what_is_theirs_and_nothing_else_and_programs_nothing_of_it() {
    let policies = Policies::base(base());
    let (ada, eve) = (
        Principal::Person { id: "person_1", session: "ses_1", is_fresh: true },
        Principal::Person { id: "person_2", session: "ses_2", is_fresh: true },
    );
    for action in Action::ALL {
        let (resource, _) = expected(*action);
        let decide = |principal| policies.decide(&question(principal, *action, resource));
        if action.is_of_people() {
            assert_eq!(policies_of(decide(ada)), ["people-see-and-change-what-is-theirs"], "{action:?}");
            assert_eq!(decide(eve).code(), Some("nothing_permits"), "{action:?}");
            assert!(matches!(decide(program(EVERY_SCOPE)), Decision::Failed(_)), "{action:?}");
        } else {
            assert!(matches!(decide(ada), Decision::Failed(_)), "{action:?}");
        }
    }
}

fn policies_of(decision: Decision) -> Vec<String> {
    match decision {
        Decision::Allowed(causes) | Decision::Denied(causes) => {
            causes.into_iter().map(|cause| cause.policy).collect()
        }
        Decision::Failed(why) => panic!("{why}"),
    }
}

#[test]
fn each_action_takes_its_scope_and_no_other_gives_it() {
    let policies = Policies::base(base());
    for action in of_programs() {
        let (resource, needed) = expected(*action);
        for scopes in subsets(EVERY_SCOPE) {
            let decision = policies.decide(&question(program(&scopes), *action, resource));
            let has = scopes.contains(&needed);
            assert_eq!(decision.is_allowed(), has, "{action:?} {scopes:?} {decision:?}");
            assert_eq!(decision.code(), (!has).then_some("scope_missing"), "{action:?} {scopes:?}");
        }
    }
}

#[test]
fn a_program_sees_replaces_and_revokes_its_own_key_without_any_scope_and_no_other() {
    let policies = Policies::base(base());
    let own = Resource::Key { id: "key_1", organisation: "org_1", environment: "sandbox" };
    for action in [Action::KeysShow, Action::KeysRotate, Action::KeysRevoke] {
        assert!(policies.decide(&question(program(&[]), action, own)).is_allowed(), "{action:?}");
        let other = policies.decide(&question(program(&[]), action, key("org_1", "sandbox")));
        assert_eq!(other.code(), Some("scope_missing"), "{action:?}");
    }
    let made = policies.decide(&question(program(&[]), Action::KeysMake, Resource::Organisation("key_1")));
    assert_eq!(made.code(), Some("scope_missing"));
}

fn subsets<'s>(of: &'s [&'s str]) -> impl Iterator<Item = Vec<&'s str>> {
    (0..1_u32 << of.len()).map(|chosen| {
        of.iter().enumerate().filter(|(at, _)| chosen >> at & 1 == 1).map(|(_, scope)| *scope).collect()
    })
}

#[test]
fn nothing_of_another_organisation_is_permitted_by_any_scope() {
    let policies = Policies::base(base());
    for action in of_programs() {
        let resource = match expected(*action).0 {
            Resource::Organisation(_) => Resource::Organisation("org_2"),
            _ => key("org_2", "sandbox"),
        };
        let decision = policies.decide(&question(program(EVERY_SCOPE), *action, resource));
        assert_eq!(decision, Decision::Denied(Vec::new()), "{action:?}");
        assert_eq!(decision.code(), Some("nothing_permits"));
    }
}

#[test]
fn a_key_of_one_environment_does_nothing_to_those_of_the_other() {
    let policies = Policies::base(base());
    for action in [Action::KeysShow, Action::KeysRotate, Action::KeysRevoke] {
        let decision = policies.decide(&question(program(EVERY_SCOPE), action, key("org_1", "live")));
        assert_eq!(decision.code(), Some("wrong_environment"));
        assert_eq!(policies_of(decision), ["a-key-acts-on-keys-of-its-environment"]);
    }
}

#[test]
fn a_question_that_does_not_fit_the_schema_is_failed_and_never_allowed() {
    let policies = Policies::base(base());
    let of_a_key = question(program(EVERY_SCOPE), Action::KeysList, key("org_1", "sandbox"));
    let decision = policies.decide(&of_a_key);
    assert!(matches!(&decision, Decision::Failed(_)), "{decision:?}");
    assert!(!decision.is_allowed());
}

#[test]
fn an_organisations_policies_restrict_and_are_named() {
    let text = r#"
        @id("changes-from-the-office-alone")
        forbid (principal, action in Tensfer::Action::"keys:write", resource)
        unless { context.from.isInRange(ip("203.0.113.0/24")) };
        @id("not-after-the-audit")
        forbid (principal, action == Tensfer::Action::"keys.make", resource) when { context.now > 1900000000 };
    "#;
    let policies = Policies::restricted(base(), text).unwrap();
    assert_eq!(
        policies.own().iter().map(|policy| policy.id.as_str()).collect::<BTreeSet<_>>(),
        BTreeSet::from(["changes-from-the-office-alone", "not-after-the-audit"])
    );
    let own = Resource::Organisation("org_1");
    let asked = question(program(EVERY_SCOPE), Action::KeysMake, own);
    let at = |from: [u8; 4], now| policies.decide(&Question { from: from.into(), now, ..asked });
    assert!(at([203, 0, 113, 7], 1_800_000_000).is_allowed());
    let elsewhere = at([198, 51, 100, 7], 1_800_000_000);
    assert_eq!(elsewhere.code(), Some("organisation_forbids"));
    assert_eq!(policies_of(elsewhere), ["changes-from-the-office-alone"]);
    assert_eq!(
        policies_of(at([198, 51, 100, 7], 1_900_000_001)),
        ["changes-from-the-office-alone", "not-after-the-audit"]
    );
    assert!(policies.decide(&question(program(EVERY_SCOPE), Action::KeysList, own)).is_allowed());
}

#[test]
fn a_refusal_of_the_programs_own_is_named_before_one_of_the_organisations() {
    let policies =
        Policies::restricted(base(), r#"@id("nothing") forbid (principal, action, resource);"#).unwrap();
    let decision =
        policies.decide(&question(program(&[]), Action::KeysList, Resource::Organisation("org_1")));
    assert_eq!(decision.code(), Some("scope_missing"));
    assert_eq!(policies_of(decision), ["reading-other-keys-takes-its-scope", "nothing"]);
}

#[test]
fn an_organisation_that_forbids_everything_can_still_change_its_policies() {
    let overflow = format!(
        r#"@id("overflow") forbid (principal, action, resource) when {{ context.now * {} > 0 }};"#,
        i64::MAX
    );
    for text in [r#"@id("nothing") forbid (principal, action, resource);"#, &overflow] {
        let policies = Policies::restricted(base(), text).unwrap();
        for action in Action::ALL {
            let (resource, _) = expected(*action);
            let decision = policies.decide(&question(program(EVERY_SCOPE), *action, resource));
            let is_open = matches!(action, Action::PoliciesShow | Action::PoliciesReplace);
            assert_eq!(decision.is_allowed(), is_open, "{action:?} {decision:?}");
        }
    }
}

#[test]
fn what_could_do_other_than_restrict_is_refused() {
    let refused = |text: &str| Policies::restricted(base(), text).unwrap_err();
    let permit = r#"@id("all") permit (principal, action, resource);"#;
    assert!(matches!(refused(permit), Unfit::Permits(id) if id == "all"));
    let one = r#"@id("one") forbid (principal, action, resource);"#;
    assert!(matches!(refused(&[one, permit].concat()), Unfit::Permits(_)));
    for text in [
        "forbid (principal, action, resource);",
        r#"@id("") forbid (principal, action, resource);"#,
        r#"@id("Upper") forbid (principal, action, resource);"#,
        r#"@id("organisation/one") forbid (principal, action, resource);"#,
        &[one, one].concat(),
        r#"@id("slot") forbid (principal == ?principal, action, resource);"#,
        "no policy",
        "// \u{0}",
        "// \u{1b}[2J",
        "@id(\"half\") forbid (principal, action",
    ] {
        assert!(matches!(refused(text), Unfit::Unreadable(_)), "{text}");
    }
    for text in [
        r#"@id("typo") forbid (principal, action == Tensfer::Action::"keys.lsit", resource);"#,
        r#"@id("attribute") forbid (principal, action, resource) when { principal.name == "a" };"#,
        r#"@id("kinds") forbid (principal, action, resource) when { context.now == "a" };"#,
        r#"@id("stranger") forbid (principal == User::"a", action, resource);"#,
    ] {
        assert!(matches!(refused(text), Unfit::Invalid(_)), "{text}");
    }
    assert!(matches!(refused(&" ".repeat(LONGEST + 1)), Unfit::TooLong));
    let many: String =
        (0..=MOST).map(|at| format!(r#"@id("p{at}") forbid (principal, action, resource);"#)).collect();
    assert!(matches!(refused(&many), Unfit::TooMany));
}

#[test]
fn a_policy_that_cannot_be_evaluated_lets_nothing_through() {
    // Cedar leaves a policy out that fails, and this one would have forbidden.
    let text = format!(
        r#"@id("overflow") forbid (principal, action, resource) when {{ context.now * {} > 0 }};"#,
        i64::MAX
    );
    let policies = Policies::restricted(base(), &text).unwrap();
    let decision =
        policies.decide(&question(program(EVERY_SCOPE), Action::KeysList, Resource::Organisation("org_1")));
    assert!(matches!(&decision, Decision::Failed(_)), "{decision:?}");
    assert_eq!(decision.code(), Some("policy_failed"));
}

#[test]
fn what_is_nested_without_end_is_refused_and_ends_nothing() {
    let with = |condition: String| {
        let text = format!(r#"@id("deep") forbid (principal, action, resource) when {{ {condition} }};"#);
        Policies::restricted(base(), &text)
    };
    for (open, inner, close) in [
        ("(", "true", ")"),
        ("!", "true", ""),
        ("-", "1 == 1", ""),
        ("[", "1", "]"),
        ("{a: ", "1", "}"),
        ("if true then ", "true else true", ""),
        ("if ", "true", " then true else true"),
        ("true && ", "true", ""),
        ("1 + ", "1 == 1", ""),
        ("context.now == ", "1", ""),
        ("principal.organisation.", "a", ""),
    ] {
        let most = LONGEST / (open.len() + close.len()) - 64;
        assert!(with(format!("{}{inner}{}", open.repeat(most), close.repeat(most))).is_err(), "{open}");
    }
    // What is as deep as it may be is read and decided, on a stack as small as a test's.
    let brackets = 14;
    for (most, open, close) in
        [(brackets, "(", ")"), (480 / 3, "true && ", ""), (7, "if true then ", " else true")]
    {
        let policies = with(format!("{}false{}", open.repeat(most), close.repeat(most))).unwrap();
        let asked = question(program(EVERY_SCOPE), Action::KeysList, Resource::Organisation("org_1"));
        assert!(policies.decide(&asked).is_allowed(), "{open}");
    }
}

#[test]
fn ids_are_data_and_never_read_as_policy_language() {
    let policies = Policies::base(base());
    for id in ["\"", "\\", "a\" || true", "org_1\"; permit(principal,action,resource);", "\u{0}", ""] {
        let principal =
            Principal::Program { id: "key_1", organisation: id, scopes: EVERY_SCOPE, environment: "sandbox" };
        let own = policies.decide(&question(principal, Action::KeysList, Resource::Organisation(id)));
        assert!(own.is_allowed(), "{id:?} {own:?}");
        let other = policies.decide(&question(principal, Action::KeysList, Resource::Organisation("org_1")));
        assert!(!other.is_allowed(), "{id:?}");
    }
}

#[test]
fn every_base_policy_that_forbids_names_its_code_and_those_that_permit_none() {
    for policy in base().policies() {
        assert_eq!(policy.text.contains("@code("), policy.text.contains("forbid"), "{}", policy.id);
    }
    assert_eq!(base().version().len(), 16);
}
