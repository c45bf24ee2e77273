//! Every operation of the description, as callers who may not do it. An operation without a case fails.

use crate::support::{App, BASE, Tenant, raw, with_bearer};
use http::Method;
use misy_front_desk::{
    openapi::{document, operations},
    routes::{Served, served},
};
use misy_trust::AccessPolicies;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What an operation answers to whom.
struct Case {
    id: &'static str,
    /// Without any proof.
    nobody: u16,
    /// To an administrator of another tenant, who names this one.
    other: Option<u16>,
    /// To a browser's token of the tenant itself, which may only chat.
    visitor: Option<u16>,
}

const fn case(id: &'static str, nobody: u16, other: Option<u16>, visitor: Option<u16>) -> Case {
    Case { id, nobody, other, visitor }
}

const MANAGED: (u16, Option<u16>, Option<u16>) = (401, Some(404), Some(403));
const CHAT: (u16, Option<u16>, Option<u16>) = (401, Some(401), None);

#[allow(clippy::too_many_lines, reason = "a table")]
fn cases() -> Vec<Case> {
    let mut cases = vec![
        case("readLiveness", 200, None, None),
        case("readReadiness", 200, None, None),
        case("readMetrics", 404, Some(404), Some(404)),
        case("readPublicKeys", 200, None, None),
        case("readAuditKeys", 200, None, None),
        case("mintToken", 401, Some(401), None),
        case("revokeToken", 401, Some(404), None),
        case("registerOwner", 401, Some(401), Some(401)),
        case("registerTenant", 401, Some(403), Some(403)),
        case("createTenant", 401, Some(403), Some(403)),
        case("listTenants", 401, Some(200), Some(403)),
    ];
    // Of a person and its own account: no other kind of proof opens them.
    let own = [
        "signOut",
        "readMe",
        "readMyAccess",
        "listMySessions",
        "endMySession",
        "endMyOtherSessions",
        "stepUp",
        "proposeTotp",
        "confirmTotp",
        "renewRecoveryCodes",
        "changePassword",
        "listMyTokens",
        "createMyToken",
        "revokeMyToken",
    ];
    cases.extend(own.map(|id| case(id, 401, Some(401), Some(401))));
    let own_passkeys = [
        "listPasskeys",
        "renamePasskey",
        "removePasskey",
        "beginPasskeyRegistration",
        "finishPasskeyRegistration",
        "beginPasskeyStepUp",
        "finishPasskeyStepUp",
        // Without the browser's own half of the flow nobody comes back from anywhere.
        "finishProviderSignIn",
        "readProviderChallenge",
    ];
    cases.extend(own_passkeys.map(|id| case(id, 401, Some(401), Some(401))));
    // Questions that anybody may ask: a challenge that opens nothing by itself, and a provider that is not there.
    cases.push(case("beginPasskeySignIn", 200, Some(200), Some(200)));
    cases.push(case("startProviderSignIn", 404, Some(404), Some(404)));
    cases.push(case("startInstallationSignIn", 404, Some(404), Some(404)));
    // The answer says nothing of whether there is such an account.
    cases.push(case("forgetPassword", 202, Some(202), Some(403)));
    // Open to everybody who brings the right secret, but not to pages of other origins.
    let doors = [
        "signIn",
        "proveSecondFactor",
        "enroll",
        "acceptInvitation",
        "resetPassword",
        "finishPasskeySignIn",
        "beginPasskeySecondFactor",
        "finishPasskeySecondFactor",
    ];
    cases.extend(doors.map(|id| case(id, 401, Some(401), Some(403))));
    let chat = ["openSession", "readSession", "listMessages", "followSession", "writeMessage"];
    cases.extend(chat.map(|id| case(id, CHAT.0, CHAT.1, CHAT.2)));
    cases.push(case("readFile", CHAT.0, CHAT.1, CHAT.2));
    let own_bookings = [
        "listMyBookings",
        "listMyFreeTimes",
        "createMyBooking",
        "readMyBookingCalendar",
        "changeMyBooking",
        "cancelMyBooking",
    ];
    cases.extend(own_bookings.map(|id| case(id, CHAT.0, CHAT.1, CHAT.2)));
    // Where the key gives it, which is no more than chat unless somebody says so.
    cases.push(case("uploadFile", CHAT.0, CHAT.1, Some(403)));
    cases.push(case("takeBackFile", CHAT.0, CHAT.1, Some(403)));
    // For servers of the tenant: the token of a page does not open it.
    // For vendors, by the secret of an account that is there.
    cases.push(case("confirmChannelWebhook", 404, Some(404), Some(404)));
    cases.push(case("takeChannelEvents", 404, Some(404), Some(404)));
    cases.push(case("passOnMessage", CHAT.0, CHAT.1, Some(403)));
    let managed = [
        "readTenant",
        "changeTenant",
        "deleteTenant",
        "suspendTenant",
        "activateTenant",
        "closeTenant",
        "reopenTenant",
        "listTenantEvents",
        "revokeAllTokens",
        "listCertificates",
        "bindCertificate",
        "revokeCertificate",
        "changeSecret",
        "listChannelAccounts",
        "createChannelAccount",
        "readChannelAccount",
        "changeChannelAccount",
        "rotateChannelSecret",
        "listDeliveries",
        "listServices",
        "listProviders",
        "listFreeTimes",
        "listBookings",
        "createBooking",
        "readBooking",
        "readBookingCalendar",
        "changeBooking",
        "cancelBooking",
        "testChannelAccount",
        "listChannelTemplates",
        "createChannelTemplate",
        "readContextPack",
        "replaceContextPack",
        "removeFile",
        "listSites",
        "createSite",
        "readSite",
        "changeSite",
        "deleteSite",
        "listKeys",
        "createKey",
        "revokeKey",
        "listSecrets",
        "rotateSecret",
        "revokeSecret",
        "readSignIn",
        "replaceSignIn",
        "deleteSignIn",
        "listDomains",
        "createDomain",
        "verifyDomain",
        "deleteDomain",
        "listUsers",
        "inviteUser",
        "readUser",
        "changeUser",
        "removeUser",
        "listUserSessions",
        "endUserSessions",
        "endUserSession",
        "renewInvitation",
        "makePasswordLink",
        "resetSecondFactor",
        "readLimits",
        "replaceLimits",
        "readUsage",
        "readInvoice",
        "readRefusals",
        "listAudit",
        "readAuditCheckpoint",
        "listAuditCheckpoints",
        "proveAuditEntry",
        "proveAuditConsistency",
        "exportAudit",
        "readAuditReport",
        "readDecision",
        "listWaitingTurns",
        "wakeTurn",
        "listRoles",
        "createRole",
        "readRole",
        "changeRole",
        "deleteRole",
        "usePrivilege",
        "listPrivilege",
        "listPrivilegedOperations",
        "endPrivilege",
        "listConversations",
        "followConversations",
        "readConversation",
        "listConversationMessages",
        "answerConversation",
        "takeConversation",
        "assignConversation",
        "handBackConversation",
        "closeConversation",
        "showTyping",
        "listNotes",
        "addNote",
        "listAlerts",
        "acknowledgeAlert",
        "listWork",
        "reviveWork",
        "dropWork",
        "readEncryption",
        "rotateDataKey",
    ];
    cases.extend(managed.map(|id| case(id, MANAGED.0, MANAGED.1, MANAGED.2)));
    cases
}

