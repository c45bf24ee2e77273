//! How much files may take.

use misy_domain::FileId;
use misy_store::{
    StoreError,
    files::{self, Begun, NewFile},
};
use misy_testkit::store::{TestStore, TestTenant, test_store};

async fn begin(
    store: &TestStore,
    tenant: &TestTenant,
    conversation: misy_domain::ConversationId,
    size: u64,
    room: Option<i64>,
) -> Result<Begun, StoreError> {
    let new = NewFile {
        file_id: FileId::new(&*store.clock, &*store.entropy),
        conversation,
        media_type: "image/png",
        size,
        name: Some("a.png"),
    };
    let mut tx = store.database.tenant("test.files", &tenant.id).await?;
    let begun = files::begin(&mut tx, &tenant.keys, &new, room, &*store.entropy).await?;
    tx.commit().await?;
    Ok(begun)
}

#[tokio::test]
async fn all_files_of_a_tenant_share_its_room_however_many_come_at_once() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let other = store.tenant("verde-cafe").await.unwrap();
    let here = store.session(&tenant).await.unwrap().conversation_id;
    let there = store.session(&other).await.unwrap().conversation_id;
    let all = (0..8).map(|_| begin(&store, &tenant, here, 100, Some(350)));
    let all = futures_util::future::join_all(all).await;
    let begun = all.iter().filter(|one| matches!(one, Ok(Begun::Begun(_)))).count();
    let no_room = all.iter().filter(|one| matches!(one, Ok(Begun::NoRoom))).count();
    assert_eq!((begun, no_room), (3, 5));
    assert!(
        matches!(begin(&store, &other, there, 100, Some(350)).await, Ok(Begun::Begun(_))),
        "its own room"
    );
    assert!(matches!(begin(&store, &tenant, here, 1_000, None).await, Ok(Begun::Begun(_))), "no limit");
    assert!(matches!(begin(&store, &tenant, there, 1, None).await, Ok(Begun::NotFound)), "of another tenant");
}

#[tokio::test]
async fn one_conversation_has_only_so_many_files() {
    let store = test_store().await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let session = store.session(&tenant).await.unwrap();
    store
        .admin(format!(
            "insert into misy.attachments (tenant_id, file_id, conversation_id, contact_id, media_type, size, message_id)
             select 'andina', 'fil_' || n, '{}', '{}', 'image/png', 1, 'msg_1' from generate_series(1, 199) n",
            session.conversation_id, session.contact_id
        ))
        .await
        .unwrap();
    assert!(matches!(begin(&store, &tenant, session.conversation_id, 1, None).await, Ok(Begun::Begun(_))));
    let refused = begin(&store, &tenant, session.conversation_id, 1, None).await;
    assert!(matches!(refused, Err(StoreError::Full(_))));
}
