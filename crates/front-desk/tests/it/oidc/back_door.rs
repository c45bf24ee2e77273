//! Roles by the back door: a provider that somebody set to become more than they are.

pub(crate) use super::boss;
use super::{
    BOSS, CLIENT, SECRET, claims, come_back, configuration, configure,
    fake::{FakeProvider, Signed},
    hostile::prove_here,
    location, prove_domain, set_out, visit,
};
use crate::{
    people::Browser,
    support::{Answer, App, Tenant, bare, put},
    users::joined,
};
use http::Method;
use serde_json::{Value, json};

/// Somebody comes with a provider that says what an attacker wants: an address, a second factor, groups.
async fn come(
    app: &App,
    provider: &FakeProvider,
    tenant: &str,
    change: impl Fn(&mut Value),
) -> (Answer, Browser) {
    let mut browser = Browser::at("198.51.100.66");
    let out = set_out(app, &mut browser, tenant).await;
    let mut token = claims(app, provider, &out);
    (token["tenant"], token["amr"]) = (json!(tenant), json!(["pwd", "mfa"]));
    change(&mut token);
    let code = provider.code(&token, Signed::Well);
    (come_back(app, &mut browser, &out, &code).await, browser)
}

pub(crate) async fn as_address(
    app: &App,
    provider: &FakeProvider,
    tenant: &str,
    email: &str,
) -> (Answer, Browser) {
    come(app, provider, tenant, |token| (token["sub"], token["email"]) = (json!(email), json!(email))).await
}

/// As [`as_address`], where there may be no provider at all.
pub(crate) async fn try_as(
    app: &App,
    provider: &FakeProvider,
    tenant: &str,
    email: &str,
) -> (Option<Answer>, Browser) {
    let mut browser = Browser::at("198.51.100.66");
    let start = visit(app, &mut browser, &format!("/auth/oidc/{tenant}/start?returnTo=/console")).await;
    if start.status != 303 {
        return (None, browser);
    }
    let (answer, browser) = as_address(app, provider, tenant, email).await;
    (Some(answer), browser)
}

/// A provider that says whatever is wanted.
pub(crate) async fn provider() -> FakeProvider {
    FakeProvider::start("").await
}

/// No session came of it.
async fn is_out(app: &App, browser: &mut Browser) {
    assert!(!browser.cookies.keys().any(|name| name.contains("session")));
    browser.get(app, "/auth/me").await.refused(401, "session_missing");
}

/// A provider whose second factor is trusted.
pub(crate) fn trusting(provider: &FakeProvider, tenant: &str, domain: &str) -> Value {
    json!({
        "issuer": provider.issuer, "clientId": CLIENT, "clientSecret": SECRET,
        "tenantClaim": { "name": "tenant", "value": tenant }, "secondFactor": { "amr": ["mfa"] },
        "emailDomains": [domain],
    })
}

/// Somebody with a role of the tenant's own.
async fn with_role(
    app: &App,
    boss: &mut Browser,
    andina: &Tenant,
    name: &str,
    actions: Value,
) -> (Browser, String) {
    boss.step_up(app).await;
    let role = json!({ "roleId": name, "actions": actions });
    boss.post(app, &andina.path("/roles"), &role).await.expect(201);
    let (mut browser, id) = joined(app, boss, andina, &format!("{name}@andina.example"), &[name]).await;
    browser.enroll_app(app).await;
    (browser, id)
}

