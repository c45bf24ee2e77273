//! The guarded client.

use crate::{
    EgressError, Names, Reach, Request, Response, StreamLimits, Streaming, SystemNames, Upload,
    address::{self, Forbidden},
    names::Guard,
};
use bytes::{Bytes, BytesMut};
use http::{Method, StatusCode, header};
use reqwest::{Certificate, Client};
use std::{net::IpAddr, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout, timeout_at};
use tracing::warn;
use url::{Host, Url};

/// The limits of every request.
#[derive(Debug, Clone)]
pub struct EgressSettings {
    /// Whether this machine itself may be called, over `http` too. For development only.
    pub allow_loopback: bool,
    /// How long everything may take: look-up, connection, redirects and body.
    pub timeout: Duration,
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// The largest body of an answer, in bytes.
    pub largest_body: usize,
    /// How often an answer may redirect.
    pub most_redirects: u32,
    /// Certificates in PEM that are trusted besides the machine's own: an operator's private authority.
    pub extra_roots: Option<Vec<u8>>,
}

impl Default for EgressSettings {
    fn default() -> Self {
        Self {
            allow_loopback: false,
            timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(3),
            largest_body: 1024 * 1024,
            most_redirects: 5,
            extra_roots: None,
        }
    }
}

/// The way out. Cheap to clone.
#[derive(Clone)]
pub struct Egress {
    shared: Arc<Shared>,
}

struct Shared {
    settings: EgressSettings,
    /// One client for each reach: a connection made for one must not serve another.
    internet: Client,
    operator: Client,
    metadata: Client,
}

impl Egress {
    /// A way out with the resolver of the machine.
    pub fn new(settings: EgressSettings) -> Result<Self, EgressError> {
        Self::with_names(settings, SystemNames)
    }

    /// A way out with another resolver.
    pub fn with_names(settings: EgressSettings, names: impl Names) -> Result<Self, EgressError> {
        let names: Arc<dyn Names> = Arc::new(names);
        let roots = match &settings.extra_roots {
            Some(pem) => Certificate::from_pem_bundle(pem).map_err(EgressError::Certificates)?,
            None => Vec::new(),
        };
        let client = |reach| client(&settings, &roots, &names, reach);
        let (internet, operator, metadata) =
            (client(Reach::Internet)?, client(Reach::Operator)?, client(Reach::Metadata)?);
        Ok(Self { shared: Arc::new(Shared { settings, internet, operator, metadata }) })
    }

    /// Whether an address may be called, as far as that can be said before its name is looked up: to refuse it where it is
    /// written down. It is judged again with each call.
    pub fn judge(&self, reach: Reach, url: &str) -> Result<(), EgressError> {
        let url = Url::parse(url).map_err(|_| EgressError::NotAnAddress)?;
        check(&url, reach, self.shared.settings.allow_loopback)
    }

    /// Sends a request and reads the whole answer. A redirect is followed only by a request that merely reads and carries
    /// nothing that could be a secret; to others the answer that redirects is the answer.
    pub async fn send(&self, reach: Reach, request: Request) -> Result<Response, EgressError> {
        let limit = request.timeout.unwrap_or(self.shared.settings.timeout);
        let largest = request.largest_answer.unwrap_or(self.shared.settings.largest_body);
        let whole = async { read(self.follow(reach, request, limit).await?, largest).await };
        timeout(limit, whole).await.unwrap_or(Err(EgressError::Timeout))
    }

    /// Sends a request and hands over the answer as it comes, within these limits. Of redirects the same holds. Whoever lets go of
    /// the answer ends the call: the connection is closed.
    pub async fn open(
        &self,
        reach: Reach,
        request: Request,
        limits: StreamLimits,
    ) -> Result<Streaming, EgressError> {
        let until = Instant::now() + limits.total;
        let first = (Instant::now() + limits.idle).min(until);
        let answer = timeout_at(first, self.follow(reach, request, limits.total)).await;
        Ok(Streaming::new(answer.unwrap_or(Err(EgressError::Timeout))?, limits, until))
    }

    /// Sends a body piece by piece, in the place of the request's own, and reads the whole answer. It is never redirected: nothing
    /// could send the pieces again.
    pub async fn upload(
        &self,
        reach: Reach,
        request: Request,
        upload: Upload,
    ) -> Result<Response, EgressError> {
        let limit = request.timeout.unwrap_or(self.shared.settings.timeout);
        let largest = request.largest_answer.unwrap_or(self.shared.settings.largest_body);
        let (body, length) = upload.into_body();
        let send = async {
            let mut sending = self.prepare(reach, &request, limit)?.body(body);
            if let Some(length) = length {
                sending = sending.header(header::CONTENT_LENGTH, length);
            }
            read(sending.send().await.map_err(EgressError::of)?, largest).await
        };
        timeout(limit, send).await.unwrap_or(Err(EgressError::Timeout))
    }

