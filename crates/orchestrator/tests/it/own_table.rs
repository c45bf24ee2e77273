//! Any table becomes leased work by one line of SQL and one type, and its work is done once whichever step its worker dies at.

use misy_domain::MailId;
use misy_orchestrator::{Handler, WorkError, Worker, WorkerSettings};
use misy_store::leases::{Backoff, Lease, LeaseTerms, Leased, dead_work, drop_work, revive};
use misy_testkit::{
    PATIENCE,
    store::{TestStore, test_store},
};
use sqlx::{AssertSqlSafe, PgConnection};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// What a migration would say.
const TABLE: &str = "
    set role misy_owner;
    create table misy.parcels (
        tenant_id text collate \"C\" not null references misy.tenants on delete cascade,
        parcel_id text collate \"C\" not null,
        delivered integer not null default 0,
        primary key (tenant_id, parcel_id)
    );
    call misy.protect('misy.parcels');
    call misy.lease('misy.parcels', 'parcel', 'parcel_id');
    grant select, insert, update, delete on misy.parcels to misy_app, misy_system";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Parcels;

impl Leased for Parcels {
    type Id = MailId;
    const TABLE: &'static str = "parcels";
    const KIND: &'static str = "parcel";
}

/// Where a worker dies, in the order in which it gets there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Claimed,
    Acted,
    Written,
    Committed,
    Never,
}

/// Delivers parcels, and stops for ever at one step.
#[derive(Clone)]
struct Carrier {
    options: sqlx::postgres::PgConnectOptions,
    dies: Step,
    reached: Arc<Notify>,
    /// How often a parcel was handed over; what a worker does outside is done again when it dies before its commit.
    handed_over: Arc<AtomicU32>,
    fails: bool,
}

impl Carrier {
    async fn at(&self, step: Step) {
        if self.dies == step {
            self.reached.notify_one();
            std::future::pending::<()>().await;
        }
    }

    async fn connect(&self) -> PgConnection {
        use sqlx::ConnectOptions;
        self.options.connect().await.unwrap()
    }
}

impl Handler for Carrier {
    type Kind = Parcels;

    async fn handle(&self, lease: &Lease<Parcels>) -> Result<(), WorkError> {
        use sqlx::Connection;
        self.at(Step::Claimed).await;
        if self.fails {
            return Err(WorkError::Failed(misy_store::leases::Trouble::Timeout));
        }
        self.handed_over.fetch_add(1, SeqCst);
        self.at(Step::Acted).await;
        let mut connection = self.connect().await;
        let mut tx = connection.begin().await.unwrap();
        let delivered = sqlx::query(
            "update misy.parcels set delivered = delivered + 1, work_at = null, lease_owner = null, attempts = 0
             where parcel_id = $1 and fence = $2 and lease_owner = $3",
        )
        .bind(lease.id.to_string())
        .bind(lease.fence)
        .bind(lease.worker.as_str())
        .execute(&mut *tx)
        .await
        .unwrap();
        self.at(Step::Written).await;
        if delivered.rows_affected() == 0 {
            return Err(misy_store::StoreError::LeaseLost.into());
        }
        tx.commit().await.unwrap();
        self.at(Step::Committed).await;
        Ok(())
    }
}

fn settings(heartbeat: Duration) -> WorkerSettings {
    WorkerSettings {
        terms: LeaseTerms { length: Duration::from_millis(400), most_attempts: 3 },
        backoff: Backoff { first: Duration::from_millis(1), most: Duration::from_millis(5) },
        poll: Duration::from_millis(20),
        heartbeat,
        ..WorkerSettings::default()
    }
}

fn start(store: &TestStore, carrier: &Carrier) -> (JoinHandle<()>, CancellationToken) {
    let stop = CancellationToken::new();
    let settings = settings(Duration::from_millis(100));
    let worker = Worker::new(store.database.clone(), store.entropy.clone(), settings, carrier.clone());
    (tokio::spawn(worker.run(stop.clone())), stop)
}

fn carrier(store: &TestStore, dies: Step) -> Carrier {
    let options = store.options("postgres");
    Carrier { options, dies, reached: Arc::default(), handed_over: Arc::default(), fails: false }
}

/// A database with the table, one tenant, and a parcel that is due.
async fn with_parcel() -> (TestStore, misy_testkit::store::TestTenant, MailId) {
    let store = test_store().await.unwrap();
    store.admin(TABLE).await.unwrap();
    let tenant = store.tenant("andina").await.unwrap();
    let id = MailId::new(&*store.clock, &*store.entropy);
    let due =
        format!("insert into misy.parcels (tenant_id, parcel_id, work_at) values ('andina', '{id}', now())");
    store.admin(due).await.unwrap();
    (store, tenant, id)
}

