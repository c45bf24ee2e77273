//! Providers as they describe themselves, and the two trips to one: out with the browser, and for the token.

use super::{
    OidcError, Provider,
    claims::{self, Flow, Proved, Tokens},
};
use misy_domain::{Clock, Timestamp};
use misy_egress::{Egress, EgressError, Reach};
use moka::sync::Cache;
use openidconnect::{
    AdditionalProviderMetadata, AuthType, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IssuerUrl, Nonce,
    PkceCodeChallenge, PkceCodeVerifier, ProviderMetadata, RedirectUrl, Scope, StandardErrorResponse,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreClaimName, CoreClaimType,
        CoreClientAuthMethod, CoreErrorResponseType, CoreGenderClaim, CoreGrantType, CoreJsonWebKey,
        CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType,
        CoreRevocableToken, CoreRevocationErrorResponse, CoreSubjectIdentifierType,
        CoreTokenIntrospectionResponse,
    },
};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};
use url::Url;

/// How long a description is good; keys that a provider adds are looked for at once when they are missing.
const DESCRIPTION_AGE: Duration = Duration::from_mins(10);
/// How soon a description may be read again because a key is missing.
const READ_AGAIN: Duration = Duration::from_secs(10);
/// What all descriptions together may take in memory: tenants choose who writes them.
const MOST_BYTES: u64 = 32 * 1024 * 1024;
/// The largest answer of a provider, and the most keys it may have: each sign-in under way holds a copy of them.
const LARGEST_ANSWER: usize = 128 * 1024;
const MOST_KEYS: usize = 50;

/// What a provider may say of itself besides OpenID Connect Discovery (RFC 9207, section 3).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct IssuerParameter {
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}
impl AdditionalProviderMetadata for IssuerParameter {}

type Metadata = ProviderMetadata<
    IssuerParameter,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// A client of one provider, as far as its description goes.
pub(super) type RelyingClient = Client<
    claims::OtherClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

struct Described {
    metadata: Metadata,
    read_at: Timestamp,
    /// What it takes in memory, about: twice of what it takes as JSON.
    bytes: u32,
}

/// Where the browser goes, and what must be remembered until it comes back.
pub(crate) struct Begun {
    /// The address at the provider.
    pub(crate) location: String,
    /// To be kept for this browser, once.
    pub(crate) flow: Flow,
}

/// What the browser brings back.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

/// All providers.
pub(crate) struct Providers {
    egress: Egress,
    clock: Arc<dyn Clock>,
    described: Cache<String, Arc<Described>>,
}

impl Providers {
    pub(crate) fn new(egress: Egress, clock: Arc<dyn Clock>) -> Self {
        let described = Cache::builder().weigher(|_, described: &Arc<Described>| described.bytes);
        let described = described.max_capacity(MOST_BYTES).time_to_live(DESCRIPTION_AGE).build();
        Self { egress, clock, described }
    }

    /// Whether a provider describes itself in a way that can be used; read anew.
    pub(crate) async fn check(&self, issuer: &str) -> Result<(), OidcError> {
        self.read(issuer).await.map(|_| ())
    }

    /// Sends a browser to a provider.
    pub(crate) async fn begin(&self, provider: &Provider, redirect: &str) -> Result<Begun, OidcError> {
        let described = self.describe(&provider.issuer).await?;
        let client = client(&described.metadata, provider, redirect)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || CsrfToken::new_random_len(32),
                || Nonce::new_random_len(32),
            )
            .set_pkce_challenge(challenge);
        for scope in &provider.scopes {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        let (location, state, nonce) = request.url();
        let flow = Flow {
            issuer: provider.issuer.clone(),
            state: state.secret().clone(),
            nonce: nonce.secret().clone(),
            verifier: verifier.secret().clone(),
        };
        Ok(Begun { location: location.into(), flow })
    }

    /// Takes what a browser brought back, in exchange for who it is.
    pub(crate) async fn finish(
        &self,
        provider: &Provider,
        redirect: &str,
        flow: &Flow,
        answer: Answer,
    ) -> Result<Proved, OidcError> {
        let described = self.describe(&provider.issuer).await?;
        let code = code_of(&described.metadata, flow, answer)?;
        let client = client(&described.metadata, provider, redirect)?;
        let http = |request: HttpRequest| call(self.egress.clone(), request);
        let tokens = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| OidcError::Provider(error.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(flow.verifier.clone()))
            .request_async(&http)
            .await
            .map_err(|error| token_error(&error))?;
        match claims::prove(&client, &tokens, flow, self.clock.now()) {
            Err(OidcError::Refused("key_unknown")) if self.may_read_again(&described) => {
                // Providers rotate keys whenever they like.
                let described = self.read(&provider.issuer).await?;
                let client = self::client(&described.metadata, provider, redirect)?;
                claims::prove(&client, &tokens, flow, self.clock.now())
            }
            proved => proved,
        }
    }

    fn may_read_again(&self, described: &Described) -> bool {
        described.read_at.checked_add(READ_AGAIN).is_ok_and(|at| self.clock.now() >= at)
    }

    async fn describe(&self, issuer: &str) -> Result<Arc<Described>, OidcError> {
        match self.described.get(issuer) {
            Some(described) => Ok(described),
            None => self.read(issuer).await,
        }
    }

