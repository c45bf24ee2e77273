//! The keys of contacts: what a contact says, and what is known of its visits, is sealed under a key of its own. Deleting
//! that key makes all of it unreadable here. A backup that holds the key still opens.

use super::{TenantKeys, unsealable};
use crate::StoreError;
use misy_domain::{ContactId, Entropy, TenantId};
use misy_trust::{DataKey, Place, Scope, seal};
use moka::sync::Cache;
use sqlx::{PgConnection, PgPool, Postgres, pool::PoolConnection};
use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
    time::Duration,
};

const KEYS_IN_MEMORY: u64 = 200_000;
/// A key that was deleted on another replica is forgotten here after so long.
const KEPT: Duration = Duration::from_mins(5);

/// The key of a contact.
pub struct ContactKey {
    contact: String,
    key: DataKey,
}

/// How to get at the database when a key is not in memory: on a connection that is held already, or one of the pool.
pub enum Via<'a> {
    /// This connection.
    Connection(&'a mut PgConnection),
    /// Any connection of the pool.
    Pool(&'a PgPool),
}

/// A connection, borrowed or of the pool.
pub(crate) enum Held<'a> {
    Borrowed(&'a mut PgConnection),
    Pooled(PoolConnection<Postgres>),
}

/// Keys in memory, by what they were asked for: a session, a conversation or the contact itself.
#[derive(Clone)]
pub(super) struct ContactKeys(Cache<(TenantId, String), Arc<ContactKey>>);

impl Default for ContactKeys {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(KEYS_IN_MEMORY).time_to_live(KEPT).build())
    }
}

impl<'a> Via<'a> {
    /// The same, to be used once more.
    pub(crate) fn again(&mut self) -> Via<'_> {
        match self {
            Self::Connection(connection) => Via::Connection(connection),
            Self::Pool(pool) => Via::Pool(pool),
        }
    }

    pub(crate) async fn connection(self) -> Result<Held<'a>, StoreError> {
        Ok(match self {
            Self::Connection(connection) => Held::Borrowed(connection),
            Self::Pool(pool) => Held::Pooled(pool.acquire().await?),
        })
    }
}

impl Deref for Held<'_> {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        match self {
            Self::Borrowed(connection) => connection,
            Self::Pooled(connection) => connection,
        }
    }
}

impl DerefMut for Held<'_> {
    fn deref_mut(&mut self) -> &mut PgConnection {
        match self {
            Self::Borrowed(connection) => connection,
            Self::Pooled(connection) => connection,
        }
    }
}

impl ContactKey {
    /// Whose it is.
    pub fn contact(&self) -> &str {
        &self.contact
    }

    /// Seals bytes for one place in the database.
    pub fn seal(&self, place: &Place<'_>, plaintext: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
        seal::seal(&self.key, place, plaintext, entropy)
    }

    /// Opens what was sealed for that place, under this key or, before there were such keys, under the tenant's.
    pub fn open(&self, keys: &TenantKeys, place: &Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        match seal::sealed_under(sealed).map_err(unsealable)? {
            (Scope::Tenant, _) => keys.open(place, sealed),
            (Scope::Contact, version) => {
                let key = |wanted| (wanted == version).then_some(&self.key);
                seal::open(key, place, sealed).map_err(unsealable)
            }
        }
    }
}

impl TenantKeys {
    /// The key of the contact that a session or conversation belongs to, or of the contact itself; `None` if there is no
    /// such thing, and where the key was destroyed: they get no other.
    pub async fn contact(&self, via: Via<'_>, subject: &str) -> Result<Option<Arc<ContactKey>>, StoreError> {
        let name = (self.tenant.clone(), subject.to_owned());
        if let Some(key) = self.shared.contacts.0.get(&name) {
            return Ok(Some(key));
        }
        let mut connection = via.connection().await?;
        let row = sqlx::query!(
            r#"select contact_id as "contact_id!", version, wrapped_key from contact_key($1, $2)"#,
            self.tenant.as_str(),
            subject,
        )
        .fetch_optional(&mut *connection)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let Some((version, wrapped)) = row.version.zip(row.wrapped_key) else { return Ok(None) };
        let key = self.unwrap_contact(&mut connection, row.contact_id, version, &wrapped).await?;
        let key = Arc::new(key);
        self.shared.contacts.0.insert(name, key.clone());
        Ok(Some(key))
    }

