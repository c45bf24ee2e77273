//! Servers that misbehave, and names that resolve as a test wants.

use axum::Router;
use misy_egress::{Egress, EgressSettings, Lookup, Names};
use std::{
    collections::HashMap,
    io,
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::net::TcpListener;

/// Names of a test; each look-up takes the next answer, and the last one stays.
#[derive(Default)]
pub(crate) struct TestNames {
    answers: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    pub(crate) lookups: AtomicUsize,
}

impl TestNames {
    pub(crate) fn with(self, name: &str, answers: &[&[&str]]) -> Self {
        let answers =
            answers.iter().map(|one| one.iter().map(|text| text.parse().unwrap()).collect()).collect();
        self.answers.lock().unwrap().insert(name.to_owned(), answers);
        self
    }
}

impl Names for TestNames {
    fn addresses(&self, name: &str) -> Lookup {
        self.lookups.fetch_add(1, Ordering::Relaxed);
        let mut answers = self.answers.lock().unwrap();
        let found =
            answers.get_mut(name).map(|list| if list.len() > 1 { list.remove(0) } else { list[0].clone() });
        Box::pin(async move { found.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound)) })
    }
}

/// A server on this machine; gives its port.
pub(crate) async fn serve(router: Router) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, router).await });
    port
}

/// Short limits, and loopback allowed or not.
pub(crate) fn settings(allow_loopback: bool) -> EgressSettings {
    EgressSettings {
        allow_loopback,
        timeout: Duration::from_secs(5),
        largest_body: 64 * 1024,
        ..EgressSettings::default()
    }
}

pub(crate) fn egress(allow_loopback: bool, names: TestNames) -> (Egress, Arc<TestNames>) {
    let names = Arc::new(names);
    (Egress::with_names(settings(allow_loopback), names.clone()).unwrap(), names)
}
