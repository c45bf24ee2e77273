use super::*;
use crate::SystemEntropy;
use misy_domain::{Clock, KeyId, Permissions, Secret, Timestamp, TokenId};
use std::time::Duration;

const ISSUER: &str = "https://misy.example";
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_790_000_000).unwrap()
    }
}

fn noon() -> Timestamp {
    Noon.now()
}

fn key(algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(algorithm, &Noon, &SystemEntropy::new()).unwrap()
}

fn keys(key: SigningKey) -> TokenKeys {
    TokenKeys::new(ISSUER, vec![key]).unwrap()
}

fn claims(iat: Timestamp, lifetime: Duration) -> TatClaims {
    let jti = TokenId::new(&Noon, &SystemEntropy::new());
    TatClaims {
        tenant_id: "andina".parse().unwrap(),
        site_id: "main".parse().unwrap(),
        origin: None,
        permissions: Permissions::all(),
        iat,
        exp: iat + lifetime,
        jti,
        epoch: 0,
        sig: RequestKeyKind::Tenant,
        family: jti,
        key: None,
        certificate: None,
    }
}

fn header_of(token: &str) -> serde_json::Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let header = token.split('.').next().unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap()
}

#[test]
fn a_token_says_what_it_was_issued_with() {
    for algorithm in Algorithm::ALL {
        let keys = keys(key(algorithm));
        for origin in [None, Some("https://andina.example".parse().unwrap())] {
            let claims = TatClaims { origin, ..claims(noon(), DAY) };
            let token = keys.issue(&claims).unwrap();
            assert_eq!(keys.verify(&token, noon()), Ok(claims), "{algorithm}");
            let header = header_of(&token);
            assert_eq!(header["alg"], algorithm.as_str());
            assert_eq!(header["typ"], "tat+jwt");
            assert_eq!(header.as_object().unwrap().len(), 3);
        }
    }
}

#[test]
fn a_key_survives_being_stored() {
    for algorithm in Algorithm::ALL {
        let key = key(algorithm);
        let stored = SigningKey::from_record(key.record().clone()).unwrap();
        assert_eq!(stored.public_jwk(), key.public_jwk());
        let token = keys(key).issue(&claims(noon(), HOUR)).unwrap();
        assert!(keys(stored).verify(&token, noon()).is_ok(), "{algorithm}");
    }
}

#[test]
fn bytes_that_are_no_key_for_the_algorithm_are_refused() {
    let good: Vec<_> = Algorithm::ALL.into_iter().map(key).collect();
    for key in &good {
        for algorithm in Algorithm::ALL {
            let record = KeyRecord { algorithm, ..key.record().clone() };
            // Any 32 bytes are an HS256 key: the bytes of another kind of key cannot be told from one.
            let fits = algorithm == key.algorithm() || algorithm == Algorithm::Hs256;
            assert_eq!(SigningKey::from_record(record).is_ok(), fits, "{} as {algorithm}", key.algorithm());
        }
        let mut short = key.record().clone();
        short.private = Secret::new(short.private.expose()[..31].to_vec());
        let expected =
            if key.algorithm() == Algorithm::Hs256 { KeyError::TooShort } else { KeyError::NotAKey };
        assert_eq!(SigningKey::from_record(short).err(), Some(expected));
    }
}

#[test]
fn a_token_is_refused_from_its_last_second_on() {
    let keys = keys(key(Algorithm::EdDsa));
    let claims = claims(noon(), HOUR);
    let token = keys.issue(&claims).unwrap();
    let at = claims.exp;
    assert!(keys.verify(&token, at - Duration::from_nanos(1)).is_ok());
    assert_eq!(keys.verify(&token, at), Err(TokenError::Expired { at }));
    assert!(keys.verify_for_renewal(&token, at, HOUR).is_ok());
    assert!(keys.verify_for_renewal(&token, at + HOUR - Duration::from_nanos(1), HOUR).is_ok());
    assert_eq!(keys.verify_for_renewal(&token, at + HOUR, HOUR), Err(TokenError::Expired { at }));
    assert_eq!(
        keys.verify_for_renewal(&token, at + HOUR, Duration::MAX),
        Err(TokenError::Expired { at }),
        "a senseless grace is none"
    );
}

