//! Whole operations: input to the first request.

use enclave::connector::{
    Connector, Credential, Deed, Document, Json, Listing, Params, Request, Signing, Value, action, build,
    params, route,
};
use wire::action::Kind;

use crate::actions;
use crate::claims::Claims;
use crate::compare::{self, same};
use crate::credentials::fixture;
use crate::dictionary::{Dictionary, text};
use crate::input::{self, Input};
use crate::network;
use crate::report::{Exchange, Part};
use crate::signing::{CLOCK_MS, Frozen, against};
use crate::url;
use crate::vectors::Vectors;

/// The listing that serves a recorded input, and the parameters that are sent as they are.
pub struct Plan {
    pub listing: &'static Listing,
    pub source: Option<&'static enclave::connector::BalanceSource>,
    pub extra: Params,
}

/// How a connector serves a method: nothing where it does not claim it.
pub fn plan(
    connector: &'static Connector,
    claims: &Claims,
    method: &str,
    input: &Input,
) -> Option<Result<Plan, String>> {
    if let Some(deed) = actions::deed(method).filter(|deed| actions::is_claimed(connector, *deed)) {
        return Some(plan_action(connector, claims, deed, input));
    }
    let operation = input::operation(method);
    match operation.as_str() {
        "balances" => Some(plan_balance(connector, claims, input)),
        "time" if !connector.reads("time") => {
            let listing = connector.time.as_ref()?;
            Some(Ok(Plan { listing, source: None, extra: input.given.clone() }))
        }
        _ if connector.reads(&operation) => {
            let read = route(connector, &operation, &input.arguments);
            Some(match read {
                Some(read) => {
                    let used = mentioned(connector, &operation);
                    let sent = |name: &String| {
                        !used.contains(&input::snake(name)) && !claims.consumed.contains(name)
                    };
                    let extra = input.given.iter().filter(|(name, _)| sent(name)).cloned().collect();
                    Ok(Plan { listing: &read.listing, source: None, extra })
                }
                None => Err("no route for these arguments".to_owned()),
            })
        }
        _ => None,
    }
}

fn plan_action(
    connector: &'static Connector,
    claims: &Claims,
    deed: Deed,
    input: &Input,
) -> Result<Plan, String> {
    let found = action(connector, deed, &input.arguments).ok_or("no action for these arguments")?;
    let used: Vec<String> = found.listing.arguments();
    let chosen =
        |name: &String| connector.actions.iter().any(|it| it.when.iter().any(|(known, _)| known == name));
    let sent = |name: &String| {
        let argument = input::snake(name);
        !used.contains(&argument) && !chosen(name) && !chosen(&argument) && !claims.consumed.contains(name)
    };
    let is_order = deed == Deed::Do(Kind::Order);
    let further = input.given.iter().filter(|(name, _)| !is_order && sent(name));
    Ok(Plan { listing: &found.listing, source: None, extra: further.cloned().collect() })
}

fn plan_balance(connector: &'static Connector, claims: &Claims, input: &Input) -> Result<Plan, String> {
    let holds = |name: &str, wanted: &str| {
        let given = input.given.iter().chain(&input.arguments).find(|(known, _)| known == name);
        given.is_some_and(|(_, value)| value.text() == wanted)
    };
    let selector = claims
        .balances
        .iter()
        .find(|selector| selector.given.iter().all(|(name, wanted)| holds(name, wanted)));
    let selector = selector.ok_or("no source for these arguments")?;
    let source = connector.balances.iter().find(|source| source.name == selector.source);
    let source = source.ok_or_else(|| format!("unknown source `{}`", selector.source))?;
    let sent = |name: &String| !claims.consumed.contains(name);
    let extra = input.given.iter().filter(|(name, _)| sent(name)).cloned().collect();
    Ok(Plan { listing: &source.listing, source: Some(source), extra })
}

