//! Rows that decide who may do what, and what was said: a role changes no more of them than the program does as that role.

use super::{Stage, refused};
use misy_store::database::Role;
use sqlx::{AssertSqlSafe, Executor, Row};

/// What the worker has no business with: whose a session or a conversation is, what was said, how much is left.
const NOT_THE_WORKERS: &[&str] = &[
    "update misy.sessions set token_family = 'jti_mine'",
    "update misy.sessions set expires_at = 'infinity'",
    "insert into misy.sessions select * from misy.sessions",
    "update misy.conversations set contact_id = 'con_mine'",
    "update misy.channel_threads set conversation_id = 'cnv_mine'",
    "update misy.channel_accounts set callback_url = 'https://mine.example'",
    "update misy.contact_identities set contact_id = 'con_mine'",
    "delete from misy.deliveries",
    "delete from misy.conversations",
    "delete from misy.contacts",
    "update misy.messages set role = 'agent'",
    "update misy.messages set sealed_body = ''",
    "delete from misy.messages",
    "update misy.decisions set record = '{}'",
    "delete from misy.decisions",
    "update misy.quotas set monthly = 1000000",
    "delete from misy.quotas",
    "insert into misy.usage_slots values ('andina', 'messages', '2026-11-01', 0, 0, 1000000, 1000000)",
    "insert into misy.usage_slots values ('andina', 'ai_tokens', '2026-11-01', 0, 0, 1, 1);
     update misy.usage_slots set kind = 'messages' where kind = 'ai_tokens'",
    "delete from misy.usage_slots",
];

/// What no role does to the rows of a tenant.
const NOBODYS: &[&str] = &[
    "update misy.messages set role = 'agent'",
    "update misy.messages set sequence = 1",
    "delete from misy.messages",
    "update misy.decisions set record = '{}'",
    "delete from misy.conversations",
    "delete from misy.contacts",
    "delete from misy.contact_keys",
    "delete from misy.sessions",
    "update misy.sessions set conversation_id = 'cnv_mine'",
    "update misy.sessions set contact_id = 'con_mine'",
    "update misy.conversations set contact_id = 'con_mine'",
    "update misy.contacts set contact_id = 'con_mine'",
    "update misy.tenants set tenant_type = 'owner'",
    "update misy.tenants set tenant_id = 'mine' where tenant_id = 'andina'",
    "update misy.tenants set closed_at = now(), purge_at = '-infinity' where tenant_id = 'andina'",
    "update misy.tenants set closed_at = '-infinity', purge_at = now() where tenant_id = 'andina'",
    "update misy.tenants set purge_started_at = now() where tenant_id = 'andina'",
    // Work that goes through all tenants would stumble over these.
    "set app.tenant_id = 'NO TENANT'; insert into misy.audit_entries (tenant_id, audit_id, kind, action, actor, outcome)
     values ('NO TENANT', 'aud_x', 'change', 'a', 'b', 'ok')",
    "set app.tenant_id = 'a--b'; insert into misy.tenants (tenant_id, tenant_type, name, contact_email, website_url,
                                                            business_industry, locale, timezone)
     values ('a--b', 'standard', 'A', 'a@example.com', 'https://a.example', 'clinic', 'es-CO', 'UTC')",
];

/// What no role does to the owner.
const NOT_THE_OWNER: &[&str] = &[
    "update misy.tenants set tenant_type = 'standard' where tenant_id = 'owner'",
    "update misy.tenants set closed_at = now(), purge_at = now() + interval '9 days' where tenant_id = 'owner'",
    "update misy.tenants set suspended_at = now() where tenant_id = 'owner'",
];

#[tokio::test]
async fn no_role_changes_whose_a_row_is_nor_what_was_said() {
    let stage = Stage::private().await;
    stage
        .admin(
            "insert into misy.tenants (tenant_id, tenant_type, name, contact_email, website_url, business_industry,
                                       locale, timezone)
             values ('owner', 'owner', 'O', 'o@example.com', 'https://o.example', 'platform', 'es-CO', 'UTC')",
        )
        .await;
    let tenants = "select string_agg(t::text, E'\\n' order by tenant_id) from misy.tenants t";
    let before = stage.text(tenants).await;
    for role in Role::ALL {
        let mut session = stage.session(role).await;
        let more = if role == Role::Worker { NOT_THE_WORKERS } else { &[] };
        for statement in NOBODYS.iter().chain(more) {
            refused(&mut session, role, &format!("set app.tenant_id = 'andina'; {statement}")).await;
        }
        for statement in NOT_THE_OWNER {
            refused(&mut session, role, &format!("set app.tenant_id = 'owner'; {statement}")).await;
        }
    }
    assert_eq!(stage.text(tenants).await, before);
}

#[tokio::test]
async fn no_time_that_a_role_tells_ends_or_prolongs_what_others_hold() {
    let stage = Stage::private().await;
    stage
        .admin(
            "insert into misy.certificates (tenant_id, certificate_id, name, bound_by, fingerprint, expires_at)
             values ('verde-cafe', 'crt_theirs', 'V', 'key', decode(repeat('01', 32), 'hex'), now() + interval '1 hour'),
                    ('andina', 'crt_mine', 'A', 'key', decode(repeat('02', 32), 'hex'), null)",
        )
        .await;
    let mut session = stage.session(Role::App).await;
    // A certificate whose key another tenant has shown.
    for (tenant, certificate, time, is_theirs) in [
        ("verde-cafe", "crt_theirs", "now", true),
        ("andina", "crt_mine", "infinity", false),
        ("andina", "crt_mine", "2100-01-01", false),
    ] {
        session.execute(AssertSqlSafe(format!("set app.tenant_id = '{tenant}'"))).await.unwrap();
        let sql = format!("select platform.hold_certificate('\\x07', '{tenant}', '{certificate}', '{time}')");
        let held: bool = session.fetch_one(AssertSqlSafe(sql)).await.unwrap().get(0);
        assert_eq!(held, is_theirs, "{tenant} {time}");
    }
    // The half of a sign-in that somebody else has begun is there, however much is tidied up, and no other stays for ever.
    let keep = |lookup: &str, until: &str| {
        AssertSqlSafe(format!(
            "select platform.keep_ceremony('\\x{lookup}', '\\x02', ({until})::timestamptz)"
        ))
    };
    session.execute(keep("01", "now() + interval '5 minutes'")).await.unwrap();
    for number in 16..50 {
        session.execute(keep(&number.to_string(), "'2100-01-01'")).await.unwrap();
    }
    session.execute(keep("03", "'infinity'")).await.unwrap_err();
    stage
        .admin(
            "update platform.ceremonies set kept_at = kept_at - interval '11 minutes' where lookup = '\\x16'",
        )
        .await;
    for (lookup, there) in [("01", true), ("01", false), ("16", false), ("17", true)] {
        let sql = format!("select platform.take_ceremony('\\x{lookup}', '-infinity')");
        let kept: Option<Vec<u8>> = session.fetch_one(AssertSqlSafe(sql)).await.unwrap().get(0);
        assert_eq!(kept.is_some(), there, "{lookup}");
    }
}
