//! A certified provider (oidc-provider for Node), started by the test, and a browser that goes wherever it is sent.

use super::{
    CALLBACK, CLIENT, SECRET, boss, configuration, configure, location, set_out, to_the_wall, visit,
};
use crate::{
    people::Browser,
    support::{Answer, App, BASE},
};
use misy_domain::Secret;
use misy_front_desk::{InstallationProvider, Provider};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

struct RealProvider {
    child: Child,
    issuer: String,
}

impl Drop for RealProvider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn accounts() -> Value {
    json!({
        "ana": { "email": "ana@andina.example", "email_verified": true, "name": "Ana Rojas", "tenant": "andina" },
        "vera": { "email": "vera@verde.example", "email_verified": true, "name": "Vera", "tenant": "verde-cafe" },
        "eva": { "email": "eva@andina.example", "email_verified": false, "name": "Eva", "tenant": "andina" },
    })
}

impl RealProvider {
    fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packages/oidc-test-server/server.mjs");
        let client = json!({ "clientId": CLIENT, "clientSecret": SECRET, "redirectUri": CALLBACK });
        let mut child = Command::new("node")
            .arg(script)
            .env("OIDC_TEST", json!({ "client": client, "accounts": accounts() }).to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).expect("npm ci was run");
        Self { issuer: said["issuer"].as_str().unwrap().to_owned(), child }
    }

    /// Follows the provider's redirects as somebody who says to be `account`; gives where it sends the browser back to.
    async fn sign_in(&self, out: &str, account: &str) -> String {
        let http = misy_testkit::client::http();
        let mut cookies: BTreeMap<String, String> = BTreeMap::new();
        let mut url = out.to_owned();
        for _ in 0..12 {
            if url.contains("/interaction/") {
                url = format!("{url}?account={account}");
            }
            let pairs: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let answer = http.get(&url).header("cookie", pairs.join("; ")).send().await.unwrap();
            for cookie in answer.headers().get_all("set-cookie") {
                let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
                cookies.insert(name.to_owned(), rest.split(';').next().unwrap().to_owned());
            }
            let next = answer.headers().get("location").map(|next| next.to_str().unwrap().to_owned());
            let Some(next) = next else { panic!("{url}: {}", answer.text().await.unwrap()) };
            url = url::Url::parse(&url).unwrap().join(&next).unwrap().into();
            if url.starts_with(CALLBACK) {
                return url;
            }
        }
        panic!("{url}: the provider never sent the browser back");
    }
}

/// The whole way, out and back.
async fn go(app: &App, provider: &RealProvider, browser: &mut Browser, start: &str, account: &str) -> Answer {
    let out = location(&visit(app, browser, start).await);
    let back = provider.sign_in(&out, account).await;
    let path = back.strip_prefix("https://api.misy.example").unwrap().strip_prefix(BASE).unwrap();
    visit(app, browser, path).await
}

#[tokio::test]
async fn a_person_of_a_certified_provider_comes_in_and_is_known_again() {
    let app = App::start().await;
    to_the_wall(&app);
    let (_, andina) = app.two().await;
    let mut boss = boss(&app, &andina).await;
    let provider = RealProvider::start();
    configure(&app, &mut boss, &andina, &configuration(&provider.issuer)).await.expect(200);
    let start = "/auth/oidc/andina/start?returnTo=/account";
    let mut ana = Browser::new();
    let answer = go(&app, &provider, &mut ana, start, "ana").await;
    assert_eq!(location(&answer), "/account");
    let me = ana.get(&app, "/auth/me").await.expect(200);
    assert_eq!((&me.body["user"]["name"], me.text("tenantId")), (&json!("Ana Rojas"), "andina".into()));
    let again = go(&app, &provider, &mut Browser::new(), start, "ana").await;
    assert_eq!(location(&again), "/account");
    let mut other = Browser::new();
    go(&app, &provider, &mut other, start, "ana").await;
    assert_eq!(other.get(&app, "/auth/me").await.body["user"]["userId"], me.body["user"]["userId"]);
    // Who belongs to another tenant, whose address nobody verified, and who refuses.
    let refused = async |account| go(&app, &provider, &mut Browser::new(), start, account).await;
    refused("vera").await.refused(403, "tenant_claim_mismatch");
    refused("eva").await.refused(403, "email_not_verified");
    refused("nobody").await.refused(401, "sign_in_denied");
}

#[tokio::test]
async fn with_the_installations_provider_the_token_says_which_tenant() {
    let provider = RealProvider::start();
    let issuer = provider.issuer.clone();
    let app = App::start_with(|settings| {
        settings.provider = Some(InstallationProvider {
            provider: Provider {
                issuer,
                client_id: CLIENT.into(),
                client_secret: Some(Secret::new(SECRET.into())),
                scopes: vec!["email".into(), "profile".into()],
            },
            tenant_claim: "tenant".into(),
        });
    })
    .await;
    to_the_wall(&app);
    let (owner, andina) = app.two().await;
    app.register(&owner, "verde-cafe", "https://verde.example").await;
    app.administrator(&andina, "ana@andina.example").await;
    // An account is known by its verified address; the second factor that it has is still asked for.
    let answer = go(&app, &provider, &mut Browser::new(), "/auth/oidc/start", "ana").await;
    assert!(location(&answer).starts_with("/sign-in#challenge=chl_"));
    // Nobody gets an account by coming this way, and nobody comes into a tenant that is not their own.
    let vera = go(&app, &provider, &mut Browser::new(), "/auth/oidc/start", "vera").await;
    vera.refused(403, "account_unknown");
    let wrong = go(&app, &provider, &mut Browser::new(), "/auth/oidc/andina/start", "vera").await;
    wrong.refused(403, "tenant_claim_mismatch");
    let mut browser = Browser::new();
    set_out(&app, &mut browser, "andina").await;
}
