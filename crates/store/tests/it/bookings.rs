//! Bookings in the database: no place is taken twice, and everything happens once.

use misy_domain::{BookingId, BookingState, Clock, ContextPack, Metered, Timestamp, booking::Refused};
use misy_store::{
    StoreError,
    bookings::{self, By, Correction, Details, Kept, NewBooking, Off, Own},
    sessions::Session,
    usage::{self, CountedFor},
};
use misy_testkit::store::{TestStore, TestTenant, test_store, test_store_with};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::task::JoinSet;

fn pack() -> ContextPack {
    let day = json!([["00:00", "24:00"]]);
    let week = json!({"mon": day, "tue": day, "wed": day, "thu": day, "fri": day, "sat": day, "sun": day});
    ContextPack::parse(&json!({
        "displayName": "Clínica", "industry": "clinic", "locale": "es-CO", "timezone": "America/Bogota", "currency": "COP",
        "contact": {"email": "a@example.com"},
        "services": [
            {"id": "limpieza", "name": "Limpieza", "durationMinutes": 30, "providerIds": ["dra-rojas"]},
            {"id": "mesa", "name": "Mesa", "durationMinutes": 60, "bufferAfterMinutes": 30, "providerIds": ["salon"]}
        ],
        "providers": [
            {"id": "dra-rojas", "name": "Dra. Rojas", "weeklyAvailability": week},
            {"id": "salon", "name": "Salón", "weeklyAvailability": week, "capacity": 2}
        ],
        "bookingPolicy": {"slotMinutes": 30, "maxAdvanceDays": 60}
    }))
    .unwrap()
}

struct Desk {
    store: TestStore,
    tenant: TestTenant,
    pack: ContextPack,
}

impl Desk {
    async fn open(store: TestStore) -> Self {
        let tenant = store.tenant("andina").await.unwrap();
        Self { store, tenant, pack: pack() }
    }

    fn new_id(&self) -> BookingId {
        BookingId::new(&*self.store.clock, &*self.store.entropy)
    }

    /// A start on the grid, so many hours from now.
    fn in_hours(&self, hours: i64) -> Timestamp {
        let hour = self.store.clock.now().as_second().div_euclid(3600) + 1 + hours;
        Timestamp::from_second(hour * 3600).unwrap()
    }

    async fn put(
        &self,
        session: &Session,
        id: BookingId,
        service: &str,
        starts_at: Timestamp,
        hold: Option<Duration>,
    ) -> Result<Kept, StoreError> {
        self.put_by(By::Contact(session.contact_id), session, id, service, starts_at, hold).await
    }

    async fn put_by(
        &self,
        by: By,
        session: &Session,
        id: BookingId,
        service: &str,
        starts_at: Timestamp,
        hold: Option<Duration>,
    ) -> Result<Kept, StoreError> {
        let offers = self.pack.offers(service);
        let details = Details { name: Some("Ana".to_owned()), ..Details::default() };
        let new = NewBooking {
            booking_id: id,
            expected: None,
            contact: session.contact_id,
            by,
            conversation: Some(session.conversation_id),
            offers: &offers,
            starts_at,
            details: &details,
            hold,
            counted_for: CountedFor::default(),
        };
        let mut tx = self.store.database.tenant("test.put", &self.tenant.id).await?;
        let keys = &self.tenant.keys;
        let now = self.store.clock.now();
        let kept = bookings::put(&mut tx, keys, &self.pack, &new, now, &*self.store.entropy).await?;
        tx.commit().await?;
        Ok(kept)
    }

    async fn booked(&self) -> i64 {
        let mut tx = self.store.database.tenant("test.count", &self.tenant.id).await.unwrap();
        let counted = usage::counted(&mut tx, self.store.clock.now()).await.unwrap();
        counted.get(&Metered::Bookings).copied().unwrap_or_default()
    }

    async fn off(&self, id: BookingId, by: By) -> Off {
        let mut tx = self.store.database.tenant("test.call_off", &self.tenant.id).await.unwrap();
        let now = self.store.clock.now();
        let off = bookings::call_off(&mut tx, &self.tenant.keys, id, None, by, now).await.unwrap();
        tx.commit().await.unwrap();
        off
    }

