//! `kvmfair gate` and `kvmfair baseline` of finished runs: each verdict with its exit code, and what CI reads.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::Sandbox;
use crate::support::finished::{Finished, QUIET, SMALL};
use crate::support::json::{json_lines, of_type};

/// A place with a profile and the baseline of a quiet run of it.
struct Lab {
    place: Sandbox,
    profile: String,
}

impl Lab {
    fn new() -> Lab {
        let place = Sandbox::new();
        let profile = place.profile("small", SMALL);
        let lab = Lab { place, profile };
        let run = lab.run(QUIET);
        let made = lab.place.kvmfair(&["baseline", "make", &run, "--out", &lab.file("b.jsonl")]);
        assert!(made.status.success(), "{made:?}");
        lab
    }

    fn file(&self, name: &str) -> String {
        self.place.out().with_file_name(name).display().to_string()
    }

    fn run(&self, finished: Finished) -> String {
        finished.write(Path::new(&self.profile), &self.place.out()).display().to_string()
    }

    /// How `gate` ends for a finished run: exit code, standard output and error.
    fn gate(&self, finished: Finished, more: &[&str]) -> (i32, String) {
        let run = self.run(finished);
        let (baseline, fixed) = (self.file("b.jsonl"), ["gate", &self.profile, "--baseline"]);
        let output = self.place.kvmfair(&[&fixed[..], &[&baseline, "--run", &run], more].concat());
        (output.status.code().unwrap(), text(&output))
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[track_caller]
fn assert_valid_junit(path: &str) -> String {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/junit.xsd");
    let checked = Command::new("xmllint").args(["--noout", "--nonet", "--schema", schema, path]).output();
    let checked = checked.expect("xmllint is installed (hint: .ci/install)");
    assert!(checked.status.success(), "{}", text(&checked));
    fs::read_to_string(path).unwrap()
}

#[test]
fn each_verdict_has_its_exit_code() {
    let lab = Lab::new();
    let slower = Finished { rate: 800.0, ..QUIET };
    let faster = Finished { rate: 1200.0, ..QUIET };
    let noisy = Finished { noise: 0.2, ..QUIET };
    let failed = Finished { fails: true, ..QUIET };
    for (run, code, words) in [
        (QUIET, 0, "gate: pass"),
        (faster, 0, "better"),
        (slower, 6, "gate: worse"),
        (noisy, 7, "gate: inconclusive"),
        (failed, 0, "guest 2 did not boot"),
    ] {
        let (found, text) = lab.gate(run, &[]);
        assert_eq!(found, code, "{words}: {text}");
        assert!(text.contains(words) && text.contains("smallest change this gate can see"), "{text}");
    }
    assert_eq!(lab.place.runs().len(), 6, "a gate of finished runs makes none");
}

#[test]
fn a_run_without_two_boots_has_failed() {
    let lab = Lab::new();
    let profile = SMALL.replace("repeats = 6", "repeats = 1");
    let single = Lab { profile: lab.place.profile("small", &profile), place: lab.place };
    let (code, text) = single.gate(Finished { fails: true, ..QUIET }, &["--allow", "profile"]);
    assert_eq!(code, 5, "{text}");
}

#[test]
fn a_run_under_another_kernel_is_not_comparable_until_that_is_allowed() {
    let lab = Lab::new();
    let newer = Finished { kernel: "6.12.0", ..QUIET };
    let (code, text) = lab.gate(newer, &[]);
    assert!(code == 8 && text.contains("6.1.0") && text.contains("6.12.0"), "{code}: {text}");
    assert!(text.contains("--allow kernel"), "{text}");
    let (code, text) = lab.gate(newer, &["--allow", "kernel"]);
    assert_eq!(code, 0, "{text}");
}

#[test]
fn ci_reads_junit_markdown_annotations_and_json() {
    let lab = Lab::new();
    let (junit, markdown) = (lab.file("gate.xml"), lab.file("gate.md"));
    let outputs = ["--junit", &junit, "--markdown", &markdown, "--annotations", "github", "--json"];
    let run = lab.run(Finished { rate: 800.0, ..QUIET });
    let fixed = ["gate", &lab.profile, "--baseline", &lab.file("b.jsonl"), "--run", &run];
    let output = lab.place.kvmfair(&[&fixed[..], &outputs].concat());
    assert_eq!(output.status.code(), Some(6), "{}", text(&output));
    let cases = assert_valid_junit(&junit);
    assert!(cases.contains("<failure type=\"worse\"") && cases.contains("Total rate"), "{cases}");
    let summary = fs::read_to_string(&markdown).unwrap();
    assert!(summary.contains("worse") && summary.contains("| "), "{summary}");
    let annotations = String::from_utf8_lossy(&output.stderr).into_owned();
    let annotations: Vec<&str> = annotations.lines().filter(|line| line.starts_with("::error ")).collect();
    assert!(!annotations.is_empty() && annotations.len() <= 10, "{annotations:?}");
    assert!(annotations.iter().all(|line| line.contains("small.toml,line=")), "{annotations:?}");
    let lines = json_lines(&output.stdout);
    let (outcome, compared) = (&of_type(&lines, "gate")[0]["outcome"], of_type(&lines, "comparison"));
    assert_eq!((outcome.as_str(), lines.last().unwrap()["exit_code"].as_i64()), (Some("worse"), Some(6)));
    assert!(compared.iter().any(|one| one["verdict"] == "worse" && one["metric"] == "total_rate_tps"));
    lab.gate(Finished { noise: 0.2, ..QUIET }, &["--junit", &junit]);
    assert!(assert_valid_junit(&junit).contains("<skipped"));
}

#[test]
fn a_baseline_is_shown_and_an_accepted_loss_passes_until_it_grows() {
    let lab = Lab::new();
    let (file, slower) = (lab.file("b.jsonl"), Finished { rate: 800.0, ..QUIET });
    let lines = fs::read_to_string(&file).unwrap();
    let reference = lines.lines().find(|line| line.contains("\"type\":\"reference\"")).unwrap();
    let reference: serde_json::Value = serde_json::from_str(reference).unwrap();
    let id = reference["configuration"].as_str().unwrap();
    let run = lab.run(slower);
    for metric in reference["metrics"].as_object().unwrap().keys() {
        let line = ["baseline", "accept", &file, id, metric, "--run", &run, "--reason", "bug 4711"];
        let accepted = lab.place.kvmfair(&line);
        assert!(accepted.status.success(), "{}", text(&accepted));
    }
    let shown = text(&lab.place.kvmfair(&["baseline", "show", &file]));
    assert!(shown.contains("total_rate_tps") && shown.contains("bug 4711"), "{shown}");
    let (code, text) = lab.gate(slower, &[]);
    assert!(code == 0 && text.contains("bug 4711"), "{code}: {text}");
    assert_eq!(lab.gate(Finished { rate: 640.0, ..QUIET }, &[]).0, 6);
}

#[test]
fn a_merged_run_is_reported_compared_and_gated_and_not_resumed() {
    let lab = Lab::new();
    let parts =
        ["1/3", "2/3", "3/3"].map(|part| lab.run(Finished { name: "part", part: Some(part), ..QUIET }));
    let merge = |runs: &[&str], out: &str| {
        let output = lab.place.kvmfair(&[&["merge", "--out", out], runs].concat());
        assert!(output.status.success(), "{}", text(&output));
        let mut made: Vec<PathBuf> = crate::support::entries(Path::new(out));
        made.pop().unwrap().display().to_string()
    };
    let two = merge(&[&parts[0], &parts[1]], &lab.file("two"));
    let all = merge(&[&two, &parts[2]], &lab.file("all"));
    let whole = lab.run(Finished { name: "whole", ..QUIET });
    for arguments in [
        vec!["report", &all],
        vec!["compare", &whole, &all],
        vec!["gate", &lab.profile, "--baseline", &lab.file("b.jsonl"), "--run", &all],
    ] {
        let output = lab.place.kvmfair(&arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output));
    }
    let resumed = lab.place.kvmfair(&["bench", "--resume", &all]);
    assert_eq!(resumed.status.code(), Some(1));
    assert!(
        text(&resumed).contains("is a merged run, which cannot be resumed (hint: "),
        "{}",
        text(&resumed)
    );
    fs::remove_file(Path::new(&parts[0]).join("plan.json")).unwrap();
    for arguments in [vec!["bench", "--resume", &parts[0]], vec!["merge", &parts[0], &parts[1]]] {
        let refused = text(&lab.place.kvmfair(&arguments));
        assert!(refused.contains("is incomplete: it has no plan.json (hint: "), "{refused}");
    }
}

/// Prints how long it takes; `cargo test --test cli -- --ignored --nocapture ten_thousand`.
#[test]
#[ignore = "writes 20,000 trials"]
fn two_runs_of_ten_thousand_trials_are_compared() {
    let place = Sandbox::new();
    let body = SMALL.replace("repeats = 6", "repeats = 500").replace("vms = 2\n", "");
    let body = body.replace("backend = \"virtio\"", "").replace("[network]\n", "");
    let sweep = "[sweep]\nbackend = [\"virtio\", \"e1000\"]\nvms = [1, 2]\nburst = [0, 1, 2, 3, 4]\n";
    let profile = PathBuf::from(place.profile("large", &format!("{body}{sweep}")));
    let runs = [1000.0, 950.0].map(|rate| Finished { rate, ..QUIET }.write(&profile, &place.out()));
    let [base, new] = runs.map(|run| run.display().to_string());
    let begun = std::time::Instant::now();
    let output = place.kvmfair(&["compare", &base, &new]);
    println!("compared in {:.2} s", begun.elapsed().as_secs_f64());
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("inconclusive") || text(&output).contains("same"), "{}", text(&output));
}
