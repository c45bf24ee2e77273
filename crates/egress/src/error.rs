//! What can go wrong on the way out. No text quotes a body or a header.

use crate::address::Forbidden;

/// A request that was not made, or not answered.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// The address is no absolute `http` or `https` URL with a host and without a user.
    #[error("the address is not one that can be called")]
    NotAnAddress,
    /// Plain `http` where only `https` is allowed.
    #[error("only https may be called")]
    NotEncrypted,
    /// The host is, or resolves to, an address that may not be called.
    #[error("the address may not be called: {0}")]
    Forbidden(#[from] Forbidden),
    /// Nobody has the name.
    #[error("the name cannot be resolved")]
    Unresolved,
    /// The server redirected more often than is allowed.
    #[error("too many redirects")]
    TooManyRedirects,
    /// It took too long.
    #[error("no whole answer in time")]
    Timeout,
    /// The answer is larger than the limit.
    #[error("the answer is too large")]
    TooLarge,
    /// The body is not the JSON that was expected.
    #[error("the answer is not what was expected")]
    Unreadable,
    /// No connection, or it broke; TLS included.
    #[error("the server could not be reached")]
    Unreachable(#[source] reqwest::Error),
    /// The settings cannot be used: a certificate that is none.
    #[error("the root certificates cannot be used")]
    Certificates(#[source] reqwest::Error),
}

impl EgressError {
    /// Whether the same request may succeed a moment later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unresolved | Self::Timeout | Self::Unreachable(_))
    }

    /// What the client says, put into the words of this crate.
    pub(crate) fn of(error: reqwest::Error) -> Self {
        let mut source: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        while let Some(cause) = source {
            if let Some(refusal) = cause.downcast_ref::<Refusal>() {
                return match refusal {
                    Refusal::Forbidden(why) => Self::Forbidden(*why),
                    Refusal::Unresolved => Self::Unresolved,
                };
            }
            source = cause.source();
        }
        if error.is_timeout() { Self::Timeout } else { Self::Unreachable(error) }
    }
}

/// Why the resolver gave no address.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the address may not be called: {0}")]
    Forbidden(Forbidden),
    #[error("the name cannot be resolved")]
    Unresolved,
}
