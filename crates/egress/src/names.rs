//! From names to addresses that may be connected to.

use crate::{
    Reach,
    address::{self, Forbidden},
    error::Refusal,
};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
};

/// A look-up under way.
pub type Lookup = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Where names are looked up; tests bring their own.
pub trait Names: Send + Sync + 'static {
    /// The addresses of a host name.
    fn addresses(&self, name: &str) -> Lookup;

    /// The port of a name whose URL says none, in the place of the scheme's own: for tests, which cannot listen there.
    fn port(&self, _name: &str) -> u16 {
        0
    }
}

/// The resolver of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemNames;

impl Names for SystemNames {
    fn addresses(&self, name: &str) -> Lookup {
        let name = name.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

impl<T: Names + ?Sized> Names for Arc<T> {
    fn addresses(&self, name: &str) -> Lookup {
        (**self).addresses(name)
    }

    fn port(&self, name: &str) -> u16 {
        (**self).port(name)
    }
}

/// Gives the client those addresses of a name that may be called. The client connects to what it is given and asks nobody
/// again, so nothing lies between the judgement and the connection.
pub(crate) struct Guard {
    pub(crate) names: Arc<dyn Names>,
    pub(crate) reach: Reach,
    pub(crate) allow_loopback: bool,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, port) = (self.names.addresses(name.as_str()), self.names.port(name.as_str()));
        let (reach, allow_loopback) = (self.reach, self.allow_loopback);
        Box::pin(async move {
            let found = lookup.await.map_err(|_| Refusal::Unresolved)?;
            let permitted = permitted(&found, reach, allow_loopback)?;
            Ok(Box::new(permitted.into_iter().map(move |ip| SocketAddr::new(ip, port))) as Addrs)
        })
    }
}

/// The permitted ones; when there is none, why the first is not.
fn permitted(found: &[IpAddr], reach: Reach, allow_loopback: bool) -> Result<Vec<IpAddr>, Refusal> {
    let mut reason: Option<Forbidden> = None;
    let mut permitted = Vec::with_capacity(found.len());
    for address in found {
        match address::check(*address, reach, allow_loopback) {
            Ok(()) => permitted.push(*address),
            Err(why) => reason = reason.or(Some(why)),
        }
    }
    match reason {
        _ if !permitted.is_empty() => Ok(permitted),
        Some(why) => Err(Refusal::Forbidden(why)),
        None => Err(Refusal::Unresolved),
    }
}
