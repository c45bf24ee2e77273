//! Every setting is explained, in the code and in the documentation.

use super::{SECTIONS, Settings, all, check, defaults, shown};
use std::{collections::BTreeSet, fmt::Write, fs, path::Path};

/// Names behind `MISY_` that belong to tests and tools.
const OF_TESTS: &[&str] = &["fault_seed", "fault_kills", "fuzz_rounds", "dialogues", "businesses"];

fn docs(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)
}

/// docs/SETTINGS.md as the code says it.
fn page() -> String {
    let mut page = String::from(
        "# Settings\n\n\
         Each setting stands in `misy.toml` by its name, or in the environment in upper case behind `MISY_`. What holds when it is\n\
         not set stands in brackets. `misy config` shows the values in force and where they come from. Secrets are never shown.\n\n\
         Written from the code: `MISY_WRITE_DOCS=1 cargo nextest run -p misy-server settings`.\n",
    );
    for (title, settings) in SECTIONS {
        write!(page, "\n## {title}\n\n| setting | meaning |\n| --- | --- |\n").unwrap_or_default();
        for setting in *settings {
            let secret = if setting.secret { " (secret)" } else { "" };
            let meaning = setting.meaning.replace('|', "\\|").replace('<', "&lt;");
            writeln!(page, "| `MISY_{}`{secret} | {meaning} |", setting.name.to_uppercase())
                .unwrap_or_default();
        }
    }
    page
}

#[test]
fn every_setting_stands_in_the_table_and_nothing_else() {
    let path = docs("SETTINGS.md");
    if std::env::var_os("MISY_WRITE_DOCS").is_some() {
        fs::write(&path, page()).expect("the page can be written");
    }
    let written = fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == page(),
        "docs/SETTINGS.md is not what the code says: MISY_WRITE_DOCS=1 cargo nextest run -p misy-server settings"
    );
}

#[test]
fn the_documentation_names_no_setting_that_does_not_exist() {
    let known: BTreeSet<&str> = all().map(|setting| setting.name).collect();
    for entry in fs::read_dir(docs("")).expect("the documentation") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a page");
        for rest in text.split("MISY_").skip(1) {
            let name = rest.split(|letter: char| !letter.is_ascii_uppercase() && letter != '_').next();
            let name = name.unwrap_or_default().to_lowercase();
            let fits = name.is_empty()
                || name == "write_docs"
                || known.contains(&*name)
                || OF_TESTS.contains(&&*name);
            assert!(fits, "{} names MISY_{}", path.display(), name.to_uppercase());
        }
    }
}

#[test]
fn no_name_is_taken_twice() {
    let mut seen = BTreeSet::new();
    for setting in all() {
        assert!(seen.insert(setting.name), "{} is said twice", setting.name);
    }
}

#[test]
fn the_defaults_pass_their_checks_and_are_what_the_explanations_say() {
    let figment = defaults();
    check(&figment, Vec::new()).expect("the defaults are good");
    for setting in all() {
        let default = shown(&figment, setting).value;
        let secret_without_default = setting.secret && default.is_empty();
        let said = default.is_empty() || setting.meaning.ends_with(&format!("[{default}]"));
        assert!(said || secret_without_default, "{}: {:?} holds {default}", setting.name, setting.meaning);
    }
}

#[test]
fn a_file_is_read_and_a_name_in_it_that_is_no_setting_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("misy.toml");
    fs::write(&file, "streams_per_visitor = 3\nvault_token = \"hush\"\n").expect("the file");
    let settings = Settings::read(Some(&file)).expect("good settings");
    assert_eq!(settings.connections.streams_per_visitor, 3);
    let of = |name| settings.shown.iter().find(|shown| shown.name == name).expect("it is shown");
    assert_eq!((&*of("streams_per_visitor").value, of("streams_per_visitor").source), ("3", "file"));
    assert_eq!(of("vault_token").value, "(set)");

    fs::write(&file, "stream_per_visitor = 3\n").expect("the file");
    let error = Settings::read(Some(&file)).expect_err("a slip").to_string();
    assert!(error.contains("stream_per_visitor"), "{error}");
}
