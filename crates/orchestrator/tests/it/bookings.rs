//! Bookings by conversation, over a real database and a real worker.

use crate::turns::{messages, said, turns, until};
use misy_domain::{Clock, Message, Metered, Role};
use misy_orchestrator::WorkerSettings;
use misy_store::{
    bookings::{self, By, Correction, Details, contact_of, upcoming},
    inbox::{self, Handled},
    leases::Backoff,
    sessions::Session,
    usage,
};
use misy_testkit::store::{TestStore, TestTenant, test_store};
use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Nothing is waited for any longer.
const PATIENCE: Duration = Duration::from_mins(1);

/// A business whose only provider is always there, and which does one thing.
async fn clinic(store: &TestStore, id: &str, locale: &str, service: &str) -> TestTenant {
    let tenant = store.tenant(id).await.unwrap();
    let day = json!([["00:00", "24:00"]]);
    let week = json!({"mon": day, "tue": day, "wed": day, "thu": day, "fri": day, "sat": day, "sun": day});
    let pack = json!({
        "displayName": "Clínica", "industry": "clinic", "locale": locale, "timezone": "America/Bogota", "currency": "COP",
        "contact": {"email": "a@example.com"},
        "services": [{"id": "limpieza", "name": service, "durationMinutes": 30, "providerIds": ["dra-rojas"]}],
        "providers": [{"id": "dra-rojas", "name": "Dra. Rojas", "weeklyAvailability": week}],
        "bookingPolicy": {"slotMinutes": 30, "maxAdvanceDays": 60}
    });
    let pack = pack.to_string();
    store
        .admin(format!(
            "insert into misy.context_packs (tenant_id, version, pack) values ('{id}', 2, '{pack}')"
        ))
        .await
        .unwrap();
    tenant
}

/// What breaks off is run again at once.
fn quick() -> WorkerSettings {
    let soon = Duration::from_millis(10);
    WorkerSettings { poll: soon, backoff: Backoff { first: soon, most: soon }, ..WorkerSettings::default() }
}

/// Somebody who writes and waits for what is answered.
struct Talk<'a> {
    store: &'a TestStore,
    tenant: &'a TestTenant,
    session: Session,
}

impl<'a> Talk<'a> {
    async fn with(store: &'a TestStore, tenant: &'a TestTenant) -> Self {
        Self { store, tenant, session: store.session(tenant).await.unwrap() }
    }

    async fn all(&self) -> Vec<Message> {
        messages(self.store, self.tenant, &self.session).await
    }

    /// Says something and gives the answer. The same words twice are two messages.
    async fn say(&self, text: &str) -> String {
        let before = self.all().await.len();
        let id = format!("said-{before}");
        self.store.say(self.tenant, self.session.session_id, &id, text).await.unwrap();
        let answered = until(self.store, self.tenant, &self.session, before + 2);
        let messages = timeout(PATIENCE, answered).await.expect("an answer");
        let (role, answer) = said(&messages).pop().unwrap();
        assert_eq!(role, Role::Agent, "{answer}");
        answer
    }

    /// What they have booked: the local time, and in whose name.
    async fn booked(&self) -> Vec<(String, Option<String>)> {
        booked(self.store, self.tenant, &self.session).await
    }

    async fn has(&self, times: &[&str], name: &str) {
        let expected: Vec<_> = times.iter().map(|time| ((*time).to_owned(), Some(name.to_owned()))).collect();
        assert_eq!(self.booked().await, expected, "{:#?}", said(&self.all().await));
    }
}

