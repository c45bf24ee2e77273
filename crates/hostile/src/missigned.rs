//! Tokens with a good signature that must be refused all the same.

use super::{HostileToken, base64, with_member};
use aws_lc_rs::{
    error::Unspecified,
    hmac,
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use misy_trust::token::{Algorithm, SigningKey, TatClaims, TokenKeys};
use serde_json::{Value, json};

/// Tokens that a genuine key of the installation `issuer` has signed, with contents it would never sign.
///
/// `claims` are sound; a verifier whose time is within five minutes of their `iat` must refuse every token.
pub fn missigned(key: &SigningKey, issuer: &str, claims: &TatClaims) -> Vec<HostileToken> {
    let keys = TokenKeys::new(issuer, vec![key.clone()]).expect("one key has one name");
    let genuine = keys.issue(claims).expect("the key is active and the claims are sound");
    let mut parts = genuine.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap_or_default());
    let mut part = || String::from_utf8(parts.next().unwrap_or_default()).unwrap_or_default();
    let (header, payload) = (part(), part());

    let signer = Signer { key, header, payload };
    let mut tokens = Vec::new();
    signer.wrong_claims(&mut tokens);
    signer.absent_and_doubled_claims(&mut tokens);
    signer.wrong_times(claims, &mut tokens);
    signer.broken_payloads(&mut tokens);
    signer.wrong_headers(&mut tokens);
    tokens
}

/// What the key signs, whatever it is (RFC 7518): the program itself signs nothing but its own claims.
fn signature(key: &SigningKey, signed: &[u8]) -> Result<Vec<u8>, Unspecified> {
    let private = key.record().private.expose();
    let random = SystemRandom::new();
    Ok(match key.algorithm() {
        Algorithm::Rs256 => {
            let pair = RsaKeyPair::from_pkcs8(private)?;
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(&RSA_PKCS1_SHA256, &random, signed, &mut signature)?;
            signature
        }
        Algorithm::Es256 => {
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, private)?;
            pair.sign(&random, signed)?.as_ref().to_vec()
        }
        Algorithm::EdDsa => {
            let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(private)?;
            pair.sign(signed).as_ref().to_vec()
        }
        Algorithm::Hs256 => hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, private), signed).as_ref().to_vec(),
    })
}

struct Signer<'a> {
    key: &'a SigningKey,
    header: String,
    payload: String,
}

