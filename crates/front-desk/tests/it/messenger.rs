//! A page of Messenger and an account of Instagram: connected only by whom the vendor knows, and told of by the vendor alone.

use crate::{
    support::App,
    whatsapp::{connect, path, said, stage, tell, text, told},
};
use http::Method;
use misy_domain::{Channel, Clock, Part};
use misy_testkit::graph::Graph;
use serde_json::{Value, json};

const THEY: &str = "1000000000000001";
const BOTH: [Channel; 2] = [Channel::Messenger, Channel::Instagram];

fn account(graph: &Graph, channel: Channel) -> Value {
    let page = graph.page();
    let own = json!({
        "id": page.account(channel), "accessToken": page.token, "appSecret": page.app_secret, "humanAgent": true,
    });
    let mut body = json!({ "channel": channel, "name": "Reception" });
    body[channel.as_str()] = own;
    body
}

/// They do something, as the vendor tells it.
async fn did(app: &App, graph: &Graph, path: &str, channel: Channel, name: &str, own: &Value) {
    let event = graph.did(channel, THEY, app.store.clock.now(), name, own);
    told(app, graph, path, &graph.page_event(channel, &[event])).await.expect(200);
}

#[tokio::test]
async fn an_account_is_connected_only_with_the_token_of_its_page_and_by_one_tenant() {
    let (app, graph, andina, verde) = stage().await;
    for channel in BOTH {
        for (change, field) in [
            (json!({ "accessToken": "EAAsomebodyelse" }), "accessToken"),
            (json!({ "appSecret": "guessed" }), "appSecret"),
            (json!({ "id": "300000000000009" }), "id"),
            (json!({ "id": "../me" }), "id"),
            (json!({ "accessToken": "a b" }), "accessToken"),
        ] {
            let mut body = account(&graph, channel);
            body[channel.as_str()].as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            let answer = connect(&app, &andina, &body).await.refused(422, "validation_failed");
            assert_eq!(answer.body["errors"][0]["pointer"], format!("/{channel}/{field}"), "{change}");
        }
        // What belongs to another channel, or to none.
        let mut odd = account(&graph, channel);
        odd["callbackUrl"] = json!("https://crm.andina.example/");
        connect(&app, &andina, &odd).await.refused(422, "validation_failed");
        connect(&app, &andina, &json!({ "channel": channel, "name": "x" }))
            .await
            .refused(422, "validation_failed");

        let made = connect(&app, &andina, &account(&graph, channel)).await.expect(201);
        let own = &made.body[channel.as_str()];
        assert!(own["verifyToken"].is_string() && made.body["secret"].is_null());
        assert_eq!((&own["pageId"], &own["humanAgent"]), (&json!(graph.page().id), &json!(true)));
        connect(&app, &verde, &account(&graph, channel)).await.refused(409, "conflict");

        let at = andina.path(&format!("/channels/{}", made.text("accountId")));
        let change = async |own: Value| {
            let mut body = json!({});
            body[channel.as_str()] = own;
            app.manage(&andina, Method::PATCH, &at, Some(&body)).await
        };
        change(json!({ "accessToken": "EAAsomebodyelse" })).await.refused(422, "validation_failed");
        let answer =
            change(json!({ "humanAgent": false, "accessToken": graph.page().token })).await.expect(200);
        let shown = answer.body.to_string();
        assert_eq!(answer.body[channel.as_str()]["humanAgent"], false);
        assert!(!shown.contains(&graph.page().token) && !shown.contains("verifyToken"));
        let wrong = json!({ "whatsapp": { "accessToken": graph.number().token } });
        app.manage(&andina, Method::PATCH, &at, Some(&wrong)).await.refused(422, "validation_failed");
    }
}

