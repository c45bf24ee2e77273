//! Tokens made without any private key.

use super::{HostileToken, base64, with_member};
use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    hmac,
    rsa::PublicKeyComponents,
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};

/// Tokens an attacker makes of a genuine one and of the published keys (the document of `TokenKeys::jwks`).
pub fn forged(genuine: &str, jwks: &Value) -> Vec<HostileToken> {
    let material = Material::of(genuine);
    let mut tokens = Vec::new();
    without_signature(&material, &mut tokens);
    other_algorithms(&material, &mut tokens);
    public_key_as_secret(&material, jwks, &mut tokens);
    tricky_key_names(&material, &mut tokens);
    own_keys_and_extensions(&material, &mut tokens);
    broken_headers(&material, &mut tokens);
    broken_shape(&material, &mut tokens);
    other_spellings(&material, &mut tokens);
    changed_payloads(&material, &mut tokens);
    flipped_bits(&material, &mut tokens);
    tokens
}

/// A genuine token taken apart.
struct Material<'a> {
    token: &'a str,
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
    header_json: String,
    payload_json: String,
    kid: String,
    alg: String,
}

impl<'a> Material<'a> {
    fn of(token: &'a str) -> Self {
        let mut parts = token.split('.');
        let mut part = || parts.next().expect("a genuine token has three parts");
        let (header, payload, signature) = (part(), part(), part());
        let text = |part: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(part).expect("a genuine token is base64url");
            String::from_utf8(bytes).expect("a genuine token holds text")
        };
        let header_json = text(header);
        let members: Value = serde_json::from_str(&header_json).expect("a genuine header is JSON");
        let member = |name: &str| members[name].as_str().expect("a genuine header has it").to_owned();
        let (kid, alg) = (member("kid"), member("alg"));
        Self { token, header, payload, signature, payload_json: text(payload), header_json, kid, alg }
    }

    /// The genuine payload and signature under another header.
    fn under(&self, header: impl AsRef<[u8]>) -> String {
        format!("{}.{}.{}", base64(header), self.payload, self.signature)
    }

    /// The genuine payload under another header, signed with HMAC.
    fn signed_with(&self, header: &Value, secret: &[u8]) -> String {
        let signed = format!("{}.{}", base64(header.to_string()), self.payload);
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        format!("{signed}.{}", base64(hmac::sign(&key, signed.as_bytes())))
    }

    fn header_with(&self, name: &str, value: Value) -> Value {
        let mut header: Value = serde_json::from_str(&self.header_json).expect("it was read before");
        header[name] = value;
        header
    }
}

