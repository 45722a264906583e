//! The charts of the published studies, from trials that are made up to show what each is about.

use super::Chart;
use super::gallery::charts_of;
use crate::figures::{TrialFigures, fixture as raw};
use crate::profile::{Background, Configuration, Experiment, Factor, Test};
use crate::raw::{Accel, ExitSource, RawTrial};
use crate::report::fixture;

/// A name, and what a run is made of.
pub(super) type Run = (&'static str, Experiment, Accel, Vec<TrialFigures>);

/// One run for each source.
pub(super) fn runs() -> Vec<Run> {
    vec![
        congestion("congestion", &["virtio", "macvtap-bridge"]),
        congestion("knee", &["virtio"]),
        interference("interference", &[1]),
        interference("settings", &[1, 2, 4]),
        datapaths(),
        density(),
    ]
}

/// Three repeats of each configuration, as `trial` makes them.
fn run(
    name: &'static str,
    configurations: Vec<Configuration>,
    factors: &[Factor],
    trial: impl Fn(&Configuration, f64) -> RawTrial,
) -> Run {
    let mut trials = Vec::new();
    for repeat in 1..=3 {
        for configuration in &configurations {
            let raw = trial(configuration, 1.0 + 0.03 * f64::from(repeat));
            let raw = raw::numbered(raw, trials.len() as u32 + 1, repeat);
            trials.push(TrialFigures::compute(&raw, &raw::timing()));
        }
    }
    let accel = trials[0].accel;
    (name, fixture::experiment(configurations, factors), accel, trials)
}

/// Load moves the rate up to what the backend can carry.
fn congestion(name: &'static str, backends: &[&str]) -> Run {
    let of = |backend: &str| {
        let guests = raw::configuration(backend, 2);
        [0, 1, 3, 7, 15, 31, 63].map(|burst| Configuration { burst, ..guests.clone() })
    };
    let configurations = backends.iter().copied().flat_map(of).collect();
    run(name, configurations, &[Factor::Backend, Factor::Burst], |configuration, wobble| {
        let most = if configuration.level(Factor::Backend) == "virtio" { 12_000.0 } else { 20_000.0 };
        let load = f64::from(configuration.in_flight());
        let rate = wobble * most * load / (load + 3.0);
        let mut raw = raw::trial(configuration.clone(), &[0.45 * rate, 0.55 * rate]);
        for sample in &mut raw.host {
            let second = sample.at_s - raw::START + 1.0;
            let busy = 0.2 + 0.75 * load / (load + 3.0);
            (sample.cpu.user, sample.cpu.idle) = (4.0 * busy * second, 4.0 * (1.0 - busy) * second);
            sample.targets.iter_mut().for_each(|target| target.vcpu_delay_s = 0.5 * busy.powi(4) * second);
        }
        raw
    })
}

/// What the neighbours do, with and without a cap on them, beside guests of so many vCPUs.
fn interference(name: &'static str, vcpus: &[u32]) -> Run {
    let many = vcpus.len() > 1;
    let of = |quota_us, vcpus| {
        use Background::{CpuBurner, NetLoad, None, Paced};
        [None, CpuBurner, NetLoad, Paced].map(|background| Configuration {
            background,
            quota_us,
            vcpus,
            // A third word in the names of the many settings, which then need two lines.
            group_limits: many.then_some(quota_us > 0),
            ..raw::configuration("virtio", 2)
        })
    };
    let both = |quota_us| vcpus.iter().flat_map(move |vcpus| of(quota_us, *vcpus));
    let configurations = [0, 50_000].into_iter().flat_map(both).collect();
    run(
        name,
        configurations,
        &[Factor::Background, Factor::Quota, Factor::Vcpus, Factor::GroupLimits],
        |configuration, wobble| {
            let (slower, times) = match (configuration.background, configuration.quota_us) {
                (Background::None, _) => (1.0, 1.0),
                (Background::CpuBurner, 0) => (1.4, 8.0),
                (_, 0) => (2.2, 60.0),
                _ => (1.1, 3.0),
            };
            let mut raw =
                raw::trial(configuration.clone(), &[4000.0 * wobble / slower, 4000.0 * wobble / slower]);
            for flow in &mut raw.flows {
                flow.result.insert("MAX_LATENCY".into(), (5000.0 * wobble * times).to_string());
            }
            raw
        },
    )
}

/// Exits of an emulated and a paravirtual NIC, under KVM.
fn datapaths() -> Run {
    let of = |test: Test| {
        ["e1000", "virtio"].map(|backend| Configuration { test, ..raw::configuration(backend, 1) })
    };
    let configurations = [Test::TCP_RR, Test::UDP_RR, Test::TCP_STREAM].into_iter().flat_map(of).collect();
    run("datapaths", configurations, &[Factor::Backend, Factor::Test], |configuration, wobble| {
        let rate = 9000.0 * wobble;
        let mut raw = raw::trial(configuration.clone(), &[rate]);
        // Of a stream the rate is in Mbit/s: so much came through the tap, with its headers.
        let streamed = |packets: u64| (packets as f64 * 1.03e6 / 8.0) as u64;
        for target in raw.host.iter_mut().flat_map(|sample| &mut sample.targets) {
            if configuration.test.is_stream() {
                target.to_target_bytes = streamed(target.to_target_packets);
            }
        }
        let per = |exits: f64| (exits * rate) as u64;
        let emulated = [
            ("exits", per(9.5)),
            ("mmio_exits", per(6.0)),
            ("halt_exits", per(1.0)),
            ("irq_exits", per(0.3)),
        ];
        let virtio =
            [("exits", per(3.2)), ("io_exits", per(0.1)), ("halt_exits", per(1.1)), ("irq_exits", per(0.2))];
        let e1000 = configuration.level(Factor::Backend) == "e1000";
        raw::exits(&mut raw, if e1000 { &emulated } else { &virtio });
        raw.guests.iter_mut().for_each(|guest| guest.exits_from = Some(ExitSource::Debugfs));
        raw
    })
}

/// Sixteen guests of which one starves for a while.
fn density() -> Run {
    let configurations =
        [1, 8, 16].map(|vms| Configuration { flows: 32, ..raw::configuration("virtio", vms) });
    run("density", configurations.to_vec(), &[Factor::Vms], |configuration, wobble| {
        let rates: Vec<f64> =
            (0..configuration.vms).map(|guest| 1000.0 * (wobble + 0.1 * f64::from(guest % 4))).collect();
        let mut raw = raw::trial(configuration.clone(), &rates);
        for flow in raw.flows.iter_mut().filter(|flow| flow.guest == 7 && configuration.vms == 16) {
            let stalled = |end_s: f64| (5.0..9.0).contains(&(end_s - raw::START));
            flow.intervals.iter_mut().filter(|i| stalled(i.end_s)).for_each(|interval| interval.rate *= 0.05);
        }
        // The host counts no packets of it meanwhile: 95 % of 4 s of 14 s are missing.
        for target in raw.host.iter_mut().filter_map(|sample| sample.targets.get_mut(6)) {
            for packets in [&mut target.from_target_packets, &mut target.to_target_packets] {
                *packets = if configuration.vms == 16 { *packets * 102 / 140 } else { *packets };
            }
        }
        raw
    })
}

fn chart(run: &str, name: &str) -> &'static Chart {
    let found = charts_of(run).iter().find(|chart| chart.name == name);
    found.unwrap_or_else(|| panic!("{name} among {:?}", names(run)))
}

