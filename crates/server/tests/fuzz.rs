//! Whatever a stranger can send is read without a panic, and what is accepted is written and read again as the same. Each
//! target gets `MISY_FUZZ_ROUNDS` changed inputs; the HTTP calls themselves are fuzzed in `crates/front-desk/tests/it/fuzz.rs`.

#![allow(clippy::unwrap_used, reason = "a test stops where its material cannot be made")]

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use misy_agents::{Budget, CompiledPack, HistoryItem, InboundText, TurnInput, decide_turn};
use misy_domain::{
    Action, CertificateId, Channel, Clock, ContextPack, EmailAddress, Entropy, KeyId, Locale, MessageId,
    Origin, Part, Permission, Permissions, Role, Secret, SessionId, SiteId, TenantId, Timestamp, TokenId,
    hours::ClockTime,
};
use misy_hostile::{Lie, SoftAuthenticator};
use misy_testkit::{
    authority::{Authority, GOOD},
    fuzz::{Dice, fuzz_bytes, fuzz_json, fuzz_text, guarded, rounds},
};
use misy_trust::{
    Algorithm, ApiKey, ApiKeyKind, CeremonyHandle, ClientCertificate, Currency, Fingerprint, RandomToken,
    RelyingParty, RequestKey, RequestKeyKind, RevocationList, ServiceClaims, ServiceKeys, ServiceRole,
    SignedRequest, SigningKey, SystemEntropy, TatClaims, TokenKeys, TokenUse, TotpSecret,
    audit_tree::{
        Frontier,
        bundle::{FORMAT, Verifier},
        checkpoint::{Checkpoint, CheckpointKey, PublicKey, origin},
        entry::canonical,
        leaf_hash,
    },
    certificate::issuer_of,
    passkey::Assertion,
    recovery_code, recovery_code_hash,
    request_signature::{check_window, parse_nonce, parse_timestamp, sign, verify},
};
use serde_json::{Value, json};
use std::{fmt::Display, str::FromStr, time::Duration};

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_790_000_000).unwrap()
    }
}

const ISSUER: &str = "https://misy.example";
const SEEDS: [&str; 4] = [
    include_str!("../../../seeds/businesses/andina.json"),
    include_str!("../../../seeds/businesses/colombiatic.json"),
    include_str!("../../../seeds/businesses/northwind-bikes.json"),
    include_str!("../../../seeds/businesses/verde-cafe.json"),
];

fn seeds() -> Vec<Value> {
    let seed = |text: &&str| {
        let mut pack: Value = serde_json::from_str(text).unwrap();
        pack.as_object_mut().unwrap().remove("tenantId");
        pack
    };
    SEEDS.iter().map(seed).collect()
}

/// What is read is written as a text that reads as the same.
fn round_trips<T: FromStr + Display + PartialEq + std::fmt::Debug>(text: &str) {
    if let Ok(read) = text.parse::<T>() {
        let written = read.to_string();
        assert_eq!(written.parse::<T>().ok().as_ref(), Some(&read), "{text:?} is written as {written:?}");
    }
}

#[test]
fn words_of_the_domain() {
    let id = KeyId::new(&Noon, &SystemEntropy::new()).to_string();
    fuzz_text("ids", &[&id, "key_00000000000000000000000001", "msg_7zzzzzzzzzzzzzzzzzzzzzzzzz"], |text| {
        round_trips::<KeyId>(text);
        round_trips::<MessageId>(text);
        round_trips::<SessionId>(text);
        round_trips::<CertificateId>(text);
    });
    fuzz_text("slugs", &["andina", "verde-cafe", "main"], |text| {
        round_trips::<TenantId>(text);
        round_trips::<SiteId>(text);
    });
    let origins = [
        "https://andina.example",
        "http://localhost:8787",
        "https://xn--bcher-kva.example",
        "http://[::1]:80",
    ];
    fuzz_text("origins", &origins, round_trips::<Origin>);
    fuzz_text("locales", &["es-CO", "en", "pt-BR", "zh-Hant-TW"], |text| {
        if let Ok(locale) = text.parse::<Locale>() {
            assert_eq!(locale.as_str().parse(), Ok(locale));
        }
    });
    fuzz_text("times", &["09:30", "23:59", "24:00"], round_trips::<ClockTime>);
    fuzz_text("words", &["web", "chat:read", "tenant:manage", "admin"], |text| {
        if let Ok(channel) = text.parse::<Channel>() {
            assert_eq!(channel.as_str(), text);
        }
        round_trips::<Permission>(text);
        round_trips::<Action>(text);
    });
    let addresses = ["ana@business.example", "\"a b\"@x.example", "a+b@[127.0.0.1]", "ñandú@büro.example"];
    fuzz_text("addresses", &addresses, round_trips::<EmailAddress>);
    fuzz_text(
        "timestamps",
        &["2026-10-01T12:00:00Z", "2026-10-01T12:00:00.123456789+05:30[Asia/Kolkata]"],
        |text| {
            if let Ok(time) = text.parse::<Timestamp>() {
                assert_eq!(time.to_string().parse().ok(), Some(time));
            }
        },
    );
}

