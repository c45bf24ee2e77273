//! Who calls: `X-Hub-Signature-256` over the bytes as they came, and the question whether an address is the right one.

use crate::{NotTheVendor, Posted};
use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    hmac::{HMAC_SHA256, Key, sign, verify as verify_tag},
};
use misy_domain::Secret;
use url::form_urlencoded;

/// The header with the signature. The older one, over SHA-1, counts for nothing.
pub const SIGNATURE_HEADER: &str = "x-hub-signature-256";

/// A challenge is a number; nobody is to have their own text come back from here.
const LONGEST_CHALLENGE: usize = 100;

/// Whether Meta sent these bytes: `sha256=` and 64 lower-case hex digits, the HMAC-SHA256 of the body under the secret of the app.
pub fn verify(posted: &Posted<'_>, secrets: &[Secret<String>]) -> Result<(), NotTheVendor> {
    let tag = posted.signature.and_then(tag).ok_or(NotTheVendor)?;
    let is_signed = |secret: &Secret<String>| {
        // A key that is empty is a key that everybody has.
        !secret.expose().is_empty() && verify_tag(&key(secret), posted.body, &tag).is_ok()
    };
    if secrets.iter().any(is_signed) { Ok(()) } else { Err(NotTheVendor) }
}

fn tag(header: &[u8]) -> Option<[u8; 32]> {
    let digits = header.strip_prefix(b"sha256=")?;
    if digits.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    let mut tag = [0; 32];
    hex::decode_to_slice(digits, &mut tag).ok()?;
    Some(tag)
}

fn key(secret: &Secret<String>) -> Key {
    Key::new(HMAC_SHA256, secret.expose().as_bytes())
}

/// What the parameter `appsecret_proof` of a call says: that whoever has the token has the secret of its app, too.
pub fn app_secret_proof(secret: &Secret<String>, token: &Secret<String>) -> String {
    hex::encode(sign(&key(secret), token.expose().as_bytes()))
}

