//! `policy explain`

use super::super::{print, print_json};
use super::{JSON, base, text_of};
use crate::client::clock;
use crate::client::failure::{Failure, Result};
use crate::client::terminal::{plain_lines, printable};
use host::policy::{
    Action, Base, Cause, Decision, Origin, Policies, PolicyText, Principal, Question, Resource,
};
use serde_json::{Value, json};
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::ExitCode;

/// The organisation and the key that ask.
const ORGANISATION: &str = "org_own";
const KEY: &str = "key_own";
/// The person who asks.
const PERSON: &str = "person_own";

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    tensfer policy explain keys.list --scope keys:read\n  \
    tensfer policy explain keys.revoke --scope keys:write --key-environment live\n  \
    tensfer policy explain keys.make --scope keys:write --restrictions restrictions.cedar --from 198.51.100.7 --json")]
pub struct Args {
    /// What is asked: `keys.list`, `keys.show`, `keys.make`, `keys.rotate`, `keys.revoke`, `organisation.show`,
    /// `policies.show` or `policies.replace` by a program; `person.show`, `sessions.list`, `sessions.show`, `sessions.name`,
    /// `sessions.end`, `sessions.end-others`, `passkeys.add`, `passkeys.name`, `passkeys.remove`, `recovery.codes` or
    /// `recovery.cancel` by a person.
    #[arg(value_parser = action)]
    action: Action,
    /// A scope of the key that asks; once for each.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// The environment of the key that asks.
    #[arg(long, value_name = "ENVIRONMENT", default_value = "sandbox", value_parser = ["sandbox", "live"])]
    own_environment: String,
    /// Of what is asked about a key: its environment.
    #[arg(long, value_name = "ENVIRONMENT", default_value = "sandbox", value_parser = ["sandbox", "live"])]
    key_environment: String,
    /// Of what is asked about a key: it is the one that asks.
    #[arg(long)]
    own_key: bool,
    /// What is asked about is another organisation's.
    #[arg(long)]
    other_organisation: bool,
    /// Of what a person asks: their passkey was asked for this very request.
    #[arg(long)]
    fresh: bool,
    /// What is asked about is another person's.
    #[arg(long)]
    other_person: bool,
    /// The address that the request comes from.
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    from: IpAddr,
    /// When: Unix time in seconds; now, if nothing is said.
    #[arg(long, value_name = "SECONDS")]
    at: Option<i64>,
    /// The organisation's own policies; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    restrictions: Option<PathBuf>,
    #[arg(long, help = JSON)]
    json: bool,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let base = base()?;
    let policies = match &args.restrictions {
        Some(file) => Policies::restricted(base, &text_of(file)?)
            .map_err(|unfit| Failure::refused("policies_unfit", printable(&unfit.to_string())))?,
        None => Policies::base(base),
    };
    let decision = args.decision(&policies);
    if args.json {
        print_json(&as_json(&decision, base))?;
    } else {
        print(&text(&decision, &[base.policies(), policies.own()].concat()))?;
    }
    Ok(ExitCode::from(u8::from(!decision.is_allowed())))
}

impl Args {
    fn decision(&self, policies: &Policies) -> Decision {
        let scopes: Vec<&str> = self.scopes.iter().map(String::as_str).collect();
        policies.decide(&Question {
            principal: self.principal(&scopes),
            action: self.action,
            resource: self.resource(),
            from: self.from,
            now: self.at.unwrap_or_else(|| i64::try_from(clock::now().0 / 1000).unwrap_or(i64::MAX)),
        })
    }

    fn principal<'a>(&'a self, scopes: &'a [&'a str]) -> Principal<'a> {
        if self.action.is_of_people() {
            Principal::Person { id: PERSON, session: "ses_own", is_fresh: self.fresh }
        } else {
            let environment = &self.own_environment;
            Principal::Program { id: KEY, organisation: ORGANISATION, scopes, environment }
        }
    }

    fn resource(&self) -> Resource<'_> {
        let organisation = if self.other_organisation { "org_other" } else { ORGANISATION };
        let person = if self.other_person { "person_other" } else { PERSON };
        if self.action.is_about_a_session() {
            Resource::Session { id: "ses_asked", person }
        } else if self.action.is_about_a_passkey() {
            Resource::Passkey { id: "pk_asked", person }
        } else if self.action.is_of_people() {
            Resource::Person(person)
        } else if self.action.is_about_a_key() {
            let id = if self.own_key { KEY } else { "key_other" };
            Resource::Key { id, organisation, environment: &self.key_environment }
        } else {
            Resource::Organisation(organisation)
        }
    }
}

