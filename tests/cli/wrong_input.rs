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