#[tokio::test]
async fn an_administrator_of_the_owner_becomes_no_owner_by_a_provider_of_their_own() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    prove_domain(&app, &owner, "colombiatic.example").await;
    let olga_at = "olga@colombiatic.example";
    let mut olga = app.administrator(&owner, olga_at).await;
    let (mut ivo, _) = joined(&app, &mut olga, &owner, "ivo@colombiatic.example", &["admin"]).await;
    ivo.enroll_app(&app).await;
    let provider = FakeProvider::start("").await;
    let body = trusting(&provider, &owner.id, "colombiatic.example");
    configure(&app, &mut ivo, &owner, &body).await.expect(200);
    // The owner's address opens nothing: their own second factor is asked for, and the provider's counts for nothing.
    let (answer, mut attacker) = as_address(&app, &provider, &owner.id, olga_at).await;
    assert!(location(&answer).starts_with("/sign-in#challenge=chl_"), "{}", location(&answer));
    is_out(&app, &mut attacker).await;
    attacker.totp.clone_from(&ivo.totp);
    prove_here(&app, &mut attacker, &answer).await.refused(401, "code_invalid");
    is_out(&app, &mut attacker).await;
    // Nor does that of an owner who was invited and has no second factor yet.
    olga.step_up(&app).await;
    let eva = json!({ "email": "eva@colombiatic.example", "name": "Eva", "roles": ["owner"] });
    olga.post(&app, &owner.path("/users"), &eva).await.expect(201);
    let (answer, mut attacker) = as_address(&app, &provider, &owner.id, "eva@colombiatic.example").await;
    answer.refused(403, "link_not_proved");
    is_out(&app, &mut attacker).await;
    // Groups make no owner, and whoever comes by it is as far from a privileged operation as its setter.
    for name in ["defaultRoles", "roleClaim"] {
        let mut body = body.clone();
        body[name] = match name {
            "roleClaim" => json!({ "name": "groups", "roles": { "all": ["owner"] } }),
            _ => json!(["owner"]),
        };
        configure(&app, &mut ivo, &owner, &body).await.refused(422, "validation_failed");
    }
    // To close all other ways in is to handle the owners.
    let mut body = body.clone();
    let me = ivo.get(&app, "/auth/me").await.expect(200).body["user"]["userId"].clone();
    (body["exclusive"], body["breakGlassUserId"]) = (json!(true), me);
    configure(&app, &mut ivo, &owner, &body).await.refused(403, "role_above_own");
    // What an owner has set, nobody below changes or removes.
    let set = trusting(&FakeProvider::start("").await, &owner.id, "colombiatic.example");
    configure(&app, &mut olga, &owner, &set).await.expect(200);
    let again = trusting(&provider, &owner.id, "colombiatic.example");
    configure(&app, &mut ivo, &owner, &again).await.refused(403, "role_above_own");
    ivo.order(&app, Method::DELETE, &owner.path("/sign-in")).await.refused(403, "role_above_own");
    let privileged =
        json!({ "operation": "suspend_tenant", "resource": "tenant", "reason": "because I want to" });
    ivo.post(&app, &andina.path("/privilege"), &privileged).await.refused(404, "not_found");
}

