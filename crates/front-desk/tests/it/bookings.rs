//! Bookings through HTTP: by the tenant's people, and by visitors for themselves.

use crate::{
    people::Browser,
    support::{Answer, App, Tenant, Token, put},
};
use http::Method;
use misy_domain::Clock;
use serde_json::{Value, json};

const HOUR: i64 = 3600;

/// The tenant with a pack in which one can be booked around the clock, in Bogotá.
async fn takes_bookings(app: &App, tenant: &Tenant) {
    let day = json!([["00:00", "24:00"]]);
    let week = json!({"mon": day, "tue": day, "wed": day, "thu": day, "fri": day, "sat": day, "sun": day});
    let pack = json!({
        "displayName": "Clínica", "industry": "clinic", "locale": "es-CO", "timezone": "America/Bogota", "currency": "COP",
        "contact": {"email": "a@example.com"},
        "services": [
            {"id": "limpieza", "name": "Limpieza", "durationMinutes": 30, "providerIds": ["dra-rojas"]},
            {"id": "informe", "name": "Informe"}
        ],
        "providers": [{"id": "dra-rojas", "name": "Dra. Rojas", "weeklyAvailability": week}],
        "bookingPolicy": {"slotMinutes": 30, "maxAdvanceDays": 30, "cancellationHours": 24, "minAdvanceMinutes": 60}
    });
    app.manage(tenant, Method::PUT, &tenant.path("/context-pack"), Some(&pack)).await.expect(200);
}

/// A full hour, so many hours from now.
fn in_hours(app: &App, hours: i64) -> String {
    let second = (app.store.clock.now().as_second().div_euclid(HOUR) + 1 + hours) * HOUR;
    jiff::Timestamp::from_second(second).unwrap().to_string()
}

fn wanted(starts_at: &str) -> Value {
    json!({ "serviceId": "limpieza", "startsAt": starts_at, "details": { "name": "Ana Ruiz", "phone": "300 555 0121" } })
}

/// Somebody of a tenant who takes bookings.
struct Reception<'a> {
    app: &'a App,
    tenant: &'a Tenant,
    ana: Browser,
}

impl Reception<'_> {
    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        self.ask_with(method, path, None, body).await
    }

    async fn ask_with(
        &self,
        method: Method,
        path: &str,
        header: Option<(&'static str, &str)>,
        body: Option<&Value>,
    ) -> Answer {
        let mut request = self.ana.request(method, &self.tenant.path(path), body);
        if let Some((name, value)) = header {
            put(&mut request, name, value);
        }
        self.app.send(request).await
    }
}

