//! How a process keeps something to show.

use super::*;
use crate::testing::{Folder, authority, soon};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicU64, Ordering};
use wire::UnixMillis;

const START: u64 = 1_800_000_000_000;

/// A clock that can be set, in milliseconds.
fn clock() -> (Arc<AtomicU64>, Clock) {
    let told = Arc::new(AtomicU64::new(START));
    let clock = Arc::clone(&told);
    (told, Clock::new(move || UnixMillis(clock.load(Ordering::Relaxed))))
}

fn one_authority(clock: &Clock, life: Duration) -> Arc<Authority> {
    let domain = TrustDomain::parse("ours.internal").unwrap();
    Arc::new(Authority::make(domain, life, clock.clone()).unwrap())
}

#[tokio::test]
async fn a_process_has_another_certificate_after_half_of_the_time_of_the_last_and_by_itself() {
    let (told, clock) = clock();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let serving = tokio::spawn(serve(one_authority(&clock, LIFE), Role::Relay, theirs));
    let me = Workload::with_clock(Role::Relay, Source::Inherited(ours), clock);
    let first = me.credential().await.unwrap();
    assert!(Arc::ptr_eq(&first, &me.credential().await.unwrap()));
    told.fetch_add(100_000, Ordering::Relaxed);
    assert!(Arc::ptr_eq(&first, &me.credential().await.unwrap()));
    told.fetch_add(60_000, Ordering::Relaxed);
    let second = me.credential().await.unwrap();
    assert!(!Arc::ptr_eq(&first, &second));
    assert_ne!(first.chain(), second.chain());

    // Nobody certifies it any more: it goes on as long as it can, and no longer.
    serving.abort();
    let _ = serving.await;
    told.fetch_add(200_000, Ordering::Relaxed);
    assert!(Arc::ptr_eq(&second, &me.credential().await.unwrap()));
    told.fetch_add(101_000, Ordering::Relaxed);
    assert_eq!(me.credential().await.unwrap_err(), Unusable::NotGiven);
}

#[tokio::test]
async fn a_certificate_is_good_for_ten_minutes_at_most_and_from_a_minute_before_it_was_made() {
    let (told, clock) = clock();
    let asked = Duration::from_secs(86_400);
    let (credential, _) = one_authority(&clock, asked).credential(Role::Egress).unwrap();
    assert_eq!(credential.remaining(), Duration::from_secs(600));
    let good = |millis: u64| credential.is_good(UnixMillis(millis));
    assert!(good(START - 60_000) && !good(START - 60_001));
    assert!(good(START + 600_000) && !good(START + 600_001));
    told.store(START + 700_000, Ordering::Relaxed);
    assert_eq!(credential.remaining(), Duration::ZERO);
}

#[tokio::test]
async fn a_folder_that_is_kept_new_is_read_again_when_it_is_time() {
    let (told, clock) = clock();
    let folder = Folder::new();
    let path = folder.path().join("operator");
    let authority = one_authority(&clock, LIFE);
    let published = Published::make(Role::Up, authority, path.clone(), Role::Operator).unwrap();
    let keeping = tokio::spawn(published.keep());
    let me = Workload::with_clock(Role::Operator, Source::Folder(path.clone()), clock.clone());
    let first = me.credential().await.unwrap();
    told.fetch_add(160_000, Ordering::Relaxed);
    // As soon as whoever keeps it has looked.
    let mut next = me.credential().await.unwrap();
    let changed = async {
        while next.chain() == first.chain() {
            sleep(Duration::from_millis(20)).await;
            next = me.credential().await.unwrap();
        }
    };
    soon(changed).await;
    keeping.abort();
    let _ = keeping.await;
    assert!(!path.exists(), "it goes with whoever kept it");
    told.fetch_add(400_000, Ordering::Relaxed);
    assert_eq!(me.credential().await.unwrap_err(), Unusable::Unreadable);
}

