use crate::support::{TestNames, egress, serve};
use axum::{Router, routing::get};
use misy_egress::{EgressError, Reach, Request, address::Forbidden};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

async fn refusal(reach: Reach, url: &str, names: TestNames) -> EgressError {
    let (egress, _) = egress(false, names);
    match egress.send(reach, Request::get(url).unwrap()).await {
        Ok(answer) => panic!("{url} answered {}", answer.status),
        Err(error) => error,
    }
}

/// A server that counts who came.
async fn counting() -> (u16, Arc<AtomicUsize>) {
    let hits = Arc::new(AtomicUsize::new(0));
    let counter = hits.clone();
    let answer = move || {
        counter.fetch_add(1, Ordering::SeqCst);
        async { "secret" }
    };
    (serve(Router::new().fallback(get(answer))).await, hits)
}

#[tokio::test]
async fn an_address_of_this_machine_is_refused_in_every_spelling() {
    let (port, hits) = counting().await;
    let hosts = [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0x7f.1",
        "127.0.0.1.",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "app.localhost",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "0.0.0.0",
        "0",
        "[::]",
        "①②⑦.⓪.⓪.①",
    ];
    let (egress, _) = egress(false, TestNames::default());
    for host in hosts {
        for reach in [Reach::Internet, Reach::Operator, Reach::Metadata] {
            let request = Request::get(&format!("http://{host}:{port}/")).unwrap();
            let error = egress.send(reach, request).await.err();
            assert!(matches!(error, Some(EgressError::Forbidden(_))), "{host} as {reach:?}: {error:?}");
        }
    }
    assert_eq!(hits.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_name_that_resolves_inwards_is_refused() {
    let (port, hits) = counting().await;
    let rows = [
        ("127.0.0.1", Forbidden::Loopback),
        ("10.1.2.3", Forbidden::Private),
        ("192.168.1.1", Forbidden::Private),
        ("169.254.169.254", Forbidden::Metadata),
        ("100.64.0.1", Forbidden::Shared),
        ("::1", Forbidden::Loopback),
        ("::ffff:127.0.0.1", Forbidden::Translated),
        ("fd00::1", Forbidden::Private),
        ("fe80::1", Forbidden::LinkLocal),
        ("0.0.0.0", Forbidden::Unspecified),
    ];
    for (address, why) in rows {
        let names = TestNames::default().with("rebind.test", &[&[address]]);
        let error = refusal(Reach::Internet, &format!("https://rebind.test:{port}/"), names).await;
        assert!(matches!(error, EgressError::Forbidden(found) if found == why), "{address}: {error:?}");
    }
    assert_eq!(hits.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_name_is_looked_up_once_so_a_second_answer_changes_nothing() {
    let (port, hits) = counting().await;
    // The first answer is a public address at which nobody answers in time; a second look-up would lead inwards.
    let names = TestNames::default().with("rebind.test", &[&["240.0.0.1"], &["127.0.0.1"]]);
    let (egress, names) = egress(false, names);
    let request = Request::get(&format!("http://rebind.test:{port}/")).unwrap();
    assert!(egress.send(Reach::Operator, request).await.is_err());
    assert_eq!(names.lookups.load(Ordering::Relaxed), 1);
    assert_eq!(hits.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn of_several_addresses_only_those_that_may_be_called_are_used() {
    let (port, hits) = counting().await;
    let names = TestNames::default().with("mixed.test", &[&["169.254.169.254", "10.0.0.1", "127.0.0.1"]]);
    let (egress, _) = egress(true, names);
    let url = format!("http://mixed.test:{port}/");
    // Loopback is allowed here, so that the one permitted address is a server that answers; 10.0.0.1 is not, for a tenant.
    let error = egress.send(Reach::Internet, Request::get(&url).unwrap()).await;
    assert!(matches!(error, Err(EgressError::NotEncrypted)), "a name that is not localhost needs https");
    let metadata = egress.send(Reach::Metadata, Request::get(&url).unwrap()).await;
    // The metadata address may be tried first and may not answer here; whoever answers is never 10.0.0.1.
    assert!(metadata.is_err() || hits.load(Ordering::SeqCst) == 1);
}

#[tokio::test]
async fn plain_http_is_refused_for_what_tenants_name() {
    let names = TestNames::default().with("shop.test", &[&["1.1.1.1"]]);
    let error = refusal(Reach::Internet, "http://shop.test/", names).await;
    assert!(matches!(error, EgressError::NotEncrypted), "{error:?}");
}

#[tokio::test]
async fn other_schemes_users_and_missing_hosts_are_refused() {
    for url in [
        "file:///etc/passwd",
        "ftp://shop.test/",
        "gopher://shop.test/",
        "data:text/plain,x",
        "unix:/run/x",
        "https://user@shop.test/",
        "https://user:password@shop.test/",
        "https://:password@shop.test/",
    ] {
        let names = TestNames::default().with("shop.test", &[&["1.1.1.1"]]);
        let error = refusal(Reach::Internet, url, names).await;
        assert!(matches!(error, EgressError::NotAnAddress), "{url}: {error:?}");
    }
}

#[tokio::test]
async fn a_name_that_nobody_has_is_told_apart() {
    let error = refusal(Reach::Internet, "https://nobody.test/", TestNames::default()).await;
    assert!(matches!(error, EgressError::Unresolved), "{error:?}");
    assert!(error.is_transient());
}
