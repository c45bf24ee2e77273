//! Azure Key Vault, its REST API 7.4 ("Wrap Key" and "Unwrap Key"): RSA-OAEP-256 with a key that stays in the vault. Tokens
//! come from the OAuth client credentials grant or from the machine's managed identity.

use super::{KeyProviderError, key_of, send};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderName, HeaderValue, Method};
use misy_domain::{Clock, Secret};
use misy_egress::{Egress, Reach, Request, Response};
use serde::Deserialize;
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};
use url::{Url, form_urlencoded};

const PROVIDER: &str = "azure";
const ALGORITHM: &str = "RSA-OAEP-256";
const API: &str = "api-version=7.4";
/// Where a machine in Azure asks who it is.
const METADATA: &str = "http://169.254.169.254";
/// A token is not used in its last minutes.
const MARGIN: i64 = 120;

/// How to get tokens.
#[derive(Clone)]
pub enum AzureIdentity {
    /// A registered application.
    Application {
        /// Such as `https://login.microsoftonline.com`.
        authority: String,
        /// The directory.
        tenant: String,
        /// The application.
        client_id: String,
        /// Its secret.
        client_secret: Secret<String>,
    },
    /// The identity of the machine; with an address instead of the cloud's own for tests.
    Managed {
        /// Which of several.
        client_id: Option<String>,
        /// `None`: the address that Azure gives to every machine.
        endpoint: Option<String>,
    },
}

/// An access token, and until when it counts, in Unix seconds.
type AccessToken = (Secret<String>, i64);

/// An RSA key of a vault.
#[derive(Clone)]
pub struct AzureKeyVault {
    egress: Egress,
    clock: Arc<dyn Clock>,
    /// `https://<vault>.vault.azure.net/keys/<name>`, without a version.
    key: String,
    identity: AzureIdentity,
    token: Arc<Mutex<Option<AccessToken>>>,
}

#[derive(Deserialize)]
struct Answer {
    kid: String,
    value: String,
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
    expires_in: Seconds,
}

/// The managed identity writes numbers as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(i64),
    Text(String),
}

impl AzureKeyVault {
    /// The key of this identifier; versions behind the name are left to the vault, which wraps with the newest.
    pub fn new(
        egress: Egress,
        clock: Arc<dyn Clock>,
        key: &str,
        identity: AzureIdentity,
    ) -> Result<Self, KeyProviderError> {
        let problem = "the key is https://<vault>/keys/<name>";
        let settings = || KeyProviderError::Settings { provider: PROVIDER, problem };
        let url = Url::parse(key).map_err(|_| settings())?;
        let segments: Vec<&str> = url.path_segments().ok_or_else(settings)?.collect();
        let ["keys", name, ..] = segments.as_slice() else { return Err(settings()) };
        let key = format!("{}/keys/{name}", url.origin().ascii_serialization());
        Ok(Self { egress, clock, key, identity, token: Arc::default() })
    }

    /// The version of the key stands in front of what it wrapped.
    pub(super) async fn wrap(&self, key: &[u8; 32]) -> Result<String, KeyProviderError> {
        let answer = self.call(&format!("{}/wrapkey?{API}", self.key), URL_SAFE_NO_PAD.encode(key)).await?;
        let version = self.version_of(&answer.kid)?;
        Ok(format!("{version}:{}", answer.value))
    }

    pub(super) async fn unwrap(&self, wrapped: &str) -> Result<Secret<[u8; 32]>, KeyProviderError> {
        let wrong = || KeyProviderError::WrongAnswer { provider: PROVIDER };
        let (version, value) = wrapped.split_once(':').ok_or_else(wrong)?;
        let url = format!("{}/{version}/unwrapkey?{API}", self.key);
        let answer = self.call(&url, value.to_owned()).await?;
        if self.version_of(&answer.kid)? != version {
            return Err(wrong());
        }
        key_of(PROVIDER, URL_SAFE_NO_PAD.decode(answer.value).map_err(|_| wrong())?)
    }

