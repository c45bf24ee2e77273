use super::*;
use crate::SystemEntropy;
use std::os::unix::fs::{PermissionsExt, symlink};

/// A directory of its own for each test, removed when the test passes.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let mut name = [0; 8];
        SystemEntropy::new().fill(&mut name);
        let path = std::env::temp_dir().join(format!("misy-root-key-{}", hex::encode(name)));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("root.key")
    }

    fn load(&self) -> Result<RootKey, RootKeyError> {
        KeyProvider::File(self.file()).load(&SystemEntropy::new())
    }

    fn write(&self, text: &str, mode: u32) {
        fs::write(self.file(), text).unwrap();
        fs::set_permissions(self.file(), fs::Permissions::from_mode(mode)).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const TEXT: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

fn tenant() -> TenantId {
    "andina".parse().unwrap()
}

#[test]
fn a_missing_file_is_made_once_for_its_owner_alone() {
    let folder = Folder::new();
    let made = folder.load().unwrap();
    assert_eq!(fs::metadata(folder.file()).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(folder.load().unwrap().version(), made.version());
    let names: Vec<_> = fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["root.key"], "nothing is left beside it");
}

#[test]
fn processes_that_start_at_once_end_up_with_one_key() {
    let folder = Folder::new();
    let versions: Vec<u32> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| folder.load().unwrap().version())).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert!(versions.iter().all(|version| *version == versions[0]));
}

#[test]
fn a_file_that_others_can_get_at_is_refused() {
    let folder = Folder::new();
    for mode in [0o640, 0o604, 0o660, 0o666, 0o610, 0o601, 0o620] {
        folder.write(TEXT, mode);
        let error = folder.load().unwrap_err();
        assert!(matches!(&error, RootKeyError::TooOpen { mode: found, .. } if *found == mode), "{error}");
        assert!(error.to_string().contains("0600"), "{error}");
    }
    for mode in [0o600, 0o400] {
        folder.write(TEXT, 0o600);
        folder.write(TEXT, mode);
        assert!(folder.load().is_ok(), "{mode:o}");
        fs::remove_file(folder.file()).unwrap();
    }
}

#[test]
fn a_link_is_refused_even_if_it_leads_to_a_good_file() {
    let folder = Folder::new();
    let real = folder.0.join("real.key");
    KeyProvider::File(real.clone()).load(&SystemEntropy::new()).unwrap();
    symlink(&real, folder.file()).unwrap();
    assert!(matches!(folder.load(), Err(RootKeyError::NotAPlainFile { .. })));

    fs::remove_file(folder.file()).unwrap();
    symlink(folder.0.join("nowhere"), folder.file()).unwrap();
    assert!(matches!(folder.load(), Err(RootKeyError::NotAPlainFile { .. })));
    assert!(!folder.0.join("nowhere").exists(), "nothing is made through a link");
}

#[test]
fn a_folder_in_the_place_of_the_file_is_refused() {
    let folder = Folder::new();
    fs::create_dir(folder.file()).unwrap();
    assert!(matches!(folder.load(), Err(RootKeyError::NotAPlainFile { .. })));
}

#[test]
fn a_file_in_a_missing_folder_is_an_error_that_names_it() {
    let folder = Folder::new();
    let path = folder.0.join("missing").join("root.key");
    let error = KeyProvider::File(path.clone()).load(&SystemEntropy::new()).unwrap_err();
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
}

#[test]
fn what_is_not_a_key_is_refused_and_not_overwritten() {
    let folder = Folder::new();
    for text in [
        "",
        "\n",
        "short",
        &TEXT[1..],
        &format!("{TEXT}A"),
        &format!("{TEXT}="),
        &format!("{TEXT}\n\n"),
        &format!(" {TEXT}"),
    ] {
        folder.write(text, 0o600);
        let error = folder.load().unwrap_err();
        assert!(matches!(error, RootKeyError::NotAKey { .. }), "{text:?}: {error}");
        assert_eq!(fs::read_to_string(folder.file()).unwrap(), text);
    }
    folder.write(&format!("{TEXT}\n"), 0o600);
    assert_eq!(folder.load().unwrap().version(), RootKey::parse(TEXT).unwrap().version());
}

#[test]
fn a_new_key_stands_first_and_the_old_one_stays_until_it_is_given_up() {
    let folder = Folder::new();
    let entropy = SystemEntropy::new();
    folder.write(&format!("{TEXT}\n"), 0o600);
    let provider = KeyProvider::File(folder.file());
    let versions = || provider.load_all().unwrap().iter().map(RootKey::version).collect::<Vec<_>>();
    let old = versions()[0];
    let added = add_to_file(&folder.file(), &entropy).unwrap();
    assert_eq!(versions(), added.iter().map(RootKey::version).collect::<Vec<_>>());
    assert_eq!((versions().len(), versions()[1]), (2, old));
    assert_eq!(folder.load().unwrap().version(), versions()[0]);

    keep_first_in_file(&folder.file(), &entropy).unwrap();
    assert_eq!(versions(), [added[0].version()]);
    assert_eq!(fs::metadata(folder.file()).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1, "no draft stays behind");
}

#[test]
fn the_environment_holds_a_key_or_an_error_that_names_the_variable() {
    let load = |variable: &str| KeyProvider::Environment(variable.to_owned()).load(&SystemEntropy::new());
    let unset = load("MISY_TEST_NO_SUCH_VARIABLE").unwrap_err();
    assert_eq!(
        unset.to_string(),
        "the environment variable MISY_TEST_NO_SUCH_VARIABLE with the root key is not set"
    );
    // Cargo sets this one; it holds a path.
    assert!(matches!(load("CARGO_MANIFEST_DIR"), Err(RootKeyError::NotAKey { .. })));
}

#[test]
fn a_data_key_survives_being_wrapped() {
    let (root, key) = (RootKey::parse(TEXT).unwrap(), DataKey::generate(3, &SystemEntropy::new()));
    let wrapped = root.wrap(&tenant(), &key, &SystemEntropy::new());
    let again = root.unwrap(&tenant(), 3, &wrapped).unwrap();
    assert_eq!(again.expose(), key.expose());
    assert_eq!(again.version(), 3);
    assert!(root.wrapped(&wrapped));
}

#[test]
fn a_wrapped_key_opens_for_its_tenant_and_version_under_its_root_key_only() {
    let (root, key) = (RootKey::parse(TEXT).unwrap(), DataKey::generate(3, &SystemEntropy::new()));
    let wrapped = root.wrap(&tenant(), &key, &SystemEntropy::new());
    let other_tenant: TenantId = "other".parse().unwrap();
    assert_eq!(root.unwrap(&other_tenant, 3, &wrapped).unwrap_err(), OpenError::Refused);
    assert_eq!(root.unwrap(&tenant(), 4, &wrapped).unwrap_err(), OpenError::Refused);

    let other_root = RootKey::new(Secret::new([9; 32]));
    let unknown = OpenError::UnknownKey { version: root.version() };
    assert_eq!(other_root.unwrap(&tenant(), 3, &wrapped).unwrap_err(), unknown);
    assert!(!other_root.wrapped(&wrapped));
}

#[test]
fn debug_output_shows_no_key() {
    assert_eq!(format!("{:?}", RootKey::parse(TEXT).unwrap()), "RootKey(…)");
}
