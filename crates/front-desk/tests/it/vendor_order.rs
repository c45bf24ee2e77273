//! The order of what somebody wrote, where a body of their vendor was refused and comes again later.

use crate::{
    support::{App, Tenant},
    whatsapp::{connect, number, path, said, stage_with, text, told},
};
use http::Method;
use misy_domain::Clock;
use misy_testkit::graph::{Graph, Number, wrote};
use serde_json::{Value, json};
use std::time::Duration;

const CUSTOMER: &str = "15550002222";
const ANOTHER: &str = "15550003333";

struct Line {
    app: App,
    graph: Graph,
    owner: Tenant,
    andina: Tenant,
    verde: Tenant,
    path: String,
}

impl Line {
    /// A number that stores one message of each body at first.
    async fn slow() -> Self {
        Self::with(Duration::ZERO).await
    }

    async fn with(work: Duration) -> Self {
        let (app, graph, owner, andina, verde) = stage_with(|settings| settings.webhook_work = work).await;
        let path = path(&connect(&app, &andina, &number(graph.number())).await.expect(201));
        Self { app, graph, owner, andina, verde, path }
    }

    /// A body of messages, each by its writer, its words and how many seconds ago it was written. Its words are its id.
    fn body(&self, all: &[(&str, &str, u64)]) -> Value {
        let now = self.app.store.clock.now();
        let one = |(from, words, ago): &(&str, &str, u64)| {
            wrote(from, &format!("wamid.{words}"), words, now - Duration::from_secs(*ago))
        };
        self.graph.event("messages", &all.iter().map(one).collect::<Vec<_>>())
    }

    async fn taken(&self, body: &Value) {
        told(&self.app, &self.graph, &self.path, body).await.expect(200);
    }

    async fn not_yet(&self, body: &Value) {
        told(&self.app, &self.graph, &self.path, body).await.refused(503, "unavailable");
    }

    /// What the conversation holds in which this was said.
    async fn said_beside(&self, words: &str) -> Vec<Value> {
        let mut conversations: Vec<Vec<Value>> = Vec::new();
        for (sequence, parts, _) in said(&self.app, &self.andina).await {
            if sequence == 1 {
                conversations.push(Vec::new());
            }
            conversations.last_mut().unwrap().push(parts);
        }
        conversations.into_iter().find(|all| all.contains(&text(words))).unwrap_or_default()
    }

    async fn expected(&self) -> i64 {
        let mut admin = self.app.store.connect_as("postgres").await.unwrap();
        let count = "select count(*) from misy.expected_messages";
        sqlx::query_scalar(count).fetch_one(&mut admin).await.unwrap()
    }

    async fn limits(&self, limits: Value) {
        let limits = json!({ "limits": limits });
        let path = self.andina.path("/limits");
        self.app.manage(&self.owner, Method::PUT, &path, Some(&limits)).await.expect(200);
    }
}

#[tokio::test]
async fn what_somebody_wrote_later_waits_for_what_was_refused_before() {
    let line = Line::slow().await;
    // In the same second as the one that comes after it.
    let first = line.body(&[(ANOTHER, "otra", 60), (CUSTOMER, "uno", 0)]);
    let second = line.body(&[(CUSTOMER, "dos", 0)]);
    line.not_yet(&first).await;
    for _ in 0..2 {
        line.not_yet(&second).await;
    }
    // Who was not refused does not wait.
    line.taken(&line.body(&[(ANOTHER, "más", 0)])).await;
    assert_eq!(line.said_beside("otra").await, [text("otra"), text("más")]);
    assert_eq!(line.expected().await, 2);
    line.taken(&first).await;
    line.taken(&second).await;
    assert_eq!(line.said_beside("dos").await, [text("uno"), text("dos")]);
    assert_eq!(line.expected().await, 0);
    line.taken(&line.body(&[(CUSTOMER, "tres", 0)])).await;
    for again in [&first, &second] {
        line.taken(again).await;
    }
    assert_eq!(line.said_beside("dos").await, [text("uno"), text("dos"), text("tres")]);
}

#[tokio::test]
async fn what_was_written_before_what_is_expected_does_not_wait() {
    let line = Line::slow().await;
    line.not_yet(&line.body(&[(ANOTHER, "otra", 60), (CUSTOMER, "dos", 10)])).await;
    line.taken(&line.body(&[(CUSTOMER, "uno", 20)])).await;
    line.not_yet(&line.body(&[(CUSTOMER, "tres", 5)])).await;
    line.taken(&line.body(&[(ANOTHER, "otra", 60), (CUSTOMER, "dos", 10)])).await;
    line.taken(&line.body(&[(CUSTOMER, "tres", 5)])).await;
    assert_eq!(line.said_beside("dos").await, [text("uno"), text("dos"), text("tres")]);
}