    async fn call_off(&self, id: BookingId) {
        let off = self.off(id, By::Staff).await;
        assert!(matches!(off, Off::Off(booking) if booking.state == BookingState::Cancelled));
    }

    async fn correct(&self, id: BookingId, by: By) -> Kept {
        let mut tx = self.store.database.tenant("test.correct", &self.tenant.id).await.unwrap();
        let details = Details { note: Some("Alergia al látex".to_owned()), ..Details::default() };
        let correction = Correction { booking_id: id, expected: None, by, details: &details };
        let (now, entropy) = (self.store.clock.now(), &*self.store.entropy);
        let kept = bookings::correct(&mut tx, &self.tenant.keys, &correction, now, entropy).await.unwrap();
        tx.commit().await.unwrap();
        kept
    }

    /// A session that takes from these shares.
    async fn session_of(&self, counts_as: &str) -> Session {
        let session = self.store.session(&self.tenant).await.unwrap();
        let id = session.session_id;
        self.store
            .admin(format!("update misy.sessions set counts_as = '{counts_as}' where session_id = '{id}'"))
            .await
            .unwrap();
        session
    }
}

fn is_kept(kept: &Kept, state: BookingState) -> bool {
    matches!(kept, Kept::Kept(booking) if booking.state == state)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_attempts_on_one_slot_give_one_booking() {
    let store = test_store_with(|options| misy_store::DatabaseOptions { app_connections: 24, ..options })
        .await
        .unwrap();
    let desk = Arc::new(Desk::open(store).await);
    let mut sessions = Vec::new();
    for _ in 0..10 {
        sessions.push(desk.store.session(&desk.tenant).await.unwrap());
    }
    let (sessions, start) = (Arc::new(sessions), desk.in_hours(30));
    let mut tasks = JoinSet::new();
    for number in 0..1_000 {
        let (desk, sessions) = (desk.clone(), sessions.clone());
        tasks.spawn(async move {
            let id = desk.new_id();
            loop {
                match desk.put(&sessions[number % 10], id, "limpieza", start, None).await {
                    // A slow machine keeps it waiting for a connection for too long. Nothing was done.
                    Err(StoreError::Unavailable(sqlx::Error::PoolTimedOut)) => {}
                    done => break done.unwrap(),
                }
            }
        });
    }
    let outcomes = tasks.join_all().await;
    let count = |wanted: fn(&Kept) -> bool| outcomes.iter().filter(|kept| wanted(kept)).count();
    assert_eq!(count(|kept| is_kept(kept, BookingState::Booked)), 1);
    assert_eq!(count(|kept| *kept == Kept::Refused(Refused::Taken)), 999);
    assert_eq!(desk.booked().await, 1, "what was refused counts nowhere");
}

/// Whatever the program looked at before: the database itself takes no second one.
#[tokio::test]
async fn the_database_refuses_an_overlap_of_the_same_place_and_nothing_else() {
    let store = test_store().await.unwrap();
    let insert = |tenant: &str, id: &str, provider: &str, place: i32, state: &str, from: &str, to: &str| {
        let held = if state == "held" { "now()" } else { "null" };
        format!(
            "insert into misy.bookings (tenant_id, booking_id, contact_id, service_id, service_name, provider_id, provider_name,
                                        place, state, starts_at, ends_at, occupies, held_until, sealed_details, created_at,
                                        changed_at)
             values ('{tenant}', '{id}', 'con_1', 's', 'S', '{provider}', 'P', {place}, '{state}', '{from}', '{to}',
                     '[{from},{to})', {held}, 'x', now(), now())"
        )
    };
    let (ten, eleven, twelve) = ("2026-12-02T10:00Z", "2026-12-02T11:00Z", "2026-12-02T12:00Z");
    for tenant in ["andina", "verde"] {
        store.tenant(tenant).await.unwrap();
        store.admin(format!("insert into misy.contacts values ('{tenant}', 'con_1')")).await.unwrap();
    }
    store.admin(insert("andina", "1", "a", 1, "booked", ten, eleven)).await.unwrap();
    for taken in [
        insert("andina", "2", "a", 1, "booked", ten, eleven),
        insert("andina", "2", "a", 1, "held", "2026-12-02T10:59Z", twelve),
    ] {
        let error = store.admin(taken).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("23P01"));
    }
    for free in [
        insert("andina", "2", "a", 1, "booked", eleven, twelve),
        insert("andina", "3", "a", 2, "booked", ten, eleven),
        insert("andina", "4", "a-b", 1, "booked", ten, eleven),
        insert("andina", "5", "a", 1, "cancelled", ten, eleven),
        insert("verde", "1", "a", 1, "booked", ten, eleven),
    ] {
        store.admin(free).await.unwrap();
    }
}