fn claims() -> TatClaims {
    let jti = TokenId::new(&Noon, &SystemEntropy::new());
    TatClaims {
        tenant_id: "andina".parse().unwrap(),
        site_id: "main".parse().unwrap(),
        origin: Some("https://andina.example".parse().unwrap()),
        permissions: Permissions::anonymous_chat(),
        iat: Noon.now(),
        exp: Noon.now() + Duration::from_hours(1),
        jti,
        epoch: 3,
        sig: RequestKeyKind::Token,
        family: jti,
        key: None,
        certificate: None,
    }
}

#[test]
fn tokens_of_both_kinds() {
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm, &Noon, &SystemEntropy::new()).unwrap();
        let tokens = TokenKeys::new(ISSUER, vec![key.clone()]).unwrap();
        let services = ServiceKeys::new(ISSUER, vec![key]);
        let own = Fingerprint::of(b"mine");
        let service = ServiceClaims {
            role: ServiceRole::Worker,
            instance: "w1".into(),
            audience: ServiceRole::FrontDesk,
            jti: TokenId::new(&Noon, &SystemEntropy::new()),
            iat: Noon.now(),
            exp: Noon.now() + Duration::from_mins(1),
            certificate: own,
        };
        let good = [tokens.issue(&claims()).unwrap(), services.issue(&service).unwrap()];
        // Changed at its parts too, so that what stands below the signature is read.
        let parts: Vec<String> = good
            .iter()
            .flat_map(|token| token.split('.'))
            .filter_map(|part| String::from_utf8(URL_SAFE_NO_PAD.decode(part).ok()?).ok())
            .collect();
        let mut dice = Dice::of("token parts");
        let rebuilt: Vec<String> = (0..rounds(1))
            .map(|_| {
                let part = |dice: &mut Dice| {
                    let from = dice.one(&parts).unwrap().clone();
                    URL_SAFE_NO_PAD.encode(dice.bytes(from.as_bytes(), &[]))
                };
                format!("{}.{}.{}", part(&mut dice), part(&mut dice), part(&mut dice))
            })
            .collect();
        let texts: Vec<&str> = good.iter().chain(&rebuilt).map(String::as_str).collect();
        fuzz_text(&format!("tokens {algorithm}"), &texts, |text| {
            let genuine = |text: &str| good.iter().any(|token| token == text);
            let grace = Duration::from_hours(1);
            let read = [tokens.verify(text, Noon.now()), tokens.verify_for_renewal(text, Noon.now(), grace)];
            assert!(read.iter().all(Result::is_err) || genuine(text), "accepted");
            let read = services.verify(text, &[ServiceRole::FrontDesk], own, Noon.now());
            assert!(read.is_err() || genuine(text), "accepted");
        });
    }
}

#[test]
fn keys_codes_and_handles() {
    let entropy = SystemEntropy::new();
    let keys: Vec<String> = ApiKeyKind::ALL
        .iter()
        .map(|kind| ApiKey::generate(*kind, &entropy).text().expose().clone())
        .collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    fuzz_text("keys", &keys, |text| {
        if let Ok(key) = ApiKey::parse(text) {
            assert_eq!(key.text().expose(), text);
        }
    });
    let uses = [
        TokenUse::Session,
        TokenUse::Device,
        TokenUse::Personal,
        TokenUse::SecondFactor,
        TokenUse::Invitation,
        TokenUse::PasswordReset,
    ];
    let tokens = uses.map(|kind| RandomToken::generate(kind, &entropy).text().to_owned());
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    fuzz_text("random tokens", &tokens, |text| {
        let read: Vec<_> = uses.iter().filter_map(|kind| RandomToken::parse(*kind, text)).collect();
        assert!(read.len() <= 1 && read.iter().all(|token| token.text() == text));
    });
    let handle = CeremonyHandle::generate(&entropy).text().expose().clone();
    fuzz_text("handles", &[&handle], |text| {
        if let Ok(handle) = CeremonyHandle::parse(text) {
            assert_eq!(handle.text().expose(), text);
        }
    });
    let (secret, pepper) = (TotpSecret::generate(&entropy), Secret::new(entropy.key()));
    let codes = [secret.code_at(Noon.now()), recovery_code(&entropy)];
    fuzz_text("codes", &codes.each_ref().map(String::as_str), |text| {
        let _ = secret.step_of(text, Noon.now());
        let _ = recovery_code_hash(text, &pepper);
    });
}

