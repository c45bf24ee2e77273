//! "Which of these is your question?": answers that are offered, and which of them the contact then chose.

use crate::{CompiledPack, Offered, TurnInput, text::tokens::words};
use misy_domain::{
    Part, Role,
    message::{Button, Reference},
};

/// A title may be no longer on a button.
const LONGEST_TITLE: usize = 120;
/// What an answer of the pack is called where a choice stands for one.
const KIND: &str = "faq";

/// Words that may stand around the number of a choice.
const AROUND: [&str; 24] = [
    "la", "el", "lo", "a", "o", "the", "one", "opcion", "opcao", "option", "numero", "number", "es", "e",
    "is", "it", "s", "please", "por", "favor", "porfa", "quiero", "quero", "pregunta",
];
/// Words for the places of choices.
const PLACES: [(&str, usize); 20] = [
    ("1", 0),
    ("primera", 0),
    ("primero", 0),
    ("primeira", 0),
    ("primeiro", 0),
    ("first", 0),
    ("2", 1),
    ("segunda", 1),
    ("segundo", 1),
    ("second", 1),
    ("3", 2),
    ("tercera", 2),
    ("tercero", 2),
    ("terceira", 2),
    ("third", 2),
    ("4", 3),
    ("cuarta", 3),
    ("cuarto", 3),
    ("quarta", 3),
    ("fourth", 3),
];

/// The choices as lines with numbers, for whoever sees no buttons.
pub(crate) fn listed(pack: &CompiledPack, choices: &[usize]) -> String {
    let line = |(at, faq): (usize, &usize)| format!("{}. {}", at + 1, title(pack, *faq));
    choices.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
}

fn title(pack: &CompiledPack, at: usize) -> String {
    let question = &pack.pack().faq[at].question;
    if question.chars().count() <= LONGEST_TITLE {
        return question.clone();
    }
    question.chars().take(LONGEST_TITLE - 1).chain(['…']).collect()
}

/// Puts buttons below the last text of a reply, one for each choice.
pub(crate) fn offer(mut parts: Vec<Part>, pack: &CompiledPack, choices: &[usize]) -> Vec<Part> {
    if let (false, Some(Part::Text { text })) = (choices.is_empty(), parts.last_mut()) {
        let text = std::mem::take(text);
        let button = |at: &usize| {
            let id = pack.pack().faq[*at].id.clone();
            let reference = Some(Reference { kind: KIND.to_owned(), id: id.clone() });
            Button { id, title: title(pack, *at), reference, url: None }
        };
        parts.pop();
        parts.push(Part::Buttons { text, buttons: choices.iter().map(button).collect() });
    }
    parts
}

/// What a message offered to choose.
pub fn offered(parts: &[Part]) -> Vec<Offered> {
    let choices = parts.iter().flat_map(Part::choices);
    let offered = choices.map(|choice| Offered {
        title: choice.title.to_owned(),
        faq: choice.reference.filter(|own| own.kind == KIND).map(|own| own.id.clone()),
    });
    offered.collect()
}

/// The answer of the pack that the contact chose: by pressing its button, whenever that was sent, or from what was offered last
/// by its title or its number.
pub(crate) fn of(input: &TurnInput<'_>) -> Option<usize> {
    let message = input.messages.last()?;
    let place_of = |id: &str| input.pack.pack().faq.iter().position(|faq| faq.id == id);
    if let Some(reference) = message.pressed.filter(|own| own.kind == KIND) {
        return place_of(&reference.id);
    }
    let last = input.history.iter().rev().find(|item| item.role != Role::Contact)?;
    let said = words(message.text);
    let offered = &last.offered;
    let by_title = offered.iter().position(|one| words(&one.title) == said);
    let chosen = offered.get(by_title.or_else(|| place(&said))?)?;
    // The pack may have changed since.
    place_of(chosen.faq.as_deref()?)
}

/// The place that a few words name, if they say nothing else.
pub(crate) fn place(said: &[String]) -> Option<usize> {
    let mut places = said.iter().filter_map(|word| PLACES.iter().find(|(own, _)| own == word));
    let first = places.next().filter(|_| places.next().is_none())?;
    let is_all = said.iter().all(|word| word == first.0 || AROUND.contains(&word.as_str()));
    is_all.then_some(first.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_named_by_its_place() {
        for (text, place) in [
            ("2", Some(1)),
            ("la primera", Some(0)),
            ("The second one, please", Some(1)),
            ("a terceira", Some(2)),
            ("opción 4", Some(3)),
            ("somos 2 personas", None),
            ("1 o 2", None),
            ("hola", None),
            ("", None),
        ] {
            assert_eq!(super::place(&words(text)), place, "{text}");
        }
    }
}
