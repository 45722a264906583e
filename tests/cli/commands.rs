//! The program as a shell sees it: arguments in, text and exit codes out. No guest is started.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::json::{json_lines, of_type};
use crate::support::{Sandbox, entries, name};
use assert_cmd::Command;
use kvmfair::profile::{HostFacts, load};
use serde_json::Value;

const BROKEN: &str = "[network]\nbackend = \"virtoi\"\n[workload]\nflows = 4\n";
const SMALL: &str =
    "[workload]\nflows = 4\nrepeats = 3\n[sweep]\nbackend = [\"virtio\", \"macvtap-vepa\"]\nvms = [1, 2]\n";

fn kvmfair(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kvmfair"));
    command.args(arguments);
    command
}

fn stdout(arguments: &[&str]) -> String {
    let output = kvmfair(arguments).assert().success().get_output().stdout.clone();
    String::from_utf8(output).unwrap()
}

#[test]
fn help_names_every_subcommand_and_every_exit_code() {
    let help = stdout(&["--help"]);
    for word in [
        "bench",
        "plan",
        "check",
        "doctor",
        "report",
        "export",
        "chart",
        "compare",
        "merge",
        "clean",
        "image",
        "profile",
        "schema",
        "completions",
        "man",
    ] {
        assert!(help.lines().any(|line| line.trim_start().starts_with(word)), "{word} is not in {help}");
        assert!(stdout(&[word, "--help"]).contains("Usage: kvmfair"), "{word}");
    }
    let codes = help.split_once("Exit codes:").expect("exit codes").1;
    for code in ["0  success", "1  ", "2  wrong arguments", "3  invalid profile", "4  ", "5  ", "130  "] {
        assert!(codes.lines().any(|line| line.trim_start().starts_with(code)), "{code} is not in {codes}");
    }
    assert!(help.contains("NO_COLOR") && help.contains("KVMFAIR_STATE_DIR"));
}

/// libvirt and its forty libraries would triple the time of every command, and would have to be installed for each. A function of libvirt
/// that is newly used needs its line in `src/libvirt/library.rs`.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[test]
fn the_program_starts_without_libvirt() {
    let output = Command::new("readelf").args(["-d", env!("CARGO_BIN_EXE_kvmfair")]).assert().success();
    let libraries = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    assert!(libraries.contains("libc.so") && !libraries.contains("libvirt"), "{libraries}");
}

#[test]
fn arguments_that_nobody_knows_end_with_2() {
    for arguments in [&["--no-such-option"][..], &["bensh"], &["bench"], &["plan", "a", "b"], &[]] {
        let output = kvmfair(arguments).assert().code(2).get_output().stderr.clone();
        assert!(String::from_utf8_lossy(&output).contains("Usage"), "{arguments:?}");
    }
}

