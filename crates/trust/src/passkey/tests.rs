use super::*;
use misy_hostile::{Lie, SoftAuthenticator};

const ORIGIN: &str = "https://api.misy.example";
const HANDLE: [u8; 16] = [9; 16];

fn party() -> RelyingParty {
    RelyingParty::at(ORIGIN, "Misy").unwrap()
}

fn registered(device: &mut SoftAuthenticator) -> Passkey {
    let begun = party().begin_registration(HANDLE, "ana@andina.example", "Ana", &[]).unwrap();
    party().finish_registration(&begun.state, device.create(&begun.options, Lie::None)).unwrap().0
}

fn prove(device: &mut SoftAuthenticator, passkey: &mut Passkey, lie: Lie) -> Result<Usage, PasskeyError> {
    let begun = party().begin_authentication(&[]).unwrap();
    let assertion = Assertion::parse(device.get(&begun.options, lie)).unwrap();
    assert_eq!(assertion.id_hash(), passkey.id_hash());
    party().finish_authentication(&begun.state, &assertion, passkey)
}

#[test]
fn a_passkey_that_was_added_proves_its_holder_again_and_again() {
    let mut device = SoftAuthenticator::new(ORIGIN);
    let mut passkey = registered(&mut device);
    for counter in 1..4 {
        let usage = prove(&mut device, &mut passkey, Lie::None).unwrap();
        assert_eq!(usage, Usage { counter, backup_eligible: false, backed_up: false });
    }
    let stored = serde_json::to_vec(&passkey).unwrap();
    let mut again: Passkey = serde_json::from_slice(&stored).unwrap();
    assert_eq!(again.id_hash(), passkey.id_hash());
    assert!(prove(&mut device, &mut again, Lie::None).is_ok());
}

#[test]
fn a_synchronised_passkey_that_does_not_count_is_taken_and_known_as_such() {
    let mut device = SoftAuthenticator::new(ORIGIN);
    (device.counts, device.synchronised) = (false, true);
    let begun = party().begin_registration(HANDLE, "ana", "Ana", &[]).unwrap();
    let answer = device.create(&begun.options, Lie::None);
    let (mut passkey, usage) = party().finish_registration(&begun.state, answer).unwrap();
    assert_eq!(usage, Usage { counter: 0, backup_eligible: true, backed_up: true });
    assert_eq!(prove(&mut device, &mut passkey, Lie::None), Ok(usage));
    assert_eq!(prove(&mut device, &mut passkey, Lie::None), Ok(usage));
}

#[test]
fn options_ask_for_verification_and_a_key_that_can_be_found_again() {
    let begun = party().begin_registration(HANDLE, "ana", "Ana", &[]).unwrap();
    let selection = &begun.options["authenticatorSelection"];
    assert_eq!(selection["userVerification"], "required");
    assert_eq!(selection["residentKey"], "preferred");
    assert_eq!(begun.options["attestation"], "none");
    assert_eq!(begun.options["rp"]["id"], "api.misy.example");
    let mut device = SoftAuthenticator::new(ORIGIN);
    let passkey = registered(&mut device);
    let again = party().begin_registration(HANDLE, "ana", "Ana", std::slice::from_ref(&passkey)).unwrap();
    let excluded = &again.options["excludeCredentials"][0]["id"];
    let ask = party().begin_authentication(&[passkey]).unwrap();
    assert!(excluded.is_string());
    assert_eq!(ask.options["allowCredentials"][0]["id"], *excluded);
    assert_eq!(ask.options["userVerification"], "required");
    assert_eq!(party().begin_authentication(&[]).unwrap().options["allowCredentials"], serde_json::json!([]));
}

#[test]
fn no_lie_of_an_authenticator_or_a_page_adds_a_passkey() {
    for lie in Lie::ALL {
        let mut device = SoftAuthenticator::new(ORIGIN);
        let begun = party().begin_registration(HANDLE, "ana", "Ana", &[]).unwrap();
        let answer = device.create(&begun.options, lie);
        assert!(party().finish_registration(&begun.state, answer).is_err(), "{lie:?}");
    }
}

