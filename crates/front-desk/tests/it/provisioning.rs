//! TEN-7: a step that fails leaves nothing behind.

use misy_domain::{Locale, Origin, Plan, TenantId, TenantType, context_pack::ZoneName};
use misy_store::{
    StoreError,
    provisioning::{NewTenant, ProvisionStep, provision},
};
use misy_testkit::store::{TestStore, test_store};
use sqlx::{AssertSqlSafe, Row};

fn andina() -> NewTenant {
    NewTenant {
        tenant_type: TenantType::Owner,
        name: "Andina".to_owned(),
        contact_email: "hola@andina.example".to_owned(),
        website_url: "https://andina.example".to_owned(),
        business_industry: "Dental clinic".to_owned(),
        locale: "es-CL".parse::<Locale>().unwrap(),
        timezone: ZoneName::parse("America/Santiago").unwrap(),
        plan: Plan::Free,
        origins: vec!["https://andina.example".parse::<Origin>().unwrap()],
        limits: Vec::new(),
        actor: misy_store::audit::Actor::outside("test"),
        request_id: None,
    }
}

/// Rows of every table that a tenant can leave a row in, the routing tables among them.
async fn rows(store: &TestStore) -> Vec<(String, i64)> {
    let mut admin = store.connect_as("postgres").await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relkind = 'r' and n.nspname in ('misy', 'platform') and c.relname not like '\\_sqlx%' order by 1",
    )
    .fetch_all(&mut admin)
    .await
    .unwrap();
    let mut counts = Vec::new();
    for table in tables {
        let row = sqlx::query(AssertSqlSafe(format!("select count(*) from {table}")))
            .fetch_one(&mut admin)
            .await
            .unwrap();
        counts.push((table, row.get(0)));
    }
    counts
}

#[tokio::test]
async fn a_failing_step_leaves_nothing_behind_and_the_call_can_be_made_again() {
    let store = test_store().await.unwrap();
    let tenant: TenantId = "andina".parse().unwrap();
    let before = rows(&store).await;
    for fault in ProvisionStep::ALL {
        let mut tx = store.database.tenant("test", &tenant).await.unwrap();
        let fail = |step| if step == fault { Err(StoreError::Conflict("fault")) } else { Ok(()) };
        let made = provision(&mut tx, &store.vault, &*store.clock, &andina(), fail).await;
        assert!(matches!(made, Err(StoreError::Conflict("fault"))), "{fault:?}");
        drop(tx);
        assert_eq!(rows(&store).await, before, "{fault:?}");
    }
    let mut tx = store.database.tenant("test", &tenant).await.unwrap();
    let mut steps = Vec::new();
    let note = |step| {
        steps.push(step);
        Ok(())
    };
    provision(&mut tx, &store.vault, &*store.clock, &andina(), note).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(steps, ProvisionStep::ALL);
    let after = rows(&store).await;
    let grown: Vec<_> = after
        .iter()
        .zip(&before)
        .filter(|(after, before)| after.1 > before.1)
        .map(|(a, _)| a.0.as_str())
        .collect();
    for table in [
        "misy.api_keys",
        "misy.audit_entries",
        "misy.context_packs",
        "misy.data_keys",
        "misy.site_origins",
        "misy.sites",
        "misy.tenant_secrets",
        "misy.tenants",
        "platform.credentials",
        "platform.origins",
        "platform.owner",
        "platform.secret_ids",
        "platform.tenant_ids",
    ] {
        assert!(grown.contains(&table), "{table} in {grown:?}");
    }
}

#[tokio::test]
async fn forty_tenants_are_provisioned_one_after_another_and_the_time_is_told() {
    let store = test_store().await.unwrap();
    let mut times = Vec::new();
    for number in 0..40 {
        let tenant: TenantId = format!("tenant-{number}").parse().unwrap();
        let new = NewTenant { tenant_type: TenantType::Standard, ..andina() };
        let began = std::time::Instant::now();
        let mut tx = store.database.tenant("test", &tenant).await.unwrap();
        provision(&mut tx, &store.vault, &*store.clock, &new, |_| Ok(())).await.unwrap();
        tx.commit().await.unwrap();
        times.push(began.elapsed());
    }
    times.sort_unstable();
    println!("p50 {:?}, p95 {:?}", times[20], times[38]);
}