#[tokio::test]
async fn every_operation_refuses_who_may_not_do_it() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let verde = app.register(&owner, "verde-cafe", "https://verde.example").await;
    let visitor = app.browser(&andina).await;
    let cases = cases();
    let mut seen = 0;
    for (path, item) in &document().paths.paths {
        for (method, operation) in operations(item) {
            let id = operation.operation_id.as_deref().expect("every operation has an id");
            let case = cases.iter().find(|case| case.id == id);
            let case = case.unwrap_or_else(|| panic!("no case for {id}: who may do it?"));
            seen += 1;
            let filled = fill(path, &andina);
            let body = operation.request_body.is_some().then(|| example(id, &andina));
            let request = || raw(method.clone(), &filled, body.clone());
            let answer = app.send(request()).await;
            assert_eq!(answer.status, case.nobody, "{id} by nobody: {}", answer.body);
            if let Some(status) = case.other {
                let answer = app.send(with_bearer(request(), &verde.administrator)).await;
                assert_eq!(answer.status, status, "{id} by another tenant: {}", answer.body);
            }
            if let Some(status) = case.visitor {
                let target = filled.strip_prefix(BASE).unwrap_or(&filled);
                let answer = match filled.strip_prefix(BASE) {
                    Some(_) => {
                        let key = &visitor.key;
                        let mut request =
                            app.signed_by(key, Some(&visitor.text), method.clone(), target, body.as_deref());
                        crate::support::put(&mut request, "origin", &andina.origin);
                        app.send(request).await
                    }
                    None => app.send(with_bearer(request(), &visitor.text)).await,
                };
                assert_eq!(answer.status, status, "{id} by a visitor: {}", answer.body);
            }
        }
    }
    assert_eq!(seen, cases.len(), "a case for an operation that is no more");
    // Nothing of all that had an effect.
    app.manage(&owner, Method::GET, &andina.path(""), None).await.expect(200);
}