#[tokio::test]
async fn a_message_waits_for_a_while_at_most_and_nobody_waits_again_for_the_same() {
    let line = Line::slow().await;
    let never_again = line.body(&[(ANOTHER, "otra", 60), (CUSTOMER, "uno", 30)]);
    let second = line.body(&[(CUSTOMER, "dos", 20)]);
    line.not_yet(&never_again).await;
    line.not_yet(&second).await;
    let later = "update misy.expected_messages set held_since = held_since - interval '11 minutes'";
    line.app.store.admin(later).await.unwrap();
    line.taken(&second).await;
    line.taken(&line.body(&[(CUSTOMER, "tres", 10)])).await;
    assert_eq!((line.said_beside("dos").await, line.expected().await), (vec![text("dos"), text("tres")], 0));
    // It comes all the same: it is not lost.
    line.taken(&never_again).await;
    assert_eq!(line.said_beside("dos").await, [text("dos"), text("tres"), text("uno")]);
}

#[tokio::test]
async fn what_a_limit_refuses_is_waited_for_whichever_limit_it_is() {
    for mut limit in [json!({ "scope": "tenant" }), json!({ "scope": "channel", "subject": "whatsapp" })] {
        let line = Line::with(Duration::from_mins(1)).await;
        limit["requests"] = json!(1);
        limit["periodSeconds"] = json!(60);
        line.limits(json!([limit])).await;
        line.taken(&line.body(&[(ANOTHER, "otra", 60)])).await;
        let first = line.body(&[(CUSTOMER, "uno", 20)]);
        let second = line.body(&[(CUSTOMER, "dos", 10)]);
        told(&line.app, &line.graph, &line.path, &first).await.refused(429, "rate_limited");
        let refused = told(&line.app, &line.graph, &line.path, &second).await;
        assert!([429, 503].contains(&refused.status.as_u16()), "by the limit, or for what came before it");
        let minute = || line.app.store.clock.advance(Duration::from_mins(1));
        minute();
        line.not_yet(&second).await;
        minute();
        line.taken(&first).await;
        minute();
        line.taken(&second).await;
        assert_eq!(line.said_beside("dos").await, [text("uno"), text("dos")], "{limit}");
    }
}

#[tokio::test]
async fn of_numbers_that_share_an_app_those_of_a_suspended_tenant_alone_hear_nothing() {
    let line = Line::with(Duration::from_mins(1)).await;
    // The app of the tenant whose address the vendor calls, and the number of another.
    let number = Number { id: "200000000000077".into(), ..line.graph.number().clone() };
    let other = Graph::with(number).await.unwrap();
    let verde = line.verde.tenant_id();
    let keys = line.app.store.vault.keys(&line.app.store.database, &verde).await.unwrap().unwrap();
    line.app.store.number_of(&verde, &keys, &other, None).await.unwrap();
    line.app.manage(&line.owner, Method::POST, &line.andina.path("/suspend"), None).await.expect(200);

    let now = line.app.store.clock.now();
    let theirs = other.event("messages", &[wrote(CUSTOMER, "wamid.theirs", "Buenas", now)]);
    line.taken(&theirs).await;
    assert_eq!(said(&line.app, &line.verde).await.len(), 1);
    // What is told of the suspended one stays with the vendor, and keeps nothing from the other.
    let mut both = line.body(&[(CUSTOMER, "uno", 0)]);
    let more = other.event("messages", &[wrote(CUSTOMER, "wamid.more", "¿Hola?", now)]);
    both["entry"].as_array_mut().unwrap().push(more["entry"][0].clone());
    told(&line.app, &line.graph, &line.path, &both).await.refused(403, "tenant_suspended");
    assert_eq!((said(&line.app, &line.verde).await.len(), said(&line.app, &line.andina).await.len()), (2, 0));
    line.app.manage(&line.owner, Method::POST, &line.andina.path("/activate"), None).await.expect(200);
    line.not_yet(&line.body(&[(CUSTOMER, "dos", 0)])).await;
    line.taken(&both).await;
    line.taken(&line.body(&[(CUSTOMER, "dos", 0)])).await;
    assert_eq!(line.said_beside("dos").await, [text("uno"), text("dos")]);
    assert_eq!(said(&line.app, &line.verde).await.len(), 2);
}