#[test]
fn a_token_may_come_from_a_clock_five_minutes_ahead() {
    let keys = keys(key(Algorithm::EdDsa));
    let tolerated = keys.issue(&claims(noon() + Duration::from_mins(5), HOUR)).unwrap();
    assert!(keys.verify(&tolerated, noon()).is_ok());
    let too_far = keys.issue(&claims(noon() + Duration::from_secs(301), HOUR)).unwrap();
    assert_eq!(keys.verify(&too_far, noon()), Err(TokenError::Invalid));
}

#[test]
fn claims_that_would_be_refused_are_not_issued() {
    let keys = keys(key(Algorithm::EdDsa));
    let sound = claims(noon(), DAY);
    for (name, claims) in [
        ("too long", TatClaims { exp: noon() + DAY + Duration::from_secs(1), ..sound.clone() }),
        ("no time", TatClaims { exp: noon(), ..sound.clone() }),
        ("backwards", TatClaims { exp: noon() - HOUR, ..sound.clone() }),
        ("negative epoch", TatClaims { epoch: -1, ..sound.clone() }),
        ("all of time", TatClaims { iat: Timestamp::MIN, exp: Timestamp::MAX, ..sound.clone() }),
    ] {
        assert_eq!(keys.issue(&claims), Err(IssueError::Unsound), "{name}");
    }
    let long = TokenKeys::new("x".repeat(4000), keys.keys().to_vec()).unwrap();
    assert_eq!(long.issue(&sound), Err(IssueError::TooLong));
}

#[test]
fn a_token_of_another_installation_is_refused() {
    let key = key(Algorithm::Es256);
    let elsewhere = TokenKeys::new("https://elsewhere.example", vec![key.clone()]).unwrap();
    let token = elsewhere.issue(&claims(noon(), HOUR)).unwrap();
    assert_eq!(keys(key).verify(&token, noon()), Err(TokenError::Invalid));
}

#[test]
fn rotation_publishes_then_signs_then_only_verifies_then_forgets() {
    let (old, new) = (key(Algorithm::EdDsa), key(Algorithm::Es256));
    let (old_kid, new_kid) = (old.kid(), new.kid());
    let takes_over = noon() + HOUR;
    let mut keys = keys(old);
    keys.rotate(new.activating_at(takes_over)).unwrap();

    let published = |at| {
        let jwks = keys.jwks(at);
        let names = jwks["keys"].as_array().unwrap().iter();
        names.map(|jwk| jwk["kid"].as_str().unwrap().parse().unwrap()).collect::<Vec<KeyId>>()
    };
    let signer = |at| header_of(&keys.issue(&claims(at, DAY)).unwrap())["kid"].as_str().unwrap().to_owned();
    let instant = Duration::from_nanos(1);

    assert_eq!(published(noon()), [old_kid, new_kid], "published before it signs");
    assert_eq!(signer(noon()), old_kid.to_string());
    assert_eq!(signer(takes_over - instant), old_kid.to_string());
    assert_eq!(signer(takes_over), new_kid.to_string());

    let last = keys.issue(&claims(takes_over - Duration::from_secs(1), DAY)).unwrap();
    let end = takes_over + DAY;
    assert_eq!(published(end - instant), [old_kid, new_kid]);
    assert!(keys.verify(&last, end - Duration::from_secs(2)).is_ok());
    assert_eq!(published(end), [new_kid]);
    assert_eq!(keys.verify(&last, end), Err(TokenError::Invalid), "its key is gone");
    assert!(keys.verify_for_renewal(&last, end, HOUR).is_ok(), "but it can still be renewed");
    assert_eq!(keys.verify_for_renewal(&last, end + HOUR, HOUR), Err(TokenError::Invalid));
}

#[test]
fn a_new_key_signs_at_once_even_for_a_clock_that_is_behind() {
    let keys = keys(key(Algorithm::EdDsa));
    let behind = noon() - Duration::from_mins(5);
    assert!(keys.issue(&claims(behind, HOUR)).is_ok());
    assert_eq!(keys.issue(&claims(behind - Duration::from_secs(1), HOUR)), Err(IssueError::NoActiveKey));
}

