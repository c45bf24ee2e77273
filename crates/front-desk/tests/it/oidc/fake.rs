//! A provider that says whatever a test wants: its own description, its own key, any ID token.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::{Notify, OwnedRwLockWriteGuard, RwLock};

#[derive(Clone)]
pub(crate) struct FakeProvider {
    pub(crate) issuer: String,
    shared: Arc<Shared>,
}

struct Shared {
    key: Mutex<(String, EcdsaKeyPair)>,
    /// Claims of the next token, by code: each code is good once.
    codes: Mutex<Vec<(String, String)>>,
    /// What the token endpoint was asked.
    asked: Mutex<Vec<String>>,
    description: Mutex<Value>,
    /// Keys that it has besides its own.
    more_keys: AtomicUsize,
    /// Whoever holds it lets the provider describe itself to nobody.
    gate: Arc<RwLock<()>>,
    described: Notify,
}

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signed {
    /// By the provider.
    Well,
    /// Not at all.
    None,
    /// By somebody else under the provider's key id.
    ByAnother,
    /// With the client's secret as the key of an HMAC.
    WithTheSecret,
}

fn new_key() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()
}

impl FakeProvider {
    /// Listens, under a path as Amazon Cognito has one.
    pub(crate) async fn start(path: &str) -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let issuer = format!("{origin}{path}");
        let description = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{origin}/oauth2/authorize"),
            "token_endpoint": format!("{origin}/oauth2/token"),
            "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
            "response_types_supported": ["code", "token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "scopes_supported": ["openid", "email", "phone", "profile"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        });
        let shared = Arc::new(Shared {
            key: Mutex::new(("key-1".into(), new_key())),
            codes: Mutex::default(),
            asked: Mutex::default(),
            description: Mutex::new(description),
            more_keys: AtomicUsize::default(),
            gate: Arc::default(),
            described: Notify::default(),
        });
        let router = Router::new()
            .route(&format!("{path}/.well-known/openid-configuration"), get(describe))
            .route(&format!("{path}/.well-known/jwks.json"), get(keys))
            .route("/oauth2/token", post(exchange))
            .with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { issuer, shared }
    }

    /// Changes what it says of itself.
    pub(crate) fn describe(&self, member: &str, value: Value) {
        self.shared.description.lock().unwrap()[member] = value;
    }

    /// Has so many keys besides its own.
    pub(crate) fn has_more_keys(&self, more: usize) {
        self.shared.more_keys.store(more, Ordering::Relaxed);
    }

    /// Describes itself to nobody until what this answers with is dropped.
    pub(crate) async fn hold(&self) -> OwnedRwLockWriteGuard<()> {
        self.shared.gate.clone().write_owned().await
    }

    /// Waits until somebody asks for its description.
    pub(crate) async fn is_asked(&self) {
        self.shared.described.notified().await;
    }

    /// Takes a new key into use and forgets the old one.
    pub(crate) fn rotate(&self) {
        *self.shared.key.lock().unwrap() = ("key-2".into(), new_key());
    }

    /// Gives a code for an ID token with these claims.
    pub(crate) fn code(&self, claims: &Value, signed: Signed) -> String {
        let mut codes = self.shared.codes.lock().unwrap();
        let code = format!("code-{}", codes.len() + 1);
        codes.push((code.clone(), self.token(claims, signed)));
        code
    }

    /// What the token endpoint was asked last.
    pub(crate) fn asked(&self) -> String {
        self.shared.asked.lock().unwrap().last().cloned().unwrap_or_default()
    }

    pub(crate) fn token(&self, claims: &Value, signed: Signed) -> String {
        let key = self.shared.key.lock().unwrap();
        let algorithm = match signed {
            Signed::None => "none",
            Signed::WithTheSecret => "HS256",
            Signed::Well | Signed::ByAnother => "ES256",
        };
        let header = json!({ "alg": algorithm, "kid": key.0 }).to_string();
        let message = [header, claims.to_string()].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
        let ecdsa = |key: &EcdsaKeyPair| {
            key.sign(&SystemRandom::new(), message.as_bytes()).unwrap().as_ref().to_vec()
        };
        let signature = match signed {
            Signed::None => Vec::new(),
            Signed::Well => ecdsa(&key.1),
            Signed::ByAnother => ecdsa(&new_key()),
            Signed::WithTheSecret => {
                let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, super::SECRET.as_bytes());
                aws_lc_rs::hmac::sign(&key, message.as_bytes()).as_ref().to_vec()
            }
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

async fn describe(State(shared): State<Arc<Shared>>) -> Json<Value> {
    shared.described.notify_one();
    let _open = shared.gate.read().await;
    Json(shared.description.lock().unwrap().clone())
}

async fn keys(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let key = shared.key.lock().unwrap();
    let point = key.1.public_key().as_ref();
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let mut keys = vec![json!({
        "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": key.0,
        "x": encode(&point[1..33]), "y": encode(&point[33..65]),
    })];
    let more = (0..shared.more_keys.load(Ordering::Relaxed))
        .map(|at| json!({ "kty": "oct", "kid": at.to_string(), "k": "AA" }));
    keys.extend(more);
    Json(json!({ "keys": keys }))
}

async fn exchange(
    State(shared): State<Arc<Shared>>,
    body: Bytes,
) -> Result<Json<Value>, (http::StatusCode, Json<Value>)> {
    let body = String::from_utf8(body.to_vec()).unwrap();
    shared.asked.lock().unwrap().push(body.clone());
    let code = body.split('&').find_map(|pair| pair.strip_prefix("code=")).unwrap_or_default().to_owned();
    let mut codes = shared.codes.lock().unwrap();
    let found = codes.iter_mut().find(|(known, _)| *known == code);
    let refused = (http::StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" })));
    let (known, token) = found.ok_or(refused)?;
    *known = "used".into();
    Ok(Json(json!({
        "id_token": token, "access_token": "access", "token_type": "Bearer", "expires_in": 3600,
    })))
}
