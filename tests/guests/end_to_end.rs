//! Real guests, measured by the real program: what it stores is there, and agrees with itself.
//!
//! Needs root and the packages of a measuring machine; fails without. Nothing here asserts a speed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::json::{json_lines, of_type};
use crate::support::tables::{Row, number, raw_trials, rows};
use crate::support::{Sandbox, entries, name};
use kvmfair::plan;
use kvmfair::profile::{Factor, HostFacts, load};
use kvmfair::raw::{Accel, Check, Stage};
use kvmfair::results::RunDir;
use serde_json::Value;

/// Two NIC models, one and two guests, two repeats.
const SMALL: &str = "description = \"a small run\"\n
[guest]\nmemory = \"96 MiB\"\n
[workload]\nflows = 4\nwarmup = \"500 ms\"\nwindow = \"3 s\"\ncooldown = \"500 ms\"\ninterval = \"250 ms\"\nrepeats = 2\n
[limits]\ntrial_attempts = 3\n
[sweep]\nbackend = [\"virtio\", \"e1000\"]\nvms = [1, 2]\n";

/// One trial of each configuration that `rest` makes.
fn short(rest: &str) -> String {
    let load = "flows = 4\nwarmup = \"500 ms\"\nwindow = \"3 s\"\ncooldown = \"500 ms\"\ninterval = \"250 ms\"\nrepeats = 1";
    format!("[plan]\norder = \"sequential\"\n[workload]\n{load}\n{rest}")
}

#[test]
fn a_run_stores_measures_and_draws_everything_and_can_be_drawn_again() {
    let place = Sandbox::with_guests();
    let profile = place.profile("small", SMALL);
    let ended = place.bench(&profile).end().expect(0);
    place.assert_nothing_left();
    let run = place.only_run();
    assert!(ended.stdout.contains(&format!("results: runs/{}", name(&run))), "{}", ended.stdout);
    every_file_is_there(&run);
    every_chart_says_what_it_shows(&run);
    no_private_key_is_kept(&run);
    let plan = place.kvmfair(&["plan", "--json", &profile]).stdout;
    let lines = json_lines(&plan);
    let plan: Value = serde_json::from_slice(&fs::read(run.join("plan.json")).unwrap()).unwrap();
    let numbers = |trials: &[Value]| trials.iter().map(|trial| trial["trial"].as_u64()).collect::<Vec<_>>();
    assert_eq!(numbers(&of_type(&lines, "planned_trial")), numbers(plan["trials"].as_array().unwrap()));
    tables_have_the_rows_of_the_plan(&run, plan["trials"].as_array().unwrap());
    every_trial_is_measured_and_believable(&run);
    guests_add_up_to_the_total(&run);
    flows_and_probes_share_one_clock(&run);
    results_are_drawn_again_alike(&place, &run);
}

fn every_file_is_there(run: &Path) {
    let mut files: Vec<PathBuf> = ["profile.toml", "experiment.json", "plan.json", "environment.json"]
        .into_iter()
        .chain([
            "flows.csv",
            "guests.csv",
            "interrupts.csv",
            "timeline.csv",
            "trials.csv",
            "proofs.csv",
            "summary.csv",
            "configurations.csv",
            "columns.csv",
            "report.md",
            "report.html",
            "charts/lab.svg",
            "charts/lab.png",
            "log.txt",
            "libvirt.log",
        ])
        .map(|name| run.join(name))
        .collect();
    files.extend((1..=8).map(|trial| run.join(format!("raw/trial-{trial:04}.zst"))));
    for file in files {
        assert!(fs::metadata(&file).is_ok_and(|meta| meta.len() > 0), "{} is missing", file.display());
    }
    assert_eq!(fs::read(run.join("profile.toml")).unwrap(), fs::read(run.join("../../small.toml")).unwrap());
    let unfinished = entries(run).into_iter().any(|path| name(&path).ends_with(".partial"));
    assert!(!unfinished, "{:?}", entries(run));
}

fn every_chart_says_what_it_shows(run: &Path) {
    let report = fs::read_to_string(run.join("report.md")).unwrap();
    let is_chart = |path: &PathBuf| {
        path.extension().unwrap() == "svg" && path.file_stem().unwrap() != "lab" // a picture of machines
    };
    let svgs: Vec<PathBuf> = entries(&run.join("charts")).into_iter().filter(is_chart).collect();
    let by_guests =
        ["rate_per_flow_tps", "total_rate_tps", "mean_latency_us", "host_cpu_percent", "bias_rate_percent"];
    for chart in by_guests.into_iter().chain(["rate_over_time", "wait_over_host_cpu"]) {
        assert!(svgs.iter().any(|path| path.file_stem().unwrap() == chart), "no chart of {chart}");
    }
    for path in svgs {
        assert!(
            report.contains(path.file_stem().unwrap().to_str().unwrap()),
            "{} is not shown",
            path.display()
        );
        let svg = fs::read_to_string(&path).unwrap();
        let document = roxmltree::Document::parse(&svg).unwrap();
        let texts: Vec<&str> = document.descendants().filter_map(|node| node.text()).collect();
        // A caption may be wrapped anywhere.
        let text = texts.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
        let axis = by_guests.iter().any(|chart| path.file_stem().unwrap() == *chart);
        let axis = axis.then_some(" by number of guests");
        for words in ["4 flows", "window 3 s", "2 repeats", "profile small", "QEMU "].into_iter().chain(axis)
        {
            assert!(text.contains(words), "{} does not say {words:?}: {text}", path.display());
        }
        let png = fs::read(path.with_extension("png")).unwrap();
        assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
        let size = [16, 20].map(|at| u32::from_be_bytes(png[at..at + 4].try_into().unwrap()));
        assert_eq!(size, [1920, 1080]);
    }
}

fn no_private_key_is_kept(run: &Path) {
    for file in
        [run.into(), run.join("raw")].iter().flat_map(|dir| entries(dir)).filter(|path| path.is_file())
    {
        let text = String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned();
        assert!(!text.contains("PRIVATE KEY"), "{}", file.display());
    }
}

fn tables_have_the_rows_of_the_plan(run: &Path, trials: &[Value]) {
    let value = |trial: &Value, key: &str| trial["configuration"][key].as_u64().unwrap() as usize;
    let sum = |key| trials.iter().map(|trial| value(trial, key)).sum::<usize>();
    assert_eq!(trials.len(), 8);
    assert_eq!(rows(run, "trials.csv").len(), trials.len());
    assert_eq!(rows(run, "flows.csv").len(), sum("flows"));
    assert_eq!(rows(run, "guests.csv").len(), sum("vms"));
    let summary = rows(run, "configurations.csv");
    assert_eq!(summary.len(), 4);
    assert!(summary.iter().all(|row| row["measured"] == "2"), "{summary:?}");
}

fn every_trial_is_measured_and_believable(run: &Path) {
    for trial in rows(run, "trials.csv") {
        assert_eq!(trial["outcome"], "measured", "{trial:?}");
        for column in
            ["total_rate_tps", "rate_per_flow_tps", "mean_latency_us", "p99_latency_us", "transactions"]
        {
            assert!(number(&trial, column) > 0.0, "{column}: {trial:?}");
        }
        assert!((0.9..=1.1).contains(&number(&trial, "packet_check_ratio")), "{trial:?}");
        let undefined = trial["bias_rate_percent"].is_empty();
        assert_eq!(undefined, trial["vms"] == "1", "fairness of one guest is undefined: {trial:?}");
    }
    for raw in raw_trials(run) {
        let broken: Vec<&Check> = raw.checks.iter().filter(|check| !check.holds()).collect();
        assert!(broken.is_empty(), "{broken:?}");
        let driver = if raw.configuration.backend.to_string() == "e1000" { "e1000" } else { "virtio_net" };
        let proved = raw.checks.iter().filter(|check| check.what.contains("driver") && check.found == driver);
        assert_eq!(proved.count(), raw.configuration.vms as usize);
    }
}

/// Six decimals are written: the last one may be off for each guest and for the sum.
fn guests_add_up_to_the_total(run: &Path) {
    let mut guests: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in rows(run, "guests.csv") {
        guests.entry(row["trial"].clone()).or_default().push(row);
    }
    for trial in rows(run, "trials.csv") {
        let of_trial = &guests[&trial["trial"]];
        let sum: f64 = of_trial.iter().map(|row| number(row, "rate_tps")).sum();
        let total = number(&trial, "total_rate_tps");
        let rounding = 0.5e-6 * (of_trial.len() + 1) as f64;
        assert!((sum - total).abs() <= 1e-9 * total + rounding, "{sum} is not {total}");
    }
}

/// In the window every slice has a rate of each guest and what the counters of the host and its CPUs say; and every guest's NIC interrupts it.
fn flows_and_probes_share_one_clock(run: &Path) {
    let timeline = rows(run, "timeline.csv");
    for guest in rows(run, "guests.csv") {
        let times = |source: &str, name: &str, metric: &str| -> Vec<String> {
            let own = timeline.iter().filter(|row| {
                [&row["trial"], &row["source"], &row["name"], &row["metric"]]
                    == [guest["trial"].as_str(), source, name, metric]
            });
            let inside = own.filter(|row| (0.01..3.01).contains(&number(row, "at_s")));
            inside.map(|row| row["at_s"].clone()).collect()
        };
        let name = format!("guest {}", guest["guest"]);
        let rates = times("guest", &name, "rate_tps");
        assert_eq!(rates.len(), 12, "3 s in slices of 250 ms: {rates:?}");
        assert_eq!(rates, times("guest", &name, "vcpu_cpu_percent"));
        for metric in ["busy_percent", "context_switches_per_s"] {
            assert_eq!(rates, times("host", "", metric));
        }
        assert_eq!(rates, times("cpu", "cpu 0", "softirq_percent"));
        assert!(number(&guest, "nic_interrupts_per_s") > 0.0, "{guest:?}");
    }
}

fn results_are_drawn_again_alike(place: &Sandbox, run: &Path) {
    let drawn = || -> BTreeMap<PathBuf, Vec<u8>> {
        let files = [run.to_owned(), run.join("charts")].into_iter().flat_map(|dir| entries(&dir));
        let drawn = files.filter(|p| {
            p.extension().is_some_and(|e| ["csv", "md", "html", "svg", "png"].iter().any(|x| e == *x))
        });
        drawn.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    };
    let first = drawn();
    for remove in [false, true] {
        if remove {
            first.keys().for_each(|path| fs::remove_file(path).unwrap());
        }
        let output = place.kvmfair(&["report", run.to_str().unwrap()]);
        assert!(output.status.success(), "{output:?}");
        let again = drawn();
        assert_eq!(first.keys().collect::<Vec<_>>(), again.keys().collect::<Vec<_>>());
        for (path, bytes) in &first {
            assert!(again[path] == *bytes, "{} changed (removed before: {remove})", path.display());
        }
    }
}

#[test]
fn every_backend_measures_two_guests_and_is_proved_to_be_itself() {
    let place = Sandbox::beside_others();
    let backends = [
        "baremetal",
        "virtio",
        "e1000",
        "macvtap-bridge",
        "macvtap-vepa",
        "macvtap-private",
        "macvtap-passthru",
    ];
    let rest = format!(
        "[limits]\ntrial_attempts = 3\n[guest]\nvms = 2\nmemory = \"96 MiB\"\n[sweep]\nbackend = {backends:?}\n"
    );
    place.bench(&place.profile("backends", &short(&rest))).end().expect(0);
    place.assert_nothing_left();
    let run = place.only_run();
    let trials = rows(&run, "trials.csv");
    assert_eq!(trials.iter().map(|trial| trial["backend"].as_str()).collect::<Vec<_>>(), backends);
    assert!(trials.iter().all(|trial| trial["outcome"] == "measured"), "{trials:?}");
    for (raw, backend) in raw_trials(&run).iter().zip(backends) {
        assert!(raw.checks.iter().all(Check::holds), "{:?}", raw.checks);
        if let Some(mode) = backend.strip_prefix("macvtap-") {
            let modes = raw.checks.iter().filter(|check| check.found.starts_with(&format!("{mode} on kf-")));
            assert_eq!(modes.count(), 2, "{:?}", raw.checks);
        }
    }
}

/// A run yet to begin whose guests' MTU is one that a profile cannot ask for.
fn run_with_mtu(place: &Sandbox, mtu: u32) -> String {
    let rest = "[guest]\nmemory = \"96 MiB\"\n[sweep]\nbackend = [\"e1000\", \"virtio\"]\n";
    let profile = place.profile("jumbo", &short(rest));
    let facts = HostFacts { memory_mib: 65_536, cpus: 2 };
    let (text, mut experiment) = load(Path::new(&profile), facts).unwrap();
    experiment.configurations.iter_mut().for_each(|configuration| configuration.mtu = mtu);
    let run = RunDir::create(&place.out(), "jumbo", "now").unwrap();
    run.write("profile.toml", text.as_bytes()).unwrap();
    run.write_json("experiment.json", &experiment).unwrap();
    run.write_json("plan.json", &plan::plan(&experiment, Accel::Tcg, facts.cpus)).unwrap();
    run.path().to_str().unwrap().to_owned()
}

/// An e1000 takes no MTU of 17 000 bytes, and its guest says so; virtio takes it.
#[test]
fn a_trial_that_fails_has_a_stage_and_a_cause_and_no_figures_and_the_next_one_is_measured() {
    let place = Sandbox::beside_others();
    let run = run_with_mtu(&place, 17_000);
    let ended = place.start(place.command(&["bench", "--resume", &run])).end().expect(5);
    place.assert_nothing_left();
    let run = place.only_run();
    let trials = rows(&run, "trials.csv");
    let outcomes: Vec<&str> = trials.iter().map(|trial| trial["outcome"].as_str()).collect();
    assert_eq!(outcomes, ["failed", "measured"], "{}", ended.said());
    let (failed, measured) = (&trials[0], &trials[1]);
    assert_eq!(failed["stage"], "provision");
    assert!(failed["cause"].contains("does not take an MTU of 17000"), "{}", failed["cause"]);
    assert!(ended.said().contains(&failed["cause"]) && ended.stdout.contains("MTU of 17000"), "{ended:?}");
    let known = [
        "run",
        "configuration",
        "trial",
        "repeat",
        "attempts",
        "outcome",
        "stage",
        "cause",
        "accel",
        "started_s",
        "ended_s",
        // Of its configuration.
        "measured",
        "invalid",
        "failed",
    ];
    let figures = failed.iter().filter(|(column, _)| !known.contains(&column.as_str()));
    let configured = Factor::ALL.map(Factor::column);
    for (column, value) in figures.filter(|(column, _)| !configured.contains(&column.as_str())) {
        assert!(value.is_empty(), "{column} of a failed trial is {value}");
    }
    assert!(measured["stage"].is_empty() && number(measured, "total_rate_tps") > 0.0);
    assert_eq!(raw_trials(&run)[0].failure.as_ref().unwrap().stage, Stage::Provision);
}

#[test]
fn a_kernel_that_is_none_is_refused_before_anything_is_made() {
    let place = Sandbox::beside_others();
    let rest = "[network]\nbackend = \"virtio\"\n[guest]\nkernel = \"no-kernel.toml\"\n";
    let profile = place.profile("no-kernel", &short(rest));
    let ended = place.bench(&profile).end().expect(4);
    assert!(ended.said().contains("an x86 Linux kernel"), "{ended:?}");
    assert_eq!(place.runs(), Vec::<PathBuf>::new());
    place.assert_nothing_left();
}

#[test]
fn two_runs_of_the_same_profile_at_once_do_not_disturb_each_other() {
    let place = Sandbox::beside_others();
    let rest =
        "[limits]\ntrial_attempts = 3\n[network]\nbackend = \"macvtap-vepa\"\n[guest]\nmemory = \"96 MiB\"\n";
    let profile = place.profile("twice", &short(rest));
    let both = [place.bench(&profile), place.bench(&profile)];
    let both = both.map(|running| running.end().expect(0));
    place.assert_nothing_left();
    assert_eq!(place.runs().len(), 2, "{both:?}");
    for run in place.runs() {
        assert_eq!(rows(&run, "trials.csv")[0]["outcome"], "measured");
    }
}