#[test]
fn a_new_profile_can_be_planned_and_is_never_overwritten() {
    let place = Sandbox::new();
    let new = place.kvmfair(&["profile", "new", "mine"]);
    assert!(new.status.success() && String::from_utf8_lossy(&new.stdout).contains("kvmfair plan mine.toml"));
    assert!(place.kvmfair(&["plan", "mine.toml"]).status.success());
    let again = place.kvmfair(&["profile", "new", "mine.toml"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("failed to create mine.toml"), "{again:?}");
}

#[test]
fn a_profile_with_a_name_that_no_file_should_have_is_not_made() {
    let place = Sandbox::new();
    for bad in ["My Lab", "räume", "UPPER.toml", "a_b", "./-x"] {
        let output = place.kvmfair(&["profile", "new", bad]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.code() == Some(1) && said.contains("the name of a profile must be"),
            "{bad}: {said}"
        );
        assert!(!said.contains("panicked"), "{said}");
    }
    assert_eq!(entries(place.out().parent().unwrap()).len(), 1); // the directory for temporary files
}

#[test]
fn schema_completions_and_manual_are_printed() {
    let schema: Value = serde_json::from_str(&stdout(&["schema", "profile"])).unwrap();
    assert!(schema["properties"]["workload"].is_object());
    for shell in ["bash", "zsh", "fish"] {
        assert!(stdout(&["completions", shell]).contains("kvmfair"), "{shell}");
    }
    let manual = stdout(&["man"]);
    assert!(manual.contains(".TH kvmfair 1") && manual.contains("bench"));
}

#[test]
fn a_plan_shows_every_trial_as_text_and_as_json() {
    let place = Sandbox::new();
    let profile = place.profile("small", SMALL);
    let text = stdout(&["plan", &profile]);
    assert!(text.contains("12 trials (4 configurations x 3 repeats)"), "{text}");
    assert_eq!(
        text.lines().filter(|line| line.trim_start().starts_with(|c: char| c.is_ascii_digit())).count(),
        13
    );
    let costs = text.lines().skip_while(|line| !line.trim_start().starts_with("set-up step")).skip(1);
    let kinds: Vec<&str> = costs.filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(kinds[0], "boot", "the longest comes first: {text}");
    let lines = json_lines(stdout(&["plan", "--json", &profile]).as_bytes());
    let trials = of_type(&lines, "planned_trial");
    assert_eq!(trials.len(), 12);
    assert!(trials.iter().all(|trial| trial["vms"].is_u64() && trial["backend"].is_string()));
    let numbers: Vec<u64> = trials.iter().map(|trial| trial["trial"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=12).collect::<Vec<_>>());
}

#[test]
fn a_plan_counts_in_words_and_says_where_a_limit_ends_the_run() {
    let place = Sandbox::new();
    let of = |repeats: u32, total: &str| {
        let workload = format!("[workload]\nflows = 4\nrepeats = {repeats}\n");
        let backend = "[network]\nbackend = \"virtio\"\n";
        stdout(&[
            "plan",
            &place.profile("one", &format!("{workload}{backend}[limits]\ntotal = \"{total}\"\n")),
        ])
    };
    let one = of(1, "2 h");
    assert!(one.contains("1 trial (1 configuration x 1 repeat), about"), "{one}");
    assert!(!one.contains("[limits]"), "{one}");
    let cut = of(9, "100 s");
    assert!(cut.contains("[limits] total of 1 min 40 s ends the run after about trial 3: "), "{cut}");
}

#[test]
fn a_plan_shows_the_xml_of_every_guest() {
    let place = Sandbox::new();
    let xml = stdout(&["plan", "--xml", &place.profile("small", SMALL)]);
    let wrapped = format!("<all>{xml}</all>");
    let document = roxmltree::Document::parse(&wrapped).unwrap();
    let text = |node: roxmltree::Node, tag: &str| {
        node.children().find(|child| child.has_tag_name(tag)).unwrap().text().unwrap().to_owned()
    };
    let domains = document.root_element().children().filter(|node| node.has_tag_name("domain"));
    let names: Vec<String> = domains.clone().map(|domain| text(domain, "name")).collect();
    assert_eq!(names, ["kf-RUN-g1", "kf-RUN-g2", "kf-RUN-g1", "kf-RUN-g2"]);
    assert!(
        domains
            .clone()
            .all(|domain| domain.descendants().filter(|n| n.has_tag_name("interface")).count() == 2)
    );
    for backend in ["virtio", "macvtap-vepa"] {
        assert_eq!(xml.matches(&format!("<!-- backend {backend}, guest")).count(), 2);
    }
}

#[test]
fn check_names_what_it_looked_at_and_every_failure_has_a_fix() {
    let place = Sandbox::new();
    let output = place.kvmfair(&["check", "--json", &place.profile("small", SMALL)]);
    let lines = json_lines(&output.stdout);
    let findings = of_type(&lines, "finding");
    let what = |word: &str| findings.iter().any(|finding| finding["what"].as_str().unwrap().contains(word));
    assert!(["rights", "netperf", "qemu", "macvtap"].into_iter().all(what), "{findings:?}");
    let passed = findings.iter().all(|finding| finding["fix"].is_null());
    assert_eq!(lines.last().unwrap()["exit_code"], if passed { 0 } else { 4 });
    assert_eq!(output.status.code(), Some(if passed { 0 } else { 4 }));
}

#[test]
fn nics_that_cannot_carry_the_wire_are_refused_before_anything_is_made_each_with_its_fix() {
    let place = Sandbox::new();
    let wire = "[wire]\nhost_dev = \"no-such-nic\"\ntester_dev = \"lo\"\n";
    let profile =
        place.profile("wire", &format!("{wire}[workload]\nflows = 2\n[network]\nbackend = \"sr-iov\"\n"));
    let checked = place.kvmfair(&["check", &profile]);
    assert_eq!(checked.status.code(), Some(4));
    let said = String::from_utf8(checked.stdout).unwrap();
    assert!(said.contains("there is no interface no-such-nic; there are:"), "{said}");
    assert!(
        said.contains("lo is a virtual interface; the embedded lab's wire needs a physical NIC"),
        "{said}"
    );
    assert_eq!(said.matches("missing").count(), said.matches("fix:").count(), "{said}");
    assert_eq!(place.kvmfair(&["bench", &profile]).status.code(), Some(4));
    assert_eq!(place.runs(), Vec::<PathBuf>::new());
}

#[test]
fn backends_of_real_nics_ask_for_them() {
    let place = Sandbox::new();
    for backend in ["sr-iov", "sr-iov-macvtap", "pci-passthrough", "vdpa"] {
        let profile =
            place.profile(backend, &format!("[workload]\nflows = 2\n[network]\nbackend = \"{backend}\"\n"));
        let said = String::from_utf8(place.kvmfair(&["check", &profile]).stdout).unwrap();
        assert!(said.contains("fix: name the NICs: [wire] host_dev"), "{said}");
    }
}

#[test]
fn a_directory_that_is_no_run_is_named_in_the_error() {
    let place = Sandbox::new();
    for (path, why) in
        [(".", ". is not a run directory"), ("no/such/directory", "there is no directory no/such/directory")]
    {
        let output = place.kvmfair(&["report", path]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1));
        assert!(said.contains(why) && said.contains("hint"), "{said}");
    }
}

