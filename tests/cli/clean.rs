//! `kvmfair clean` on remains made by hand: it undoes what the journal says, and touches nothing else.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::support::Sandbox;
use crate::support::json::{json_lines, of_type};

/// Remains of run `id` with these lines in its journal.
fn remains(place: &Sandbox, id: &str, journal: &str) -> PathBuf {
    let dir = place.state().join(id);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir).unwrap();
    fs::write(dir.join("lock"), "999999").unwrap();
    fs::write(dir.join("journal.jsonl"), journal).unwrap();
    dir
}

/// A line of the journal: a change of this machine.
fn here(change: &str) -> String {
    format!("{{\"machine\":\"Local\",\"change\":{change}}}")
}

/// A process that waits, killed with the value.
struct Sleeper(Child);

impl Sleeper {
    fn start(run: &str, script: &str) -> Sleeper {
        let mut command = Command::new("sh");
        command.args(["-c", script, "sleeper"]).env("KVMFAIR_RUN", run);
        Sleeper::ready(&mut command)
    }

    /// Returns when the script has printed a line: a process that is only just being started has no environment that could be seen.
    fn ready(command: &mut Command) -> Sleeper {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        Sleeper(child)
    }

    fn lives(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Waits for the end of its stdin, which the test holds open.
const WAIT: &str = "echo; read -r _";

#[test]
fn nothing_to_clean_is_success() {
    let place = Sandbox::new();
    let clean = place.kvmfair(&["clean"]);
    assert!(clean.status.success());
    assert_eq!(clean.stdout, b"nothing to clean\n");
    assert_eq!(json_lines(&place.kvmfair(&["clean", "--json"]).stdout).len(), 2, "start and end only");
    assert!(!place.state().exists());
}

#[test]
fn a_journal_is_undone_and_processes_of_others_live_on() {
    let place = Sandbox::new();
    let tree = place.out().join("tree");
    fs::create_dir_all(tree.join("deep")).unwrap();
    let tree_line = here(&format!("{{\"tree\":{{\"path\":{tree:?}}}}}"));
    let torn = "{\"tree\":{\"path\":\"/";
    remains(
        &place,
        "abc234",
        &[
            here("\"processes\""),
            here("{\"guest_groups\":{\"name\":\"kf-abc234-g1\"}}"),
            tree_line,
            torn.into(),
        ]
        .join("\n"),
    );
    let (mut ours, mut other) = (Sleeper::start("abc234", WAIT), Sleeper::start("abc235", WAIT));
    let clean = place.kvmfair(&["clean"]);
    let said = String::from_utf8_lossy(&clean.stdout).into_owned();
    assert!(clean.status.success(), "{clean:?}");
    assert!(said.contains(&format!("ended process {}", ours.0.id())), "{said}");
    assert!(said.contains(&format!("removed {}", tree.display())), "{said}");
    assert!(!ours.lives() && other.lives() && !tree.exists());
    place.assert_nothing_left();
}

#[test]
fn each_value_that_is_written_back_is_told_once_and_one_that_went_with_its_device_is_not() {
    let place = Sandbox::new();
    fs::create_dir_all(place.out()).unwrap();
    let file = place.out().join("setting");
    fs::write(&file, "62").unwrap();
    let line = |path: &PathBuf, value: &str| {
        here(&format!("{{\"value\":{{\"path\":{path:?},\"value\":{value:?}}}}}")) + "\n"
    };
    let gone = line(&place.out().join("gone"), "1");
    remains(&place, "abc23b", &[line(&file, "60\n"), gone, line(&file, "60\n")].concat());
    let clean = place.kvmfair(&["clean"]);
    let told = format!("run abc23b\n  wrote 60 back into {}\n  nothing of it is left\n", file.display());
    assert_eq!(String::from_utf8_lossy(&clean.stdout), told);
    assert_eq!(fs::read_to_string(&file).unwrap(), "60\n");
}

#[test]
fn a_process_that_ignores_sigterm_is_killed() {
    let place = Sandbox::new();
    remains(&place, "abc236", &(here("\"processes\"") + "\n"));
    let mut stubborn = Sleeper::start("abc236", "trap '' TERM; echo; read -r _; read -r _");
    let clean = place.kvmfair(&["clean", "--json"]);
    let lines = json_lines(&clean.stdout);
    let cleaned = of_type(&lines, "cleaned");
    assert_eq!((cleaned[0]["run"].as_str(), cleaned[0]["error"].as_str()), (Some("abc236"), None));
    assert!(!stubborn.lives());
    place.assert_nothing_left();
}

#[test]
fn a_run_that_holds_its_lock_is_left_alone() {
    let place = Sandbox::new();
    let dir = remains(&place, "abc237", &(here("\"processes\"") + "\n"));
    let lock = File::open(dir.join("lock")).unwrap();
    lock.lock().unwrap();
    let mut of_run = Sleeper::start("abc237", WAIT);
    let clean = place.kvmfair(&["clean"]);
    let said = String::from_utf8_lossy(&clean.stdout).into_owned();
    assert!(clean.status.success() && said.contains("left alone: run abc237 is still running"), "{said}");
    assert!(of_run.lives() && dir.exists());
    drop(lock);
}

#[test]
fn directories_that_no_run_made_are_never_removed() {
    let place = Sandbox::new();
    for foreign in ["backup", "abc238", "data22"] {
        let dir = place.state().join(foreign);
        fs::create_dir_all(dir.join("precious")).unwrap();
        fs::write(dir.join("file"), "not ours").unwrap();
    }
    let clean = place.kvmfair(&["clean"]);
    assert_eq!((clean.status.code(), clean.stdout.as_slice()), (Some(0), b"nothing to clean\n".as_slice()));
    for foreign in ["backup", "abc238", "data22"] {
        assert_eq!(fs::read_dir(place.state().join(foreign)).unwrap().count(), 2, "{foreign}");
    }
}

#[test]
fn a_run_that_was_killed_before_its_first_change_is_cleaned() {
    let place = Sandbox::new();
    let dirs = ["abc239", "abc23z"].map(|id| remains(&place, id, ""));
    dirs.iter().for_each(|dir| fs::remove_file(dir.join("journal.jsonl")).unwrap());
    fs::remove_file(dirs[1].join("lock")).unwrap();
    assert!(place.kvmfair(&["clean"]).status.success());
    place.assert_nothing_left();
}

/// The eye that all tests of real guests rely on must not be blind.
#[test]
fn what_a_run_leaves_is_noticed() {
    crate::support::require_root();
    let place = Sandbox::new();
    remains(&place, "abc23y", "");
    place.note_runs();
    let mut command = Command::new("sh");
    command.args(["-c", WAIT]).env("KVMFAIR_STATE_DIR", place.state());
    let sleeper = Sleeper::ready(&mut command);
    let group = kvmfair::lab::clean::machine_cgroups()[0].with_file_name("kf-abc23y-g1");
    fs::create_dir(&group).unwrap();
    let left = place.left();
    fs::remove_dir(&group).unwrap();
    let process = format!("process {} (sh)", sleeper.0.id());
    let state = format!("file {}", place.state().join("abc23y").display());
    for trace in [process, state, format!("control group {}", group.display())] {
        assert!(left.contains(&trace), "{trace} is not in {left:?}");
    }
}

/// What a planted journal would remove.
fn tree_to_keep(place: &Sandbox) -> (PathBuf, String) {
    let tree = place.out().join("precious");
    fs::create_dir_all(tree.join("deep")).unwrap();
    let line = here(&format!("{{\"tree\":{{\"path\":{tree:?}}}}}")) + "\n";
    (tree, line)
}

#[test]
fn a_directory_that_another_user_can_have_written_is_refused_by_name_and_nothing_is_undone() {
    use std::os::unix::fs::{PermissionsExt, chown};
    crate::support::require_root();
    type Plant = fn(&std::path::Path);
    let plants: [(Plant, &str); 6] = [
        (|dir| chown(dir, Some(65534), None).unwrap(), "belongs to user 65534"),
        (|dir| fs::set_permissions(dir, PermissionsExt::from_mode(0o777)).unwrap(), "mode 0777"),
        (|dir| chown(dir.join("journal.jsonl"), Some(65534), None).unwrap(), "belongs to user 65534"),
        (
            |dir| fs::set_permissions(dir.join("journal.jsonl"), PermissionsExt::from_mode(0o666)).unwrap(),
            "mode 0666",
        ),
        (|dir| chown(dir.parent().unwrap(), Some(65534), None).unwrap(), "belongs to user 65534"),
        (
            |dir| {
                let real = dir.with_file_name("journal-elsewhere");
                fs::rename(dir.join("journal.jsonl"), &real).unwrap();
                std::os::unix::fs::symlink(real, dir.join("journal.jsonl")).unwrap();
            },
            "got a symbolic link",
        ),
    ];
    for (plant, words) in plants {
        let place = Sandbox::new();
        let (tree, line) = tree_to_keep(&place);
        let dir = remains(&place, "abc23k", &line);
        plant(&dir);
        let clean = place.kvmfair(&["clean"]);
        let said = String::from_utf8_lossy(&clean.stdout).into_owned();
        assert_eq!(clean.status.code(), Some(1), "{said}");
        assert!(said.contains(words) && said.contains(&place.state().display().to_string()), "{said}");
        assert!(said.contains("hint: ") || words.contains("link"), "{said}");
        assert!(tree.join("deep").exists() && dir.exists(), "{words}");
    }
}

#[test]
fn a_run_of_root_s_beside_a_planted_one_is_cleaned() {
    use std::os::unix::fs::chown;
    crate::support::require_root();
    let place = Sandbox::new();
    let (tree, line) = tree_to_keep(&place);
    let planted = remains(&place, "abc23p", &line);
    chown(&planted, Some(65534), None).unwrap();
    let own = remains(&place, "abc23q", "");
    assert_eq!(place.kvmfair(&["clean"]).status.code(), Some(1));
    assert!(tree.exists() && planted.exists() && !own.exists());
}
