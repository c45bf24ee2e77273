//! Servers that speak the protocols of the services.

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use misy_domain::{Clock, Secret};
use misy_egress::{Egress, EgressSettings};
use misy_store::key_provider::{AwsKms, AzureIdentity, AzureKeyVault, Kms, VaultTransit};
use misy_testkit::determinism::TestClock;
use misy_trust::sigv4::{self, Credentials, Unsigned};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::net::TcpListener;

const SECRET: &str = "s3cret-credential";
const ARN: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// How a service misbehaves.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// It answers with this status.
    Status(u16),
    /// It answers too late.
    Late,
    /// It answers with something else.
    Garbage,
    /// It unwraps, or speaks of, another key.
    OtherKey,
}

struct Inner {
    fault: Option<(u32, Fault)>,
    asked: u32,
}

#[derive(Clone)]
struct Service {
    kind: &'static str,
    inner: Arc<Mutex<Inner>>,
    base: String,
    clock: Option<Arc<TestClock>>,
}

/// A service that is played, and the client of it.
pub(crate) struct Simulator {
    pub(crate) kms: Kms,
    inner: Arc<Mutex<Inner>>,
}

pub(crate) async fn all(clock: &Arc<TestClock>) -> Vec<Simulator> {
    vec![
        Simulator::vault().await,
        Simulator::azure_with_secret(clock, SECRET).await,
        Simulator::aws_with_secret(clock, SECRET).await,
    ]
}

impl Simulator {
    pub(crate) async fn vault() -> Self {
        Self::vault_with_token(SECRET).await
    }

    pub(crate) async fn vault_with_token(token: &str) -> Self {
        let (base, inner) = serve("vault", None).await;
        let token = Secret::new(token.to_owned());
        let kms = VaultTransit::new(egress(), &base, "transit", "misy", &token, Some("team")).unwrap();
        Self { kms: Kms::Vault(kms), inner }
    }

    pub(crate) async fn azure_with_secret(clock: &Arc<TestClock>, secret: &str) -> Self {
        let (base, inner) = serve("azure", None).await;
        let identity = AzureIdentity::Application {
            authority: base.clone(),
            tenant: "directory".into(),
            client_id: "app".into(),
            client_secret: Secret::new(secret.to_owned()),
        };
        Self { kms: azure(&base, clock, identity), inner }
    }

    pub(crate) async fn azure_managed(clock: &Arc<TestClock>) -> Self {
        let (base, inner) = serve("azure", None).await;
        let identity = AzureIdentity::Managed { client_id: None, endpoint: Some(base.clone()) };
        Self { kms: azure(&base, clock, identity), inner }
    }

    pub(crate) async fn aws_with_secret(clock: &Arc<TestClock>, secret: &str) -> Self {
        let (base, inner) = serve("aws", Some(clock.clone())).await;
        let credentials = credentials(secret);
        let token = Some(Secret::new("session".to_owned()));
        let clock: Arc<dyn Clock> = clock.clone();
        let kms = AwsKms::new(egress(), clock, ARN, credentials, token, Some(&base)).unwrap();
        Self { kms: Kms::Aws(kms), inner }
    }

    /// The next so many calls go wrong.
    pub(crate) fn fail(&self, times: u32, fault: Fault) {
        self.inner.lock().unwrap().fault = Some((times, fault));
    }

    pub(crate) fn asked(&self) -> u32 {
        self.inner.lock().unwrap().asked
    }
}

fn azure(base: &str, clock: &Arc<TestClock>, identity: AzureIdentity) -> Kms {
    let clock: Arc<dyn Clock> = clock.clone();
    Kms::Azure(AzureKeyVault::new(egress(), clock, &format!("{base}/keys/misy"), identity).unwrap())
}

fn credentials(secret: &str) -> Credentials {
    Credentials {
        access_key: "AKIDEXAMPLE".into(),
        secret_key: Secret::new(secret.to_owned()),
        region: "eu-west-1".into(),
        service: "kms",
    }
}

fn egress() -> Egress {
    let timeout = Duration::from_millis(300);
    Egress::new(EgressSettings { allow_loopback: true, timeout, ..EgressSettings::default() }).unwrap()
}

async fn serve(kind: &'static str, clock: Option<Arc<TestClock>>) -> (String, Arc<Mutex<Inner>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let inner = Arc::new(Mutex::new(Inner { fault: None, asked: 0 }));
    let service = Service { kind, inner: inner.clone(), base: base.clone(), clock };
    let router = Router::new().fallback(answer).with_state(service);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (base, inner)
}

async fn answer(
    State(service): State<Service>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let fault = {
        let mut inner = service.inner.lock().unwrap();
        inner.asked += 1;
        match &mut inner.fault {
            Some((0, _)) | None => None,
            Some((left, fault)) => {
                *left -= 1;
                Some(*fault)
            }
        }
    };
    match fault {
        Some(Fault::Status(status)) => return StatusCode::from_u16(status).unwrap().into_response(),
        Some(Fault::Late) => std::future::pending::<()>().await,
        Some(Fault::Garbage) => return "<html>".into_response(),
        Some(Fault::OtherKey) | None => {}
    }
    let other = matches!(fault, Some(Fault::OtherKey));
    let answered = match service.kind {
        "vault" => vault(&uri, &headers, &body, other),
        "azure" => azure_answer(&service, &method, &uri, &headers, &body, other),
        _ => aws(&service, &headers, &body, other),
    };
    match answered {
        Ok(value) => axum::Json(value).into_response(),
        Err(status) => StatusCode::from_u16(status).unwrap().into_response(),
    }
}

