//! Registers the owner and the demo businesses through the API, once; what later starts need is kept in a file that only
//! the operator can read.

use crate::settings::Settings;
use anyhow::{Context, bail};
use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Method, Request, StatusCode, header},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http_body_util::BodyExt;
use misy_domain::{Clock, Entropy, Origin, Secret, SystemClock, TenantId};
use misy_trust::{RequestKey, SignedRequest, SystemEntropy, request_signature, sha256};
use rust_embed::RustEmbed;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    sync::Mutex,
};
use tower::ServiceExt;

#[derive(RustEmbed)]
#[folder = "../../seeds/businesses"]
struct Packs;

/// The demo businesses' packs: file name and content.
pub(crate) fn packs() -> Vec<(String, Vec<u8>)> {
    Packs::iter().filter_map(|name| Some((name.to_string(), Packs::get(&name)?.data.into_owned()))).collect()
}

/// The businesses, in the order in which they are shown; the owner is one of them.
const BUSINESSES: [&str; 4] = ["andina", "verde-cafe", "northwind-bikes", "colombiatic"];
const API: &str = "/api/meta-agent";
const HOST: &str = "localhost";

/// A registered demo business.
#[derive(Debug, Clone)]
pub(super) struct Business {
    /// Its id.
    pub(super) tenant: TenantId,
    /// Its name.
    pub(super) name: String,
    /// Opens its widget.
    pub(super) publishable_key: String,
}

/// What is kept between starts.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Kept {
    owner_token: Option<String>,
    /// What somebody enrols with in each business, once.
    enrollment_tokens: BTreeMap<String, String>,
    /// What signs for each business, whether somebody enrolled there or not.
    secrets: BTreeMap<String, TenantSecret>,
    publishable_keys: BTreeMap<String, String>,
}

/// A tenant secret.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TenantSecret {
    key_id: String,
    secret: String,
}

impl TenantSecret {
    fn key(&self) -> anyhow::Result<RequestKey> {
        let bytes = URL_SAFE_NO_PAD.decode(&self.secret)?;
        let bytes: [u8; 32] = bytes.try_into().ok().context("the secret is no key")?;
        Ok(RequestKey::new(Secret::new(bytes)))
    }
}

