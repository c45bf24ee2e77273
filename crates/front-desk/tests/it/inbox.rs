//! People who answer contacts.

use crate::{
    live::{Events, follow},
    people::Browser,
    support::{Answer, App, Tenant, Token},
};
use http::Method;
use misy_domain::UserId;
use misy_store::{
    StoreError,
    leases::{Claimed, Cursor, LeaseTerms, Share, WorkerId},
    turns::{self, Conversations, TurnResult},
};
use serde_json::{Value, json};

/// A tenant whose contact has written, and a person who may answer.
pub(crate) struct Stage {
    pub(crate) app: App,
    pub(crate) andina: Tenant,
    pub(crate) contact: Token,
    pub(crate) session: String,
    /// The path of the conversation.
    pub(crate) path: String,
    pub(crate) ana: Browser,
    pub(crate) ana_id: UserId,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::on(App::start().await).await
    }

    pub(crate) async fn on(app: App) -> Self {
        let (_, andina) = app.two().await;
        let contact = app.browser(&andina).await;
        let session = app.session(&contact).await;
        app.say(&contact, &session, "Quiero hablar con una persona").await.expect(202);
        let (mut ana, ana_id) = app.somebody(&andina, &["agent"]).await;
        let listed = ana.get(&app, &andina.path("/conversations")).await.expect(200);
        let id = listed.body["items"][0]["conversationId"].as_str().unwrap().to_owned();
        let path = andina.path(&format!("/conversations/{id}"));
        Self { app, andina, contact, session, path, ana, ana_id }
    }

    pub(crate) async fn order(&self, who: &Browser, verb: &str) -> Answer {
        let request = who.request(Method::POST, &format!("{}/{verb}", self.path), None);
        self.app.send(request).await
    }

    pub(crate) async fn write(&self, who: &Browser, id: &str, text: &str) -> Answer {
        let body = json!({ "clientMessageId": id, "text": text });
        let request = who.request(Method::POST, &format!("{}/messages", self.path), Some(&body));
        self.app.send(request).await
    }

    pub(crate) async fn post(&self, who: &Browser, verb: &str, body: &Value) -> Answer {
        let request = who.request(Method::POST, &format!("{}/{verb}", self.path), Some(body));
        self.app.send(request).await
    }

    pub(crate) async fn people_hear(&self, who: &Browser) -> Events {
        let request = who.request(Method::GET, &self.andina.path("/inbox/events"), None);
        let mut events = Events::of(self.app.open(request).await);
        events.expect("ready").await;
        events
    }
}

