//! Every hostile token is refused, whatever algorithm the installation has chosen.

#![allow(clippy::unwrap_used, reason = "a test stops where its material cannot be made")]

use misy_domain::{Clock, Permissions, Timestamp, TokenId};
use misy_hostile::{forged, missigned};
use misy_trust::{Algorithm, RequestKeyKind, SigningKey, SystemEntropy, TatClaims, TokenError, TokenKeys};
use std::{collections::HashSet, time::Duration};

const ISSUER: &str = "https://misy.example";

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_790_000_000).unwrap()
    }
}

fn claims() -> TatClaims {
    let now = Noon.now();
    let jti = TokenId::new(&Noon, &SystemEntropy::new());
    TatClaims {
        tenant_id: "andina".parse().unwrap(),
        site_id: "main".parse().unwrap(),
        origin: Some("https://andina.example".parse().unwrap()),
        permissions: Permissions::anonymous_chat(),
        iat: now,
        exp: now + Duration::from_hours(1),
        jti,
        epoch: 3,
        sig: RequestKeyKind::Token,
        family: jti,
        key: None,
        certificate: None,
    }
}

#[test]
fn every_hostile_token_is_refused_for_every_algorithm() {
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm, &Noon, &SystemEntropy::new()).unwrap();
        // All kinds of keys stand side by side, as they do while an installation changes its algorithm.
        let others = Algorithm::ALL
            .into_iter()
            .map(|other| SigningKey::generate(other, &Noon, &SystemEntropy::new()).unwrap())
            .map(|other| other.retiring_at(Noon.now()));
        let keys = TokenKeys::new(ISSUER, others.chain([key.clone()]).collect()).unwrap();
        let genuine = keys.issue(&claims()).unwrap();
        assert!(keys.verify(&genuine, Noon.now()).is_ok(), "{algorithm}");

        let mut tokens = forged(&genuine, &keys.jwks(Noon.now()));
        tokens.extend(missigned(&key, ISSUER, &claims()));
        for hostile in &tokens {
            let grace = Duration::from_hours(1);
            for answer in [
                keys.verify(&hostile.token, Noon.now()),
                keys.verify_for_renewal(&hostile.token, Noon.now(), grace),
            ] {
                match answer {
                    Err(TokenError::Malformed | TokenError::Invalid) => {}
                    Err(TokenError::Expired { .. }) if hostile.name.contains("expired long ago") => {}
                    other => panic!("{algorithm}, {}: {other:?} for {}", hostile.name, hostile.token),
                }
            }
        }
        let distinct: HashSet<_> = tokens.iter().map(|hostile| &hostile.token).collect();
        assert!(!distinct.contains(&genuine));
        println!("{algorithm}: {} hostile tokens refused, {} distinct", tokens.len(), distinct.len());
        assert!(distinct.len() > 900, "the corpus has shrunk");
    }
}