/// Nothing is served that is not described, and nothing is described that is not served: read from the router itself.
#[test]
fn the_description_lists_what_the_router_serves() {
    let name = |method: &Method, path: &str| format!("{method} {path}");
    let mut described: Vec<String> = Vec::new();
    for (path, item) in &document().paths.paths {
        described.extend(operations(item).map(|(method, _)| name(&method, path)));
    }
    let mut known: Vec<String> = served().iter().map(|one| name(&one.method, &one.path)).collect();
    described.sort_unstable();
    known.sort_unstable();
    assert_eq!(described, known);
    // What manages a tenant asks the access policies; registering is for who has no account yet.
    let open = served()
        .into_iter()
        .filter(|one| one.actions.is_none() && one.path.starts_with("/api/meta-agent/tenants"));
    let open: Vec<String> = open.map(|one| one.path).collect();
    assert_eq!(open, ["/api/meta-agent/tenants/register/owner", "/api/meta-agent/tenants/register"]);
}

#[test]
fn every_management_operation_says_what_it_asks() {
    let text: Value = serde_json::from_str(&misy_front_desk::openapi_document()).unwrap();
    for Served { method, path, actions, .. } in served() {
        let Some(actions) = actions else { continue };
        let operation = &text["paths"][&path][method.as_str().to_lowercase()];
        assert_eq!(operation["x-misy-actions"], json!(actions), "{method} {path}");
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let takes_reason = parameters.iter().any(|one| one["name"] == "X-Misy-Reason");
        let accounted = actions.iter().any(|action| AccessPolicies::in_force().is_accounted(*action));
        assert_eq!(takes_reason, accounted, "{method} {path}");
    }
}

/// Of two types that go by one name the description keeps one, and whoever is generated from it sends the wrong members.
#[test]
fn no_two_types_go_by_one_name_in_the_description() {
    let mut known: BTreeMap<String, Value> = BTreeMap::new();
    for one in served() {
        for (name, schema) in one.schemas() {
            let schema = serde_json::to_value(schema).unwrap();
            let other = known.entry(name.clone()).or_insert_with(|| schema.clone());
            assert_eq!(*other, schema, "{name} of {} {}", one.method, one.path);
        }
    }
    assert!(known.len() > 100, "{}", known.len());
}

/// Whatever is referred to is there.
#[test]
fn every_reference_leads_somewhere() {
    fn walk(document: &Value, value: &Value) {
        match value {
            Value::Object(members) => {
                if let Some(name) = value["$ref"].as_str() {
                    assert!(document.pointer(name.trim_start_matches('#')).is_some(), "{name}");
                }
                members.values().for_each(|member| walk(document, member));
            }
            Value::Array(items) => items.iter().for_each(|item| walk(document, item)),
            _ => {}
        }
    }
    let document: Value = serde_json::from_str(&misy_front_desk::openapi_document()).unwrap();
    walk(&document, &document);
}