#[tokio::test]
async fn everything_that_they_do_is_stored_once_and_means_what_it_meant() {
    let (app, graph, andina, _) = stage().await;
    let channel = Channel::Messenger;
    let path = path(&connect(&app, &andina, &account(&graph, channel)).await.expect(201));
    let hello = json!({ "mid": "m_1", "text": "Hola 😀" });
    for _ in 0..3 {
        did(&app, &graph, &path, channel, "message", &hello).await;
    }
    let buttons: Part = serde_json::from_value(json!({ "type": "buttons", "text": "¿Cuál?", "buttons": [
        { "id": "a", "title": "La primera" }, { "id": "b", "title": "La segunda" } ] }))
    .unwrap();
    assert_eq!(app.store.answer(&[buttons]).await.unwrap(), 1);
    let mut admin = app.store.connect_as("postgres").await.unwrap();
    let sent: String = sqlx::query_scalar("select message_id from misy.messages where role = 'agent'")
        .fetch_one(&mut admin)
        .await
        .unwrap();
    let pressed =
        json!({ "mid": "m_2", "text": "Something", "quick_reply": { "payload": format!("{sent}/b") } });
    did(&app, &graph, &path, channel, "message", &pressed).await;
    let picture = json!({ "mid": "m_3", "attachments": [{ "type": "image", "payload": { "url": "https://cdn.example/a" } }] });
    did(&app, &graph, &path, channel, "message", &picture).await;
    let thumb = json!({ "mid": "m_1", "action": "react", "emoji": "👍" });
    did(&app, &graph, &path, channel, "reaction", &thumb).await;
    let edit = json!({ "mid": "m_1", "text": "Buenas", "num_edit": 1 });
    did(&app, &graph, &path, channel, "message_edit", &edit).await;
    did(&app, &graph, &path, channel, "message", &json!({ "mid": "m_1", "is_deleted": true })).await;
    let came = json!({ "ref": "summer", "source": "SHORTLINK" });
    did(&app, &graph, &path, channel, "referral", &came).await;

    let all = said(&app, &andina).await;
    assert_eq!(all.len(), 6);
    assert_eq!((&all[0].1, &all[1].1), (&text("Hola 😀"), &text("La segunda")));
    assert_eq!(all[2].1[0], json!({ "type": "unsupported", "kind": "image" }));
    assert_eq!(all[2].2["files"][0]["url"], "https://cdn.example/a");
    assert_eq!((&all[3].1[0]["type"], &all[3].1[0]["emoji"]), (&json!("reaction"), &json!("👍")));
    assert_eq!((&all[4].1, &all[4].2["edits"]), (&text("Buenas"), &all[3].1[0]["messageId"]));
    assert_eq!(all[5].2["vendor"]["referral"]["ref"], "summer");
}

#[tokio::test]
async fn each_account_is_spoken_for_by_its_own_secret_and_its_own_object() {
    let (app, graph, andina, verde) = stage().await;
    let messenger = path(&connect(&app, &andina, &account(&graph, Channel::Messenger)).await.expect(201));
    let instagram = path(&connect(&app, &andina, &account(&graph, Channel::Instagram)).await.expect(201));
    let hello = json!({ "mid": "m_1", "text": "Hola" });
    let event = |channel| {
        graph.page_event(channel, &[graph.did(channel, THEY, app.store.clock.now(), "message", &hello)])
    };
    // What tells of the one is nothing to the other.
    told(&app, &graph, &instagram, &event(Channel::Messenger)).await.expect(200);
    assert!(said(&app, &andina).await.is_empty());
    let (_, signature, body) = graph.told(&event(Channel::Messenger));
    let forged = signature.replace('a', "b");
    let refused = tell(&app, &messenger, Some(&forged), &body).await;
    refused.refused(401, "signature_invalid");
    // The same id of a person on two accounts is two people.
    told(&app, &graph, &messenger, &event(Channel::Messenger)).await.expect(200);
    told(&app, &graph, &instagram, &event(Channel::Instagram)).await.expect(200);
    assert_eq!(said(&app, &andina).await.iter().map(|one| one.0).collect::<Vec<_>>(), [1, 1]);
    assert!(said(&app, &verde).await.is_empty());
    // The vendor blocks the page.
    did(&app, &graph, &messenger, Channel::Messenger, "policy_enforcement", &json!({ "action": "block" }))
        .await;
    let list = app.manage(&andina, Method::GET, &andina.path("/channels"), None).await.expect(200);
    let items = list.body["items"].as_array().unwrap();
    let status =
        |channel: Channel| &items.iter().find(|one| one["channel"] == channel.as_str()).unwrap()["status"];
    assert_eq!(
        (status(Channel::Messenger), status(Channel::Instagram)),
        (&json!("paused"), &json!("active"))
    );
}
