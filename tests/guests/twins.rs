//! The small twins of the studies' profiles, run to their end with real guests, each configuration once and for a short
//! window: every trial is measured, and the charts of the source are drawn, over its levels and with its series.
//!
//! Needs root; fails without. Nothing here asserts a speed.

use std::fs;
use std::path::Path;

use crate::support::Sandbox;
use crate::support::pictures::Shown;
use crate::support::tables::rows;

/// A chart of a source.
#[derive(Clone, Copy)]
struct Chart {
    /// Of the file, without extension.
    name: &'static str,
    /// Title of the horizontal axis.
    axis: &'static str,
    levels: Levels,
    /// What the key, the ends of lines or the heads of groups name.
    series: &'static [&'static str],
}

/// What is compared, as the horizontal axis or the left edge names it.
#[derive(Clone, Copy)]
enum Levels {
    /// From left to right.
    Below(&'static [&'static str]),
    /// Of bars, from top to bottom, once for all panels, whose names end with a unit that depends on what was measured.
    Panels(&'static [&'static str]),
    /// Of bars that lie, from top to bottom; in each of so many groups.
    Bars(&'static [&'static str], usize),
    /// Numbers, whose ticks depend on what was measured.
    Scale,
}
use Levels::{Bars, Below, Panels, Scale};

