//! Rows that decide who may do what, and what was said: a role changes no more of them than the program does as that role.

use super::{Stage, refused};
use misy_store::database::Role;

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
