//! What is asked: who, what, of what, under which circumstances. Made of what was verified, and of nothing a caller says.

use super::base::Failed;
use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression, Schema,
};
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::OnceLock;

const ORGANISATION: &str = "Organisation";
const PERSON: &str = "Person";
/// Everything that the schema names.
const KINDS: [&str; 7] = ["Action", ORGANISATION, "Program", "Key", PERSON, "Session", "Passkey"];

/// What may be done over the API. Each is of one group in the schema, which is the scope that it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    KeysList,
    KeysShow,
    KeysMake,
    KeysRotate,
    KeysRevoke,
    OrganisationShow,
    PoliciesShow,
    PoliciesReplace,
    PersonShow,
    SessionsList,
    SessionsShow,
    SessionsName,
    SessionsEnd,
    SessionsEndOthers,
    PasskeysAdd,
    PasskeysName,
    PasskeysRemove,
    RecoveryCodes,
    RecoveryCancel,
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub enum Principal<'q> {
    /// A program, as its key was registered: by the key's id.
    Program { id: &'q str, organisation: &'q str, scopes: &'q [&'q str], environment: &'q str },
    /// A person who is signed in, by a session of theirs; and whether a passkey of theirs was asked for this very request.
    Person { id: &'q str, session: &'q str, is_fresh: bool },
}

/// What something is asked of.
#[derive(Clone, Copy, Debug)]
pub enum Resource<'q> {
    Organisation(&'q str),
    Key { id: &'q str, organisation: &'q str, environment: &'q str },
    Person(&'q str),
    Session { id: &'q str, person: &'q str },
    Passkey { id: &'q str, person: &'q str },
}

/// One question.
#[derive(Clone, Copy, Debug)]
pub struct Question<'q> {
    pub principal: Principal<'q>,
    pub action: Action,
    pub resource: Resource<'q>,
    /// The address that the gateway saw.
    pub from: IpAddr,
    /// Unix time, seconds.
    pub now: i64,
}

impl Action {
    pub const ALL: &'static [Action] = &[
        Action::KeysList,
        Action::KeysShow,
        Action::KeysMake,
        Action::KeysRotate,
        Action::KeysRevoke,
        Action::OrganisationShow,
        Action::PoliciesShow,
        Action::PoliciesReplace,
        Action::PersonShow,
        Action::SessionsList,
        Action::SessionsShow,
        Action::SessionsName,
        Action::SessionsEnd,
        Action::SessionsEndOthers,
        Action::PasskeysAdd,
        Action::PasskeysName,
        Action::PasskeysRemove,
        Action::RecoveryCodes,
        Action::RecoveryCancel,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Action::KeysList => "keys.list",
            Action::KeysShow => "keys.show",
            Action::KeysMake => "keys.make",
            Action::KeysRotate => "keys.rotate",
            Action::KeysRevoke => "keys.revoke",
            Action::OrganisationShow => "organisation.show",
            Action::PoliciesShow => "policies.show",
            Action::PoliciesReplace => "policies.replace",
            Action::PersonShow => "person.show",
            Action::SessionsList => "sessions.list",
            Action::SessionsShow => "sessions.show",
            Action::SessionsName => "sessions.name",
            Action::SessionsEnd => "sessions.end",
            Action::SessionsEndOthers => "sessions.end-others",
            Action::PasskeysAdd => "passkeys.add",
            Action::PasskeysName => "passkeys.name",
            Action::PasskeysRemove => "passkeys.remove",
            Action::RecoveryCodes => "recovery.codes",
            Action::RecoveryCancel => "recovery.cancel",
        }
    }

    pub fn from_name(name: &str) -> Option<Action> {
        Action::ALL.iter().copied().find(|action| action.name() == name)
    }

    /// Whether it is asked about one key, and not about an organisation.
    pub const fn is_about_a_key(self) -> bool {
        matches!(self, Action::KeysShow | Action::KeysRotate | Action::KeysRevoke)
    }

    /// Whether the program's policies alone decide it, so that no organisation locks itself out.
    pub const fn is_the_programs(self) -> bool {
        matches!(self, Action::PoliciesShow | Action::PoliciesReplace)
    }

    /// Whether it is asked about one session, and not about a person.
    pub const fn is_about_a_session(self) -> bool {
        matches!(self, Action::SessionsShow | Action::SessionsName | Action::SessionsEnd)
    }

    /// Whether it is asked about one passkey, and not about a person.
    pub const fn is_about_a_passkey(self) -> bool {
        matches!(self, Action::PasskeysName | Action::PasskeysRemove)
    }

    /// Whether people ask it, of what is theirs; programs ask the others.
    pub const fn is_of_people(self) -> bool {
        matches!(
            self,
            Action::PersonShow
                | Action::SessionsList
                | Action::SessionsEndOthers
                | Action::PasskeysAdd
                | Action::RecoveryCodes
                | Action::RecoveryCancel
        ) || self.is_about_a_session()
            || self.is_about_a_passkey()
    }
}