#[tokio::test]
async fn a_hold_keeps_a_time_until_it_runs_out_and_becomes_one_booking() {
    let desk = Desk::open(test_store().await.unwrap()).await;
    let one = desk.store.session(&desk.tenant).await.unwrap();
    let other = desk.store.session(&desk.tenant).await.unwrap();
    let (start, later) = (desk.in_hours(30), desk.in_hours(31));
    let minutes = Some(Duration::from_mins(10));
    let held = desk.new_id();
    assert!(is_kept(&desk.put(&one, held, "limpieza", start, minutes).await.unwrap(), BookingState::Held));
    let refused = desk.put(&other, desk.new_id(), "limpieza", start, None).await.unwrap();
    assert_eq!(refused, Kept::Refused(Refused::Taken));
    assert_eq!(desk.booked().await, 0, "a hold counts nowhere");
    // Another hold of the same conversation takes the place of the first.
    let second = desk.new_id();
    assert!(is_kept(&desk.put(&one, second, "limpieza", later, minutes).await.unwrap(), BookingState::Held));
    let taken = desk.new_id();
    assert!(is_kept(&desk.put(&other, taken, "limpieza", start, None).await.unwrap(), BookingState::Booked));
    // Booked twice, as after a crash, it is one booking.
    for _ in 0..2 {
        let kept = desk.put(&one, second, "limpieza", later, None).await.unwrap();
        assert!(is_kept(&kept, BookingState::Booked));
    }
    assert_eq!(desk.booked().await, 2);
    // Nobody else's id moves it.
    assert_eq!(desk.put(&other, second, "limpieza", desk.in_hours(40), None).await.unwrap(), Kept::NotFound);
    // A hold that ran out is nobody's.
    let third = desk.new_id();
    assert!(is_kept(
        &desk.put(&one, third, "limpieza", desk.in_hours(33), minutes).await.unwrap(),
        BookingState::Held
    ));
    desk.store.clock.advance(Duration::from_mins(11));
    let mut tx = desk.store.database.tenant("test.taken", &desk.tenant.id).await.unwrap();
    let (now, month) = (desk.store.clock.now(), desk.in_hours(24 * 30));
    let busy = bookings::taken(&mut tx, &desk.pack.offers("limpieza"), (now, month), Own::default(), now)
        .await
        .unwrap();
    assert_eq!(busy["dra-rojas"].len(), 2, "the two that are booked");
}

#[tokio::test]
async fn places_fill_up_a_booking_moves_and_what_is_called_off_is_free_again() {
    let desk = Desk::open(test_store().await.unwrap()).await;
    let session = desk.store.session(&desk.tenant).await.unwrap();
    let (start, next) = (desk.in_hours(30), desk.in_hours(31));
    let [first, second] = [desk.new_id(), desk.new_id()];
    for id in [first, second] {
        assert!(is_kept(&desk.put(&session, id, "mesa", start, None).await.unwrap(), BookingState::Booked));
    }
    // Both places are taken, and for half an hour after that.
    for at in [start, next] {
        let refused = desk.put(&session, desk.new_id(), "mesa", at, None).await.unwrap();
        assert_eq!(refused, Kept::Refused(Refused::Taken));
    }
    desk.call_off(first).await;
    desk.call_off(first).await;
    let Kept::Kept(moved) = desk.put(&session, second, "mesa", next, None).await.unwrap() else { panic!() };
    assert_eq!((moved.starts_at, moved.version, moved.details.name.as_deref()), (next, 2, Some("Ana")));
    assert_eq!(desk.booked().await, 2, "moving costs nothing");
    assert_eq!(
        desk.put(&session, first, "mesa", start, None).await.unwrap(),
        Kept::NotFound,
        "it is called off"
    );
    assert!(is_kept(
        &desk.put(&session, desk.new_id(), "mesa", start, None).await.unwrap(),
        BookingState::Booked
    ));
}