/// Charts that differ in their metric only.
fn alike<const N: usize>(names: [&'static str; N], chart: Chart) -> Vec<Chart> {
    names.map(|name| Chart { name, ..chart }).into()
}

/// Of the six charts of the founding study those of speed and cost, in which bare metal is a line across.
const COSTS: [&str; 3] = ["rate_per_flow_tps", "mean_latency_us", "host_cpu_percent"];
/// Those of bias, which bare metal has none of.
const BIASES: [&str; 3] = ["bias_rate_percent", "bias_latency_percent", "bias_cpu_percent"];

/// The profile as it is shipped, with one repeat and a short window, and further attempts for a machine that stands still now and
/// then. Neither a trial's validity nor a chart's axes and series depend on how long it was measured.
fn once(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles").join(name).with_extension("toml");
    let shipped = fs::read_to_string(path).unwrap();
    let short = |line: &str| match line.split(" = ").next() {
        Some("repeats") => "repeats = 1".to_owned(),
        Some("warmup") => "warmup = \"500 ms\"".to_owned(),
        Some("window") => "window = \"2500 ms\"".to_owned(),
        _ => line.to_owned(),
    };
    shipped.lines().map(short).collect::<Vec<_>>().join("\n") + "\n[limits]\ntrial_attempts = 3\n"
}

/// A twin that changes the machine's settings is the only one that does.
fn place_for(profile: &str) -> Sandbox {
    match ["[tuning.host]", "ksm = ", "host_rps = "].iter().any(|setting| profile.contains(setting)) {
        true => Sandbox::changing_settings(),
        false => Sandbox::beside_others(),
    }
}

#[track_caller]
fn measured(name: &str, charts: &[Chart]) {
    let text = once(name);
    let place = place_for(&text);
    let profile = place.out().with_file_name("twin.toml");
    fs::write(&profile, text).unwrap();
    let ended = place.bench(profile.to_str().unwrap()).end().expect(0);
    place.assert_nothing_left();
    let run = place.only_run();
    let trials = rows(&run, "trials.csv");
    let measured = trials.iter().filter(|trial| trial["outcome"] == "measured").count();
    let configurations = rows(&run, "configurations.csv").len();
    assert!(configurations > 0 && measured == configurations, "{}", ended.said());
    for chart in charts {
        drawn(&run.join("charts"), chart);
    }
}

/// The chart is there, over its levels and with its series.
#[track_caller]
fn drawn(folder: &Path, chart: &Chart) {
    let file = folder.join(chart.name);
    assert!(
        file.with_extension("png").is_file(),
        "no {} in {:?}",
        chart.name,
        crate::support::entries(folder)
    );
    let mut shown = Shown::read(&file.with_extension("svg"));
    if let Panels(..) = chart.levels {
        shown.key.iter_mut().for_each(|name| name.truncate(name.rfind(", ").unwrap_or(0)));
    }
    assert_eq!(shown.axis, chart.axis, "axis of {}", chart.name);
    assert_eq!(shown.key, chart.series, "series of {}", chart.name);
    match chart.levels {
        Below(levels) => assert_eq!(shown.below, levels, "levels of {}", chart.name),
        Panels(levels) => assert_eq!(shown.bars, levels, "levels of {}", chart.name),
        Bars(levels, groups) => assert_eq!(shown.bars, levels.repeat(groups), "bars of {}", chart.name),
        Scale => assert_eq!(shown.below.first().map(String::as_str), Some("0"), "scale of {}", chart.name),
    }
}

#[test]
fn asada_backends() {
    let of_guests = Chart {
        name: "",
        axis: "number of guests (log₂ scale)",
        levels: Below(&["1", "2", "4"]),
        series: &[
            "host RPS none, macvtap-vepa",
            "host RPS none, virtio",
            "host RPS all, macvtap-vepa",
            "host RPS all, virtio",
        ],
    };
    let with_bare_metal = Chart {
        series: &[
            "host RPS none, macvtap-vepa",
            "host RPS none, virtio",
            "host RPS all, macvtap-vepa",
            "host RPS all, virtio",
            "baremetal, host RPS none",
            "baremetal, host RPS all",
        ],
        ..of_guests
    };
    measured("asada-backends-small", &[alike(COSTS, with_bare_metal), alike(BIASES, of_guests)].concat());
}

#[test]
fn asada_vcpus() {
    let of_guests = Chart {
        name: "",
        axis: "number of guests",
        levels: Below(&["1", "2"]),
        series: &[
            "guest RPS none, 1 vCPU",
            "guest RPS none, 2 vCPUs",
            "guest RPS all, 1 vCPU",
            "guest RPS all, 2 vCPUs",
        ],
    };
    let with_bare_metal = Chart {
        series: &[
            "guest RPS none, 1 vCPU",
            "guest RPS none, 2 vCPUs",
            "guest RPS all, 1 vCPU",
            "guest RPS all, 2 vCPUs",
            "baremetal",
        ],
        ..of_guests
    };
    measured("asada-vcpus-small", &[alike(COSTS, with_bare_metal), alike(BIASES, of_guests)].concat());
}

#[test]
fn asada_shares() {
    let shares = Chart {
        name: "cpu_share_percent",
        axis: "%",
        levels: Bars(
            &[
                "gold (measured, 2 guests)",
                "silver (measured, 2 guests)",
                "gold (measured, 2 guests, 1024 shares)",
                "gold by weight",
                "silver (measured, 2 guests, 512 shares)",
                "silver by weight",
            ],
            1,
        ),
        series: &["groups without limits", "groups with their limits"],
    };
    measured("asada-shares-small", &[shares]);
}

#[test]
fn asada_cap() {
    let by_guest = Chart {
        name: "rate_by_guest-groups-with-their-limits",
        axis: "guest",
        levels: Below(&["1", "2"]),
        series: &["capped", "free"],
    };
    let bias = Chart {
        name: "bias_rate_percent",
        axis: "%",
        levels: Bars(&["groups without limits", "groups with their limits"], 1),
        series: &[],
    };
    measured("asada-cap-small", &[by_guest, bias]);
}

#[test]
fn asama_datapaths() {
    let requests: &[&str] =
        &["TCP_RR, 18 B request", "TCP_RR, 1472 B request", "UDP_RR, 18 B request", "UDP_RR, 1472 B request"];
    let all: &[&str] = &[
        "TCP_RR, 18 B request",
        "TCP_RR, 1472 B request",
        "UDP_RR, 18 B request",
        "UDP_RR, 1472 B request",
        "TCP_STREAM",
        "TCP_MAERTS",
    ];
    const MACHINES: [&str; 4] = ["e1000", "virtio", "macvtap-bridge", "baremetal"];
    let latency =
        Chart { name: "mean_latency_us", axis: "µs", levels: Bars(&MACHINES, 4), series: requests };
    let rate = Chart {
        name: "throughput_per_flow_mbps",
        axis: "Mbit/s",
        levels: Bars(&MACHINES, 2),
        series: &["TCP_STREAM", "TCP_MAERTS"],
    };
    let ratio = Chart {
        name: "rate_to_bare_metal",
        axis: "",
        levels: Bars(&["e1000", "virtio", "macvtap-bridge"], 6),
        series: all,
    };
    measured("asama-datapaths-small", &[latency, rate, ratio]);
}

#[test]
fn nishimura_interference() {
    let bars: &[&str] = &["mean", "P99", "longest"];
    let by_background = Chart {
        name: "",
        axis: "",
        levels: Panels(&["no background", "CPU background", "network background"]),
        series: bars,
    };
    let by_setting = Chart { levels: Panels(&["quota 100 %", "quota 50 %"]), ..by_background };
    let charts = [
        alike(["latency_by_background-quota-100", "latency_by_background-quota-50"], by_background),
        alike(
            [
                "latency_by_setting-no-background",
                "latency_by_setting-cpu-background",
                "latency_by_setting-network-background",
            ],
            by_setting,
        ),
    ];
    measured("nishimura-interference-small", &charts.concat());
}

#[test]
fn krosnov_congestion() {
    let over_rate = Chart {
        name: "latency_over_rate",
        axis: "total rate, transactions/s",
        levels: Scale,
        series: &["virtio", "macvtap-bridge"],
    };
    let waiting = Chart { name: "wait_over_host_cpu", axis: "host CPU, %", ..over_rate };
    measured("krosnov-congestion-small", &[over_rate, waiting]);
}

#[test]
fn tuning_toggles() {
    let chart = Chart {
        name: "",
        axis: "%",
        levels: Bars(&["host RPS none", "host RPS all"], 2),
        series: &["KSM off", "KSM on"],
    };
    measured("tuning-toggles-small", &alike(["bias_rate_percent", "host_cpu_percent"], chart));
}
