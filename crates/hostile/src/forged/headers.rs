//! Headers that name, bring or describe a key in ways of their own.

use super::Material;
use crate::{HostileToken, base64, with_member};
use serde_json::json;

pub(super) fn tricky_key_names(material: &Material<'_>, tokens: &mut Vec<HostileToken>) {
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

pub(super) fn own_keys_and_extensions(material: &Material<'_>, tokens: &mut Vec<HostileToken>) {
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

pub(super) fn broken_headers(material: &Material<'_>, tokens: &mut Vec<HostileToken>) {
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