#[tokio::test]
async fn bookings_count_in_the_months_quota_and_nothing_is_booked_beyond_it() {
    let desk = Desk::open(test_store().await.unwrap()).await;
    let session = desk.store.session(&desk.tenant).await.unwrap();
    desk.store.admin("insert into misy.quotas values ('andina', 'bookings', 1)").await.unwrap();
    let first = desk.put(&session, desk.new_id(), "limpieza", desk.in_hours(30), None).await.unwrap();
    assert!(is_kept(&first, BookingState::Booked));
    let held = desk.new_id();
    let kept_for = Some(Duration::from_mins(10));
    let kept = desk.put(&session, held, "limpieza", desk.in_hours(31), kept_for).await.unwrap();
    assert!(is_kept(&kept, BookingState::Held));
    let beyond = desk.put(&session, held, "limpieza", desk.in_hours(31), None).await.unwrap();
    assert_eq!((beyond, desk.booked().await), (Kept::QuotaExceeded, 1));
}

#[tokio::test]
async fn what_is_kept_and_what_is_booked_become_each_other_by_no_other_call() {
    let desk = Desk::open(test_store().await.unwrap()).await;
    let session = desk.store.session(&desk.tenant).await.unwrap();
    let (start, later, minutes) = (desk.in_hours(30), desk.in_hours(31), Some(Duration::from_mins(10)));
    let held = desk.new_id();
    assert!(is_kept(
        &desk.put(&session, held, "limpieza", start, minutes).await.unwrap(),
        BookingState::Held
    ));
    assert_eq!(desk.put_by(By::Staff, &session, held, "limpieza", later, None).await.unwrap(), Kept::IsHeld);
    assert_eq!(desk.correct(held, By::Staff).await, Kept::IsHeld);
    assert!(is_kept(&desk.put(&session, held, "limpieza", start, None).await.unwrap(), BookingState::Booked));
    for at in [start, later] {
        assert_eq!(desk.put(&session, held, "limpieza", at, minutes).await.unwrap(), Kept::IsBooked);
    }
    assert_eq!(desk.booked().await, 1);
}

#[tokio::test]
async fn what_has_begun_is_the_contacts_no_more_and_what_is_put_right_is_no_new_booking() {
    let desk = Desk::open(test_store().await.unwrap()).await;
    let session = desk.store.session(&desk.tenant).await.unwrap();
    let other = desk.store.session(&desk.tenant).await.unwrap();
    let (id, start) = (desk.new_id(), desk.in_hours(30));
    desk.put(&session, id, "limpieza", start, None).await.unwrap();
    let (own, others) = (By::Contact(session.contact_id), By::Contact(other.contact_id));
    assert_eq!(desk.off(id, others).await, Off::NotFound);
    assert_eq!(desk.correct(id, others).await, Kept::NotFound);

    desk.store.clock.advance(Duration::from_hours(40));
    assert_eq!(desk.off(id, own).await, Off::Begun);
    assert_eq!(desk.correct(id, own).await, Kept::Begun);
    let later = desk.in_hours(30);
    assert_eq!(desk.put(&session, id, "limpieza", later, None).await.unwrap(), Kept::Begun);
    let Kept::Kept(corrected) = desk.correct(id, By::Staff).await else { panic!() };
    assert_eq!((corrected.starts_at, corrected.version), (start, 2));
    assert_eq!(corrected.details.note.as_deref(), Some("Alergia al látex"));
    desk.call_off(id).await;
    assert_eq!(desk.correct(id, By::Staff).await, Kept::NotFound);
}

