//! Bodies that are sent piece by piece, and limits of one call.

use crate::support::{TestNames, egress, serve};
use axum::{
    Router,
    http::HeaderMap,
    routing::{get, post},
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use misy_egress::{EgressError, Piece, Reach, Request, Upload};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::net::TcpListener;

fn pieces(count: usize) -> impl Stream<Item = Piece> + Send + 'static {
    stream::repeat_with(|| Ok(Bytes::from(vec![b'x'; 1000]))).take(count)
}

/// A server that says how it was told the length and how much came, and counts whole bodies.
async fn server(whole: &Arc<AtomicUsize>) -> String {
    let whole = whole.clone();
    let take = move |headers: HeaderMap, body: Bytes| {
        whole.fetch_add(1, Ordering::Relaxed);
        let said = headers.get("content-length").map_or("-", |value| value.to_str().unwrap_or_default());
        std::future::ready(format!("{said} {}", body.len()))
    };
    let port = serve(Router::new().route("/", post(take))).await;
    format!("http://127.0.0.1:{port}/")
}

fn request(url: &str) -> Request {
    Request::post(url, "application/octet-stream", Bytes::new()).unwrap()
}

#[tokio::test]
async fn a_body_is_sent_piece_by_piece_with_its_length_or_without() {
    let whole = Arc::new(AtomicUsize::new(0));
    let url = server(&whole).await;
    let (egress, _) = egress(true, TestNames::default());
    for (upload, heard) in [
        (Upload::of_length(30_000, pieces(30)), "30000 30000"),
        (Upload::at_most(40_000, pieces(30)), "- 30000"),
    ] {
        let answer = egress.upload(Reach::Internet, request(&url), upload).await.unwrap();
        assert_eq!(answer.body, heard);
    }
}

#[tokio::test]
async fn a_body_that_is_not_as_was_said_never_comes_whole() {
    let whole = Arc::new(AtomicUsize::new(0));
    let url = server(&whole).await;
    let (egress, _) = egress(true, TestNames::default());
    let broken = pieces(3).chain(stream::once(async { Err(io::Error::other("the disk is gone")) }));
    for upload in [
        Upload::of_length(31_000, pieces(30)),
        Upload::of_length(29_000, pieces(30)),
        Upload::at_most(29_999, pieces(30)),
        Upload::at_most(40_000, broken),
    ] {
        let answer = egress.upload(Reach::Internet, request(&url), upload).await;
        assert!(matches!(answer, Err(EgressError::Unreachable(_))), "{:?}", answer.map(|answer| answer.body));
    }
    assert_eq!(whole.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_server_that_takes_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    let (egress, _) = egress(true, TestNames::default());
    let request = Request { timeout: Some(Duration::from_millis(300)), ..request(&url) };
    let upload = Upload::at_most(u64::MAX, pieces(usize::MAX));
    let answer = egress.upload(Reach::Internet, request, upload).await;
    assert!(matches!(answer, Err(EgressError::Timeout)));
    // Nor is one judged otherwise than any other call.
    let upload = Upload::at_most(10, pieces(0));
    let inside = Request::post("https://10.0.0.7/", "text/plain", Bytes::new()).unwrap();
    assert!(matches!(egress.upload(Reach::Internet, inside, upload).await, Err(EgressError::Forbidden(_))));
}

#[tokio::test]
async fn a_call_may_have_a_limit_of_its_own() {
    let port = serve(Router::new().route("/", get(|| async { vec![0u8; 100_000] }))).await;
    let (egress, _) = egress(true, TestNames::default());
    let request = |largest| {
        let request = Request::get(&format!("http://127.0.0.1:{port}/")).unwrap();
        Request { largest_answer: largest, ..request }
    };
    for (largest, fits) in [(None, false), (Some(100_000), true), (Some(99_999), false)] {
        let answer = egress.send(Reach::Internet, request(largest)).await;
        assert_eq!(answer.is_ok(), fits, "{largest:?}");
    }
}