#[test]
fn an_invalid_profile_ends_with_3_and_names_file_line_and_column() {
    let place = Sandbox::new();
    let profile = place.profile("broken", BROKEN);
    for command in ["plan", "check", "bench"] {
        let output = place.kvmfair(&[command, &profile]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(3), 0), "{command}: {said}");
        assert!(said.contains(&format!("{profile}:4:11")), "{said}");
        assert!(said.contains("virtoi") && said.contains("`virtio`"), "{said}");
    }
}

#[test]
fn an_invalid_profile_is_described_to_scripts_with_line_and_column() {
    let place = Sandbox::new();
    let output = place.kvmfair(&["--json", "plan", &place.profile("broken", BROKEN)]);
    assert_eq!(output.status.code(), Some(3));
    let lines = json_lines(&output.stdout);
    let mistake = &lines.last().unwrap()["diagnostics"][0];
    assert_eq!((mistake["line"].as_u64(), mistake["column"].as_u64()), (Some(4), Some(11)), "{lines:?}");
    assert!(mistake["message"].is_string() && mistake["hint"].is_string(), "{lines:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("broken.toml:4:11"), "people read it, too");
}

#[test]
fn there_are_no_colours_where_nobody_sees_them_or_where_they_are_not_wanted() {
    let place = Sandbox::new();
    let (broken, small) = (place.profile("broken", BROKEN), place.profile("small", SMALL));
    for arguments in [["plan", &broken], ["plan", &small]] {
        for value in ["", "1"] {
            let output = place.command(&arguments).env("NO_COLOR", value).output().unwrap();
            let all = [output.stdout, output.stderr].concat();
            assert!(!all.contains(&0x1b), "{}", String::from_utf8_lossy(&all));
        }
    }
}

#[test]
fn a_reader_that_goes_away_is_no_reason_to_panic() {
    let place = Sandbox::new();
    let profile = place.profile("small", SMALL);
    for arguments in
        [&["plan", &profile][..], &["plan", "--xml", &profile], &["schema", "profile"], &["--help"], &["man"]]
    {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = place.command(arguments).stdout(writer).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && said.is_empty(), "{arguments:?}: {output:?}");
    }
}