#[tokio::test]
async fn a_person_takes_a_conversation_answers_and_gives_it_back_and_the_contact_sees_who_answers() {
    let mut stage = Stage::new().await;
    let mut contact = follow(&stage.app, &stage.contact, &stage.session, Some(1)).await;
    contact.expect("status").await;
    // Nobody writes who does not hold it.
    stage.write(&stage.ana, "a", "Hola").await.refused(409, "conversation_not_held");
    let taken = stage.order(&stage.ana, "take").await.expect(200);
    assert_eq!(taken.body["conversation"]["state"], "person");
    assert_eq!(taken.body["conversation"]["assignee"]["userId"], stage.ana_id.to_string());
    assert_eq!(taken.body["summary"]["asked"], json!(["Quiero hablar con una persona"]));
    assert_eq!(taken.headers["etag"], "\"1\"");
    let handoff = contact.expect("handoff").await;
    assert_eq!(handoff.data, json!({ "status": "handoff", "state": "person", "personName": "Somebody" }));
    contact.expect("status").await;
    // Taken twice is taken once.
    assert_eq!(stage.order(&stage.ana, "take").await.expect(200).headers["etag"], "\"1\"");

    let written = stage.write(&stage.ana, "a", "Hola, soy Ana").await.expect(202);
    assert_eq!(written.body["sequence"], 2);
    assert_eq!(stage.write(&stage.ana, "a", "Hola, soy Ana").await.expect(202).body, written.body);
    let heard = contact.expect("message").await;
    assert_eq!((&heard.data["role"], &heard.data["authorName"]), (&json!("human"), &json!("Somebody")));
    assert_eq!(heard.data["parts"][0]["text"], "Hola, soy Ana");
    // Whoever comes back later is told who answers.
    let mut again = follow(&stage.app, &stage.contact, &stage.session, Some(2)).await;
    again.expect("status").await;
    assert_eq!(again.expect("handoff").await.data["personName"], "Somebody");

    // Both sides are in one sequence.
    stage.app.say(&stage.contact, &stage.session, "Gracias").await.expect(202);
    contact.expect("message").await;
    let said = stage.ana.get(&stage.app, &format!("{}/messages", stage.path)).await.expect(200);
    let sequence: Vec<_> =
        said.body["items"].as_array().unwrap().iter().map(|one| (&one["sequence"], &one["role"])).collect();
    let (contact_says, human) = (json!("contact"), json!("human"));
    assert_eq!(sequence, [(&json!(1), &contact_says), (&json!(2), &human), (&json!(3), &contact_says)]);

    let back = stage.order(&stage.ana, "hand-back").await.expect(200);
    assert_eq!(back.body["conversation"]["state"], "assistant");
    assert_eq!(contact.expect("handoff").await.data, json!({ "status": "active", "state": "assistant" }));
    contact.expect("status").await;
    stage.write(&stage.ana, "b", "¿Sigue ahí?").await.refused(409, "conversation_not_held");

    // It ends, and begins again when the contact writes.
    let closed = stage.order(&stage.ana, "close").await.expect(200);
    assert_eq!(closed.body["conversation"]["state"], "closed");
    contact.expect("handoff").await;
    assert_eq!(contact.expect("status").await.data["status"], "closed");
    stage.app.say(&stage.contact, &stage.session, "Una cosa más").await.expect(202);
    contact.expect("message").await;
    assert_eq!(contact.expect("handoff").await.data["state"], "assistant");
    assert_eq!(contact.expect("status").await.data["status"], "active");

    // Each of that stands in the trail, without a word of what was said.
    let trail =
        stage.app.manage(&stage.andina, Method::GET, &stage.andina.path("/audit?kind=change"), None).await;
    let trail = trail.expect(200).body["items"].clone();
    for action in ["takeConversation", "answerConversation", "handBackConversation", "closeConversation"] {
        let told: Vec<_> = trail.as_array().unwrap().iter().filter(|one| one["action"] == action).collect();
        assert_eq!(told.len(), 1, "{action} in {trail}");
        assert_eq!(told[0]["actor"], stage.ana_id.to_string());
    }
    assert!(!trail.to_string().contains("Hola"), "{trail}");
}

#[tokio::test]
async fn of_two_people_one_takes_it_and_the_other_hears_who_was_first() {
    let stage = Stage::new().await;
    let (luz, _) = stage.app.somebody(&stage.andina, &["agent"]).await;
    let (first, second) = tokio::join!(stage.order(&stage.ana, "take"), stage.order(&luz, "take"));
    let (winner, loser, refused) =
        if first.status == 200 { (&stage.ana, &luz, second) } else { (&luz, &stage.ana, first) };
    let refused = refused.refused(409, "conversation_held");
    assert_eq!(refused.text("detail"), "Somebody holds this conversation.");
    stage.write(loser, "a", "Hola").await.refused(409, "conversation_held");
    for verb in ["take", "hand-back", "close"] {
        stage.order(loser, verb).await.refused(409, "conversation_held");
    }
    stage.post(loser, "typing", &json!({ "active": true })).await.refused(409, "conversation_held");
    // Many at once, and sent again: each once, in one sequence.
    let texts: Vec<_> = (0..20).map(|number| (number % 10).to_string()).collect();
    let sent = texts.iter().map(|id| stage.write(winner, id, id));
    let mut sequences: Vec<i64> = futures_util::future::join_all(sent)
        .await
        .into_iter()
        .map(|answer| answer.expect(202).body["sequence"].as_i64().unwrap())
        .collect();
    sequences.sort_unstable();
    sequences.dedup();
    assert_eq!(sequences, (2..12).collect::<Vec<_>>());
    // What was read before somebody else changed it is told so.
    let mut outdated = winner.request(Method::POST, &format!("{}/hand-back", stage.path), None);
    crate::support::put(&mut outdated, "if-match", "\"0\"");
    stage.app.send(outdated).await.refused(412, "stale");
}