#[tokio::test]
async fn a_visitor_and_a_network_take_their_share_of_a_day_and_leave_the_rest() {
    let desk = Desk::open(test_store().await.unwrap()).await;
    let book = async |session: &Session, hours: i64| {
        let id = desk.new_id();
        let kept = desk.put(session, id, "mesa", desk.in_hours(hours), None).await.unwrap();
        (kept, id)
    };
    // By booking and calling off, one contact gets no further than four times.
    let first = desk.session_of("{visitor a,host h}").await;
    for _ in 0..4 {
        let (kept, id) = book(&first, 30).await;
        assert!(is_kept(&kept, BookingState::Booked));
        desk.call_off(id).await;
    }
    assert_eq!(book(&first, 30).await.0, Kept::ShareSpent);
    // Nor does the visitor in another session, and where the host is used up nobody there does.
    let same = desk.session_of("{visitor a,host h}").await;
    assert_eq!(book(&same, 30).await.0, Kept::ShareSpent);
    for hours in 0..4 {
        let beside = desk.session_of(&format!("{{visitor b{hours},host h}}")).await;
        assert!(is_kept(&book(&beside, 40 + 2 * hours).await.0, BookingState::Booked));
    }
    let next = desk.session_of("{visitor c,host h}").await;
    assert_eq!(book(&next, 60).await.0, Kept::ShareSpent);
    let minutes = Some(Duration::from_mins(10));
    let hold = desk.put(&next, desk.new_id(), "mesa", desk.in_hours(60), minutes).await.unwrap();
    assert_eq!(hold, Kept::ShareSpent, "who may not book keeps nothing");
    assert_eq!(desk.booked().await, 8, "what was refused counts nowhere");
    // The tenant's people, and others, go on.
    let kept = desk.put_by(By::Staff, &first, desk.new_id(), "mesa", desk.in_hours(70), None).await.unwrap();
    assert!(is_kept(&kept, BookingState::Booked));
    let elsewhere = desk.session_of("{visitor d,host i}").await;
    assert!(is_kept(&book(&elsewhere, 80).await.0, BookingState::Booked));
    // The next day there is room again.
    desk.store.clock.advance(Duration::from_hours(24));
    assert!(is_kept(&book(&next, 60).await.0, BookingState::Booked));
}

#[tokio::test]
async fn a_visitor_keeps_three_times_in_however_many_sessions() {
    let desk = Desk::open(test_store().await.unwrap()).await;
    let keep = async |session: &Session, hours: i64| {
        let minutes = Some(Duration::from_mins(10));
        desk.put(session, desk.new_id(), "mesa", desk.in_hours(hours), minutes).await.unwrap()
    };
    for hours in 0..3 {
        let session = desk.session_of("{visitor a}").await;
        assert!(is_kept(&keep(&session, 30 + 2 * hours).await, BookingState::Held));
    }
    let fourth = desk.session_of("{visitor a}").await;
    assert_eq!(keep(&fourth, 40).await, Kept::ShareSpent);
    let other = desk.session_of("{visitor b}").await;
    assert!(is_kept(&keep(&other, 40).await, BookingState::Held));
    desk.store.clock.advance(Duration::from_mins(11));
    assert!(is_kept(&keep(&fourth, 42).await, BookingState::Held), "what ran out keeps nothing");
}

/// Many at once, of services that share no provider.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_two_take_the_last_part_of_a_share() {
    let desk = Arc::new(Desk::open(test_store().await.unwrap()).await);
    let mut tasks = JoinSet::new();
    for number in 0..24 {
        let session = desk.session_of(&format!("{{visitor {number},host h}}")).await;
        let desk = desk.clone();
        tasks.spawn(async move {
            let service = if number % 2 == 0 { "mesa" } else { "limpieza" };
            desk.put(&session, desk.new_id(), service, desk.in_hours(30 + 2 * number), None).await.unwrap()
        });
    }
    let outcomes = tasks.join_all().await;
    assert_eq!(outcomes.iter().filter(|kept| is_kept(kept, BookingState::Booked)).count(), 8);
    assert_eq!(outcomes.iter().filter(|kept| **kept == Kept::ShareSpent).count(), 16);
}