fn without_signature(material: &Material<'_>, tokens: &mut Vec<HostileToken>) {
    for case in 0..16u8 {
        let spelled = |(at, letter): (usize, char)| {
            if case >> at & 1 == 1 { letter.to_ascii_uppercase() } else { letter }
        };
        let alg: String = "none".chars().enumerate().map(spelled).collect();
        let header = base64(material.header_with("alg", json!(alg)).to_string());
        let payload = material.payload;
        tokens.push(HostileToken::new(format!("alg {alg}, no signature"), format!("{header}.{payload}.")));
        let kept = format!("{header}.{payload}.{}", material.signature);
        tokens.push(HostileToken::new(format!("alg {alg}, genuine signature"), kept));
    }
    let bare = format!("{}.{}.", base64(r#"{"alg":"none"}"#), material.payload);
    tokens.push(HostileToken::new("alg none and nothing else", bare));
}

fn other_algorithms(material: &Material<'_>, tokens: &mut Vec<HostileToken>) {
    let lower = material.alg.to_lowercase();
    let blank = format!("{} ", material.alg);
    let known = [
        "RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "ES512", "ES256K", "EdDSA", "Ed25519", "HS256",
        "HS384", "HS512", "dir", "A256GCM", "RSA-OAEP", "", "\u{0}", &lower, &blank,
    ];
    for alg in known.into_iter().filter(|alg| *alg != material.alg) {
        let header = material.header_with("alg", json!(alg));
        tokens.push(HostileToken::new(format!("alg {alg:?}"), material.under(header.to_string())));
    }
    for alg in [json!(null), json!(256), json!(true), json!([material.alg]), json!({"alg": material.alg})] {
        let name = format!("alg {alg}");
        tokens.push(HostileToken::new(name, material.under(material.header_with("alg", alg).to_string())));
    }
}

/// RS256 → HS256 and its relatives: whatever of a public key somebody might mistake for a secret.
fn public_key_as_secret(material: &Material<'_>, jwks: &Value, tokens: &mut Vec<HostileToken>) {
    let mut secrets: Vec<(String, Vec<u8>)> = vec![
        ("nothing".to_owned(), Vec::new()),
        ("zeros".to_owned(), vec![0; 32]),
        ("the word secret".to_owned(), b"secret".to_vec()),
        ("the key's name".to_owned(), material.kid.clone().into_bytes()),
        ("the whole key set".to_owned(), jwks.to_string().into_bytes()),
    ];
    for key in jwks["keys"].as_array().into_iter().flatten() {
        secrets.push(("the JWK".to_owned(), key.to_string().into_bytes()));
        for name in ["n", "x", "y"] {
            if let Some(text) = key[name].as_str() {
                secrets.push((format!("the text of {name}"), text.as_bytes().to_vec()));
                secrets
                    .push((format!("the bytes of {name}"), URL_SAFE_NO_PAD.decode(text).unwrap_or_default()));
            }
        }
        if let Some(der) = public_key_der(key) {
            let pem = pem(&der);
            secrets
                .push(("the PEM without its last line break".to_owned(), pem.trim_end().as_bytes().to_vec()));
            secrets.push(("the PEM".to_owned(), pem.into_bytes()));
            secrets.push(("the DER".to_owned(), der));
        }
    }
    for (name, secret) in secrets {
        for alg in ["HS256", material.alg.as_str()] {
            let token = material.signed_with(&material.header_with("alg", json!(alg)), &secret);
            tokens.push(HostileToken::new(format!("alg {alg}, HMAC with {name}"), token));
        }
    }
}

// The fixed beginnings of SubjectPublicKeyInfo: RFC 5480 for P-256, RFC 8410 for Ed25519.
const P256: &[u8] =
    b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04";
const ED25519: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";

fn public_key_der(key: &Value) -> Option<Vec<u8>> {
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str()?).ok();
    match key["kty"].as_str()? {
        "RSA" => {
            let components = PublicKeyComponents { n: bytes("n")?, e: bytes("e")? };
            let der: PublicKeyX509Der<'_> = components.as_der().ok()?;
            Some(der.as_ref().to_vec())
        }
        "EC" => Some([P256, &bytes("x")?, &bytes("y")?].concat()),
        "OKP" => Some([ED25519, &bytes("x")?].concat()),
        _ => None,
    }
}

fn pem(der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let mut pem = "-----BEGIN PUBLIC KEY-----\n".to_owned();
    for (at, character) in body.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            pem.push('\n');
        }
        pem.push(character);
    }
    pem.push_str("\n-----END PUBLIC KEY-----\n");
    pem
}

fn tricky_key_names(material: &Material<'_>, tokens: &mut Vec<HostileToken>) {
    let kid = &material.kid;
    let names = [
        json!("../../dev/null"),
        json!("../../../../../../../dev/null"),
        json!("/dev/null"),
        json!("file:///dev/null"),
        json!("..\\..\\NUL"),
        json!("' OR '1'='1"),
        json!("'; DROP TABLE signing_keys; --"),
        json!("x' UNION SELECT 'AA'; --"),
        json!("$(id)"),
        json!("| id"),
        json!("%2e%2e%2fdev%2fnull"),
        json!("https://attacker.example/jwks.json"),
        json!("\u{0}"),
        json!(format!("{kid}\u{0}")),
        json!(format!("{kid}\u{0}.pem")),
        json!(format!("{kid} ")),
        json!(format!(" {kid}")),
        json!(format!("{kid}\n")),
        json!(kid.to_uppercase()),
        json!(kid.replace('_', "\u{ff3f}")),
        json!("key_00000000000000000000000000"),
        json!(kid.replace("key_", "tat_")),
        json!("k".repeat(2000)),
        json!(""),
        json!(null),
        json!(0),
        json!([kid]),
        json!({"$ne": null}),
    ];
    for name in names {
        let short: String = name.to_string().chars().take(40).collect();
        let header = material.header_with("kid", name);
        let token = material.under(header.to_string());
        tokens.push(HostileToken::new(format!("kid {short}, genuine signature"), token));
        let mut header = header;
        header["alg"] = json!("HS256");
        let token = material.signed_with(&header, b"");
        tokens.push(HostileToken::new(format!("kid {short}, HMAC with an empty file"), token));
    }
}