fn text<'v>(value: &'v Value, name: &str) -> Result<&'v str, u16> {
    value[name].as_str().ok_or(400)
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// "Wraps": what it is bound to and the plaintext, readable only by the test.
fn wrap(bound: &str, plaintext: &str) -> String {
    STANDARD.encode(format!("{bound}|{plaintext}"))
}

fn unwrap(bound: &str, wrapped: &str, other: bool) -> Result<String, u16> {
    let bytes = STANDARD.decode(wrapped).map_err(|_| 400u16)?;
    let text = String::from_utf8(bytes).map_err(|_| 400u16)?;
    let (found, plaintext) = text.split_once('|').ok_or(400u16)?;
    if found != bound {
        return Err(400);
    }
    Ok(if other { STANDARD.encode([7u8; 32]) } else { plaintext.to_owned() })
}

fn vault(uri: &Uri, headers: &HeaderMap, body: &[u8], other: bool) -> Result<Value, u16> {
    if header(headers, "x-vault-token") != SECRET || header(headers, "x-vault-namespace") != "team" {
        return Err(403);
    }
    let body: Value = serde_json::from_slice(body).map_err(|_| 400u16)?;
    let bound = text(&body, "associated_data")?;
    match uri.path() {
        "/v1/transit/encrypt/misy" => Ok(
            json!({ "data": { "ciphertext": format!("vault:v1:{}", wrap(bound, text(&body, "plaintext")?)) } }),
        ),
        "/v1/transit/decrypt/misy" => {
            let wrapped = text(&body, "ciphertext")?.strip_prefix("vault:v1:").ok_or(400u16)?;
            Ok(json!({ "data": { "plaintext": unwrap(bound, wrapped, other)? } }))
        }
        _ => Err(404),
    }
}

fn azure_answer(
    service: &Service,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
    other: bool,
) -> Result<Value, u16> {
    let path = uri.path();
    if path == "/directory/oauth2/v2.0/token" && method == Method::POST {
        let form = String::from_utf8_lossy(body).into_owned();
        let right = form.contains("grant_type=client_credentials")
            && form.contains(&format!("client_secret={SECRET}"))
            && form.contains("scope=https%3A%2F%2Fvault.azure.net%2F.default");
        return if right { Ok(json!({ "access_token": "t0ken", "expires_in": 3599 })) } else { Err(401) };
    }
    if path == "/metadata/identity/oauth2/token" {
        let right = header(headers, "metadata") == "true" && method == Method::GET;
        return if right { Ok(json!({ "access_token": "t0ken", "expires_in": "3599" })) } else { Err(400) };
    }
    if header(headers, "authorization") != "Bearer t0ken" {
        return Err(401);
    }
    let body: Value = serde_json::from_slice(body).map_err(|_| 400u16)?;
    if uri.query() != Some("api-version=7.4") || body["alg"] != "RSA-OAEP-256" {
        return Err(400);
    }
    let name = if other { "other" } else { "misy" };
    let kid = format!("{}/keys/{name}/v1", service.base);
    let value = text(&body, "value")?;
    match path {
        "/keys/misy/wrapkey" => {
            Ok(json!({ "kid": kid, "value": URL_SAFE_NO_PAD.encode(format!("wrapped|{value}")) }))
        }
        "/keys/misy/v1/unwrapkey" => {
            let bytes = URL_SAFE_NO_PAD.decode(value).map_err(|_| 400u16)?;
            let text = String::from_utf8(bytes).map_err(|_| 400u16)?;
            Ok(json!({ "kid": kid, "value": text.strip_prefix("wrapped|").ok_or(400u16)? }))
        }
        _ => Err(404),
    }
}

fn aws(service: &Service, headers: &HeaderMap, body: &[u8], other: bool) -> Result<Value, u16> {
    let names = ["content-type", "host", "x-amz-date", "x-amz-security-token", "x-amz-target"];
    let signed: Vec<(&str, &str)> = names.iter().map(|name| (*name, header(headers, name))).collect();
    let at = header(headers, "x-amz-date");
    let now = service.clock.as_ref().unwrap().now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let unsigned = Unsigned { method: "POST", path: "/", query: "", headers: &signed, body, at };
    let right = sigv4::authorization(&credentials(SECRET), &unsigned);
    if header(headers, "authorization") != right || at != now {
        return Err(403);
    }
    let body: Value = serde_json::from_slice(body).map_err(|_| 400u16)?;
    let bound = body["EncryptionContext"].to_string();
    if body["KeyId"] != ARN {
        return Err(400);
    }
    let key = if other { "arn:aws:kms:eu-west-1:111122223333:key/other" } else { ARN };
    match header(headers, "x-amz-target") {
        "TrentService.Encrypt" => Ok(json!({
            "KeyId": key, "CiphertextBlob": wrap(&bound, text(&body, "Plaintext")?),
            "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        })),
        "TrentService.Decrypt" => {
            let plaintext = unwrap(&bound, text(&body, "CiphertextBlob")?, other)?;
            Ok(json!({ "KeyId": key, "Plaintext": plaintext }))
        }
        _ => Err(400),
    }
}