#[tokio::test]
async fn whoever_may_only_set_the_sign_in_gives_nobody_more_than_that() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut boss = boss(&app, &andina).await;
    // What sets the sign-in, and what an agent may do.
    let actions = json!([
        "sign-in:read",
        "sign-in:write",
        "tenant:read",
        "decisions:read",
        "context-pack:read",
        "turns:read",
        "turns:write",
        "conversations:read",
        "conversations:write",
        "bookings:read",
        "bookings:write",
    ]);
    let (mut luis, _) = with_role(&app, &mut boss, &andina, "door", actions).await;
    let (_, eva) = joined(&app, &mut boss, &andina, "eva@andina.example", &["manager"]).await;
    joined(&app, &mut boss, &andina, "ada@andina.example", &["agent"]).await;
    let provider = FakeProvider::start("").await;
    let mut body = trusting(&provider, &andina.id, "andina.example");
    body["provisioning"] = json!(true);
    for roles in [json!(["admin"]), json!(["agent", "developer"]), json!(["manager"])] {
        body["defaultRoles"] = roles.clone();
        configure(&app, &mut luis, &andina, &body).await.refused(403, "role_above_own");
        let mut body = body.clone();
        body["defaultRoles"] = json!([]);
        body["roleClaim"] = json!({ "name": "groups", "roles": { "all": roles } });
        configure(&app, &mut luis, &andina, &body).await.refused(403, "role_above_own");
    }
    // What they may do themselves they may give: an agent's role.
    body["defaultRoles"] = json!(["agent"]);
    configure(&app, &mut luis, &andina, &body).await.expect(200);
    let (answer, mut new) = as_address(&app, &provider, "andina", "new@andina.example").await;
    assert_eq!(location(&answer), "/console");
    new.get(&app, &andina.path("/sites")).await.refused(403, "permission_denied");
    // But nobody who may do more comes in on the word of their provider, with or without a second factor of their own.
    let (answer, mut attacker) = as_address(&app, &provider, "andina", "eva@andina.example").await;
    answer.refused(403, "link_not_proved");
    is_out(&app, &mut attacker).await;
    let (answer, mut attacker) = as_address(&app, &provider, "andina", BOSS).await;
    assert!(location(&answer).starts_with("/sign-in#challenge=chl_"));
    is_out(&app, &mut attacker).await;
    // Nor does anybody whom it brought in stay in when they become more.
    let (answer, mut ada) = as_address(&app, &provider, "andina", "ada@andina.example").await;
    assert_eq!(location(&answer), "/console");
    let me = ada.get(&app, "/auth/me").await.expect(200).body["user"]["userId"].as_str().unwrap().to_owned();
    boss.step_up(&app).await;
    let change = json!({ "roles": ["manager"] });
    boss.call_on(&app.router, Method::PATCH, &andina.path(&format!("/users/{me}")), Some(&change))
        .await
        .expect(200);
    ada.get(&app, "/auth/me").await.refused(401, "session_invalid");
    as_address(&app, &provider, "andina", "ada@andina.example").await.0.refused(403, "link_not_proved");
    // It changes the roles of nobody above it.
    let mut mapped = trusting(&provider, &andina.id, "andina.example");
    mapped["roleClaim"] = json!({ "name": "groups", "roles": { "all": ["agent"] } });
    configure(&app, &mut luis, &andina, &mapped).await.expect(200);
    let strip = |token: &mut Value| {
        token["groups"] = json!(["all"]);
        (token["sub"], token["email"]) = (json!("eva"), json!("eva@andina.example"));
    };
    come(&app, &provider, "andina", strip).await.0.refused(403, "link_not_proved");
    let read = boss.get(&app, &andina.path(&format!("/users/{eva}"))).await.expect(200);
    assert_eq!(read.body["roles"], json!(["manager"]));
}

#[tokio::test]
async fn one_typed_code_gives_a_provider_nothing_beyond_what_it_stands_for() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut boss = boss(&app, &andina).await;
    let actions = json!(["sign-in:read", "sign-in:write", "tenant:read"]);
    let (mut luis, _) = with_role(&app, &mut boss, &andina, "door", actions).await;
    let provider = FakeProvider::start("").await;
    configure(&app, &mut luis, &andina, &trusting(&provider, "andina", "andina.example")).await.expect(200);
    // The boss is led through the provider of Luis and types a code: the page says for what.
    let (answer, mut led) = as_address(&app, &provider, "andina", BOSS).await;
    let about = led.get(&app, "/auth/second-factor").await.expect(200);
    assert_eq!((about.text("provider"), about.text("account")), (provider.issuer.clone(), BOSS.to_owned()));
    assert_eq!(about.body["factors"], json!(["totp", "recovery_code"]));
    led.totp.clone_from(&boss.totp);
    prove_here(&app, &mut led, &answer).await.expect(200);
    // From then on the provider names the boss, with a factor of its own: that is asked for here, each time.
    for _ in 0..3 {
        let (answer, mut attacker) = as_address(&app, &provider, "andina", BOSS).await;
        assert!(location(&answer).starts_with("/sign-in#challenge=chl_"), "{}", location(&answer));
        is_out(&app, &mut attacker).await;
        attacker.totp.clone_from(&luis.totp);
        prove_here(&app, &mut attacker, &answer).await.refused(401, "code_invalid");
    }
}