async fn is(store: &TestStore, condition: &str) {
    let mut admin = store.connect_as("postgres").await.unwrap();
    let query = format!("select count(*) = 1 from misy.parcels where {condition}");
    let reached = async {
        loop {
            let met: bool =
                sqlx::query_scalar(AssertSqlSafe(query.clone())).fetch_one(&mut admin).await.unwrap();
            if met {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, reached).await.unwrap_or_else(|_| panic!("never: {condition}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whichever_step_a_worker_dies_at_its_work_is_done_once() {
    for dies in [Step::Claimed, Step::Acted, Step::Written, Step::Committed] {
        let (store, _, _) = with_parcel().await;
        let doomed = carrier(&store, dies);
        let (worker, _stop) = start(&store, &doomed);
        tokio::time::timeout(PATIENCE, doomed.reached.notified()).await.unwrap();
        worker.abort();
        let _ = worker.await;

        let next = carrier(&store, Step::Never);
        let (worker, stop) = start(&store, &next);
        is(&store, "delivered = 1 and work_at is null").await;
        stop.cancel();
        worker.await.unwrap();
        is(&store, "delivered = 1").await;
        let again = u32::from(dies != Step::Committed);
        assert_eq!(next.handed_over.load(SeqCst), again, "{dies:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_paused_past_its_lease_writes_nothing_and_the_successor_is_not_disturbed() {
    let (store, tenant, _) = with_parcel().await;
    let (slow, quick) = (carrier(&store, Step::Never), carrier(&store, Step::Never));
    let worker = misy_store::leases::WorkerId::new(&*store.entropy);
    let terms = LeaseTerms { length: Duration::ZERO, most_attempts: 3 };
    let claim = async |terms: &LeaseTerms| {
        let (anywhere, all) = (misy_store::leases::Cursor::default(), misy_store::leases::Share::ALL);
        store.database.claim::<Parcels>(&worker, 1, terms, &anywhere, all).await.unwrap().leases.remove(0)
    };
    let late = claim(&terms).await;
    let held = claim(&LeaseTerms { length: Duration::from_mins(1), most_attempts: 3 }).await;
    // The same process may hold it again: the fence alone tells the two apart.
    assert_eq!((late.fence, held.fence), (1, 2));
    assert!(matches!(slow.handle(&late).await, Err(WorkError::Store(misy_store::StoreError::LeaseLost))));
    assert_eq!(store.database.extend(&worker, &[late.clone(), held.clone()], &terms).await.unwrap(), [late]);
    quick.handle(&held).await.unwrap();
    is(&store, "delivered = 1").await;
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    assert!(dead_work(&mut tx, None, None, 10).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_again_and_again_is_given_up_told_revived_and_dropped() {
    let (store, tenant, id) = with_parcel().await;
    let failing = Carrier { fails: true, ..carrier(&store, Step::Never) };
    let (worker, stop) = start(&store, &failing);
    is(&store, "dead_at is not null and attempts = 3 and work_at is null and last_error = 'timeout'").await;
    stop.cancel();
    worker.await.unwrap();

    let id = id.to_string();
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    let dead = dead_work(&mut tx, Some("parcel"), None, 10).await.unwrap();
    assert_eq!((&*dead[0].kind, &dead[0].id, dead[0].attempts), ("parcel", &id, 3));
    assert!(dead[0].meaning().contains("longer than it may"), "{}", dead[0].meaning());
    let alerts = misy_store::alerts::list(&mut tx, true, None, 10).await.unwrap();
    assert_eq!((&*alerts[0].rule, alerts[0].subject.as_ref()), ("work_dead", Some(&id)));
    assert!(!drop_work(&mut tx, "mail", &id).await.unwrap());
    assert!(revive(&mut tx, "parcel", &id).await.unwrap());
    tx.commit().await.unwrap();

    // It fails once more; the same cause within the hour raises no second alert.
    let (worker, stop) = start(&store, &failing);
    is(&store, "dead_at is not null").await;
    stop.cancel();
    worker.await.unwrap();
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    assert!(drop_work(&mut tx, "parcel", &id).await.unwrap());
    assert!(!drop_work(&mut tx, "parcel", &id).await.unwrap());
    tx.commit().await.unwrap();
    let mut admin = store.connect_as("postgres").await.unwrap();
    let left: i64 =
        sqlx::query_scalar("select count(*) from misy.parcels").fetch_one(&mut admin).await.unwrap();
    assert_eq!(left, 0);
}
