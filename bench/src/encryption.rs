//! What sealing costs a message, and how fast a data key and the root key are rotated.

use crate::report;
use misy_domain::{Entropy, Secret};
use misy_store::{
    Roots, Vault,
    leases::{Cursor, LeaseTerms, Share, WorkerId},
    rotation::{self, Rotations, Rotator, Step, root},
    vault::Via,
};
use misy_testkit::store::test_store;
use misy_trust::{Place, RootKey, SystemEntropy};
use std::{hint::black_box, sync::Arc, time::Instant};

const MESSAGES: u32 = 200_000;
const ROWS: i64 = 50_000;
const TENANTS: usize = 200;

pub(crate) async fn measure() -> anyhow::Result<()> {
    let store = test_store().await.map_err(|error| anyhow::anyhow!("{error}"))?;
    let build = |error| anyhow::anyhow!("{error}");
    let tenant = store.tenant("andina").await.map_err(build)?;
    let session = store.session(&tenant).await?;
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::new());

    // Sealing and opening as a message does: the key is in memory, found by the session.
    let body =
        serde_json::json!({ "parts": [{ "kind": "text", "text": "¿atienden los sábados? ".repeat(6) }] });
    let body = body.to_string().into_bytes();
    let subject = session.session_id.to_string();
    let row = "msg_01k9z3v5d2m8q4x7c1b6n0f9gh";
    let place = Place { tenant: &tenant.id, table: "messages", column: "sealed_body", row };
    let mut connection = store.connect_as("misy_app").await?;
    let began = Instant::now();
    let mut sealed = Vec::new();
    for _ in 0..MESSAGES {
        let key = tenant.keys.contact(Via::Connection(&mut connection), &subject).await?;
        let key = key.ok_or_else(|| anyhow::anyhow!("no key"))?;
        sealed = black_box(key.seal(&place, &body, &*entropy));
    }
    let seal = began.elapsed();
    let began = Instant::now();
    for _ in 0..MESSAGES {
        let key = tenant.keys.contact(Via::Connection(&mut connection), &subject).await?;
        let key = key.ok_or_else(|| anyhow::anyhow!("no key"))?;
        black_box(key.open(&tenant.keys, &place, &sealed)?);
    }
    let open = began.elapsed();
    let each = |took: std::time::Duration| took.as_secs_f64() * 1e6 / f64::from(MESSAGES);
    report(format!(
        "encryption   {:.2} µs to seal and {:.2} µs to open a message of {} bytes, key look-up included",
        each(seal),
        each(open),
        body.len()
    ));

    // As many contacts as rows: what a rotation of a large tenant rewraps.
    contacts(&store, &tenant).await?;
    let began = Instant::now();
    let mut tx = store.database.tenant("bench", &tenant.id).await?;
    rotation::start(
        &mut tx,
        &tenant.keys,
        &misy_store::audit::Actor::outside("bench"),
        &*store.clock,
        &*store.entropy,
    )
    .await?;
    tx.commit().await?;
    store.admin("update misy.key_rotations set work_at = now() where finished_at is null").await?;
    let rotator = Rotator::new(store.database.clone(), store.vault.clone());
    let (worker, terms) = (WorkerId::new(&*store.entropy), LeaseTerms::default());
    let claimed =
        store.database.claim::<Rotations>(&worker, 1, &terms, &Cursor::default(), Share::ALL).await?;
    let lease = claimed.leases.first().ok_or_else(|| anyhow::anyhow!("nothing is due"))?;
    let mut rows = 0;
    while let Step::Resealed(count) = rotator.step(lease).await? {
        rows += count;
    }
    let took = began.elapsed().as_secs_f64();
    #[allow(clippy::cast_precision_loss, reason = "a small number")]
    report(format!("rotation     {rows} rows in {took:.1} s: {:.0} rows/s", rows as f64 / took));

    for at in 0..TENANTS {
        store.tenant(&format!("tenant-{at}")).await.map_err(build)?;
    }
    let new = RootKey::new(Secret::new([9; 32]));
    let roots = Roots::fixed(vec![new, store.vault.roots().active()]);
    let vault = Vault::over(roots, entropy);
    let began = Instant::now();
    let keys = root::rewrap(&store.database, &vault, |_| ()).await?;
    let took = began.elapsed().as_secs_f64();
    #[allow(clippy::cast_precision_loss, reason = "a small number")]
    report(format!("root key     {keys} data keys in {took:.2} s: {:.0} keys/s", keys as f64 / took));
    Ok(())
}

/// Contacts with keys.
async fn contacts(
    store: &misy_testkit::store::TestStore,
    tenant: &misy_testkit::store::TestTenant,
) -> anyhow::Result<()> {
    let mut tuples = Vec::new();
    for at in 1..=ROWS {
        let contact = format!("con_{at}");
        let place = Place { tenant: &tenant.id, table: "contact_keys", column: "wrapped_key", row: &contact };
        let sealed = tenant.keys.seal(&place, &store.entropy.key(), &*store.entropy)?;
        let hex = sealed.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        tuples.push(format!("('{contact}', '\\x{hex}'::bytea)"));
        if tuples.len() == 5_000 || at == ROWS {
            store
                .admin(format!(
                    "insert into misy.contacts (tenant_id, contact_id)
                     select 'andina', v.contact from (values {0}) as v (contact, wrapped);
                     insert into misy.contact_keys (tenant_id, contact_id, wrapped_key)
                     select 'andina', v.contact, v.wrapped from (values {0}) as v (contact, wrapped)",
                    tuples.join(",")
                ))
                .await?;
            tuples.clear();
        }
    }
    Ok(())
}
