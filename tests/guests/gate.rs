//! The gate with real guests: an unchanged profile is never worse, less bandwidth is, and another profile is not comparable.

use std::fs;
use std::path::Path;

use crate::support::Sandbox;

/// A guest with so much bandwidth, new in each block: a token bucket gives its rate.
fn body(bandwidth: &str) -> String {
    format!(
        "[guest]\nmemory = \"96 MiB\"\n[network]\nbackend = \"virtio\"\n\
         [workload]\nflows = 1\nrequest = \"4 KiB\"\nwarmup = \"1 s\"\nwindow = \"4 s\"\ncooldown = \"500 ms\"\ninterval = \"200 ms\"\n\
         repeats = 5\n\
         [plan]\nreprovision = \"block\"\n[limits]\ntrial_attempts = 3\n\
         [gate]\nmetrics = [\"total_rate_tps 10 %\"]\nmax_blocks = 5\n\
         [[group]]\nname = \"held\"\nguests = 1\nbandwidth = \"{bandwidth}\"\n"
    )
}

/// How a gate ends, and what it prints.
fn gate(place: &Sandbox, profile: &str, baseline: &Path, more: &[&str]) -> (i32, String) {
    let line = [&["gate", profile, "--baseline", baseline.to_str().unwrap()], more].concat();
    let ended = place.start(place.command(&line)).end();
    place.assert_nothing_left();
    (ended.code.unwrap(), format!("{}\n{}", ended.said(), ended.stdout))
}

#[test]
#[ignore = "fifteen boots: minutes; run with --ignored"]
fn an_unchanged_profile_is_never_worse_and_a_cap_cut_by_a_fifth_is_worse_and_named() {
    let place = Sandbox::with_guests();
    let profile = place.profile("held", &body("1 Mbit"));
    place.bench(&profile).end().expect(0);
    place.assert_nothing_left();
    let baseline = place.out().with_file_name("held.jsonl");
    let run = place.only_run();
    let made =
        place.kvmfair(&["baseline", "make", run.to_str().unwrap(), "--out", baseline.to_str().unwrap()]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));

    let (code, text) = gate(&place, &profile, &baseline, &[]);
    assert!([0, 7].contains(&code), "code {code}: {text}");
    assert!(text.contains("the smallest change this gate can see is"), "{text}");

    let slower = place.profile("held", &body("800 kbit"));
    let (code, text) = gate(&place, &slower, &baseline, &[]);
    assert!(code == 8 && text.contains("profile.groups was"), "code {code}: {text}");
    let junit = place.out().with_file_name("gate.xml");
    let allowed =
        ["--allow", "profile.groups", "--junit", junit.to_str().unwrap(), "--annotations", "github"];
    let (code, text) = gate(&place, &slower, &baseline, &allowed);
    assert_eq!(code, 6, "{text}");
    assert!(text.contains("gate: worse") && text.contains("::error file="), "{text}");
    let cases = fs::read_to_string(junit).unwrap();
    assert!(cases.contains("<failure type=\"worse\"") && cases.contains("Total rate"), "{cases}");
}
