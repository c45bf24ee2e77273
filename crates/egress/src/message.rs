//! What is asked and what comes back.

use crate::EgressError;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};
use std::time::Duration;
use url::Url;

/// A request.
#[derive(Clone)]
pub struct Request {
    /// Its method.
    pub method: Method,
    /// Where to; absolute.
    pub url: Url,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// How long everything may take, redirects and body included; otherwise as the settings say.
    pub timeout: Option<Duration>,
    /// The largest body of an answer that is read whole, in bytes; otherwise as the settings say.
    pub largest_answer: Option<usize>,
}

/// An answer, read whole.
#[derive(Clone)]
pub struct Response {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// Headers that are no secret, whatever stands in them. Any other one may be, so a request that carries one is not
/// redirected.
const HARMLESS: [HeaderName; 6] = [
    header::ACCEPT,
    header::ACCEPT_LANGUAGE,
    header::USER_AGENT,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::CONTENT_TYPE,
];

impl Request {
    /// A request without headers and body.
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            timeout: None,
            largest_answer: None,
        }
    }

    /// `GET`
    pub fn get(url: &str) -> Result<Self, EgressError> {
        Ok(Self::new(Method::GET, parse(url)?))
    }

    /// `POST` of this body.
    pub fn post(url: &str, content_type: &'static str, body: impl Into<Bytes>) -> Result<Self, EgressError> {
        let request = Self::new(Method::POST, parse(url)?);
        Ok(Self { body: body.into(), ..request }
            .header(header::CONTENT_TYPE, HeaderValue::from_static(content_type)))
    }

    /// `POST` of a value as JSON.
    pub fn post_json(url: &str, value: &impl Serialize) -> Result<Self, EgressError> {
        let body = serde_json::to_vec(value).map_err(|_| EgressError::Unreadable)?;
        Self::post(url, "application/json", body)
    }

    /// Sets a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Sets `Authorization: Bearer …`; a token with characters that no header can carry is no address's token.
    pub fn bearer(self, token: &str) -> Result<Self, EgressError> {
        self.authorized(&format!("Bearer {token}"))
    }

    /// Sets `Authorization`, which no log shows and no redirect takes along.
    pub fn authorized(self, value: &str) -> Result<Self, EgressError> {
        let mut value = HeaderValue::from_str(value).map_err(|_| EgressError::NotAnAddress)?;
        value.set_sensitive(true);
        Ok(self.header(header::AUTHORIZATION, value))
    }

    /// Whether it may follow a redirect: it only reads, and nothing in it can be a secret.
    pub(crate) fn may_be_redirected(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
            && self.body.is_empty()
            && self.headers.keys().all(|name| HARMLESS.contains(name))
    }
}

impl Response {
    /// The body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, EgressError> {
        serde_json::from_slice(&self.body).map_err(|_| EgressError::Unreadable)
    }
}

fn parse(url: &str) -> Result<Url, EgressError> {
    Url::parse(url).map_err(|_| EgressError::NotAnAddress)
}