    /// The version in a key identifier of our key.
    fn version_of(&self, kid: &str) -> Result<String, KeyProviderError> {
        let version = kid.strip_prefix(&self.key).and_then(|rest| rest.strip_prefix('/'));
        let plain = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        version.filter(plain).map(str::to_owned).ok_or(KeyProviderError::WrongAnswer { provider: PROVIDER })
    }

    async fn call(&self, url: &str, value: String) -> Result<Answer, KeyProviderError> {
        let body = json!({ "alg": ALGORITHM, "value": value });
        let mut answer = self.authorized(url, &body).await;
        if matches!(answer, Err(KeyProviderError::Denied { status: 401, .. })) {
            // The token may have been withdrawn before its time.
            *self.token.lock().unwrap_or_else(PoisonError::into_inner) = None;
            answer = self.authorized(url, &body).await;
        }
        answer?.json().map_err(|_| KeyProviderError::WrongAnswer { provider: PROVIDER })
    }

    async fn authorized(&self, url: &str, body: &serde_json::Value) -> Result<Response, KeyProviderError> {
        let token = self.token().await?;
        send(PROVIDER, &self.egress, Reach::Operator, || {
            Request::post_json(url, body)
                .and_then(|request| request.bearer(token.expose()))
                .map_err(|source| KeyProviderError::Unreachable { provider: PROVIDER, source })
        })
        .await
    }

    async fn token(&self) -> Result<Secret<String>, KeyProviderError> {
        let now = self.clock.unix_seconds();
        let kept = self.token.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((token, _)) = kept.filter(|(_, until)| now < *until) {
            return Ok(token);
        }
        let (reach, request) = self.token_request();
        let unreachable = |source| KeyProviderError::Unreachable { provider: PROVIDER, source };
        let answer = send(PROVIDER, &self.egress, reach, || request().map_err(unreachable)).await?;
        let wrong = |_| KeyProviderError::WrongAnswer { provider: PROVIDER };
        let answer: Token = answer.json().map_err(wrong)?;
        let seconds = match answer.expires_in {
            Seconds::Number(seconds) => seconds,
            Seconds::Text(text) => text.parse().unwrap_or_default(),
        };
        let token = Secret::new(answer.access_token);
        let until = now.saturating_add(seconds).saturating_sub(MARGIN);
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = Some((token.clone(), until));
        Ok(token)
    }

    fn token_request(&self) -> (Reach, impl Fn() -> Result<Request, misy_egress::EgressError>) {
        let (reach, method, url, body) = match &self.identity {
            AzureIdentity::Application { authority, tenant, client_id, client_secret } => {
                let body = form_urlencoded::Serializer::new(String::new())
                    .append_pair("grant_type", "client_credentials")
                    .append_pair("client_id", client_id)
                    .append_pair("client_secret", client_secret.expose())
                    .append_pair("scope", "https://vault.azure.net/.default")
                    .finish();
                let url = format!("{}/{tenant}/oauth2/v2.0/token", authority.trim_end_matches('/'));
                (Reach::Operator, Method::POST, url, body)
            }
            AzureIdentity::Managed { client_id, endpoint } => {
                let mut query = form_urlencoded::Serializer::new(String::new());
                query.append_pair("api-version", "2018-02-01");
                query.append_pair("resource", "https://vault.azure.net");
                if let Some(client_id) = client_id {
                    query.append_pair("client_id", client_id);
                }
                let endpoint = endpoint.as_deref().unwrap_or(METADATA);
                let url = format!("{endpoint}/metadata/identity/oauth2/token?{}", query.finish());
                (Reach::Metadata, Method::GET, url, String::new())
            }
        };
        (reach, move || {
            if method == Method::POST {
                return Request::post(&url, "application/x-www-form-urlencoded", body.clone());
            }
            let metadata = HeaderName::from_static("metadata");
            Ok(Request::get(&url)?.header(metadata, HeaderValue::from_static("true")))
        })
    }
}