/// Arguments that the routes of an operation mention.
fn mentioned(connector: &Connector, operation: &str) -> Vec<String> {
    let mut names = Vec::new();
    for read in connector.reads.iter().filter(|read| read.operation == operation) {
        names.extend(read.when.iter().map(|(name, _)| name.clone()));
        names.extend(read.listing.arguments());
    }
    names
}

pub fn check_methods(
    connector: &'static Connector,
    claims: &Claims,
    vectors: &Vectors,
    report: &mut Exchange,
) -> Result<(), String> {
    let file = Document::parse(&vectors.methods).map_err(|error| format!("methods: {error:?}"))?;
    let keys = Document::parse(&vectors.test_keys).map_err(|error| format!("testkeys: {error:?}"))?;
    let (markets, currencies) = dictionaries(vectors)?;
    let dictionary = Dictionary::new(&markets, &currencies, &claims.markets);
    let cases = file.root().member("cases").ok().flatten();
    for case in cases.into_iter().flat_map(Json::elements) {
        let method = text(case, "method").unwrap_or_default();
        let planned = prepare(connector, claims, Part::Methods, &method, case, &dictionary, report);
        let Some((input, plan)) = planned else { continue };
        let result = plan.and_then(|plan| {
            let request = case.member("request").ok().flatten().ok_or("case has no request")?;
            either(input, case, actions::deed(&method).is_some(), &mut |input| {
                let ours = write(connector, claims, &plan, input, case)?;
                against(&ours, claims, request, case, keys.root())
            })
        });
        report.record(Part::Methods, &case_name(&method, case), result);
    }
    Ok(())
}

pub fn check_requests(
    connector: &'static Connector,
    claims: &Claims,
    vectors: &Vectors,
    report: &mut Exchange,
) -> Result<(), String> {
    let file = Document::parse(&vectors.request).map_err(|error| format!("request: {error:?}"))?;
    let (markets, currencies) = dictionaries(vectors)?;
    let dictionary = Dictionary::new(&markets, &currencies, &claims.markets);
    let skip_keys = file.root().member("skipKeys").ok().flatten();
    let mut skip_keys: Vec<String> = skip_keys
        .into_iter()
        .flat_map(Json::elements)
        .filter_map(|key| key.string().map(|key| key.into_owned()))
        .collect();
    skip_keys.extend(claims.skip_keys.iter().cloned());
    let methods = file.root().member("methods").ok().flatten();
    for (method, cases) in methods.into_iter().flat_map(Json::members) {
        let method = method.text().into_owned();
        for case in cases.elements() {
            let planned = prepare(connector, claims, Part::Request, &method, case, &dictionary, report);
            let Some((input, plan)) = planned else { continue };
            let result =
                plan.and_then(|plan| fixture_case(connector, claims, &plan, &input, case, &skip_keys));
            report.record(Part::Request, &case_name(&method, case), result);
        }
    }
    Ok(())
}

/// An action with the reference that the recording client made, or without one, as where its own id starts with a broker's
/// name and is taken out.
fn either(
    input: Input,
    case: Json<'_>,
    is_action: bool,
    check: &mut dyn FnMut(&Input) -> Result<(), String>,
) -> Result<(), String> {
    let bare = check(&input);
    if bare.is_ok() || !is_action {
        return bare;
    }
    let mut referred = input;
    actions::refer(Frozen::of(case).digits(), &mut referred.arguments);
    check(&referred)
}

type Planned = (Input, Result<Plan, String>);

