//! How described exchanges refuse: in words that their own file understands.

use super::FILES;
use super::file::File;
use super::json::Json;
use super::refuse::{refuse, understood};
use crate::sandbox::refusal::Refusal;

#[test]
fn every_refusal_of_every_exchange_is_read_back_as_its_kind_or_by_its_status() {
    let refusals = [
        (Refusal::BadSignature, "credential"),
        (Refusal::BadTimestamp { sent: 0 }, "clock"),
        (Refusal::NotPermitted, "permission"),
        (Refusal::IpNotAllowed, "ip"),
        (Refusal::RateLimited { retry_after: 3 }, "rate_limit"),
        (Refusal::Maintenance, "maintenance"),
    ];
    for (id, _, text) in FILES {
        let file = File::parse(text).unwrap();
        for (refusal, kind) in refusals {
            let reply = refuse(&file, refusal);
            let body = Json::parse(std::str::from_utf8(&reply.body).unwrap()).unwrap();
            let known = file.errors.exact.iter().chain(&file.errors.contains).any(|(known, _)| known == kind);
            let read = understood(&file, reply.status, &body);
            // Where the file has no words for it, the status is all that is said.
            let by_status = !known && read == understood(&file, reply.status, &Json::Null);
            assert!(read == kind || by_status, "{id}: {kind} is read as {read}: {}", body.write());
            assert_ne!(read, "success", "{id}: {kind}");
        }
    }
}

#[test]
fn a_key_that_is_not_there_is_refused_by_the_code_for_that_alone_and_a_wrong_signature_never_by_it() {
    let mut told = Vec::new();
    for (id, _, text) in FILES {
        let file = File::parse(text).unwrap();
        let read = |refusal| {
            let reply = refuse(&file, refusal);
            let body = Json::parse(std::str::from_utf8(&reply.body).unwrap()).unwrap();
            understood(&file, reply.status, &body)
        };
        let has_gone = file.errors.exact.iter().any(|(kind, _)| kind == "gone");
        assert_eq!(read(Refusal::UnknownKey) == "gone", has_gone, "{id}");
        for other in [Refusal::BadSignature, Refusal::BadTimestamp { sent: 0 }, Refusal::NotPermitted] {
            assert_ne!(read(other), "gone", "{id}");
        }
        told.extend(has_gone.then_some(*id));
    }
    assert!(told.contains(&"bybit") && told.contains(&"deribit"), "{told:?}");
}
