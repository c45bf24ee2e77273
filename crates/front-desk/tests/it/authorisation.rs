//! Who may do what: every management operation that is served, by people of every role, of each single action and with a
//! token for each single scope, at home and elsewhere. What must happen is computed from the access policies.

use crate::support::{Answer, App, BASE, Tenant, put, raw, with_bearer};
use axum::body::Body;
use futures_util::{StreamExt, stream};
use http::{Method, Request};
use misy_domain::{Action, BuiltInRole, Clock, KeyId, TenantId, UserId, limit::Quota};
use misy_front_desk::{
    Settings,
    routes::{Served, served},
};
use misy_store::users::tokens::{self, NewPersonalToken};
use misy_trust::{
    AccessOutcome, AccessPolicies, Moment, Principal, PrincipalKind, RandomToken, TokenUse, access::Powers,
};
use serde_json::{Value, json};
use std::time::Duration;

/// A person, as the policies see them.
struct Somebody<'a> {
    home: &'a TenantId,
    is_owner: bool,
    roles: Vec<BuiltInRole>,
    granted: Vec<Action>,
    scopes: Option<Vec<Action>>,
    second_factor_age: Option<i64>,
}

impl Somebody<'_> {
    /// What the policies say of an operation, of which any action lets them in.
    fn outcome(&self, actions: &[Action], tenant: &TenantId) -> AccessOutcome {
        let who = Principal {
            kind: PrincipalKind::User { scopes: self.scopes.as_deref() },
            id: "usr_1",
            tenant: self.home,
            is_owner: self.is_owner,
            roles: &self.roles,
            granted: &self.granted,
        };
        let moment =
            Moment { second_factor_age: self.second_factor_age, reason_given: true, ..Moment::default() };
        let mut last = AccessOutcome::Denied;
        for action in actions {
            last = AccessPolicies::in_force().decide(&who, *action, tenant, moment).outcome;
            if last == AccessOutcome::Allowed {
                break;
            }
        }
        last
    }
}

fn unlimited(settings: &mut Settings) {
    let much = Quota::per_minute(10_000_000);
    let plan = &mut settings.limits.free;
    (plan.tenant, plan.site, plan.key) = (much, much, much);
    settings.limits.enterprise = settings.limits.free;
}

/// What an answer says of access. Whoever is let in meets a body that no operation takes, or nobody's ids.
fn access(answer: &Answer) -> AccessOutcome {
    match (answer.status.as_u16(), answer.code()) {
        (404, _) => AccessOutcome::Hidden,
        (401, "step_up_required") => AccessOutcome::StepUp,
        (403, "privilege_required") => AccessOutcome::NeedsPrivilege,
        (403, "permission_denied") => AccessOutcome::Denied,
        (422, "reason_required") => AccessOutcome::NeedsReason,
        (401 | 403 | 429 | 500.., _) => panic!("{} {}", answer.status, answer.body),
        _ => AccessOutcome::Allowed,
    }
}

