//! What is asked: who, what, of what, under which circumstances. Made of what was verified, and of nothing a caller says.

use super::base::Failed;
use cedar_policy::{Context, Entities, Entity, EntityUid, Request, RestrictedExpression, Schema};
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

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
}

/// A program, as its key was registered.
#[derive(Clone, Copy, Debug)]
pub struct Principal<'q> {
    /// The key's id.
    pub id: &'q str,
    pub organisation: &'q str,
    pub scopes: &'q [&'q str],
    pub environment: &'q str,
}

/// What something is asked of.
#[derive(Clone, Copy, Debug)]
pub enum Resource<'q> {
    Organisation(&'q str),
    Key { id: &'q str, organisation: &'q str, environment: &'q str },
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
}

impl Question<'_> {
    /// In Cedar's terms, checked against the schema: a question that does not fit it is nobody's to answer.
    pub(super) fn put(&self, schema: &Schema) -> Result<(Request, Entities), Failed> {
        let (principal, program) = self.principal.entity()?;
        let (resource, subject) = self.resource.entity()?;
        let mut entities = vec![program];
        entities.extend(subject);
        for organisation in HashSet::from([self.principal.organisation, self.resource.organisation()]) {
            entities.push(Entity::new_no_attrs(uid("Organisation", organisation)?, HashSet::new()));
        }
        let context = Context::from_pairs([
            ("from".to_owned(), RestrictedExpression::new_ip(self.from.to_string())),
            ("now".to_owned(), RestrictedExpression::new_long(self.now)),
        ])
        .map_err(Failed::because)?;
        let action = uid("Action", self.action.name())?;
        let request =
            Request::new(principal, action, resource, context, Some(schema)).map_err(Failed::because)?;
        Ok((request, Entities::from_entities(entities, Some(schema)).map_err(Failed::because)?))
    }
}

impl Principal<'_> {
    fn entity(&self) -> Result<(EntityUid, Entity), Failed> {
        let name = uid("Program", self.id)?;
        let scopes = self.scopes.iter().map(|scope| RestrictedExpression::new_string((*scope).to_owned()));
        let attributes = owned(self.organisation, self.environment)?
            .into_iter()
            .chain([("scopes".to_owned(), RestrictedExpression::new_set(scopes))])
            .chain([("key".to_owned(), RestrictedExpression::new_entity_uid(uid("Key", self.id)?))]);
        Ok((name.clone(), belonging(name, self.organisation, attributes.collect())?))
    }
}

impl<'q> Resource<'q> {
    pub fn organisation(&self) -> &'q str {
        match self {
            Resource::Organisation(organisation) | Resource::Key { organisation, .. } => organisation,
        }
    }

    /// Its name, and itself where the organisations do not say it all.
    fn entity(&self) -> Result<(EntityUid, Option<Entity>), Failed> {
        match self {
            Resource::Organisation(organisation) => Ok((uid("Organisation", organisation)?, None)),
            Resource::Key { id, organisation, environment } => {
                let name = uid("Key", id)?;
                let entity = belonging(name.clone(), organisation, owned(organisation, environment)?)?;
                Ok((name, Some(entity)))
            }
        }
    }
}

type Attributes = HashMap<String, RestrictedExpression>;

fn owned(organisation: &str, environment: &str) -> Result<Attributes, Failed> {
    Ok(HashMap::from([
        ("organisation".to_owned(), RestrictedExpression::new_entity_uid(uid("Organisation", organisation)?)),
        ("environment".to_owned(), RestrictedExpression::new_string(environment.to_owned())),
    ]))
}

fn belonging(name: EntityUid, organisation: &str, attributes: Attributes) -> Result<Entity, Failed> {
    let parents = HashSet::from([uid("Organisation", organisation)?]);
    Entity::new(name, attributes, parents).map_err(Failed::because)
}

/// `Tensfer::Kind::"id"`. The id is data: nothing in it is read as Cedar's language.
fn uid(kind: &str, id: &str) -> Result<EntityUid, Failed> {
    let kind = format!("Tensfer::{kind}").parse().map_err(Failed::because)?;
    Ok(EntityUid::from_type_name_and_id(kind, cedar_policy::EntityId::new(id)))
}