fn own_keys_and_extensions(material: &Material<'_>, tokens: &mut Vec<HostileToken>) {
    let own = json!({"kty": "oct", "k": base64([7; 32]), "alg": "HS256", "kid": material.kid});
    let members = [
        ("jwk", own.clone()),
        ("jwk", json!({"kty": "RSA", "n": "AQAB", "e": "AQ"})),
        ("jku", json!("https://attacker.example/jwks.json")),
        ("x5u", json!("https://attacker.example/cert.pem")),
        ("x5c", json!(["MIIB"])),
        ("x5t", json!("AAAA")),
        ("x5t#S256", json!("AAAA")),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("crit", json!(["b64"])),
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("zip", json!("DEF")),
        ("enc", json!("A256GCM")),
        ("cty", json!("JWT")),
        ("nonce", json!("1")),
        ("url", json!("https://attacker.example")),
        ("unknown", json!(1)),
        ("", json!(1)),
    ];
    for (name, value) in members {
        let mut header = material.header_with(name, value);
        let kept = material.under(header.to_string());
        tokens.push(HostileToken::new(format!("header member {name:?}, genuine signature"), kept));
        header["alg"] = json!("HS256");
        let signed = material.signed_with(&header, &[7; 32]);
        tokens.push(HostileToken::new(format!("header member {name:?}, signed with its key"), signed));
    }
}

fn broken_headers(material: &Material<'_>, tokens: &mut Vec<HostileToken>) {
    let header = material.header_json.as_str();
    let (kid, alg) = (&material.kid, &material.alg);
    let mut add = |name: &str, header: Vec<u8>| tokens.push(HostileToken::new(name, material.under(header)));
    for member in [
        r#""alg":"none""#.to_owned(),
        format!(r#""alg":"{alg}""#),
        r#""\u0061lg":"none""#.to_owned(),
        format!(r#""kid":"{kid}""#),
        r#""kid":"/dev/null""#.to_owned(),
        r#""typ":"JWT""#.to_owned(),
        r#""typ":"tat+jwt""#.to_owned(),
    ] {
        add(&format!("duplicate header member {member} in front"), with_member(header, &member).into());
        let behind = format!("{},{member}}}", header.trim_end_matches('}'));
        add(&format!("duplicate header member {member} behind"), behind.into());
    }
    for typ in [
        json!("JWT"),
        json!("at+jwt"),
        json!("TAT+JWT"),
        json!("application/tat+jwt"),
        json!("tat+jwt "),
        json!(""),
        json!(null),
        json!(1),
    ] {
        let name = format!("typ {typ}");
        add(&name, material.header_with("typ", typ).to_string().into());
    }
    let member = |value: &str| with_member(header, &format!(r#""deep":{value}"#)).into_bytes();
    add("depth bomb of arrays in the header", member(&["[".repeat(600), "]".repeat(600)].concat()));
    add(
        "depth bomb of objects in the header",
        member(&[r#"{"a":"#.repeat(300), "1".into(), "}".repeat(300)].concat()),
    );
    add("depth bomb that never ends", member(&"[".repeat(2000)));
    add("depth bomb as the header", "[".repeat(2500).into());
    add("depth bomb as alg", format!(r#"{{"alg":{}"#, "[".repeat(2000)).into());
    add("a number too large for anything", member(&"9".repeat(1500)));
    add("header without alg", format!(r#"{{"typ":"tat+jwt","kid":"{kid}"}}"#).into());
    add("header without kid", format!(r#"{{"typ":"tat+jwt","alg":"{alg}"}}"#).into());
    add("header without typ", format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#).into());
    add("header members in upper case", header.to_uppercase().into());
    add("header as an array", format!(r#"["{alg}","{kid}","tat+jwt"]"#).into());
    add("header as a string", format!("{header:?}").into());
    add("header null", b"null".to_vec());
    add("header true", b"true".to_vec());
    add("empty header object", b"{}".to_vec());
    add("header with something behind it", format!("{header}{header}").into());
    add("header with a comma too many", format!("{},}}", header.trim_end_matches('}')).into());
    add("header with a comment", format!("/**/{header}").into());
    add("header in single quotes", header.replace('"', "'").into());
    add("header with a byte order mark", [b"\xef\xbb\xbf", header.as_bytes()].concat());
    add("header in UTF-16", header.encode_utf16().flat_map(u16::to_le_bytes).collect());
    add(
        "header that is not UTF-8",
        header
            .replace("key_", "\u{1}")
            .into_bytes()
            .iter()
            .map(|b| if *b == 1 { 0xff } else { *b })
            .collect(),
    );
    add("header with a null byte behind it", format!("{header}\0").into());
    add("header with a null byte in it", header.replacen(',', "\0,", 1).into());
    add("header with a lone surrogate", header.replace("key_", r"\ud800").into());
}

fn broken_shape(material: &Material<'_>, tokens: &mut Vec<HostileToken>) {
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

fn other_spellings(material: &Material<'_>, tokens: &mut Vec<HostileToken>) {
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

fn changed_payloads(material: &Material<'_>, tokens: &mut Vec<HostileToken>) {
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
fn flipped_bits(material: &Material<'_>, tokens: &mut Vec<HostileToken>) {
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