#[tokio::test]
async fn only_those_who_answer_read_and_only_supervisors_say_who_answers() {
    let stage = Stage::new().await;
    let (manager, manager_id) = stage.app.somebody(&stage.andina, &["manager"]).await;
    let (analyst, analyst_id) = stage.app.somebody(&stage.andina, &["analyst", "developer", "auditor"]).await;
    let messages = format!("{}/messages", stage.path);
    for path in [
        stage.path.clone(),
        messages,
        stage.andina.path("/conversations"),
        stage.andina.path("/inbox/events"),
    ] {
        stage.app.send(analyst.request(Method::GET, &path, None)).await.refused(403, "permission_denied");
        // A server is nobody who answers.
        stage.app.with_token(&stage.andina, Method::GET, &path, None).await.refused(401, "step_up_required");
    }
    for verb in ["take", "hand-back", "close"] {
        stage.order(&analyst, verb).await.refused(403, "permission_denied");
    }
    let to = |user: UserId| json!({ "userId": user });
    stage.post(&stage.ana, "assign", &to(stage.ana_id)).await.refused(403, "permission_denied");
    stage.post(&manager, "assign", &to(analyst_id)).await.refused(422, "validation_failed");
    let assigned = stage.post(&manager, "assign", &to(stage.ana_id)).await.expect(200);
    assert_eq!(assigned.body["conversation"]["assignee"]["userId"], stage.ana_id.to_string());
    // What somebody else holds is theirs, until a supervisor says otherwise.
    stage.order(&manager, "take").await.refused(409, "conversation_held");
    stage.post(&manager, "assign", &to(manager_id)).await.expect(200);
    stage.write(&stage.ana, "a", "Hola").await.refused(409, "conversation_held");
    let queued = stage.post(&manager, "assign", &json!({ "userId": null })).await.expect(200);
    assert_eq!(queued.body["conversation"]["state"], "waiting");
    assert!(queued.body["conversation"]["waitingSince"].is_string());
}

#[tokio::test]
async fn who_is_disabled_holds_nothing_and_hears_nothing_any_more() {
    let stage = Stage::new().await;
    let (mut luz, _) = stage.app.somebody(&stage.andina, &["agent"]).await;
    stage.order(&stage.ana, "take").await.expect(200);
    let (mut anas, mut luzs) = (stage.people_hear(&stage.ana).await, stage.people_hear(&luz).await);
    stage.app.say(&stage.contact, &stage.session, "¿Hola?").await.expect(202);
    let id = stage.path.rsplit('/').next().unwrap();
    for events in [&mut anas, &mut luzs] {
        assert_eq!(events.expect("changed").await.data, json!({ "conversationIds": [id] }));
    }
    let disable = json!({ "disabled": true });
    let user = stage.andina.path(&format!("/users/{}", stage.ana_id));
    stage.app.in_person(&stage.andina, Method::PATCH, &user, Some(&disable)).await.expect(200);
    anas.expect("ended").await;
    assert!(anas.next().await.is_none());
    let waiting = luz.get(&stage.app, &stage.andina.path("/conversations?state=waiting")).await.expect(200);
    assert_eq!(waiting.body["items"][0]["conversationId"], id);
    stage.order(&luz, "take").await.expect(200);
    // Whoever was removed leaves nothing behind either.
    let mine = luz.get(&stage.app, &stage.andina.path("/conversations?mine=true")).await.expect(200);
    let holder = mine.body["items"][0]["assignee"]["userId"].as_str().unwrap().to_owned();
    let user = stage.andina.path(&format!("/users/{holder}"));
    stage.app.in_person(&stage.andina, Method::DELETE, &user, None).await.expect(204);
    luzs.expect("ended").await;
    let (mut eva, _) = stage.app.somebody(&stage.andina, &["agent"]).await;
    let read = eva.get(&stage.app, &stage.path).await.expect(200);
    assert_eq!(read.body["conversation"]["state"], "waiting");
}

#[tokio::test]
async fn a_turn_that_is_under_way_says_nothing_once_a_person_has_taken_the_conversation() {
    let stage = Stage::new().await;
    let store = &stage.app.store;
    let keys = store.vault.keys(&store.database, &stage.andina.tenant_id()).await.unwrap().unwrap();
    let worker = WorkerId::new(&*store.entropy);
    let terms = LeaseTerms::default();
    let claim = async || -> Claimed<Conversations> {
        store.database.claim(&worker, 10, &terms, &Cursor::default(), Share::ALL).await.unwrap()
    };
    let lease = claim().await.leases.pop().unwrap();
    let load = async |lease| {
        let mut tx = store.database.tenant_work("test", &stage.andina.tenant_id()).await.unwrap();
        let work = turns::load_turn(&mut tx, &keys, lease).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        work
    };
    let work = load(&lease).await;
    assert!(!work.is_silent);
    stage.order(&stage.ana, "take").await.expect(200);
    let result = TurnResult {
        work: &work,
        replies: &[],
        agent: "support",
        language: misy_domain::Language::Es,
        unanswered_in_a_row: 0,
        handoff: None,
        decision: &json!({}),
        wait: None,
        took: std::time::Duration::ZERO,
    };
    let committed =
        store.database.commit_turn(&lease, &result, &keys, &store.bell, &*store.clock, &*store.entropy).await;
    assert!(matches!(committed, Err(StoreError::LeaseLost)), "{committed:?}");
    // What was asked is due again, and now it is known that somebody else answers.
    let lease = claim().await.leases.pop().unwrap();
    assert!(load(&lease).await.is_silent);
}

