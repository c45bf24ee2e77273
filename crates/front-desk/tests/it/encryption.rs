//! A data key is rotated through the API while everything goes on.

use crate::support::App;
use http::Method;
use misy_store::{
    leases::{Cursor, LeaseTerms, Share, WorkerId},
    rotation::{Rotations, Rotator, Step},
};

#[tokio::test]
async fn an_administrator_rotates_the_data_key_and_sees_how_far_it_is() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let path = andina.path("/encryption/rotations");
    let begun = app.manage(&andina, Method::POST, &path, None).await.expect(202);
    assert!(begun.text("rotationId").starts_with("rot_"));
    assert_eq!((begun.text("status").as_str(), begun.body["toVersion"].as_i64()), ("running", Some(2)));
    app.manage(&andina, Method::POST, &path, None).await.expect(409);

    app.store.admin("update misy.key_rotations set work_at = now()").await.unwrap();
    let rotator = Rotator::new(app.store.database.clone(), app.store.vault.clone());
    let (worker, terms, anywhere) =
        (WorkerId::new(&*app.store.entropy), LeaseTerms::default(), Cursor::default());
    let claimed =
        app.store.database.claim::<Rotations>(&worker, 1, &terms, &anywhere, Share::ALL).await.unwrap();
    let lease = &claimed.leases[0];
    while rotator.step(lease).await.unwrap() != Step::Finished {}

    let read = app.manage(&andina, Method::GET, &andina.path("/encryption"), None).await.expect(200);
    let rotation = &read.body["rotations"][0];
    assert_eq!(rotation["status"], "finished");
    assert_eq!(rotation["rowsDone"], rotation["rowsTotal"]);
    let keys = read.body["keys"].as_array().unwrap();
    let data: Vec<_> = keys.iter().filter(|key| key["purpose"] == "data").collect();
    assert_eq!(data.len(), 2);
    assert!(data[0]["retiredAt"].is_string() && data[0]["rows"].as_object().unwrap().is_empty());
    assert!(data[1]["retiredAt"].is_null() && data[1]["rows"]["tenant_secrets"] == 1);
    // What is sealed under the new key is used: a server of the tenant still proves itself with its secret.
    assert!(!read.body.to_string().contains("wrapped"));
}
