//! Codes that an authenticator app shows (TOTP, RFC 6238: SHA-1, six digits, 30 seconds), and recovery codes for when it is
//! lost.

use aws_lc_rs::hmac;
use misy_domain::{Entropy, Secret, Timestamp};
use totp_rs::{Algorithm, Builder};

/// RFC 4226, section 4: 160 bits are recommended.
const SECRET_BYTES: usize = 20;
/// RFC 4648, section 6.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Without characters that are read as others; 10 of them are 50 bits.
const LEGIBLE: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const RECOVERY_CHARACTERS: usize = 10;
/// Six digits with whatever people put between them, in bytes.
const LONGEST_TYPED: usize = 40;

/// The secret that an authenticator app shares.
#[derive(Clone)]
pub struct TotpSecret(Secret<[u8; SECRET_BYTES]>);

impl TotpSecret {
    /// A new one.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; SECRET_BYTES];
        entropy.fill(&mut bytes);
        Self(Secret::new(bytes))
    }

    /// One that was stored; `None` if these bytes are none.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(|bytes| Self(Secret::new(bytes)))
    }

    /// Its bytes, to be sealed.
    pub fn expose(&self) -> &[u8] {
        self.0.expose()
    }

    /// As people type it where they cannot scan: base 32 (RFC 4648).
    pub fn base32(&self) -> String {
        let mut text = String::new();
        let (mut bits, mut held) = (0u32, 0u32);
        for byte in self.0.expose() {
            bits = bits << 8 | u32::from(*byte);
            held += 8;
            while held >= 5 {
                held -= 5;
                text.push(digit(BASE32, bits >> held));
            }
            bits &= (1 << held) - 1;
        }
        if held > 0 {
            text.push(digit(BASE32, bits << (5 - held)));
        }
        text
    }

    /// The address that a QR code shows to an authenticator app (Google's Key URI format).
    pub fn uri(&self, issuer: &str, account: &str) -> String {
        let (issuer, account) = (percent(issuer), percent(account));
        let secret = self.base32();
        format!(
            "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period=30"
        )
    }

    /// The time step that a code is of: the present one, or one before or after for a clock that is not quite right. Whoever
    /// asks must see to it that each step counts once. Blanks and dashes count for nothing: apps show `123 456`.
    pub fn step_of(&self, code: &str, now: Timestamp) -> Option<i64> {
        let seconds = u64::try_from(now.as_second()).ok()?;
        if code.len() > LONGEST_TYPED {
            return None;
        }
        let code: String = code.chars().filter(|c| !is_separator(*c)).collect();
        if code.len() != 6 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let totp = Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(6)
            .with_skew(1)
            .with_step_duration(30)
            .with_secret(*self.0.expose())
            .build()
            .ok()?;
        totp.check(&code, seconds).and_then(|step| i64::try_from(step).ok())
    }

    /// The code at a time, as the app shows it.
    pub fn code_at(&self, now: Timestamp) -> String {
        // RFC 4226, section 5.3.
        let step = now.as_second().div_euclid(30).to_be_bytes();
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.0.expose());
        let tag = hmac::sign(&key, &step);
        let tag = tag.as_ref();
        let at = usize::from(tag[tag.len() - 1] & 15);
        let number = u32::from_be_bytes([tag[at] & 0x7f, tag[at + 1], tag[at + 2], tag[at + 3]]) % 1_000_000;
        format!("{number:06}")
    }
}

/// A new recovery code, such as `4k7mp-x2c9q`.
pub fn recovery_code(entropy: &dyn Entropy) -> String {
    let mut random = [0; RECOVERY_CHARACTERS];
    entropy.fill(&mut random);
    let mut code: String = random.iter().map(|byte| digit(LEGIBLE, u32::from(*byte))).collect();
    code.insert(RECOVERY_CHARACTERS / 2, '-');
    code
}

/// What of a recovery code is stored: a keyed hash, whatever blanks, dashes and capitals it was typed with.
pub fn recovery_code_hash(code: &str, pepper: &Secret<[u8; 32]>) -> [u8; 32] {
    let plain: String = code.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let key = hmac::Key::new(hmac::HMAC_SHA256, pepper.expose());
    crate::digest::hmac_sha256(&key, &[b"recovery-code|", plain.as_bytes()])
}

/// What people and apps put between the digits of a code: blanks of every kind, and dashes.
fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '\u{2010}'..='\u{2015}')
}

fn digit(alphabet: &[u8; 32], bits: u32) -> char {
    char::from(alphabet[usize::try_from(bits & 31).unwrap_or_default()])
}

fn percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'@' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemEntropy;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    /// RFC 6238, appendix B, the last six digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        let secret = TotpSecret::new(b"12345678901234567890").unwrap();
        for (seconds, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (2_000_000_000, "279037")]
        {
            assert_eq!(secret.code_at(at(seconds)), code);
            assert_eq!(secret.step_of(code, at(seconds)), Some(seconds / 30));
        }
        assert_eq!(secret.base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }

    #[test]
    fn a_clock_may_be_half_a_minute_wrong_and_no_more() {
        let secret = TotpSecret::generate(&SystemEntropy::new());
        let now = at(1_790_000_010);
        let code = secret.code_at(now);
        for (seconds, taken) in [(-60, false), (-30, true), (0, true), (30, true), (60, false)] {
            assert_eq!(secret.step_of(&code, at(1_790_000_010 + seconds)).is_some(), taken, "{seconds}");
        }
        for wrong in ["", "12345", "1234567", "12 345", "١٢٣٤٥٦", "+12345"] {
            assert_eq!(secret.step_of(wrong, now), None, "{wrong}");
        }
    }

    #[test]
    fn a_code_is_known_however_it_is_typed() {
        let secret = TotpSecret::generate(&SystemEntropy::new());
        let now = at(1_790_000_010);
        let code = secret.code_at(now);
        let (left, right) = code.split_at(3);
        for between in [" ", "-", "\u{a0}", "\u{202f}", " – ", "\t"] {
            let typed = format!(" {left}{between}{right}\n");
            assert!(secret.step_of(&typed, now).is_some(), "{typed:?}");
        }
        for wrong in [format!("{left}.{right}"), format!("{left}{}{right}", " ".repeat(40)), "- -".to_owned()]
        {
            assert_eq!(secret.step_of(&wrong, now), None, "{wrong:?}");
        }
    }

    #[test]
    fn an_app_is_told_whose_account_it_is() {
        let secret = TotpSecret::new(b"12345678901234567890").unwrap();
        let uri = secret.uri("Clínica Andina", "ana@business.example");
        assert!(
            uri.starts_with("otpauth://totp/Cl%C3%ADnica%20Andina:ana@business.example?secret=GEZD"),
            "{uri}"
        );
    }

    #[test]
    fn a_recovery_code_is_known_however_it_is_typed() {
        let pepper = Secret::new([1; 32]);
        let code = recovery_code(&SystemEntropy::new());
        assert_eq!(code.len(), 11);
        let typed = format!(" {} ", code.to_uppercase().replace('-', " "));
        assert_eq!(recovery_code_hash(&code, &pepper), recovery_code_hash(&typed, &pepper));
        assert_ne!(recovery_code_hash(&code, &pepper), recovery_code_hash(&code, &Secret::new([2; 32])));
    }
}
