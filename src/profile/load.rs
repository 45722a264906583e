//! The way in: a file, or its text, to an experiment. [`load`] is the only place of `profile` that reads a file.

use std::fs::{self, Metadata};
use std::io;
use std::path::Path;

use toml::de::DeTable;

use super::diagnostic::Issues;
use super::places::Places;
use super::validate::{self, HostFacts};
use super::{Diagnostic, Experiment, ProfileError, messages, reader};

/// Reads a profile and validates it; also returns the text as written, for the run directory.
///
/// # Errors
/// If the file cannot be read, is not UTF-8 or not a profile that this version can run on such a host.
pub fn load(path: &Path, facts: HostFacts) -> Result<(String, Experiment), ProfileError> {
    let refuse = |diagnostic| ProfileError::new(path, "", diagnostic);
    // A pipe would be waited for, and a device need not end: checked before it is opened.
    let file = fs::metadata(path).map_err(|error| refuse(unreadable(&error)))?;
    if let Some(diagnostic) = no_profile(&file) {
        return Err(refuse(diagnostic));
    }
    let bytes = fs::read(path).map_err(|error| refuse(unreadable(&error)))?;
    from_bytes(bytes, path, facts)
}

/// Validates the bytes of a profile, wherever they were read; also returns them as text. `path` as in [`parse`].
///
/// # Errors
/// If they are too many, not UTF-8 or not a profile that this version can run on such a host.
pub fn from_bytes(
    bytes: Vec<u8>,
    path: &Path,
    facts: HostFacts,
) -> Result<(String, Experiment), ProfileError> {
    let refuse = |diagnostic| ProfileError::new(path, "", diagnostic);
    if bytes.len() as u64 > LARGEST {
        return Err(refuse(too_large(bytes.len() as u64)));
    }
    let text = String::from_utf8(bytes).map_err(|error| refuse(not_text(&error)))?;
    let experiment = parse(&text, path, facts)?;
    Ok((text, experiment))
}

/// Validates the text of a profile. Pure; `path` names it in messages, and relative paths start at its directory.
///
/// # Errors
/// With everything that is known to be wrong: all syntax errors, or else all unknown keys, wrong types and semantic
/// errors together.
pub fn parse(text: &str, path: &Path, facts: HostFacts) -> Result<Experiment, ProfileError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let refuse = |issues: Issues| Err(ProfileError::new(path, text, issues));
    let (root, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let mut issues = Issues::default();
        errors.iter().for_each(|error| issues.add(|| messages::syntax(error, text)));
        return refuse(issues);
    }
    let read = reader::read(&root);
    let places = Places::collect(&root, text);
    validate::experiment(read, &places, facts, path).or_else(refuse)
}

/// The largest profile, bytes. Larger files are disk images or logs.
pub const LARGEST: u64 = 1 << 20;

/// Why a file cannot be a profile, whatever is in it. Directories are reported when they are read.
fn no_profile(file: &Metadata) -> Option<Diagnostic> {
    if file.is_file() && file.len() > LARGEST {
        return Some(too_large(file.len()));
    }
    let hint = "save the profile in a file that ends in .toml, and name that";
    let odd = !file.is_file() && !file.is_dir();
    odd.then(|| Diagnostic::new("failed to read the profile: it is not a regular file").hint(hint))
}

fn too_large(bytes: u64) -> Diagnostic {
    let message = format!("failed to read the profile: it must be at most {LARGEST} bytes, got {bytes}");
    Diagnostic::new(message).hint("name a profile, a file that ends in .toml")
}

fn unreadable(error: &io::Error) -> Diagnostic {
    let (cause, hint) = match error.kind() {
        io::ErrorKind::NotFound => {
            ("there is no such file", "check the path; a relative one starts at the current directory")
        }
        io::ErrorKind::IsADirectory => {
            ("it is a directory", "name the profile in it, a file that ends in .toml")
        }
        io::ErrorKind::PermissionDenied => ("permission denied", "make it readable for this user"),
        _ => return Diagnostic::new(format!("failed to read the profile: {error}")).hint("check the path"),
    };
    Diagnostic::new(format!("failed to read the profile: {cause}")).hint(hint)
}

fn not_text(error: &std::string::FromUtf8Error) -> Diagnostic {
    let bytes = error.as_bytes();
    let offset = error.utf8_error().valid_up_to();
    let line = bytes[..offset].iter().filter(|byte| **byte == b'\n').count() + 1;
    let message = format!("the profile is not UTF-8 text: byte 0x{:02x} on line {line}", bytes[offset]);
    Diagnostic::new(message).hint("a profile is a TOML file; if it is one, save it as UTF-8")
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    const FACTS: HostFacts = HostFacts { memory_mib: 65_536, cpus: 8 };

    fn message(error: &ProfileError) -> &str {
        &error.diagnostics[0].message
    }

    #[test]
    fn a_missing_file_a_directory_and_a_binary_are_told_apart() {
        let dir = tempfile::tempdir().expect("a directory");
        let missing = load(&dir.path().join("no.toml"), FACTS).expect_err("missing");
        assert_eq!(message(&missing), "failed to read the profile: there is no such file");
        let directory = load(dir.path(), FACTS).expect_err("a directory");
        assert_eq!(message(&directory), "failed to read the profile: it is a directory");
        let large = dir.path().join("large.img");
        File::create(&large).and_then(|file| file.set_len(LARGEST + 1)).expect("made");
        let large = load(&large, FACTS).expect_err("large");
        assert_eq!(
            message(&large),
            "failed to read the profile: it must be at most 1048576 bytes, got 1048577"
        );
        let binary = dir.path().join("disk.img");
        fs::write(&binary, b"QFI\n\xfb\x00").expect("written");
        let binary = load(&binary, FACTS).expect_err("binary");
        assert_eq!(message(&binary), "the profile is not UTF-8 text: byte 0xfb on line 2");
        assert!(binary.render(false).contains("help: a profile is a TOML file"));
    }

    #[test]
    fn of_thousands_of_mistakes_twenty_are_described_and_the_rest_is_counted() {
        let least = "schema = 1\nname = \"x\"\nnetwork.backend = \"virtio\"\n";
        let error =
            |rest: String| parse(&format!("{least}{rest}"), Path::new("p.toml"), FACTS).expect_err("broken");
        let keys: String = (0..20_000).map(|n| format!("k{n} = 1\n")).collect();
        let levels = |from: usize| (from..from + 65_000).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
        let groups = "[[group]]\nshares = \"a\"\n".repeat(20_000);
        for (rest, all) in [
            (format!("workload.flows = 1\n[guest]\n{keys}"), 20_000),
            (format!("sweep.flows = [{}]", levels(20_000)), 65_000),
            (format!("workload.flows = 1\nsweep.vms = [{}]", vec!["1"; 20_001].join(",")), 20_000),
            (format!("workload.flows = 1\n{groups}"), 20_000 + 1 + 2 * 1_000),
        ] {
            let error = error(rest);
            assert_eq!((error.diagnostics.len(), error.more), (20, all - 20));
        }
    }

    #[test]
    fn the_text_comes_back_as_written() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("p.toml");
        let text = format!("\u{feff}{}", crate::profile::starter("mine").replace('\n', "\r\n"));
        fs::write(&path, &text).expect("written");
        let (kept, experiment) = load(&path, FACTS).expect("valid");
        assert_eq!(kept, text);
        assert_eq!(experiment.name, "mine");
    }
}