impl Signer<'_> {
    fn sign(&self, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
        let signed = format!("{}.{}", base64(header), base64(payload));
        let signature = signature(self.key, signed.as_bytes()).expect("a genuine key signs");
        format!("{signed}.{}", base64(signature))
    }

    fn with_payload(&self, name: impl Into<String>, payload: impl AsRef<[u8]>) -> HostileToken {
        HostileToken::new(name, self.sign(&self.header, payload))
    }

    fn with_header(&self, name: impl Into<String>, header: impl AsRef<[u8]>) -> HostileToken {
        HostileToken::new(name, self.sign(header, &self.payload))
    }

    fn claims(&self) -> Value {
        serde_json::from_str(&self.payload).expect("a genuine payload is JSON")
    }

    fn wrong_claims(&self, tokens: &mut Vec<HostileToken>) {
        let issuer = self.claims()["iss"].clone();
        let issuer = issuer.as_str().unwrap_or_default();
        let jti = self.claims()["jti"].as_str().unwrap_or_default().to_owned();
        for (claim, value) in [
            ("iss", json!("https://attacker.example")),
            ("iss", json!(format!("{issuer}/"))),
            ("iss", json!(issuer.to_uppercase())),
            ("iss", json!([issuer])),
            ("iss", json!("")),
            ("aud", json!("other")),
            ("aud", json!("MISY")),
            ("aud", json!("misy ")),
            ("aud", json!(["misy"])),
            ("aud", json!(["other", "misy"])),
            ("aud", json!("")),
            ("tenantId", json!("")),
            ("tenantId", json!("Andina")),
            ("tenantId", json!("andina\u{0}")),
            ("tenantId", json!("../other")),
            ("tenantId", json!(["andina"])),
            ("siteId", json!("a/b")),
            ("siteId", json!(1)),
            ("origin", json!(null)),
            ("origin", json!("*")),
            ("origin", json!("null")),
            ("origin", json!("https://Shop.example")),
            ("origin", json!("https://shop.example/")),
            ("origin", json!(["https://shop.example"])),
            ("permissions", json!("chat:read")),
            ("permissions", json!(["*"])),
            ("permissions", json!(["root"])),
            ("permissions", json!([["chat:read"]])),
            ("permissions", json!({"chat:read": true})),
            ("jti", json!(jti.replace("tat_", "key_"))),
            ("jti", json!(jti.to_uppercase())),
            ("jti", json!("1")),
            ("jti", json!(1)),
            ("family", json!("somebody@shop.example")),
            ("epoch", json!(-1)),
            ("epoch", json!("0")),
            ("epoch", json!(0.0)),
            ("epoch", json!(u64::MAX)),
            ("sig", json!("none")),
            ("sig", json!("TOKEN")),
            ("sig", json!(null)),
            ("key", json!(jti)),
            ("key", json!("")),
            ("cnf", json!({})),
            ("cnf", json!("AAAA")),
            ("cnf", json!({"jwk": {"kty": "oct"}})),
            ("cnf", json!({"x5t#S256": "AAAA"})),
            ("cnf", json!({"x5t#S256": "A".repeat(43), "jkt": "A".repeat(43)})),
            ("sub", json!("somebody")),
            ("email", json!("somebody@shop.example")),
            ("nbf", json!(0)),
            ("admin", json!(true)),
            ("__proto__", json!({"permissions": ["tenant:manage"]})),
        ] {
            let mut claims = self.claims();
            let name = format!("signed, claim {claim} = {value}");
            claims[claim] = value;
            tokens.push(self.with_payload(name, claims.to_string()));
        }
    }

    fn absent_and_doubled_claims(&self, tokens: &mut Vec<HostileToken>) {
        let claims = self.claims();
        for (claim, value) in claims.as_object().into_iter().flatten() {
            let doubled = with_member(&self.payload, &format!("{claim:?}:{value}"));
            tokens.push(self.with_payload(format!("signed, claim {claim} twice"), doubled));
            let mut claims = self.claims();
            claims[claim] = Value::Null;
            tokens.push(self.with_payload(format!("signed, claim {claim} null"), claims.to_string()));
            if !["origin", "key", "cnf"].contains(&claim.as_str()) {
                claims.as_object_mut().map(|members| members.remove(claim));
                tokens.push(self.with_payload(format!("signed, claim {claim} missing"), claims.to_string()));
            }
        }
        let escaped = with_member(&self.payload, r#""\u0065xp":9999999999"#);
        tokens.push(self.with_payload("signed, claim exp twice, once escaped", escaped));
    }

    fn wrong_times(&self, sound: &TatClaims, tokens: &mut Vec<HostileToken>) {
        let (iat, exp) = (sound.iat.as_second(), sound.exp.as_second());
        for (name, from, to) in [
            ("expires as it is issued", iat, iat),
            ("expires before it is issued", iat, iat - 1),
            ("lives a second too long", iat, iat + 86_401),
            ("lives a year", iat, iat + 31_536_000),
            ("lives for ever", iat, i64::MAX),
            ("from the beginning of time", i64::MIN, exp),
            ("from before 1970", -1, 86_000),
            ("expired long ago", 0, 86_400),
            ("ten minutes from the future", iat + 601, exp + 601),
            ("a year from the future", iat + 31_536_000, exp + 31_536_000),
        ] {
            let mut claims = self.claims();
            claims["iat"] = json!(from);
            claims["exp"] = json!(to);
            tokens.push(self.with_payload(format!("signed, {name}"), claims.to_string()));
        }
        for claim in ["iat", "exp"] {
            let number = self.claims()[claim].to_string();
            for spelled in [
                format!("\"{number}\""),
                format!("{number}.0"),
                format!("{number}e0"),
                format!("{number}.5"),
                format!("{number}000"),
                format!("-{number}"),
                format!("+{number}"),
                format!("0{number}"),
                format!("[{number}]"),
                "1e9".to_owned(),
                "1e400".to_owned(),
                "9999999999999999999999".to_owned(),
                "NaN".to_owned(),
                "true".to_owned(),
                "{}".to_owned(),
                "\"tomorrow\"".to_owned(),
            ] {
                let payload = self.payload.replacen(
                    &format!("\"{claim}\":{number}"),
                    &format!("\"{claim}\":{spelled}"),
                    1,
                );
                tokens.push(self.with_payload(format!("signed, {claim} written as {spelled}"), payload));
            }
        }
    }

    fn broken_payloads(&self, tokens: &mut Vec<HostileToken>) {
        let payload = self.payload.as_str();
        let values: Vec<String> =
            self.claims().as_object().into_iter().flatten().map(|(_, value)| value.to_string()).collect();
        for (name, payload) in [
            ("empty payload", Vec::new()),
            ("payload {}", b"{}".to_vec()),
            ("payload null", b"null".to_vec()),
            ("payload as an array of its values", format!("[{}]", values.join(",")).into_bytes()),
            ("payload in an array", format!("[{payload}]").into_bytes()),
            ("payload as a string", format!("{payload:?}").into_bytes()),
            ("payload twice", format!("{payload}{payload}").into_bytes()),
            ("payload with a null byte behind it", format!("{payload}\0").into_bytes()),
            ("payload with a byte order mark", [b"\xef\xbb\xbf", payload.as_bytes()].concat()),
            ("payload in UTF-16", payload.encode_utf16().flat_map(u16::to_le_bytes).collect()),
            ("payload that is not UTF-8", [&payload.as_bytes()[..payload.len() - 2], b"\xff\"}"].concat()),
            ("payload cut off", payload.as_bytes()[..payload.len() - 1].to_vec()),
            ("payload as a depth bomb", "[".repeat(2000).into_bytes()),
            (
                "payload above 4 KiB",
                with_member(payload, &format!(r#""x":"{}""#, "a".repeat(4096))).into_bytes(),
            ),
            (
                "payload blown up with blanks",
                payload.replacen(',', &format!(",{}", " ".repeat(4096)), 1).into_bytes(),
            ),
            ("payload that is another token", base64(payload).into_bytes()),
        ] {
            tokens.push(self.with_payload(format!("signed, {name}"), payload));
        }
    }

    fn wrong_headers(&self, tokens: &mut Vec<HostileToken>) {
        let header: Value = serde_json::from_str(&self.header).expect("a genuine header is JSON");
        for (member, value) in [
            ("typ", json!("JWT")),
            ("typ", json!("at+jwt")),
            ("typ", json!("TAT+JWT")),
            ("typ", json!(null)),
            ("alg", json!("none")),
            ("alg", json!("RS384")),
            ("alg", json!("PS256")),
            ("alg", json!(self.key.algorithm().as_str().to_lowercase())),
            ("kid", json!("key_00000000000000000000000000")),
            ("crit", json!(["exp"])),
            ("b64", json!(false)),
            ("b64", json!(true)),
            ("jku", json!("https://attacker.example/jwks.json")),
            ("x5u", json!("https://attacker.example/cert.pem")),
            ("x5c", json!([])),
            ("jwk", json!(self.key.public_jwk())),
            ("zip", json!("DEF")),
            ("cty", json!("JWT")),
        ] {
            let mut header = header.clone();
            let name: String = format!("signed, header member {member} = {value}").chars().take(80).collect();
            header[member] = value;
            tokens.push(self.with_header(name, header.to_string()));
        }
        for member in ["alg", "kid", "typ"] {
            let doubled = with_member(&self.header, &format!("{member:?}:{}", header[member]));
            tokens.push(self.with_header(format!("signed, header member {member} twice"), doubled));
            let mut header = header.clone();
            header.as_object_mut().map(|members| members.remove(member));
            tokens.push(
                self.with_header(format!("signed, header member {member} missing"), header.to_string()),
            );
        }
        let values = format!("[{},{},{}]", header["alg"], header["kid"], header["typ"]);
        tokens.push(self.with_header("signed, header as an array of its values", values));
        tokens.push(self.with_header("signed, empty header", ""));
    }
}
