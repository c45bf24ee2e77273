//! Bookings by conversation, over a real database and a real worker.

use crate::turns::{asked, said, turns, until};
use misy_domain::{Clock, Metered, Role};
use misy_orchestrator::WorkerSettings;
use misy_store::{
    bookings::{contact_of, upcoming},
    sessions::Session,
    usage,
};
use misy_testkit::store::{TestStore, TestTenant, test_store};
use serde_json::json;
use tokio_util::sync::CancellationToken;

/// A business whose only provider is always there.
async fn clinic(store: &TestStore) -> TestTenant {
    let tenant = store.tenant("andina").await.unwrap();
    let day = json!([["00:00", "24:00"]]);
    let week = json!({"mon": day, "tue": day, "wed": day, "thu": day, "fri": day, "sat": day, "sun": day});
    let pack = json!({
        "displayName": "Clínica", "industry": "clinic", "locale": "es-CO", "timezone": "America/Bogota", "currency": "COP",
        "contact": {"email": "a@example.com"},
        "services": [{"id": "limpieza", "name": "Limpieza dental", "durationMinutes": 30, "providerIds": ["dra-rojas"]}],
        "providers": [{"id": "dra-rojas", "name": "Dra. Rojas", "weeklyAvailability": week}],
        "bookingPolicy": {"slotMinutes": 30, "maxAdvanceDays": 60}
    });
    let pack = pack.to_string();
    store
        .admin(format!(
            "insert into misy.context_packs (tenant_id, version, pack) values ('andina', 2, '{pack}')"
        ))
        .await
        .unwrap();
    tenant
}

async fn booked(store: &TestStore, tenant: &TestTenant, session: &Session) -> Vec<(String, Option<String>)> {
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    let contact = contact_of(&mut tx, session.conversation_id).await.unwrap().unwrap();
    let ahead = upcoming(&mut tx, &tenant.keys, contact, store.clock.now()).await.unwrap();
    let local =
        |at: misy_domain::Timestamp| at.in_tz("America/Bogota").unwrap().strftime("%H:%M").to_string();
    ahead.into_iter().map(|one| (local(one.starts_at), one.details.name)).collect()
}

async fn counted(store: &TestStore, tenant: &TestTenant) -> i64 {
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    let counted = usage::counted(&mut tx, store.clock.now()).await.unwrap();
    counted.get(&Metered::Bookings).copied().unwrap_or_default()
}

/// The commit of the turn that books fails after the booking is made, as when its worker dies there: the turn runs again, and there
/// is one booking, counted once, and one answer.
#[tokio::test]
async fn a_booking_by_conversation_is_made_once_though_its_turn_breaks_off_after_it() {
    let store = test_store().await.unwrap();
    let tenant = clinic(&store).await;
    let session = store.session(&tenant).await.unwrap();
    let shutdown = CancellationToken::new();
    let worker = tokio::spawn(turns(&store).worker(WorkerSettings::default()).run(shutdown.clone()));

    asked(&store, &tenant, &session, "quiero reservar una limpieza dental mañana a las 15:00, soy Ana Ruiz")
        .await;
    let messages = until(&store, &tenant, &session, 2).await;
    let confirm = &said(&messages)[1].1;
    assert!(confirm.contains("15:00") && confirm.contains("Ana Ruiz"), "{confirm}");
    assert_eq!(booked(&store, &tenant, &session).await, []);
    let mut admin = store.connect_as("postgres").await.unwrap();
    let held = "select count(*) from misy.bookings where state = 'held' and held_until is not null";
    assert_eq!(sqlx::query_scalar::<_, i64>(held).fetch_one(&mut admin).await.unwrap(), 1);
    // Whoever looks at the tables reads no name.
    let readable = "select count(*) from misy.bookings b, misy.booking_forms f
                    where position('Ana'::bytea in b.sealed_details) > 0 or position('Ana'::bytea in f.sealed_form) > 0";
    assert_eq!(sqlx::query_scalar::<_, i64>(readable).fetch_one(&mut admin).await.unwrap(), 0);

    store
        .admin(
            "create sequence public.tries;
             grant usage on sequence public.tries to public;
             grant usage on schema public to public;
             create function public.break_off() returns trigger language plpgsql as $$
             begin
                 if nextval('public.tries') = 1 then raise exception 'broken off'; end if;
                 return new;
             end $$;
             create trigger break_off before insert on misy.decisions for each row execute function public.break_off()",
        )
        .await
        .unwrap();
    asked(&store, &tenant, &session, "sí, confirmo").await;
    let messages = until(&store, &tenant, &session, 4).await;
    shutdown.cancel();
    worker.await.unwrap();

    let (role, done) = &said(&messages)[3];
    assert_eq!(*role, Role::Agent);
    assert!(done.contains("reservado") && done.contains("America/Bogota"), "{done}");
    assert_eq!(booked(&store, &tenant, &session).await, [("15:00".to_owned(), Some("Ana Ruiz".to_owned()))]);
    assert_eq!((counted(&store, &tenant).await, messages.len()), (1, 4));
    let tried = "select last_value from public.tries";
    assert_eq!(sqlx::query_scalar::<_, i64>(tried).fetch_one(&mut admin).await.unwrap(), 2, "it ran twice");
}

#[tokio::test]
async fn somebody_who_was_slower_is_offered_other_times_and_can_move_and_cancel_what_they_book() {
    let store = test_store().await.unwrap();
    let tenant = clinic(&store).await;
    let (ana, luis) = (store.session(&tenant).await.unwrap(), store.session(&tenant).await.unwrap());
    let shutdown = CancellationToken::new();
    let worker = tokio::spawn(turns(&store).worker(WorkerSettings::default()).run(shutdown.clone()));
    let mut count = 0;
    let mut say = async |session: &Session, text: &str| {
        let before = crate::turns::messages(&store, &tenant, session).await.len();
        asked(&store, &tenant, session, text).await;
        count += 1;
        said(&until(&store, &tenant, session, before + 2).await).pop().unwrap().1
    };
    say(&ana, "quiero reservar una limpieza dental mañana a las 15:00, soy Ana Ruiz").await;
    let slower = say(&luis, "quiero reservar una limpieza dental mañana a las 15:00, soy Luis Mora").await;
    assert!(slower.contains("ya no queda libre") && slower.contains("libre:"), "{slower}");
    say(&luis, "a las 16:00").await;
    say(&luis, "sí").await;
    say(&ana, "sí").await;
    let moved = say(&luis, "quiero cambiar mi cita para pasado mañana a las 17:00").await;
    assert!(moved.contains("17:00"), "{moved}");
    say(&luis, "sí, por favor").await;
    assert_eq!(booked(&store, &tenant, &luis).await, [("17:00".to_owned(), Some("Luis Mora".to_owned()))]);
    say(&ana, "necesito cancelar mi cita").await;
    say(&ana, "sí").await;
    shutdown.cancel();
    worker.await.unwrap();
    assert_eq!(booked(&store, &tenant, &ana).await, []);
    assert_eq!(
        counted(&store, &tenant).await,
        2,
        "what is called off goes on counting, and what is moved counts once"
    );
}
