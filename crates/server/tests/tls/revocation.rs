//! Certificates that are revoked while they are in use, by their own authority or by one above it, and lists of which there
//! should be newer ones.

use crate::{
    public::{Stage, Tenant, stage, stage_of},
    support::{Caller, Connection, eventually, port_of, write_text},
};
use http_body_util::BodyExt;
use hyper::Method;
use misy_domain::{Clock, SystemClock, Timestamp};
use misy_testkit::{
    authority::{Authority, GOOD, Issued},
    program::BOOTSTRAP_SECRET,
};
use serde_json::json;
use std::{process::Command, time::Duration};

const HOUR: Duration = Duration::from_hours(1);

fn ago(time: Duration) -> Timestamp {
    SystemClock.now() - time
}

fn ahead(time: Duration) -> Timestamp {
    SystemClock.now() + time
}

impl Stage {
    fn write_lists(&self, lists: &str) {
        write_text(self.dir.path(), "clients.crl", lists);
    }

    fn log(&self) -> String {
        let file = self.dir.path().join(format!("a.{}.log", port_of(&self.program)));
        std::fs::read_to_string(file).unwrap()
    }

    async fn mint(&self, tenant: &Tenant, connection: &mut Connection) -> anyhow::Result<(u16, String)> {
        Ok(connection.send(self.signed(tenant, None)).await?.outcome())
    }

