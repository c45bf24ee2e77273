//! What people who answer hold: no more than they may, nothing once they lose the right, and ended only as they saw it.

use crate::{
    inbox::Stage,
    people::Browser,
    support::{Answer, App, PATIENCE},
};
use http::Method;
use misy_store::{
    leases::{Claimed, Cursor, LeaseTerms, Share, WorkerId},
    turns::{self, Conversations},
};
use serde_json::{Value, json};
use std::time::Duration;

impl Stage {
    async fn state(&self) -> Value {
        let answer = self.app.send(self.luz_reads().await).await.expect(200);
        answer.body["conversation"]["state"].clone()
    }

    async fn luz_reads(&self) -> http::Request<axum::body::Body> {
        let (luz, _) = self.app.somebody(&self.andina, &["agent"]).await;
        luz.request(Method::GET, &self.path, None)
    }

    async fn ends(&self, who: &Browser, verb: &str, seen: i64) -> Answer {
        self.post(who, verb, &json!({ "seen": seen })).await
    }
}

#[tokio::test]
async fn what_the_contact_wrote_unseen_is_neither_given_back_nor_closed() {
    let stage = Stage::new().await;
    stage.order(&stage.ana, "take").await.expect(200);
    stage.app.say(&stage.contact, &stage.session, "¿Hola?").await.expect(202);
    for verb in ["hand-back", "close"] {
        stage.ends(&stage.ana, verb, 1).await.refused(409, "conversation_moved");
        stage.post(&stage.ana, verb, &json!({ "seen": "2" })).await.refused(422, "validation_failed");
    }
    assert_eq!(stage.state().await, "person");
    stage.ends(&stage.ana, "hand-back", 2).await.expect(200);
    // Why a person was asked for is no reason any more.
    let (mut luz, _) = stage.app.somebody(&stage.andina, &["agent"]).await;
    let read = luz.get(&stage.app, &stage.path).await.expect(200);
    assert_eq!(read.body["summary"]["handoff"], json!(null));
    // What is so already is so, however little somebody saw of it.
    stage.ends(&stage.ana, "hand-back", 1).await.expect(200);
    stage.ends(&stage.ana, "close", 2).await.expect(200);
    assert_eq!(stage.state().await, "closed");
}

#[tokio::test]
async fn what_a_person_has_answered_the_assistant_does_not_answer_again() {
    let stage = Stage::new().await;
    let store = &stage.app.store;
    let keys = store.vault.keys(&store.database, &stage.andina.tenant_id()).await.unwrap().unwrap();
    let (worker, terms) = (WorkerId::new(&*store.entropy), LeaseTerms::default());
    let loads = async || {
        let claimed: Claimed<Conversations> =
            store.database.claim(&worker, 10, &terms, &Cursor::default(), Share::ALL).await.unwrap();
        let lease = claimed.leases.into_iter().next()?;
        let mut tx = store.database.tenant_work("test", &stage.andina.tenant_id()).await.unwrap();
        let work = turns::load_turn(&mut tx, &keys, &lease).await.unwrap();
        tx.commit().await.unwrap();
        work
    };
    // Nobody works while Ana answers; one piece of work is given up.
    stage.order(&stage.ana, "take").await.expect(200);
    stage.write(&stage.ana, "a", "Hola, soy Ana").await.expect(202);
    store.admin("update misy.conversations set dead_at = now(), attempts = 9, work_at = null").await.unwrap();
    stage.ends(&stage.ana, "hand-back", 1).await.expect(200);
    assert!(loads().await.is_none());
    // What the contact writes from now on is the assistant's again.
    stage.app.say(&stage.contact, &stage.session, "¿A qué hora abren?").await.expect(202);
    let work = loads().await.unwrap();
    assert!(!work.is_silent);
    assert_eq!(work.waiting.iter().map(|message| message.sequence).collect::<Vec<_>>(), [3]);
}

