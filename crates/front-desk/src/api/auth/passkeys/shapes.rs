//! What WebAuthn calls its options and credentials in JSON (Web Authentication, level 3, section 5.1.8): for the description. The
//! library reads and writes them.
#![allow(dead_code, reason = "describes what passes through")]

use serde::Serialize;
use serde_json::Value;
use std::collections::HashMap;
use utoipa::ToSchema;

/// What begins the registration of a passkey.
#[derive(Serialize, ToSchema)]
pub struct RegistrationCeremony {
    /// To be sent back with the authenticator's answer, once, within five minutes.
    ceremony: String,
    /// For `PublicKeyCredential.parseCreationOptionsFromJSON`: `publicKey` of `navigator.credentials.create`.
    options: CreationOptions,
}

/// What begins a proof with a passkey.
#[derive(Serialize, ToSchema)]
pub struct ProofCeremony {
    /// To be sent back with the authenticator's answer, once, within five minutes.
    ceremony: String,
    /// For `PublicKeyCredential.parseRequestOptionsFromJSON`: `publicKey` of `navigator.credentials.get`.
    options: RequestOptions,
}

/// `PublicKeyCredentialCreationOptionsJSON`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreationOptions {
    /// This installation.
    rp: RelyingParty,
    /// Whose passkey it becomes.
    user: PasskeyUser,
    /// In base64url.
    challenge: String,
    /// Algorithms that are taken, the best first.
    pub_key_cred_params: Vec<CredentialParameters>,
    /// In milliseconds.
    timeout: Option<u32>,
    /// Passkeys that are there already.
    #[schema(required = false)]
    exclude_credentials: Vec<CredentialDescriptor>,
    /// Which authenticators will do.
    authenticator_selection: Option<AuthenticatorSelection>,
    /// Where to look for an authenticator.
    #[schema(required = false)]
    hints: Vec<String>,
    /// Whether the authenticator says what it is.
    attestation: Option<String>,
    /// In which forms it may say that.
    #[schema(required = false)]
    attestation_formats: Vec<String>,
    /// Extensions.
    extensions: Option<HashMap<String, Value>>,
}

/// `PublicKeyCredentialRequestOptionsJSON`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestOptions {
    /// In base64url.
    challenge: String,
    /// In milliseconds.
    timeout: Option<u32>,
    /// This installation.
    rp_id: String,
    /// Passkeys that will do; any, if there are none.
    #[schema(required = false)]
    allow_credentials: Vec<CredentialDescriptor>,
    /// Whether the authenticator asks for a finger, a face or a number.
    user_verification: String,
    /// Where to look for an authenticator.
    #[schema(required = false)]
    hints: Vec<String>,
    /// Extensions.
    extensions: Option<HashMap<String, Value>>,
}

/// Who asks for a passkey.
#[derive(Serialize, ToSchema)]
pub struct RelyingParty {
    /// What it is called.
    name: String,
    /// Its domain.
    id: String,
}

/// Whose a passkey is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PasskeyUser {
    /// In base64url.
    id: String,
    /// Their address.
    name: String,
    /// What they are called.
    display_name: String,
}

/// An algorithm.
#[derive(Serialize, ToSchema)]
pub struct CredentialParameters {
    /// What it is for.
    #[serde(rename = "type")]
    kind: CredentialType,
    /// Its number (COSE).
    alg: i64,
}

/// A passkey that is known.
#[derive(Serialize, ToSchema)]
pub struct CredentialDescriptor {
    /// What it is.
    #[serde(rename = "type")]
    kind: CredentialType,
    /// In base64url.
    id: String,
    /// How it is reached.
    #[schema(required = false)]
    transports: Vec<String>,
}

misy_domain::words! {
    /// The kind of a credential.
    pub enum CredentialType {
        /// A key pair.
        PublicKey = "public-key",
    }
}

/// Which authenticators will do.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthenticatorSelection {
    /// Within the device or outside of it.
    authenticator_attachment: Option<String>,
    /// Whether it must know whose passkey it is.
    resident_key: Option<String>,
    /// The same, as older browsers call it.
    require_resident_key: Option<bool>,
    /// Whether it asks for a finger, a face or a number.
    user_verification: Option<String>,
}

/// `RegistrationResponseJSON`: what `PublicKeyCredential.toJSON()` gives of a new passkey.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewCredential {
    /// In base64url.
    id: String,
    /// The same.
    raw_id: String,
    /// What it is.
    #[serde(rename = "type")]
    kind: CredentialType,
    /// What the authenticator says.
    response: AttestationResponse,
    /// Within the device or outside of it.
    authenticator_attachment: Option<String>,
    /// What extensions say.
    client_extension_results: Option<HashMap<String, Value>>,
}

/// What an authenticator says of a new passkey, in base64url.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttestationResponse {
    /// What the browser saw.
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    /// The key, and what it says of itself.
    attestation_object: String,
    /// How it is reached.
    transports: Option<Vec<String>>,
    /// Part of the attestation object.
    authenticator_data: Option<String>,
    /// Part of the attestation object.
    public_key: Option<String>,
    /// Part of the attestation object.
    public_key_algorithm: Option<i64>,
}

/// `AuthenticationResponseJSON`: what `PublicKeyCredential.toJSON()` gives of a proof.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CredentialProof {
    /// In base64url.
    id: String,
    /// The same.
    raw_id: String,
    /// What it is.
    #[serde(rename = "type")]
    kind: CredentialType,
    /// What the authenticator says.
    response: AssertionResponse,
    /// Within the device or outside of it.
    authenticator_attachment: Option<String>,
    /// What extensions say.
    client_extension_results: Option<HashMap<String, Value>>,
}

/// What an authenticator says of a passkey that it holds, in base64url.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AssertionResponse {
    /// What the browser saw.
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    /// What the authenticator did.
    authenticator_data: String,
    /// Over both.
    signature: String,
    /// Whose it is.
    user_handle: Option<String>,
}