fn request(operation: &Served, tenant: &TenantId) -> Request<Body> {
    let mut path = operation.path.replace("{tenantId}", tenant.as_str());
    for (name, id) in [
        ("{siteId}", "nowhere"),
        ("{roleId}", "none-of-these"),
        ("{userId}", "usr_00000000000000000000000000"),
        ("{keyId}", "key_00000000000000000000000000"),
        ("{grantId}", "grt_00000000000000000000000000"),
        ("{alertId}", "alr_00000000000000000000000000"),
        ("{bookingId}", "bkg_00000000000000000000000000"),
        ("{serviceId}", "no-service"),
        ("{conversationId}", "cnv_00000000000000000000000000"),
        ("{fileId}", "fil_00000000000000000000000000"),
        ("{accountId}", "cha_00000000000000000000000000"),
        ("{certificateId}", "crt_00000000000000000000000000"),
        ("{sessionId}", "sgn_00000000000000000000000000"),
        ("{kind}", "mail"),
        ("{workId}", "eml_00000000000000000000000000"),
        ("{auditId}", "aud_00000000000000000000000000"),
        ("{domain}", "nobody.example"),
    ] {
        path = path.replace(name, id);
    }
    assert!(path.starts_with(BASE) && !path.contains('{'), "{path}");
    // Whoever may is told that this is no body of the operation, so that nobody's rights have an effect.
    let body = (operation.method != Method::GET).then(|| br#"{"nothing":"of the kind"}"#.to_vec());
    let mut request = raw(operation.method.clone(), &path, body);
    put(&mut request, "x-misy-reason", "Ticket%2019:%20to%20see%20who%20may");
    request
}

/// Every operation, at home and at another tenant: what happens is what the policies say.
async fn tries_everything(
    app: &App,
    what: &str,
    who: &Somebody<'_>,
    places: &[&TenantId],
    prove: impl Fn(Request<Body>) -> Request<Body>,
) {
    let operations: Vec<Served> = served().into_iter().filter(|one| one.actions.is_some()).collect();
    assert!(operations.len() > 60);
    let calls = places.iter().flat_map(|tenant| operations.iter().map(move |one| (*tenant, one)));
    let calls = stream::iter(calls.map(|(tenant, operation)| {
        let ask = || app.send(prove(request(operation, tenant)));
        async move {
            let mut answer = ask().await;
            // On a machine that hardly runs, what waits for its tenant's turn is told to come again.
            for _ in 0..20 {
                if answer.status != 503 {
                    break;
                }
                answer = ask().await;
            }
            (tenant, operation, answer)
        }
    }));
    calls
        .buffer_unordered(4)
        .for_each(async |(tenant, operation, answer)| {
            let of_home = !operation.path.contains("{tenantId}");
            let place = if of_home { who.home } else { tenant };
            let expected = who.outcome(operation.actions.unwrap_or_default(), place);
            let found = access(&answer);
            // Where nobody's ids are asked for, who is let in finds nothing.
            let is_nobodys = operation.path.matches('{').count() > 1 || operation.path.ends_with("/sign-in");
            let fits = found == expected
                || (expected == AccessOutcome::Allowed && found == AccessOutcome::Hidden && is_nobodys);
            let at = format!("{what} of {} at {tenant}: {} {}", who.home, operation.method, operation.path);
            assert!(fits, "{at}: {expected:?} is expected, and it is {} {}", answer.status, answer.body);
        })
        .await;
}

async fn scene() -> (App, Tenant, Tenant, Tenant) {
    let app = App::start_with(unlimited).await;
    let (owner, andina) = app.two().await;
    let verde = app.register(&owner, "verde", "https://verde.example").await;
    (app, owner, andina, verde)
}

#[tokio::test]
async fn people_of_every_built_in_role_may_what_the_policies_say() {
    let (app, owner, andina, verde) = scene().await;
    let (colombiatic, andina_id, verde_id) = (owner.tenant_id(), andina.tenant_id(), verde.tenant_id());
    for stale in [false, true] {
        let mut people = Vec::new();
        for role in BuiltInRole::ALL {
            for tenant in [&owner, &andina] {
                people.push((role, tenant, app.somebody(tenant, &[role.as_str()]).await.0));
            }
        }
        if stale {
            app.advance(Duration::from_secs(301));
        }
        for (role, tenant, person) in people {
            let is_owner = tenant.id == owner.id;
            let who = Somebody {
                home: if is_owner { &colombiatic } else { &andina_id },
                is_owner,
                roles: vec![role],
                granted: Vec::new(),
                scopes: None,
                second_factor_age: Some(if stale { 301 } else { 0 }),
            };
            let prove = |mut request: Request<Body>| {
                for (name, value) in person.request(Method::GET, "", None).headers() {
                    request.headers_mut().insert(name, value.clone());
                }
                request
            };
            tries_everything(&app, role.as_str(), &who, &[who.home, &verde_id], prove).await;
        }
    }
    app.manage(&verde, Method::GET, &verde.path(""), None).await.expect(200);
}

#[tokio::test]
async fn people_are_told_in_advance_what_they_may() {
    let (app, owner, andina, verde) = scene().await;
    let (colombiatic, andina_id, verde_id) = (owner.tenant_id(), andina.tenant_id(), verde.tenant_id());
    let policies = AccessPolicies::in_force();
    for role in BuiltInRole::ALL {
        for tenant in [&owner, &andina] {
            let is_owner = tenant.id == owner.id;
            let home = if is_owner { &colombiatic } else { &andina_id };
            let who = |second_factor_age| Somebody {
                home,
                is_owner,
                roles: vec![role],
                granted: Vec::new(),
                scopes: None,
                second_factor_age,
            };
            let (fresh, stale) = (who(Some(0)), who(None));
            let mut person = app.somebody(tenant, &[role.as_str()]).await.0;
            for place in [home, &verde_id] {
                let told = person.get(&app, &format!("/auth/access?tenantId={place}")).await;
                let may = Action::ALL.iter().filter_map(|action| {
                    let outcome = fresh.outcome(&[*action], place);
                    let privilege = outcome == AccessOutcome::NeedsPrivilege;
                    (privilege || outcome == AccessOutcome::Allowed).then(|| {
                        json!({
                            "action": action,
                            "needsSecondFactor": stale.outcome(&[*action], place) == AccessOutcome::StepUp,
                            "needsReason": !privilege && place != home && policies.is_accounted(*action),
                            "needsPrivilege": privilege,
                        })
                    })
                });
                let may: Vec<Value> = may.collect();
                if may.is_empty() && place != home {
                    told.refused(404, "not_found");
                } else {
                    let told = told.expect(200);
                    assert_eq!(told.body["items"], json!(may), "{role:?} of {home} at {place}");
                }
            }
            person.get(&app, "/auth/access?tenantId=nobody").await.refused(404, "not_found");
        }
    }
}

#[tokio::test]
async fn people_of_a_role_with_one_action_may_that_and_nothing_else() {
    let (app, owner, andina, verde) = scene().await;
    let (andina_id, verde_id) = (andina.tenant_id(), verde.tenant_id());
    for (at, action) in Action::ALL.iter().enumerate() {
        // Written past the checks of the API: a role that nobody may make gives nothing of the platform either.
        let role = format!("only-{at}");
        let made = format!(
            "insert into misy.roles (tenant_id, role_id, name, description, actions)
             values ('andina', '{role}', '', '', '{{{action}}}')"
        );
        app.store.admin(made).await.unwrap();
        let person = app.somebody(&andina, &[&role]).await.0;
        let who = Somebody {
            home: &andina_id,
            is_owner: false,
            roles: Vec::new(),
            granted: vec![*action],
            scopes: None,
            second_factor_age: Some(0),
        };
        let prove = |mut request: Request<Body>| {
            for (name, value) in person.request(Method::GET, "", None).headers() {
                request.headers_mut().insert(name, value.clone());
            }
            request
        };
        tries_everything(&app, action.as_str(), &who, &[&andina_id, &verde_id], prove).await;
    }
    app.manage(&owner, Method::GET, &verde.path(""), None).await.expect(200);
}

async fn personal_token(app: &App, tenant: &TenantId, user_id: UserId, scope: Action) -> String {
    let (desk, now) = (&app.desk, app.store.clock.now());
    let token = RandomToken::generate(TokenUse::Personal, &*desk.entropy);
    let new = NewPersonalToken {
        key_id: KeyId::new(&*desk.clock, &*desk.entropy),
        user_id,
        token_hash: &token.hash(),
        prefix: &token.hint(),
        name: "one scope",
        scopes: &Powers::of_operator().give_actions(vec![scope]).unwrap(),
        expires_at: now.checked_add(jiff::SignedDuration::from_hours(1)).unwrap(),
    };
    let mut tx = desk.database.tenant("test.token", tenant).await.unwrap();
    tokens::create(&mut tx, &new, now).await.unwrap();
    tx.commit().await.unwrap();
    token.text().to_owned()
}

#[tokio::test]
async fn a_personal_token_with_one_scope_may_that_and_nothing_else() {
    let (app, owner, andina, verde) = scene().await;
    let verde_id = verde.tenant_id();
    for (tenant, role) in [(&owner, BuiltInRole::Owner), (&andina, BuiltInRole::Admin)] {
        let home = tenant.tenant_id();
        for scope in Action::ALL {
            let (_, user) = app.somebody(tenant, &[role.as_str()]).await;
            let enrolled =
                format!("update misy.users set second_factor_since = now() where user_id = '{user}'");
            app.store.admin(enrolled).await.unwrap();
            let token = personal_token(&app, &home, user, *scope).await;
            let who = Somebody {
                home: &home,
                is_owner: tenant.id == owner.id,
                roles: vec![role],
                granted: Vec::new(),
                scopes: Some(vec![*scope]),
                second_factor_age: None,
            };
            let prove = |request: Request<Body>| with_bearer(request, &token);
            // At home an owner's token is an administrator's; elsewhere nobody else's opens anything.
            let places: &[&TenantId] = if who.is_owner { &[&verde_id] } else { &[&home, &verde_id] };
            tries_everything(&app, scope.as_str(), &who, places, prove).await;
        }
    }
}