/// From now on each turn breaks off after it did what it does and before it is durable, and is run again.
async fn break_each_turn_once(store: &TestStore) {
    store
        .admin(
            "create sequence public.tries;
             grant usage on sequence public.tries to public;
             grant usage on schema public to public;
             create function public.break_off() returns trigger language plpgsql as $$
             begin
                 if nextval('public.tries') % 2 = 1 then raise exception 'broken off'; end if;
                 return new;
             end $$;
             create trigger break_off before insert on misy.messages for each row when (new.role = 'agent')
                 execute function public.break_off()",
        )
        .await
        .unwrap();
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

/// The commit of each turn fails once, after all that the turn did to the bookings, as when its worker dies there. It runs again, and
/// everything has happened once: what is booked, moved and called off, what is counted, and what is answered.
#[tokio::test]
async fn what_a_conversation_books_moves_and_cancels_happens_once_though_every_turn_breaks_off() {
    let store = test_store().await.unwrap();
    let tenant = clinic(&store, "andina", "es-CO", "Limpieza dental").await;
    let ana = Talk::with(&store, &tenant).await;
    let shutdown = CancellationToken::new();
    let worker = tokio::spawn(turns(&store).worker(quick()).run(shutdown.clone()));
    break_each_turn_once(&store).await;

    let confirm = ana.say("quiero reservar una limpieza dental mañana a las 15:00, soy Ana Ruiz").await;
    assert!(confirm.contains("15:00") && confirm.contains("Ana Ruiz"), "{confirm}");
    ana.has(&[], "").await;
    let mut admin = store.connect_as("postgres").await.unwrap();
    let held = "select count(*) from misy.bookings where state = 'held' and held_until is not null";
    assert_eq!(sqlx::query_scalar::<_, i64>(held).fetch_one(&mut admin).await.unwrap(), 1);
    // Whoever looks at the tables reads no name.
    let readable = "select count(*) from misy.bookings b, misy.booking_forms f
                    where position('Ana'::bytea in b.sealed_details) > 0 or position('Ana'::bytea in f.sealed_form) > 0";
    assert_eq!(sqlx::query_scalar::<_, i64>(readable).fetch_one(&mut admin).await.unwrap(), 0);

    let done = ana.say("sí, confirmo").await;
    assert!(done.contains("reservado") && done.contains("America/Bogota"), "{done}");
    ana.has(&["15:00"], "Ana Ruiz").await;
    ana.say("quiero reservar otra limpieza dental mañana a las 18:00").await;
    ana.say("sí").await;
    ana.has(&["15:00", "18:00"], "Ana Ruiz").await;

    // A yes that is read again, when what it was for is done, is no yes to the other one.
    let asked = ana.say("necesito cancelar mi cita de las 15:00").await;
    assert!(asked.contains("15:00"), "{asked}");
    let off = ana.say("sí").await;
    assert!(off.contains("quedó anulada") && off.contains("15:00"), "{off}");
    ana.has(&["18:00"], "Ana Ruiz").await;
    ana.say("quiero cambiar mi cita para pasado mañana a las 17:00").await;
    let moved = ana.say("sí").await;
    assert!(moved.contains("17:00"), "{moved}");
    ana.has(&["17:00"], "Ana Ruiz").await;
    shutdown.cancel();
    worker.await.unwrap();

    assert_eq!((counted(&store, &tenant).await, ana.all().await.len()), (2, 16));
    let tried = "select last_value from public.tries";
    assert_eq!(
        sqlx::query_scalar::<_, i64>(tried).fetch_one(&mut admin).await.unwrap(),
        16,
        "each ran twice"
    );
}

#[tokio::test]
async fn somebody_books_moves_and_cancels_in_each_language() {
    let dialogues = [
        (
            "es-CO",
            "Limpieza dental",
            [
                "quiero reservar una limpieza dental mañana a las 15:00, soy Ana Ruiz",
                "sí",
                "quiero cambiar mi cita para pasado mañana a las 17:00",
                "sí, por favor",
                "necesito cancelar mi cita",
                "sí",
            ],
        ),
        (
            "en-US",
            "Dental cleaning",
            [
                "I'd like to book a dental cleaning tomorrow at 3pm, my name is Ana Ruiz",
                "yes please",
                "can I move my appointment to the day after tomorrow at 5pm?",
                "yes",
                "please cancel my appointment",
                "yes",
            ],
        ),
        (
            "pt-BR",
            "Limpeza dental",
            [
                "quero marcar uma limpeza dental amanhã às 15h, meu nome é Ana Ruiz",
                "sim",
                "quero mudar meu horário para depois de amanhã às 17h",
                "isso",
                "preciso cancelar minha consulta",
                "sim, pode cancelar",
            ],
        ),
    ];
    let store = test_store().await.unwrap();
    let shutdown = CancellationToken::new();
    let worker = tokio::spawn(turns(&store).worker(quick()).run(shutdown.clone()));
    for (locale, service, [book, yes, move_it, agreed, cancel, off]) in dialogues {
        let tenant = clinic(&store, &locale.to_lowercase(), locale, service).await;
        let ana = Talk::with(&store, &tenant).await;
        ana.say(book).await;
        ana.has(&[], "").await;
        ana.say(yes).await;
        ana.has(&["15:00"], "Ana Ruiz").await;
        ana.say(move_it).await;
        ana.has(&["15:00"], "Ana Ruiz").await;
        ana.say(agreed).await;
        ana.has(&["17:00"], "Ana Ruiz").await;
        ana.say(cancel).await;
        ana.has(&["17:00"], "Ana Ruiz").await;
        ana.say(off).await;
        ana.has(&[], "").await;
        assert_eq!(counted(&store, &tenant).await, 1);
    }
    shutdown.cancel();
    worker.await.unwrap();
}

#[tokio::test]
async fn somebody_who_was_slower_is_offered_other_times() {
    let store = test_store().await.unwrap();
    let tenant = clinic(&store, "andina", "es-CO", "Limpieza dental").await;
    let (ana, luis) = (Talk::with(&store, &tenant).await, Talk::with(&store, &tenant).await);
    let shutdown = CancellationToken::new();
    let worker = tokio::spawn(turns(&store).worker(quick()).run(shutdown.clone()));
    ana.say("quiero reservar una limpieza dental mañana a las 15:00, soy Ana Ruiz").await;
    let slower = luis.say("quiero reservar una limpieza dental mañana a las 15:00, soy Luis Mora").await;
    assert!(slower.contains("ya no queda libre") && slower.contains("libre:"), "{slower}");
    luis.say("a las 16:00").await;
    luis.say("sí").await;
    ana.say("sí").await;
    ana.has(&["15:00"], "Ana Ruiz").await;
    luis.has(&["16:00"], "Luis Mora").await;
    // Ana called hers off over the API; a yes to moving it is none to another one of hers.
    ana.say("quiero cambiar mi cita para pasado mañana a las 17:00").await;
    store.admin("update misy.bookings set state = 'cancelled' where starts_at = (select min(starts_at) from misy.bookings)").await.unwrap();
    let off = ana.say("sí").await;
    assert!(off.contains("está anulada"), "{off}");
    ana.has(&[], "").await;
    luis.has(&["16:00"], "Luis Mora").await;
    shutdown.cancel();
    worker.await.unwrap();
}

/// The worker dies before the turn is durable, and the contact thinks better of it meanwhile. Nothing is booked of which they are told that
/// nothing is.
#[tokio::test]
async fn what_a_turn_books_is_booked_with_the_turn_or_not_at_all() {
    let store = test_store().await.unwrap();
    let tenant = clinic(&store, "andina", "es-CO", "Limpieza dental").await;
    let ana = Talk::with(&store, &tenant).await;
    let shutdown = CancellationToken::new();
    let soon = Duration::from_millis(10);
    let never = Duration::from_hours(1);
    let settings = WorkerSettings {
        poll: soon,
        backoff: Backoff { first: never, most: never },
        ..WorkerSettings::default()
    };
    let worker = tokio::spawn(turns(&store).worker(settings).run(shutdown.clone()));
    ana.say("quiero reservar una limpieza dental mañana a las 15:00, soy Ana Ruiz").await;
    break_each_turn_once(&store).await;
    store.say(&tenant, ana.session.session_id, "yes", "sí").await.unwrap();
    let mut admin = store.connect_as("postgres").await.unwrap();
    let failed = "select exists (select from misy.conversations where attempts = 1 and lease_owner is null)";
    timeout(PATIENCE, async {
        while !sqlx::query_scalar::<_, bool>(failed).fetch_one(&mut admin).await.unwrap() {
            tokio::time::sleep(soon).await;
        }
    })
    .await
    .expect("a turn that broke off");
    ana.has(&[], "").await;
    assert_eq!(counted(&store, &tenant).await, 0);

    store.say(&tenant, ana.session.session_id, "no", "mejor no").await.unwrap();
    store.admin("update misy.conversations set work_at = clock_timestamp()").await.unwrap();
    let messages = timeout(PATIENCE, until(&store, &tenant, &ana.session, 5)).await.expect("an answer");
    let (_, told) = said(&messages).pop().unwrap();
    assert!(told.contains("no reservo nada"), "{told}");
    ana.has(&[], "").await;
    shutdown.cancel();
    worker.await.unwrap();
    assert_eq!(counted(&store, &tenant).await, 0);
}

/// What was asked before a person took the conversation is asked no more when they give it back.
#[tokio::test]
async fn a_yes_after_somebody_else_answered_books_nothing() {
    let store = test_store().await.unwrap();
    let tenant = clinic(&store, "andina", "es-CO", "Limpieza dental").await;
    let ana = Talk::with(&store, &tenant).await;
    let shutdown = CancellationToken::new();
    let worker = tokio::spawn(turns(&store).worker(quick()).run(shutdown.clone()));
    ana.say("quiero reservar una limpieza dental mañana a las 15:00, soy Ana Ruiz").await;
    for handled in [Handled::ByAnybody, Handled::ByAssistant] {
        let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
        inbox::handle(&mut tx, ana.session.conversation_id, handled).await.unwrap();
        tx.commit().await.unwrap();
    }
    let answer = ana.say("sí").await;
    assert!(!answer.contains("reservado"), "{answer}");
    ana.has(&[], "").await;

    // And what something else was said after is asked once more.
    let asked = ana.say("quiero reservar una limpieza dental mañana a las 16:00").await;
    assert!(asked.contains("¿A nombre de quién") || asked.contains("¿Confirmo?"), "{asked}");
    ana.say("Ana Ruiz").await;
    let other = ana.say("🙂").await;
    assert!(!other.contains("¿Confirmo?"), "{other}");
    let again = ana.say("sí").await;
    assert!(again.contains("¿Confirmo?"), "{again}");
    ana.has(&[], "").await;
    ana.say("sí").await;
    ana.has(&["16:00"], "Ana Ruiz").await;
    shutdown.cancel();
    worker.await.unwrap();
}

#[tokio::test]
async fn what_is_moved_keeps_its_provider_and_its_note() {
    let store = test_store().await.unwrap();
    let tenant = clinic(&store, "andina", "es-CO", "Limpieza dental").await;
    // Somebody else does it too, and comes first in the pack.
    store
        .admin(
            r#"update misy.context_packs
               set pack = jsonb_set(jsonb_set(pack::jsonb, '{services,0,providerIds}', '["aldo", "dra-rojas"]'), '{providers,1}',
                   (pack::jsonb #> '{providers,0}') || '{"id": "aldo", "name": "Aldo Luna"}')
               where tenant_id = 'andina' and version = 2"#,
        )
        .await
        .unwrap();
    let ana = Talk::with(&store, &tenant).await;
    let shutdown = CancellationToken::new();
    let worker = tokio::spawn(turns(&store).worker(quick()).run(shutdown.clone()));
    ana.say("quiero reservar una limpieza dental mañana a las 15:00 con la doctora Rojas, soy Ana Ruiz")
        .await;
    ana.say("sí").await;
    let mine = async || {
        let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
        let contact = contact_of(&mut tx, ana.session.conversation_id).await.unwrap().unwrap();
        upcoming(&mut tx, &tenant.keys, contact, store.clock.now()).await.unwrap().pop().unwrap()
    };
    let booked = mine().await;
    assert_eq!(booked.provider_id, "dra-rojas");
    let details = Details { note: Some("Alergia al látex".to_owned()), ..booked.details };
    let correction =
        Correction { booking_id: booked.booking_id, expected: None, by: By::Staff, details: &details };
    let mut tx = store.database.tenant("test", &tenant.id).await.unwrap();
    let now = store.clock.now();
    bookings::correct(&mut tx, &tenant.keys, &correction, now, &*store.entropy).await.unwrap();
    tx.commit().await.unwrap();

    let asked = ana.say("quiero cambiar mi cita para pasado mañana a las 17:00").await;
    assert!(asked.contains("Con Dra. Rojas"), "{asked}");
    ana.say("sí").await;
    ana.has(&["17:00"], "Ana Ruiz").await;
    let moved = mine().await;
    assert_eq!((moved.booking_id, &*moved.provider_id), (booked.booking_id, "dra-rojas"));
    assert_eq!(moved.details, details);
    shutdown.cancel();
    worker.await.unwrap();
}

#[tokio::test]
async fn who_has_booked_their_share_of_a_day_is_given_to_a_person() {
    let store = test_store().await.unwrap();
    let tenant = clinic(&store, "andina", "es-CO", "Limpieza dental").await;
    let ana = Talk::with(&store, &tenant).await;
    let (contact, now) = (ana.session.contact_id, store.clock.now());
    store
        .admin(format!(
            "insert into misy.booking_shares
             select 'andina', 'contact {contact}', ('{now}'::timestamptz at time zone 'UTC')::date + later, 4
             from generate_series(0, 1) later"
        ))
        .await
        .unwrap();
    let shutdown = CancellationToken::new();
    let worker = tokio::spawn(turns(&store).worker(quick()).run(shutdown.clone()));
    let told = ana.say("quiero reservar una limpieza dental mañana a las 15:00, soy Ana Ruiz").await;
    assert!(told.contains("no puedo confirmar más reservas"), "{told}");
    shutdown.cancel();
    worker.await.unwrap();
}