#[tokio::test]
async fn people_of_a_tenant_book_move_and_cancel_and_hear_which_times_are_free_instead() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    takes_bookings(&app, &andina).await;
    let ana = app.somebody(&andina, &["agent"]).await.0;
    let desk = Reception { app: &app, tenant: &andina, ana };

    let services = desk.ask(Method::GET, "/services", None).await.expect(200);
    let bookable: Vec<_> =
        services.body["items"].as_array().unwrap().iter().map(|one| one["isBookable"].clone()).collect();
    assert_eq!(bookable, [true, false]);
    let providers = desk.ask(Method::GET, "/providers", None).await.expect(200);
    assert_eq!(providers.body["items"][0]["id"], "dra-rojas");
    let free = desk.ask(Method::GET, "/services/limpieza/free-times", None).await.expect(200);
    assert_eq!(free.body["timezone"], "America/Bogota");
    let (start, later) = (in_hours(&app, 48), in_hours(&app, 50));
    assert!(free.body["items"].as_array().unwrap().iter().any(|one| one["startsAt"] == start.as_str()));

    // Twice with one key is one booking.
    let body = json!({ "booking": wanted(&start) });
    let once = Some(("idempotency-key", "book-it-once"));
    let made = desk.ask_with(Method::POST, "/bookings", once, Some(&body)).await.expect(201);
    let again = desk.ask_with(Method::POST, "/bookings", once, Some(&body)).await.expect(201);
    assert_eq!(made.body, again.body);
    assert_eq!((&made.body["state"], &made.body["details"]["name"]), (&json!("booked"), &json!("Ana Ruiz")));
    let id = made.text("bookingId");

    let taken = desk.ask(Method::POST, "/bookings", Some(&body)).await.refused(409, "slot_taken");
    let alternatives = taken.body["alternatives"].as_array().unwrap();
    assert!(!alternatives.is_empty() && alternatives.iter().all(|one| one["startsAt"] != start.as_str()));
    for (starts_at, what) in [
        (in_hours(&app, -2), "over"),
        (in_hours(&app, 24 * 40), "too far"),
        (start.replace(":00:00Z", ":10:00Z"), "off the grid"),
        ("-009999-01-02T01:59:59Z".to_owned(), "long ago"),
        ("9999-12-30T22:00:00Z".to_owned(), "the end of time"),
    ] {
        let refused =
            desk.ask(Method::POST, "/bookings", Some(&json!({ "booking": wanted(&starts_at) }))).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (422, "slot_refused"),
            "{what}: {}",
            refused.body
        );
    }
    for (pointer, change) in [
        ("/serviceId", json!({ "serviceId": "informe" })),
        ("/providerId", json!({ "providerId": "nobody" })),
        ("/details/name", json!({ "details": { "name": " " } })),
        ("/details/partySize", json!({ "details": { "partySize": 0 } })),
    ] {
        let mut body = wanted(&later);
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let refused =
            desk.ask(Method::POST, "/bookings", Some(&json!({ "booking": body }))).await.expect(422);
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{}", refused.body);
    }

    let path = format!("/bookings/{id}");
    let moved = json!({ "startsAt": later });
    let change =
        async |version| desk.ask_with(Method::PATCH, &path, Some(("if-match", version)), Some(&moved)).await;
    change("\"7\"").await.refused(412, "stale");
    let moved = change("\"1\"").await.expect(200);
    assert_eq!((&moved.body["startsAt"], &moved.body["version"]), (&json!(later), &json!(2)));
    assert_eq!(moved.body["details"]["phone"], "300 555 0121");
    let calendar = desk.ask(Method::GET, &format!("{path}/calendar"), None).await.expect(200);
    assert_eq!(calendar.headers["content-type"], "text/calendar; charset=utf-8");

    // One page after another, in the order of the starts.
    let second = desk.ask(Method::POST, "/bookings", Some(&body)).await.expect(201).text("bookingId");
    let page = desk.ask(Method::GET, "/bookings?limit=1", None).await.expect(200);
    assert_eq!(page.body["items"][0]["bookingId"], second.as_str());
    let next = page.text("nextCursor");
    let page = desk.ask(Method::GET, &format!("/bookings?limit=1&cursor={next}"), None).await.expect(200);
    assert_eq!((&page.body["items"][0]["bookingId"], &page.body["nextCursor"]), (&json!(id), &Value::Null));

    for _ in 0..2 {
        let cancelled = desk.ask(Method::POST, &format!("{path}/cancel"), None).await.expect(200);
        assert_eq!(cancelled.body["state"], "cancelled");
    }
    desk.ask(Method::PATCH, &path, Some(&json!({ "startsAt": start }))).await.refused(409, "conflict");
    desk.ask(Method::POST, "/bookings", Some(&json!({ "booking": wanted(&later) }))).await.expect(201);
    // What was done stands in the trail, without anybody's name.
    let trail =
        app.manage(&andina, Method::GET, &andina.path("/audit"), None).await.expect(200).body.to_string();
    assert!(trail.contains(&id) && !trail.contains("Ana Ruiz"));
    // Whoever proves what was done in the business has no business with who comes when.
    let mut auditor = app.somebody(&andina, &["auditor"]).await.0;
    for path in ["/bookings", &path, &format!("{path}/calendar")] {
        auditor.get(&app, &andina.path(path)).await.refused(403, "permission_denied");
    }
    auditor.get(&app, &andina.path("/services/limpieza/free-times")).await.expect(200);
}

struct Visitor {
    token: Token,
    session: String,
}

impl Visitor {
    async fn of(app: &App, tenant: &Tenant) -> Self {
        let token = app.browser(tenant).await;
        let session = app.session(&token).await;
        Self { token, session }
    }

    async fn ask(&self, app: &App, method: Method, path: &str, body: Option<&Value>) -> Answer {
        app.call(&self.token, method, &format!("/sessions/{}{path}", self.session), body).await
    }
}