#[test]
fn no_lie_of_an_authenticator_or_a_page_proves_anything() {
    for lie in Lie::ALL {
        let mut device = SoftAuthenticator::new(ORIGIN);
        let mut passkey = registered(&mut device);
        assert_eq!(prove(&mut device, &mut passkey, lie), Err(PasskeyError::Refused), "{lie:?}");
        assert!(prove(&mut device, &mut passkey, Lie::None).is_ok(), "{lie:?}");
    }
}

#[test]
fn a_counter_that_does_not_grow_tells_of_a_copy() {
    let mut device = SoftAuthenticator::new(ORIGIN);
    let mut passkey = registered(&mut device);
    let mut copy = device.clone();
    for _ in 0..3 {
        prove(&mut device, &mut passkey, Lie::None).unwrap();
    }
    for _ in 0..3 {
        assert_eq!(prove(&mut copy, &mut passkey, Lie::None), Err(PasskeyError::Cloned));
    }
    let mut zeroed = device.clone();
    (zeroed.counter, zeroed.counts) = (0, false);
    assert_eq!(prove(&mut zeroed, &mut passkey, Lie::None), Err(PasskeyError::Cloned));
    assert!(prove(&mut device, &mut passkey, Lie::None).is_ok());
}

#[test]
fn an_answer_is_good_for_its_own_ceremony_only() {
    let mut device = SoftAuthenticator::new(ORIGIN);
    let mut passkey = registered(&mut device);
    let (first, second) =
        (party().begin_authentication(&[]).unwrap(), party().begin_authentication(&[]).unwrap());
    let assertion = Assertion::parse(device.get(&first.options, Lie::None)).unwrap();
    let other = party().finish_authentication(&second.state, &assertion, &mut passkey);
    assert_eq!(other, Err(PasskeyError::Refused));
    // Another's passkey does not take it either.
    let mut stranger = registered(&mut SoftAuthenticator::new(ORIGIN));
    assert!(party().finish_authentication(&first.state, &assertion, &mut stranger).is_err());
    assert!(party().finish_authentication(&first.state, &assertion, &mut passkey).is_ok());
}

#[test]
fn an_answer_names_its_holder() {
    let mut device = SoftAuthenticator::new(ORIGIN);
    registered(&mut device);
    let options = party().begin_authentication(&[]).unwrap().options;
    let own = Assertion::parse(device.get(&options, Lie::None)).unwrap();
    assert!(own.names_somebody() && !own.names_another_than(HANDLE));
    let posing = Assertion::parse(device.posing_as(&[1; 16]).get(&options, Lie::None)).unwrap();
    assert!(posing.names_another_than(HANDLE));
}

#[test]
fn garbage_is_refused_without_panic() {
    let begun = party().begin_registration(HANDLE, "ana", "Ana", &[]).unwrap();
    let mut device = SoftAuthenticator::new(ORIGIN);
    let answer = device.create(&begun.options, Lie::None);
    let object = answer["response"]["attestationObject"].as_str().unwrap();
    for end in 0..object.len() {
        let mut cut = answer.clone();
        cut["response"]["attestationObject"] = object[..end].into();
        assert!(party().finish_registration(&begun.state, cut).is_err(), "{end}");
    }
    for wrong in [serde_json::json!({}), serde_json::json!([]), serde_json::json!({ "id": 1 }), Value::Null] {
        assert_eq!(
            party().finish_registration(&begun.state, wrong.clone()).err(),
            Some(PasskeyError::Malformed)
        );
        assert!(Assertion::parse(wrong).is_err());
    }
}

#[test]
fn there_are_passkeys_only_where_browsers_know_them() {
    assert!(RelyingParty::at("http://localhost:8787", "Misy").is_some());
    for address in
        ["http://127.0.0.1:8787", "https://[::1]", "https://192.0.2.1", "http://api.misy.example", "", "misy"]
    {
        assert!(RelyingParty::at(address, "Misy").is_none(), "{address}");
    }
}

#[test]
fn a_handle_tells_nothing_and_differs_between_tenants() {
    let user: UserId = "usr_00000000000000000000000001".parse().unwrap();
    let (andina, verde): (TenantId, TenantId) = ("andina".parse().unwrap(), "verde".parse().unwrap());
    assert_eq!(user_handle(&andina, user), user_handle(&andina, user));
    assert_ne!(user_handle(&andina, user), user_handle(&verde, user));
}