#[test]
fn signed_requests() {
    let key = RequestKey::new(Secret::new([7; 32]));
    let request = SignedRequest {
        method: "POST",
        host: "api.misy.example",
        path: "/api/meta-agent/messages",
        query: "b=2&a=1",
        body_sha256: [1; 32],
        timestamp: "1790000000",
        nonce: "AAECAwQFBgcICQoLDA0ODw",
        token_sha256: None,
    };
    let signature = sign(&key, &request).unwrap();
    let good =
        [signature.as_str(), request.timestamp, request.nonce, request.path, request.query, request.host];
    fuzz_text("signed requests", &good, |text| {
        let one = std::slice::from_ref(&key);
        assert!(verify(one, text, &request).is_err() || text == signature);
        if let Ok(time) = parse_timestamp(text) {
            assert_eq!(time.to_string(), text);
            let _ = check_window(1_790_000_000, time, 300);
        }
        let _ = parse_nonce(text);
        for changed in [
            SignedRequest { timestamp: text, ..request },
            SignedRequest { nonce: text, ..request },
            SignedRequest { path: text, ..request },
            SignedRequest { query: text, ..request },
            SignedRequest { host: text, ..request },
            SignedRequest { method: text, ..request },
        ] {
            let is_same = changed.canonical().is_ok_and(|bytes| Ok(bytes) == request.canonical());
            assert!(verify(one, &signature, &changed).is_err() || is_same);
        }
    });
}

#[test]
fn certificates_and_revocation_lists() {
    let authority = Authority::new("clients").unwrap();
    let plain = authority.issue("own", GOOD).unwrap();
    let endless = authority.issue_endless().unwrap();
    let list = authority.revoke(&[&plain]).unwrap();
    let list_der = x509_der(&list);
    let all: [&[u8]; 3] = [&plain.der, &endless.der, &list_der];
    fuzz_bytes("certificates", &all, |bytes| {
        if let Ok(read) = ClientCertificate::from_der(bytes) {
            let _ = read.is_good_at(Noon.now());
            assert!(read.subject.chars().count() <= 300 && !read.subject.contains(char::is_control));
            assert!(issuer_of(bytes).is_ok());
        }
        if let Ok(read) = RevocationList::from_der(bytes) {
            let grace = Duration::from_hours(24);
            let outdated = read.currency(Timestamp::MAX, grace) == Currency::Outdated;
            assert_eq!(outdated, read.due_at.is_some_and(|due| due.checked_add(grace).is_ok()));
        }
    });
    fuzz_text("certificates as text", &[&plain.pem, &list, &plain.key], |text| {
        let _ = ClientCertificate::from_pem(text);
        round_trips::<Fingerprint>(text);
    });
}

fn x509_der(pem: &str) -> Vec<u8> {
    let inner: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    base64::engine::general_purpose::STANDARD.decode(inner).unwrap()
}