impl Question<'_> {
    /// In Cedar's terms, checked against the schema: a question that does not fit it is nobody's to answer.
    pub(super) fn put(&self, schema: &Schema) -> Result<(Request, Entities), Failed> {
        let (principal, asker) = self.principal.entity()?;
        let (resource, subject) = self.resource.entity()?;
        let mut entities: Vec<Entity> = asker.into_iter().chain(subject).collect();
        for (kind, id) in HashSet::from([self.principal.root(), self.resource.root()]) {
            entities.push(Entity::new_no_attrs(uid(kind, id)?, HashSet::new()));
        }
        let fresh = match self.principal {
            Principal::Program { .. } => None,
            Principal::Person { is_fresh, .. } => {
                Some(("fresh".to_owned(), RestrictedExpression::new_bool(is_fresh)))
            }
        };
        let always = [
            ("from".to_owned(), RestrictedExpression::new_ip(self.from.to_string())),
            ("now".to_owned(), RestrictedExpression::new_long(self.now)),
        ];
        let context = Context::from_pairs(always.into_iter().chain(fresh)).map_err(Failed::because)?;
        let action = uid("Action", self.action.name())?;
        let request =
            Request::new(principal, action, resource, context, Some(schema)).map_err(Failed::because)?;
        Ok((request, Entities::from_entities(entities, Some(schema)).map_err(Failed::because)?))
    }
}

/// What something belongs to, and that belongs to nothing itself: kind and id.
type Root<'q> = (&'static str, &'q str);

impl<'q> Principal<'q> {
    fn root(&self) -> Root<'q> {
        match self {
            Principal::Program { organisation, .. } => (ORGANISATION, organisation),
            Principal::Person { id, .. } => (PERSON, id),
        }
    }

    /// Its name, and itself where its root does not say it all.
    fn entity(&self) -> Result<(EntityUid, Option<Entity>), Failed> {
        let (id, organisation, scopes, environment) = match self {
            Principal::Program { id, organisation, scopes, environment } => {
                (*id, *organisation, *scopes, *environment)
            }
            Principal::Person { id, .. } => return Ok((uid(PERSON, id)?, None)),
        };
        let name = uid("Program", id)?;
        let scopes = scopes.iter().map(|scope| RestrictedExpression::new_string((*scope).to_owned()));
        let attributes = owned(organisation, environment)?
            .into_iter()
            .chain([("scopes".to_owned(), RestrictedExpression::new_set(scopes))])
            .chain([("key".to_owned(), RestrictedExpression::new_entity_uid(uid("Key", id)?))]);
        let entity = belonging(name.clone(), (ORGANISATION, organisation), attributes.collect())?;
        Ok((name, Some(entity)))
    }
}

impl<'q> Resource<'q> {
    fn root(&self) -> Root<'q> {
        match self {
            Resource::Organisation(organisation) | Resource::Key { organisation, .. } => {
                (ORGANISATION, organisation)
            }
            Resource::Person(person)
            | Resource::Session { person, .. }
            | Resource::Passkey { person, .. } => (PERSON, person),
        }
    }

    /// Its name, and itself where its root does not say it all.
    fn entity(&self) -> Result<(EntityUid, Option<Entity>), Failed> {
        match self {
            Resource::Organisation(organisation) => Ok((uid(ORGANISATION, organisation)?, None)),
            Resource::Person(person) => Ok((uid(PERSON, person)?, None)),
            Resource::Session { id, person } | Resource::Passkey { id, person } => {
                let is_session = matches!(self, Resource::Session { .. });
                let name = uid(if is_session { "Session" } else { "Passkey" }, id)?;
                let entity = belonging(name.clone(), (PERSON, person), Attributes::new())?;
                Ok((name, Some(entity)))
            }
            Resource::Key { id, organisation, environment } => {
                let name = uid("Key", id)?;
                let entity =
                    belonging(name.clone(), (ORGANISATION, organisation), owned(organisation, environment)?)?;
                Ok((name, Some(entity)))
            }
        }
    }
}

type Attributes = HashMap<String, RestrictedExpression>;

fn owned(organisation: &str, environment: &str) -> Result<Attributes, Failed> {
    Ok(HashMap::from([
        ("organisation".to_owned(), RestrictedExpression::new_entity_uid(uid(ORGANISATION, organisation)?)),
        ("environment".to_owned(), RestrictedExpression::new_string(environment.to_owned())),
    ]))
}

fn belonging(name: EntityUid, (kind, id): Root<'_>, attributes: Attributes) -> Result<Entity, Failed> {
    let parents = HashSet::from([uid(kind, id)?]);
    Entity::new(name, attributes, parents).map_err(Failed::because)
}

/// `Tensfer::Kind::"id"`. The id is data: nothing in it is read as Cedar's language.
fn uid(kind: &str, id: &str) -> Result<EntityUid, Failed> {
    Ok(EntityUid::from_type_name_and_id(type_name(kind)?, EntityId::new(id)))
}

/// Read once: Cedar's parser takes longer for a name than its engine for a decision.
fn type_name(kind: &str) -> Result<EntityTypeName, Failed> {
    static NAMES: OnceLock<HashMap<&str, EntityTypeName>> = OnceLock::new();
    let read = |kind: &'static str| Some((kind, format!("Tensfer::{kind}").parse().ok()?));
    let names = NAMES.get_or_init(|| KINDS.into_iter().filter_map(read).collect());
    names.get(kind).cloned().ok_or_else(|| Failed::because(format_args!("there is no kind {kind}")))
}
