//! What a role may set for its own later sessions is not what the program finds there.

use super::{Stage, andina, refused};
use misy_store::database::Role;
use sqlx::{AssertSqlSafe, Executor};

pub(crate) async fn attack(stage: &Stage, fresh: impl Fn() -> misy_store::Database) {
    let name = stage.text("select current_database()::text").await;
    for (role, setting) in
        [(Role::App, "statement_timeout = 1"), (Role::Worker, "default_transaction_read_only = on")]
    {
        let mut session = stage.session(role).await;
        // Which tenant a session begins with is not among them.
        let tenant = format!("alter role {} in database {name} set app.tenant_id = 'andina'", role.name());
        refused(&mut session, role, &tenant).await;
        let poison = format!("alter role {} in database {name} set {setting}", role.name());
        session.execute(AssertSqlSafe(poison)).await.unwrap();
        let database = fresh();
        let mut tx = match role {
            Role::App => database.tenant("test", &andina()).await.unwrap(),
            _ => database.tenant_work("test", &andina()).await.unwrap(),
        };
        drop(misy_store::tenants::read(&mut tx).await.unwrap());
        drop(tx);
        database.close().await;
        let left =
            "select count(*)::text from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase
                    where d.datname = current_database()";
        assert_eq!(stage.text(left).await, "0", "{setting}");
    }
}

#[tokio::test]
async fn settings_that_a_role_left_for_its_later_sessions_are_taken_away() {
    let stage = Stage::private().await;
    let superuser = stage.superuser.clone();
    attack(&stage, move || {
        misy_store::Database::open(&misy_store::DatabaseOptions::new(
            superuser.clone(),
            misy_store::database::Login::ByName,
        ))
    })
    .await;
}
