//! Answers that are read as they come, from servers that mean no good.

use crate::support::{TestNames, egress, serve, settings};
use axum::{Router, response::Redirect, routing::get};
use misy_egress::{Egress, EgressError, Event, Reach, Request, StreamLimits, Streaming, address::Forbidden};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

const LONG: Duration = Duration::from_mins(1);
const SHORT: Duration = Duration::from_secs(1);
const LIMITS: StreamLimits = StreamLimits { bytes: 64 * 1024, longest_line: 1024, idle: LONG, total: LONG };
const EVENTS: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n";

/// The client, and the server's end of its connection once the request was read.
async fn asked(limits: StreamLimits) -> (tokio::task::JoinHandle<Result<Streaming, EgressError>>, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let egress = Egress::new(settings(true)).unwrap();
    let request = Request::get(&format!("http://127.0.0.1:{port}/")).unwrap();
    let opening = tokio::spawn(async move { egress.open(Reach::Internet, request, limits).await });
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut heard = [0; 1024];
    assert!(stream.read(&mut heard).await.unwrap() > 0);
    (opening, stream)
}

/// The answer, of which the server has sent this.
async fn answered(limits: StreamLimits, text: &str) -> (Streaming, TcpStream) {
    let (opening, mut stream) = asked(limits).await;
    stream.write_all(text.as_bytes()).await.unwrap();
    (opening.await.unwrap().unwrap(), stream)
}

fn event(name: &str, data: &str) -> Event {
    Event { name: name.into(), data: data.into() }
}

#[tokio::test]
async fn events_are_read_as_they_come() {
    let (answer, mut server) = answered(LIMITS, &format!("{EVENTS}\u{feff}data: uno\n\n")).await;
    let mut events = answer.events().unwrap();
    assert_eq!(events.next().await.unwrap(), Some(event("message", "uno")));
    // Nothing more has come: it waits, and does not end.
    assert!(timeout(Duration::from_millis(50), events.next()).await.is_err());
    for piece in
        [": a comment\r\nev", "ent: delta\r\ndata:dos\r", "\ndata: tres\r\nid: 7\r\nretry: 1\r\n\r", "\n"]
    {
        server.write_all(piece.as_bytes()).await.unwrap();
    }
    assert_eq!(events.next().await.unwrap(), Some(event("delta", "dos\ntres")));
    server.write_all("\n\nevent: empty\n\ndata\n\ndata: without an end".as_bytes()).await.unwrap();
    assert_eq!(events.next().await.unwrap(), Some(event("message", "")));
    drop(server);
    assert_eq!(events.next().await.unwrap(), None);
    assert_eq!(events.next().await.unwrap(), None);
}

