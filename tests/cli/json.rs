//! `--json` of every command: each line has a type and follows `kvmfair schema events`; errors and refusals too.

use clap::CommandFactory;
use kvmfair::cli::Cli;

use crate::support::Sandbox;
use crate::support::json::{json_lines, of_type};

const SMALL: &str = "[workload]\nflows = 4\nrepeats = 3\n[sweep]\nbackend = [\"virtio\", \"e1000\"]\n";

/// A line of each command that ends well here, or with what this machine lacks.
fn every_command(profile: &str) -> Vec<Vec<&str>> {
    vec![
        vec!["plan", profile],
        vec!["plan", "--xml", profile],
        vec!["check", profile],
        vec!["doctor"],
        vec!["clean"],
        vec!["image", "list"],
        vec!["profile", "list"],
        vec!["profile", "new", "mine"],
        vec!["schema", "events"],
        vec!["completions", "bash"],
        vec!["man"],
    ]
}

#[test]
fn every_command_prints_typed_lines_from_start_to_end() {
    let place = Sandbox::new();
    let profile = place.profile("small", SMALL);
    for arguments in every_command(&profile) {
        let output = place.kvmfair(&[&["--json"], &arguments[..]].concat());
        let lines = json_lines(&output.stdout);
        let (first, last) = (&lines[0], lines.last().unwrap());
        assert_eq!((&first["type"], &first["schema"]), (&"start".into(), &1.into()), "{arguments:?}");
        assert_eq!(first["command"], arguments[0]);
        assert_eq!(last["type"], "end", "{arguments:?}: {lines:?}");
        assert_eq!(last["exit_code"].as_i64(), output.status.code().map(i64::from), "{arguments:?}");
    }
}

#[test]
fn errors_and_refusals_of_every_command_are_the_last_line() {
    let place = Sandbox::new();
    let broken = place.profile("broken", "[network]\nbackend = \"virtoi\"\n[workload]\nflows = 4\n");
    let wire = "[wire]\nhost_dev = \"no-such-nic\"\ntester_dev = \"lo\"\n";
    let wire =
        place.profile("wire", &format!("{wire}[workload]\nflows = 2\n[network]\nbackend = \"sr-iov\"\n"));
    let mut refused: Vec<(Vec<&str>, i32)> =
        ["plan", "check", "bench", "doctor"].map(|name| (vec![name, &broken], 3)).into();
    refused.push((vec!["bench", &wire], 4));
    refused.extend([
        (vec!["report", "no/such/run"], 1),
        (vec!["export", "no/such/run"], 1),
        (vec!["compare", "no/such/run", "."], 1),
        (vec!["profile", "new", "small.toml/x"], 1),
        (vec!["bench", "--resume", "no/such/run"], 1),
    ]);
    let mut root = Cli::command();
    root.build();
    let names: Vec<String> = root.get_subcommands().map(|one| one.get_name().to_owned()).collect();
    for name in names.iter().filter(|name| *name != "help") {
        refused.push((vec![name, "--no-such-option"], 2));
    }
    for (arguments, code) in refused {
        let output = place.kvmfair(&[&["--json"], &arguments[..]].concat());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
        let lines = json_lines(&output.stdout);
        let last = lines.last().unwrap();
        assert_eq!((&last["type"], last["exit_code"].as_i64()), (&"error".into(), Some(code.into())));
        assert!(last["message"].as_str().is_some_and(|message| !message.is_empty()), "{last}");
        assert_eq!(of_type(&lines, "error").len(), 1);
        assert!(!output.stderr.is_empty(), "people read it on standard error");
    }
    assert!(place.runs().is_empty(), "a run that is refused leaves no directory");
}

#[test]
fn a_refused_run_names_its_directory_first_and_what_is_missing_before_the_error() {
    let place = Sandbox::new();
    let wire =
        "[wire]\nhost_dev = \"no-such-nic\"\ntester_dev = \"lo\"\n[workload]\nflows = 2\nrepeats = 3\n";
    let profile = place.profile("wire", &format!("{wire}[network]\nbackend = \"sr-iov\"\n"));
    let lines = json_lines(&place.kvmfair(&["bench", "--json", &profile]).stdout);
    assert_eq!((&lines[0]["type"], &lines[0]["trials"]), (&"start".into(), &3.into()));
    let directory = lines[0]["directory"].as_str().unwrap();
    assert!(directory.ends_with(lines[0]["run"].as_str().unwrap()) && directory.starts_with('/'));
    let findings = of_type(&lines, "finding");
    assert!(!findings.is_empty() && findings.iter().all(|finding| finding["fix"].is_string()));
}

#[test]
fn help_and_version_are_text_lines() {
    let place = Sandbox::new();
    for arguments in [["--json", "--help"], ["--json", "--version"]] {
        let output = place.kvmfair(&arguments);
        assert_eq!(output.status.code(), Some(0));
        assert!(json_lines(&output.stdout)[0]["text"].as_str().unwrap().contains("kvmfair"));
    }
}

#[test]
fn docs_describe_every_type_of_line_and_every_key() {
    let output = Sandbox::new().kvmfair(&["schema", "events"]);
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/json.md")).unwrap();
    for event in schema["oneOf"].as_array().unwrap() {
        let kind = event["properties"]["type"]["const"].as_str().unwrap();
        assert!(docs.contains(&format!("| `{kind}` |")), "{kind} is not in docs/json.md");
        let own = event["$ref"].as_str().map(|path| &schema["$defs"][path.rsplit('/').next().unwrap()]);
        let keys = own.and_then(|own| own["properties"].as_object()).into_iter().flat_map(|keys| keys.keys());
        for key in keys {
            assert!(docs.contains(&format!("`{key}`")), "{kind}.{key} is not in docs/json.md");
        }
    }
}
