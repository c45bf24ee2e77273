//! A site's visitor, as the SDK is one: gets a token, signs every call, keeps the session.

use crate::PATIENCE;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use misy_domain::{Clock, Entropy, Secret, SystemClock, TenantId};
use misy_trust::{RequestKey, SignedRequest, SystemEntropy, request_signature, sha256};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

/// Where the API stands under the origin.
pub const BASE: &str = "/api/meta-agent";

/// An HTTP client with a time limit on each call, without proxies and redirects.
pub fn http() -> reqwest::Client {
    let builder = reqwest::Client::builder().timeout(PATIENCE).no_proxy();
    // Fails only where no TLS library can be set up, and there is none here.
    builder.redirect(reqwest::redirect::Policy::none()).build().unwrap_or_default()
}

/// What a site embeds.
#[derive(Debug, Clone)]
pub struct Site {
    /// `http://host:port` of the API.
    pub api: String,
    /// The tenant.
    pub tenant: TenantId,
    /// An origin that the site allows.
    pub origin: String,
    /// `pk_…`
    pub publishable_key: String,
}

/// A visitor with a token.
#[derive(Clone)]
pub struct Visitor {
    http: reqwest::Client,
    site: Site,
    /// The tenant access token.
    pub token: String,
    key: RequestKey,
}

/// An answer that is not the one hoped for.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No answer.
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    /// Another status.
    #[error("{0}: {1}")]
    Status(StatusCode, Value),
    /// The answer lacks something.
    #[error("the answer lacks {0}")]
    Incomplete(&'static str),
}

/// The JSON of an answer with the status that is hoped for.
pub async fn expect(status: StatusCode, response: Response) -> Result<Value, ClientError> {
    let got = response.status();
    let value = response.json().await.unwrap_or(Value::Null);
    if got == status { Ok(value) } else { Err(ClientError::Status(got, value)) }
}

impl Visitor {
    /// Gets a token with the site's publishable key, as a browser on the site's origin does.
    pub async fn arrive(site: &Site) -> Result<Self, ClientError> {
        let http = http();
        let response = http
            .post(format!("{}{BASE}/tokens", site.api))
            .header("x-api-key", &site.publishable_key)
            .header("origin", &site.origin)
            .json(&json!({ "siteId": "main" }))
            .send()
            .await?;
        let answer = expect(StatusCode::CREATED, response).await?;
        let text = |name: &'static str| answer[name].as_str().ok_or(ClientError::Incomplete(name));
        let bytes = BASE64.decode(text("signingKey")?).map_err(|_| ClientError::Incomplete("signingKey"))?;
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| ClientError::Incomplete("signingKey"))?;
        let key = RequestKey::new(Secret::new(bytes));
        Ok(Self { http, site: site.clone(), token: text("token")?.to_owned(), key })
    }

    /// The same visitor, served by another process of the installation.
    #[must_use]
    pub fn at(&self, api: &str) -> Self {
        Self { site: Site { api: api.to_owned(), ..self.site.clone() }, ..self.clone() }
    }

    /// A signed request; `target` is path and query below the base.
    pub fn signed(&self, method: Method, target: &str, body: Vec<u8>) -> RequestBuilder {
        let full = format!("{BASE}{target}");
        let (path, query) = full.split_once('?').unwrap_or((&full, ""));
        let timestamp = SystemClock.unix_seconds().to_string();
        let nonce = fresh_nonce();
        let host = self.site.api.split_once("://").map_or("", |(_, host)| host);
        let signature = request_signature::sign(
            &self.key,
            &SignedRequest {
                method: method.as_str(),
                host,
                path,
                query,
                body_sha256: sha256(&body),
                timestamp: &timestamp,
                nonce: &nonce,
                token_sha256: Some(sha256(self.token.as_bytes())),
            },
        )
        .unwrap_or_default();
        let mut request = self
            .http
            .request(method, format!("{}{full}", self.site.api))
            .header("origin", &self.site.origin)
            .bearer_auth(&self.token)
            .header("x-misy-timestamp", timestamp)
            .header("x-misy-nonce", nonce)
            .header("x-misy-signature", signature);
        if !body.is_empty() {
            request = request.header("content-type", "application/json").body(body);
        }
        request
    }

    /// A signed call with a JSON body.
    pub async fn post(&self, target: &str, body: &Value) -> Result<Response, ClientError> {
        Ok(self.signed(Method::POST, target, body.to_string().into_bytes()).send().await?)
    }

    /// A signed read.
    pub async fn get(&self, target: &str) -> Result<Response, ClientError> {
        Ok(self.signed(Method::GET, target, Vec::new()).send().await?)
    }

    /// Opens a session and gives its id.
    pub async fn open_session(&self) -> Result<String, ClientError> {
        let answer =
            expect(StatusCode::CREATED, self.post("/sessions", &json!({ "channel": "web" })).await?).await?;
        answer["sessionId"].as_str().map(str::to_owned).ok_or(ClientError::Incomplete("sessionId"))
    }

    /// The envelope of a message.
    pub fn message(&self, session: &str, client_message_id: &str, text: &str) -> Value {
        json!({
            "tenantId": self.site.tenant, "siteId": "main", "sessionId": session, "channel": "web", "metadata": {},
            "clientMessageId": client_message_id, "text": text,
        })
    }

    /// Sends a message; the answer holds `messageId` and `sequence`.
    pub async fn send(
        &self,
        session: &str,
        client_message_id: &str,
        text: &str,
    ) -> Result<Value, ClientError> {
        let body = self.message(session, client_message_id, text);
        expect(StatusCode::ACCEPTED, self.post("/messages", &body).await?).await
    }

    /// The whole history of a session.
    pub async fn history(&self, session: &str) -> Result<Vec<Value>, ClientError> {
        let mut messages: Vec<Value> = Vec::new();
        loop {
            let after = messages.last().map_or(0, |message| message["sequence"].as_i64().unwrap_or_default());
            let target = format!("/sessions/{session}/messages?after={after}&limit=100");
            let page = expect(StatusCode::OK, self.get(&target).await?).await?;
            let items = page["items"].as_array().cloned().unwrap_or_default();
            if items.is_empty() {
                return Ok(messages);
            }
            messages.extend(items);
        }
    }
}

fn fresh_nonce() -> String {
    let mut bytes = [0; 16];
    SystemEntropy::new().fill(&mut bytes);
    BASE64.encode(bytes)
}