/// An example of a body has the members that its schema asks for, and no others.
#[test]
fn examples_fit_their_schemas() {
    let text: Value = serde_json::from_str(&misy_front_desk::openapi_document()).unwrap();
    for (path, item) in text["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(content) = operation.pointer("/requestBody/content/application~1json") else { continue };
            let schema = match content["schema"]["$ref"].as_str() {
                Some(name) => text.pointer(name.trim_start_matches('#')).unwrap(),
                None => &content["schema"],
            };
            let (Some(known), Some(example)) =
                (schema["properties"].as_object(), content["example"].as_object())
            else {
                continue;
            };
            let at = format!("{method} {path}");
            for name in example.keys() {
                assert!(known.contains_key(name), "{at}: {name} is not in its schema");
            }
            for name in schema["required"].as_array().into_iter().flatten() {
                assert!(example.contains_key(name.as_str().unwrap()), "{at}: {name} is required");
            }
        }
    }
}

/// What is described is a route, and each of its methods is described.
#[tokio::test]
async fn what_is_described_is_what_is_served() {
    let app = App::start().await;
    let andina = app.two().await.1;
    for (path, item) in &document().paths.paths {
        let allowed = app.send(raw(Method::TRACE, &fill(path, &andina), None)).await;
        assert_eq!(allowed.status, 405, "{path} is no route");
        let mut allowed: Vec<_> = allowed.headers["allow"]
            .to_str()
            .unwrap()
            .split(',')
            .filter(|m| *m != "HEAD")
            .map(str::to_owned)
            .collect();
        allowed.sort_unstable();
        let mut described: Vec<_> = operations(item).map(|(method, _)| method.to_string()).collect();
        described.sort_unstable();
        assert_eq!(allowed, described, "{path}");
    }
}

#[test]
fn every_operation_is_described_whole() {
    let text: serde_json::Value = serde_json::from_str(&misy_front_desk::openapi_document()).unwrap();
    assert!(text["openapi"].as_str().unwrap().starts_with("3.1"));
    for (path, item) in text["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let at = format!("{method} {path}");
            for member in ["operationId", "summary", "tags", "security", "responses"] {
                assert!(!operation[member].is_null(), "{at} has no {member}");
            }
            let mut names: Vec<_> =
                path.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()).collect();
            names.retain(|name| {
                let list = operation["parameters"].as_array().cloned().unwrap_or_default();
                !list.iter().any(|one| one["name"] == *name && one["in"] == "path")
            });
            assert!(names.is_empty(), "{at} does not describe {names:?}");
            if let Some(content) = operation.pointer("/requestBody/content/application~1json") {
                assert!(!content["example"].is_null(), "{at} has no example");
            }
            let success = operation["responses"]
                .as_object()
                .unwrap()
                .keys()
                .any(|status| status.starts_with(['2', '3']));
            assert!(success && operation["responses"]["503"].is_object(), "{at}");
        }
    }
}

/// The committed description is what the code says; `MISY_WRITE_OPENAPI=1` writes it.
#[test]
fn the_committed_description_is_up_to_date() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let now = misy_front_desk::openapi_document();
    if std::env::var_os("MISY_WRITE_OPENAPI").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == now, "docs/openapi.json is out of date: run this test with MISY_WRITE_OPENAPI=1");
}

fn fill(path: &str, tenant: &Tenant) -> String {
    path.replace("{tenantId}", &tenant.id)
        .replace("{siteId}", "main")
        .replace("{passkeyId}", "psk_00000000000000000000000000")
        .replace("{userId}", "usr_00000000000000000000000000")
        .replace("{keyId}", "key_00000000000000000000000000")
        .replace("{roleId}", "reception")
        .replace("{domain}", "business.example")
        .replace("{grantId}", "grt_00000000000000000000000000")
        .replace("{alertId}", "alr_00000000000000000000000000")
        .replace("{bookingId}", "bkg_00000000000000000000000000")
        .replace("{serviceId}", "no-service")
        .replace("{accountId}", "cha_00000000000000000000000000")
        .replace("{certificateId}", "crt_00000000000000000000000000")
        .replace("{sessionId}", "ses_00000000000000000000000000")
        .replace("{kind}", "mail")
        .replace("{conversationId}", "cnv_00000000000000000000000000")
        .replace("{workId}", "eml_00000000000000000000000000")
        .replace("{auditId}", "aud_00000000000000000000000000")
}