/// The answer to `hub.challenge`, if the call subscribes and knows the token.
pub fn challenge(query: &str, token: &Secret<String>) -> Option<String> {
    let of = |name: &str| {
        let mut found = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
        let (_, value) = found.next()?;
        // Twice the same is nobody's honest question.
        found.next().is_none().then_some(value)
    };
    if token.expose().is_empty() || of("hub.mode")? != "subscribe" {
        return None;
    }
    verify_slices_are_equal(of("hub.verify_token")?.as_bytes(), token.expose().as_bytes()).ok()?;
    let challenge = of("hub.challenge")?;
    let fits = (1..=LONGEST_CHALLENGE).contains(&challenge.len())
        && challenge.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    fits.then(|| challenge.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worked out with another implementation of HMAC.
    const SECRET: &str = "example_app_secret_000000000000000";
    const EMPTY: &str = r#"{"object":"whatsapp_business_account","entry":[]}"#;
    const EMPTY_TAG: &str = "sha256=3ac4351e8e7883cb6a8b880484eb673215f532bb00c9644ec19fc15142fbb803";
    const ESCAPED: &str = r#"{"text":"\u00e4\u00f6\u00e5 \ud83d\ude00\/x"}"#;
    const ESCAPED_TAG: &str = "sha256=1fe922a4e54dcb281b4ab9547d0b9eb8caaa363dbe4eecd7afa0f3bd4f4d85ed";

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    fn check(header: Option<&str>, body: &str, secrets: &[&str]) -> Result<(), NotTheVendor> {
        let secrets: Vec<_> = secrets.iter().map(|text| secret(text)).collect();
        verify(&Posted { signature: header.map(str::as_bytes), body: body.as_bytes() }, &secrets)
    }

    #[test]
    fn a_body_is_the_vendors_when_it_is_signed_as_it_came() {
        assert_eq!(check(Some(EMPTY_TAG), EMPTY, &[SECRET]), Ok(()));
        assert_eq!(check(Some(ESCAPED_TAG), ESCAPED, &[SECRET]), Ok(()));
        // Read and written again, it is another.
        assert_eq!(check(Some(ESCAPED_TAG), "{\"text\":\"äöå 😀/x\"}", &[SECRET]), Err(NotTheVendor));
    }

    #[test]
    fn while_a_secret_takes_over_both_count_and_afterwards_one() {
        assert_eq!(check(Some(EMPTY_TAG), EMPTY, &["the next one", SECRET]), Ok(()));
        assert_eq!(check(Some(EMPTY_TAG), EMPTY, &[SECRET, "the one before"]), Ok(()));
        assert_eq!(check(Some(EMPTY_TAG), EMPTY, &["the next one"]), Err(NotTheVendor));
    }

    #[test]
    fn a_signature_that_is_missing_misshapen_or_of_other_bytes_proves_nothing() {
        let digits = EMPTY_TAG.strip_prefix("sha256=").unwrap();
        let wrong = [
            None,
            Some(String::new()),
            Some("sha256=".to_owned()),
            Some(digits.to_owned()),
            Some(format!("sha1={digits}")),
            Some(format!("SHA256={digits}")),
            Some(format!("sha256={}", digits.to_uppercase())),
            Some(format!("sha256={digits}00")),
            Some(format!("sha256={}", &digits[..62])),
            Some(format!(" {EMPTY_TAG}")),
            Some(format!("{EMPTY_TAG}\n")),
            Some(format!("sha256={}", "0".repeat(64))),
            Some(format!("sha256={}", "é".repeat(32))),
        ];
        for header in wrong {
            assert_eq!(check(header.as_deref(), EMPTY, &[SECRET]), Err(NotTheVendor), "{header:?}");
        }
        assert_eq!(check(Some(EMPTY_TAG), ESCAPED, &[SECRET]), Err(NotTheVendor));
    }

    #[test]
    fn without_a_secret_nothing_is_proved() {
        assert_eq!(check(Some(EMPTY_TAG), EMPTY, &[]), Err(NotTheVendor));
        let of_nothing = format!("sha256={}", hex::encode(sign(&key(&secret("")), EMPTY.as_bytes())));
        assert_eq!(check(Some(&of_nothing), EMPTY, &[""]), Err(NotTheVendor));
    }

    #[test]
    fn the_proof_of_the_secret_is_the_hmac_of_the_token() {
        let proof = app_secret_proof(&secret(SECRET), &secret("EAAexampletoken"));
        assert_eq!(proof, "6343a8fd21b024bd4982048770e65b7ef5da7ff63b21b513cdc93d340618fe52");
    }

    #[test]
    fn the_challenge_comes_back_to_whoever_knows_the_token() {
        let token = secret("a token & more");
        let query = "hub.mode=subscribe&hub.verify_token=a+token+%26+more&hub.challenge=1158201444";
        assert_eq!(challenge(query, &token).as_deref(), Some("1158201444"));
        for wrong in [
            "",
            "hub.mode=subscribe&hub.challenge=1158201444",
            "hub.mode=subscribe&hub.verify_token=a+token&hub.challenge=1158201444",
            "hub.mode=unsubscribe&hub.verify_token=a+token+%26+more&hub.challenge=1158201444",
            "hub.mode=subscribe&hub.verify_token=a+token+%26+more",
            "hub.mode=subscribe&hub.verify_token=a+token+%26+more&hub.challenge=",
            "hub.mode=subscribe&hub.verify_token=a+token+%26+more&hub.challenge=%3Cscript%3E",
            "hub.mode=subscribe&hub.verify_token=x&hub.verify_token=a+token+%26+more&hub.challenge=1",
        ] {
            assert_eq!(challenge(wrong, &token), None, "{wrong}");
        }
        let nobody = "hub.mode=subscribe&hub.verify_token=&hub.challenge=1";
        assert_eq!(challenge(nobody, &secret("")), None);
    }
}
