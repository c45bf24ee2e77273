//! Passkeys: the ceremonies of WebAuthn (W3C Web Authentication, level 3) for one relying party, this installation.
//!
//! User verification is required in each ceremony, so a passkey is something one has and something one knows or is: both
//! factors. A counter that does not grow tells of a copy of the authenticator, and is refused. Attestation is not asked
//! for: which makes of authenticators there are is nobody's business here.

use crate::digest::sha256;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use misy_domain::{TenantId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{fmt, time::Duration};
use url::{Host, Url};
use webauthn_rs::{
    Webauthn, WebauthnBuilder,
    prelude::{
        CredentialID, DiscoverableAuthentication, PasskeyRegistration, PublicKeyCredential,
        RegisterPublicKeyCredential, Uuid, WebauthnError,
    },
};

/// How long somebody may take to touch the authenticator.
pub const CEREMONY_LIFETIME: Duration = Duration::from_mins(5);

/// A ceremony cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyError {
    /// What the browser sent has not the shape of an answer.
    #[error("this is no answer of an authenticator")]
    Malformed,
    /// Wrong challenge, origin, relying party, key, flags or signature.
    #[error("the authenticator's answer is not accepted")]
    Refused,
    /// The counter did not grow: there is a copy of the authenticator.
    #[error("the authenticator's counter went back")]
    Cloned,
}

/// This installation, as authenticators know it. Made once.
#[derive(Clone)]
pub struct RelyingParty(Webauthn);

/// A passkey as it is stored; sealed by whoever stores it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Passkey(webauthn_rs::prelude::Passkey);

/// What the browser is given to hand to the authenticator, and what the server must remember until it answers.
pub struct Begun {
    /// The options of `navigator.credentials.create` or `.get`, with binary members in base64url.
    pub options: Value,
    /// To be kept by the server, once, for [`CEREMONY_LIFETIME`].
    pub state: Vec<u8>,
}

/// What an authenticator answered when asked to prove that it has a key; nothing of it is proved yet.
pub struct Assertion(PublicKeyCredential);

/// What a proof says of a passkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// How often it signed, if it counts; else 0.
    pub counter: u32,
    /// Whether it may be copied to other devices of its holder.
    pub backup_eligible: bool,
    /// Whether it is.
    pub backed_up: bool,
}

/// The handle under which authenticators keep somebody: tells nothing about the person and is the same for ever.
pub fn user_handle(tenant: &TenantId, user: UserId) -> [u8; 16] {
    let digest = sha256(format!("misy-user-handle|{tenant}|{user}").as_bytes());
    let mut handle = [0; 16];
    handle.copy_from_slice(&digest[..16]);
    handle
}

impl RelyingParty {
    /// The relying party at a public address. `None` where browsers know no passkeys: an address without a name, or
    /// without TLS unless it is `localhost`.
    pub fn at(public_url: &str, name: &str) -> Option<Self> {
        let url = Url::parse(public_url).ok()?;
        let Some(Host::Domain(domain)) = url.host() else { return None };
        if url.scheme() != "https" && domain != "localhost" {
            return None;
        }
        let builder = WebauthnBuilder::new(domain, &url).ok()?.rp_name(name).timeout(CEREMONY_LIFETIME);
        builder.build().ok().map(Self)
    }

    /// Asks an authenticator for a new key of somebody, and not for a second one if it holds one of `known`.
    pub fn begin_registration(
        &self,
        handle: [u8; 16],
        name: &str,
        display_name: &str,
        known: &[Passkey],
    ) -> Result<Begun, PasskeyError> {
        let known: Vec<CredentialID> = known.iter().map(|passkey| passkey.0.cred_id().clone()).collect();
        let started =
            self.0.start_passkey_registration(Uuid::from_bytes(handle), name, display_name, Some(known));
        let (options, state) = started.map_err(refusal)?;
        let mut options = serde_json::to_value(options.public_key).map_err(|_| PasskeyError::Refused)?;
        // Kept by the authenticator, it can be found again without an e-mail address. Where there is no room it still
        // serves as a second factor.
        options["authenticatorSelection"]["residentKey"] = "preferred".into();
        Ok(Begun { options, state: bytes(&state)? })
    }

    /// Takes the new key.
    pub fn finish_registration(&self, state: &[u8], answer: Value) -> Result<(Passkey, Usage), PasskeyError> {
        let state: PasskeyRegistration =
            serde_json::from_slice(state).map_err(|_| PasskeyError::Malformed)?;
        let answer: RegisterPublicKeyCredential =
            serde_json::from_value(answer).map_err(|_| PasskeyError::Malformed)?;
        let passkey = self.0.finish_passkey_registration(&answer, &state).map_err(refusal)?;
        let passkey = Passkey(passkey);
        let usage = passkey.usage();
        Ok((passkey, usage))
    }

