//! What an attacker tried and got through with once.

use crate::support::App;
use http::Method;
use serde_json::json;

#[tokio::test]
async fn a_message_that_names_no_channel_counts_against_its_limit_too() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let limits =
        json!({ "limits": [{ "scope": "channel", "subject": "web", "requests": 2, "periodSeconds": 60 }] });
    app.manage(&owner, Method::PUT, &andina.path("/limits"), Some(&limits)).await.expect(200);
    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    app.say(&token, &session, "uno").await.expect(202);
    let unnamed = json!({ "sessionId": session, "text": "dos" });
    app.call(&token, Method::POST, "/messages", Some(&unnamed)).await.expect(202);
    for body in [unnamed, json!({ "sessionId": session, "channel": null, "text": "tres" })] {
        app.call(&token, Method::POST, "/messages", Some(&body)).await.refused(429, "rate_limited");
    }
}