/// The input and plan of a case that counts; what does not is reported as skipped.
pub fn prepare(
    connector: &'static Connector,
    claims: &Claims,
    part: Part,
    method: &str,
    case: Json<'_>,
    dictionary: &Dictionary<'_>,
    report: &mut Exchange,
) -> Option<Planned> {
    let mut input = input::read(method, case, dictionary);
    for (name, value) in &claims.given {
        input::set_absent(&mut input.arguments, name, Value::Text(value.clone()));
    }
    network::translate(connector, &mut input.arguments);
    if let Some(deed) = actions::deed(method).filter(|deed| actions::is_claimed(connector, *deed)) {
        if let Some(reason) = actions::beyond(connector, claims, deed, &input) {
            report.skip(part, reason);
            return None;
        }
        if let Some(reason) = claims.exception(part.name(), method, &input::description(case)) {
            report.skip(part, &format!("exception: {method}: {reason}"));
            return None;
        }
        if let Err(reason) = actions::complete(connector, claims, deed, &mut input) {
            // Many take a purchase in what is spent alone.
            if deed == Deed::Do(Kind::Order) && action(connector, deed, &input.arguments).is_none() {
                report.skip(part, "orders that count the other asset are not offered");
                return None;
            }
            return Some((input, Err(reason)));
        }
        if claims.rounds {
            actions::cut(dictionary, &mut input.arguments);
        }
    }
    let Some(plan) = plan(connector, claims, method, &input) else {
        report.skip(part, &format!("operation not claimed: {method}"));
        return None;
    };
    if let Some(reason) = claims.exception(part.name(), method, &input::description(case)) {
        report.skip(part, &format!("exception: {method}: {reason}"));
        return None;
    }
    Some((input, plan))
}

pub fn dictionaries(vectors: &Vectors) -> Result<(Document<'_>, Document<'_>), String> {
    let markets = Document::parse(&vectors.markets).map_err(|error| format!("markets: {error:?}"))?;
    let currencies =
        Document::parse(&vectors.currencies).map_err(|error| format!("currencies: {error:?}"))?;
    Ok((markets, currencies))
}

pub fn case_name(method: &str, case: Json<'_>) -> String {
    format!("{method}: {}", input::description(case))
}

fn write(
    connector: &'static Connector,
    claims: &Claims,
    plan: &Plan,
    input: &Input,
    case: Json<'_>,
) -> Result<Request, String> {
    let credential: Credential = fixture(connector, claims, case)?;
    let mut signing = Signing {
        credential: Some(&credential),
        now_ms: CLOCK_MS,
        nonce: connector.nonce.map_or(CLOCK_MS, |unit| unit.at(CLOCK_MS)),
        entropy: &mut Frozen::of(case),
    };
    let fault = |fault| format!("not built: {fault}");
    let mut sent = params(connector, plan.listing, input.arguments.clone(), &mut signing).map_err(fault)?;
    for (name, value) in &plan.extra {
        match sent.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = value.clone(),
            None => sent.push((name.clone(), value.clone())),
        }
    }
    build(connector, &plan.listing.call, sent, &mut signing).map_err(fault)
}

/// The recording client's own fixtures: the path, and query and body without the keys that differ from run to run.
fn fixture_case(
    connector: &'static Connector,
    claims: &Claims,
    plan: &Plan,
    input: &Input,
    case: Json<'_>,
    skip_keys: &[String],
) -> Result<(), String> {
    let ours = write(connector, claims, plan, input, case)?;
    let url = text(case, "url").unwrap_or_default();
    let (host, path, query) = url::split(&url);
    let (_, our_path, our_query) = url::split(&ours.target);
    same("scheme", "https", url::scheme(&url))?;
    if !url::is_for_tests(host) && !claims.hosts.iter().any(|known| known == host) {
        same("host", &ours.host, host)?;
    }
    same("path", our_path, path)?;
    let (left, right) = (
        url::pairs(our_query.unwrap_or_default(), skip_keys),
        url::pairs(query.unwrap_or_default(), skip_keys),
    );
    if left != right {
        return Err(format!("query: ours {left:?}, theirs {right:?}"));
    }
    let Some(output) = text(case, "output") else { return Ok(()) };
    let body = String::from_utf8_lossy(&ours.body);
    if output.starts_with(['{', '[']) {
        return compare::json_body(&body, &output, skip_keys);
    }
    let (left, right) = (url::pairs(&body, skip_keys), url::pairs(&output, skip_keys));
    if left == right { Ok(()) } else { Err(format!("body: ours {left:?}, theirs {right:?}")) }
}
