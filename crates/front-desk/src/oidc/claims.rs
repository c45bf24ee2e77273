//! What an ID token must be, and what it says of a person (OpenID Connect Core, section 3.1.3.7).

use super::{OidcError, provider::RelyingClient};
use misy_domain::Timestamp;
use openidconnect::{
    AdditionalClaims, ClaimsVerificationError, EmptyExtraTokenFields, IdTokenFields, Nonce,
    SignatureVerificationError, StandardTokenResponse, TokenResponse,
    core::{CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreTokenType},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::{Duration, SystemTime};

/// By how much clocks may differ.
const CLOCKS: Duration = Duration::from_mins(2);
/// The oldest token that is believed to have been made for this flow.
const OLDEST: Duration = Duration::from_mins(10);

/// Signatures by a key of the provider's own: no shared secrets, and something always.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// All claims that OpenID Connect itself does not name.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct OtherClaims {
    #[serde(flatten)]
    all: Map<String, Value>,
}
impl AdditionalClaims for OtherClaims {}

pub(super) type Tokens = StandardTokenResponse<
    IdTokenFields<
        OtherClaims,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;

/// What is remembered while the browser is at the provider.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Flow {
    /// To whom it went.
    pub(crate) issuer: String,
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) verifier: String,
}

/// A person of a provider, proved.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proved {
    pub(crate) issuer: String,
    /// Unique and for ever the same at the issuer.
    pub(crate) subject: String,
    pub(crate) email: Option<String>,
    /// What the provider says of the address; nothing, if it says nothing.
    pub(crate) email_verified: Option<bool>,
    pub(crate) name: Option<String>,
    pub(crate) acr: Option<String>,
    pub(crate) amr: Vec<String>,
    /// When the person proved itself to the provider.
    pub(crate) authenticated_at: Option<Timestamp>,
    /// All other claims.
    pub(crate) claims: Map<String, Value>,
}

/// Who the ID token says it is, if it is what it must be.
pub(super) fn prove(
    client: &RelyingClient,
    tokens: &Tokens,
    flow: &Flow,
    now: Timestamp,
) -> Result<Proved, OidcError> {
    let token = tokens.id_token().ok_or(OidcError::Refused("id_token_missing"))?;
    let system_now = SystemTime::from(now);
    let latest = system_now + CLOCKS;
    let oldest = system_now - OLDEST;
    let verifier = client
        .id_token_verifier()
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || system_now.into())
        .set_issue_time_verifier_fn(move |issued| {
            let issued = SystemTime::from(issued);
            let fits = oldest <= issued && issued <= latest;
            if fits { Ok(()) } else { Err("issued at another time".into()) }
        });
    let claims = token.claims(&verifier, &Nonce::new(flow.nonce.clone())).map_err(|error| reason(&error))?;
    let others = claims.additional_claims().all.clone();
    // Amazon Cognito signs access tokens with the same keys; `token_use` tells them apart.
    if others.get("token_use").is_some_and(|kind| kind != "id") {
        return Err(OidcError::Refused("not_an_id_token"));
    }
    // The library looks at `azp` only where there are several audiences.
    let party = claims.authorized_party();
    if party.is_some_and(|party| Some(party.as_str()) != claims.audiences().first().map(|own| own.as_str())) {
        return Err(OidcError::Refused("audience_mismatch"));
    }
    if claims.subject().as_str().is_empty() {
        return Err(OidcError::Refused("subject_missing"));
    }
    let authenticated_at = claims.auth_time().and_then(|at| Timestamp::try_from(SystemTime::from(at)).ok());
    Ok(Proved {
        issuer: flow.issuer.clone(),
        subject: claims.subject().to_string(),
        email: claims.email().map(|email| email.to_string()),
        email_verified: claims.email_verified(),
        name: claims
            .name()
            .and_then(|name| name.get(None))
            .map(|name| name.to_string())
            .or_else(|| claims.preferred_username().map(|name| name.to_string())),
        acr: claims.auth_context_ref().map(|acr| acr.to_string()),
        amr: claims.auth_method_refs().into_iter().flatten().map(|amr| amr.to_string()).collect(),
        authenticated_at: authenticated_at.map(|at| at.min(now)),
        claims: others,
    })
}

fn reason(error: &ClaimsVerificationError) -> OidcError {
    use ClaimsVerificationError as E;
    OidcError::Refused(match error {
        E::Expired(_) => "token_expired",
        E::InvalidAudience(_) => "audience_mismatch",
        E::InvalidIssuer(_) => "issuer_mismatch",
        E::InvalidNonce(_) => "nonce_mismatch",
        E::InvalidSubject(_) => "subject_missing",
        E::SignatureVerification(SignatureVerificationError::NoMatchingKey) => "key_unknown",
        E::SignatureVerification(_) => "signature_invalid",
        _ => "token_invalid",
    })
}
