//! HashiCorp Vault, transit secrets engine (its API documentation: "Encrypt data" and "Decrypt data"). The key must be of a
//! type with associated data, such as `aes256-gcm96`.

use super::{KeyProviderError, key_of, send};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue};
use misy_domain::Secret;
use misy_egress::{Egress, Reach, Request, Response};
use serde::Deserialize;
use serde_json::{Value, json};

const PROVIDER: &str = "vault";

/// A key of a transit engine.
#[derive(Clone)]
pub struct VaultTransit {
    egress: Egress,
    /// With the mount, such as `https://vault.example:8200/v1/transit`.
    base: String,
    key: String,
    token: HeaderValue,
    namespace: Option<HeaderValue>,
}

#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    ciphertext: Option<String>,
    #[serde(default)]
    plaintext: Option<String>,
}

impl VaultTransit {
    /// The key of this name in the engine mounted at `mount`.
    pub fn new(
        egress: Egress,
        address: &str,
        mount: &str,
        key: &str,
        token: &Secret<String>,
        namespace: Option<&str>,
    ) -> Result<Self, KeyProviderError> {
        let settings = |problem| KeyProviderError::Settings { provider: PROVIDER, problem };
        let plain = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte))
        };
        if !plain(mount)
            || !plain(key)
            || key.contains('/')
            || [mount, key].iter().any(|name| name.contains(".."))
        {
            return Err(settings("the names of mount and key are letters, digits, - and _"));
        }
        let header = |text: &str| HeaderValue::from_str(text).map_err(|_| settings("not a header"));
        let mut token = header(token.expose())?;
        token.set_sensitive(true);
        Ok(Self {
            egress,
            base: format!("{}/v1/{}", address.trim_end_matches('/'), mount.trim_matches('/')),
            key: key.to_owned(),
            token,
            namespace: namespace.map(header).transpose()?,
        })
    }

    pub(super) async fn wrap(&self, key: &[u8; 32], bound: &str) -> Result<String, KeyProviderError> {
        let body = json!({ "plaintext": STANDARD.encode(key), "associated_data": STANDARD.encode(bound) });
        let answer = self.call("encrypt", &body).await?;
        let ciphertext = read(&answer)?.ciphertext.filter(|text| text.starts_with("vault:v"));
        ciphertext.ok_or(KeyProviderError::WrongAnswer { provider: PROVIDER })
    }

    pub(super) async fn unwrap(
        &self,
        wrapped: &str,
        bound: &str,
    ) -> Result<Secret<[u8; 32]>, KeyProviderError> {
        let body = json!({ "ciphertext": wrapped, "associated_data": STANDARD.encode(bound) });
        let answer = self.call("decrypt", &body).await?;
        let plaintext = read(&answer)?.plaintext.and_then(|text| STANDARD.decode(text).ok());
        key_of(PROVIDER, plaintext.ok_or(KeyProviderError::WrongAnswer { provider: PROVIDER })?)
    }

    async fn call(&self, operation: &str, body: &Value) -> Result<Response, KeyProviderError> {
        let url = format!("{}/{operation}/{}", self.base, self.key);
        send(PROVIDER, &self.egress, Reach::Operator, || {
            let mut request = Request::post_json(&url, body)
                .map_err(|source| KeyProviderError::Unreachable { provider: PROVIDER, source })?
                .header(HeaderName::from_static("x-vault-token"), self.token.clone())
                .header(HeaderName::from_static("x-vault-request"), HeaderValue::from_static("true"));
            if let Some(namespace) = &self.namespace {
                request = request.header(HeaderName::from_static("x-vault-namespace"), namespace.clone());
            }
            Ok(request)
        })
        .await
    }
}

fn read(answer: &Response) -> Result<Data, KeyProviderError> {
    let answer: Answer = answer.json().map_err(|_| KeyProviderError::WrongAnswer { provider: PROVIDER })?;
    Ok(answer.data)
}
