//! With whom, and when exactly.

use super::*;

/// Both are there all day.
fn both(zone: &str) -> CompiledPack {
    pack_in("es-CO", zone, [["00:00", "24:00"]; 2])
}

fn talk() -> Talk {
    Talk::of(both("America/Bogota"), "2026-12-01T10:00:00-05:00".parse().unwrap())
}

/// An hour in which somebody else has a provider.
fn takes(talk: &mut Talk, provider: &str, from: &str) {
    let from: Timestamp = from.parse().unwrap();
    let until = from + SignedDuration::from_hours(1);
    talk.taken.entry(provider.to_owned()).or_default().push(Taken { place: 1, from, until });
}

#[test]
fn who_was_named_is_booked_and_keeps_what_is_moved() {
    let mut talk = talk();
    let asked = talk.say("quiero reservar masaje deportivo el jueves a las 9 con Tomás, soy Ana Ruiz");
    assert!(asked.contains("Con Tomás Gil"), "{asked}");
    talk.say("sí");
    talk.expect(&[("masaje", "tomas", "12-03 09:00", "Ana Ruiz")]);
    let asked = talk.say("quiero cambiar mi cita para el viernes a las 10");
    assert!(asked.contains("Con Tomás Gil"), "{asked}");
    talk.say("sí");
    talk.expect(&[("masaje", "tomas", "12-04 10:00", "Ana Ruiz")]);

    // Where they are not free that is said, and somebody else is asked for.
    takes(&mut talk, "tomas", "2026-12-04T16:00:00-05:00");
    let asked = talk.say("quiero cambiar mi cita para el viernes a las 16:00");
    assert!(asked.contains("Tomás Gil no está libre") && asked.contains("Con Lía Mora"), "{asked}");
    talk.expect(&[("masaje", "tomas", "12-04 10:00", "Ana Ruiz")]);
    talk.say("sí");
    talk.expect(&[("masaje", "lia", "12-04 16:00", "Ana Ruiz")]);
}

#[test]
fn who_was_asked_about_is_booked_though_another_one_is_free_by_then() {
    let mut talk = talk();
    takes(&mut talk, "lia", "2026-12-03T09:00:00-05:00");
    let asked = talk.say("quiero reservar masaje deportivo el jueves a las 9, soy Ana Ruiz");
    assert!(asked.contains("Con Tomás Gil"), "{asked}");
    talk.taken.clear();
    talk.say("sí");
    talk.expect(&[("masaje", "tomas", "12-03 09:00", "Ana Ruiz")]);

    // And where they are taken by then, nobody else is without a question.
    talk.say("quiero reservar masaje deportivo el viernes a las 9 con cualquiera");
    takes(&mut talk, "lia", "2026-12-04T09:00:00-05:00");
    let asked = talk.say("sí");
    assert!(asked.contains("Lía Mora no está libre") && asked.contains("Con Tomás Gil"), "{asked}");
    assert_eq!(talk.ahead.len(), 1);
    talk.say("sí");
    assert_eq!(talk.ahead.len(), 2);
    assert_eq!(talk.ahead[1].provider, "tomas");
}

#[test]
fn who_does_not_do_it_is_not_replaced_in_silence() {
    let mut talk = talk();
    let asked = talk.say("quiero reservar una valoración inicial con Lía el jueves a las 9, soy Ana Ruiz");
    assert!(
        asked.contains("Lía Mora no hace Valoración inicial") && asked.contains("Con Tomás Gil"),
        "{asked}"
    );
    talk.expect(&[]);
}

#[test]
fn what_is_moved_stays_in_the_name_that_it_has() {
    let mut talk = talk();
    talk.say("quiero reservar masaje deportivo el jueves a las 9, soy Ana Ruiz");
    talk.say("sí");
    talk.say("quiero reservar masaje deportivo el viernes a las 9 a nombre de Luis Mora");
    talk.say("sí");
    talk.say("quiero cambiar mi cita del jueves para el miércoles a las 9");
    talk.say("sí");
    let names: Vec<_> = talk.booked().into_iter().map(|one| (one.2, one.3)).collect();
    assert!(names.contains(&("12-02 09:00".to_owned(), "Ana Ruiz".to_owned())), "{names:?}");
}

/// Clocks go back on Sunday at two: the hour from one to two comes twice.
#[test]
fn the_second_of_an_hour_that_comes_twice_can_be_booked() {
    let mut talk = Talk::of(sundays(), "2026-10-30T10:00:00-04:00".parse().unwrap());
    talk.say("quiero reservar masaje deportivo el domingo, soy Ana Ruiz");
    let second = "2026-11-01T06:30:00Z";
    let pressed = misy_domain::message::Reference { kind: "time".to_owned(), id: second.to_owned() };
    let asked = talk.press("x", Some(&pressed));
    assert!(asked.contains("UTC-05"), "{asked}");
    talk.say("sí");
    assert_eq!(talk.ahead.iter().map(|one| one.starts_at.to_string()).collect::<Vec<_>>(), [second]);
}

fn sundays() -> CompiledPack {
    let mut value = serde_json::to_value(both("America/New_York").pack()).unwrap();
    value["openingHours"] = Value::Null;
    for provider in value["providers"].as_array_mut().unwrap() {
        provider["weeklyAvailability"]["sun"] = json!([["00:00", "24:00"]]);
    }
    value.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    CompiledPack::new(misy_domain::ContextPack::parse(&value).unwrap()).unwrap()
}
