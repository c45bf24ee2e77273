//! Tokens of another shape or spelling, and genuine ones with something changed.

use super::Material;
use crate::{HostileToken, base64};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

pub(super) fn broken_shape(material: &Material<'_>, tokens: &mut Vec<HostileToken>) {
    let Material { token, header, payload, signature, .. } = *material;
    for (name, token) in [
        ("empty", String::new()),
        ("one dot", ".".to_owned()),
        ("two dots", "..".to_owned()),
        ("three dots", "...".to_owned()),
        ("ten thousand dots", ".".repeat(10_000)),
        ("header only", header.to_owned()),
        ("header and payload", format!("{header}.{payload}")),
        ("signature missing", format!("{header}.{payload}.")),
        ("payload missing", format!("{header}..{signature}")),
        ("header missing", format!(".{payload}.{signature}")),
        ("a fourth part", format!("{token}.{signature}")),
        ("an empty fourth part", format!("{token}.")),
        ("an empty part in front", format!(".{token}")),
        ("five parts, as an encrypted token has", format!("{token}.{payload}.{signature}")),
        ("payload and signature swapped", format!("{header}.{signature}.{payload}")),
        ("header twice", format!("{header}.{header}.{signature}")),
        ("signature twice", format!("{token}{signature}")),
        ("token twice", format!("{token},{token}")),
        ("a word", "undefined".to_owned()),
        ("with its scheme", format!("Bearer:{token}")),
        (
            "just above 4 KiB",
            format!("{header}.{}.{signature}", "A".repeat(4095 - header.len() - signature.len())),
        ),
        ("64 KiB of payload", format!("{header}.{}.{signature}", "A".repeat(65_536))),
        ("1 MiB of signature", format!("{header}.{payload}.{}", "A".repeat(1 << 20))),
        (
            "JSON serialisation",
            json!({"protected": header, "payload": payload, "signature": signature}).to_string(),
        ),
        (
            "general JSON serialisation",
            json!({"payload": payload, "signatures": [{"protected": header, "signature": signature}]})
                .to_string(),
        ),
    ] {
        tokens.push(HostileToken::new(name, token));
    }
    for length in (1..token.len()).step_by(17).chain([token.len() - 2, token.len() - 1]) {
        tokens.push(HostileToken::new(format!("cut off after {length} characters"), &token[..length]));
    }
}

pub(super) fn other_spellings(material: &Material<'_>, tokens: &mut Vec<HostileToken>) {
    let Material { token, header, payload, signature, .. } = *material;
    for blank in [
        " ", "\t", "\n", "\r\n", "\u{0}", "\u{b}", "\u{a0}", "\u{200b}", "\u{feff}", "\u{2028}", "=", "%00",
        "+", "/",
    ] {
        for (place, token) in [
            ("in front", format!("{blank}{token}")),
            ("behind", format!("{token}{blank}")),
            ("behind the header", format!("{header}{blank}.{payload}.{signature}")),
            ("behind the payload", format!("{header}.{payload}{blank}.{signature}")),
            ("in the signature", format!("{header}.{payload}.{}{blank}{}", &signature[..8], &signature[8..])),
            ("in the payload", format!("{header}.{}{blank}{}.{signature}", &payload[..8], &payload[8..])),
        ] {
            tokens.push(HostileToken::new(format!("{blank:?} {place}"), token));
        }
    }
    for (name, dot) in [("full-width", "\u{ff0e}"), ("one-dot-leader", "\u{2024}"), ("encoded", "%2e")] {
        tokens.push(HostileToken::new(format!("{name} dots"), token.replace('.', dot)));
    }
    let wide: String = signature.replacen(|c: char| c.is_ascii_uppercase(), "\u{ff21}", 1);
    tokens.push(HostileToken::new("a full-width letter", format!("{header}.{payload}.{wide}")));
    let padded = |part: &str| format!("{part}{}", "=".repeat((4 - part.len() % 4) % 4));
    for (at, part) in [header, payload, signature].into_iter().enumerate() {
        if part.len() % 4 != 0 {
            let mut parts = [header.to_owned(), payload.to_owned(), signature.to_owned()];
            parts[at] = padded(part);
            tokens.push(HostileToken::new(format!("padding in part {}", at + 1), parts.join(".")));
            parts[at] = with_spare_bits(part);
            tokens.push(HostileToken::new(format!("spare bits set in part {}", at + 1), parts.join(".")));
        }
    }
    let standard = token.replace('-', "+").replace('_', "/");
    if standard != token {
        tokens.push(HostileToken::new("the other base64 alphabet", standard));
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn digit(character: u8) -> usize {
    ALPHABET.iter().position(|a| *a == character).expect("a genuine token is base64url")
}

/// The same bytes, spelled with spare bits that are not zero.
fn with_spare_bits(part: &str) -> String {
    let (body, last) = part.split_at(part.len() - 1);
    format!("{body}{}", char::from(ALPHABET[digit(last.as_bytes()[0]) | 1]))
}

pub(super) fn changed_payloads(material: &Material<'_>, tokens: &mut Vec<HostileToken>) {
    let genuine: Value = serde_json::from_str(&material.payload_json).expect("a genuine payload is JSON");
    let exp = genuine["exp"].as_i64().unwrap_or_default();
    for (name, value) in [
        ("tenantId", json!("another-tenant")),
        ("siteId", json!("another-site")),
        ("origin", json!("https://attacker.example")),
        ("permissions", json!(["tenant:manage"])),
        ("exp", json!(exp + 1)),
        ("epoch", json!(1_000_000)),
        ("sig", json!("tenant")),
        ("sub", json!("somebody")),
    ] {
        let mut payload = genuine.clone();
        payload[name] = value;
        if payload != genuine {
            let token = format!("{}.{}.{}", material.header, base64(payload.to_string()), material.signature);
            tokens.push(HostileToken::new(format!("{name} changed under the genuine signature"), token));
        }
    }
    let empty = format!("{}.{}.{}", material.header, base64("{}"), material.signature);
    tokens.push(HostileToken::new("empty payload under the genuine signature", empty));
    let longer = format!("{}.{}AAAA.{}", material.header, material.payload, material.signature);
    tokens.push(HostileToken::new("longer payload under the genuine signature", longer));
    let zeros = base64(vec![0; URL_SAFE_NO_PAD.decode(material.signature).unwrap_or_default().len()]);
    tokens.push(HostileToken::new(
        "a signature of zeros",
        format!("{}.{}.{zeros}", material.header, material.payload),
    ));
}

/// One bit changed in each character, spelled canonically all the same.
pub(super) fn flipped_bits(material: &Material<'_>, tokens: &mut Vec<HostileToken>) {
    let mut start = 0;
    for part in [material.header, material.payload, material.signature] {
        let spare_bits = [0, 0, 4, 2][part.len() % 4];
        for at in 0..part.len() {
            let bit = if at + 1 == part.len() { 1 << spare_bits } else { 1 };
            let changed = ALPHABET[digit(part.as_bytes()[at]) ^ bit];
            let place = start + at;
            let (before, after) = (&material.token[..place], &material.token[place + 1..]);
            let token = format!("{before}{}{after}", char::from(changed));
            tokens.push(HostileToken::new(format!("one bit flipped in character {place}"), token));
        }
        start += part.len() + 1;
    }
}
