use super::*;
use crate::{SystemEntropy, sha256};
use misy_domain::Entropy;
use proptest::prelude::*;

fn key() -> RequestKey {
    let bytes: [u8; 32] = std::array::from_fn(|at| u8::try_from(at).unwrap());
    RequestKey::new(Secret::new(bytes))
}

fn message() -> SignedRequest<'static> {
    SignedRequest {
        method: "POST",
        host: "api.example.com",
        path: "/api/meta-agent/messages",
        query: "",
        body_sha256: sha256(r#"{"text":"¿Tienen hora mañana?"}"#.as_bytes()),
        timestamp: "1790000000",
        nonce: "bm9uY2UtMDAwMQ",
        token_sha256: Some(sha256(b"header.payload.signature")),
    }
}

/// The vectors of the contract.
fn vectors() -> [(SignedRequest<'static>, &'static str); 3] {
    let read = SignedRequest {
        method: "GET",
        host: "localhost:8787",
        path: "/api/meta-agent/sessions/ses_1/messages",
        query: "after=3&limit=20",
        body_sha256: sha256(b""),
        nonce: "bm9uY2UtMDAwMg",
        ..message()
    };
    let token = SignedRequest {
        path: "/api/meta-agent/tokens",
        body_sha256: sha256(br#"{"siteId":"main"}"#),
        nonce: "bm9uY2UtMDAwMw",
        token_sha256: None,
        ..message()
    };
    [
        (message(), "v1=62c48878c80ade2e920a4ae07c61832ae34c5c26a2535e979202ddd89def386d"),
        (read, "v1=a7f7d74123812f44236dd61fcbbfb3606145161e1c9b949c603122c88129c1c2"),
        (token, "v1=79a25f6e4d0e3aaa9f6eade53ccc5ca3cc24ae489941e17c0eb6555f56dddc95"),
    ]
}

#[test]
fn the_vectors_of_the_contract_hold() {
    for (request, signature) in vectors() {
        assert_eq!(sign(&key(), &request).as_deref(), Ok(signature));
        assert_eq!(verify(&[key()], signature, &request), Ok(()));
        // Signing goes without the canonical text in one piece; both must say the same.
        let whole = hmac_sha256(&key().mac, &[&request.canonical().unwrap()]);
        assert_eq!(format!("v1={}", ::hex::encode(whole)), signature);
    }
}

#[test]
fn the_canonical_text_has_nine_lines() {
    for (request, _) in vectors() {
        let text = String::from_utf8(request.canonical().unwrap()).unwrap();
        assert_eq!(text.split('\n').count(), 9);
    }
}

#[test]
fn any_of_the_keys_and_any_of_the_signatures_will_do() {
    let old = RequestKey::new(Secret::new(SystemEntropy::new().key()));
    let (request, good) = vectors()[0];
    let other = sign(&old, &request).unwrap();
    let unrelated = format!("v1={}", "0".repeat(64));
    assert_eq!(verify(&[old.clone(), key()], good, &request), Ok(()));
    assert_eq!(verify(&[key()], &format!("{other} {good}"), &request), Ok(()));
    assert_eq!(verify(&[key()], &format!("{unrelated} {unrelated} {unrelated} {good}"), &request), Ok(()));
    assert_eq!(verify(&[old], good, &request), Err(SignatureError::Mismatch));
    assert_eq!(verify(&[key()], &unrelated, &request), Err(SignatureError::Mismatch));
    assert_eq!(verify(&[], good, &request), Err(SignatureError::Mismatch));
}

#[test]
fn a_signature_has_one_spelling() {
    let (request, good) = vectors()[0];
    let digits = good.strip_prefix("v1=").unwrap();
    for bad in [
        String::new(),
        " ".to_owned(),
        digits.to_owned(),
        good.to_uppercase(),
        format!("v1={}", digits.to_uppercase()),
        format!("V1={digits}"),
        format!("v2={digits}"),
        format!("v1 = {digits}"),
        format!("v1={}", &digits[..63]),
        format!("v1={}", &digits[..62]),
        format!("{good}0"),
        format!("{good}00"),
        format!("{good} "),
        format!(" {good}"),
        format!("{good}  {good}"),
        format!("{good}\t{good}"),
        format!("{good},{good}"),
        format!("{good}\n"),
        format!("{good} v2={digits}"),
        format!("{good} x"),
        [good; 5].join(" "),
        format!("v1={}g", &digits[..63]),
        format!("v1=é{}", &digits[..62]),
        "v1=".to_owned(),
    ] {
        assert_eq!(verify(&[key()], &bad, &request), Err(SignatureError::Malformed), "{bad:?}");
    }
    assert_eq!(verify(&[key()], &[good; 4].join(" "), &request), Ok(()));
}

#[test]
fn no_component_slides_into_the_next() {
    // Without the rule, both requests would have the same canonical text.
    let slid = SignedRequest { path: "/api/meta-agent/messages\na=b", query: "", ..message() };
    assert_eq!(slid.canonical(), Err(SignatureError::Malformed));
    assert_eq!(sign(&key(), &slid), Err(SignatureError::Malformed));
    for bad in ["\n", "a\nb", "a\rb", "a\0b", "a b", "é"] {
        for request in [
            SignedRequest { method: bad, ..message() },
            SignedRequest { host: bad, ..message() },
            SignedRequest { path: &format!("/{bad}"), ..message() },
            SignedRequest { query: bad, ..message() },
            SignedRequest { timestamp: bad, ..message() },
            SignedRequest { nonce: &format!("0123456789{bad}"), ..message() },
        ] {
            assert_eq!(verify(&[key()], vectors()[0].1, &request), Err(SignatureError::Malformed));
        }
    }
    for request in [
        SignedRequest { method: "", ..message() },
        SignedRequest { method: "post", ..message() },
        SignedRequest { host: "", ..message() },
        SignedRequest { path: "", ..message() },
        SignedRequest { path: "api", ..message() },
        SignedRequest { path: "/api?a=b", ..message() },
    ] {
        assert_eq!(request.canonical(), Err(SignatureError::Malformed));
    }
}

#[test]
fn the_host_is_signed_in_lower_case() {
    let (request, good) = vectors()[0];
    assert_eq!(verify(&[key()], good, &SignedRequest { host: "API.Example.com", ..request }), Ok(()));
}

#[test]
fn a_timestamp_is_plain_digits() {
    assert_eq!(parse_timestamp("1790000000"), Ok(1_790_000_000));
    assert_eq!(parse_timestamp("0"), Ok(0));
    assert_eq!(parse_timestamp("999999999999"), Ok(999_999_999_999));
    for bad in
        ["", "-1", "+1", "1.0", "1e9", " 1", "1 ", "1\n", "01", "0x1", "١", "1790000000000", "1_000", "null"]
    {
        assert_eq!(parse_timestamp(bad), Err(SignatureError::Malformed), "{bad:?}");
    }
}

#[test]
fn the_window_is_five_minutes_to_both_sides() {
    let now = 1_790_000_000;
    for (timestamp, good) in
        [(now, true), (now - 300, true), (now + 300, true), (now - 301, false), (now + 301, false)]
    {
        assert_eq!(check_window(now, timestamp, WINDOW).is_ok(), good, "{timestamp}");
    }
    assert_eq!(check_window(i64::MAX, i64::MIN, WINDOW), Err(SignatureError::OutsideWindow));
}

#[test]
fn a_nonce_is_ten_to_sixty_four_characters_of_base64url() {
    for good in ["bm9uY2UtMDAwMQ", "----------", &"_".repeat(64)] {
        assert_eq!(parse_nonce(good), Ok(good));
    }
    for bad in [
        "",
        "123456789",
        &"a".repeat(65),
        "aaaaaaaaaa=",
        "aaaaaaaaa+",
        "aaaaaaaaa/",
        "aaaaaaaaa ",
        "aaaaaaaaañ",
    ] {
        assert_eq!(parse_nonce(bad), Err(SignatureError::Malformed), "{bad:?}");
    }
}

#[test]
fn a_bound_key_is_the_hkdf_of_the_contract() {
    let root = Secret::new([7; 32]);
    let jti = "tat_01k9zzzzzzzzzzzzzzzzzzzzzz".parse().unwrap();
    let (tenant, site) = ("andina".parse().unwrap(), "main".parse().unwrap());
    // RFC 5869 by hand: extract with the salt, then one block of output.
    let mac = |key: &[u8], message: &[u8]| hmac_sha256(&hmac::Key::new(hmac::HMAC_SHA256, key), &[message]);
    let prk = mac(b"tat_01k9zzzzzzzzzzzzzzzzzzzzzz", root.expose());
    let expected = mac(&prk, b"misy-req-v1|andina|main\x01");
    assert_eq!(bound_key(&root, jti, &tenant, &site).expose(), &expected);
}

#[test]
fn bound_keys_differ_by_root_token_tenant_and_site() {
    let derive = |root: u8, jti: &str, tenant: &str, site: &str| {
        let key = bound_key(
            &Secret::new([root; 32]),
            jti.parse().unwrap(),
            &tenant.parse().unwrap(),
            &site.parse().unwrap(),
        );
        *key.expose()
    };
    let (a, b) = ("tat_01k9aaaaaaaaaaaaaaaaaaaaaa", "tat_01k9bbbbbbbbbbbbbbbbbbbbbb");
    let keys = [
        derive(1, a, "andina", "main"),
        derive(2, a, "andina", "main"),
        derive(1, b, "andina", "main"),
        derive(1, a, "andino", "main"),
        derive(1, a, "andina", "shop"),
        derive(1, a, "main", "andina"),
    ];
    let distinct: std::collections::HashSet<_> = keys.iter().collect();
    assert_eq!(distinct.len(), keys.len());
}

#[test]
fn debug_output_does_not_show_the_key() {
    assert_eq!(format!("{:?}", key()), "RequestKey(…)");
}

/// The text with one byte replaced by another character that the component allows.
fn with_other_byte(text: &str, at: usize, by: u8) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    let place = at % bytes.len().max(1);
    let byte = bytes.get_mut(place)?;
    if *byte == by {
        return None;
    }
    *byte = by;
    String::from_utf8(bytes).ok()
}

