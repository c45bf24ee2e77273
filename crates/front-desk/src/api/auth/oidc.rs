//! `/auth/oidc`: out to a provider of OpenID Connect and back.

use crate::{
    address::{self, Purpose},
    desk::FrontDesk,
    identity::{cookies, csrf, start, start::Entry},
    oidc::{Flow, OidcError, Proved, Provider, account, account::Belief, provider::Answer},
    pipeline::Received,
    problem::{Code, Problem},
    tenant_state::TenantState,
};
use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use misy_domain::TenantId;
use misy_store::{
    TenantTx,
    sign_in_providers::{self, SignInProvider},
    users::tickets::{self, TicketPurpose},
};
use misy_trust::{CeremonyHandle, RandomToken, TokenUse, passkey::CEREMONY_LIFETIME};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

const KIND: &str = "oidc";
const BODY_LIMIT: usize = 1024;
const LONGEST_RETURN: usize = 500;

/// Where providers send browsers back to; registered there to the letter.
pub(crate) fn redirect_uri(public_url: &str) -> String {
    format!("{public_url}/api/meta-agent/auth/oidc/callback")
}

/// What is remembered while the browser is away.
#[derive(Serialize, Deserialize)]
struct Away {
    flow: Flow,
    /// The tenant it set out for; without one the token decides.
    tenant: Option<TenantId>,
    /// Whether it went to the installation's own provider.
    of_installation: bool,
    return_to: String,
}

/// Where to go afterwards.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StartQuery {
    return_to: Option<String>,
}

/// The pages that a person may come back to; `returnPath` in `static/people/api.js` has the same. No call of the API: the page that
/// goes there would vouch for it.
const PAGES: [&str; 2] = ["account", "console"];

/// A page of this installation, and nothing that a browser could take for an address elsewhere.
fn return_path(asked: Option<&str>) -> Result<String, Problem> {
    let path = asked.unwrap_or("/account");
    let plain = |c: char| c.is_ascii_graphic() && c != '\\';
    let mut steps = path.split(['?', '#']).next().unwrap_or_default().split('/');
    let up = |step: &str| step.to_ascii_lowercase().replace("%2e", ".") == "..";
    let fits = steps.next() == Some("")
        && steps.next().is_some_and(|page| PAGES.contains(&page))
        && !steps.any(up)
        && path.len() <= LONGEST_RETURN
        && path.chars().all(plain);
    if fits {
        return Ok(path.to_owned());
    }
    Err(Problem::invalid_field(
        "?returnTo",
        "format",
        "must be a path of this installation, such as /account",
    ))
}

/// Reads a call to set out, which comes from a page of our own or from whoever sits there, and the path to end at.
async fn setting_out(desk: &FrontDesk, request: Request) -> Result<(Received, String), Problem> {
    address::guard(desk, request.extensions(), Purpose::SignIns)?;
    let received = Received::read(desk, request, BODY_LIMIT).await?;
    csrf::check_visit(&received)?;
    let query: StartQuery = received.query()?;
    let return_to = return_path(query.return_to.as_deref())?;
    Ok((received, return_to))
}

/// Sign in with a tenant's provider
///
/// Sends the browser to the tenant's own provider or, if it has none, to that of the installation. A page elsewhere sends
/// nobody there: `403 csrf_refused`.
#[utoipa::path(
    get, path = "/api/meta-agent/auth/oidc/{tenantId}/start", tag = "auth", operation_id = "startProviderSignIn",
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("returnTo" = Option<String>, Query, description = "Path of this installation to end at"),
    ),
    responses((status = 303, description = "To the provider")),
    security(())
)]
pub(crate) async fn start_of_tenant(
    State(desk): State<FrontDesk>,
    request: Request,
) -> Result<Response, Problem> {
    let reads_pages = reads_pages(request.headers());
    readable(reads_pages, send_to_tenants(&desk, request).await)
}