    /// Whether whoever has this certificate gets as far as to what is open to everybody.
    async fn lets_in(&self, certificate: &Issued) -> bool {
        Caller::new(&self.servers, Some(certificate)).get(self.port, "/health/live", None).await.is_ok()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_list_ends_what_was_open_before_it() {
    let mut stage = stage().await;
    let (_, andina) = stage.tenants().await;
    let [own, other] = ["own", "other"].map(|name| stage.clients.issue(name, GOOD).unwrap());
    stage.bind(&andina, &own).await;
    let caller = Caller::new(&stage.servers, Some(&own));
    let mut open = caller.connect(stage.port).await.unwrap();
    let token = open.send(stage.signed(&andina, None)).await.unwrap();
    let token = token.json()["token"].as_str().unwrap().to_owned();
    // A stream that would go on for as long as the token lives, and a connection that nothing is asked on.
    let session = stage.signed_call(
        &andina,
        Some(&token),
        Method::POST,
        "/sessions",
        Some(&json!({ "channel": "api" })),
    );
    let session = open.send(session).await.unwrap();
    assert_eq!(session.status, 201, "{:?}", session.body);
    let events = format!("/sessions/{}/events", session.json()["sessionId"].as_str().unwrap());
    let events = stage.signed_call(&andina, Some(&token), Method::GET, &events, None);
    let mut stream = caller.connect(stage.port).await.unwrap();
    let mut stream = stream.open(events).await.unwrap();
    assert_eq!(stream.status(), 200);
    assert!(stream.frame().await.unwrap().is_ok());

    // Another certificate is revoked: nothing happens to this one.
    stage.write_lists(
        &stage.clients.list(&[stage.revoked.serial, other.serial], ago(HOUR), ahead(HOUR)).unwrap(),
    );
    eventually("the other one is refused", async || !stage.lets_in(&other).await).await;
    assert_eq!(stage.mint(&andina, &mut open).await.unwrap().0, 201);

    stage.write_lists(&stage.clients.list(&[own.serial], ago(HOUR / 2), ahead(HOUR)).unwrap());
    let mut answers = Vec::new();
    eventually("nothing is minted any more", async || {
        let answer = stage.mint(&andina, &mut open).await;
        let is_over = !answer.as_ref().is_ok_and(|(status, _)| *status == 201);
        answers.extend(answer);
        is_over
    })
    .await;
    // Refused in words, or the connection is gone.
    let last = answers.last().unwrap();
    assert!([(201, String::new()), (401, "certificate_invalid".into())].contains(last), "{last:?}");
    let ended = tokio::time::timeout(crate::support::PATIENCE, async {
        while let Some(Ok(_)) = stream.frame().await {}
    });
    assert!(ended.await.is_ok(), "the stream goes on");
    assert!(!stage.lets_in(&own).await);
    assert!(stage.log().contains("certificate_revoked"), "the log says nothing of it");

    // A list that is older than the one in force brings nobody back.
    stage.write_lists(&stage.clients.list(&[], ago(2 * HOUR), ahead(HOUR)).unwrap());
    eventually("the older list is refused", async || stage.log().contains("the one in force of")).await;
    assert!(!stage.lets_in(&own).await);
    stage.program.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_chain_is_looked_up_in_lists_of_now() {
    let root = Authority::new("clients").unwrap();
    let [good, bad, unlisted] = ["good", "bad", "unlisted"].map(|name| root.under(name, |_| {}).unwrap());
    let [by_good, by_bad, by_unlisted] =
        [&good, &bad, &unlisted].map(|authority| authority.issue("own", GOOD).unwrap());
    let direct = root.issue("direct", GOOD).unwrap();
    let lists = |of_root: &[u64], made: Timestamp, due: Timestamp| {
        let of = |authority: &Authority| authority.list(&[], ago(400 * HOUR), ahead(HOUR)).unwrap();
        root.list(of_root, made, due).unwrap() + &of(&good) + &of(&bad)
    };
    let before = lists(&[], ago(400 * HOUR), ahead(HOUR));
    let mut stage = stage_of(root_of(&root), direct.clone(), &before).await;
    assert!(stage.lets_in(&by_good).await);
    assert!(stage.lets_in(&by_bad).await);
    assert!(stage.lets_in(&direct).await);
    // Nobody says whether it was revoked.
    assert!(!stage.lets_in(&by_unlisted).await);

    let caller = Caller::new(&stage.servers, Some(&by_bad));
    let mut open = caller.connect(stage.port).await.unwrap();
    // The authority between is revoked; the list of an older date beside the newer one changes nothing.
    stage.write_lists(&(before + &lists(&[bad.serial], ago(390 * HOUR), ahead(HOUR))));
    eventually("what the revoked authority issued is refused", async || !stage.lets_in(&by_bad).await).await;
    assert!(stage.lets_in(&by_good).await);
    let live = || crate::support::request(Method::GET, stage.port, "/health/live", None, None);
    eventually("it is refused on an open connection too", async || {
        !open.send(live()).await.is_ok_and(|answer| answer.status == 200)
    })
    .await;

    // The next list was due an hour ago: it still counts, and the owner is told.
    let owner = stage.register("/tenants/register/owner", BOOTSTRAP_SECRET, "colombiatic").await;
    let alerted = async |rule: &str| {
        let path = "/tenants/colombiatic/alerts";
        let (status, alerts) = stage.manage(Method::GET, path, &owner.administrator, &json!(null)).await;
        assert_eq!(status, 200, "{alerts}");
        alerts["items"].as_array().unwrap().iter().any(|alert| alert["rule"] == rule)
    };
    stage.write_lists(&lists(&[bad.serial], ago(380 * HOUR), ago(HOUR)));
    eventually("the owner is told", async || alerted("revocation_list_overdue").await).await;
    assert!(stage.lets_in(&by_good).await);
    // It was due three days ago: nobody is believed on its account any more, and the owner is told again.
    stage.write_lists(&lists(&[bad.serial], ago(370 * HOUR), ago(72 * HOUR)));
    eventually("an outdated list is refused", async || !stage.lets_in(&direct).await).await;
    assert!(!stage.lets_in(&by_good).await);
    eventually("the owner is told of that", async || alerted("revocation_list_outdated").await).await;
    let doctor = doctor(&stage);
    assert!(doctor.contains("FAIL  TLS: the next revocation list of CN=clients was due at"), "{doctor}");
    // Who shows no certificate is as welcome as before.
    assert!(Caller::new(&stage.servers, None).get(stage.port, "/health/live", None).await.is_ok());
    stage.program.stop().unwrap();
}

/// The same authority once more, for those who only need its certificate.
fn root_of(root: &Authority) -> Authority {
    let mut other = Authority::new("clients").unwrap();
    other.pem.clone_from(&root.pem);
    other
}

fn doctor(stage: &Stage) -> String {
    let file = |name: &str| stage.dir.path().join(name);
    let said = Command::new(env!("CARGO_BIN_EXE_misy"))
        .arg("doctor")
        .env("MISY_DATA_DIR", file("a"))
        .env("MISY_HTTP_ADDR", "127.0.0.1:0")
        .env("MISY_TLS_CERTIFICATE", file("server.pem"))
        .env("MISY_TLS_KEY", file("server.key"))
        .env("MISY_TLS_CLIENT_CA", file("clients.pem"))
        .env("MISY_TLS_CLIENT_CRL", file("clients.crl"))
        .output()
        .unwrap();
    assert!(!said.status.success());
    String::from_utf8_lossy(&said.stdout).into_owned()
}