#[tokio::test]
async fn what_a_person_writes_on_a_channel_is_delivered_after_what_was_said_before() {
    let stage = Stage::new().await;
    let body = json!({ "channel": "api", "name": "CRM", "callbackUrl": "https://crm.andina.example/misy" });
    let account =
        stage.app.manage(&stage.andina, Method::POST, &stage.andina.path("/channels"), Some(&body)).await;
    let account = account.expect(201).text("accountId");
    let token = json!({ "siteId": "main", "permissions": ["chat:read", "chat:write"] });
    let server = stage.app.server(&stage.andina, token).await;
    let wrote = json!({ "contactId": "c1", "messageId": "a", "text": "Hola" });
    let target = format!("/channels/api/{account}/messages");
    stage.app.call(&server, Method::POST, &target, Some(&wrote)).await.expect(202);
    let mut ana = stage.ana;
    let listed = ana.get(&stage.app, &stage.andina.path("/conversations?channel=api")).await.expect(200);
    let items = listed.body["items"].as_array().unwrap();
    assert_eq!((items.len(), &items[0]["channel"]), (1, &json!("api")));
    let path = stage.andina.path(&format!("/conversations/{}", items[0]["conversationId"].as_str().unwrap()));
    ana.order(&stage.app, Method::POST, &format!("{path}/take")).await.expect(200);
    // An id that the contact's side used is the person's own all the same.
    let answer = json!({ "clientMessageId": "a", "text": "Hola, ¿en qué ayudo?" });
    let sent = ana.post(&stage.app, &format!("{path}/messages"), &answer).await.expect(202);
    let said = ana.get(&stage.app, &format!("{path}/messages")).await.expect(200);
    assert_eq!(
        said.body["deliveries"],
        json!([{ "messageId": sent.text("messageId"), "status": "queued", "error": null }])
    );
    assert_eq!(said.body["items"][1]["accountId"], account);
}

#[tokio::test]
async fn notes_are_for_people_alone_and_typing_is_seen_by_the_contact() {
    let mut stage = Stage::new().await;
    let mut contact = follow(&stage.app, &stage.contact, &stage.session, Some(1)).await;
    contact.expect("status").await;
    let hostile = "<script>alert(1)</script> \u{202e}\u{1F469}";
    let notes = stage.post(&stage.ana, "notes", &json!({ "text": hostile })).await.expect(201);
    assert_eq!(notes.body["items"][0]["text"], hostile);
    stage.post(&stage.ana, "notes", &json!({ "text": "  " })).await.refused(422, "validation_failed");
    let listed = stage.ana.get(&stage.app, &format!("{}/notes", stage.path)).await.expect(200);
    assert_eq!(listed.body["items"][0]["author"]["userId"], stage.ana_id.to_string());
    stage.order(&stage.ana, "take").await.expect(200);
    contact.expect("handoff").await;
    contact.expect("status").await;
    stage.post(&stage.ana, "typing", &json!({ "active": true })).await.expect(204);
    assert_eq!(contact.expect("typing").await.data, json!({ "active": true, "agentName": "person" }));
    // What is written ends it.
    stage.write(&stage.ana, "a", "Hola").await.expect(202);
    let next = contact.next().await.unwrap();
    assert!(!next.data.to_string().contains("script"), "{next:?}");
    let path = format!("/sessions/{}/messages", stage.session);
    let history = stage.app.call(&stage.contact, Method::GET, &path, None).await.expect(200);
    assert!(!history.body.to_string().contains("script"), "{}", history.body);
}

