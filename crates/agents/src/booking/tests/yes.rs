//! What a yes is, and to what.

use super::*;

const BOOK: &str = "quiero reservar masaje deportivo el jueves a las 9, soy Ana Ruiz";
const BOOKED: [(&str, &str, &str, &str); 1] = [("masaje", "lia", "12-03 09:00", "Ana Ruiz")];

#[test]
fn a_yes_stands_alone() {
    for text in [
        "claro, déjame preguntarle a mi esposa",
        "ok, y cuanto dura",
        "perfecto, te confirmo más tarde",
        "sí, pero mejor el viernes",
        "bueno...",
        "dale, aunque primero quiero ver los precios",
        "right, what else do you offer",
        "sim, mas com outra pessoa",
        "ya veo, así que solo en la mañana",
    ] {
        let mut talk = Talk::with("es-CO");
        let asked = talk.say(BOOK);
        assert!(asked.contains("¿Confirmo?"), "{asked}");
        talk.say(text);
        assert!(talk.booked().is_empty(), "{text}");
    }
    for text in ["sí", "Sí, por favor.", "dale, gracias", "👍🏽", "confirmo", "sí, resérvala"] {
        let mut talk = Talk::with("es-CO");
        talk.say(BOOK);
        talk.say(text);
        talk.expect(&BOOKED);
    }
}

#[test]
fn a_yes_answers_the_newest_question() {
    let mut talk = Talk::with("es-CO");
    talk.say(BOOK);
    let other = talk.say("🙂");
    assert!(!other.contains("¿Confirmo?"), "{other}");
    let again = talk.say("sí");
    assert!(again.contains("¿Confirmo?") && again.contains("jueves 3 de diciembre"), "{again}");
    talk.expect(&[]);
    talk.say("sí");
    talk.expect(&BOOKED);

    talk.say("necesito cancelar mi cita");
    talk.say("🙂");
    let again = talk.say("sí");
    assert!(again.contains("¿Anulo esta reserva"), "{again}");
    talk.expect(&BOOKED);
    talk.say("sí, cancélala");
    talk.expect(&[]);
}

#[test]
fn a_yes_to_one_thing_is_none_to_another() {
    let mut talk = Talk::with("es-CO");
    talk.say(BOOK);
    talk.say("sí");
    let asked = talk.say("quiero cambiar mi cita para el viernes a las 10");
    assert!(asked.contains("¿Confirmo?"), "{asked}");
    // It was asked whether to move it.
    let asked = talk.say("sí, cancélala");
    assert!(asked.contains("¿Anulo esta reserva"), "{asked}");
    talk.expect(&BOOKED);
    talk.say("sí");
    talk.expect(&[]);
}
