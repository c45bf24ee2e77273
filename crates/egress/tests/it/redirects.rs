use crate::support::{TestNames, egress, serve};
use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
    routing::any,
};
use http::{HeaderValue, Method};
use misy_egress::{
    EgressError, Reach, Request,
    address::{self, Forbidden},
};
use std::net::{IpAddr, UdpSocket};

/// `/to/<hex>` redirects there; `/hops/<n>` that often; anything else tells which headers came.
async fn server() -> u16 {
    let to = |status: StatusCode, location: String| (status, [(header::LOCATION, location)]).into_response();
    let router = Router::new()
        .route(
            "/to/{target}",
            any(move |Path(target): Path<String>| async move { to(StatusCode::FOUND, target) }),
        )
        .route(
            "/hops/{left}",
            any(move |Path(left): Path<u32>| async move {
                match left {
                    0 => "there".into_response(),
                    left => to(StatusCode::TEMPORARY_REDIRECT, format!("/hops/{}", left - 1)),
                }
            }),
        )
        .fallback(any(|method: Method, headers: HeaderMap| async move {
            format!("{method} {}", headers.contains_key(header::AUTHORIZATION))
        }));
    serve(router).await
}

fn names() -> TestNames {
    TestNames::default().with("start.test", &[&["127.0.0.1"]]).with("private.test", &[&["10.0.0.1"]])
}

/// An address by which this machine can call itself in a private network.
fn own_private_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // Nothing is sent: connecting a datagram socket only chooses the way.
    socket.connect("198.51.100.1:9").ok()?;
    let own = socket.local_addr().ok()?.ip();
    let private = address::check(own, Reach::Operator, false).is_ok();
    (private && !own.is_loopback()).then_some(own)
}

fn encoded(url: &str) -> String {
    url.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02X}"))
}

#[tokio::test]
async fn a_redirect_inwards_is_refused() {
    let port = server().await;
    let (egress, _) = egress(true, names());
    for target in [
        "http://10.0.0.1/",
        "https://192.168.1.1/",
        "http://169.254.169.254/latest/meta-data/",
        "https://[fd00:ec2::254]/",
        "//10.0.0.1/",
        "https://private.test/",
        "https://[::ffff:10.0.0.1]/",
    ] {
        let url = format!("http://127.0.0.1:{port}/to/{}", encoded(target));
        let error = egress.send(Reach::Internet, Request::get(&url).unwrap()).await.err();
        assert!(matches!(error, Some(EgressError::Forbidden(_))), "{target}: {error:?}");
    }
}

#[tokio::test]
async fn a_redirect_to_this_machine_is_refused() {
    let port = server().await;
    // A network that lets a machine call itself by an address that is not loopback is needed to get to the redirect.
    let Some(own) = own_private_address() else { return };
    let (egress, _) = egress(false, names());
    for host in ["127.0.0.1", "localhost", "[::1]", "start.test"] {
        let target = format!("http://{host}:{port}/");
        let url = format!("http://{own}:{port}/to/{}", encoded(&target));
        let error = egress.send(Reach::Operator, Request::get(&url).unwrap()).await.err();
        assert!(matches!(error, Some(EgressError::Forbidden(Forbidden::Loopback))), "{target}: {error:?}");
    }
}

#[tokio::test]
async fn a_redirect_to_another_scheme_or_with_a_user_is_refused() {
    let port = server().await;
    let (egress, _) = egress(true, names());
    for target in ["file:///etc/passwd", "ftp://localhost/", "http://user:pass@localhost/"] {
        let url = format!("http://127.0.0.1:{port}/to/{}", encoded(target));
        let error = egress.send(Reach::Internet, Request::get(&url).unwrap()).await.err();
        assert!(matches!(error, Some(EgressError::NotAnAddress)), "{target}: {error:?}");
    }
}

#[tokio::test]
async fn five_redirects_are_followed_and_six_are_not() {
    let port = server().await;
    let (egress, _) = egress(true, names());
    let url = |hops| Request::get(&format!("http://127.0.0.1:{port}/hops/{hops}")).unwrap();
    assert_eq!(&*egress.send(Reach::Internet, url(5)).await.unwrap().body, b"there");
    let error = egress.send(Reach::Internet, url(6)).await.err();
    assert!(matches!(error, Some(EgressError::TooManyRedirects)), "{error:?}");
}

#[tokio::test]
async fn a_request_with_credentials_or_a_body_is_not_redirected() {
    let port = server().await;
    let (egress, _) = egress(true, names());
    let url = format!("http://127.0.0.1:{port}/hops/1");
    let bearer = Request::get(&url).unwrap().bearer("token").unwrap();
    let unknown = Request::get(&url)
        .unwrap()
        .header(header::HeaderName::from_static("x-vault-token"), HeaderValue::from_static("token"));
    let body = Request::post_json(&url, &"secret").unwrap();
    for request in [bearer, unknown, body] {
        let answer = egress.send(Reach::Internet, request).await.unwrap();
        assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT);
    }
}
