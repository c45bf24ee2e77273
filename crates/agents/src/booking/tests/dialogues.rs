//! Conversations from the first message to the last.

use super::*;

#[test]
fn a_booking_is_made_in_spanish_step_by_step() {
    let mut talk = Talk::with("es-CO");
    let asked = talk.say("hola, quiero reservar un masaje deportivo");
    assert!(asked.contains("Masaje deportivo"), "{asked}");
    let offered = talk.say("mañana en la tarde");
    assert!(offered.contains("miércoles 2 de diciembre"), "{offered}");
    let name = talk.say("a las 3");
    assert!(name.contains("15:00"), "{name}");
    let confirm = talk.say("Marta Rey, 300 555 0188");
    assert!(
        confirm.contains("a las 15:00 (hora de America/Bogota)") && confirm.contains("Marta Rey"),
        "{confirm}"
    );
    talk.expect(&[]);
    let done = talk.say("sí, por favor");
    assert!(done.contains("reservado"), "{done}");
    talk.expect(&[("masaje", "tomas", "12-02 15:00", "Marta Rey")]);
    assert_eq!(talk.form.phone.as_deref(), Some("300 555 0188"));
}

#[test]
fn a_booking_in_one_message_in_english_is_corrected_and_confirmed() {
    let mut talk = Talk::with("en-US");
    let confirm = talk.say("book a valoración inicial on Friday at 4pm, my name is Alan Poe");
    assert!(confirm.contains("Friday, December 4 at 4 pm"), "{confirm}");
    let corrected = talk.say("sorry, make it 5pm");
    assert!(corrected.contains("5 pm"), "{corrected}");
    talk.expect(&[]);
    talk.say("yes");
    talk.expect(&[("valoracion", "tomas", "12-04 17:00", "Alan Poe")]);
}

#[test]
fn a_holiday_is_refused_with_other_times_and_a_button_chooses_one_in_portuguese() {
    let mut talk = Talk::with("pt-BR");
    let refused = talk.say("quero marcar uma valoración inicial na terça às 15h, meu nome é Rui Sá");
    assert!(refused.contains("feriado") && refused.contains("Inmaculada"), "{refused}");
    let offered = talk.form.offered.clone();
    assert!(!offered.is_empty());
    let pressed = misy_domain::message::Reference { kind: "time".to_owned(), id: offered[0].clone() };
    let confirm = talk.press("x", Some(&pressed));
    assert!(confirm.contains("Rui Sá"), "{confirm}");
    talk.say("isso");
    let at: Timestamp = offered[0].parse().unwrap();
    assert_eq!(talk.ahead.iter().map(|one| one.starts_at).collect::<Vec<_>>(), [at]);
}

#[test]
fn a_booking_is_moved_and_then_called_off_and_both_are_asked_first() {
    let mut talk = Talk::with("es-CO");
    talk.say("quiero reservar masaje deportivo el jueves a las 9, soy Ana Ruiz");
    talk.say("sí");
    talk.expect(&[("masaje", "lia", "12-03 09:00", "Ana Ruiz")]);
    let moved = talk.say("puedo cambiar mi cita para el viernes a las 10?");
    assert!(moved.contains("viernes 4 de diciembre"), "{moved}");
    talk.expect(&[("masaje", "lia", "12-03 09:00", "Ana Ruiz")]);
    talk.say("sí");
    talk.expect(&[("masaje", "lia", "12-04 10:00", "Ana Ruiz")]);
    let asked = talk.say("necesito cancelar mi cita");
    assert!(asked.contains("viernes 4 de diciembre"), "{asked}");
    talk.expect(&[("masaje", "lia", "12-04 10:00", "Ana Ruiz")]);
    let stays = talk.say("no, mejor no");
    assert!(stays.contains("queda como está"), "{stays}");
    talk.expect(&[("masaje", "lia", "12-04 10:00", "Ana Ruiz")]);
    talk.say("cancelar mi cita");
    talk.say("sí");
    talk.expect(&[]);
}