async fn send_to_tenants(desk: &FrontDesk, request: Request) -> Result<Response, Problem> {
    let (received, return_to) = setting_out(desk, request).await?;
    let tenant: TenantId = received.param("tenantId")?;
    let state = desk.tenants.get(&tenant).await?.ok_or_else(Problem::not_found)?;
    if !state.lets_people_in() {
        return Err(Problem::not_found());
    }
    let own = own_provider(desk, &tenant, &state).await?;
    let of_installation = own.is_none();
    let provider = match own {
        Some(own) => protocol(&own),
        None => desk.settings.provider.as_ref().ok_or_else(Problem::not_found)?.provider.clone(),
    };
    set_out(desk, &provider, Some(tenant), of_installation, return_to).await
}

/// Sign in with the installation's provider
///
/// The tenant stands in the token that the provider gives.
#[utoipa::path(
    get, path = "/api/meta-agent/auth/oidc/start", tag = "auth", operation_id = "startInstallationSignIn",
    params(("returnTo" = Option<String>, Query, description = "Path of this installation to end at")),
    responses((status = 303, description = "To the provider")),
    security(())
)]
pub(crate) async fn start_of_installation(
    State(desk): State<FrontDesk>,
    request: Request,
) -> Result<Response, Problem> {
    let reads_pages = reads_pages(request.headers());
    readable(reads_pages, send_to_installations(&desk, request).await)
}

async fn send_to_installations(desk: &FrontDesk, request: Request) -> Result<Response, Problem> {
    let (_, return_to) = setting_out(desk, request).await?;
    let provider = desk.settings.provider.as_ref().ok_or_else(Problem::not_found)?.provider.clone();
    set_out(desk, &provider, None, true, return_to).await
}

fn reads_pages(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .is_some_and(|accept| accept.to_str().is_ok_and(|text| text.contains("text/html")))
}

/// What went wrong, on the sign-in page for who reads pages.
fn readable(reads_pages: bool, done: Result<Response, Problem>) -> Result<Response, Problem> {
    match done {
        Err(problem) if reads_pages => {
            tracing::info!(target: "misy::call", code = problem.code().as_str(), "no sign-in with a provider");
            see(&format!("/sign-in#error={}", problem.code()))
        }
        done => done,
    }
}

async fn set_out(
    desk: &FrontDesk,
    provider: &Provider,
    tenant: Option<TenantId>,
    of_installation: bool,
    return_to: String,
) -> Result<Response, Problem> {
    let begun = desk.providers.begin(provider, &redirect_uri(&desk.settings.public_url)).await;
    let begun = begun.map_err(problem)?;
    let away = Away { flow: begun.flow, tenant, of_installation, return_to };
    let handle = desk.database.begin_ceremony(KIND, &away, &*desk.clock, &*desk.entropy).await?;
    let mut response = see(&begun.location)?;
    let cookie = cookies::set_away(&desk.settings, handle.text().expose(), CEREMONY_LIFETIME);
    response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}

fn see(location: &str) -> Result<Response, Problem> {
    let location = HeaderValue::from_str(location).map_err(|_| Problem::internal())?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response())
}

fn protocol(own: &SignInProvider) -> Provider {
    Provider {
        issuer: own.issuer.clone(),
        client_id: own.client_id.clone(),
        client_secret: own.client_secret.clone(),
        scopes: own.scopes.clone(),
    }
}

async fn own_provider(
    desk: &FrontDesk,
    tenant: &TenantId,
    state: &TenantState,
) -> Result<Option<SignInProvider>, Problem> {
    let mut tx = desk.database.tenant("oidc.provider", tenant).await?;
    let own = sign_in_providers::read(&mut tx, &state.keys).await?;
    tx.commit().await?;
    Ok(own)
}