#[test]
fn answers_of_authenticators() {
    let party = RelyingParty::at(ISSUER, "Misy").unwrap();
    let mut device = SoftAuthenticator::new(ISSUER);
    let registration = party.begin_registration([7; 16], "ana", "Ana", &[]).unwrap();
    let created = device.create(&registration.options, Lie::None);
    let (passkey, _) = party.finish_registration(&registration.state, created.clone()).unwrap();
    fuzz_json("new passkeys", 1, std::slice::from_ref(&created), |answer| {
        let _ = party.finish_registration(&registration.state, answer.clone());
    });
    let begun = party.begin_authentication(&[]).unwrap();
    let proof = device.get(&begun.options, Lie::None);
    fuzz_json("proofs of passkeys", 1, std::slice::from_ref(&proof), |answer| {
        let Ok(assertion) = Assertion::parse(answer.clone()) else { return };
        let _ = (assertion.id_hash(), assertion.names_another_than([7; 16]), assertion.names_somebody());
        let mut passkey = passkey.clone();
        let signed = |answer: &Value| {
            ["clientDataJSON", "authenticatorData", "signature"].map(|name| answer["response"][name].clone())
        };
        if party.finish_authentication(&begun.state, &assertion, &mut passkey).is_ok() {
            assert_eq!(signed(answer), signed(&proof), "another answer than the one that was signed");
        }
    });
    // The bytes inside: what the device signed, and what it says of its key.
    let inside = |answer: &Value, name: &str| {
        URL_SAFE_NO_PAD.decode(answer["response"][name].as_str().unwrap()).unwrap()
    };
    for name in ["attestationObject", "clientDataJSON"] {
        fuzz_bytes(name, &[&inside(&created, name)], |bytes| {
            let mut answer = created.clone();
            answer["response"][name] = URL_SAFE_NO_PAD.encode(bytes).into();
            let _ = party.finish_registration(&registration.state, answer);
        });
    }
    for name in ["authenticatorData", "clientDataJSON", "signature"] {
        let genuine = inside(&proof, name);
        fuzz_bytes(name, &[&genuine], |bytes| {
            let mut answer = proof.clone();
            answer["response"][name] = URL_SAFE_NO_PAD.encode(bytes).into();
            let Ok(assertion) = Assertion::parse(answer) else { return };
            let done = party.finish_authentication(&begun.state, &assertion, &mut passkey.clone());
            assert!(done.is_err() || bytes == genuine);
        });
    }
}

/// An export of three entries.
fn export() -> (Vec<Value>, PublicKey) {
    let key = CheckpointKey::from_seed(&CheckpointKey::generate(&SystemEntropy::new())).unwrap();
    let origin = origin(ISSUER, "andina");
    let mut frontier = Frontier::default();
    let mut entries = Vec::new();
    for number in 0..3 {
        let entry = json!({ "tenantId": "andina", "auditId": format!("aud_{number}"), "action": "signIn" });
        let hash = leaf_hash(&canonical(entry.as_object().unwrap()).unwrap());
        let hash_text = base64::engine::general_purpose::STANDARD.encode(hash);
        entries.push(json!({ "type": "entry", "leafIndex": number, "leafHash": hash_text, "entry": entry }));
        frontier.append(hash, |_, _| {});
    }
    let checkpoint = Checkpoint { origin: origin.clone(), size: 3, root: frontier.root() };
    let public = key.public(&origin);
    let mut lines = vec![
        json!({ "type": "header", "format": FORMAT, "tenantId": "andina", "origin": origin, "firstLeaf": 0, "treeSize": 3 }),
        json!({ "type": "key", "key": public.to_string() }),
        json!({ "type": "checkpoint", "note": checkpoint.sign(&[&key]) }),
        json!({ "type": "left", "hashes": [] }),
    ];
    lines.append(&mut entries);
    lines.extend([json!({ "type": "right", "hashes": [] }), json!({ "type": "end", "entries": 3 })]);
    (lines, public)
}

#[test]
fn exports_of_the_trail() {
    let (lines, public) = export();
    let judge = |lines: &[Value]| {
        let mut verifier = Verifier::new(vec![public.clone()]);
        for line in lines {
            verifier.line(&line.to_string());
        }
        verifier.judge()
    };
    let good = judge(&lines);
    assert_eq!(good.findings, Vec::<String>::new());
    let proved = |lines: &[Value]| -> Vec<Value> {
        lines.iter().filter(|line| line["type"] == "entry").map(|line| line["entry"].clone()).collect()
    };
    fuzz_json("export", 1, &[Value::Array(lines.clone())], |changed| {
        let Some(changed) = changed.as_array() else { return };
        if judge(changed).findings.is_empty() {
            assert_eq!(proved(changed), proved(&lines), "entries that were never sealed are proved");
        }
    });
    let texts: Vec<String> = lines.iter().map(ToString::to_string).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    fuzz_text("lines of an export", &texts, |text| {
        let mut verifier = Verifier::new(Vec::new()).since(text);
        verifier.line(texts[0]);
        verifier.line(text);
        let _ = verifier.judge();
    });
    let note = lines[2]["note"].as_str().unwrap();
    fuzz_text("notes", &[note, &public.to_string()], |text| {
        let origin = origin(ISSUER, "andina");
        if text != note
            && let Ok(read) = Checkpoint::verify(text, &origin, std::slice::from_ref(&public))
        {
            assert_eq!(Ok(read), Checkpoint::read(note), "{text:?}");
        }
        round_trips::<PublicKey>(text);
    });
}