fn names(run: &str) -> Vec<&'static str> {
    charts_of(run).iter().map(|chart| chart.name.as_str()).collect()
}

fn says(chart: &Chart, texts: &[&str]) {
    for text in texts {
        assert!(chart.svg.contains(text), "{}: {text}", chart.name);
    }
}

#[test]
fn where_burst_is_swept_latency_stands_over_rate_with_the_load_at_each_point() {
    let chart = chart("congestion", "latency_over_rate");
    says(
        chart,
        &[
            "total rate, transactions/s",
            "mean latency",
            "macvtap-bridge",
            "3 repeats,",
            "= 95\u{a0}%\u{a0}interval",
            "window 10 s",
        ],
    );
    let loads =
        |svg: &str| svg.lines().filter(|l| l.contains("class=\"load\"") && l.contains(">16<")).count();
    assert_eq!(loads(&chart.svg), 2, "a point with 16 in flight for each backend");
    assert!(names("congestion").contains(&"p99_latency_over_rate"));
}

#[test]
fn the_zones_of_load_are_fills_of_points_and_bands_where_a_curve_stands_alone() {
    says(chart("congestion", "latency_over_rate"), &["lowest latency:", "most efficient:", "overload:"]);
    let alone = chart("knee", "latency_over_rate");
    let bands = |name: &str| alone.svg.matches(&format!(">{name}<")).count();
    assert_eq!(["lowest latency", "most efficient", "overload"].map(bands), [1, 1, 1], "the bands' names");
}

#[test]
fn waiting_stands_over_host_cpu_with_a_point_for_each_trial() {
    let chart = chart("congestion", "wait_over_host_cpu");
    says(chart, &["host CPU, %", "wait ratio, %"]);
    assert_eq!(
        chart.svg.matches("class=\"point\"").count(),
        2 * 7 * 3 + 2,
        "one for each trial, and the key"
    );
}

