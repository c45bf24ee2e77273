//! How a tenant proves that a domain is its own: with a line in a file that the domain itself serves, over https.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderValue, StatusCode, header};
use misy_domain::{DomainName, Entropy};
use misy_egress::{Egress, EgressError, Reach, Request, Response};

const PATH: &str = "/.well-known/misy-domain-verification.txt";
/// The longest file that is looked at, in bytes.
const LONGEST: usize = 16 * 1024;

/// Why a domain is not proved.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DomainProofError {
    /// The file could not be read.
    #[error("the file cannot be read")]
    Unreadable(#[from] EgressError),
    /// The domain answered with something else than a file.
    #[error("the file is answered with {0}")]
    Status(StatusCode),
    /// The file does not have the line.
    #[error("the file does not have the line")]
    Missing,
}

/// The address of the file.
pub(crate) fn file(host: &str) -> String {
    format!("https://{host}{PATH}")
}

/// A line that nobody can guess.
pub(crate) fn new_line(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes);
    format!("misy-domain-verification={}", URL_SAFE_NO_PAD.encode(bytes))
}

/// Whether the domain serves a file with the line. A redirect is followed only to the same file under `www.`: where else a
/// domain sends its visitors may be in other hands.
pub(crate) async fn check(egress: &Egress, domain: &DomainName, line: &str) -> Result<(), DomainProofError> {
    let mut answer = read(egress, domain.as_str()).await?;
    if answer.status.is_redirection() {
        let www = format!("www.{domain}");
        let location = answer.headers.get(header::LOCATION).map(HeaderValue::as_bytes);
        if location == Some(file(&www).as_bytes()) {
            answer = read(egress, &www).await?;
        }
    }
    if answer.status != StatusCode::OK {
        return Err(DomainProofError::Status(answer.status));
    }
    let text = answer.body.get(..LONGEST.min(answer.body.len())).unwrap_or_default();
    let has = text.split(|byte| *byte == b'\n').any(|one| one.trim_ascii() == line.as_bytes());
    if has { Ok(()) } else { Err(DomainProofError::Missing) }
}

async fn read(egress: &Egress, host: &str) -> Result<Response, EgressError> {
    // A request with this header is not redirected by itself.
    let request =
        Request::get(&file(host))?.header(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    egress.send(Reach::Internet, request).await
}
