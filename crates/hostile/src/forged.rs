//! Tokens made without any private key.

mod headers;
mod shapes;

use super::{HostileToken, base64};
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
    headers::tricky_key_names(&material, &mut tokens);
    headers::own_keys_and_extensions(&material, &mut tokens);
    headers::broken_headers(&material, &mut tokens);
    shapes::broken_shape(&material, &mut tokens);
    shapes::other_spellings(&material, &mut tokens);
    shapes::changed_payloads(&material, &mut tokens);
    shapes::flipped_bits(&material, &mut tokens);
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
