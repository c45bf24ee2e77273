//! Somebody in front of a browser, who has an authenticator app.

use crate::client::{BASE, expect, http};
use misy_domain::{Clock, SystemClock, Timestamp};
use misy_trust::TotpSecret;
use reqwest::{Method, Response, StatusCode, header};
use serde_json::{Value, json};

/// The secret of an authenticator app from what a person types.
pub fn app_of(base32: &str) -> Option<TotpSecret> {
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0, 0_u32);
    for digit in base32.bytes() {
        let value = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|known| *known == digit)?;
        bits = bits << 5 | u32::try_from(value).ok()?;
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 255).ok()?);
        }
    }
    TotpSecret::new(&bytes)
}

/// A person who signed in to a running program with both factors.
#[derive(Debug, Clone)]
pub struct Person {
    url: String,
    cookie: String,
    csrf: String,
}

impl Person {
    /// The first administrator of a tenant, by the token of its registration.
    pub async fn enrolled(url: &str, token: &str) -> anyhow::Result<Self> {
        let mut person = Self { url: url.to_owned(), cookie: String::new(), csrf: String::new() };
        let body = json!({
            "token": token, "email": "ana@business.example", "name": "Ana Rojas", "password": "tres tristes tigres"
        });
        person.call(Method::POST, "/auth/enroll", &body).await?;
        let proposal = person.call(Method::POST, "/auth/totp", &Value::Null).await?;
        let app = proposal["secret"].as_str().and_then(app_of);
        let app = app.ok_or_else(|| anyhow::anyhow!("no secret of an authenticator app"))?;
        let code = app.code_at(Timestamp::from_second(SystemClock.unix_seconds())?);
        person.call(Method::POST, "/auth/totp/confirm", &json!({ "code": code })).await?;
        Ok(person)
    }

    /// What they do, with a reason for whatever asks for one.
    pub async fn call(&mut self, method: Method, path: &str, body: &Value) -> anyhow::Result<Value> {
        let mut request = http()
            .request(method, format!("{}{BASE}{path}", self.url))
            .header(header::ORIGIN, &self.url)
            .header("sec-fetch-site", "same-origin")
            .header("x-misy-reason", "to%20set%20a%20test%20up")
            .header("x-misy-csrf", &self.csrf)
            .header(header::COOKIE, &self.cookie);
        if !body.is_null() {
            request = request.json(body);
        }
        let response = request.send().await?;
        self.take(&response);
        let wanted = if response.status().is_success() { response.status() } else { StatusCode::OK };
        let body = expect(wanted, response).await?;
        if let Some(csrf) = body["csrfToken"].as_str() {
            csrf.clone_into(&mut self.csrf);
        }
        Ok(body)
    }

    fn take(&mut self, response: &Response) {
        let cookies = response.headers().get_all(header::SET_COOKIE).iter();
        let session = cookies.filter_map(|cookie| cookie.to_str().ok()).find_map(|cookie| {
            let pair = cookie.split(';').next()?;
            pair.contains("misy_session=").then(|| pair.to_owned())
        });
        if let Some(session) = session {
            self.cookie = session;
        }
    }
}