#[tokio::test]
async fn what_does_not_belong_together_or_is_not_ours_alone_is_not_shown() {
    let folder = Folder::new();
    let [one, other] = ["one", "other"].map(|name| folder.path().join(name));
    let _kept = [(&one, Role::Relay), (&other, Role::Egress)]
        .map(|(path, role)| Published::make(Role::Up, authority(), path.clone(), role).unwrap());
    let read = |role| folder::read(&one, role, &Clock::system());
    assert!(read(Role::Relay).is_ok());
    assert_eq!(read(Role::Egress).unwrap_err(), Unusable::OtherRole);

    let key = one.join("svid_key.pem");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(read(Role::Relay).unwrap_err(), Unusable::Unreadable);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();

    let whole = std::fs::read(&key).unwrap();
    std::fs::copy(other.join("svid_key.pem"), &key).unwrap();
    assert_eq!(read(Role::Relay).unwrap_err(), Unusable::Damaged);
    std::fs::write(&key, &whole).unwrap();

    let bundle = one.join("svid_bundle.pem");
    let (_, clock) = clock();
    let stranger = folder.path().join("stranger");
    let _strangers =
        Published::make(Role::Up, one_authority(&clock, LIFE), stranger.clone(), Role::Relay).unwrap();
    std::fs::copy(stranger.join("svid_bundle.pem"), &bundle).unwrap();
    assert_eq!(read(Role::Relay).unwrap_err(), Unusable::NotGood);
    std::fs::write(&bundle, vec![b'x'; 65 << 10]).unwrap();
    assert_eq!(read(Role::Relay).unwrap_err(), Unusable::Unreadable);
}

#[test]
fn an_authority_vouches_for_no_other_authority() {
    use rcgen::{CertificateParams, KeyPair, SanType};
    // What a role's own key signs is worth nothing.
    let (credential, key) = authority().credential(Role::Gateway).unwrap();
    let issuer = rcgen::Issuer::new(CertificateParams::default(), &key);
    let (forged, mut params) = (KeyPair::generate().unwrap(), CertificateParams::default());
    let name = "spiffe://test.internal/role/operator";
    params.subject_alt_names = vec![SanType::URI(name.try_into().unwrap())];
    let certificate = params.signed_by(&forged, &issuer).unwrap().der().clone();
    let chain = [&[certificate], credential.chain()].concat();
    let key = PrivateKeyDer::from_pem_slice(forged.serialize_pem().as_bytes()).unwrap();
    let bundle = vec![authority().certificate().clone()];
    let made = Credential::new(Role::Operator, chain, &key, bundle, &Clock::system());
    assert_eq!(made.unwrap_err(), Unusable::NotGood);
}

#[test]
fn a_certificate_with_no_role_s_name_or_with_two_names_nobody() {
    use rcgen::{CertificateParams, KeyPair, SanType};
    let name = |text: &str| SanType::URI(text.try_into().unwrap());
    let (relay, egress) = ("spiffe://test.internal/role/relay", "spiffe://test.internal/role/egress");
    for (names, expected) in [
        (vec![name(relay)], Some(Role::Relay)),
        (vec![name(relay), name(egress)], None),
        (vec![name(relay), name(relay)], None),
        (vec![name("https://test.internal/role/relay")], None),
        (vec![SanType::DnsName("relay".try_into().unwrap())], None),
        (vec![], None),
    ] {
        let mut params = CertificateParams::default();
        params.subject_alt_names = names;
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        assert_eq!(trust::claimed_id(certificate.der()).map(|id| id.role), expected);
    }
}

#[test]
fn m18_nothing_prints_a_key() {
    let (credential, _) = authority().credential(Role::Witness).unwrap();
    assert_eq!(format!("{credential:?}"), "Credential(spiffe://test.internal/role/witness)");
    assert_eq!(format!("{:?}", authority()), "Authority(test.internal)");
    let me = Workload::new(Role::Witness, Source::Authority(authority()));
    assert!(!format!("{me:?}").contains("key"), "{me:?}");
}