#[test]
fn who_denies_asks_or_thinks_of_it_calls_nothing_off() {
    let kept = [("masaje", "lia", "12-03 09:00", "Ana Ruiz")];
    for text in [
        "No, no quiero cancelarla",
        "no, cancela la del viernes",
        "No, don't cancel it",
        "please don’t cancel it",
        "can I still cancel it tomorrow?",
        "não, não cancele",
        "ok, déjame pensarlo",
    ] {
        let mut talk = Talk::with("es-CO");
        talk.say("quiero reservar masaje deportivo el jueves a las 9, soy Ana Ruiz");
        talk.say("sí");
        talk.say("necesito cancelar mi cita");
        talk.say(text);
        talk.expect(&kept);
    }
    let mut talk = Talk::with("es-CO");
    talk.say("quiero reservar masaje deportivo el jueves a las 9, soy Ana Ruiz");
    talk.say("ok, déjame pensarlo");
    talk.expect(&[]);
}

#[test]
fn a_booking_is_made_moved_and_called_off_in_each_language() {
    let dialogues = [
        (
            "es-CO",
            [
                "quiero reservar un masaje deportivo mañana a las 15:00, soy Ana Ruiz",
                "sí",
                "quiero cambiar mi cita para pasado mañana a las 17:00",
                "sí, por favor",
                "necesito cancelar mi cita",
                "sí",
            ],
        ),
        (
            "en-US",
            [
                "I'd like to book a masaje deportivo tomorrow at 3pm, my name is Ana Ruiz",
                "yes please",
                "can I move my appointment to the day after tomorrow at 5pm?",
                "yes",
                "please cancel my appointment",
                "yes",
            ],
        ),
        (
            "pt-BR",
            [
                "quero marcar um masaje deportivo amanhã às 15h, meu nome é Ana Ruiz",
                "sim",
                "quero mudar meu horário para depois de amanhã às 17h",
                "isso",
                "preciso cancelar minha consulta",
                "sim, pode cancelar",
            ],
        ),
    ];
    for (locale, [book, yes, move_it, agreed, cancel, off]) in dialogues {
        let mut talk = Talk::with(locale);
        let mut said = Vec::new();
        let mut say = |talk: &mut Talk, text: &str| said.push(format!("{text}: {}", talk.say(text)));
        say(&mut talk, book);
        say(&mut talk, yes);
        let booked = talk.booked();
        say(&mut talk, move_it);
        say(&mut talk, agreed);
        let moved = talk.booked();
        say(&mut talk, cancel);
        say(&mut talk, off);
        let times = |all: &[(String, String, String, String)]| {
            all.iter().map(|one| one.2.clone()).collect::<Vec<_>>()
        };
        let left = talk.booked();
        assert_eq!(
            (times(&booked), times(&moved), left.len()),
            (vec!["12-02 15:00".to_owned()], vec!["12-03 17:00".to_owned()], 0),
            "{said:#?}"
        );
    }
}

/// Somebody of the business was faster, or the turn is run again after it did what it does.
#[test]
fn a_yes_to_a_booking_that_is_gone_touches_no_other_one() {
    let mut talk = Talk::with("es-CO");
    for day in ["jueves", "viernes"] {
        talk.say(&format!("quiero reservar masaje deportivo el {day} a las 9, soy Ana Ruiz"));
        talk.say("sí");
    }
    let friday = ("masaje", "lia", "12-04 09:00", "Ana Ruiz");
    talk.expect(&[("masaje", "lia", "12-03 09:00", "Ana Ruiz"), friday]);
    let asked = talk.say("necesito cancelar mi cita del jueves");
    assert!(asked.contains("jueves 3 de diciembre"), "{asked}");
    talk.off.push(talk.ahead.remove(0));
    let done = talk.say("sí");
    assert!(done.contains("quedó anulada") && done.contains("jueves 3 de diciembre"), "{done}");
    talk.expect(&[friday]);

    // Of two on one day the time tells which is meant.
    talk.say("quiero reservar masaje deportivo el viernes a las 16:00");
    talk.say("sí");
    let asked = talk.say("necesito cancelar mi cita de las 4");
    assert!(asked.contains("16:00"), "{asked}");
    talk.say("sí");
    talk.expect(&[friday]);
}

#[test]
fn a_question_in_between_leaves_the_form_as_it_is_and_a_change_of_mind_ends_it() {
    let mut talk = Talk::with("es-CO");
    talk.say("quiero reservar un masaje deportivo mañana a las 9");
    let before = talk.form.clone();
    talk.say("¿cuánto cuesta?");
    assert_eq!(talk.form.date, before.date);
    assert_eq!(talk.form.service, before.service);
    talk.say("Luz Paz");
    let dropped = talk.say("no");
    assert!(dropped.contains("no reservo nada"), "{dropped}");
    talk.expect(&[]);
    assert!(!talk.form.is_open(talk.now));
}