#[tokio::test]
async fn who_may_not_answer_any_more_holds_nothing() {
    let stage = Stage::new().await;
    let (luz, _) = stage.app.somebody(&stage.andina, &["agent"]).await;
    let roles = stage.andina.path("/roles");
    let reception = json!({
        "roleId": "reception", "name": "Reception",
        "actions": ["conversations:read", "conversations:write"],
    });
    stage.app.in_person(&stage.andina, Method::POST, &roles, Some(&reception)).await.expect(201);
    let user = stage.andina.path(&format!("/users/{}", stage.ana_id));
    let has = async |roles: &[&str]| {
        let body = json!({ "roles": roles });
        stage.app.in_person(&stage.andina, Method::PATCH, &user, Some(&body)).await.expect(200);
    };
    // Another role that may answer takes nothing away.
    stage.order(&stage.ana, "take").await.expect(200);
    has(&["agent", "reception"]).await;
    assert_eq!(stage.state().await, "person");
    has(&["reception"]).await;
    assert_eq!(stage.state().await, "person");
    let mut luzs = stage.people_hear(&luz).await;
    let reads = json!({ "actions": ["conversations:read"] });
    let path = stage.andina.path("/roles/reception");
    stage.app.in_person(&stage.andina, Method::PATCH, &path, Some(&reads)).await.expect(200);
    luzs.expect("changed").await;
    assert_eq!(stage.state().await, "waiting");
    let body = json!({ "userId": stage.ana_id });
    let (manager, _) = stage.app.somebody(&stage.andina, &["manager"]).await;
    stage.post(&manager, "assign", &body).await.refused(422, "validation_failed");
    has(&["agent"]).await;
    stage.post(&manager, "assign", &body).await.expect(200);
    luzs.expect("changed").await;
    has(&["analyst"]).await;
    luzs.expect("changed").await;
    assert_eq!(stage.state().await, "waiting");
}

#[tokio::test]
async fn one_person_holds_so_many_and_no_more_and_gives_them_up_in_one_moment() {
    let stage = Stage::new().await;
    let ana = stage.ana_id;
    let copies = format!(
        "insert into misy.conversations
         select (jsonb_populate_record(null::misy.conversations, to_jsonb(c) || jsonb_build_object(
                     'conversation_id', misy.new_id('cnv'), 'status', 'handoff', 'assignee', '{ana}',
                     'waiting_since', null, 'work_at', null))).*
         from misy.conversations c, generate_series(1, 200)"
    );
    stage.app.store.admin(copies).await.unwrap();
    stage.order(&stage.ana, "take").await.refused(409, "too_many");
    let body = json!({ "userId": ana });
    let (manager, _) = stage.app.somebody(&stage.andina, &["manager"]).await;
    stage.post(&manager, "assign", &body).await.refused(409, "too_many");
    let user = stage.andina.path(&format!("/users/{ana}"));
    let disable = json!({ "disabled": true });
    stage.app.in_person(&stage.andina, Method::PATCH, &user, Some(&disable)).await.expect(200);
    let (mut luz, _) = stage.app.somebody(&stage.andina, &["agent"]).await;
    let waiting = stage.andina.path("/conversations?state=waiting&limit=200");
    let waiting = luz.get(&stage.app, &waiting).await.expect(200);
    assert_eq!(waiting.body["items"].as_array().unwrap().len(), 200);
}

#[tokio::test]
async fn what_nobody_rang_for_is_missed() {
    let app = App::start_with(|settings| settings.keep_alive = Duration::from_millis(20)).await;
    let stage = Stage::on(app).await;
    let mut anas = stage.people_hear(&stage.ana).await;
    let held = format!(
        "status = 'handoff', assignee = '{}', waiting_since = null, handling = handling + 1",
        stage.ana_id
    );
    for change in [
        "active_at = active_at + interval '1 s'",
        // Asked for, taken, given to somebody else, given back, closed, and written again by the contact.
        "status = 'handoff', waiting_since = now(), handling = handling + 1",
        held.as_str(),
        "assignee = 'usr_other', handling = handling + 1",
        "status = 'active', assignee = null, handling = handling + 1",
        "status = 'closed', handling = handling + 1",
        "status = 'active', handling = handling + 1",
    ] {
        stage.app.store.admin(format!("update misy.conversations set {change}")).await.unwrap();
        anas.expect("missed").await;
    }
    stage.app.desk.stop_streams();
}