fn as_json(decision: &Decision, base: &Base) -> Value {
    let causes = match decision {
        Decision::Allowed(causes) | Decision::Denied(causes) => causes.as_slice(),
        Decision::Failed(_) => &[],
    };
    let told =
        |cause: &Cause| json!({ "origin": cause.origin.name(), "policy": cause.policy, "code": cause.code });
    json!({
        "allowed": decision.is_allowed(),
        "code": decision.code(),
        "policies": causes.iter().map(told).collect::<Vec<_>>(),
        "failed": if let Decision::Failed(why) = decision { Some(why) } else { None },
        "version": base.version(),
    })
}

fn text(decision: &Decision, texts: &[PolicyText]) -> String {
    let code = decision.code().unwrap_or_default();
    let (verdict, causes) = match decision {
        Decision::Allowed(causes) => {
            ("Allowed, because this permits it and nothing forbids it:".to_owned(), causes.as_slice())
        }
        Decision::Denied(causes) if causes.is_empty() => {
            (format!("Refused ({code}): no policy permits it."), causes.as_slice())
        }
        Decision::Denied(causes) => {
            (format!("Refused ({code}), because this forbids it:"), causes.as_slice())
        }
        Decision::Failed(why) => (format!("Refused ({code}): {}", printable(why)), &[][..]),
    };
    let mut told = verdict + "\n";
    for Cause { origin, policy, .. } in causes {
        let whose = match origin {
            Origin::Base => "of the program",
            Origin::Organisation => "of the organisation",
        };
        // Writing to a string does not fail.
        let _ = write!(told, "\n{policy}, {whose}\n");
        let found = texts.iter().find(|text| text.id == *policy && text.origin == *origin);
        let text = found.and_then(|found| plain_lines(&found.text)).unwrap_or_default();
        for line in text.lines() {
            let _ = writeln!(told, "  {line}");
        }
    }
    told
}

fn action(name: &str) -> std::result::Result<Action, String> {
    Action::from_name(name).ok_or_else(|| {
        let known: Vec<&str> = Action::ALL.iter().map(|action| action.name()).collect();
        format!("no such action; there are {}", known.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    /// The code of the refusal, or nothing, and the policies that decided.
    fn explained(words: &[&str]) -> (Value, Vec<String>) {
        let Line { args } = Line::parse_from([&["explain"], words].concat());
        let base = base().unwrap();
        let told = as_json(&args.decision(&Policies::base(base)), base);
        let policies = told["policies"].as_array().unwrap().iter();
        (told["code"].clone(), policies.map(|cause| cause["policy"].as_str().unwrap().to_owned()).collect())
    }

    #[test]
    fn what_people_ask_is_explained_for_a_fresh_word_and_for_what_is_anothers() {
        let own = vec!["people-see-and-change-what-is-theirs".to_owned()];
        let fresh = vec!["what-changes-who-can-sign-in-takes-a-fresh-word".to_owned()];
        let dangerous = ["passkeys.add", "passkeys.remove", "recovery.codes"];
        let of_people = Action::ALL.iter().filter(|action| action.is_of_people());
        let mut asked = 0;
        for action in of_people.map(|action| action.name()) {
            assert_eq!(explained(&[action, "--fresh"]), (Value::Null, own.clone()), "{action}");
            let without = match dangerous.contains(&action) {
                true => (json!("step_up_needed"), fresh.clone()),
                false => (Value::Null, own.clone()),
            };
            assert_eq!(explained(&[action]), without, "{action}");
            for words in [&[action, "--other-person"][..], &[action, "--other-person", "--fresh"]] {
                let (code, policies) = explained(words);
                assert_eq!(code, "nothing_permits", "{words:?}");
                assert!(policies.is_empty(), "{words:?}: {policies:?}");
            }
            asked += 1;
        }
        assert_eq!(asked, 11);
    }
}
