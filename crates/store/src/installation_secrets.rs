//! Secrets of the installation that stay the same when the root key is rotated.

use crate::{
    Database, StoreError, SystemTx, Vault,
    signing_keys::{Opened, believed, open, seal_private, unless_forged},
};
use misy_domain::Secret;

const TABLE: &str = "installation_secrets";

/// The secret of this name. It is made when it is asked for first; of several replicas one wins, and all take its secret.
pub(crate) async fn load_or_create(
    database: &Database,
    vault: &Vault,
    name: &str,
) -> Result<Secret<[u8; 32]>, StoreError> {
    if read(database, name).await?.is_none() {
        let sealed = seal_private(vault, TABLE, name, &vault.entropy().key())?;
        let mut tx = database.system("installation_secrets.create").await?;
        sqlx::query!(
            "insert into platform.installation_secrets (name, sealed_secret) values ($1, $2) on conflict do nothing",
            name,
            sealed
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await?;
    }
    let sealed = read(database, name).await?.ok_or(StoreError::Unsealable(TABLE))?;
    let bytes = open(vault, TABLE, name, &sealed).await?;
    let bytes = bytes.expose().as_slice().try_into().map_err(|_| StoreError::Unsealable(TABLE))?;
    Ok(Secret::new(bytes))
}

async fn read(database: &Database, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let sealed =
        sqlx::query_scalar!("select sealed_secret from platform.installation_secrets where name = $1", name)
            .fetch_optional(database.app())
            .await?;
    Ok(sealed)
}

/// Seals those anew that are sealed under an old root key.
pub(crate) async fn rewrap(
    tx: &mut SystemTx,
    vault: &Vault,
    is_old: impl Fn(&[u8]) -> bool,
) -> Result<(), StoreError> {
    let rows = sqlx::query!("select name, sealed_secret from platform.installation_secrets for update")
        .fetch_all(tx.connection())
        .await?;
    let mut opened = Vec::with_capacity(rows.len());
    for row in rows {
        let key = unless_forged(open(vault, TABLE, &row.name, &row.sealed_secret).await)?;
        opened.push(Opened { name: row.name.clone(), row: (row.name, row.sealed_secret), key });
    }
    for ((name, sealed), secret) in believed(TABLE, opened)? {
        if is_old(&sealed) {
            let sealed = seal_private(vault, TABLE, &name, secret.expose())?;
            sqlx::query!(
                "update platform.installation_secrets set sealed_secret = $2 where name = $1",
                name,
                sealed
            )
            .execute(tx.connection())
            .await?;
        }
    }
    Ok(())
}