#[tokio::test]
async fn a_change_that_is_committed_after_a_later_one_is_missed_too() {
    let app = App::start_with(|settings| settings.keep_alive = Duration::from_millis(20)).await;
    let stage = Stage::on(app).await;
    let other = stage.app.session(&stage.contact).await;
    stage.app.say(&stage.contact, &other, "Hola").await.expect(202);
    let mut anas = stage.people_hear(&stage.ana).await;
    let close = |first: bool| {
        let which = if first { "min" } else { "max" };
        let of = format!("(select {which}(conversation_id) from misy.conversations)");
        format!(
            "update misy.conversations set status = 'closed', handling = handling + 1 where conversation_id = {of}"
        )
    };
    let mut slow = stage.app.store.connect_as("postgres").await.unwrap();
    let mut slow = sqlx::Connection::begin(&mut slow).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(close(true))).execute(&mut *slow).await.unwrap();
    stage.app.store.admin(close(false)).await.unwrap();
    anas.expect("missed").await;
    slow.commit().await.unwrap();
    anas.expect("missed").await;
    stage.app.desk.stop_streams();
}

#[tokio::test]
async fn replicas_that_look_at_the_same_moment_tell_once_that_somebody_waits() {
    const TELL: &str = "select misy.tell_of_waiting('15 min', sha256('key'))";
    let stage = Stage::new().await;
    let store = &stage.app.store;
    let waits = "update misy.conversations set status = 'handoff', waiting_since = now() - interval '20 min'";
    store.admin(waits).await.unwrap();
    let mut one = store.connect_as("misy_system").await.unwrap();
    let mut one = sqlx::Connection::begin(&mut one).await.unwrap();
    let told: i64 = sqlx::query_scalar(TELL).fetch_one(&mut *one).await.unwrap();
    assert_eq!(told, 1);
    // The other one has begun before the first is done. It waits for what becomes of that.
    let mut other = store.connect_as("misy_system").await.unwrap();
    let other = tokio::spawn(async move { sqlx::query_scalar::<_, i64>(TELL).fetch_one(&mut other).await });
    let mut admin = store.connect_as("postgres").await.unwrap();
    let waiting = "select count(*) from pg_catalog.pg_stat_activity
                   where datname = current_database() and wait_event_type = 'Lock'";
    while !other.is_finished()
        && sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut admin).await.unwrap() == 0
    {
        tokio::task::yield_now().await;
    }
    one.commit().await.unwrap();
    assert_eq!(other.await.unwrap().unwrap(), 0);
    let alerts = "select count(*) from misy.alerts where rule = 'handoff_waiting'";
    assert_eq!(sqlx::query_scalar::<_, i64>(alerts).fetch_one(&mut admin).await.unwrap(), 1);
}

#[tokio::test]
async fn an_open_stream_is_no_use_of_a_session() {
    let stage = Stage::new().await;
    let mut anas = stage.people_hear(&stage.ana).await;
    // Longer than a session lasts that nobody uses.
    stage.app.advance(Duration::from_hours(13));
    tokio::time::timeout(PATIENCE, anas.expect("ended")).await.unwrap();
    assert!(anas.next().await.is_none());
    let request = stage.ana.request(Method::GET, &stage.path, None);
    stage.app.send(request).await.refused(401, "session_expired");
}

#[tokio::test]
async fn streams_of_people_count_against_their_network() {
    let app = App::start_with(|settings| settings.streams_per_address = 2).await;
    let stage = Stage::on(app).await;
    let (luz, _) = stage.app.somebody(&stage.andina, &["agent"]).await;
    let _first = stage.people_hear(&stage.ana).await;
    let _second = stage.people_hear(&luz).await;
    let path = stage.andina.path("/inbox/events");
    let third = stage.app.send(stage.ana.request(Method::GET, &path, None)).await;
    third.refused(429, "rate_limited");
    stage.app.desk.stop_streams();
}