#[tokio::test]
async fn a_visitor_books_for_themselves_and_sees_and_changes_nobody_elses() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    takes_bookings(&app, &andina).await;
    let (ana, luis) = (Visitor::of(&app, &andina).await, Visitor::of(&app, &andina).await);
    let (start, later) = (in_hours(&app, 48), in_hours(&app, 50));
    ana.ask(&app, Method::GET, "/services/limpieza/free-times", None).await.expect(200);
    ana.ask(&app, Method::GET, "/services/nothing/free-times", None).await.expect(404);
    for until in ["2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"] {
        let times = format!("/services/limpieza/free-times?until={until}");
        ana.ask(&app, Method::GET, &times, None).await.refused(422, "validation_failed");
    }
    let made = ana.ask(&app, Method::POST, "/bookings", Some(&wanted(&start))).await.expect(201);
    let id = made.text("bookingId");
    luis.ask(&app, Method::POST, "/bookings", Some(&wanted(&start))).await.refused(409, "slot_taken");

    // To anybody else it is not there.
    let path = format!("/bookings/{id}");
    luis.ask(&app, Method::PATCH, &path, Some(&json!({ "startsAt": later }))).await.expect(404);
    luis.ask(&app, Method::POST, &format!("{path}/cancel"), None).await.expect(404);
    luis.ask(&app, Method::GET, &format!("{path}/calendar"), None).await.expect(404);
    assert_eq!(luis.ask(&app, Method::GET, "/bookings", None).await.expect(200).body["items"], json!([]));
    // Nor in the session of somebody else.
    let stolen = Visitor { token: luis.token, session: ana.session.clone() };
    stolen.ask(&app, Method::GET, "/bookings", None).await.expect(404);

    ana.ask(&app, Method::PATCH, &path, Some(&json!({ "startsAt": later }))).await.expect(200);
    let mine = ana.ask(&app, Method::GET, "/bookings", None).await.expect(200);
    assert_eq!(mine.body["items"][0]["startsAt"], later.as_str());
}

#[tokio::test]
async fn later_than_the_policy_a_visitor_says_that_they_know() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    takes_bookings(&app, &andina).await;
    let ana = Visitor::of(&app, &andina).await;
    let made = ana.ask(&app, Method::POST, "/bookings", Some(&wanted(&in_hours(&app, 10)))).await.expect(201);
    let path = format!("/bookings/{}", made.text("bookingId"));
    ana.ask(&app, Method::POST, &format!("{path}/cancel"), None).await.refused(422, "too_late");
    let moved = json!({ "startsAt": in_hours(&app, 60) });
    ana.ask(&app, Method::PATCH, &path, Some(&moved)).await.refused(422, "too_late");
    let cancelled = ana.ask(&app, Method::POST, &format!("{path}/cancel?late=true"), None).await.expect(200);
    assert_eq!(cancelled.body["state"], "cancelled");
    // Its time is free again, and the month's quota counts both.
    app.store.admin("insert into misy.quotas values ('andina', 'bookings', 1)").await.unwrap();
    let refused = ana.ask(&app, Method::POST, "/bookings", Some(&wanted(&in_hours(&app, 10)))).await;
    let refused = refused.refused(402, "quota_exceeded");
    assert_eq!(refused.body["quota"]["kind"], "bookings");
}

/// Makes a booking begin so many minutes from now.
async fn begins_in(app: &App, id: &str, minutes: i64) {
    let from = app.store.clock.now() + jiff::SignedDuration::from_mins(minutes);
    let until = from + jiff::SignedDuration::from_mins(30);
    app.store
        .admin(format!(
            "update misy.bookings set starts_at = '{from}', ends_at = '{until}', occupies = tstzrange('{from}', '{until}')
             where booking_id = '{id}'"
        ))
        .await
        .unwrap();
}

#[tokio::test]
async fn what_has_begun_is_changed_by_the_business_alone() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    takes_bookings(&app, &andina).await;
    let ana = Visitor::of(&app, &andina).await;
    let id = ana.ask(&app, Method::POST, "/bookings", Some(&wanted(&in_hours(&app, 48)))).await.expect(201);
    let id = id.text("bookingId");
    begins_in(&app, &id, -60).await;
    let path = format!("/bookings/{id}");
    for change in [json!({ "startsAt": in_hours(&app, 72) }), json!({ "details": { "name": "Luz Paz" } })] {
        let moved = ana.ask(&app, Method::PATCH, &format!("{path}?late=true"), Some(&change)).await;
        moved.refused(409, "conflict");
    }
    ana.ask(&app, Method::POST, &format!("{path}/cancel?late=true"), None).await.refused(409, "conflict");
    let path = andina.path(&path);
    let change = json!({ "details": { "name": "Ana Ruiz", "note": "No vino" } });
    let noted = app.manage(&andina, Method::PATCH, &path, Some(&change)).await.expect(200);
    assert_eq!((&noted.body["details"]["note"], &noted.body["version"]), (&json!("No vino"), &json!(2)));
    let off = app.manage(&andina, Method::POST, &format!("{path}/cancel"), None).await.expect(200);
    assert_eq!(off.body["state"], "cancelled");
    // Called off is called off, also for the contact, and twice is once.
    ana.ask(&app, Method::POST, &format!("/bookings/{id}/cancel"), None).await.expect(200);
}

