//! Roles that a tenant makes for itself.

use crate::{support::App, users::joined};
use http::Method;
use serde_json::json;

#[tokio::test]
async fn a_tenant_makes_changes_and_deletes_roles_of_its_own() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let new = json!({ "roleId": "reception", "name": "Recepción", "actions": ["context-pack:read", "decisions:read"] });
    let made = app.manage(&andina, Method::POST, &andina.path("/roles"), Some(&new)).await.expect(201);
    assert_eq!(made.body["builtIn"], false);
    app.manage(&andina, Method::POST, &andina.path("/roles"), Some(&new)).await.expect(409);

    let all = app.manage(&andina, Method::GET, &andina.path("/roles"), None).await.expect(200);
    let ids: Vec<_> =
        all.body["items"].as_array().unwrap().iter().map(|role| role["roleId"].as_str().unwrap()).collect();
    assert_eq!(
        ids,
        ["admin", "manager", "agent", "analyst", "developer", "privacy_officer", "auditor", "reception"]
    );
    let analyst = &all.body["items"][3]["actions"];
    assert!(
        analyst.as_array().unwrap().contains(&json!("usage:read"))
            && !analyst.as_array().unwrap().contains(&json!("keys:write"))
    );

    let path = andina.path("/roles/reception");
    let changed = app
        .manage(&andina, Method::PATCH, &path, Some(&json!({ "actions": ["usage:read"] })))
        .await
        .expect(200);
    assert_eq!((&changed.body["actions"], &changed.body["version"]), (&json!(["usage:read"]), &json!(2)));
    app.manage(&andina, Method::DELETE, &path, None).await.expect(204);
    app.manage(&andina, Method::GET, &path, None).await.expect(404);
}

#[tokio::test]
async fn a_role_cannot_reach_beyond_the_tenant_nor_take_the_place_of_a_built_in_one() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    for (pointer, body) in [
        ("/roleId", json!({ "roleId": "admin", "actions": ["tenant:read"] })),
        ("/roleId", json!({ "roleId": "Éva", "actions": ["tenant:read"] })),
        ("/roleId", json!({ "roleId": "a", "actions": ["tenant:read"] })),
        ("/actions", json!({ "roleId": "nothing", "actions": [] })),
        ("/actions/0", json!({ "roleId": "platform", "actions": ["tenants:suspend"] })),
        ("/actions/0", json!({ "roleId": "platform", "actions": ["privilege:use"] })),
        ("/actions/1", json!({ "roleId": "twice", "actions": ["tenant:read", "tenant:read"] })),
        ("/name", json!({ "roleId": "blank", "name": " ", "actions": ["tenant:read"] })),
    ] {
        let refused = app.manage(&andina, Method::POST, &andina.path("/roles"), Some(&body)).await;
        assert_eq!(refused.status, 422, "{body}: {}", refused.body);
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{body}: {}", refused.body);
    }
    let unknown = json!({ "roleId": "unknown", "actions": ["everything:do"] });
    app.manage(&andina, Method::POST, &andina.path("/roles"), Some(&unknown)).await.expect(422);
    for method in [Method::PATCH, Method::DELETE] {
        let body = (method == Method::PATCH).then(|| json!({ "actions": ["tenant:read"] }));
        app.manage(&andina, method, &andina.path("/roles/admin"), body.as_ref()).await.expect(409);
    }
}

#[tokio::test]
async fn a_person_may_what_the_roles_of_its_tenant_say_from_the_next_call_on() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, "ana@andina.example").await;
    let new = json!({ "roleId": "reception", "actions": ["sites:read"] });
    ana.post(&app, &andina.path("/roles"), &new).await.expect(201);
    let mut luis = joined(&app, &mut ana, &andina, "luis@andina.example", &["reception"]).await.0;
    luis.get(&app, &andina.path("/sites")).await.expect(200);
    luis.get(&app, &andina.path("/keys")).await.refused(403, "permission_denied");
    // While somebody has it, it stays; and what it allows changes at once.
    ana.order(&app, Method::DELETE, &andina.path("/roles/reception")).await.refused(409, "role_in_use");
    let wider = json!({ "actions": ["sites:read", "keys:read"] });
    ana.call_on(&app.router, Method::PATCH, &andina.path("/roles/reception"), Some(&wider)).await.expect(200);
    luis.get(&app, &andina.path("/keys")).await.expect(200);
    // What nobody made is no role, and nobody gives more than it has.
    let unknown = json!({ "email": "eva@andina.example", "name": "Eva", "roles": ["nothing-of-the-kind"] });
    let refused = ana.post(&app, &andina.path("/users"), &unknown).await.refused(422, "validation_failed");
    assert_eq!(refused.body["errors"][0]["pointer"], "/roles/0");
}

#[tokio::test]
async fn whoever_may_make_roles_gives_none_that_is_above_its_own() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, "ana@andina.example").await;
    let new =
        json!({ "roleId": "people", "actions": ["roles:read", "roles:write", "users:read", "users:write"] });
    ana.post(&app, &andina.path("/roles"), &new).await.expect(201);
    let mut luis = joined(&app, &mut ana, &andina, "luis@andina.example", &["people"]).await.0;
    luis.enroll_app(&app).await;
    for actions in [json!(["secrets:write"]), json!(["users:write", "audit:export"])] {
        let above = json!({ "roleId": "above", "actions": actions });
        luis.post(&app, &andina.path("/roles"), &above).await.refused(403, "permission_denied");
        let wider = json!({ "actions": actions });
        let path = andina.path("/roles/people");
        luis.call_on(&app.router, Method::PATCH, &path, Some(&wider)).await.refused(403, "permission_denied");
    }
    let admin = json!({ "email": "eva@andina.example", "name": "Eva", "roles": ["admin"] });
    luis.post(&app, &andina.path("/users"), &admin).await.refused(403, "role_above_own");
}
