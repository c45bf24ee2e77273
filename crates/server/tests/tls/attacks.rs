//! Attacks on TLS itself: sessions that are taken up again, certificates that were never meant for this, and files that are
//! exchanged while everybody calls.

use crate::{
    public::stage,
    support::{Caller, eventually, write, write_text},
};
use misy_testkit::authority::{GOOD, Issued};
use rcgen::{CidrSubnet, DnType, ExtendedKeyUsagePurpose as Purpose, GeneralSubtree, IsCa, NameConstraints};
use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, HandshakeKind, pki_types::ServerName, version},
};

/// Speaks a little, so that tickets arrive, and tells how the handshake was.
async fn handshake(config: &Arc<ClientConfig>, port: u16) -> anyhow::Result<HandshakeKind> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let connector = TlsConnector::from(config.clone());
    let mut stream = connector.connect(ServerName::try_from("127.0.0.1")?, stream).await?;
    stream.write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    anyhow::ensure!(answer.starts_with(b"HTTP/1.1 200"), "no answer");
    stream.get_ref().1.handshake_kind().ok_or_else(|| anyhow::anyhow!("no handshake"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_for_something_else_and_sessions_of_before_open_nothing() {
    let mut stage = stage().await;
    let own = stage.clients.issue("own", GOOD).unwrap();
    // A revoked client would resume a session of before, if there was one to resume.
    for version in [&version::TLS12, &version::TLS13] {
        for certificate in [Some(&own), None] {
            let config = Arc::new(Caller::config(&stage.servers, certificate, &[version]));
            for _ in 0..3 {
                let kind = handshake(&config, stage.port).await.unwrap();
                assert_eq!(kind, HandshakeKind::Full, "{version:?}");
            }
        }
    }

    let lets_in = async |certificate: &Issued| {
        Caller::new(&stage.servers, Some(certificate)).get(stage.port, "/health/live", None).await.is_ok()
    };
    let with =
        |change: &dyn Fn(&mut rcgen::CertificateParams)| stage.clients.issue_with("x", change).unwrap();
    assert!(lets_in(&with(&|params| params.extended_key_usages = vec![Purpose::ClientAuth])).await);
    assert!(
        lets_in(&with(&|params| params.extended_key_usages = vec![Purpose::ServerAuth, Purpose::ClientAuth]))
            .await
    );
    for purpose in [Purpose::ServerAuth, Purpose::CodeSigning, Purpose::TimeStamping] {
        let wrong = with(&|params| params.extended_key_usages = vec![purpose.clone()]);
        assert!(!lets_in(&wrong).await, "{purpose:?}");
    }
    // An authority is no client, and a client no authority.
    assert!(!lets_in(&with(&|params| params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained))).await);
    let no_authority =
        stage.clients.under("no authority", |params| params.is_ca = IsCa::ExplicitNoCa).unwrap();
    assert!(!lets_in(&no_authority.issue("x", GOOD).unwrap()).await);

    // "No end" (RFC 5280, section 4.1.2.5) is an end like another, and a certificate without a subject a certificate.
    let endless = stage.clients.issue_endless().unwrap();
    assert!(lets_in(&endless).await);
    let (owner, andina) = stage.tenants().await;
    stage.bind(&andina, &endless).await;
    let caller = Caller::new(&stage.servers, Some(&endless));
    let answer = caller.send(stage.port, stage.signed(&andina, None)).await.unwrap();
    assert_eq!(answer.status, 201, "{:?}", answer.body);
    drop(owner);
    stage.program.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authority_that_may_name_only_its_own_names_nobody_else() {
    let root = misy_testkit::authority::Authority::new("clients").unwrap();
    let only = |subtree: GeneralSubtree| {
        root.under("narrow", move |params| {
            params.name_constraints =
                Some(NameConstraints { permitted_subtrees: vec![subtree], excluded_subtrees: Vec::new() });
        })
        .unwrap()
    };
    let for_shop = only(GeneralSubtree::DnsName("shop.example".into()));
    let for_address = only(GeneralSubtree::IpAddress(CidrSubnet::V4([10, 0, 0, 0], [255, 0, 0, 0])));
    let named = |name: &str| {
        let name = rcgen::SanType::DnsName(name.try_into().unwrap());
        move |params: &mut rcgen::CertificateParams| {
            params.subject_alt_names = vec![name.clone()];
            params.distinguished_name.push(DnType::CommonName, "x");
        }
    };
    let within = for_shop.issue_with("x", named("backend.shop.example")).unwrap();
    let without = for_shop.issue_with("x", named("backend.bank.example")).unwrap();
    // Issued for 127.0.0.1 as others are.
    let elsewhere = for_address.issue("x", GOOD).unwrap();
    let lists = root.revoke(&[]).unwrap() + &for_shop.revoke(&[]).unwrap();
    let revoked = root.issue("revoked", GOOD).unwrap();
    let mut stage = crate::public::stage_of(root, revoked, &lists).await;
    let lets_in = async |certificate: &Issued| {
        Caller::new(&stage.servers, Some(certificate)).get(stage.port, "/health/live", None).await.is_ok()
    };
    assert!(lets_in(&within).await);
    assert!(!lets_in(&without).await);
    assert!(!lets_in(&elsewhere).await);
    stage.program.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_exchanged_while_everybody_calls_and_no_call_fails() {
    let mut stage = stage().await;
    let port = stage.port;
    let (over, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut callers = Vec::new();
    for of_many in [true, true, false, false] {
        let (over, answered) = (over.clone(), answered.clone());
        let caller = Caller::new(&stage.servers, None);
        callers.push(tokio::spawn(async move {
            let live = || crate::support::request(hyper::Method::GET, port, "/health/live", None, None);
            let mut open = caller.connect(port).await.unwrap();
            while !over.load(Ordering::Relaxed) {
                let answer = if of_many { open.send(live()).await } else { caller.send(port, live()).await };
                assert_eq!(answer.unwrap().status, 200);
                answered.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    let look = Caller::new(&stage.servers, None);
    let shown = async || look.get(port, "/health/live", None).await.unwrap().server;
    let log = stage.dir.path().join(format!("a.{port}.log"));
    let refusals = || std::fs::read_to_string(&log).unwrap().matches("the old ones stay in force").count();
    let before = shown().await;
    // Halves of pairs, written one after the other as scripts do, and pairs that never fit.
    let [second, third] = ["second", "third"].map(|name| stage.servers.issue(name, GOOD).unwrap());
    write_text(stage.dir.path(), "server.key", &second.key);
    eventually("half a pair is refused", async || refusals() >= 1).await;
    assert_eq!(shown().await, before);
    write_text(stage.dir.path(), "server.pem", &third.pem);
    eventually("two halves of two pairs are refused", async || refusals() >= 2).await;
    assert_eq!(shown().await, before);
    write_text(stage.dir.path(), "server.pem", &second.pem);
    eventually("the pair is in force", async || shown().await == second.der).await;
    // A list of something else, and an authority that is none.
    write_text(stage.dir.path(), "clients.crl", &stage.servers.pem);
    eventually("a list that is none is refused", async || refusals() >= 3).await;
    write_text(stage.dir.path(), "clients.crl", &stage.clients.revoke(&[&stage.revoked]).unwrap());
    // Exchanged by a rename, for a file of the same length and time of writing.
    write(stage.dir.path(), "next", &third);
    std::fs::rename(stage.dir.path().join("next.key"), stage.dir.path().join("server.key")).unwrap();
    std::fs::rename(stage.dir.path().join("next.pem"), stage.dir.path().join("server.pem")).unwrap();
    eventually("the third pair is in force", async || shown().await == third.der).await;
    over.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.unwrap();
    }
    assert!(answered.load(Ordering::Relaxed) > 20);
    stage.program.stop().unwrap();
}
