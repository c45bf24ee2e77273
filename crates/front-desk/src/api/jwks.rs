//! `GET /.well-known/jwks.json`: the public keys that verify tokens.

use crate::{desk::FrontDesk, problem::Problem};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use serde::Serialize;
use utoipa::ToSchema;

/// A set of public keys (RFC 7517).
#[derive(Serialize, ToSchema)]
pub struct KeySet {
    /// The keys.
    #[schema(value_type = Vec<PublicKey>)]
    keys: serde_json::Value,
}

/// A public key (RFC 7517, RFC 8037). Which members it has depends on `kty`.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "describes what the keys write themselves as")]
pub struct PublicKey {
    /// Its id, which tokens name.
    kid: String,
    /// What it is: `RSA`, `EC` or `OKP`.
    kty: String,
    /// The algorithm it signs with.
    alg: String,
    /// Always `sig`.
    #[serde(rename = "use")]
    use_: String,
    /// The curve, of `EC` and `OKP`.
    crv: Option<String>,
    /// A coordinate, of `EC` and `OKP`.
    x: Option<String>,
    /// The other coordinate, of `EC`.
    y: Option<String>,
    /// The modulus, of `RSA`.
    n: Option<String>,
    /// The exponent, of `RSA`.
    e: Option<String>,
}

/// Read the public keys
///
/// The keys that tenant access tokens are signed with, those of a moment ago and those of a moment from now.
#[utoipa::path(
    get, path = "/.well-known/jwks.json", tag = "tokens", operation_id = "readPublicKeys",
    responses((status = 200, description = "A JSON Web Key Set", body = KeySet)),
    security(())
)]
pub(crate) async fn read(State(desk): State<FrontDesk>) -> Result<Response, Problem> {
    let mut jwks = desk.tokens.keys().jwks(desk.clock.now());
    let keys = jwks["keys"].take();
    let mut response = Json(KeySet { keys }).into_response();
    let headers = response.headers_mut();
    // Shorter than the notice that a new key gives.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    Ok(response)
}