/// How a call is proved.
enum Proof<'a> {
    /// By whoever has this token.
    Bearer(&'a str),
    /// By a server with this secret, to get a token for it.
    Secret(&'a TenantSecret),
    /// By a server with this secret and a token for it.
    Token(&'a TenantSecret, &'a str),
}

/// Talks to the program's own API.
pub(super) struct Seeder {
    router: Router,
    owner: TenantId,
    bootstrap_secret: String,
    file: PathBuf,
    kept: Mutex<Kept>,
}

impl Seeder {
    pub(super) fn new(router: Router, settings: &Settings) -> anyhow::Result<Self> {
        let file = settings.data_dir.join("demo.json");
        let kept = match fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| format!("{}", file.display()))?,
            Err(_) => Kept::default(),
        };
        let bootstrap_secret = match &settings.owner.bootstrap_secret {
            Some(secret) => secret.expose().clone(),
            None => fs::read_to_string(settings.data_dir.join("bootstrap-secret"))?.trim().to_owned(),
        };
        let owner = settings.owner.id.clone();
        Ok(Self { router, owner, bootstrap_secret, file, kept: Mutex::new(kept) })
    }

    /// Registers whoever is missing.
    pub(super) async fn register_all(&self) -> anyhow::Result<Vec<Business>> {
        let mut businesses = Vec::new();
        // The owner comes first: it invites the others.
        let (owner, others): (Vec<_>, Vec<_>) =
            BUSINESSES.into_iter().partition(|id| *id == self.owner.as_str());
        for id in owner.into_iter().chain(others) {
            businesses.push(self.register(id).await.with_context(|| format!("demo business {id}"))?);
        }
        businesses.sort_by_key(|business| BUSINESSES.iter().position(|id| *id == business.tenant.as_str()));
        Ok(businesses)
    }

    async fn register(&self, id: &str) -> anyhow::Result<Business> {
        let file = Packs::get(&format!("{id}.json")).context("has no pack")?;
        let mut pack: Value = serde_json::from_slice(&file.data)?;
        if let Some(members) = pack.as_object_mut() {
            members.remove("tenantId");
        }
        let text =
            |pointer: &str| pack.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let name = text("/displayName");
        let tenant: TenantId = id.parse()?;
        if let Some(key) = self.kept(|kept| kept.publishable_keys.get(id).cloned()) {
            return Ok(Business { tenant, name, publishable_key: key });
        }
        let is_owner = tenant == self.owner;
        let (path, bearer) = if is_owner {
            ("/tenants/register/owner", self.bootstrap_secret.clone())
        } else {
            ("/tenants/register", self.owner_token()?)
        };
        let origins = pack.get("siteOrigins").cloned().unwrap_or_else(|| json!([]));
        let body = json!({
            "tenantId": id, "tenantName": name, "contactEmail": text("/contact/email"),
            "websiteUrl": origins[0], "businessIndustry": text("/industry"), "origins": origins,
            "locale": text("/locale"), "timezone": text("/timezone"),
        });
        let answer = self.call(Method::POST, path, &Proof::Bearer(&bearer), Some(&body)).await?;
        let text = |pointer: &str| {
            let found = answer.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
            found.with_context(|| format!("the answer has no {pointer}"))
        };
        let (key, token) = (text("/publishableKey/key")?, text("/enrollment/token")?);
        let secret =
            TenantSecret { key_id: text("/tenantSecret/keyId")?, secret: text("/tenantSecret/secret")? };
        self.keep(|kept| {
            if is_owner {
                kept.owner_token = Some(token.clone());
            }
            kept.enrollment_tokens.insert(id.to_owned(), token);
            kept.secrets.insert(id.to_owned(), secret);
        })?;
        self.manage(&tenant, Method::PUT, "/context-pack", Some(&pack)).await?;
        self.keep(|kept| kept.publishable_keys.insert(id.to_owned(), key.clone()))?;
        Ok(Business { tenant, name, publishable_key: key })
    }

    /// Lets the widget of the business work on one more origin.
    pub(super) async fn allow_origin(&self, business: &Business, origin: &Origin) -> anyhow::Result<()> {
        let path = "/sites/main";
        let site = self.manage(&business.tenant, Method::GET, path, None).await?;
        let mut origins = site.get("origins").and_then(Value::as_array).cloned().unwrap_or_default();
        if origins.iter().any(|known| known == origin.as_str()) {
            return Ok(());
        }
        origins.push(json!(origin));
        self.manage(&business.tenant, Method::PATCH, path, Some(&json!({ "origins": origins }))).await?;
        Ok(())
    }

    /// What somebody enrols with in a business, unless somebody did.
    pub(super) async fn enrollment_token(&self, tenant: &TenantId) -> Option<String> {
        let token = self.kept(|kept| kept.enrollment_tokens.get(tenant.as_str()).cloned())?;
        let path = format!("/tenants/{tenant}");
        self.call(Method::GET, &path, &Proof::Bearer(&token), None).await.is_ok().then_some(token)
    }

    /// A management call to a business, by a server of it.
    async fn manage(
        &self,
        tenant: &TenantId,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let secret = self.kept(|kept| kept.secrets.get(tenant.as_str()).cloned());
        let secret = secret.with_context(|| {
            format!("made by an older version: remove {} and the data beside it", self.file.display())
        })?;
        let asked = json!({ "siteId": "main", "permissions": ["tenant:manage"], "ttlSeconds": 60 });
        let minted = self.call(Method::POST, "/tokens", &Proof::Secret(&secret), Some(&asked)).await?;
        let token = minted.get("token").and_then(Value::as_str).context("no token")?;
        let path = format!("/tenants/{tenant}{path}");
        self.call(method, &path, &Proof::Token(&secret, token), body).await
    }

    fn owner_token(&self) -> anyhow::Result<String> {
        self.kept(|kept| kept.owner_token.clone()).with_context(|| {
            format!(
                "the owner is registered, but not by the demo: {} is missing; use another MISY_DATA_DIR",
                self.file.display()
            )
        })
    }

    fn kept<T>(&self, read: impl FnOnce(&Kept) -> T) -> T {
        read(&self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    fn keep<T>(&self, change: impl FnOnce(&mut Kept) -> T) -> anyhow::Result<()> {
        let mut kept = self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        change(&mut kept);
        let fresh = self.file.with_extension("json.new");
        let mut file =
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(&serde_json::to_vec_pretty(&*kept)?)?;
        file.sync_all()?;
        fs::rename(&fresh, &self.file)?;
        Ok(())
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        proof: &Proof<'_>,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let bytes = body.map(serde_json::to_vec).transpose()?.unwrap_or_default();
        let mut request =
            Request::builder().method(method.clone()).uri(format!("{API}{path}")).header(header::HOST, HOST);
        if let Proof::Bearer(token) | Proof::Token(_, token) = proof {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Proof::Secret(secret) | Proof::Token(secret, _) = proof {
            let token = if let Proof::Token(_, token) = proof { Some(*token) } else { None };
            let (timestamp, nonce) = (SystemClock.unix_seconds().to_string(), nonce());
            let signed = SignedRequest {
                method: method.as_str(),
                host: HOST,
                path: &format!("{API}{path}"),
                query: "",
                body_sha256: sha256(&bytes),
                timestamp: &timestamp,
                nonce: &nonce,
                token_sha256: token.map(|token| sha256(token.as_bytes())),
            };
            let signature = request_signature::sign(&secret.key()?, &signed)?;
            request = request
                .header("x-misy-timestamp", timestamp)
                .header("x-misy-nonce", nonce)
                .header("x-misy-signature", signature);
        }
        if let Proof::Secret(secret) = proof {
            request = request.header("x-misy-key", &secret.key_id);
        }
        if body.is_some() {
            request = request
                .header(header::CONTENT_TYPE, "application/json")
                .header(header::CONTENT_LENGTH, bytes.len());
        }
        let mut request = request.body(Body::from(bytes))?;
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))));
        let answer = self.router.clone().oneshot(request).await?;
        let status = answer.status();
        let bytes = answer.into_body().collect().await?.to_bytes();
        let value: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        if status == StatusCode::CONFLICT && path.ends_with("/owner") {
            // Says what to do about it.
            self.owner_token()?;
        }
        if !status.is_success() {
            bail!(
                "{method} {path}: {status}: {}",
                value.get("detail").and_then(Value::as_str).unwrap_or_default()
            );
        }
        Ok(value)
    }
}

fn nonce() -> String {
    let mut bytes = [0; 16];
    SystemEntropy::new().fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}