    async fn read(&self, issuer: &str) -> Result<Arc<Described>, OidcError> {
        let provider = |error: &dyn std::fmt::Display| OidcError::Provider(error.to_string());
        let url = IssuerUrl::new(issuer.to_owned()).map_err(|error| provider(&error))?;
        let http = |request: HttpRequest| call(self.egress.clone(), request);
        let metadata = Metadata::discover_async(url, &http).await.map_err(|error| match error {
            openidconnect::DiscoveryError::Request(cause) => provider(&cause),
            other => provider(&other),
        })?;
        check_endpoints(&metadata, issuer)?;
        if metadata.jwks().keys().len() > MOST_KEYS {
            return Err(OidcError::Provider(format!("it has more than {MOST_KEYS} keys")));
        }
        let json = |value: serde_json::Result<Vec<u8>>| value.map_or(0, |bytes| bytes.len());
        let bytes = json(serde_json::to_vec(&metadata)) + json(serde_json::to_vec(metadata.jwks()));
        let bytes = u32::try_from(2 * bytes).unwrap_or(u32::MAX);
        let described = Arc::new(Described { metadata, read_at: self.clock.now(), bytes });
        self.described.insert(issuer.to_owned(), described.clone());
        Ok(described)
    }
}

/// An issuer with TLS has all its endpoints behind TLS: codes and secrets go nowhere else.
fn check_endpoints(metadata: &Metadata, issuer: &str) -> Result<(), OidcError> {
    let token =
        metadata.token_endpoint().ok_or_else(|| OidcError::Provider("it has no token endpoint".into()))?;
    let endpoints = [metadata.authorization_endpoint().url(), token.url(), metadata.jwks_uri().url()];
    let plain = issuer.starts_with("http://");
    let fits = |url: &&Url| url.scheme() == "https" || (plain && url.scheme() == "http");
    if endpoints.iter().all(fits) {
        return Ok(());
    }
    Err(OidcError::Provider("an endpoint is not encrypted".into()))
}

fn client(metadata: &Metadata, provider: &Provider, redirect: &str) -> Result<RelyingClient, OidcError> {
    let redirect = RedirectUrl::new(redirect.to_owned());
    let redirect = redirect.map_err(|_| OidcError::Provider("the public address is no address".into()))?;
    let secret = provider.client_secret.as_ref().map(|secret| ClientSecret::new(secret.expose().clone()));
    let client = RelyingClient::from_provider_metadata(
        metadata.clone(),
        ClientId::new(provider.client_id.clone()),
        secret,
    );
    // RFC 6749, section 2.3.1: Basic unless the provider says that it knows only the other.
    let knows =
        |method| metadata.token_endpoint_auth_methods_supported().is_some_and(|all| all.contains(&method));
    let by_body =
        knows(CoreClientAuthMethod::ClientSecretPost) && !knows(CoreClientAuthMethod::ClientSecretBasic);
    let client = client.set_auth_type(if by_body { AuthType::RequestBody } else { AuthType::BasicAuth });
    Ok(client.set_redirect_uri(redirect))
}

/// The code, if the answer is the one to this flow and comes from this issuer (RFC 9207).
fn code_of(metadata: &Metadata, flow: &Flow, answer: Answer) -> Result<String, OidcError> {
    let state = answer.state.ok_or(OidcError::Refused("state_missing"))?;
    if misy_trust::sha256(state.as_bytes()) != misy_trust::sha256(flow.state.as_bytes()) {
        return Err(OidcError::Refused("state_mismatch"));
    }
    let promised = metadata.additional_metadata().authorization_response_iss_parameter_supported;
    match &answer.iss {
        Some(issuer) if *issuer != flow.issuer => return Err(OidcError::Refused("issuer_mismatch")),
        None if promised => return Err(OidcError::Refused("issuer_missing")),
        _ => {}
    }
    if let Some(error) = answer.error {
        return Err(OidcError::Denied(error.chars().filter(char::is_ascii_graphic).take(60).collect()));
    }
    answer.code.ok_or(OidcError::Refused("code_missing"))
}

fn token_error(
    error: &openidconnect::RequestTokenError<EgressError, StandardErrorResponse<CoreErrorResponseType>>,
) -> OidcError {
    use openidconnect::RequestTokenError as E;
    match error {
        // `invalid_grant`: a code that was used before, is too old, or belongs to another flow.
        E::ServerResponse(answer) => OidcError::Denied(answer.error().to_string()),
        E::Request(cause) => OidcError::Provider(cause.to_string()),
        // A token that cannot be read, such as one without a signature's algorithm that is known.
        E::Parse(..) | E::Other(_) => OidcError::Refused("token_unreadable"),
    }
}

/// Every call to a provider goes the guarded way.
async fn call(egress: Egress, request: HttpRequest) -> Result<HttpResponse, EgressError> {
    let (parts, body) = request.into_parts();
    let url = Url::parse(&parts.uri.to_string()).map_err(|_| EgressError::NotAnAddress)?;
    let mut outgoing = misy_egress::Request::new(parts.method, url);
    outgoing.headers = parts.headers;
    outgoing.body = body.into();
    outgoing.largest_answer = Some(LARGEST_ANSWER);
    let answer = egress.send(Reach::Internet, outgoing).await?;
    let mut response = HttpResponse::new(answer.body.to_vec());
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    Ok(response)
}
