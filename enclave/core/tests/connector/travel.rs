//! What owners tell of a receiver becomes the questionnaire that Binance documents for the account's country
//! (developers.binance.com/docs/wallet/travel-rule/withdraw-questionnaire; cases: `binance-travel.json`).

use super::actions::*;
use super::provider::*;
use enclave::connector::*;
use serde_json::{Value as Tree, json};
use wire::Refusal;
use wire::action::{Destination, Travel};
use wire::record::Field;

const APPLY: &str = "/sapi/v1/localentity/withdraw/apply";
const REQUIREMENTS: &str = "/sapi/v1/localentity/questionnaire-requirements";

fn travel(case: &Tree) -> Travel {
    let text = |name: &str| case[name].as_str().map(str::to_owned);
    let answers = case["answers"].as_object().into_iter().flatten();
    Travel {
        destination: match case["destination"].as_str().unwrap() {
            "own" => Destination::Own,
            "other" => Destination::Other,
            _ => Destination::Hosted,
        },
        institution: text("institution"),
        beneficiary: text("beneficiary"),
        company: case["company"] == true,
        country: text("beneficiary_country"),
        purpose: text("purpose"),
        answers: answers
            .map(|(name, text)| Field { name: name.clone(), text: text.as_str().unwrap().to_owned() })
            .collect(),
    }
}

/// The questionnaire that is sent, or the refusal; never both.
fn asked(case: &Tree) -> Result<Tree, FaultCode> {
    let mut instruction = withdrawal("25");
    instruction.travel = Some(travel(case));
    let mut sent = None;
    let country = json!({"questionnaireCountryCode": case["country"]}).to_string();
    let (answer, moved) = act("binance", Operation::Act(Box::new(instruction)), APPLY, |_, request| {
        if request.path() == REQUIREMENTS {
            return Ok(ok(&country));
        }
        let body = String::from_utf8(request.body.clone()).unwrap();
        let form = url_decoded(&body);
        sent = form.into_iter().find(|(name, _)| name == "questionnaire").map(|(_, text)| text);
        Ok(ok(r#"{"trId":1,"accpted":true,"info":"Withdraw request accepted"}"#))
    });
    match sent {
        Some(text) => {
            assert_eq!(moved, 1);
            Ok(serde_json::from_str(&text).unwrap())
        }
        None => {
            assert_eq!(moved, 0);
            Err(refused(&answer))
        }
    }
}

fn url_decoded(form: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            bytes.push(match byte {
                b'%' => {
                    let digits = [rest.next().unwrap(), rest.next().unwrap()];
                    u8::from_str_radix(core::str::from_utf8(&digits).unwrap(), 16).unwrap()
                }
                b'+' => b' ',
                byte => byte,
            });
        }
        String::from_utf8(bytes).unwrap()
    };
    let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, text)| (decoded(name), decoded(text))).collect()
}

#[test]
fn what_the_travel_rule_of_each_country_asks_is_answered_as_binance_documents_it() {
    let cases: Tree = serde_json::from_str(include_str!("binance-travel.json")).unwrap();
    let cases = cases["cases"].as_array().unwrap();
    assert!(cases.len() >= 19);
    for case in cases {
        let wanted = match case.get("questionnaire") {
            Some(questionnaire) => Ok(questionnaire.clone()),
            None => Err(FaultCode::Refused(Refusal::NotOffered)),
        };
        assert_eq!(asked(case), wanted, "{}", case["name"]);
    }
}