/// A body that would have an effect.
fn example(id: &str, tenant: &Tenant) -> Vec<u8> {
    let body = match id {
        "wakeTurn" => json!({ "wait": 1, "outcome": "evil" }),
        "revokeToken" => json!({ "tenantId": tenant.id, "tokenId": "tat_00000000000000000000000000" }),
        "registerOwner" | "registerTenant" | "createTenant" => {
            crate::support::registration("Roja", "https://roja.example")
        }
        "signIn" => json!({ "email": "nobody@business.example", "password": "tres tristes tigres" }),
        "proveSecondFactor" => json!({ "challenge": "chl_", "factor": "totp", "code": "123456" }),
        "answerConversation" | "addNote" => json!({ "text": "Hola" }),
        "assignConversation" => json!({ "userId": null }),
        "showTyping" => json!({ "active": true }),
        "renamePasskey" => json!({ "name": "mine" }),
        "finishPasskeyRegistration" => json!({ "ceremony": "", "name": "mine", "credential": {} }),
        "finishPasskeySignIn" | "finishPasskeyStepUp" => json!({ "ceremony": "", "credential": {} }),
        "beginPasskeySecondFactor" => json!({ "challenge": "chl_" }),
        "finishPasskeySecondFactor" => json!({ "challenge": "chl_", "ceremony": "", "credential": {} }),
        "replaceSignIn" => json!({
            "issuer": "https://evil.example", "clientId": "x", "tenantClaim": { "name": "tenant", "value": tenant.id }
        }),
        "createDomain" => json!({ "domain": "evil.example" }),
        "acceptInvitation" => json!({ "token": "inv_", "password": "tres tristes tigres" }),
        "resetPassword" => json!({ "token": "rst_", "password": "tres tristes tigres" }),
        "changePassword" => json!({ "newPassword": "tres tristes tigres" }),
        "forgetPassword" => json!({ "email": "nobody@business.example" }),
        "inviteUser" => json!({ "email": "eva@evil.example", "name": "Eva", "roles": ["admin"] }),
        "changeUser" => json!({ "roles": ["admin"] }),
        "createMyToken" => {
            json!({ "name": "x", "scopes": ["users:write"], "expiresAt": "2026-12-31T00:00:00Z" })
        }
        "stepUp" => json!({ "factor": "totp", "code": "123456" }),
        "enroll" => json!({
            "token": "adm_", "email": "ana@business.example", "name": "Ana", "password": "tres tristes tigres"
        }),
        "changeTenant" => json!({ "tenantName": "taken over" }),
        "createSite" => json!({ "siteId": "evil", "origins": ["https://evil.example"] }),
        "changeSite" => json!({ "origins": ["https://evil.example"] }),
        "createKey" | "mintToken" => json!({ "siteId": "main" }),
        "createRole" => json!({ "roleId": "evil", "actions": ["users:write"] }),
        "changeRole" => json!({ "actions": ["users:write"] }),
        "usePrivilege" => {
            json!({ "operation": "support_access", "resource": "tenant", "reason": "because I would like to" })
        }
        "bindCertificate" => json!({ "name": "evil", "fingerprint": "00".repeat(32) }),
        "createChannelAccount" => {
            json!({ "channel": "api", "name": "evil", "callbackUrl": "https://evil.example/" })
        }
        "changeChannelAccount" => json!({ "callbackUrl": "https://evil.example/" }),
        "changeSecret" => json!({ "needsCertificate": true }),
        "replaceLimits" => json!({ "limits": [] }),
        _ => json!({}),
    };
    body.to_string().into_bytes()
}