#[tokio::test]
async fn lines_end_in_any_way_and_a_carriage_return_may_come_in_two_pieces() {
    let plain = "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n\r\n";
    let (mut answer, mut server) = answered(LIMITS, &format!("{plain}a\nb\r\nc\rd\r")).await;
    let mut lines = Vec::new();
    for _ in 0..3 {
        lines.push(answer.line().await.unwrap().unwrap());
    }
    server.write_all("\n\ne".as_bytes()).await.unwrap();
    drop(server);
    while let Some(line) = answer.line().await.unwrap() {
        lines.push(line);
    }
    assert_eq!(lines, ["a", "b", "c", "d", "", "e"]);
    assert!(
        answered(LIMITS, &format!("{plain}{{}}\n")).await.0.events().is_err(),
        "it says that it is no events"
    );
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up() {
    // Before it answers, after its head, and in the middle of an event.
    let (opening, server) = asked(StreamLimits { idle: SHORT, ..LIMITS }).await;
    assert!(matches!(opening.await.unwrap(), Err(EgressError::Timeout)));
    drop(server);
    for said in [EVENTS.to_owned(), format!("{EVENTS}data: uno")] {
        let (answer, _server) = answered(StreamLimits { idle: SHORT, ..LIMITS }, &said).await;
        let mut events = answer.events().unwrap();
        assert!(matches!(events.next().await, Err(EgressError::Timeout)), "{said}");
    }
}

#[tokio::test]
async fn a_server_that_drips_is_given_up_in_the_total_time() {
    let (answer, mut server) = answered(StreamLimits { total: SHORT, ..LIMITS }, EVENTS).await;
    let drip = async {
        while server.write_all(b": alive\n\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let mut events = answer.events().unwrap();
    tokio::select! {
        read = events.next() => assert!(matches!(read, Err(EgressError::Timeout)), "{read:?}"),
        () = drip => panic!("the client went first"),
    }
}

#[tokio::test]
async fn what_has_no_end_is_cut_off() {
    // Without an end of its line, of its event, and of events.
    for (head, piece) in
        [("", "x"), ("", "data: xxxxxxxxxxxxxxxxxxxxxxxx\n"), ("data: a\n\n", ": b\n\ndata:c\n\n")]
    {
        let (answer, mut server) = answered(LIMITS, &format!("{EVENTS}{head}")).await;
        let flood = async { while server.write_all(piece.repeat(100).as_bytes()).await.is_ok() {} };
        let mut events = answer.events().unwrap();
        let read = async {
            loop {
                match events.next().await {
                    Ok(event) => assert!(event.is_some(), "{piece}"),
                    Err(error) => return error,
                }
            }
        };
        let error = tokio::select! { error = read => error, () = flood => panic!("the client went first") };
        assert!(matches!(error, EgressError::TooLarge), "{piece}: {error:?}");
    }
}

#[tokio::test]
async fn what_is_no_text_is_no_event() {
    let (opening, mut server) = asked(LIMITS).await;
    server.write_all(&[EVENTS.as_bytes(), b"data: \xff\xfe\n\n"].concat()).await.unwrap();
    let mut events = opening.await.unwrap().unwrap().events().unwrap();
    assert!(matches!(events.next().await, Err(EgressError::Unreadable)));
}

#[tokio::test]
async fn a_connection_that_breaks_is_no_end() {
    let chunked = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: a\n\n\r\n5\r\ndat";
    let (answer, server) = answered(LIMITS, chunked).await;
    let mut events = answer.events().unwrap();
    assert_eq!(events.next().await.unwrap(), Some(event("message", "a")));
    drop(server);
    assert!(matches!(events.next().await, Err(EgressError::Unreachable(_))));
}

#[tokio::test]
async fn whoever_lets_go_ends_the_call() {
    let (answer, mut server) = answered(LIMITS, &format!("{EVENTS}data: uno\n\n")).await;
    let mut events = answer.events().unwrap();
    events.next().await.unwrap();
    drop(events);
    let gone = async {
        let mut heard = [0; 64];
        while !matches!(server.read(&mut heard).await, Ok(0) | Err(_)) {}
    };
    timeout(LONG, gone).await.expect("the connection is closed");
}

#[tokio::test]
async fn what_a_refusal_says_is_read_whole_up_to_a_limit() {
    let refusal = "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"wait\": 20}";
    let (answer, _server) = answered(LIMITS, refusal).await;
    assert_eq!(answer.status(), 429);
    assert_eq!(answer.whole(12).await.unwrap(), "{\"wait\": 20}");
    let (answer, _server) = answered(LIMITS, refusal).await;
    assert!(matches!(answer.whole(11).await, Err(EgressError::TooLarge)));
}

#[tokio::test]
async fn a_redirect_to_a_private_address_is_not_followed() {
    let to = |place: &'static str| get(move || async move { Redirect::temporary(place) });
    let port = serve(
        Router::new()
            .route("/metadata", to("http://169.254.169.254/latest"))
            .route("/inside", to("https://inside.example/")),
    )
    .await;
    let names = TestNames::default().with("inside.example", &[&["10.0.0.7"]]);
    let (egress, _) = egress(true, names);
    for (path, why) in [("metadata", Forbidden::Metadata), ("inside", Forbidden::Private)] {
        let request = Request::get(&format!("http://127.0.0.1:{port}/{path}")).unwrap();
        let refused = egress.open(Reach::Internet, request, LIMITS).await.err();
        assert!(matches!(refused, Some(EgressError::Forbidden(own)) if own == why), "{path}: {refused:?}");
        // What carries a secret or a body goes nowhere else at all.
        let url = format!("http://127.0.0.1:{port}/{path}");
        let request = Request::get(&url).unwrap().bearer("secret").unwrap();
        let answer = egress.open(Reach::Internet, request, LIMITS).await.unwrap();
        assert!(answer.status().is_redirection() && answer.events().is_err());
    }
}
