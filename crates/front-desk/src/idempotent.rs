//! Creating calls that carry an `Idempotency-Key` have their effect once, and are answered again when made again.

use crate::{
    desk::FrontDesk,
    pipeline::Received,
    problem::{Code, Problem},
};
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use misy_store::{
    TenantKeys, TenantTx,
    idempotency::{self, Answer, Call, Claim},
};
use serde::Serialize;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const LONGEST: usize = 200;
/// A caller that proves nothing must bring a key that nobody guesses: with it comes what was answered, secrets included.
const SHORTEST_OF_STRANGERS: usize = 22;

/// A creating call, which may have been made before.
pub(crate) struct Once {
    scope: String,
    key: Option<String>,
    request: [u8; 32],
}

impl Once {
    /// Of a caller that proved who it is. `who`: two callers never share keys.
    pub(crate) fn of(received: &Received, who: &str) -> Result<Self, Problem> {
        let key = received.header(&IDEMPOTENCY_KEY).map(str::to_owned);
        let fits = |key: &String| {
            (1..=LONGEST).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if key.as_ref().is_some_and(|key| !fits(key)) {
            return Err(Problem::bad_request(
                "The header idempotency-key must be 1 to 200 visible characters.",
            ));
        }
        let scope = format!("{}:{who}", received.record.operation);
        let uri = &received.parts.uri;
        let request =
            [uri.path().as_bytes(), b"?", uri.query().unwrap_or_default().as_bytes(), b"\n", &received.body];
        Ok(Self { scope, key, request: misy_trust::sha256(&request.concat()) })
    }

    /// Of a caller that proved nothing.
    pub(crate) fn of_stranger(received: &Received) -> Result<Self, Problem> {
        let once = Self::of(received, "stranger")?;
        if once.key.as_ref().is_some_and(|key| key.len() < SHORTEST_OF_STRANGERS) {
            return Err(Problem::bad_request(
                "Here the header idempotency-key must be at least 22 random characters.",
            ));
        }
        Ok(once)
    }

    fn call(&self) -> Option<Call<'_>> {
        let key = self.key.as_deref()?;
        Some(Call { scope: &self.scope, key, request: self.request })
    }

    /// The answer, if the call was made before.
    pub(crate) async fn answered(
        &self,
        desk: &FrontDesk,
        tx: &mut TenantTx,
    ) -> Result<Option<Response>, Problem> {
        let Some(call) = self.call() else { return Ok(None) };
        let claim = idempotency::claim(tx, &desk.vault, &call, desk.clock.now()).await?;
        match claim {
            Claim::Fresh => Ok(None),
            Claim::Mismatch => Err(Problem::conflict(
                Code::IdempotencyMismatch,
                "This idempotency key was used for another request.",
            )),
            Claim::Answered(answer) => {
                let mut response = response(&answer);
                response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
                Ok(Some(response))
            }
        }
    }

    /// Answers, after writing the answer down in the transaction of the effect; then that is committed.
    pub(crate) async fn answer(
        &self,
        desk: &FrontDesk,
        mut tx: TenantTx,
        keys: &TenantKeys,
        status: StatusCode,
        body: &impl Serialize,
    ) -> Result<Response, Problem> {
        let response = self.keep(desk, &mut tx, keys, status, body).await?;
        tx.commit().await?;
        Ok(response)
    }

    /// Writes the answer down in the transaction of the effect, which is to be committed before it is given.
    pub(crate) async fn keep(
        &self,
        desk: &FrontDesk,
        tx: &mut TenantTx,
        keys: &TenantKeys,
        status: StatusCode,
        body: &impl Serialize,
    ) -> Result<Response, Problem> {
        let body = serde_json::to_vec(body).map_err(|_| Problem::internal())?;
        let answer = Answer { status: status.as_u16(), body };
        if let Some(call) = self.call() {
            idempotency::complete(tx, keys, &*desk.entropy, &call, &answer).await?;
        }
        Ok(response(&answer))
    }
}

fn response(answer: &Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::CREATED);
    let json = HeaderValue::from_static("application/json");
    (status, [(header::CONTENT_TYPE, json)], answer.body.clone()).into_response()
}
