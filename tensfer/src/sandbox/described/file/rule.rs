//! How an exchange's requests are written and signed, and where they go.

use super::super::json::{Json, Members};
use super::{Field, SESSION, list, members, pairs};

#[derive(Debug)]
pub struct Section {
    pub name: String,
    pub host: String,
    prefix: String,
    /// `METHOD path` = another prefix.
    elsewhere: Vec<(String, String)>,
}

/// How requests are written and signed. Settings and templates stay as they are in the file.
#[derive(Debug)]
pub struct Rule {
    pub sections: Vec<String>,
    pub methods: Vec<String>,
    pub paths: Vec<String>,
    pub when: Vec<(String, String)>,
    pub empty: bool,
    pub keys: Vec<String>,
    pub keeps_path: bool,
    pub first: Members,
    pub last: Members,
    pub defaults: Members,
    pub seal: Members,
    pub steps: Vec<Step>,
    pub target: String,
    pub body: Option<String>,
    pub headers: Vec<(String, String)>,
    /// Sent along with a body only.
    pub body_headers: Vec<(String, String)>,
}

/// One computation of a rule.
#[derive(Debug)]
pub struct Step {
    pub name: String,
    pub keys: Vec<String>,
    pub encode: Vec<String>,
    pub work: Json,
}

impl Section {
    pub(super) fn of(name: &str, section: &Json) -> Self {
        Self {
            name: name.to_owned(),
            host: section.field("host").unwrap_or_default().to_owned(),
            prefix: section.field("prefix").unwrap_or("/").to_owned(),
            elsewhere: pairs(section, "elsewhere"),
        }
    }

    /// What stands in front of an endpoint's path.
    pub fn prefix(&self, method: &str, path: &str) -> &str {
        let name = format!("{method} {path}");
        let elsewhere = self.elsewhere.iter().find(|(endpoint, _)| *endpoint == name);
        elsewhere.map_or(&self.prefix, |(_, prefix)| prefix)
    }
}

impl Rule {
    pub(super) fn of(rule: &Json) -> Result<Self, String> {
        let owned = |name: &str| rule.texts(name).into_iter().map(str::to_owned).collect::<Vec<_>>();
        Ok(Self {
            sections: owned("sections"),
            methods: owned("methods"),
            paths: owned("paths"),
            when: pairs(rule, "when"),
            empty: rule.field("empty") == Some("true"),
            keys: owned("keys"),
            keeps_path: rule.field("keeps_path") == Some("true"),
            first: members(rule, "first").to_vec(),
            last: members(rule, "last").to_vec(),
            defaults: members(rule, "defaults").to_vec(),
            seal: members(rule, "seal").to_vec(),
            steps: list(rule, "steps").iter().map(Step::of).collect(),
            target: rule.field("target").ok_or("a signing rule without target")?.to_owned(),
            body: rule.field("body").map(str::to_owned),
            headers: pairs(rule, "headers"),
            body_headers: pairs(rule, "body_headers"),
        })
    }

    /// Whether requests by this rule carry something of a credential with these fields.
    pub fn authenticates(&self, credential: &[Field]) -> bool {
        let names_field = |(_, template): &(String, String)| {
            let mut tokens = credential.iter().map(|field| field.name.as_str()).chain([SESSION]);
            tokens.any(|token| template.contains(&format!("{{{token}")))
        };
        let written = self.body.iter().chain([&self.target]).map(|text| (String::new(), text.clone()));
        !self.steps.is_empty() || self.headers.iter().cloned().chain(written).any(|pair| names_field(&pair))
    }

    /// Whether the rule is for this endpoint, whatever its parameters.
    pub fn covers(&self, section: &str, method: &str, path: &str) -> bool {
        self.sections.iter().any(|known| known == section)
            && (self.methods.is_empty() || self.methods.iter().any(|known| known == method))
            && (self.paths.is_empty() || self.paths.iter().any(|glob| matches_glob(glob, path)))
    }
}

impl Step {
    fn of(step: &Json) -> Self {
        let encode = step.field("encode").unwrap_or_default();
        Self {
            name: step.field("name").unwrap_or_default().to_owned(),
            keys: step.texts("keys").into_iter().map(str::to_owned).collect(),
            encode: encode.split('|').filter(|filter| !filter.is_empty()).map(str::to_owned).collect(),
            work: step.clone(),
        }
    }
}

/// Whether a pattern with `*` for any text fits.
pub fn matches_glob(glob: &str, text: &str) -> bool {
    let Some((start, rest)) = glob.split_once('*') else { return glob == text };
    let Some(tail) = text.strip_prefix(start) else { return false };
    (0..=tail.len()).filter_map(|at| tail.get(at..)).any(|tail| matches_glob(rest, tail))
}
