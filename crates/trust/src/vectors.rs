//! Known answers from Project Wycheproof, where the machine has them: the folder named by `MISY_VECTORS`, else
//! `shared/data/vectors` beside the checkout. They are not part of the project.

use crate::{
    digest::{expand, hmac_sha256},
    seal::{decrypt, encrypt},
    token::{Algorithm, Compact, KeyError, KeyRecord, SigningKey, VerifyingKey},
};
use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;
use misy_domain::{Secret, Timestamp};
use serde_json::Value;
use std::{collections::BTreeMap, path::PathBuf};

fn folder() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("MISY_VECTORS") {
        return Some(named.into());
    }
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().map(|above| above.join("../shared/data/vectors")).find(|folder| folder.is_dir())
}

/// What happened to the vectors of one file.
#[derive(Default)]
struct Tally {
    run: usize,
    skipped: BTreeMap<String, usize>,
}

impl Tally {
    fn skip(&mut self, reason: impl Into<String>) {
        *self.skipped.entry(reason.into()).or_default() += 1;
    }
}

/// Calls `check` with each test and its group.
fn for_each_vector(file: &str, mut check: impl FnMut(&Value, &Value, &mut Tally)) -> Option<Tally> {
    let Some(folder) = folder() else {
        println!("{file}: skipped, there is no folder of vectors");
        return None;
    };
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let document: Value = serde_json::from_str(&text).unwrap();
    let mut tally = Tally::default();
    for group in document["testGroups"].as_array().unwrap() {
        for test in group["tests"].as_array().unwrap() {
            check(group, test, &mut tally);
        }
    }
    let skipped: usize = tally.skipped.values().sum();
    assert_eq!(tally.run + skipped, usize::try_from(document["numberOfTests"].as_u64().unwrap()).unwrap());
    println!("{file}: {} run, {skipped} skipped {:?}", tally.run, tally.skipped);
    Some(tally)
}

fn bytes(test: &Value, member: &str) -> Vec<u8> {
    hex::decode(test[member].as_str().unwrap()).unwrap()
}

fn is_valid(test: &Value) -> bool {
    match test["result"].as_str().unwrap() {
        "valid" => true,
        "invalid" => false,
        other => panic!("{other} is neither"),
    }
}

#[test]
fn hmac_sha256_gives_the_known_answers() {
    for_each_vector("hmac_sha256_test.json", |group, test, tally| {
        if group["tagSize"] != 256 {
            return tally.skip("truncated tag, which nothing here uses");
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes(test, "key"));
        let message = bytes(test, "msg");
        let (left, right) = message.split_at(message.len() / 2);
        let good = hmac_sha256(&key, &[left, right]).as_slice() == bytes(test, "tag");
        assert_eq!(good, is_valid(test), "{test}");
        tally.run += 1;
    });
}

#[test]
fn hkdf_sha256_gives_the_known_answers() {
    for_each_vector("hkdf_sha256_test.json", |_, test, tally| {
        let mut okm = vec![0; usize::try_from(test["size"].as_u64().unwrap()).unwrap()];
        let done = expand(&bytes(test, "ikm"), &bytes(test, "salt"), &[&bytes(test, "info")], &mut okm);
        let good = done.is_some() && okm == bytes(test, "okm");
        assert_eq!(good, is_valid(test), "{test}");
        tally.run += 1;
    });
}

#[test]
fn xchacha20_poly1305_gives_the_known_answers() {
    for_each_vector("xchacha20_poly1305_test.json", |_, test, tally| {
        let [key, nonce, data, message, ciphertext, tag] =
            ["key", "iv", "aad", "msg", "ct", "tag"].map(|member| bytes(test, member));
        let key: [u8; 32] = key.try_into().unwrap();
        let opened = decrypt(&key, &nonce, &data, &ciphertext, &tag);
        let expected = is_valid(test).then(|| message.clone());
        assert_eq!(opened, expected, "{test}");
        if let (true, Ok(nonce)) = (is_valid(test), nonce.try_into()) {
            let mut sealed = message;
            assert_eq!(encrypt(&key, &nonce, &data, &mut sealed).unwrap().as_slice(), tag);
            assert_eq!(sealed, ciphertext);
        }
        tally.run += 1;
    });
}

/// The keys of a group by name, or why Misy has no such keys.
fn verifying_keys(group: &Value) -> Result<Vec<(String, VerifyingKey)>, String> {
    let shown = if group["public"].is_null() { &group["private"] } else { &group["public"] };
    let keys = shown["keys"].as_array().cloned().unwrap_or_else(|| vec![shown.clone()]);
    keys.iter().map(|jwk| Ok((jwk["kid"].as_str().unwrap().to_owned(), verifying_key(jwk)?))).collect()
}

