//! Two processes of one installation, and who may not speak with them.

use crate::support::{Caller, eventually, free_port, port_of, request, write, write_text};
use hyper::Method;
use misy_domain::{Clock, SystemClock, Timestamp, TokenId};
use misy_store::{Database, DatabaseOptions, Vault, database::Login, service_keys};
use misy_testkit::{
    authority::{Authority, GOOD, Issued, NOT_BEGUN, OVER},
    client::{BASE, http},
    program::{Program, Start, register},
};
use misy_trust::{
    Algorithm, Fingerprint, KeyProvider, ServiceClaims, ServiceKeys, ServiceRole, SigningKey, SystemEntropy,
};
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use std::{path::Path, process::Command, sync::Arc, time::Duration};
use tempfile::TempDir;

struct Stage {
    dir: TempDir,
    inside: Authority,
    caller: Issued,
    revoked: Issued,
    /// Serves and works, with the private PostgreSQL.
    first: Program,
    /// Serves only.
    second: Program,
    /// Of both processes.
    own: [Issued; 2],
    /// The internal addresses.
    ports: [u16; 2],
    keys: ServiceKeys,
    crl: String,
}

async fn stage() -> Stage {
    let dir = tempfile::Builder::new().prefix("misy-i").tempdir_in("/tmp").unwrap();
    let inside = Authority::new("inside").unwrap();
    let (caller, revoked) = (inside.issue("caller", GOOD).unwrap(), inside.issue("revoked", GOOD).unwrap());
    let ports = [free_port(), free_port()];
    let ca = write_text(dir.path(), "ca.pem", &inside.pem);
    let crl = write_text(dir.path(), "revoked.crl", &inside.revoke(&[&revoked]).unwrap());
    let own_certificates = ["a", "b"].map(|name| inside.issue(name, GOOD).unwrap());
    let start = |place: usize, own: u16, other: u16| {
        let name = ["a", "b"][place];
        let (certificate, key) = write(dir.path(), name, &own_certificates[place]);
        Start::new(env!("CARGO_BIN_EXE_misy"), dir.path().join(name))
            .unwrap()
            .with("MISY_LOG", "info")
            .with("MISY_INTERNAL_ADDR", format!("127.0.0.1:{own}"))
            .with("MISY_INTERNAL_CERTIFICATE", certificate)
            .with("MISY_INTERNAL_KEY", key)
            .with("MISY_INTERNAL_CA", ca.clone())
            .with("MISY_INTERNAL_CRL", crl.clone())
            .with("MISY_PEERS", format!("https://127.0.0.1:{other}"))
    };
    let mut first = start(0, ports[0], ports[1]).spawn().unwrap();
    assert!(first.ready(Duration::from_mins(1)).await, "see {}", dir.path().display());
    let socket = std::fs::canonicalize(dir.path().join("a/run")).unwrap();
    std::fs::create_dir(dir.path().join("b")).unwrap();
    std::fs::copy(dir.path().join("a/root-key"), dir.path().join("b/root-key")).unwrap();
    let mut second = start(1, ports[1], ports[0])
        .with("MISY_WORKER", "off")
        .with("MISY_DATABASE_URL", format!("postgresql:///postgres?host={}&user=postgres", socket.display()))
        .spawn()
        .unwrap();
    assert!(second.ready(Duration::from_mins(1)).await, "see {}", dir.path().display());
    let keys = service_keys_of(dir.path(), &socket).await;
    let own = own_certificates;
    Stage { dir, inside, caller, revoked, first, second, own, ports, keys, crl }
}

/// The ring that both processes have read, as whoever holds the root key can.
async fn service_keys_of(dir: &Path, socket: &Path) -> ServiceKeys {
    let entropy = Arc::new(SystemEntropy::new());
    let root = KeyProvider::File(dir.join("a/root-key")).load(&*entropy).unwrap();
    let administrator =
        PgConnectOptions::new_without_pgpass().socket(socket).username("postgres").database("postgres");
    let database = Database::open(&DatabaseOptions::new(administrator, Login::ByName));
    let vault = Vault::new(root, entropy.clone());
    let issuer = database.installation_issuer(&SystemClock, &*entropy).await.unwrap();
    service_keys::load_or_create(&database, &vault, &issuer, &SystemClock).await.unwrap()
}

