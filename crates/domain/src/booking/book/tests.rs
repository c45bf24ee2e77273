use super::*;
use proptest::prelude::*;

const TERMS: Terms = Terms {
    duration: 60,
    before: 0,
    after: 0,
    step: 30,
    min_advance: 0,
    max_advance: 60,
    capacity: 1,
    cancellation: 0,
};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn hours(pairs: &[(&str, &str)]) -> Vec<Interval> {
    pairs.iter().map(|(a, b)| Interval(a.parse().unwrap(), b.parse().unwrap())).collect()
}

fn every_day(pairs: &[(&str, &str)]) -> Weekly {
    let day = hours(pairs);
    let [mon, tue, wed, thu, fri, sat, sun] = std::array::from_fn(|_| day.clone());
    Weekly { mon, tue, wed, thu, fri, sat, sun }
}

fn closed(date: &str) -> Exception {
    Exception { date: date.parse().unwrap(), hours: ExceptionHours::Closed(true), reason: None }
}

fn open(date: &str, pairs: &[(&str, &str)]) -> Exception {
    Exception { date: date.parse().unwrap(), hours: ExceptionHours::Hours(hours(pairs)), reason: None }
}

fn book<'a>(weekly: &'a Weekly, zone: &'a TimeZone, terms: Terms) -> Book<'a> {
    Book { weekly, exceptions: &[], closed: &[], zone, terms, taken: &[] }
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

/// The free starts of a local date, as they read on the wall.
fn starts(book: &Book<'_>, date: &str, now: &str) -> Vec<String> {
    let date: Date = date.parse().unwrap();
    let day = |date: Date| date.to_zoned(book.zone.clone()).unwrap().timestamp();
    let slots = book.free((day(date), day(date.tomorrow().unwrap())), at(now), 1_000);
    slots.iter().map(|slot| slot.from.to_zoned(book.zone.clone()).strftime("%H:%M%:z").to_string()).collect()
}

#[test]
fn a_look_from_the_middle_of_a_second_within_an_opening_comes_to_an_end() {
    let (weekly, zone) = (every_day(&[("09:00", "12:00")]), zone("America/Bogota"));
    let book = book(&weekly, &zone, TERMS);
    for (now, first) in [
        ("2026-12-02T14:10:00.5Z", "09:30-05:00"),
        ("2026-12-02T14:30:00.000000001Z", "10:00-05:00"),
        ("2026-12-02T14:29:59.999999999Z", "09:30-05:00"),
    ] {
        let found = starts(&book, "2026-12-02", now);
        assert_eq!(found.first().map(String::as_str), Some(first), "{now}");
        assert_eq!(found.last().map(String::as_str), Some("11:00-05:00"));
    }
}

#[test]
fn starts_fall_on_the_grid_and_end_before_the_opening_does() {
    let (weekly, zone) = (every_day(&[("09:15", "11:00"), ("14:00", "15:00")]), zone("America/Bogota"));
    let book = book(&weekly, &zone, TERMS);
    let found = starts(&book, "2026-12-02", "2026-12-01T12:00:00Z");
    assert_eq!(found, ["09:30-05:00", "10:00-05:00", "14:00-05:00"]);
}

#[test]
fn where_clocks_jump_forward_an_hour_of_slots_is_missing_and_is_no_start() {
    // 8 March 2026 in New York: 02:00 becomes 03:00; the day has 23 hours.
    let (weekly, zone) = (every_day(&[("00:00", "24:00")]), zone("America/New_York"));
    let book = book(&weekly, &zone, Terms { step: 60, ..TERMS });
    let found = starts(&book, "2026-03-08", "2026-03-01T12:00:00Z");
    assert_eq!(found.len(), 23);
    assert_eq!(&found[..4], ["00:00-05:00", "01:00-05:00", "03:00-04:00", "04:00-04:00"]);
    assert_eq!(starts(&book, "2026-03-09", "2026-03-01T12:00:00Z").len(), 24);
}

#[test]
fn where_clocks_fall_back_an_hour_comes_twice_and_is_two_slots() {
    // 1 November 2026 in New York: 02:00 becomes 01:00; the day has 25 hours.
    let (weekly, zone) = (every_day(&[("00:00", "24:00")]), zone("America/New_York"));
    let book = book(&weekly, &zone, Terms { step: 60, ..TERMS });
    let found = starts(&book, "2026-11-01", "2026-10-20T12:00:00Z");
    assert_eq!(found.len(), 25);
    assert_eq!(&found[..4], ["00:00-04:00", "01:00-04:00", "01:00-05:00", "02:00-05:00"]);
}

#[test]
fn midnight_itself_may_be_missing() {
    // 6 September 2026 in Santiago: 00:00 becomes 01:00. The day begins at one.
    let (weekly, zone) = (every_day(&[("00:00", "03:00")]), zone("America/Santiago"));
    let book = book(&weekly, &zone, Terms { step: 60, ..TERMS });
    assert_eq!(starts(&book, "2026-09-06", "2026-09-01T12:00:00Z"), ["01:00-03:00", "02:00-03:00"]);
    // Lord Howe Island moves its clocks by half an hour: from 02:00 to 02:30 on 4 October 2026.
    let zone = TimeZone::get("Australia/Lord_Howe").unwrap();
    let weekly = every_day(&[("01:30", "03:30")]);
    let book = Book { weekly: &weekly, zone: &zone, ..book };
    let book = Book { terms: Terms { duration: 30, step: 30, ..TERMS }, ..book };
    assert_eq!(
        starts(&book, "2026-10-04", "2026-10-01T00:00:00Z"),
        ["01:30+10:30", "02:30+11:00", "03:00+11:00"]
    );
}

#[test]
fn an_opening_that_the_clocks_jump_over_has_no_slot() {
    let (weekly, zone) = (every_day(&[("02:00", "03:00")]), zone("Europe/Madrid"));
    let book = book(&weekly, &zone, TERMS);
    assert!(starts(&book, "2026-03-29", "2026-03-20T00:00:00Z").is_empty());
    assert_eq!(starts(&book, "2026-03-30", "2026-03-20T00:00:00Z"), ["02:00+02:00"]);
    // In October the same hour lasts two.
    assert_eq!(starts(&book, "2026-10-25", "2026-10-20T00:00:00Z").len(), 3);
}

#[test]
fn a_booking_may_go_over_midnight_where_the_opening_does() {
    let zone = zone("America/Sao_Paulo");
    let weekly =
        Weekly { sat: hours(&[("22:00", "24:00")]), sun: hours(&[("00:00", "02:00")]), ..Weekly::default() };
    let book = book(&weekly, &zone, Terms { duration: 180, step: 60, ..TERMS });
    assert_eq!(starts(&book, "2026-12-05", "2026-12-01T00:00:00Z"), ["22:00-03:00", "23:00-03:00"]);
}

#[test]
fn a_holiday_closes_unless_the_provider_says_otherwise() {
    let (weekly, zone) = (every_day(&[("09:00", "17:00")]), zone("America/Santiago"));
    let holidays = [closed("2026-12-08"), open("2026-12-24", &[("08:00", "11:00")])];
    let own = [open("2026-12-25", &[("10:00", "11:00")]), closed("2026-12-09")];
    let usual = book(&weekly, &zone, TERMS);
    let book = Book { exceptions: &own, closed: &holidays, ..usual };
    let now = "2026-12-01T00:00:00Z";
    assert!(starts(&book, "2026-12-08", now).is_empty());
    assert!(starts(&book, "2026-12-09", now).is_empty());
    // What the business and the provider have in common.
    assert_eq!(starts(&book, "2026-12-24", now), ["09:00-03:00", "09:30-03:00", "10:00-03:00"]);
    assert_eq!(starts(&book, "2026-12-25", now), ["10:00-03:00"]);
    let judge = |text| book.judge(at(text), at(now)).unwrap_err();
    assert_eq!(judge("2026-12-08T10:00:00-03:00"), Refused::Holiday);
    assert_eq!(judge("2026-12-09T10:00:00-03:00"), Refused::Closed);
}

#[test]
fn the_policy_bounds_how_soon_and_how_far() {
    let (weekly, zone) = (every_day(&[("09:00", "17:00")]), zone("America/Bogota"));
    let book = book(&weekly, &zone, Terms { min_advance: 120, max_advance: 30, ..TERMS });
    let now = at("2026-12-01T10:00:00-05:00");
    let judge = |text: &str| book.judge(at(text), now);
    assert_eq!(judge("2026-12-01T09:00:00-05:00"), Err(Refused::Past));
    assert_eq!(judge("2026-12-01T11:30:00-05:00"), Err(Refused::TooSoon));
    assert!(judge("2026-12-01T12:00:00-05:00").is_ok());
    // The last day counts to its end.
    assert!(judge("2026-12-31T16:00:00-05:00").is_ok());
    assert_eq!(judge("2027-01-01T09:00:00-05:00"), Err(Refused::TooFar));
    assert_eq!(judge("2026-12-02T16:30:00-05:00"), Err(Refused::DoesNotFit));
    assert_eq!(judge("2026-12-02T10:10:00-05:00"), Err(Refused::OffGrid));
    assert_eq!(judge("2026-12-02T20:00:00-05:00"), Err(Refused::Closed));
}

#[test]
fn buffers_keep_bookings_apart_and_places_are_taken_one_by_one() {
    let (weekly, zone) = (every_day(&[("09:00", "12:00")]), zone("UTC"));
    let taken = [Taken { place: 1, from: at("2026-12-02T10:00:00Z"), until: at("2026-12-02T11:00:00Z") }];
    let terms = Terms { duration: 30, before: 10, after: 10, ..TERMS };
    let one = Book { taken: &taken, ..book(&weekly, &zone, terms) };
    let now = "2026-12-01T00:00:00Z";
    // 09:30 would need until 10:10, 11:00 would need from 10:50.
    assert_eq!(starts(&one, "2026-12-02", now), ["09:00+00:00", "11:30+00:00"]);
    assert_eq!(one.judge(at("2026-12-02T11:00:00Z"), at(now)), Err(Refused::Taken));
    let two = Book { terms: Terms { capacity: 2, ..terms }, ..one };
    assert_eq!(two.place(at("2026-12-02T11:00:00Z")), Some(2));
    assert_eq!(starts(&two, "2026-12-02", now).len(), 6);
}

fn zones() -> impl Strategy<Value = TimeZone> {
    let names = [
        "America/New_York",
        "America/Santiago",
        "Europe/Madrid",
        "Australia/Lord_Howe",
        "Africa/Casablanca",
        "UTC",
    ];
    prop::sample::select(names.to_vec()).prop_map(|name| TimeZone::get(name).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Whatever is offered can be booked, lies within the bounds and the opening, and clashes with nothing that is taken.
    #[test]
    fn what_is_free_is_accepted_and_what_is_accepted_is_free(
        zone in zones(), day in 0i64..420, duration in 5u32..300, step in 5u32..90, before in 0u32..40, after in 0u32..40,
        capacity in 1u16..3, from in 0u16..20, length in 1u16..24, busy in prop::collection::vec((1u16..3, 0i64..2880, 5i64..240), 0..6),
    ) {
        let to = (from + length).min(24);
        let opening = format!("{from:02}:00");
        let weekly = every_day(&[(&opening, &format!("{to:02}:00"))]);
        let first = at("2026-01-15T00:00:00Z") + SignedDuration::from_hours(24 * day);
        let minute = |minutes: i64| first + SignedDuration::from_mins(minutes);
        let taken: Vec<Taken> = busy.iter()
            .map(|(place, from, length)| Taken { place: *place, from: minute(*from), until: minute(from + length) })
            .collect();
        let terms = Terms { duration, before, after, step, capacity, min_advance: 0, max_advance: 400, cancellation: 0 };
        let book = Book { taken: &taken, ..book(&weekly, &zone, terms) };
        let slots = book.free((first, minute(2880)), first, 1_000);
        for pair in slots.windows(2) {
            prop_assert!(pair[0].from < pair[1].from);
        }
        for slot in &slots {
            prop_assert_eq!(slot.until.duration_since(slot.from), SignedDuration::from_mins(i64::from(duration)));
            prop_assert!(slot.from >= first && slot.from < minute(2880));
            if slot.from > first {
                prop_assert_eq!(book.judge(slot.from, first), Ok(*slot));
            }
            let (from, until) = book.occupies(slot.from).unwrap();
            let clashes = taken.iter().filter(|taken| taken.from < until && from < taken.until);
            let mut places: Vec<u16> = clashes.map(|taken| taken.place).collect();
            places.sort_unstable();
            places.dedup();
            prop_assert!(places.iter().filter(|place| **place <= capacity).count() < usize::from(capacity));
        }
        // Every quarter of an hour that is accepted is among them.
        for quarter in 1..192 {
            if let Ok(slot) = book.judge(minute(quarter * 15), first) {
                prop_assert!(slots.contains(&slot), "{slot:?}");
            }
        }
    }
}