    /// Brings the keys of the contacts of these conversations into memory, in one round trip for all that are not there.
    pub(crate) async fn fetch_contacts(
        &self,
        connection: &mut PgConnection,
        conversations: &[String],
    ) -> Result<(), StoreError> {
        let name = |conversation: &String| (self.tenant.clone(), conversation.clone());
        let missing: Vec<String> = conversations
            .iter()
            .filter(|conversation| !self.shared.contacts.0.contains_key(&name(conversation)))
            .cloned()
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let rows = sqlx::query!(
            "select c.conversation_id, c.contact_id, k.version, k.wrapped_key
             from conversations c
             join contact_keys k on k.tenant_id = c.tenant_id and k.contact_id = c.contact_id
             where c.tenant_id = $1 and c.conversation_id = any ($2)",
            self.tenant.as_str(),
            &missing,
        )
        .fetch_all(&mut *connection)
        .await?;
        for row in rows {
            let key = self.unwrap_contact(connection, row.contact_id, row.version, &row.wrapped_key).await?;
            self.shared.contacts.0.insert(name(&row.conversation_id), Arc::new(key));
        }
        Ok(())
    }

    /// A key for a contact that is being made, and how it is stored.
    pub(crate) fn new_contact(&self, contact: ContactId) -> Result<(Arc<ContactKey>, Vec<u8>), StoreError> {
        let (key, wrapped) = self.generate(contact.to_string())?;
        Ok((Arc::new(key), wrapped))
    }

    /// A key that is kept nowhere: what is sealed under it is gone.
    pub(crate) fn of_nobody(&self) -> Result<ContactKey, StoreError> {
        Ok(self.generate(String::new())?.0)
    }

    /// Keeps a key in memory under the names it will be asked for.
    pub(crate) fn remember<const N: usize>(&self, names: [String; N], key: &Arc<ContactKey>) {
        for name in names {
            self.shared.contacts.0.insert((self.tenant.clone(), name), key.clone());
        }
    }

    /// Forgets a key under this name, here.
    pub fn forget_contact(&self, subject: &str) {
        self.shared.contacts.0.invalidate(&(self.tenant.clone(), subject.to_owned()));
    }

    fn generate(&self, contact: String) -> Result<(ContactKey, Vec<u8>), StoreError> {
        let entropy = &*self.shared.entropy;
        let key = DataKey::generate(1, entropy);
        let opened = self.opened();
        let newest = opened.data.last().ok_or(StoreError::Unsealable("data_keys"))?;
        let wrapped = key.wrapped_by(newest, &place(&self.tenant, &contact), entropy);
        Ok((ContactKey { contact, key: key.of_contact() }, wrapped))
    }

    async fn unwrap_contact(
        &self,
        connection: &mut PgConnection,
        contact: String,
        version: i32,
        wrapped: &[u8],
    ) -> Result<ContactKey, StoreError> {
        let broken = || StoreError::Unsealable("contact_keys");
        self.know(Via::Connection(connection), [wrapped]).await?;
        let version = u32::try_from(version).map_err(|_| broken())?;
        let under = seal::key_version(wrapped).map_err(|_| broken())?;
        let opened = self.opened();
        let data = opened.data.iter().find(|key| key.version() == under).ok_or_else(broken)?;
        let place = place(&self.tenant, &contact);
        let key = DataKey::unwrapped_by(version, data, &place, wrapped).map_err(|_| broken())?;
        Ok(ContactKey { contact, key: key.of_contact() })
    }
}

fn place<'a>(tenant: &'a TenantId, contact: &'a str) -> Place<'a> {
    Place { tenant, table: "contact_keys", column: "wrapped_key", row: contact }
}
