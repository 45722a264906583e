//! The shell of the CI examples with real guests; what needs none is executed in `tests/cli/ci_examples.rs`.

use std::fs;

use crate::support::ci::shell;
use crate::support::tables::rows;
use crate::support::{Sandbox, entries};

/// One guest, new in each block, and a gate of few blocks.
fn body(repeats: u32) -> String {
    format!(
        "[guest]\nmemory = \"96 MiB\"\n[network]\nbackend = \"virtio\"\n\
         [workload]\nflows = 1\nwarmup = \"500 ms\"\nwindow = \"2 s\"\ncooldown = \"500 ms\"\ninterval = \"250 ms\"\n\
         repeats = {repeats}\n[plan]\nreprovision = \"block\"\n[limits]\ntrial_attempts = 3\n\
         [gate]\nmetrics = [\"total_rate_tps 30 %\"]\nmax_blocks = 5\n"
    )
}

/// A directory like that of a CI job, with the lab's profile.
fn workspace(place: Sandbox, repeats: u32) -> Sandbox {
    let lab = place.out().with_file_name("lab");
    fs::create_dir(&lab).unwrap();
    fs::rename(place.profile("nightly", &body(repeats)), lab.join("nightly.toml")).unwrap();
    place
}

#[test]
#[ignore = "fifteen boots: minutes; run with --ignored"]
fn the_jobs_of_jenkins_and_gitlab_check_gate_and_clean() {
    let place = workspace(Sandbox::with_guests(), 5);
    place.bench("lab/nightly.toml").end().expect(0);
    let run = place.only_run();
    let make = ["baseline", "make", run.to_str().unwrap(), "--out", "lab/nightly.baseline.jsonl"];
    assert!(place.kvmfair(&make).status.success());
    for job in ["Jenkinsfile", "gitlab-ci.yml"] {
        let mut script = place.shell(&format!("set -e\n{}", shell(job, 1)));
        script.envs([("PROFILE", "lab/nightly.toml"), ("BASELINE", "lab/nightly.baseline.jsonl")]);
        let ended = place.start(script).end();
        println!("{job}: {}", ended.said());
        assert!(
            [Some(0), Some(7)].contains(&ended.code),
            "an unchanged host is never worse: {}",
            ended.said()
        );
        place.assert_nothing_left();
        let junit = place.out().with_file_name("junit.xml");
        assert!(fs::read_to_string(&junit).unwrap().contains("<testcase"), "{job}");
        fs::remove_file(junit).unwrap();
    }
}

#[test]
fn the_matrix_of_github_measures_each_part_and_joins_them() {
    let place = workspace(Sandbox::with_steady_settings(), 3);
    for part in 1..=3 {
        let script = shell("github-actions.yml", part);
        let bench = script.lines().find(|line| line.starts_with("kvmfair bench --partition ")).unwrap();
        place.start(place.shell(bench)).end().expect(0);
        place.assert_nothing_left();
    }
    let script = shell("github-actions.yml", 1);
    let merge = script.lines().find(|line| line.starts_with("kvmfair merge ")).unwrap();
    let merged = place.shell(merge).output().unwrap();
    assert!(merged.status.success(), "{merged:?}");
    let run = entries(&place.out().with_file_name("merged")).remove(0);
    assert_eq!(rows(&run, "trials.csv").iter().filter(|trial| trial["outcome"] == "measured").count(), 3);
}

#[test]
fn the_nightly_service_measures_and_cleans() {
    let place = workspace(Sandbox::beside_others(), 1);
    let lab = place.out().with_file_name("lab");
    let script = shell("kvmfair-nightly.service", 1).replace("/srv/kvmfair", lab.to_str().unwrap());
    place.start(place.shell(&format!("set -e\n{script}"))).end().expect(0);
    place.assert_nothing_left();
    assert!(entries(&lab.join("runs"))[0].join("report.md").exists());
}
