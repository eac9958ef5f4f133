//! One passkey in a software authenticator, and the browser before it (crate `passkey`).

use passkey::authenticator::{UiHint, UserCheck, UserValidationMethod};
use passkey::client::{Client, DefaultClientData};
use passkey::crypto::aws_lc_rs::AwsLcRsBackend;
use passkey::crypto::iana;
use passkey::types::Passkey;
use passkey::types::ctap2::{Aaguid, Ctap2Error};
use passkey::types::webauthn::{
    AttestationConveyancePreference, AuthenticatedPublicKeyCredential, AuthenticatorSelectionCriteria,
    CredentialCreationOptions, CredentialRequestOptions, PublicKeyCredentialCreationOptions,
    PublicKeyCredentialDescriptor, PublicKeyCredentialParameters, PublicKeyCredentialRequestOptions,
    PublicKeyCredentialRpEntity, PublicKeyCredentialType, PublicKeyCredentialUserEntity,
    ResidentKeyRequirement, UserVerificationRequirement,
};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use url::Url;
use verify::passkey::{Answer, Ask};
use wire::owner::{OwnerKey, OwnerRole};

/// Who is before the authenticator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Person {
    /// Whoever touches it.
    Present,
    /// The one it knows.
    Verified,
}

/// What the authenticator finds when it asks.
struct Finger(Arc<AtomicBool>);

#[async_trait::async_trait]
impl UserValidationMethod for Finger {
    type PasskeyItem = Passkey;

    async fn check_user<'a>(
        &self,
        _: UiHint<'a, Passkey>,
        presence: bool,
        _: bool,
    ) -> Result<UserCheck, Ctap2Error> {
        Ok(UserCheck { presence, verification: self.0.load(Ordering::SeqCst) })
    }

    fn is_presence_enabled(&self) -> bool {
        true
    }

    fn is_verification_enabled(&self) -> Option<bool> {
        Some(true)
    }
}

/// The browser's half of `navigator.credentials.get`.
type Browser = Box<dyn FnMut(&Url, CredentialRequestOptions) -> AuthenticatedPublicKeyCredential>;

pub struct Authenticator {
    browser: Browser,
    is_verified: Arc<AtomicBool>,
    /// The page that the person is at.
    page: Url,
    pub key: OwnerKey,
}

impl Authenticator {
    /// Makes a passkey at the page `origin`, for its host.
    pub fn register(origin: &str, person: Person) -> Authenticator {
        let page = Url::parse(origin).unwrap();
        let is_verified = Arc::new(AtomicBool::new(true));
        let finger = Finger(Arc::clone(&is_verified));
        let authenticator = passkey::authenticator::Authenticator::new(
            Aaguid::new_empty(),
            None::<Passkey>,
            finger,
            AwsLcRsBackend,
        );
        let mut browser = Client::new(authenticator).allows_insecure_localhost(true);
        let created = now(browser.register(&page, creation(), DefaultClientData)).unwrap();
        let key = owner_key(&created.response.authenticator_data, &page);
        let browser: Browser = Box::new(move |page, options| {
            now(browser.authenticate(page, options, DefaultClientData)).unwrap()
        });
        let made = Authenticator { browser, is_verified, page, key };
        made.person(person);
        made
    }

    pub fn person(&self, person: Person) {
        self.is_verified.store(person == Person::Verified, Ordering::SeqCst);
    }

    /// Goes to another page.
    pub fn visit(&mut self, origin: &str) {
        self.page = Url::parse(origin).unwrap();
    }

    /// The passkey's word over a signed request.
    pub fn sign(&mut self, request: &[u8]) -> Vec<u8> {
        let ask = Ask::of(&self.key, request).unwrap();
        // Who does not want to know who it is gets an assertion without.
        let verification = match self.is_verified.load(Ordering::SeqCst) {
            true => UserVerificationRequirement::Required,
            false => UserVerificationRequirement::Discouraged,
        };
        let options = CredentialRequestOptions {
            public_key: PublicKeyCredentialRequestOptions {
                challenge: ask.challenge.to_vec().into(),
                timeout: None,
                rp_id: Some(ask.relying_party.to_owned()),
                allow_credentials: Some(vec![PublicKeyCredentialDescriptor {
                    ty: PublicKeyCredentialType::PublicKey,
                    id: ask.credential.to_vec().into(),
                    transports: None,
                }]),
                user_verification: verification,
                hints: None,
                attestation: AttestationConveyancePreference::None,
                attestation_formats: None,
                extensions: None,
            },
        };
        let given = (self.browser)(&self.page, options);
        ask.answered(&Answer {
            authenticator_data: &given.response.authenticator_data,
            client_data_json: &given.response.client_data_json,
            signature: &given.response.signature,
        })
    }
}

fn creation() -> CredentialCreationOptions {
    let parameters = |alg| PublicKeyCredentialParameters { ty: PublicKeyCredentialType::PublicKey, alg };
    CredentialCreationOptions {
        public_key: PublicKeyCredentialCreationOptions {
            rp: PublicKeyCredentialRpEntity { id: None, name: "Tensfer".into() },
            user: PublicKeyCredentialUserEntity {
                id: vec![1; 16].into(),
                display_name: "Ada".into(),
                name: "ada".into(),
            },
            challenge: vec![2; 32].into(),
            pub_key_cred_params: vec![parameters(iana::Algorithm::ES256)],
            timeout: None,
            exclude_credentials: None,
            authenticator_selection: Some(AuthenticatorSelectionCriteria {
                authenticator_attachment: None,
                resident_key: Some(ResidentKeyRequirement::Required),
                require_resident_key: true,
                user_verification: UserVerificationRequirement::Required,
            }),
            hints: None,
            attestation: AttestationConveyancePreference::None,
            attestation_formats: None,
            extensions: None,
        },
    }
}

/// What an envelope names of a registration: id and key out of the attested credential data (WebAuthn §6.5.1).
fn owner_key(data: &[u8], page: &Url) -> OwnerKey {
    const IS_BACKUP_ELIGIBLE: u8 = 1 << 3;
    let length = usize::from(u16::from_be_bytes([data[53], data[54]]));
    let (credential, cose) = data[55..].split_at(length);
    let (algorithm, public) = verify::passkey::public_key(cose).unwrap();
    let passkey = wire::passkey::Passkey {
        credential: credential.to_vec(),
        relying_party: page.domain().unwrap().to_owned(),
        origins: vec![page.origin().ascii_serialization()],
        embedders: Vec::new(),
        backup_eligible: data[32] & IS_BACKUP_ELIGIBLE != 0,
    };
    OwnerKey { passkey: Some(passkey), ..OwnerKey::new(algorithm, public, OwnerRole::Second) }
}

/// A software authenticator waits for nobody.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits for something"),
    }
}