#[tokio::test]
async fn a_link_with_a_challenge_that_is_sent_to_somebody_joins_nobody_to_their_account() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut boss = boss(&app, &andina).await;
    let actions = json!(["sign-in:read", "sign-in:write", "tenant:read"]);
    let (mut luis, _) = with_role(&app, &mut boss, &andina, "door", actions).await;
    let provider = FakeProvider::start("").await;
    configure(&app, &mut luis, &andina, &trusting(&provider, "andina", "andina.example")).await.expect(200);
    // Luis comes back as the boss, in his own browser, and sends on the link that he ends at.
    let (answer, mut own) = as_address(&app, &provider, "andina", BOSS).await;
    let link = location(&answer);
    assert!(!link.contains("provider") && !link.contains("account"), "{link}");
    let mut elsewhere = Browser::new_with(&boss);
    elsewhere.get(&app, "/auth/second-factor").await.refused(401, "challenge_invalid");
    prove_here(&app, &mut elsewhere, &answer).await.refused(401, "challenge_invalid");
    // Nor in a browser that has a challenge of its own.
    let (_, mut another) = as_address(&app, &provider, "andina", BOSS).await;
    another.totp.clone_from(&boss.totp);
    prove_here(&app, &mut another, &answer).await.refused(401, "challenge_invalid");
    is_out(&app, &mut elsewhere).await;
    let mut admin = app.store.connect_as("postgres").await.unwrap();
    let proved = "select count(*) from misy.federated_identities where proved_at is not null";
    let proved: i64 = sqlx::query_scalar(proved).fetch_one(&mut admin).await.unwrap();
    assert_eq!(proved, 0);
    // In the browser that came back it is good, once.
    own.totp.clone_from(&boss.totp);
    prove_here(&app, &mut own, &answer).await.expect(200);
    own.get(&app, "/auth/second-factor").await.refused(401, "challenge_invalid");
}

#[tokio::test]
async fn a_page_elsewhere_starts_no_sign_in_with_a_provider() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut boss = boss(&app, &andina).await;
    let provider = FakeProvider::start("").await;
    configure(&app, &mut boss, &andina, &configuration(&provider.issuer)).await.expect(200);
    for path in ["/auth/oidc/andina/start", "/auth/oidc/start"] {
        for (site, refused) in [
            (Some("cross-site"), true),
            (Some("same-site"), true),
            (Some("Same-Origin"), true),
            (Some("same-origin"), false),
            (Some("none"), false),
            (None, false),
        ] {
            let mut request = bare(Method::GET, path, None);
            if let Some(site) = site {
                put(&mut request, "sec-fetch-site", site);
            }
            let answer = app.send(request).await;
            assert_eq!(answer.code() == "csrf_refused", refused, "{path} {site:?}: {}", answer.body);
        }
    }
    // A person who was led there reads why.
    let mut request = bare(Method::GET, "/auth/oidc/andina/start", None);
    put(&mut request, "sec-fetch-site", "cross-site");
    put(&mut request, "accept", "text/html");
    assert_eq!(location(&app.send(request).await), "/sign-in#error=csrf_refused");
}

#[tokio::test]
async fn a_wider_role_of_the_tenant_ends_what_rests_on_the_word_of_a_provider() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut boss = boss(&app, &andina).await;
    let actions = json!(["sign-in:read", "sign-in:write", "sites:read"]);
    let (mut luis, _) = with_role(&app, &mut boss, &andina, "door", actions).await;
    boss.post(&app, &andina.path("/roles"), &json!({ "roleId": "desk", "actions": ["sites:read"] }))
        .await
        .expect(201);
    joined(&app, &mut boss, &andina, "ada@andina.example", &["desk"]).await;
    let provider = FakeProvider::start("").await;
    configure(&app, &mut luis, &andina, &trusting(&provider, "andina", "andina.example")).await.expect(200);
    let (_, mut ada) = as_address(&app, &provider, "andina", "ada@andina.example").await;
    ada.get(&app, &andina.path("/sites")).await.expect(200);
    boss.step_up(&app).await;
    let wider = json!({ "actions": ["sites:read", "audit:read"] });
    boss.call_on(&app.router, Method::PATCH, &andina.path("/roles/desk"), Some(&wider)).await.expect(200);
    ada.get(&app, &andina.path("/sites")).await.refused(401, "session_invalid");
    as_address(&app, &provider, "andina", "ada@andina.example").await.0.refused(403, "link_not_proved");
}

