//! People over the running processes: a browser and an authenticator that are not ours (crate `passkey`), and a device that signs its
//! requests by code that is not ours either.

mod browser;
mod device;

use browser::Browser;
use device::{Device, Told};
use serde_json::{Value, json};
use stack::{Folder, Stack};
use wire::PersonId;

fn refused(told: &Told, status: u16, code: &str) {
    assert_eq!((told.0, told.1["code"].as_str()), (status, Some(code)), "{}", told.1);
}

fn person(begun: &Value) -> [u8; 16] {
    PersonId::parse(begun["person"].as_str().unwrap()).unwrap().0
}

fn sign_up(browser: &mut Browser, device: &Device) -> Told {
    let (begun, challenge) = device.begin("sign_up");
    let mut body = device.brought(&begun);
    body["name"] = "Ada".into();
    body["passkey"] = browser.create(&person(&begun), &challenge);
    device.ask("POST", "/v1/people", Some(&body))
}

fn sign_in(browser: &mut Browser, device: &Device) -> Told {
    let (begun, challenge) = device.begin("sign_in");
    let mut body = device.brought(&begun);
    body["passkey"] = browser.get(&challenge);
    device.ask("POST", "/v1/sessions", Some(&body))
}

#[test]
fn a_person_signs_up_signs_in_elsewhere_and_signs_out_with_a_passkey_that_is_not_ours() {
    let folder = Folder::new();
    let data = folder.join("data");
    let stack = Stack::start_in(&data);
    let (mut browser, laptop) = (Browser::at(stack.url()), Device::new(stack.url()));
    let (status, session) = sign_up(&mut browser, &laptop);
    assert_eq!((status, session["id"].as_str()), (201, Some(laptop.session().as_str())), "{session}");
    let (status, ada) = laptop.ask("GET", "/v1/person", None);
    assert_eq!((status, &ada["id"], &ada["name"]), (200, &session["person"], &json!("Ada")));

    let phone = Device::new(stack.url());
    let (status, other) = sign_in(&mut browser, &phone);
    assert_eq!((status, &other["person"]), (201, &session["person"]), "{other}");
    let (_, listed) = phone.ask("GET", "/v1/sessions", None);
    assert_eq!(listed["sessions"].as_array().unwrap().len(), 2);
    let path = format!("/v1/sessions/{}/end", laptop.session());
    assert_eq!(phone.ask("POST", &path, None).0, 200);
    refused(&laptop.ask("GET", "/v1/person", None), 401, "session_revoked");
    refused(&Device::new(stack.url()).ask("GET", "/v1/person", None), 401, "not_signed");
    stack.stop();

    // What was acknowledged is there after every process was another.
    let stack = Stack::start_in(&data);
    let again = Device::new(stack.url());
    browser.visit(stack.url());
    let (status, session) = sign_in(&mut browser, &again);
    assert_eq!((status, &session["person"]), (201, &ada["id"]), "{session}");
}

#[test]
fn a_second_passkey_is_added_with_the_word_of_the_first_and_takes_its_place() {
    let stack = Stack::start();
    let (mut phone, mut ring) = (Browser::at(stack.url()), Browser::at(stack.url()));
    let laptop = Device::new(stack.url());
    assert_eq!(sign_up(&mut phone, &laptop).0, 201);
    let (_, ada) = laptop.ask("GET", "/v1/person", None);
    let handle = PersonId::parse(ada["id"].as_str().unwrap()).unwrap().0;
    let (begun, challenge) = laptop.begin("add_passkey");
    let body = json!({ "ceremony": begun["ceremony"], "passkey": ring.create(&handle, &challenge) });
    refused(&laptop.ask("POST", "/v1/passkeys", Some(&body)), 403, "step_up_needed");
    let own = laptop.ask_with_word("POST", "/v1/passkeys", Some(&body), |challenge| ring.get(challenge));
    refused(&own, 403, "passkey_refused");
    let added = laptop.ask_with_word("POST", "/v1/passkeys", Some(&body), |challenge| phone.get(challenge));
    assert_eq!(added.0, 201, "{}", added.1);

    let tablet = Device::new(stack.url());
    assert_eq!(sign_in(&mut ring, &tablet).0, 201);
    let path = format!("/v1/passkeys/{}", ada["passkeys"][0]["id"].as_str().unwrap());
    let removed = tablet.ask_with_word("DELETE", &path, None, |challenge| ring.get(challenge));
    assert_eq!(removed.0, 200, "{}", removed.1);
    refused(&laptop.ask("GET", "/v1/person", None), 401, "session_revoked");
    refused(&sign_in(&mut phone, &Device::new(stack.url())), 403, "passkey_refused");
    assert_eq!(sign_in(&mut ring, &Device::new(stack.url())).0, 201);
}

#[test]
fn nobody_signs_in_at_another_page_or_without_being_recognised() {
    let stack = Stack::start();
    let mut browser = Browser::at(stack.url());
    assert_eq!(sign_up(&mut browser, &Device::new(stack.url())).0, 201);
    browser.visit("http://localhost:1");
    refused(&sign_in(&mut browser, &Device::new(stack.url())), 403, "passkey_refused");
    browser.visit(stack.url());
    browser.recognises(false);
    refused(&sign_in(&mut browser, &Device::new(stack.url())), 403, "passkey_refused");
    browser.recognises(true);
    assert_eq!(sign_in(&mut browser, &Device::new(stack.url())).0, 201);

    let mut elsewhere = Browser::at("http://localhost:1");
    refused(&sign_up(&mut elsewhere, &Device::new(stack.url())), 403, "passkey_refused");
    let mut unknown = Browser::at(stack.url());
    unknown.recognises(false);
    refused(&sign_up(&mut unknown, &Device::new(stack.url())), 403, "passkey_refused");
}