fn verifying_key(jwk: &Value) -> Result<VerifyingKey, String> {
    let text = |member: &str| jwk[member].as_str().unwrap_or_default();
    let for_signatures = match (&jwk["use"], &jwk["key_ops"]) {
        (Value::Null, Value::Null) => !text("alg").is_empty(),
        (purpose, Value::Null) => purpose == "sig",
        (_, operations) => operations == &serde_json::json!(["verify"]),
    };
    if !for_signatures {
        return Err("a key for encryption, which a ring of signing keys cannot hold".to_owned());
    }
    let algorithm: Algorithm =
        text("alg").parse().map_err(|_| format!("algorithm {}, which no key here has", text("alg")))?;
    let decoding = match (algorithm, text("kty"), text("crv")) {
        (Algorithm::Rs256, "RSA", "") => DecodingKey::from_rsa_components(text("n"), text("e")),
        (Algorithm::Es256, "EC", "P-256") => DecodingKey::from_ec_components(text("x"), text("y")),
        (Algorithm::Hs256, "oct", "") => return symmetric_key(text("k")),
        (_, kty, crv) => {
            return Err(format!("{algorithm} with {kty} {crv}, a pair that no key here has"));
        }
    };
    Ok(VerifyingKey { algorithm, decoding: decoding.unwrap() })
}

/// HS256 keys go through the door that stored keys come in by, which refuses short ones.
fn symmetric_key(k: &str) -> Result<VerifyingKey, String> {
    let Ok(private) = URL_SAFE_NO_PAD.decode(k) else { return Err(REFUSED.to_owned()) };
    let record = KeyRecord {
        kid: "key_00000000000000000000000000".parse().unwrap(),
        algorithm: Algorithm::Hs256,
        private: Secret::new(private),
        created_at: Timestamp::UNIX_EPOCH,
        activates_at: Timestamp::UNIX_EPOCH,
        retires_at: None,
    };
    match SigningKey::from_record(record) {
        Ok(key) => Ok(key.verifying().clone()),
        Err(KeyError::TooShort) => Err(REFUSED.to_owned()),
        Err(other) => panic!("{other}"),
    }
}

const REFUSED: &str = "refused as a key";

fn accepts(keys: &[(String, VerifyingKey)], jws: &str) -> bool {
    let Ok(compact) = Compact::split(jws) else { return false };
    let Ok(header) = compact.header() else { return false };
    keys.iter().filter(|(kid, _)| *kid == header.kid).any(|(_, key)| compact.open(&header, key).is_some())
}

fn check_jws(group: &Value, test: &Value, tally: &mut Tally) {
    let comment = test["comment"].as_str().unwrap();
    let keys = match verifying_keys(group) {
        Ok(keys) => keys,
        // A key that is refused makes no token valid: exactly what the vector wants.
        Err(reason) if reason == REFUSED => {
            assert!(!is_valid(test), "{test}");
            tally.run += 1;
            return;
        }
        Err(reason) => return tally.skip(reason),
    };
    let jws = test["jws"].as_str().map_or_else(|| test["jws"].to_string(), str::to_owned);
    if jws.contains('?') && is_valid(test) {
        assert!(!accepts(&keys, &jws), "{test}");
        return tally.skip("base64 with foreign characters, which Wycheproof lets pass and we refuse");
    }
    if comment == "rejectsKeyWithRocaVulnerability" {
        return tally.skip("a weak RSA key from a smart card; ours are all made by AWS-LC");
    }
    if test["flags"].to_string().contains("Ambiguous") {
        return tally.skip(
            "a mixed or ambiguous set of foreign keys; ours is made of our own keys with distinct names",
        );
    }
    let twin = |other: &&Value| other["jws"] == test["jws"] && is_valid(other);
    if !is_valid(test) && group["tests"].as_array().into_iter().flatten().any(|other| twin(&other)) {
        return tally
            .skip("called invalid here and valid elsewhere in its group, letter for letter the same");
    }
    assert_eq!(accepts(&keys, &jws), is_valid(test), "{test}");
    tally.run += 1;
}

#[test]
fn jws_vectors_are_accepted_and_refused_as_they_should_be() {
    if let Some(tally) = for_each_vector("json_web_signature_test.json", check_jws) {
        assert!(tally.run > 280);
    }
}

#[test]
fn jwk_vectors_are_accepted_and_refused_as_they_should_be() {
    for_each_vector("json_web_key_test.json", check_jws);
}
