//! The parts of a message: what surrounds an e-mail goes, what asks two things is taken apart.

use super::tokens::fold;

/// Segments beyond these are not looked at one by one.
const MOST: usize = 8;

/// The message without the furniture of e-mails: quoted lines, signature, labels such as `Asunto:`.
pub(crate) fn body(text: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        let folded = fold(line);
        if line.starts_with('>') {
            continue;
        }
        if kept.len() > 1 && is_sign_off(&folded) {
            break;
        }
        let subject = ["asunto:", "assunto:", "subject:", "re:", "fwd:", "rv:"];
        let label = subject.iter().find(|label| folded.starts_with(**label));
        // Labels are ASCII, so they are as long in the line as in its folded form.
        let content = label.map_or(line, |label| line.get(label.len()..).unwrap_or(line).trim());
        if !content.is_empty() {
            kept.push(content);
        }
    }
    kept.join("\n")
}

fn is_sign_off(folded: &str) -> bool {
    let openings = [
        "saludos",
        "atentamente",
        "cordialmente",
        "muchas gracias,",
        "quedo atent",
        "un saludo",
        "best regards",
        "kind regards",
        "regards",
        "sincerely",
        "best,",
        "cheers,",
        "thanks,",
        "thank you,",
        "atenciosamente",
        "att",
        "abracos",
        "abs,",
        "obrigado,",
        "obrigada,",
        "grato",
        "grata",
        "--",
    ];
    folded.len() < 60 && openings.iter().any(|opening| folded.starts_with(opening))
}

/// The parts of a message that could be questions of their own.
pub(crate) fn segments(text: &str) -> Vec<String> {
    let mut sentences = Vec::new();
    let mut current = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let ends = match c {
            '?' | '!' | '\n' | ';' => true,
            // A dot between digits or within a name is no end.
            '.' => chars.peek().is_none_or(|next| next.is_whitespace()),
            _ => false,
        };
        current.push(c);
        if ends {
            sentences.push(std::mem::take(&mut current));
        }
    }
    sentences.push(current);
    sentences
        .iter()
        .flat_map(|sentence| clauses(sentence))
        .filter(|part| part.chars().any(char::is_alphanumeric))
        .take(MOST)
        .collect()
}

/// A sentence cut where a second question begins: a conjunction or comma before a word that asks.
fn clauses(sentence: &str) -> Vec<String> {
    const JOINS: [&str; 16] = [
        "y", "e", "and", "tambien", "tb", "tambem", "tbm", "also", "ademas", "plus", "alem", "&", "o", "ou",
        "or", "pero",
    ];
    const ASKS: [&str; 74] = [
        "que", "q", "cuanto", "cuanta", "cuantos", "cual", "cuales", "como", "cuando", "donde", "si", "se",
        "hay", "tienen", "tiene", "aceptan", "atienden", "puedo", "hacen", "reciben", "a", "hasta", "de",
        "what", "how", "when", "where", "which", "do", "does", "is", "are", "can", "could", "will", "whats",
        "what's", "hows", "if", "quanto", "quantos", "qual", "quais", "onde", "quando", "tem", "voces",
        "vcs", "posso", "da", "aceitam", "fazem", "ate", "pode", "cobram", "cobran", "incluye", "viene",
        "inclui", "vem", "los", "las", "el", "la", "os", "as", "the", "quien", "who", "quem", "por",
        "entregan", "entregam", "esta",
    ];
    /// Words that begin a question wherever they stand.
    const ASK_ALONE: [&str; 26] = [
        "cuanto", "cuanta", "cuantos", "cuando", "donde", "how", "when", "where", "what", "quanto",
        "quantos", "onde", "quando", "aceptan", "aceitam", "tienen", "tem", "do", "can", "puedo", "posso",
        "hay", "atienden", "whats", "is", "abren",
    ];
    let words: Vec<&str> = sentence.split_whitespace().collect();
    let plain: Vec<String> =
        words.iter().map(|word| fold(word).trim_matches(|c: char| !c.is_alphanumeric()).to_owned()).collect();
    let mut parts: Vec<Vec<&str>> = vec![Vec::new()];
    for (at, word) in words.iter().enumerate() {
        let joined = JOINS.contains(&plain[at].as_str());
        let asks = plain.get(at + 1).is_some_and(|next| ASKS.contains(&next.as_str()));
        // "Where are you and do you have parking": both halves ask, however short they are.
        let first = parts.last().and_then(|part| part.first()).map(|word| fold(word));
        let first =
            first.as_deref().unwrap_or_default().trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
        let both_ask = ASK_ALONE.contains(&first.as_str())
            && plain.get(at + 1).is_some_and(|next| ASK_ALONE.contains(&next.as_str()))
            && parts.last().is_some_and(|part| part.len() >= 2)
            && words.len() - at > 2;
        let long = both_ask || (parts.last().is_some_and(|part| part.len() >= 3) && words.len() - at > 3);
        if joined && asks && long {
            parts.push(vec![*word]);
            continue;
        }
        if let Some(part) = parts.last_mut() {
            part.push(word);
        }
        let comma = word.ends_with(',') && parts.last().is_some_and(|part| part.len() >= 4);
        let asks_alone = plain.get(at + 1).is_some_and(|next| ASK_ALONE.contains(&next.as_str()));
        if comma && (asks && words.len() - at > 4 || asks_alone && words.len() - at > 2) {
            parts.push(Vec::new());
        }
    }
    parts.into_iter().map(|part| part.join(" ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_questions_are_two_parts() {
        assert_eq!(
            segments("¿atienden los sábados y cuánto sale una limpieza?"),
            ["¿atienden los sábados", "y cuánto sale una limpieza?"]
        );
        assert_eq!(segments("It costs $1.200. Is it ok?").len(), 2);
        assert_eq!(segments("quiero pan y queso").len(), 1);
    }

    #[test]
    fn an_e_mail_loses_its_furniture() {
        let text =
            "Asunto: Consulta\n\nBuenos días:\n¿Dónde quedan?\n\nSaludos cordiales,\nAna Pérez\n> viejo";
        assert_eq!(body(text), "Consulta\nBuenos días:\n¿Dónde quedan?");
    }
}