/// Come back from a provider
///
/// Ends at the path that the sign-in began with. A browser is sent to the sign-in page with the code of what went wrong;
/// others get the problem itself.
#[utoipa::path(
    get, path = "/api/meta-agent/auth/oidc/callback", tag = "auth", operation_id = "finishProviderSignIn",
    params(
        ("code" = Option<String>, Query, description = "What the ID token is given for"),
        ("state" = Option<String>, Query, description = "As it was sent out"),
        ("iss" = Option<String>, Query, description = "The issuer (RFC 9207)"),
        ("error" = Option<String>, Query, description = "Why the provider refuses"),
    ),
    responses(
        (status = 303, description = "Signed in; the session is in a cookie"),
        (status = 401, description = "`sign_in_refused`", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
        (status = 403, description = "`tenant_claim_mismatch`, `email_not_verified`, `account_unknown`, `link_not_proved`, …", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(())
)]
pub(crate) async fn callback(State(desk): State<FrontDesk>, request: Request) -> Result<Response, Problem> {
    address::guard(&desk, request.extensions(), Purpose::SignIns)?;
    let received = Received::read(&desk, request, BODY_LIMIT).await?;
    let done = come_back(&desk, &received).await;
    let mut response = readable(reads_pages(received.headers()), done).into_response();
    let cookie = cookies::clear_away(&desk.settings);
    response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}

async fn come_back(desk: &FrontDesk, received: &Received) -> Result<Response, Problem> {
    let refused = |why| problem(OidcError::Refused(why));
    let answer: Answer = received.query()?;
    let handle = cookies::away(&desk.settings, received.headers()).ok_or_else(|| refused("other_browser"))?;
    let handle = CeremonyHandle::parse(handle).map_err(|_| refused("other_browser"))?;
    let away: Option<Away> = desk.database.end_ceremony(KIND, &handle, desk.clock.now()).await?;
    let away = away.ok_or_else(|| refused("flow_over"))?;
    // A refusal stands in the trail of the tenant that the browser set out for.
    received.record.facts().tenant.clone_from(&away.tenant);
    let (tenant, provider, proved) = exchange(desk, &away, answer).await?;
    let state = desk.tenants.get(&tenant).await?.ok_or_else(|| refused("tenant_unknown"))?;
    received.record.facts().tenant = Some(tenant.clone());
    if !state.lets_people_in() {
        return Err(Problem::suspended());
    }
    let mut tx = desk.database.tenant("oidc.sign_in", &tenant).await?;
    let provider = if away.of_installation {
        provider
    } else {
        // By its rules as they are now, which nobody changes until the session is there.
        let now = sign_in_providers::hold(&mut tx, &state.keys).await?;
        let same = now.filter(|now| now.issuer == provider.issuer && now.client_id == provider.client_id);
        same.ok_or_else(|| refused("issuer_mismatch"))?
    };
    let_in(desk, received, tx, &state, &provider, &proved, &away.return_to).await
}

/// Who came back, and by whose rules.
async fn exchange(
    desk: &FrontDesk,
    away: &Away,
    answer: Answer,
) -> Result<(TenantId, SignInProvider, Proved), Problem> {
    let redirect = redirect_uri(&desk.settings.public_url);
    if away.of_installation {
        let installation = desk.settings.provider.as_ref().ok_or_else(Problem::not_found)?;
        let proved = desk.providers.finish(&installation.provider, &redirect, &away.flow, answer).await;
        let proved = proved.map_err(problem)?;
        let said = proved.claims.get(&installation.tenant_claim).and_then(Value::as_str);
        let tenant = said.and_then(|said| said.parse::<TenantId>().ok());
        let tenant = tenant.filter(|tenant| away.tenant.as_ref().is_none_or(|wanted| wanted == tenant));
        let tenant = tenant.ok_or_else(account::other_tenant)?;
        // A tenant that has a provider of its own signs in with that one.
        let state = desk.tenants.get(&tenant).await?.ok_or_else(account::other_tenant)?;
        if own_provider(desk, &tenant, &state).await?.is_some() {
            return Err(account::other_tenant());
        }
        let rules = SignInProvider::of_installation(
            &installation.provider.issuer,
            &installation.tenant_claim,
            &tenant,
        );
        return Ok((tenant, rules, proved));
    }
    let tenant = away.tenant.clone().ok_or_else(Problem::not_found)?;
    let state: Arc<TenantState> = desk.tenants.get(&tenant).await?.ok_or_else(Problem::not_found)?;
    let own = own_provider(desk, &tenant, &state).await?;
    // It may have been changed meanwhile.
    let own = own.filter(|own| own.issuer == away.flow.issuer);
    let own = own.ok_or_else(|| problem(OidcError::Refused("issuer_mismatch")))?;
    let proved = desk.providers.finish(&protocol(&own), &redirect, &away.flow, answer).await;
    Ok((tenant, own, proved.map_err(problem)?))
}

async fn let_in(
    desk: &FrontDesk,
    received: &Received,
    mut tx: TenantTx,
    state: &TenantState,
    provider: &SignInProvider,
    proved: &Proved,
    return_to: &str,
) -> Result<Response, Problem> {
    let found = account::of(desk, &mut tx, state, provider, proved).await?;
    let user = &found.user;
    if let Some(change) = found.change {
        let detail = json!({ "provider": proved.issuer, "change": change, "roles": user.roles });
        start::record(desk, received, &mut tx, user, Some(detail)).await?;
    }
    let counts = found.belief == Belief::Full;
    let second_factor_at = account::second_factor_at(provider, proved).filter(|_| counts);
    if second_factor_at.is_none() && user.second_factor_since.is_some() {
        // What the provider is not believed, the person proves here, and the link to the account with it.
        let token = RandomToken::generate(TokenUse::SecondFactor, &*desk.entropy);
        let now = desk.clock.now();
        tickets::issue(&mut tx, user, TicketPurpose::SecondFactor, &token.hash(), now).await?;
        tickets::note_provider(&mut tx, &token.hash(), Some(&found.person)).await?;
        tx.commit().await?;
        // Whose it is and who says so, the page asks the server: a link may come from anybody.
        let fragment = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("challenge", token.text())
            .append_pair("returnTo", return_to)
            .finish();
        let mut response = see(&format!("/sign-in#{fragment}"))?;
        let cookie = cookies::set_challenge(&desk.settings, &token, TicketPurpose::SecondFactor.lifetime());
        response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
        return Ok(response);
    }
    let entry = Entry {
        user,
        methods: &["oidc"],
        second_factor: second_factor_at.is_some(),
        is_owner: state.is_owner(),
    };
    let started = start::start_session_proved_at(desk, received, tx, &entry, second_factor_at).await?;
    let mut response = see(return_to)?;
    for cookie in started.headers().get_all(header::SET_COOKIE) {
        response.headers_mut().append(header::SET_COOKIE, cookie.clone());
    }
    Ok(response)
}

/// The code is one for all that is wrong with an answer or a token; the log has the reason.
#[allow(clippy::needless_pass_by_value, reason = "stands behind map_err")]
fn problem(error: OidcError) -> Problem {
    tracing::info!(%error, "no sign-in with a provider");
    match error {
        OidcError::Provider(_) => Problem::new(
            StatusCode::BAD_GATEWAY,
            Code::ProviderUnavailable,
            "The provider does not answer as it should.",
        ),
        OidcError::Denied(_) => {
            Problem::new(StatusCode::UNAUTHORIZED, Code::SignInDenied, "The provider did not sign you in.")
        }
        OidcError::Refused(_) => Problem::new(
            StatusCode::UNAUTHORIZED,
            Code::SignInRefused,
            "The provider's answer is not accepted. Begin again.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::return_path;

    #[test]
    fn one_comes_back_to_this_installation_only() {
        assert_eq!(return_path(None).unwrap(), "/account");
        for path in ["/account", "/console", "/console/x?y=1#z", "/console/a%2Fb", "/account/a..b"] {
            assert_eq!(return_path(Some(path)).unwrap(), path);
        }
        let long = format!("/console/{}", "a".repeat(500));
        for path in [
            "",
            "account",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/console/a\r\nSet-Cookie: x=y",
            "/console/ a",
            "/console/á",
            "/console/\\a",
            "/../console",
            "/console/../api/x",
            "/console/%2E%2e/api/x",
            "/",
            "/consoles",
            "/api/meta-agent/auth/oidc/andina/start",
            &long,
        ] {
            assert!(return_path(Some(path)).is_err(), "{path:?}");
        }
    }
}