#[test]
fn bodies_as_json() {
    let bodies = [
        r#"{"sessionId":"ses_00000000000000000000000001","channel":"web","text":"Hola","clientMessageId":"1"}"#,
        r#"{"siteId":"main","permissions":["chat:read"],"ttlSeconds":60,"sig":"token"}"#,
        r#"[[[[{"a":{"b":[1,-0.5e10,"\ud83d\ude00",null,true]}}]]]]"#,
    ];
    fuzz_text("bodies", &bodies, |text| {
        if let Ok(value) = misy_front_desk::json::parse(text.as_bytes()) {
            let again = misy_front_desk::json::parse(value.to_string().as_bytes());
            assert!(again.is_ok_and(|again| again == value), "{text:?}");
        }
    });
}

#[test]
fn packs_and_what_is_asked_of_them() {
    let packs = seeds();
    fuzz_json("packs", 4, &packs, |value| {
        if let Ok(pack) = ContextPack::parse(value) {
            let again = ContextPack::parse(&pack.to_json());
            assert_eq!(again.as_ref(), Ok(&pack));
            if let Ok(pack) = CompiledPack::new(pack) {
                turn(&pack, "hola, ¿cuánto cuesta y a qué hora abren mañana?", Noon.now());
            }
        }
    });
}

fn turn(pack: &CompiledPack, text: &str, now: Timestamp) {
    let history = [HistoryItem {
        role: Role::Contact,
        text: text.chars().rev().collect(),
        agent_name: None,
        offered: Vec::new(),
    }];
    for (channel, unanswered) in [(Channel::Web, 0), (Channel::Api, u8::MAX)] {
        let input = TurnInput {
            pack,
            channel,
            locale: None,
            session_language: None,
            messages: &[InboundText {
                message_id: "msg_00000000000000000000000001".parse().unwrap(),
                text,
                pressed: None,
            }],
            history: &history,
            form: None,
            permissions: &Permissions::anonymous_chat(),
            handed_off: false,
            unanswered_in_a_row: unanswered,
            now,
        };
        let outcome = decide_turn(&input, &Budget::of_turn());
        let said: usize = outcome
            .replies
            .iter()
            .flat_map(|reply| &reply.parts)
            .map(|part| match part {
                Part::Text { text } | Part::System { text, .. } => text.chars().count(),
                _ => 0,
            })
            .sum();
        assert!(
            outcome.replies.len() <= 8 && said <= 20_000,
            "{} replies of {said} characters",
            outcome.replies.len()
        );
    }
}

#[test]
fn texts_that_agents_read() {
    let compiled = |pack| CompiledPack::new(ContextPack::parse(pack).unwrap()).unwrap();
    let packs: Vec<CompiledPack> = seeds().iter().map(compiled).collect();
    let texts = [
        "¿Cuánto cuesta una limpieza dental y tienen cita el viernes a las 3 pm?",
        "Do you open on December 24th, 2026? I need it before 31/12 or next tuesday at 14:30",
        "Quero reservar para depois de amanhã às 9h, custa R$ 1.234,56 ou $99.99?",
        "my card 4111 1111 1111 1111 was charged twice, I want to talk to a person NOW!!!",
        "del 30 de febrero al 1 de enero de 9999, a las 25:61",
        "hi",
    ];
    let nows = [Noon.now(), Timestamp::MIN, Timestamp::MAX, Timestamp::UNIX_EPOCH];
    let mut dice = Dice::of("turns");
    let others: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    for round in 0..rounds(2) {
        let from = dice.one(&texts).unwrap();
        let changed = dice.bytes(from.as_bytes(), &others);
        let text = String::from_utf8_lossy(&changed).into_owned();
        let (pack, now) =
            (dice.one(&packs).unwrap(), nows[usize::from(round % 8 == 0) * dice.below(nows.len())]);
        guarded("turns", text.as_bytes(), || turn(pack, &text, now));
    }
}
