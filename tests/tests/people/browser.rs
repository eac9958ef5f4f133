//! A browser, and an authenticator with one discoverable passkey, that are not ours (crate `passkey`).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use passkey::authenticator::{UiHint, UserCheck, UserValidationMethod};
use passkey::client::{Client, DefaultClientData, WebauthnError};
use passkey::crypto::aws_lc_rs::AwsLcRsBackend;
use passkey::crypto::iana;
use passkey::types::Passkey;
use passkey::types::ctap2::{Aaguid, Ctap2Error};
use passkey::types::webauthn::{
    AttestationConveyancePreference, AuthenticatedPublicKeyCredential, AuthenticatorSelectionCriteria,
    CreatedPublicKeyCredential, CredentialCreationOptions, CredentialRequestOptions,
    PublicKeyCredentialCreationOptions, PublicKeyCredentialParameters, PublicKeyCredentialRequestOptions,
    PublicKeyCredentialRpEntity, PublicKeyCredentialType, PublicKeyCredentialUserEntity,
    ResidentKeyRequirement, UserVerificationRequirement,
};
use serde_json::{Value, json};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use url::Url;

/// What the authenticator finds when it asks who is there.
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

type Create = Result<CreatedPublicKeyCredential, WebauthnError>;
type Get = Result<AuthenticatedPublicKeyCredential, WebauthnError>;

enum Ask {
    Create(CredentialCreationOptions),
    Get(CredentialRequestOptions),
}

enum Given {
    Created(Create),
    Got(Get),
}

/// Browser and authenticator in one, whose type has no name.
type Asking = Box<dyn FnMut(&Url, Ask) -> Given>;

pub struct Browser {
    ask: Asking,
    is_verified: Arc<AtomicBool>,
    page: Url,
}

impl Browser {
    pub fn at(origin: &str) -> Browser {
        let is_verified = Arc::new(AtomicBool::new(true));
        let finger = Finger(Arc::clone(&is_verified));
        let authenticator = passkey::authenticator::Authenticator::new(
            Aaguid::new_empty(),
            None::<Passkey>,
            finger,
            AwsLcRsBackend,
        );
        let mut client = Client::new(authenticator).allows_insecure_localhost(true);
        let ask: Asking = Box::new(move |page, ask| match ask {
            Ask::Create(options) => Given::Created(now(client.register(page, options, DefaultClientData))),
            Ask::Get(options) => Given::Got(now(client.authenticate(page, options, DefaultClientData))),
        });
        Browser { ask, is_verified, page: Url::parse(origin).unwrap() }
    }

    /// Goes to another page.
    pub fn visit(&mut self, origin: &str) {
        self.page = Url::parse(origin).unwrap();
    }

    /// Whether the authenticator finds out who is there.
    pub fn recognises(&self, is_verified: bool) {
        self.is_verified.store(is_verified, Ordering::SeqCst);
    }

    fn verification(&self) -> UserVerificationRequirement {
        // Who is not recognised gets an answer where nobody asks for it.
        match self.is_verified.load(Ordering::SeqCst) {
            true => UserVerificationRequirement::Required,
            false => UserVerificationRequirement::Discouraged,
        }
    }

    /// A passkey for this page's host and that person, as `POST /v1/people` takes it.
    pub fn create(&mut self, person: &[u8], challenge: &[u8]) -> Value {
        let options = self.creation(person, challenge);
        let Given::Created(created) = (self.ask)(&self.page, Ask::Create(options)) else {
            panic!("it creates")
        };
        let response = created.unwrap().response;
        json!({
            "name": "phone",
            "client_data_json": URL_SAFE_NO_PAD.encode(&response.client_data_json[..]),
            "attestation_object": URL_SAFE_NO_PAD.encode(&response.attestation_object[..]),
        })
    }

    fn creation(&self, person: &[u8], challenge: &[u8]) -> CredentialCreationOptions {
        let parameters = |alg| PublicKeyCredentialParameters { ty: PublicKeyCredentialType::PublicKey, alg };
        let user = PublicKeyCredentialUserEntity {
            id: person.to_vec().into(),
            display_name: "Ada".into(),
            name: "Ada".into(),
        };
        CredentialCreationOptions {
            public_key: PublicKeyCredentialCreationOptions {
                rp: PublicKeyCredentialRpEntity { id: None, name: "Tensfer".into() },
                user,
                challenge: challenge.to_vec().into(),
                pub_key_cred_params: vec![parameters(iana::Algorithm::ES256)],
                timeout: None,
                exclude_credentials: None,
                authenticator_selection: Some(AuthenticatorSelectionCriteria {
                    authenticator_attachment: None,
                    resident_key: Some(ResidentKeyRequirement::Required),
                    require_resident_key: true,
                    user_verification: self.verification(),
                }),
                hints: None,
                attestation: AttestationConveyancePreference::None,
                attestation_formats: None,
                extensions: None,
            },
        }
    }

    /// The word of whichever passkey there is for this page's host, as `POST /v1/sessions` takes it.
    pub fn get(&mut self, challenge: &[u8]) -> Value {
        let options = CredentialRequestOptions {
            public_key: PublicKeyCredentialRequestOptions {
                challenge: challenge.to_vec().into(),
                timeout: None,
                rp_id: None,
                allow_credentials: None,
                user_verification: self.verification(),
                hints: None,
                attestation: AttestationConveyancePreference::None,
                attestation_formats: None,
                extensions: None,
            },
        };
        let Given::Got(got) = (self.ask)(&self.page, Ask::Get(options)) else { panic!("it gets") };
        let got = got.unwrap();
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({
            "id": encode(&got.raw_id[..]),
            "client_data_json": encode(&got.response.client_data_json[..]),
            "authenticator_data": encode(&got.response.authenticator_data[..]),
            "signature": encode(&got.response.signature[..]),
            "user_handle": got.response.user_handle.as_ref().map(|handle| encode(&handle[..])),
        })
    }
}

/// A software authenticator waits for nobody.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits for something"),
    }
}
