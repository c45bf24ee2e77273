use crate::support::{TestNames, egress, serve, settings};
use axum::{Router, body::Body, routing::get};
use bytes::Bytes;
use misy_egress::{Egress, EgressError, EgressSettings, Reach, Request};
use std::{convert::Infallible, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

async fn get_from(egress: &Egress, port: u16) -> Result<usize, EgressError> {
    let request = Request::get(&format!("http://127.0.0.1:{port}/")).unwrap();
    egress.send(Reach::Internet, request).await.map(|answer| answer.body.len())
}

#[tokio::test]
async fn a_body_at_the_limit_is_read_and_a_larger_one_is_not() {
    let (egress, _) = egress(true, TestNames::default());
    for (size, fits) in [(64 * 1024, true), (64 * 1024 + 1, false)] {
        let port = serve(Router::new().route("/", get(move || async move { vec![0u8; size] }))).await;
        let answer = get_from(&egress, port).await;
        assert_eq!(answer.is_ok(), fits, "{size}: {answer:?}");
    }
}

#[tokio::test]
async fn a_body_without_an_end_is_cut_off() {
    let endless = || async {
        let chunks = futures_util::stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from(vec![b'x'; 1024])));
        Body::from_stream(chunks)
    };
    let port = serve(Router::new().route("/", get(endless))).await;
    let (egress, _) = egress(true, TestNames::default());
    let error = get_from(&egress, port).await.err();
    assert!(matches!(error, Some(EgressError::TooLarge)), "{error:?}");
}

#[tokio::test]
async fn a_server_that_drips_is_given_up_in_the_total_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let drip = async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 1024];
        assert!(stream.read(&mut request).await.unwrap() > 0);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n").await.unwrap();
        let mut pace = tokio::time::interval(Duration::from_millis(20));
        loop {
            pace.tick().await;
            if stream.write_all(b"x").await.is_err() {
                return;
            }
        }
    };
    tokio::spawn(drip);
    let patience = Duration::from_millis(300);
    let egress = Egress::new(EgressSettings { timeout: patience, ..settings(true) }).unwrap();
    let error = get_from(&egress, port).await.err();
    assert!(matches!(error, Some(EgressError::Timeout)), "{error:?}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let egress = Egress::new(settings(true)).unwrap();
    let mut request = Request::get(&format!("http://127.0.0.1:{port}/")).unwrap();
    request.timeout = Some(Duration::from_millis(200));
    let error = egress.send(Reach::Internet, request).await.err();
    assert!(matches!(error, Some(EgressError::Timeout)), "{error:?}");
    drop(listener);
}

#[tokio::test]
async fn what_is_no_certificate_is_no_root() {
    let settings = EgressSettings {
        extra_roots: Some(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec()),
        ..settings(false)
    };
    // Depending on the parser it is refused at once or trusted by nobody; a call must not come through either way.
    if let Ok(egress) = Egress::new(settings) {
        let request = Request::get("https://127.0.0.1/").unwrap();
        assert!(egress.send(Reach::Internet, request).await.is_err());
    }
}
