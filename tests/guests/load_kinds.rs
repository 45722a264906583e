//! Every kind of load, run for real on guests and on the host itself: units, validity, a packet check that can fail, and
//! nothing that outlives the run.
//!
//! Needs root and the packages of a measuring machine; fails without. Nothing here asserts a speed.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::support::Sandbox;
use crate::support::tables::{Row, number, raw_trials, rows};
use kvmfair::figures::{Outcome, TrialFigures};
use kvmfair::profile::{Test, Timing};
use kvmfair::raw::RawTrial;

const TIMES: &str =
    "warmup = \"500 ms\"\nwindow = \"3 s\"\ncooldown = \"500 ms\"\ninterval = \"250 ms\"\nrepeats = 1\n";

fn timing() -> Timing {
    let (half, quarter) = (Duration::from_millis(500), Duration::from_millis(250));
    Timing {
        warmup: half,
        window: Duration::from_secs(3),
        cooldown: half,
        interval: quarter,
        repeats: 1,
        precision: None,
    }
}

fn is_stream(row: &Row) -> bool {
    Test::ALL.into_iter().any(|test| test.is_stream() && test.to_string() == row["test"])
}

#[test]
fn every_kind_is_measured_in_its_unit_and_leaves_nothing_behind() {
    let place = Sandbox::beside_others();
    let body = format!(
        "[limits]\ntrial_attempts = 3\n[guest]\nvms = 2\nmemory = \"96 MiB\"\n[workload]\nflows = 4\nmessage = \"1472 B\"\n{TIMES}
        [sweep]\ntest = {:?}\nbackend = [\"baremetal\", \"virtio\"]\n",
        Test::ALL.map(|test| test.to_string())
    );
    let ended = place.bench(&place.profile("kinds", &body)).end().expect(0);
    place.assert_nothing_left();
    let run = place.only_run();
    let trials = rows(&run, "trials.csv");
    assert_eq!(trials.len(), 2 * Test::ALL.len());
    trials.iter().for_each(a_trial_is_told_in_its_unit);
    for flow in rows(&run, "flows.csv") {
        let (rate, is_netperfs) = match flow["test"].as_str() {
            "ping" => ("window_mean_latency_us", false),
            _ if is_stream(&flow) => ("throughput_mbps", false),
            _ => ("rate_tps", true),
        };
        // A datagram that is lost on a busy machine stops a UDP_RR flow, which must be said then.
        assert!(number(&flow, rate) > 0.0 || number(&flow, "stalled_s") > 0.0, "{flow:?}");
        assert_eq!(flow["whole_flow_p99_latency_us"].is_empty(), !is_netperfs, "{flow:?}");
        if flow["test"] == "ping" {
            pings_are_there(&flow);
        }
        assert_eq!(flow["whole_flow_loss_percent"].is_empty(), flow["test"] != "UDP_STREAM", "{flow:?}");
    }
    for chart in
        ["total_rate_tps", "total_throughput_mbps", "loss_percent", "mean_latency_us", "max_latency_us"]
    {
        assert!(run.join(format!("charts/{chart}.png")).is_file(), "no chart of {chart}");
    }
    assert!(ended.stdout.contains("Mbit/s") && ended.stdout.contains("trans/s"), "{}", ended.stdout);
    let report = fs::read_to_string(run.join("report.md")).unwrap();
    assert!(report.contains("Total throughput, Mbit/s"), "{report}");
    for raw in raw_trials(&run) {
        a_wrong_count_is_found(&raw);
        every_ping_is_kept(&raw);
    }
}

/// The window of 3 s has one every 20 ms at most; fewer where the kernel's tick is coarse or the machine stood still.
fn pings_are_there(flow: &Row) {
    let [sent, lost] = ["pings_sent", "pings_lost"].map(|column| number(flow, column));
    assert!((1.0..=151.0).contains(&sent) && (0.0..sent).contains(&lost), "{flow:?}");
    let columns = ["min", "p50", "p90", "max"].map(|which| format!("window_{which}_latency_us"));
    let values = columns.each_ref().map(|column| number(flow, column));
    assert!(values.is_sorted() && values[0] > 0.0, "{flow:?}");
    assert_eq!(flow["window_p99_latency_us"].is_empty(), sent - lost < 100.0, "{flow:?}");
}

/// The samples of a trial of pings are those that ping's own last lines count.
fn every_ping_is_kept(raw: &RawTrial) {
    for flow in &raw.flows {
        let received = if raw.configuration.test.is_ping() { flow.result["RECEIVED"].as_str() } else { "0" };
        assert_eq!(flow.round_trips.len().to_string(), received, "flow {} of trial {}", flow.flow, raw.trial);
    }
}

#[track_caller]
fn a_trial_is_told_in_its_unit(trial: &Row) {
    assert_eq!(trial["outcome"], "measured", "{trial:?}");
    let is_ping = trial["test"] == "ping";
    let (mine, others) = match is_stream(trial) {
        _ if is_ping => ("mean_latency_us", ["total_rate_tps", "total_throughput_mbps", "bias_rate_percent"]),
        true => ("total_throughput_mbps", ["total_rate_tps", "mean_latency_us", "cpu_per_transaction_us"]),
        false => ("total_rate_tps", ["total_throughput_mbps", "loss_percent", "cpu_per_mbit_us"]),
    };
    assert!(number(trial, mine) > 0.0, "{trial:?}");
    for other in others {
        assert!(trial[other].is_empty(), "{other} of {trial:?}");
    }
    assert_eq!(trial["message_bytes"].is_empty(), !is_stream(trial));
    assert_eq!(trial["request_bytes"].is_empty(), is_stream(trial) || is_ping);
    if trial["test"] == "UDP_STREAM" || is_ping {
        assert!((0.0..100.0).contains(&number(trial, "loss_percent")), "{trial:?}");
    }
}

/// The same trial with a thousandth, and a thousand times, of what the host counted.
fn a_wrong_count_is_found(raw: &RawTrial) {
    let outcome = |raw: &RawTrial| TrialFigures::compute(raw, &timing()).outcome;
    assert_eq!(outcome(raw), Outcome::Measured);
    for factor in [1e-3, 1e3] {
        let mut wrong = raw.clone();
        for target in wrong.host.iter_mut().flat_map(|sample| &mut sample.targets) {
            for counter in [
                &mut target.from_target_packets,
                &mut target.to_target_packets,
                &mut target.from_target_bytes,
                &mut target.to_target_bytes,
            ] {
                *counter = (*counter as f64 * factor) as u64;
            }
        }
        let Outcome::Invalid(reasons) = outcome(&wrong) else {
            panic!("{} with {factor} of its packets is still valid", raw.configuration.test);
        };
        assert!(
            reasons.iter().map(ToString::to_string).any(|reason| {
                // So many bytes are more than any NIC moves, where the flow is a fast one.
                ["the host counted", "raw data that cannot be true"].iter().any(|why| reason.starts_with(why))
            }),
            "{reasons:?}"
        );
    }
}

#[test]
fn latencies_with_several_transactions_in_flight_are_of_each_of_them() {
    let place = Sandbox::with_guests();
    let body = format!(
        "[network]\nbackend = \"baremetal\"\n[workload]\nflows = 2\n{TIMES}
        [sweep]\ntest = [\"TCP_RR\", \"UDP_RR\", \"TCP_CRR\"]\nburst = [0, 7]\n"
    );
    place.bench(&place.profile("burst", &body)).end().expect(0);
    place.assert_nothing_left();
    let flows = rows(&place.only_run(), "flows.csv");
    assert_eq!(flows.len(), 2 * 5, "TCP_CRR has no burst to sweep");
    for flow in flows {
        let in_flight = 1.0 + flow["burst"].parse().unwrap_or(0.0);
        let little = number(&flow, "window_latency_us");
        assert!((little * number(&flow, "rate_tps") / 1e6 - in_flight).abs() < 1e-3, "{flow:?}");
        // netperf times each transaction by itself. It has the warm-up in it, so that they only resemble each other, but
        // seven in flight that were forgotten would be a factor of eight.
        let measured = number(&flow, "whole_flow_mean_latency_us");
        assert!((0.4..2.5).contains(&(little / measured)), "{flow:?}");
    }
}

#[test]
fn the_example_of_load_kinds_can_be_planned() {
    let place = Sandbox::new();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/load-kinds.toml");
    let planned = place.kvmfair(&["plan", example.to_str().unwrap()]);
    assert!(planned.status.success(), "{}", String::from_utf8_lossy(&planned.stderr));
    let text = String::from_utf8_lossy(&planned.stdout);
    assert!(Test::ALL.into_iter().all(|test| text.contains(&test.to_string())), "{text}");
}