#[test]
fn an_immediate_rotation_cuts_no_token_short() {
    let mut keys = keys(key(Algorithm::EdDsa).activating_at(noon() - HOUR));
    let last = claims(noon() - Duration::from_secs(1), DAY);
    let token = keys.issue(&last).unwrap();
    keys.rotate(key(Algorithm::EdDsa)).unwrap();
    assert_eq!(keys.verify(&token, last.exp - Duration::from_nanos(1)), Ok(last));
    let (old, new) = (keys.keys()[0].kid(), keys.keys()[1].kid());
    let signer = header_of(&keys.issue(&claims(noon(), HOUR)).unwrap())["kid"].clone();
    assert_ne!(signer, old.to_string());
    assert_eq!(signer, new.to_string());
}

#[test]
fn another_algorithm_cuts_no_token_short() {
    for (old, new) in [(Algorithm::Rs256, Algorithm::Es256), (Algorithm::Es256, Algorithm::EdDsa)] {
        let mut keys = keys(key(old).activating_at(noon() - HOUR));
        let last = claims(noon() - Duration::from_secs(1), DAY);
        let token = keys.issue(&last).unwrap();
        keys.rotate(key(new)).unwrap();
        let next = keys.issue(&claims(noon(), HOUR)).unwrap();
        assert_eq!(
            (header_of(&token)["alg"].as_str(), header_of(&next)["alg"].as_str()),
            (Some(old.as_str()), Some(new.as_str()))
        );
        assert_eq!(keys.verify(&token, last.exp - Duration::from_nanos(1)), Ok(last));
    }
}

#[test]
fn a_set_without_an_active_key_issues_nothing() {
    let later = key(Algorithm::EdDsa).activating_at(noon() + HOUR);
    let retired = key(Algorithm::EdDsa).retiring_at(noon());
    let keys = TokenKeys::new(ISSUER, vec![later, retired]).unwrap();
    assert_eq!(keys.issue(&claims(noon(), HOUR)), Err(IssueError::NoActiveKey));
}

#[test]
fn what_is_no_token_at_all_is_told_from_a_token_that_is_not_ours() {
    let keys = keys(key(Algorithm::EdDsa));
    let token = keys.issue(&claims(noon(), HOUR)).unwrap();
    for no_token in ["", "word", "a.b", "a.b.c", &format!("{token}.AAAA"), &"A".repeat(MAX_LENGTH + 1)] {
        assert_eq!(keys.verify(no_token, noon()), Err(TokenError::Malformed), "{no_token}");
    }
    let (signed, _) = token.rsplit_once('.').unwrap();
    assert_eq!(keys.verify(&format!("{signed}.AAAA"), noon()), Err(TokenError::Invalid));
}

#[test]
fn two_keys_of_one_name_are_refused() {
    let one = key(Algorithm::EdDsa);
    let error = Some(KeyRingError::Duplicate(one.kid()));
    assert_eq!(TokenKeys::new(ISSUER, vec![one.clone(), one.clone()]).err(), error);
    assert_eq!(keys(one.clone()).rotate(one).err(), error);
}

#[test]
fn only_public_halves_are_published() {
    let set: Vec<_> = Algorithm::ALL.into_iter().map(key).collect();
    let jwks = TokenKeys::new(ISSUER, set).unwrap().jwks(noon());
    let published = jwks["keys"].as_array().unwrap();
    assert_eq!(published.len(), 3, "HS256 has no public half");
    for (jwk, algorithm) in published.iter().zip(["RS256", "ES256", "EdDSA"]) {
        let members: Vec<_> = jwk.as_object().unwrap().keys().map(String::as_str).collect();
        let expected: &[&str] = match algorithm {
            "RS256" => &["alg", "e", "kid", "kty", "n", "use"],
            "ES256" => &["alg", "crv", "kid", "kty", "use", "x", "y"],
            _ => &["alg", "crv", "kid", "kty", "use", "x"],
        };
        let mut members = members;
        members.sort_unstable();
        assert_eq!(members, expected);
        assert_eq!(jwk["alg"], algorithm);
        assert_eq!(jwk["use"], "sig");
    }
}

#[test]
fn nothing_secret_shows_in_debug_output() {
    let key = key(Algorithm::Hs256);
    assert!(format!("{:?}", key.record()).contains("private: Secret(…)"));
    assert_eq!(format!("{key:?}"), format!("SigningKey({}, HS256, …)", key.kid()));
}