    /// Asks for a proof: of one of these passkeys or, when there are none, of any that the authenticator knows.
    pub fn begin_authentication(&self, allowed: &[Passkey]) -> Result<Begun, PasskeyError> {
        let (options, state) = self.0.start_discoverable_authentication().map_err(refusal)?;
        let mut options = serde_json::to_value(options.public_key).map_err(|_| PasskeyError::Refused)?;
        let allowed: Vec<Value> = allowed
            .iter()
            .map(|passkey| {
                let id = URL_SAFE_NO_PAD.encode(passkey.0.cred_id());
                serde_json::json!({ "type": "public-key", "id": id })
            })
            .collect();
        options["allowCredentials"] = Value::Array(allowed);
        Ok(Begun { options, state: bytes(&state)? })
    }

    /// Proves an assertion by the passkey that it names, as it is stored now. The passkey is changed when it must be
    /// stored again.
    pub fn finish_authentication(
        &self,
        state: &[u8],
        assertion: &Assertion,
        passkey: &mut Passkey,
    ) -> Result<Usage, PasskeyError> {
        let state: DiscoverableAuthentication =
            serde_json::from_slice(state).map_err(|_| PasskeyError::Malformed)?;
        if assertion.is_of_a_framed_page()? {
            return Err(PasskeyError::Refused);
        }
        let result =
            self.0.finish_discoverable_authentication_v2(&assertion.0, state, &passkey.0).map_err(refusal)?;
        if !result.user_verified() {
            return Err(PasskeyError::Refused);
        }
        passkey.0.update_credential(&result).ok_or(PasskeyError::Refused)?;
        Ok(Usage {
            counter: result.counter(),
            backup_eligible: result.backup_eligible(),
            backed_up: result.backup_state(),
        })
    }
}

impl fmt::Debug for RelyingParty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RelyingParty(…)")
    }
}

impl Passkey {
    /// By what it is found.
    pub fn id_hash(&self) -> [u8; 32] {
        id_hash(self.0.cred_id())
    }

    fn usage(&self) -> Usage {
        // The library shows these of a proof only, and of a stored key in its serialised form.
        let stored = serde_json::to_value(&self.0).unwrap_or_default();
        let flag = |name: &str| stored["cred"][name].as_bool().unwrap_or_default();
        let counter = stored["cred"]["counter"].as_u64().and_then(|counter| u32::try_from(counter).ok());
        Usage {
            counter: counter.unwrap_or_default(),
            backup_eligible: flag("backup_eligible"),
            backed_up: flag("backup_state"),
        }
    }
}

impl fmt::Debug for Passkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passkey(…)")
    }
}

impl Assertion {
    /// Reads an answer.
    pub fn parse(answer: Value) -> Result<Self, PasskeyError> {
        serde_json::from_value(answer).map(Self).map_err(|_| PasskeyError::Malformed)
    }

    /// By what the passkey is found that it names.
    pub fn id_hash(&self) -> [u8; 32] {
        id_hash(self.0.get_credential_id())
    }

    /// Whether it was made on a page that another site has framed. The library looks at that of new passkeys only.
    fn is_of_a_framed_page(&self) -> Result<bool, PasskeyError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct ClientData {
            #[serde(default)]
            cross_origin: bool,
            top_origin: Option<String>,
        }
        let data = serde_json::from_slice(&self.0.response.client_data_json);
        let data: ClientData = data.map_err(|_| PasskeyError::Malformed)?;
        Ok(data.cross_origin || data.top_origin.is_some())
    }

    /// Whether it names somebody else than this. Authenticators that know nobody's handle name nobody.
    pub fn names_another_than(&self, handle: [u8; 16]) -> bool {
        self.0.get_user_unique_id().is_some_and(|named| named != handle)
    }

    /// Whether it names somebody at all: a passkey that was found without an e-mail address must.
    pub fn names_somebody(&self) -> bool {
        self.0.get_user_unique_id().is_some()
    }
}

/// Stands in one index with the hashes of keys and tokens: the prefix keeps a credential id, which its holder chooses, from
/// being one of those.
fn id_hash(credential_id: &[u8]) -> [u8; 32] {
    sha256(&[b"misy-passkey|", credential_id].concat())
}

fn bytes(state: &impl Serialize) -> Result<Vec<u8>, PasskeyError> {
    serde_json::to_vec(state).map_err(|_| PasskeyError::Refused)
}

#[allow(clippy::needless_pass_by_value, reason = "stands behind map_err")]
fn refusal(error: WebauthnError) -> PasskeyError {
    match error {
        WebauthnError::CredentialPossibleCompromise => PasskeyError::Cloned,
        WebauthnError::ParseBase64Failure(_)
        | WebauthnError::ParseJSONFailure(_)
        | WebauthnError::ParseNOMFailure
        | WebauthnError::ParseInsufficientBytesAvailable => PasskeyError::Malformed,
        _ => PasskeyError::Refused,
    }
}

#[cfg(test)]
mod tests;
