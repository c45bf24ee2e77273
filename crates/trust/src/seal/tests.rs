use super::*;
use crate::SystemEntropy;
use proptest::prelude::*;

fn tenant(slug: &str) -> TenantId {
    slug.parse().unwrap()
}

fn data_key(version: u32) -> DataKey {
    DataKey::generate(version, &SystemEntropy::new())
}

fn place(tenant: &TenantId) -> Place<'_> {
    Place { tenant, table: "messages", column: "text", row: "msg_1" }
}

#[test]
fn what_is_sealed_opens_at_its_place() {
    let (andina, key) = (tenant("andina"), data_key(7));
    for plaintext in [b"".as_slice(), b"x", "¿Tienen hora mañana?".as_bytes(), &[0; 10_000]] {
        let sealed = seal(&key, &place(&andina), plaintext, &SystemEntropy::new());
        assert_eq!(sealed.len(), plaintext.len() + OVERHEAD);
        assert_eq!(key_version(&sealed), Ok(7));
        assert_eq!(
            open(|version| (version == 7).then_some(&key), &place(&andina), &sealed).unwrap(),
            plaintext
        );
    }
}

#[test]
fn sealed_bytes_do_not_open_anywhere_else() {
    let (andina, other, key) = (tenant("andina"), tenant("other"), data_key(1));
    let here = place(&andina);
    let sealed = seal(&key, &here, b"secret", &SystemEntropy::new());
    for (name, elsewhere) in [
        ("another tenant", Place { tenant: &other, ..here }),
        ("another table", Place { table: "contacts", ..here }),
        ("another column", Place { column: "subject", ..here }),
        ("another row", Place { row: "msg_2", ..here }),
        ("no row", Place { row: "", ..here }),
        ("table and column swapped", Place { table: "text", column: "messages", ..here }),
        ("a letter from column to row", Place { column: "tex", row: "tmsg_1", ..here }),
        ("a letter from table to column", Place { table: "message", column: "stext", ..here }),
    ] {
        assert_eq!(open(|_| Some(&key), &elsewhere, &sealed), Err(OpenError::Refused), "{name}");
    }
}

#[test]
fn each_version_opens_with_its_own_key_only() {
    let andina = tenant("andina");
    let (first, second) = (data_key(1), data_key(2));
    let sealed = seal(&first, &place(&andina), b"secret", &SystemEntropy::new());
    let ring = [&first, &second];
    let find = |version| ring.iter().copied().find(|key| key.version() == version);
    assert_eq!(open(find, &place(&andina), &sealed).unwrap(), b"secret");

    assert_eq!(open(|_| None, &place(&andina), &sealed), Err(OpenError::UnknownKey { version: 1 }));
    assert_eq!(open(|_| Some(&second), &place(&andina), &sealed), Err(OpenError::UnknownKey { version: 1 }));
    let stranger = data_key(1);
    assert_eq!(open(|_| Some(&stranger), &place(&andina), &sealed), Err(OpenError::Refused));
}

#[test]
fn the_version_in_the_header_cannot_be_changed() {
    let andina = tenant("andina");
    let bytes = Secret::new(SystemEntropy::new().key());
    let (first, second) = (DataKey::new(1, bytes.clone()), DataKey::new(2, bytes));
    let mut sealed = seal(&first, &place(&andina), b"secret", &SystemEntropy::new());
    sealed[5] = 2;
    assert_eq!(open(|_| Some(&second), &place(&andina), &sealed), Err(OpenError::Refused));
}

#[test]
fn the_same_text_never_seals_to_the_same_bytes() {
    let (andina, key) = (tenant("andina"), data_key(1));
    let sealed = || seal(&key, &place(&andina), b"secret", &SystemEntropy::new());
    assert_ne!(sealed(), sealed());
}

#[test]
fn bytes_of_another_layout_are_not_sealed_bytes() {
    let (andina, key) = (tenant("andina"), data_key(1));
    let sealed = seal(&key, &place(&andina), b"", &SystemEntropy::new());
    for length in 0..sealed.len() {
        assert_eq!(open(|_| Some(&key), &place(&andina), &sealed[..length]), Err(OpenError::Malformed));
    }
    for at in [0, 1] {
        let mut other = sealed.clone();
        other[at] = 3;
        assert_eq!(open(|_| Some(&key), &place(&andina), &other), Err(OpenError::Malformed));
    }
}

#[test]
fn what_a_tenant_key_sealed_does_not_pass_for_a_contact_key_s() {
    let (andina, key) = (tenant("andina"), data_key(1));
    let contact = key.clone().of_contact();
    let unknown = Err(OpenError::UnknownKey { version: 1 });
    for (sealing, opening) in [(&key, &contact), (&contact, &key)] {
        let mut sealed = seal(sealing, &place(&andina), b"secret", &SystemEntropy::new());
        assert_eq!(open(|_| Some(opening), &place(&andina), &sealed), unknown);
        // The layout is authenticated, so changing it does not help.
        sealed[0] = 3 - sealed[0];
        assert_eq!(open(|_| Some(opening), &place(&andina), &sealed), Err(OpenError::Refused));
    }
}

#[test]
fn a_blind_index_finds_equal_values_of_one_tenant_and_column_only() {
    let (andina, other) = (data_key(1), data_key(1));
    let index = |key: &DataKey, table: &str, column: &str| key.blind_index(table, column).of(b"+56911112222");
    let here = index(&andina, "identities", "value");
    assert_eq!(here, index(&andina, "identities", "value"));
    for elsewhere in [
        index(&other, "identities", "value"),
        index(&andina, "identities", "name"),
        index(&andina, "contacts", "value"),
        andina.blind_index("identities", "value").of(b"+56911112223"),
    ] {
        assert_ne!(here, elsewhere);
    }
}

#[test]
fn debug_output_shows_no_key() {
    assert_eq!(format!("{:?}", data_key(3)), "DataKey(3, …)");
    assert_eq!(format!("{:?}", data_key(3).blind_index("a", "b")), "BlindIndex(…)");
}

proptest! {
    #[test]
    fn one_changed_bit_anywhere_is_noticed(at: usize, bit in 0..8u8) {
        let (andina, key) = (tenant("andina"), data_key(1));
        let mut sealed = seal(&key, &place(&andina), b"secret", &SystemEntropy::new());
        let place_of_bit = at % sealed.len();
        sealed[place_of_bit] ^= 1 << bit;
        prop_assert!(open(|_| Some(&key), &place(&andina), &sealed).is_err());
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
        let (andina, key) = (tenant("andina"), data_key(1));
        prop_assert!(open(|_| Some(&key), &place(&andina), &bytes).is_err());
    }
}
