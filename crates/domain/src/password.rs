//! Which passwords are taken (NIST SP 800-63B, section 5.1.1.2): long ones, of any characters, that nobody guesses first.

use crate::EmailAddress;

/// The shortest password of somebody who has a second factor too, in characters.
pub const SHORTEST: usize = 12;
/// The shortest password that is all there is.
pub const SHORTEST_ALONE: usize = 15;
/// The longest, so that hashing has an end.
pub const LONGEST: usize = 128;

/// Parts of a name or address that are shorter than this may stand in a password.
const SHORTEST_PART: usize = 4;

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Too few characters.
    #[error("must have at least {0} characters")]
    TooShort(usize),
    /// Too many characters.
    #[error("must have at most 128 characters")]
    TooLong,
    /// One of those that are tried first.
    #[error("is too easy to guess")]
    Common,
    /// Has the person's name or address in it.
    #[error("must not contain your name or e-mail address")]
    Personal,
}

impl WeakPassword {
    /// For programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooShort(_) => "too_short",
            Self::TooLong => "too_long",
            Self::Common => "common",
            Self::Personal => "personal",
        }
    }
}

/// Those of the usual lists that are long enough to get this far, and the beginnings that people make longer with digits.
const COMMON: [&str; 52] = [
    "password",
    "passw0rd",
    "p4ssword",
    "p4ssw0rd",
    "pa55word",
    "contraseña",
    "contrasena",
    "senha",
    "clave",
    "letmein",
    "qwertyuiop",
    "qwerty",
    "asdfghjkl",
    "zxcvbnm",
    "1q2w3e4r5t",
    "1qaz2wsx3edc",
    "qazwsxedc",
    "welcome",
    "bienvenido",
    "bemvindo",
    "iloveyou",
    "tequiero",
    "teamo",
    "administrator",
    "administrador",
    "admin",
    "changeme",
    "cambiame",
    "football",
    "baseball",
    "barcelona",
    "realmadrid",
    "colombia",
    "argentina",
    "superman",
    "spiderman",
    "pokemon",
    "princess",
    "princesa",
    "sunshine",
    "dragon",
    "monkey",
    "trustno1",
    "whatever",
    "secret",
    "secreto",
    "segredo",
    "misy",
    "correcthorsebatterystaple",
    "abcdefghijkl",
    "unbelievable",
    "motherfucker",
];

/// Checks a new password. `alone`: whether the account has no second factor and needs none.
pub fn check(password: &str, email: &EmailAddress, name: &str, alone: bool) -> Result<(), WeakPassword> {
    let characters = password.chars().count();
    let shortest = if alone { SHORTEST_ALONE } else { SHORTEST };
    if characters < shortest {
        return Err(WeakPassword::TooShort(shortest));
    }
    if characters > LONGEST {
        return Err(WeakPassword::TooLong);
    }
    let lower = password.to_lowercase();
    if is_common(&lower) {
        return Err(WeakPassword::Common);
    }
    let name = name.to_lowercase();
    let parts = email
        .local()
        .split(['.', '_', '-', '+'])
        .chain(name.split_whitespace())
        .chain([email.local(), &name]);
    let personal =
        parts.filter(|part| part.chars().count() >= SHORTEST_PART).any(|part| lower.contains(part));
    if personal { Err(WeakPassword::Personal) } else { Ok(()) }
}

/// Little variety, a row of neighbours, or a usual word with nothing but digits and signs around it.
fn is_common(lower: &str) -> bool {
    let characters: Vec<char> = lower.chars().collect();
    let mut distinct = characters.clone();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < 5 {
        return true;
    }
    let step = |pair: &[char]| i64::from(u32::from(pair[1])) - i64::from(u32::from(pair[0]));
    let in_a_row = characters.windows(2).filter(|pair| matches!(step(pair), -1..=1 | -9 | 9)).count();
    if in_a_row * 5 >= (characters.len() - 1) * 4 {
        return true;
    }
    let bare = lower.trim_matches(|c: char| !c.is_alphabetic());
    let joined: String = lower.chars().filter(|c| c.is_alphanumeric()).collect();
    COMMON.iter().any(|word| {
        let rest = joined.replace(word, "");
        bare == *word
            || joined == *word
            || (rest.len() < joined.len() && rest.chars().all(|c| c.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(password: &str, alone: bool) -> Result<(), WeakPassword> {
        check(password, &"ana.rojas@business.example".parse().unwrap(), "Ana Lucía Rojas", alone)
    }

    #[test]
    fn length_is_what_counts_and_no_mixture_is_asked_for() {
        assert_eq!(checked("tres tigres", false), Err(WeakPassword::TooShort(12)));
        assert_eq!(checked("doce letras!", false), Ok(()));
        assert_eq!(checked("doce letras!", true), Err(WeakPassword::TooShort(15)));
        assert_eq!(checked("tres tristes tigres", true), Ok(()));
        assert_eq!(checked("日本語のパスワードはこれです", false), Ok(()));
        assert_eq!(checked(&"ab cd ef ".repeat(20), false), Err(WeakPassword::TooLong));
    }

    #[test]
    fn what_is_tried_first_is_refused() {
        for password in [
            "password1234",
            "Password!2024",
            "contraseña123",
            "aaaaaaaaaaaa",
            "abababababab",
            "123456789012",
            "abcdefghijkl",
            "qwertyuiop12",
            "Bienvenido2026",
            "correct horse battery staple",
            "Administrador1",
            "P4ssw0rd!!!!!",
        ] {
            assert_eq!(checked(password, false), Err(WeakPassword::Common), "{password}");
        }
    }

    #[test]
    fn a_name_or_address_in_it_is_refused() {
        for password in ["Rojas y rosas rojas", "la casa de LUCÍA azul", "ana.rojas para siempre"] {
            assert_eq!(checked(password, false), Err(WeakPassword::Personal), "{password}");
        }
    }
}
