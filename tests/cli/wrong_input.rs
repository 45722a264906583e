//! Files that are no profiles, places that cannot be written, and errors that nobody can be told. No guest is started.

use std::fs;
use std::path::Path;

use crate::support::Sandbox;

const BROKEN: &str = "[network]\nbackend = \"virtoi\"\n[workload]\nflows = 4\n";

#[test]
fn a_new_profile_that_cannot_be_written_is_told_with_the_next_step() {
    let place = Sandbox::new();
    assert!(place.kvmfair(&["profile", "new", "mine"]).status.success());
    for (path, hint) in [
        ("mine", "choose another name"),
        ("no/such/directory/mine", "mkdir -p"),
        ("mine.toml/other", "a part of the path is a file"),
    ] {
        let output = place.kvmfair(&["profile", "new", path]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && said.contains(hint), "{path}: {said}");
    }
}

#[test]
fn what_is_no_regular_file_is_not_read_as_a_profile() {
    let place = Sandbox::new();
    let fifo = place.profile("fifo", "");
    fs::remove_file(&fifo).unwrap();
    nix::unistd::mkfifo(Path::new(&fifo), nix::sys::stat::Mode::S_IRWXU).unwrap();
    for path in [fifo.as_str(), "/dev/null", "/dev/zero"] {
        let output = place.kvmfair(&["plan", path]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(3) && said.contains("not a regular file"), "{path}: {said}");
    }
}

#[test]
fn an_exit_code_is_the_same_whether_or_not_standard_error_can_be_written() {
    let place = Sandbox::new();
    let broken = place.profile("broken", BROKEN);
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    let gone = || std::io::pipe().unwrap().1;
    for (arguments, code) in [
        (&["plan", &broken][..], 3),
        (&["--json", "plan", &broken], 3),
        (&["-vv", "check", &broken], 3),
        (&["bench", &broken], 3),
        (&["report", "no/such/directory"], 1),
        (&["--no-such-option"], 2),
    ] {
        assert_eq!(
            place.command(arguments).stderr(full()).status().unwrap().code(),
            Some(code),
            "{arguments:?}"
        );
        assert_eq!(
            place.command(arguments).stderr(gone()).status().unwrap().code(),
            Some(code),
            "{arguments:?}"
        );
    }
}

/// Values of which at least most are wrong for any key.
const WRONG: [&str; 12] = [
    "\"\"",
    "\"no such word\"",
    "-1",
    "0",
    "1.5",
    "true",
    "[]",
    "[[1], [\"two\"]]",
    "{ a = 1 }",
    "9223372036854775807",
    "\"99999999999999999999 y\"",
    "1979-05-27",
];

/// The starter with the value in this line replaced; `None` where the line has none.
fn with_value(starter: &str, number: usize, value: &str) -> Option<String> {
    let lines: Vec<&str> = starter.lines().collect();
    let (key, _) = lines.get(number)?.trim_start_matches("# ").trim_start_matches('#').split_once(" = ")?;
    let is_key = key.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
    let changed = format!("{key} = {value}");
    is_key.then(|| [&lines[..number], &[changed.as_str()], &lines[number + 1..]].concat().join("\n"))
}

#[test]
fn hundreds_of_profiles_with_one_wrong_value_each_end_with_a_documented_code_a_place_and_few_lines() {
    let place = Sandbox::new();
    let starter = kvmfair::profile::starter("mine");
    // A third of the values for each key, in turn: all of them for all keys would take a minute.
    let third =
        |number: usize| WRONG.into_iter().skip(number % 3).step_by(3).map(move |value| (number, value));
    let values = (0..starter.lines().count()).flat_map(third);
    let profiles = values.map(|(number, value)| (number, with_value(&starter, number, value)));
    let path = place.profile("wrong", "");
    let mut refused = 0;
    for (number, profile) in profiles.filter_map(|(number, profile)| Some((number + 1, profile?))) {
        fs::write(&path, &profile).unwrap();
        let output = place.kvmfair(&["plan", &path]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let line = profile.lines().nth(number - 1).unwrap();
        assert!(matches!(output.status.code(), Some(0 | 3)), "{line}: {:?} {said}", output.status);
        assert!(said.lines().count() <= 200, "{line}: {said}");
        if output.status.code() == Some(3) {
            refused += 1;
            let located = said.contains(&format!("{path}:")) || said.contains("wrong.toml:");
            assert!(located && said.contains("error: "), "{line}: {said}");
        }
    }
    println!("{refused} wrong profiles");
    assert!(refused >= 300, "{refused}");
}