#[tokio::test]
async fn conversations_of_another_tenant_are_nobodys() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let verde = app.register(&owner, "verde-cafe", "https://verde.example").await;
    let contact = app.browser(&verde).await;
    let session = app.session(&contact).await;
    app.say(&contact, &session, "Hola").await.expect(202);
    let (mut luz, luz_id) = app.somebody(&verde, &["manager"]).await;
    let listed = luz.get(&app, &verde.path("/conversations")).await.expect(200);
    let id = listed.body["items"][0]["conversationId"].as_str().unwrap();
    let (mut ana, ana_id) = app.somebody(&andina, &["admin"]).await;
    assert_eq!(ana.get(&app, &andina.path("/conversations")).await.expect(200).body["items"], json!([]));
    // By its id in the own tenant, and in the other one; and people of the owner come by it no more.
    let somebody = app.at_once(&owner).await;
    for (who, tenant, status) in [(&ana, &andina, 404), (&ana, &verde, 404), (&somebody, &verde, 403)] {
        for (method, rest, body) in [
            (Method::GET, "", None),
            (Method::GET, "/messages", None),
            (Method::GET, "/notes", None),
            (Method::POST, "/take", None),
            (Method::POST, "/close", None),
            (Method::POST, "/hand-back", None),
            (Method::POST, "/assign", Some(json!({ "userId": ana_id }))),
            (Method::POST, "/messages", Some(json!({ "text": "Hola" }))),
            (Method::POST, "/notes", Some(json!({ "text": "Hola" }))),
            (Method::POST, "/typing", Some(json!({ "active": true }))),
        ] {
            let path = tenant.path(&format!("/conversations/{id}{rest}"));
            let answer = app.send(who.request(method, &path, body.as_ref())).await;
            assert_eq!(answer.status, status, "{path}: {}", answer.body);
        }
    }
    // Nor can somebody of another tenant be given one.
    let path = verde.path(&format!("/conversations/{id}/assign"));
    luz.post(&app, &path, &json!({ "userId": ana_id })).await.refused(422, "validation_failed");
    luz.post(&app, &path, &json!({ "userId": luz_id })).await.expect(200);
}

#[tokio::test]
async fn pages_go_from_the_newest_activity_to_the_oldest_and_miss_none() {
    let mut stage = Stage::new().await;
    let mut expected = vec![stage.path.rsplit('/').next().unwrap().to_owned()];
    for _ in 0..6 {
        let session = stage.app.session(&stage.contact).await;
        stage.app.say(&stage.contact, &session, "Hola").await.expect(202);
    }
    // Some at the very same time.
    let together = "update misy.conversations set active_at = '2026-11-28' where active_at > (select min(active_at) from misy.conversations)";
    stage.app.store.admin(together).await.unwrap();
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = stage.andina.path(&format!("/conversations?limit=2{cursor}"));
        let page = stage.ana.get(&stage.app, &path).await.expect(200);
        let items = page.body["items"].as_array().unwrap();
        seen.extend(items.iter().map(|one| one["conversationId"].as_str().unwrap().to_owned()));
        let Some(next) = page.body["nextCursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen.len(), 7);
    expected.extend(seen.iter().cloned());
    expected.sort_unstable();
    expected.dedup();
    assert_eq!(expected.len(), 7, "each once");
    stage
        .ana
        .get(&stage.app, &stage.andina.path("/conversations?cursor=x"))
        .await
        .refused(422, "validation_failed");
    // The messages of one, from the newest back.
    for number in 0..5 {
        stage.app.say(&stage.contact, &stage.session, &number.to_string()).await.expect(202);
    }
    let page = stage.ana.get(&stage.app, &format!("{}/messages?limit=4", stage.path)).await.expect(200);
    assert_eq!(page.body["items"][0]["sequence"], 3);
    let cursor = page.body["nextCursor"].as_str().unwrap();
    let path = format!("{}/messages?limit=4&cursor={cursor}", stage.path);
    let before = stage.ana.get(&stage.app, &path).await.expect(200);
    assert_eq!(before.body["items"].as_array().unwrap().len(), 2);
    assert!(before.body["nextCursor"].is_null());
    let since = stage.ana.get(&stage.app, &format!("{}/messages?after=5", stage.path)).await.expect(200);
    assert_eq!(since.body["items"][0]["sequence"], 6);
}

#[tokio::test]
async fn a_tenant_is_told_once_that_somebody_waits_too_long_for_a_person() {
    let stage = Stage::new().await;
    let (manager, _) = stage.app.somebody(&stage.andina, &["manager"]).await;
    stage.post(&manager, "assign", &json!({ "userId": null })).await.expect(200);
    let store = &stage.app.store;
    let told = async |patience| store.database.tell_of_waiting(&store.vault, patience).await.unwrap();
    assert_eq!(told(std::time::Duration::from_mins(15)).await, 0);
    let long = "update misy.conversations set waiting_since = waiting_since - interval '20 min'";
    stage.app.store.admin(long).await.unwrap();
    assert_eq!(told(std::time::Duration::from_mins(15)).await, 1);
    assert_eq!(told(std::time::Duration::from_mins(15)).await, 0, "once an hour");
    let alerts = stage.app.send(manager.request(Method::GET, &stage.andina.path("/alerts"), None)).await;
    assert_eq!(alerts.expect(200).body["items"][0]["rule"], "handoff_waiting");
}