#[test]
fn what_background_does_stands_by_background_and_by_setting() {
    let solo = chart("interference", "latency_by_background-no-quota");
    says(solo, &["network", "paced", "mean, µs", "P99, µs", "longest, µs", "virtio"]);
    let network = chart("interference", "latency_by_setting-network-background");
    says(network, &["no\u{a0}quota", "quota\u{a0}50\u{a0}%"]);
    let many = chart("settings", "latency_by_setting-network-background");
    let named = many.svg.matches(">quota\u{a0}50\u{a0}%,").count();
    assert_eq!(named, 3, "six settings, three of them with the quota, named once for all panels");
}

#[test]
fn exits_are_stacked_by_reason_for_each_transaction_and_for_each_second_of_a_stream() {
    let requests = chart("datapaths", "exits_per_transaction_by_reason");
    says(
        requests,
        &["MMIO to QEMU", "halt", "other", "TCP_RR", "UDP_RR", "9.5", "3.2", "counted by debugfs"],
    );
    let streams = chart("datapaths", "exits_per_s_by_reason-tcp-stream");
    assert!(streams.svg.contains("TCP_STREAM") && !streams.svg.contains("UDP_RR"));
    assert!(!names("congestion").iter().any(|name| name.starts_with("exits")), "emulated guests have none");
}

#[test]
fn a_caption_names_only_what_the_tests_that_are_drawn_use() {
    let conditions = |name: &str| {
        let svg = &chart("datapaths", name).svg;
        svg.split(['<', '>']).find(|text| text.starts_with("netperf ")).unwrap()
    };
    for name in ["mean_latency_us", "exits_per_transaction_by_reason", "flow_rates_cdf"] {
        let same = conditions(name);
        assert!(same.starts_with("netperf 1 B request, 1 B response, 8 flows"), "{name}: {same}");
    }
    for name in ["total_throughput_mbps", "exits_per_s_by_reason-tcp-stream", "flow_throughput_cdf"] {
        let same = conditions(name);
        assert!(same.starts_with("netperf TCP_STREAM, 65536 B message, 8 flows"), "{name}: {same}");
    }
    let both = conditions("host_cpu_percent");
    assert!(both.starts_with("netperf 1 B request, 1 B response, 65536 B message"), "{both}");
}

#[test]
fn the_most_biased_trial_is_drawn_over_time() {
    let chart = chart("density", "rate_over_time");
    says(
        chart,
        &[
            "16 guests",
            "the most biased",
            "time in the window, s",
            "one trial of 3 repeats; each cell is 0.5 s",
        ],
    );
    assert!(chart.svg.matches("<rect").count() > 16 * 20);
    assert!(!names("datapaths").contains(&"rate_over_time"), "one guest has nobody to be compared with");
}

#[test]
fn each_guest_shows_its_repeats_as_dots_where_guests_differ_most() {
    let chart = chart("density", "rate_by_guest-16-guests");
    says(chart, &[">guest<", ">1<", ">16<", "whisker = 95\u{a0}%", "single repeats"]);
    assert_eq!(chart.svg.matches("class=\"repeat\"").count(), 16 * 3);
    assert!(!names("datapaths").iter().any(|name| name.contains("by_guest")));
}

#[test]
fn the_rates_of_the_flows_of_the_most_guests_are_a_distribution() {
    says(chart("density", "flow_rates_cdf-16-guests"), &["rate of a flow, transactions/s", "flows, %"]);
}

#[test]
fn loads_head_the_bars_and_bare_metal_stands_among_them() {
    use crate::profile::Factor::{Backend, Test as Tests};
    let of = |test: Test| {
        [("baremetal", 0), ("virtio", 1), ("e1000", 1)]
            .map(|(b, vms)| Configuration { test, ..raw::configuration(b, vms) })
    };
    let configurations = [Test::TCP_RR, Test::UDP_RR].into_iter().flat_map(of).collect();
    let (_, experiment, accel, trials) =
        run("bars", configurations, &[Backend, Tests], |configuration, wobble| {
            raw::trial(configuration.clone(), &[1000.0 * wobble])
        });
    let provenance = fixture::provenance(accel);
    let model = crate::report::Model::new(&experiment, &provenance, &trials);
    let charts = super::charts(&model).unwrap();
    let svg = &charts.iter().find(|chart| chart.name == "mean_latency_us").unwrap().svg;
    const LABELS: [&str; 5] = ["TCP_RR", "UDP_RR", "virtio", "e1000", "baremetal"];
    let order: Vec<&str> = svg.split(['<', '>']).filter(|text| LABELS.contains(text)).collect();
    assert_eq!(order, ["TCP_RR", "virtio", "e1000", "baremetal", "UDP_RR", "virtio", "e1000", "baremetal"]);
    assert!(charts.iter().any(|chart| chart.name == "rate_to_bare_metal"));
}
