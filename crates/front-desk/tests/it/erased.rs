//! Contacts whose key is destroyed: what they said is gone, and nothing fails for it.

use crate::{inbox::Stage, support::Tenant};
use http::Method;
use serde_json::{Value, json};

impl Stage {
    /// Destroys the key of the contact of a conversation. Each replica forgets it within minutes; this one at once.
    async fn destroy_key_of(&self, conversation: &str) {
        let store = &self.app.store;
        store
            .admin(format!(
                "delete from misy.contact_keys k using misy.conversations c
                 where c.tenant_id = k.tenant_id and c.contact_id = k.contact_id and c.conversation_id = '{conversation}'"
            ))
            .await
            .unwrap();
        let keys = store.vault.keys(&store.database, &self.andina.tenant_id()).await.unwrap().unwrap();
        keys.forget_contact(conversation);
        keys.forget_contact(&self.session);
    }

    async fn count(&self, what: &str) -> i64 {
        let mut admin = self.app.store.connect_as("postgres").await.unwrap();
        let statement = sqlx::AssertSqlSafe(format!("select count(*) from misy.{what}"));
        sqlx::query_scalar(statement).fetch_one(&mut admin).await.unwrap()
    }
}

fn of<'a>(items: &'a Value, conversation: &str) -> &'a Value {
    items.as_array().unwrap().iter().find(|one| one["conversationId"] == conversation).unwrap()
}

#[tokio::test]
async fn the_list_shows_who_was_erased_and_everybody_else_as_before() {
    let mut stage = Stage::new().await;
    let gone = stage.path.rsplit('/').next().unwrap().to_owned();
    let other = stage.app.session(&stage.contact).await;
    stage.app.say(&stage.contact, &other, "Sigo aquí").await.expect(202);
    stage.post(&stage.ana, "notes", &json!({ "text": "Llamar mañana" })).await.expect(201);
    stage.order(&stage.ana, "take").await.expect(200);
    stage.destroy_key_of(&gone).await;

    let list = stage.andina.path("/conversations");
    for _ in 0..2 {
        let listed = stage.ana.get(&stage.app, &list).await.expect(200);
        let items = &listed.body["items"];
        assert_eq!(items.as_array().unwrap().len(), 2);
        let (erased, stays) = (
            of(items, &gone),
            items.as_array().unwrap().iter().find(|one| one["conversationId"] != gone).unwrap(),
        );
        assert_eq!(
            (&erased["erased"], &erased["newest"], &erased["state"]),
            (&json!(true), &Value::Null, &json!("closed"))
        );
        assert_eq!((&stays["erased"], &stays["newest"]["text"]), (&json!(false), &json!("Sigo aquí")));
        assert_eq!(stage.count("contact_keys").await, 1, "nobody makes a new one");
    }
    let read = stage.ana.get(&stage.app, &stage.path).await.expect(200);
    assert_eq!(
        (&read.body["conversation"]["erased"], &read.body["summary"]["asked"]),
        (&json!(true), &json!([]))
    );
    let messages = stage.ana.get(&stage.app, &format!("{}/messages", stage.path)).await.expect(200);
    assert_eq!(messages.body["items"][0]["parts"], json!([{ "type": "unsupported", "kind": "erased" }]));
    let notes = stage.ana.get(&stage.app, &format!("{}/notes", stage.path)).await.expect(200);
    assert_eq!(notes.body["items"], json!([]));
    // Their page begins anew, as after any session that is over.
    let said = stage.app.say(&stage.contact, &stage.session, "¿Hola?").await;
    assert!((400..500).contains(&said.status.as_u16()), "{}", said.body);
}

async fn account(stage: &Stage, andina: &Tenant) -> String {
    let body = json!({ "channel": "api", "name": "CRM", "callbackUrl": "https://crm.andina.example/misy" });
    let made = stage.app.manage(andina, Method::POST, &andina.path("/channels"), Some(&body)).await;
    made.expect(201).text("accountId")
}

#[tokio::test]
async fn who_was_erased_and_writes_again_on_a_channel_is_somebody_new() {
    let stage = Stage::new().await;
    let account = account(&stage, &stage.andina).await;
    let token = json!({ "siteId": "main", "permissions": ["chat:read", "chat:write"] });
    let server = stage.app.server(&stage.andina, token).await;
    let target = format!("/channels/api/{account}/messages");
    let write = async |id: &str| {
        let body = json!({ "contactId": "c1", "messageId": id, "text": "Hola" });
        stage.app.call(&server, Method::POST, &target, Some(&body)).await
    };
    write("a").await.expect(202);
    let mut admin = stage.app.store.connect_as("postgres").await.unwrap();
    let of_channel = "select conversation_id from misy.conversations where channel = 'api'";
    let first: String = sqlx::query_scalar(of_channel).fetch_one(&mut admin).await.unwrap();
    stage.destroy_key_of(&first).await;
    for (id, sequence) in [("b", 1), ("c", 2)] {
        assert_eq!(write(id).await.expect(202).body["sequence"], sequence, "in a conversation of its own");
    }
    // The contact of the site, and the new one.
    assert_eq!((stage.count("contacts").await, stage.count("contact_keys").await), (3, 2));
}
