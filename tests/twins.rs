//! The small twins of the studies' profiles, run to their end with real guests, once each configuration: every trial is measured,
//! and the charts of the source are drawn.
//!
//! Needs root; fails without. Nothing here asserts a speed.

mod support;

use std::fs;
use std::path::Path;

use support::Sandbox;
use support::tables::rows;

/// The six of the founding study, over its number of guests.
const SIX: [&str; 6] = [
    "rate_per_flow_tps",
    "mean_latency_us",
    "host_cpu_percent",
    "bias_rate_percent",
    "bias_latency_percent",
    "bias_cpu_percent",
];

/// The profile as it is shipped, with one repeat, and further attempts for a machine that stands still now and then.
fn once(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles").join(name).with_extension("toml");
    let shipped = fs::read_to_string(path).unwrap();
    let fewer: Vec<&str> = shipped
        .lines()
        .map(|line| if line.starts_with("repeats = ") { "repeats = 1" } else { line })
        .collect();
    fewer.join("\n") + "\n[limits]\ntrial_attempts = 3\n"
}

/// `charts`: how the names of pictures begin that must be there.
#[track_caller]
fn measured(name: &str, charts: &[&str]) {
    let place = Sandbox::with_guests();
    let profile = place.out().with_file_name("twin.toml");
    fs::write(&profile, once(name)).unwrap();
    let ended = place.bench(profile.to_str().unwrap()).end().expect(0);
    place.assert_nothing_left();
    let run = place.only_run();
    let trials = rows(&run, "trials.csv");
    let measured = trials.iter().filter(|trial| trial["outcome"] == "measured").count();
    let configurations = rows(&run, "summary.csv").len();
    assert!(configurations > 0 && measured == configurations, "{}", ended.said());
    let drawn: Vec<String> = support::entries(&run.join("charts"))
        .iter()
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    for chart in charts {
        let there = |name: &String| name.starts_with(chart) && name.ends_with(".png");
        assert!(drawn.iter().any(there), "no {chart} in {drawn:?}");
    }
}

#[test]
fn asada_backends() {
    measured("asada-backends-small", &SIX);
}

#[test]
fn asada_vcpus() {
    measured("asada-vcpus-small", &SIX);
}

#[test]
fn asada_shares() {
    measured("asada-shares-small", &["cpu_share_percent"]);
}

#[test]
fn asada_cap() {
    measured("asada-cap-small", &["rate_by_guest", "bias_rate_percent"]);
}

#[test]
fn asama_datapaths() {
    measured("asama-datapaths-small", &["mean_latency_us", "throughput_per_flow_mbps", "rate_to_bare_metal"]);
}

#[test]
fn nishimura_interference() {
    measured("nishimura-interference-small", &["latency_by_background", "latency_by_setting"]);
}

#[test]
fn krosnov_congestion() {
    measured("krosnov-congestion-small", &["latency_over_rate", "wait_over_host_cpu"]);
}

#[test]
fn tuning_toggles() {
    measured("tuning-toggles-small", &["bias_rate_percent", "host_cpu_percent"]);
}