    async fn follow(
        &self,
        reach: Reach,
        mut request: Request,
        limit: Duration,
    ) -> Result<reqwest::Response, EgressError> {
        let mut redirects = 0;
        loop {
            let sending = self.prepare(reach, &request, limit)?.body(request.body.clone());
            let answer = sending.send().await.map_err(EgressError::of)?;
            let next = redirection(&request, &answer)?;
            let Some(next) = next.filter(|_| request.may_be_redirected()) else {
                return Ok(answer);
            };
            redirects += 1;
            if redirects > self.shared.settings.most_redirects {
                return Err(EgressError::TooManyRedirects);
            }
            if request.url.scheme() == "https" && next.scheme() != "https" {
                return Err(EgressError::NotEncrypted);
            }
            request.url = next;
        }
    }

    /// A request to an address that was judged, without its body.
    fn prepare(
        &self,
        reach: Reach,
        request: &Request,
        limit: Duration,
    ) -> Result<reqwest::RequestBuilder, EgressError> {
        let shared = &*self.shared;
        check(&request.url, reach, shared.settings.allow_loopback)?;
        let client = match reach {
            Reach::Internet => &shared.internet,
            Reach::Operator => &shared.operator,
            Reach::Metadata => &shared.metadata,
        };
        // Whoever calls keeps the time. This is so that the client's own limit, which is for all calls, does not end it before.
        Ok(client
            .request(request.method.clone(), request.url.clone())
            .headers(request.headers.clone())
            .timeout(limit.saturating_add(Duration::from_secs(1))))
    }
}

/// Reads an answer whole, if it is no larger than this.
async fn read(mut answer: reqwest::Response, largest: usize) -> Result<Response, EgressError> {
    let announced = answer.content_length().unwrap_or_default();
    if usize::try_from(announced).map_or(true, |announced| announced > largest) {
        return Err(EgressError::TooLarge);
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(EgressError::of)? {
        if body.len() + chunk.len() > largest {
            return Err(EgressError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    let headers = std::mem::take(answer.headers_mut());
    Ok(Response { status: answer.status(), headers, body: Bytes::from(body) })
}

fn client(
    settings: &EgressSettings,
    roots: &[Certificate],
    names: &Arc<dyn Names>,
    reach: Reach,
) -> Result<Client, EgressError> {
    let guard = |names| Guard { names, reach, allow_loopback: settings.allow_loopback };
    let builder = || {
        Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .user_agent(concat!("misy/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.timeout.max(Duration::from_mins(1)))
            .dns_resolver(guard(names.clone()))
    };
    builder().tls_certs_merge(roots.iter().cloned()).build().or_else(|error| {
        // A machine without root certificates can do all that needs no call to others; calls fail when they are made.
        warn!(%error, "this machine has no root certificates: calls over https reach none but private authorities");
        builder().tls_certs_only(roots.iter().cloned()).build().map_err(EgressError::Certificates)
    })
}

/// Judges what can be judged before a name is looked up. Hosts that are addresses never reach the resolver: here they are
/// judged in whichever of their many spellings, since [`Url`] has read them already.
fn check(url: &Url, reach: Reach, allow_loopback: bool) -> Result<(), EgressError> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err(EgressError::NotAnAddress);
    }
    let (local, address) = match url.host().ok_or(EgressError::NotAnAddress)? {
        Host::Ipv4(address) => (address.is_loopback(), Some(IpAddr::V4(address))),
        Host::Ipv6(address) => (address.is_loopback(), Some(IpAddr::V6(address))),
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            (name == "localhost" || name.ends_with(".localhost"), None)
        }
    };
    if let Some(address) = address {
        address::check(address, reach, allow_loopback)?;
    } else if local && !allow_loopback {
        return Err(Forbidden::Loopback.into());
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" if reach != Reach::Internet || (allow_loopback && local) => Ok(()),
        "http" => Err(EgressError::NotEncrypted),
        _ => Err(EgressError::NotAnAddress),
    }
}

/// Where an answer sends the request, if it does.
fn redirection(request: &Request, answer: &reqwest::Response) -> Result<Option<Url>, EgressError> {
    use StatusCode as S;
    let redirects = matches!(
        answer.status(),
        S::MOVED_PERMANENTLY | S::FOUND | S::SEE_OTHER | S::TEMPORARY_REDIRECT | S::PERMANENT_REDIRECT
    );
    if !redirects || !matches!(request.method, Method::GET | Method::HEAD) {
        return Ok(None);
    }
    let Some(location) = answer.headers().get(header::LOCATION) else { return Ok(None) };
    let location = location.to_str().map_err(|_| EgressError::NotAnAddress)?;
    request.url.join(location).map(Some).map_err(|_| EgressError::NotAnAddress)
}