/// Profiles that ask for more memory than the machine has are only broken where that is so.
fn broken_here() -> Vec<PathBuf> {
    let all = entries(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/profiles/broken"));
    let memory_mib = procfs_memory_mib();
    let refused = |path: &PathBuf| load(path, HostFacts { memory_mib, cpus: 1 }).is_err();
    let profiles = all.into_iter().filter(|path| path.extension().is_some_and(|end| end == "toml"));
    profiles.filter(|path| !name(path).contains("beyond-the-host") || refused(path)).collect()
}

fn procfs_memory_mib() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap();
    text.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() >> 10
}

#[test]
fn every_broken_profile_is_refused_by_bench_before_anything_is_made() {
    let place = Sandbox::new();
    let profiles = broken_here();
    assert!(profiles.len() >= 30);
    for profile in profiles {
        let output = place.kvmfair(&["bench", profile.to_str().unwrap(), "--out", "runs"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{}: {said}", profile.display());
        assert!(!said.contains("panicked") && said.contains(&name(&profile)), "{said}");
        assert!(output.stdout.is_empty());
    }
    assert!(!place.out().exists() && !place.state().exists());
    place.assert_nothing_left();
}

/// A profile on standard input, by the argument `-`.
fn on_stdin(arguments: &[&str], profile: &[u8]) -> std::process::Output {
    let place = Sandbox::new();
    let mut command = Command::from_std(place.command(arguments));
    command.write_stdin(profile).output().unwrap()
}

#[test]
fn a_dash_reads_the_profile_from_standard_input() {
    let text = kvmfair::profile::shipped::shipped("quickstart").unwrap().as_bytes();
    let planned = on_stdin(&["plan", "-"], text);
    let printed = String::from_utf8_lossy(&planned.stdout).into_owned();
    assert!(planned.status.success() && printed.starts_with("quickstart: "), "{planned:?}");
    let broken = format!("schema = 1\nname = \"x\"\n{BROKEN}");
    for command in ["plan", "check", "bench"] {
        let refused = on_stdin(&[command, "-"], broken.as_bytes());
        let printed = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(3), "{command}: {printed}");
        assert!(printed.contains("<stdin>:4:11"), "{command}: {printed}");
    }
    assert_eq!(on_stdin(&["plan", "-"], &[0xff]).status.code(), Some(3));
}

#[test]
fn arguments_that_are_not_utf_8_are_refused_and_never_panic() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    for command in ["plan", "check", "bench", "report", "doctor"] {
        for json in [false, true] {
            let mut program = kvmfair(if json { &["--json"] } else { &[] });
            let output = program.arg(command).arg(OsStr::from_bytes(b"caf\xe9.toml")).output().unwrap();
            let printed = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(2), "{command}: {printed}");
            assert!(printed.contains("invalid UTF-8"), "{command}: {printed}");
        }
    }
}

#[test]
fn shipped_profiles_are_listed_and_copied_from_the_program_itself() {
    let place = Sandbox::new();
    let listed = stdout(&["profile", "list"]);
    assert!(listed.lines().any(|line| line.starts_with("asada-backends ")), "{listed}");
    let lines = json_lines(stdout(&["profile", "list", "--json"]).as_bytes());
    assert_eq!(of_type(&lines, "profile").len(), listed.lines().count());
    assert!(place.kvmfair(&["profile", "new", "--from", "quickstart"]).status.success());
    let copy = fs::read_to_string(place.out().parent().unwrap().join("quickstart.toml")).unwrap();
    assert_eq!(Some(copy.as_str()), kvmfair::profile::shipped::shipped("quickstart"));
    assert!(place.kvmfair(&["profile", "new", "--from", "quickstart", "mine.toml"]).status.success());
    let planned = place.kvmfair(&["plan", "mine.toml"]);
    assert!(String::from_utf8_lossy(&planned.stdout).starts_with("mine: "), "{planned:?}");
    let unknown = place.kvmfair(&["profile", "new", "--from", "quickstat"]);
    let printed = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(unknown.status.code() == Some(1) && printed.contains("did you mean `quickstart`?"), "{printed}");
}