#[tokio::test]
async fn who_it_is_for_is_put_right_though_nothing_could_be_booked_then() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    takes_bookings(&app, &andina).await;
    let ana = Visitor::of(&app, &andina).await;
    let made = ana.ask(&app, Method::POST, "/bookings", Some(&wanted(&in_hours(&app, 30)))).await.expect(201);
    let id = made.text("bookingId");
    // The business asks for an hour at least.
    begins_in(&app, &id, 30).await;
    let mine = ana.ask(&app, Method::GET, "/bookings", None).await.expect(200);
    let starts_at = mine.body["items"][0]["startsAt"].clone();
    let path = format!("/bookings/{id}");
    let change = json!({ "details": { "name": "Ana Ruiz", "phone": "300 555 0122" } });
    let put_right = ana.ask(&app, Method::PATCH, &path, Some(&change)).await.expect(200);
    assert_eq!(put_right.body["details"]["phone"], "300 555 0122");
    assert_eq!((&put_right.body["startsAt"], &put_right.body["version"]), (&starts_at, &json!(2)));
    // The same start, told once more, is no move.
    let change =
        json!({ "startsAt": starts_at, "details": { "name": "Ana Ruiz", "note": "En silla de ruedas" } });
    let put_right = app.manage(&andina, Method::PATCH, &andina.path(&path), Some(&change)).await.expect(200);
    assert_eq!(put_right.body["details"]["note"], "En silla de ruedas");
    let mine = ana.ask(&app, Method::GET, "/bookings", None).await.expect(200);
    assert_eq!(mine.body["items"][0]["startsAt"], starts_at);
}

#[tokio::test]
async fn a_time_that_is_kept_is_made_a_booking_by_nobody_else() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    takes_bookings(&app, &andina).await;
    let ana = Visitor::of(&app, &andina).await;
    let made = ana.ask(&app, Method::POST, "/bookings", Some(&wanted(&in_hours(&app, 48)))).await.expect(201);
    let id = made.text("bookingId");
    app.store
        .admin("update misy.bookings set state = 'held', held_until = now() + interval '1 day'")
        .await
        .unwrap();
    let path = format!("/bookings/{id}");
    for patch in
        [json!({ "startsAt": in_hours(&app, 72) }), json!({ "details": { "name": "Luz Paz" } }), json!({})]
    {
        let staff = app.manage(&andina, Method::PATCH, &andina.path(&path), Some(&patch)).await;
        staff.refused(409, "conflict");
        ana.ask(&app, Method::PATCH, &path, Some(&patch)).await.refused(409, "conflict");
    }
    let read = app.manage(&andina, Method::GET, &andina.path(&path), None).await.expect(200);
    assert_eq!((&read.body["state"], &read.body["version"]), (&json!("held"), &json!(1)));
}

#[tokio::test]
async fn one_visitor_spends_no_month_and_one_network_takes_not_all_times() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    takes_bookings(&app, &andina).await;
    let ana = Visitor::of(&app, &andina).await;
    let book = async |visitor: &Visitor, hours: i64| {
        visitor.ask(&app, Method::POST, "/bookings", Some(&wanted(&in_hours(&app, hours)))).await
    };
    for _ in 0..4 {
        let made = book(&ana, 48).await.expect(201);
        let cancel = format!("/bookings/{}/cancel", made.text("bookingId"));
        ana.ask(&app, Method::POST, &cancel, None).await.expect(200);
    }
    let spent = book(&ana, 48).await.refused(429, "rate_limited");
    assert!(spent.headers.contains_key("retry-after"), "{}", spent.body);
    // Another session is the same visitor.
    let session = app.session(&ana.token).await;
    let again = Visitor { session, ..ana };
    book(&again, 48).await.refused(429, "rate_limited");
    // Somebody else books, and the tenant's people do.
    let luis = Visitor::of(&app, &andina).await;
    book(&luis, 48).await.expect(201);
    let body = json!({ "booking": wanted(&in_hours(&app, 50)) });
    app.manage(&andina, Method::POST, &andina.path("/bookings"), Some(&body)).await.expect(201);
    let mut admin = app.store.connect_as("postgres").await.unwrap();
    // Whoever looks at the tables reads no address and no chain of tokens.
    let whose: Vec<String> = sqlx::query_scalar("select distinct whose from misy.booking_shares order by 1")
        .fetch_all(&mut admin)
        .await
        .unwrap();
    let is_blind = |name: &&String| name.starts_with("visitor ") && name.len() == "visitor ".len() + 24;
    assert_eq!(whose.iter().filter(is_blind).count(), 2, "{whose:?}");
}
