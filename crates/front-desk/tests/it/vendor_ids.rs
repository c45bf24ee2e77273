//! Ids of vendors, in which the telephone number of who wrote may stand.

use crate::whatsapp::{connect, number, path, said, stage, told};
use misy_domain::Clock;
use misy_testkit::{
    copies::{forms_of, id_with_number},
    graph::{status, wrote},
};
use serde_json::{Value, json};

const CUSTOMER: &str = "573001234567";

#[tokio::test]
async fn a_copy_of_the_database_tells_no_number_of_whoever_wrote() {
    let (app, graph, andina, _) = stage().await;
    let path = path(&connect(&app, &andina, &number(graph.number())).await.expect(201));
    let now = app.store.clock.now();
    let ids: Vec<String> = (0..6).map(|own| id_with_number(CUSTOMER, own)).collect();
    let first = graph.event("messages", &[wrote(CUSTOMER, &ids[0], "Hola", now)]);
    told(&app, &graph, &path, &first).await.expect(200);
    assert_eq!(app.store.answer(&[misy_domain::Part::text("Buenos días")]).await.unwrap(), 1);
    let mut answer = wrote(CUSTOMER, &ids[1], "Sí", now);
    answer["context"] = json!({ "from": "15550001111", "id": ids[0] });
    let thumb = json!({ "from": CUSTOMER, "id": ids[2], "timestamp": now.as_second(), "type": "reaction",
                        "reaction": { "message_id": ids[0], "emoji": "👍" } });
    let more = graph.event("messages", &[answer, thumb]);
    let receipts = graph.event("statuses", &[status(&Value::Null, &ids[3], "read", None)]);
    for event in [&more, &receipts, &first, &more] {
        told(&app, &graph, &path, event).await.expect(200);
    }
    let all = said(&app, &andina).await;
    assert_eq!(all.len(), 3, "each once: {all:?}");
    assert!(all[1].2["replyTo"].as_str().unwrap().starts_with("msg_"));
    assert!(all[2].1[0]["messageId"].as_str().unwrap().starts_with("msg_"));
    let found = app.store.tables_with(&forms_of(CUSTOMER)).await.unwrap();
    assert!(found.is_empty(), "{found:#?}");

    // Whoever may read what was said gets the id that the vendor gave.
    let id = andina.tenant_id();
    let keys = app.store.vault.keys(&app.store.database, &id).await.unwrap().unwrap();
    let mut admin = app.store.connect_as("postgres").await.unwrap();
    let conversation: String = sqlx::query_scalar("select conversation_id from misy.conversations")
        .fetch_one(&mut admin)
        .await
        .unwrap();
    let read =
        app.store.database.messages_since(&id, &keys, conversation.parse().unwrap(), 0, 1).await.unwrap();
    assert_eq!(read[0].client_message_id.as_ref(), Some(&ids[0]));
}