#[tokio::test]
async fn with_another_issuer_or_client_nobody_is_known_by_the_old_one() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut boss = boss(&app, &andina).await;
    let provider = FakeProvider::start("").await;
    let first = trusting(&provider, "andina", "andina.example");
    configure(&app, &mut boss, &andina, &first).await.expect(200);
    joined(&app, &mut boss, &andina, "ada@andina.example", &["agent"]).await;
    let linked = || app.store.connect_as("postgres");
    let links = async || -> i64 {
        let mut admin = linked().await.unwrap();
        let sql = "select count(*) from misy.federated_identities";
        sqlx::query_scalar(sql).fetch_one(&mut admin).await.unwrap()
    };
    let (answer, mut proved) = as_address(&app, &provider, "andina", BOSS).await;
    proved.totp.clone_from(&boss.totp);
    prove_here(&app, &mut proved, &answer).await.expect(200);
    let (_, mut ada) = as_address(&app, &provider, "andina", "ada@andina.example").await;
    // The link of the administrator is proved: the provider's second factor counts.
    let (answer, _) = as_address(&app, &provider, "andina", BOSS).await;
    assert_eq!((location(&answer), links().await), ("/console".into(), 2));
    // A sign-in under way ends with the rest.
    let (waiting, mut late) = come(&app, &provider, "andina", |token| {
        (token["sub"], token["email"], token["amr"]) = (json!(BOSS), json!(BOSS), json!([]));
    })
    .await;
    let mut other = first.clone();
    other["clientId"] = json!("another-client");
    configure(&app, &mut boss, &andina, &other).await.expect(200);
    assert_eq!(links().await, 0);
    ada.get(&app, "/auth/me").await.refused(401, "session_invalid");
    late.totp.clone_from(&boss.totp);
    prove_here(&app, &mut late, &waiting).await.refused(401, "challenge_invalid");
    // Back to the first one, the proof is asked for again; and again after the factor was taken away.
    configure(&app, &mut boss, &andina, &first).await.expect(200);
    let (answer, mut proved) = as_address(&app, &provider, "andina", BOSS).await;
    proved.totp.clone_from(&boss.totp);
    prove_here(&app, &mut proved, &answer).await.expect(200);
    app.store.admin("update misy.federated_identities set proved_at = null").await.unwrap();
    let (answer, _) = as_address(&app, &provider, "andina", BOSS).await;
    assert!(location(&answer).starts_with("/sign-in#challenge=chl_"));
    // Removed, it knows nobody either.
    boss.order(&app, Method::DELETE, &andina.path("/sign-in")).await.expect(204);
    assert_eq!(links().await, 0);
}

#[tokio::test]
async fn a_domain_that_is_no_longer_proved_introduces_nobody() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut boss = boss(&app, &andina).await;
    let provider = FakeProvider::start("").await;
    configure(&app, &mut boss, &andina, &configuration(&provider.issuer)).await.expect(200);
    let (answer, _) = as_address(&app, &provider, "andina", "ada@andina.example").await;
    assert_eq!(location(&answer), "/console");
    boss.order(&app, Method::DELETE, &andina.path("/domains/andina.example"))
        .await
        .refused(409, "domain_in_use");
    app.store.admin("update misy.email_domains set proved_at = null").await.unwrap();
    let (answer, _) = as_address(&app, &provider, "andina", "eva@andina.example").await;
    answer.refused(403, "email_domain_not_allowed");
    // Whoever is linked is known by their subject.
    let (answer, _) = as_address(&app, &provider, "andina", "ada@andina.example").await;
    assert_eq!(location(&answer), "/console");
}