proptest! {
    #[test]
    fn changing_any_byte_of_any_component_changes_the_outcome(component in 0..8usize, at: usize, by in 0..128u8) {
        let original = SignedRequest { query: "after=3&limit=20", ..message() };
        let signature = sign(&key(), &original).unwrap();
        prop_assert_eq!(verify(&[key()], &signature, &original), Ok(()));

        let text = [original.method, original.host, original.path, original.query, original.timestamp, original.nonce];
        let replaced = text.get(component).and_then(|text| with_other_byte(text, at, by));
        let mut changed = original;
        match (component, replaced.as_deref()) {
            (0, Some(method)) => changed.method = method,
            (1, Some(host)) => {
                prop_assume!(!host.eq_ignore_ascii_case(original.host));
                changed.host = host;
            }
            (2, Some(path)) => changed.path = path,
            (3, Some(query)) => changed.query = query,
            (4, Some(timestamp)) => changed.timestamp = timestamp,
            (5, Some(nonce)) => changed.nonce = nonce,
            (6, _) => changed.body_sha256[at % 32] ^= by.max(1),
            (7, _) => changed.token_sha256.as_mut().unwrap()[at % 32] ^= by.max(1),
            _ => return Err(TestCaseError::reject("the byte is the same")),
        }
        prop_assert!(verify(&[key()], &signature, &changed).is_err());
        // What can be signed at all gets another signature.
        if let Ok(other) = sign(&key(), &changed) {
            prop_assert_ne!(other, signature);
        }
    }

    #[test]
    fn moving_text_between_components_changes_the_signature(split in 1..20usize, path in "/[a-z]{20}") {
        let whole = SignedRequest { path: &path, ..message() };
        let (left, right) = path.split_at(split);
        let moved = SignedRequest { path: left, query: right, ..message() };
        prop_assert_ne!(whole.canonical().unwrap(), moved.canonical().unwrap());
    }

    #[test]
    fn any_header_is_read_without_panic(value in "\\PC{0,300}") {
        let _ = verify(&[key()], &value, &message());
        let _ = parse_timestamp(&value);
        let _ = parse_nonce(&value);
    }
}
