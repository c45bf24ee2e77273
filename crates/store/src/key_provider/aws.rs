//! AWS KMS, its JSON API (`TrentService`): `Encrypt` and `Decrypt` with an encryption context. Requests are signed here, as
//! two calls do not justify an SDK.

use super::{KeyProviderError, key_of, send};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue, header};
use misy_domain::{Clock, Secret};
use misy_egress::{Egress, Reach, Request, Response};
use misy_trust::sigv4::{self, Credentials, Unsigned};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

const PROVIDER: &str = "aws";
const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// A symmetric key of KMS.
#[derive(Clone)]
pub struct AwsKms {
    egress: Egress,
    clock: Arc<dyn Clock>,
    endpoint: String,
    host: String,
    key_id: String,
    credentials: Credentials,
    session_token: Option<Secret<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    key_id: String,
    #[serde(default)]
    ciphertext_blob: Option<String>,
    #[serde(default)]
    plaintext: Option<String>,
}

impl AwsKms {
    /// The key of this id or ARN. Without an endpoint, that of the region.
    pub fn new(
        egress: Egress,
        clock: Arc<dyn Clock>,
        key_id: &str,
        credentials: Credentials,
        session_token: Option<Secret<String>>,
        endpoint: Option<&str>,
    ) -> Result<Self, KeyProviderError> {
        let settings = |problem| KeyProviderError::Settings { provider: PROVIDER, problem };
        let endpoint = match endpoint {
            Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
            None => format!("https://kms.{}.amazonaws.com", credentials.region),
        };
        let host = endpoint.split_once("://").map(|(_, host)| host.to_ascii_lowercase());
        let host = host.filter(|host| !host.is_empty() && !host.contains('/'));
        let host = host.ok_or_else(|| settings("the endpoint is https:// and a host"))?;
        if key_id.starts_with("alias/") {
            return Err(settings("name the key by its id or ARN: an alias may come to mean another one"));
        }
        Ok(Self { egress, clock, endpoint, host, key_id: key_id.to_owned(), credentials, session_token })
    }

    pub(super) async fn wrap(&self, key: &[u8; 32], bound: &str) -> Result<String, KeyProviderError> {
        let body = json!({
            "KeyId": self.key_id, "Plaintext": STANDARD.encode(key), "EncryptionContext": { "misy": bound },
        });
        let answer = self.call("TrentService.Encrypt", &body).await?;
        self.read(&answer)?.ciphertext_blob.ok_or(KeyProviderError::WrongAnswer { provider: PROVIDER })
    }

    pub(super) async fn unwrap(
        &self,
        wrapped: &str,
        bound: &str,
    ) -> Result<Secret<[u8; 32]>, KeyProviderError> {
        let body = json!({
            "KeyId": self.key_id, "CiphertextBlob": wrapped, "EncryptionContext": { "misy": bound },
        });
        let answer = self.call("TrentService.Decrypt", &body).await?;
        let plaintext = self.read(&answer)?.plaintext.and_then(|text| STANDARD.decode(text).ok());
        key_of(PROVIDER, plaintext.ok_or(KeyProviderError::WrongAnswer { provider: PROVIDER })?)
    }

    /// The answer names the key by its ARN, which ends with its id.
    fn read(&self, answer: &Response) -> Result<Answer, KeyProviderError> {
        let wrong = || KeyProviderError::WrongAnswer { provider: PROVIDER };
        let answer: Answer = answer.json().map_err(|_| wrong())?;
        let id = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
        if id(&answer.key_id) == id(&self.key_id) { Ok(answer) } else { Err(wrong()) }
    }

    async fn call(&self, target: &str, body: &Value) -> Result<Response, KeyProviderError> {
        let body = body.to_string();
        send(PROVIDER, &self.egress, Reach::Operator, || self.signed(target, &body)).await
    }

    fn signed(&self, target: &str, body: &str) -> Result<Request, KeyProviderError> {
        let settings = |problem| KeyProviderError::Settings { provider: PROVIDER, problem };
        let at = self.clock.now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let mut headers = vec![("content-type", CONTENT_TYPE), ("host", &*self.host), ("x-amz-date", &*at)];
        if let Some(token) = &self.session_token {
            headers.push(("x-amz-security-token", token.expose()));
        }
        headers.push(("x-amz-target", target));
        let unsigned = Unsigned {
            method: "POST",
            path: "/",
            query: "",
            headers: &headers,
            body: body.as_bytes(),
            at: &at,
        };
        let authorization = sigv4::authorization(&self.credentials, &unsigned);
        let mut request = Request::post(&format!("{}/", self.endpoint), CONTENT_TYPE, body.to_owned())
            .map_err(|source| KeyProviderError::Unreachable { provider: PROVIDER, source })?;
        let signed = headers.iter().filter(|(name, _)| *name != "host" && *name != "content-type");
        for (name, value) in signed.chain([&("authorization", &*authorization)]) {
            let mut value = HeaderValue::from_str(value).map_err(|_| settings("not a header"))?;
            value.set_sensitive(*name == header::AUTHORIZATION.as_str());
            request = request.header(HeaderName::from_static(static_name(name)), value);
        }
        Ok(request)
    }
}

fn static_name(name: &str) -> &'static str {
    ["authorization", "x-amz-date", "x-amz-security-token", "x-amz-target"]
        .into_iter()
        .find(|known| *known == name)
        .unwrap_or("x-amz-meta-unknown")
}
