//! Where the bytes of files lie, and how they go.

use super::{Visitor, follow_link, picture, sent};
use crate::support::App;
use http::Method;
use std::{fs, time::Duration};

#[tokio::test]
async fn bytes_that_were_changed_moved_or_cut_off_are_given_to_nobody() {
    let app = App::start().await;
    let (_, _, ana, file, bytes) = sent(&app).await;
    let other = ana.upload(&app, "b.png", &bytes).await.expect(201).text("fileId");
    let paths = app.store.stored_bytes();
    let path = |id: &str| paths.iter().find(|path| path.ends_with(id)).unwrap();
    let (path, other) = (path(&file), path(&other));
    let good = fs::read(path).unwrap();
    let sealed_chunk = (good.len() - 1000 - 46) / 2;
    let mut flipped = good.clone();
    flipped[100] ^= 1;
    let mut swapped = good.clone();
    swapped.rotate_left(sealed_chunk);
    let spoilt = [flipped, swapped, good[..50].to_vec(), Vec::new(), fs::read(other).unwrap()];
    for spoilt in spoilt {
        fs::write(path, &spoilt).unwrap();
        let answer = ana.read(&app, &file).await;
        assert!(answer.status.is_server_error() && answer.body["code"].is_string(), "{}", answer.status);
    }
    // Cut off at the end of a piece: what comes before it is sent, and then the answer breaks off.
    fs::write(path, &good[..sealed_chunk]).unwrap();
    let cut = app.open(app.signed(&ana.token, Method::GET, &format!("/files/{file}"), None)).await;
    assert!(axum::body::to_bytes(cut.into_body(), 10_000_000).await.is_err());
    fs::remove_file(path).unwrap();
    ana.read(&app, &file).await.refused(503, "unavailable");
    fs::write(path, &good).unwrap();
    ana.read(&app, &file).await.expect(200);
}

async fn rows(app: &App) -> i64 {
    let mut admin = app.store.connect_as("postgres").await.unwrap();
    sqlx::query_scalar("select count(*) from misy.attachments").fetch_one(&mut admin).await.unwrap()
}

#[tokio::test]
async fn what_nobody_sends_is_swept_after_a_day_by_both_clocks_and_its_bytes_with_it() {
    let app = App::start().await;
    let (_, _, ana, file, _) = sent(&app).await;
    let loose = ana.upload(&app, "b.png", &picture(100)).await.expect(201).text("fileId");
    let died = ana.upload(&app, "c.png", &picture(100)).await.expect(201).text("fileId");
    // The program was killed between the bytes and the row.
    app.store
        .admin(format!("update misy.attachments set stored_at = null where file_id = '{died}'"))
        .await
        .unwrap();
    ana.read(&app, &died).await.refused(404, "not_found");
    ana.send(&app, "2", &[&died]).await.refused(422, "validation_failed");
    assert_eq!((rows(&app).await, app.store.stored_bytes().len()), (3, 3));

    // A clock alone that is wrong removes nothing.
    app.advance(Duration::from_hours(24 * 3_650));
    app.desk.sweep().await.unwrap();
    assert_eq!((rows(&app).await, app.store.stored_bytes().len()), (3, 3));
    app.store
        .admin("update misy.attachments set created_at = created_at - interval '25 hours'")
        .await
        .unwrap();
    let replica = app.replica().await;
    let (one, two) = tokio::join!(app.desk.sweep(), replica.sweep());
    one.unwrap();
    two.unwrap();
    // Whichever of the two came first, a further round finds nothing left.
    app.desk.sweep().await.unwrap();
    assert_eq!(rows(&app).await, 1);
    let [left] = &*app.store.stored_bytes() else { panic!("one file") };
    assert!(left.ends_with(&file));
    let _ = loose;

    // Killed between the row and the bytes: the next round goes on.
    app.store.admin(format!("delete from misy.attachments where file_id = '{file}'")).await.unwrap();
    assert_eq!(app.store.stored_bytes().len(), 1);
    assert_eq!(app.desk.sweep().await.unwrap().1, 1);
    assert!(app.store.stored_bytes().is_empty());
    assert_eq!(app.desk.sweep().await.unwrap().1, 0);
}

#[tokio::test]
async fn with_a_contact_go_their_files() {
    let app = App::start().await;
    let (_, andina, ana, ..) = sent(&app).await;
    let bob = Visitor::of(&app, &andina).await;
    let kept = bob.upload(&app, "b.png", &picture(100)).await.expect(201).text("fileId");
    bob.send(&app, "1", &[&kept]).await.expect(202);
    app.store
        .admin(format!(
            "delete from misy.contacts c using misy.sessions s
             where s.contact_id = c.contact_id and s.session_id = '{}'",
            ana.session
        ))
        .await
        .unwrap();
    app.desk.sweep().await.unwrap();
    let [left] = &*app.store.stored_bytes() else { panic!("one file") };
    assert!(left.ends_with(&kept));
    follow_link(&app, &bob.link(&app).await).await.expect(200);
}

#[tokio::test]
async fn what_whoever_was_killed_left_unfinished_goes_with_the_row_and_the_folder_of_nobody_with_it() {
    let app = App::start().await;
    let (_, _, ana, file, _) = sent(&app).await;
    let died = ana.upload(&app, "c.png", &picture(100)).await.expect(201).text("fileId");
    let path = |id: &str| app.store.stored_bytes().into_iter().find(|path| path.ends_with(id));
    // Killed in the middle of the bytes: they stand beside their place, under a name that the store made.
    let place = path(&died).unwrap();
    let unfinished = place.with_file_name(format!("{died}#1"));
    fs::rename(&place, &unfinished).unwrap();
    let neighbour = place.with_file_name("fil_somebody-else#1");
    fs::write(&neighbour, "still written").unwrap();
    app.store
        .admin(format!(
            "update misy.attachments set stored_at = null, created_at = created_at - interval '25 hours'
             where file_id = '{died}'"
        ))
        .await
        .unwrap();
    app.advance(Duration::from_hours(24 * 3_650));
    app.desk.sweep().await.unwrap();
    assert!(!unfinished.exists() && neighbour.exists());
    assert!(path(&file).is_some());
    fs::remove_file(&neighbour).unwrap();
    fs::remove_dir(place.parent().unwrap()).unwrap();

    // With the last file of a tenant its folder goes.
    let folder = path(&file).unwrap();
    let folder = folder.parent().unwrap().parent().unwrap();
    assert!(folder.ends_with("andina") && folder.exists());
    app.store.admin("delete from misy.attachments").await.unwrap();
    app.desk.sweep().await.unwrap();
    assert!(!folder.exists());
}
