//! Mistakes that users make, one file each, and what kvmfair says about them.
//!
//! To add one: put a profile into `tests/profiles/broken`, run the tests, read the message aloud, accept it. The message is kept beside
//! the profile.

use std::fs;
use std::path::{Path, PathBuf};

use kvmfair::profile::{HostFacts, ProfileError, parse};

const FACTS: HostFacts = HostFacts { memory_mib: 65_536, cpus: 8 };

fn broken() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/profiles/broken");
    let entries = fs::read_dir(directory).expect("the directory is there");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<_> = paths.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    paths.sort();
    paths
}

/// The error of a profile, under its bare file name.
fn error(path: &Path) -> ProfileError {
    let text = fs::read_to_string(path).expect("readable");
    let name = Path::new(path.file_name().expect("a name"));
    match parse(&text, name, FACTS) {
        Err(error) => error,
        Ok(_) => panic!("{} is accepted", name.display()),
    }
}

#[test]
fn every_mistake_has_a_message_that_was_read_aloud() {
    for path in broken() {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let message = error(&path).render(false);
        insta::with_settings!({ snapshot_path => "../profiles/broken", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(name, message);
        });
    }
}

#[test]
fn every_mistake_has_a_place_and_a_next_step() {
    for path in broken() {
        let error = error(&path);
        for diagnostic in &error.diagnostics {
            assert!(error.position(diagnostic).is_some(), "{}: {}", path.display(), diagnostic.message);
            assert!(diagnostic.hint.is_some(), "{}: {}", path.display(), diagnostic.message);
        }
    }
}

#[test]
fn messages_are_lower_case_fragments() {
    for path in broken() {
        for diagnostic in error(&path).diagnostics {
            let first = diagnostic.message.chars().next().expect("not empty");
            assert!(!first.is_uppercase(), "{}", diagnostic.message);
            assert!(!diagnostic.message.ends_with('.'), "{}", diagnostic.message);
        }
    }
}

#[test]
fn a_profile_with_several_mistakes_hears_of_all_of_them() {
    let path = broken().into_iter().find(|path| path.ends_with("several-mistakes.toml")).expect("there");
    assert_eq!(error(&path).diagnostics.len(), 11);
}