fn claims(certificate: &Issued, audience: ServiceRole) -> ServiceClaims {
    let now = SystemClock.now();
    ServiceClaims {
        role: ServiceRole::Operator,
        instance: "test".into(),
        audience,
        jti: TokenId::new(&SystemClock, &SystemEntropy::new()),
        iat: now,
        exp: now + Duration::from_mins(1),
        certificate: Fingerprint::of(&certificate.der),
    }
}

impl Stage {
    fn token(&self, change: impl FnOnce(&mut ServiceClaims)) -> String {
        let mut claims = claims(&self.caller, ServiceRole::FrontDesk);
        change(&mut claims);
        self.keys.issue(&claims).unwrap()
    }

    async fn status(&self, place: usize, token: Option<&str>) -> u16 {
        let caller = Caller::new(&self.inside, Some(&self.caller));
        let answer = caller.get(self.ports[place], "/internal/status", token).await.unwrap();
        answer.status.as_u16()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_process_of_the_installation_is_answered_on_the_internal_address() {
    let mut stage = stage().await;
    let token = stage.token(|_| {});
    let caller = Caller::new(&stage.inside, Some(&stage.caller));
    let answer = caller.get(stage.ports[0], "/internal/status", Some(&token)).await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["roles"], json!(["front-desk", "worker"]));
    assert_eq!(answer.json()["database"], true);
    // A token counts once, also when many come with it at the same moment.
    assert_eq!(stage.status(0, Some(&token)).await, 401);
    let again = stage.token(|_| {});
    let all = futures_util::future::join_all((0..12).map(|_| stage.status(0, Some(&again)))).await;
    assert_eq!(all.iter().filter(|status| **status == 200).count(), 1, "{all:?}");

    // Without a certificate of the private authority that is good now there is no TLS, whatever the token.
    let elsewhere = Authority::new("inside").unwrap().issue("caller", GOOD).unwrap();
    let over = stage.inside.renew(&stage.caller, "caller", OVER).unwrap();
    let not_begun = stage.inside.renew(&stage.caller, "caller", NOT_BEGUN).unwrap();
    let bad = [
        ("no certificate", None),
        ("other authority", Some(&elsewhere)),
        ("over", Some(&over)),
        ("not begun", Some(&not_begun)),
        ("revoked", Some(&stage.revoked)),
    ];
    for (what, certificate) in bad {
        let token = stage.token(|claims| {
            if let Some(certificate) = certificate {
                claims.certificate = Fingerprint::of(&certificate.der);
            }
        });
        let caller = Caller::new(&stage.inside, certificate);
        assert!(
            caller.get(stage.ports[0], "/internal/status", Some(&token)).await.is_err(),
            "{what} gets in"
        );
    }

    // With a good certificate and a token that is not its own, not for this role, not of now, or not of ours.
    let second = stage.inside.issue("second", GOOD).unwrap();
    let now = SystemClock.now();
    let past = Timestamp::from_second(now.as_second() - 120).unwrap();
    let of_another = stage.token(|claims| claims.certificate = Fingerprint::of(&second.der));
    let for_worker = || stage.token(|claims| claims.audience = ServiceRole::Worker);
    let is_over = stage.token(|claims| (claims.iat, claims.exp) = (past, past + Duration::from_mins(1)));
    let too_long = stage.token(|claims| claims.exp = now + Duration::from_mins(10));
    let hour = now + Duration::from_hours(1);
    let ahead = stage.token(|claims| (claims.iat, claims.exp) = (hour, hour + Duration::from_mins(1)));
    // Of whoever asks nothing but the command line: nobody's receiver.
    let for_operator = stage.token(|claims| claims.audience = ServiceRole::Operator);
    let stranger = SigningKey::generate(Algorithm::EdDsa, &SystemClock, &SystemEntropy::new()).unwrap();
    let stranger = ServiceKeys::new("misy", vec![stranger]);
    let forged = stranger.issue(&claims(&stage.caller, ServiceRole::FrontDesk)).unwrap();
    assert_eq!(stage.status(0, None).await, 401);
    for bad in [&of_another, &is_over, &too_long, &ahead, &for_operator, &forged, "nonsense"] {
        assert_eq!(stage.status(0, Some(bad)).await, 401);
    }
    // The first process works on conversations, the second does not.
    assert_eq!(stage.status(0, Some(&for_worker())).await, 200);
    assert_eq!(stage.status(1, Some(&for_worker())).await, 401);

    // A worker changes no tenants, and nobody learns what there is without a token.
    let path = "/internal/tenants/andina/changed";
    let of_worker = stage.token(|claims| claims.role = ServiceRole::Worker);
    let told =
        caller.send(stage.ports[0], request(Method::POST, stage.ports[0], path, Some(&of_worker), None));
    assert_eq!(told.await.unwrap().status, 403);
    assert_eq!(caller.get(stage.ports[0], "/nothing/here", None).await.unwrap().status, 401);
    let metrics = caller.get(stage.ports[0], "/metrics", Some(&stage.token(|_| {}))).await.unwrap();
    assert!(String::from_utf8_lossy(&metrics.body).contains("misy_internal_refusals_total"));
    // Nothing of it stands on the public address.
    let public = http().get(format!("{}/internal/status", stage.first.url)).send().await.unwrap();
    assert_eq!(public.status(), 404);
    stage.second.stop().unwrap();
    stage.first.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_tell_each_other_of_changes_and_an_operator_asks_them() {
    let mut stage = stage().await;
    let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../seeds/businesses/andina.json");
    let site = register(&stage.first.url, "andina", &pack).await.unwrap();
    let log = stage.dir.path().join(format!("b.{}.log", port_of(&stage.second)));
    eventually("the second process is told of a change", async || {
        std::fs::read_to_string(&log).unwrap().contains("/internal/tenants/andina/changed")
    })
    .await;
    // The other way round too, and nothing goes round in circles.
    let visitor = misy_testkit::client::Visitor::arrive(&site).await.unwrap();
    let revoke = visitor.post("/tokens/revoke", &json!({})).await.unwrap();
    assert_eq!(revoke.status(), 204, "{BASE}");

    let (certificate, key) = write(stage.dir.path(), "operator", &stage.caller);
    let ask = |certificate: &str, key: &str, crl: &str| {
        Command::new(env!("CARGO_BIN_EXE_misy"))
            .args(["internal", "status", "--peer", &format!("https://127.0.0.1:{}", stage.ports[1])])
            .env("MISY_DATA_DIR", stage.dir.path().join("a"))
            .env("MISY_INTERNAL_CERTIFICATE", certificate)
            .env("MISY_INTERNAL_KEY", key)
            .env("MISY_INTERNAL_CA", stage.dir.path().join("ca.pem"))
            .env("MISY_INTERNAL_CRL", crl)
            .output()
            .unwrap()
    };
    let answer = ask(&certificate, &key, &stage.crl);
    let said = String::from_utf8_lossy(&answer.stdout).into_owned();
    assert!(answer.status.success(), "{said}{}", String::from_utf8_lossy(&answer.stderr));
    assert!(said.contains("\"roles\":[\"front-desk\"]"), "{said}");
    let (gone, gone_key) = write(stage.dir.path(), "gone", &stage.revoked);
    assert!(!ask(&gone, &gone_key, &stage.crl).status.success());
    // Nor is a process believed whose certificate was revoked, whoever asks it.
    let list = stage.inside.revoke(&[&stage.own[1]]).unwrap();
    let list = write_text(stage.dir.path(), "operator.crl", &list);
    let answer = ask(&certificate, &key, &list);
    let said = String::from_utf8_lossy(&answer.stderr).into_owned();
    assert!(!answer.status.success() && said.contains("Revoked"), "{said}");
    stage.second.stop().unwrap();
    stage.first.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_whose_certificate_is_revoked_is_cut_off_from_all_others() {
    let mut stage = stage().await;
    let caller = Caller::new(&stage.inside, Some(&stage.caller));
    let mut open =
        [caller.connect(stage.ports[0]).await.unwrap(), caller.connect(stage.ports[1]).await.unwrap()];
    let ask = |place: usize| {
        let token = stage.token(|_| {});
        request(Method::GET, stage.ports[place], "/internal/status", Some(&token), None)
    };
    for (place, connection) in open.iter_mut().enumerate() {
        assert_eq!(connection.send(ask(place)).await.unwrap().status, 200);
    }
    let now = SystemClock.now();
    let hour = Duration::from_hours(1);
    let list = stage.inside.list(&[stage.caller.serial], now - hour, now + hour).unwrap();
    write_text(stage.dir.path(), "revoked.crl", &list);
    for (place, connection) in open.iter_mut().enumerate() {
        eventually("the open connection is refused", async || {
            !connection.send(ask(place)).await.is_ok_and(|answer| answer.status == 200)
        })
        .await;
        assert!(caller.get(stage.ports[place], "/internal/status", None).await.is_err());
    }
    stage.second.stop().unwrap();
    stage.first.stop().unwrap();
}
