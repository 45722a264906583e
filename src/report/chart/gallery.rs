//! Charts of made-up values that provoke what goes wrong in charts: collisions, gaps, clipped text, wide ranges.
//!
//! `cargo test gallery -- --ignored` writes them as PNG into `kvmfair-gallery` in the directory for temporary files, for
//! people to look at; the other tests check what a program can.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::*;
use crate::figures::{Metric, SummaryRow, TrialFigures, fixture as trials, summarise};
use crate::profile::{Configuration, Experiment, Factor};
use crate::raw::Accel;
use crate::report::{Provenance, fixture};
use crate::stats::Interval;

const VMS: [u32; 7] = [1, 2, 4, 8, 16, 32, 64];

/// A run of made-up values.
struct Case {
    name: &'static str,
    experiment: Experiment,
    provenance: Provenance,
    trials: Vec<TrialFigures>,
    rows: Vec<SummaryRow>,
}

impl Case {
    fn new(name: &'static str, rows: Vec<SummaryRow>, factors: &[Factor], accel: Accel) -> Case {
        let configurations = rows.iter().map(|row| row.configuration.clone()).collect();
        let mut experiment = fixture::experiment(configurations, factors);
        experiment.timing.repeats = rows.iter().map(|row| row.measured).max().unwrap_or(0);
        Case { name, experiment, provenance: fixture::provenance(accel), trials: vec![], rows }
    }

    /// The same of trials.
    fn measured(run: sources::Run) -> Case {
        let (name, experiment, accel, trials) = run;
        let rows = summarise(&experiment.configurations, &trials);
        Case { name, experiment, provenance: fixture::provenance(accel), trials, rows }
    }
}

/// A row with one value for each drawn metric, scaled from `value`, and a relative half-width.
fn row(configuration: Configuration, value: f64, relative: Option<f64>) -> SummaryRow {
    let scales = [
        (Metric::TotalRate, 1.0),
        (Metric::RatePerFlow, 1.0 / 128.0),
        (Metric::MeanLatency, 0.02),
        (Metric::P99Latency, 0.05),
        (Metric::HostCpu, 3e-4),
        (Metric::CpuPerTransaction, 1.5e-4),
        (Metric::BiasRate, 1.1e-4),
    ];
    let of = |scale: f64| {
        let mean = value * scale;
        Interval { n: 5, mean, half_width: relative.map(|r| r * mean), min: mean, max: mean }
    };
    let values: BTreeMap<Metric, Interval> = scales
        .into_iter()
        .filter(|(metric, _)| configuration.vms > 0 || *metric != Metric::BiasRate)
        .map(|(metric, scale)| (metric, of(scale)))
        .collect();
    let measured = if relative.is_some() { 5 } else { 1 };
    SummaryRow {
        configuration,
        measured,
        invalid: 0,
        failed: 0,
        values,
        kendall_w_rate: None,
        kendall_w_groups: None,
        weighted: Default::default(),
        jain_demand: None,
        to_bare_metal: None,
        interference: Default::default(),
    }
}

/// A curve that rises and saturates.
fn curve(vms: u32, top: f64) -> f64 {
    top * (1.0 - (-f64::from(vms) / 12.0).exp()) * (1.0 - f64::from(vms) / 400.0)
}

fn line(backend: &str, top: f64, relative: Option<f64>) -> Vec<SummaryRow> {
    VMS.map(|vms| row(trials::configuration(backend, vms), curve(vms, top), relative)).into()
}

/// Every case with its charts, drawn once for all tests.
static DRAWN: LazyLock<Vec<(Case, Vec<Chart>)>> = LazyLock::new(|| {
    let drawn = |case: Case| {
        let model = fixture::model(&case.experiment, &case.provenance, case.rows.clone());
        let charts = charts(&Model { trials: &case.trials, ..model }).unwrap();
        (case, charts)
    };
    cases().into_iter().map(drawn).collect()
});

pub(super) fn charts_of(name: &str) -> &'static [Chart] {
    &DRAWN.iter().find(|(case, _)| case.name == name).unwrap().1
}

fn cases() -> Vec<Case> {
    use Factor::{Backend, Memory, Mtu, Vcpus, Vms};
    let backends =
        ["e1000", "virtio", "macvtap-bridge", "macvtap-vepa", "macvtap-private", "macvtap-passthru"];
    let colliding = (0..6).flat_map(|i| line(backends[i], 200_000.0 + 3_000.0 * i as f64, Some(0.04)));
    let mut three: Vec<SummaryRow> =
        [("virtio", 290_000.0), ("macvtap-vepa", 160_000.0), ("e1000", 60_000.0)]
            .into_iter()
            .flat_map(|(backend, top)| line(backend, top, Some(0.06)))
            .collect();
    three.push(row(trials::configuration("baremetal", 0), 330_000.0, Some(0.01)));
    let mut far = line("virtio", 9_000.0, Some(0.3));
    far.push(row(trials::configuration("baremetal", 0), 330_000.0, Some(0.01)));
    let wide =
        [("virtio", 900_000.0), ("e1000", 900.0)].into_iter().flat_map(|(b, top)| line(b, top, Some(0.5)));
    let mut gaps: Vec<SummaryRow> = line("virtio", 200_000.0, Some(0.1));
    gaps.extend(line("macvtap-vepa", 150_000.0, Some(0.1)));
    for index in [2, 4, 12, 13] {
        gaps[index].values.clear();
    }
    let configured = |backend, vms, change: fn(&mut Configuration, u32), level| {
        let mut configuration = trials::configuration(backend, vms);
        change(&mut configuration, level);
        configuration
    };
    let vcpus = ["virtio", "macvtap-vepa"].into_iter().flat_map(|backend| {
        [1, 2, 4, 8, 16].into_iter().flat_map(move |vcpus| {
            let of = move |vms| configured(backend, vms, |c, v| c.vcpus = v, vcpus);
            VMS.map(|vms| row(of(vms), curve(vms, 40_000.0 * f64::from(vcpus).sqrt()), Some(0.05)))
        })
    });
    let long = ["macvtap-passthru", "macvtap-private"].into_iter().flat_map(|backend| {
        [1, 16].into_iter().flat_map(move |vcpus| {
            let of = move |vms| {
                let mut configuration = configured(backend, vms, |c, v| c.vcpus = v, vcpus);
                configuration.memory_mib = 65_536 * vcpus;
                configuration.mtu = 1500 + 7500 * (vcpus / 16);
                configuration
            };
            VMS.map(|vms| row(of(vms), curve(vms, 40_000.0), Some(0.05)))
        })
    });
    let mut bars: Vec<SummaryRow> = backends
        .iter()
        .enumerate()
        .map(|(i, b)| row(trials::configuration(b, 16), 50_000.0 + 9_000.0 * i as f64, Some(0.1)))
        .collect();
    bars.push(row(trials::configuration("baremetal", 0), 330_000.0, Some(0.01)));
    let grouped = ["virtio", "e1000", "macvtap-vepa"].into_iter().flat_map(|backend| {
        [1, 2, 4, 8].map(|vcpus| {
            row(configured(backend, 16, |c, v| c.vcpus = v, vcpus), 9e3 * f64::from(vcpus), Some(0.1))
        })
    });
    let single = vec![row(trials::configuration("virtio", 16), 8_000.0, None)];
    let mut long = Case::new("long", long.collect(), &[Backend, Vcpus, Memory, Mtu, Vms], Accel::Tcg);
    long.provenance.host_cpu = "Some Very Long Winded Processor Name With Many Words 9999X ".repeat(4);
    long.provenance.kernel = format!("6.12.48-{}", "custom".repeat(60));
    let mtus = (0..9).flat_map(|level| {
        let of = move |vms| configured("virtio", vms, |c, v| c.mtu = v, 1500 + 1000 * level);
        VMS.map(|vms| row(of(vms), curve(vms, 10_000.0 * f64::from(level + 1)), Some(0.05)))
    });
    let rows = vec![
        long,
        Case::new("nine", mtus.collect(), &[Mtu, Vms], Accel::Kvm),
        Case::new("one", line("virtio", 28_500.0, Some(0.05)), &[Vms], Accel::Kvm),
        Case::new("three", three, &[Backend, Vms], Accel::Kvm),
        Case::new("colliding", colliding.collect(), &[Backend, Vms], Accel::Tcg),
        Case::new("far", far, &[Backend, Vms], Accel::Tcg),
        Case::new("wide", wide.collect(), &[Backend, Vms], Accel::Tcg),
        Case::new("gaps", gaps, &[Backend, Vms], Accel::Kvm),
        Case::new("unrepeated", line("virtio", 3_000.0, None), &[Vms], Accel::Tcg),
        Case::new("parts", vcpus.collect(), &[Backend, Vcpus, Vms], Accel::Kvm),
        Case::new("bars", bars, &[Backend], Accel::Tcg),
        Case::new("grouped", grouped.collect(), &[Backend, Vcpus], Accel::Kvm),
        Case::new("single", single, &[], Accel::Tcg),
    ];
    rows.into_iter().chain(sources::runs().into_iter().map(Case::measured)).collect()
}

#[test]
#[ignore = "writes pictures for people to look at"]
fn gallery() {
    let folder = std::env::temp_dir().join("kvmfair-gallery");
    std::fs::create_dir_all(&folder).unwrap();
    for (case, charts) in DRAWN.iter() {
        for chart in charts
            .iter()
            .filter(|chart| chart.name.contains("total") || case.name == "three" || !case.trials.is_empty())
        {
            let png = png(&chart.svg).unwrap();
            std::fs::write(folder.join(format!("{}-{}.png", case.name, chart.name)), png).unwrap();
        }
    }
}

#[test]
fn metrics_without_values_have_no_chart() {
    let names: Vec<&str> = charts_of("one").iter().map(|chart| chart.name.as_str()).collect();
    assert!(names.contains(&"rate_per_flow_tps"));
    assert!(!names.contains(&"bias_cpu_percent"), "{names:?}");
}

#[test]
fn more_lines_than_one_picture_holds_are_divided_by_a_factor() {
    let charts = charts_of("parts");
    let totals: Vec<&str> =
        charts.iter().filter(|c| c.name.starts_with("total")).map(|chart| chart.name.as_str()).collect();
    assert_eq!(totals, ["total_rate_tps-virtio", "total_rate_tps-macvtap-vepa"]);
    assert_eq!(
        charts.iter().find(|c| c.name == totals[0]).unwrap().title,
        "Total rate by number of guests: virtio"
    );
}

#[test]
fn no_two_charts_have_the_same_name() {
    for (case, charts) in DRAWN.iter() {
        let names: BTreeSet<&str> = charts.iter().map(|chart| chart.name.as_str()).collect();
        assert_eq!(names.len(), charts.len(), "{}", case.name);
    }
}

#[test]
fn every_emulated_chart_says_so_and_no_other_does() {
    for (case, charts) in DRAWN.iter() {
        let warned = charts.iter().all(|chart| chart.svg.contains("shapes, not speeds"));
        assert_eq!(warned, case.provenance.accel == Accel::Tcg, "{}", case.name);
    }
}

#[test]
fn every_chart_names_its_provenance_and_conditions() {
    for (case, charts) in DRAWN.iter() {
        let test = (!case.experiment.factors.contains(&Factor::Test)).then_some("TCP_RR");
        let parts = ["kvmfair 0.1.0", "profile backends (3f8a12c09b7e)", "window 10 s"];
        for (chart, part) in charts.iter().flat_map(|c| parts.into_iter().chain(test).map(move |p| (c, p))) {
            assert!(chart.svg.contains(part), "{}: {part}", chart.name);
        }
    }
}

#[test]
fn a_chart_without_intervals_does_not_speak_of_bands() {
    let silent = |chart: &Chart| !chart.svg.contains("95\u{a0}%") && chart.svg.contains("single trials");
    assert!(charts_of("unrepeated").iter().all(silent));
}

#[test]
fn intervals_of_few_lines_are_bands_and_of_many_whiskers_that_can_be_told_apart() {
    let shape = |case: &str, shape: &str| charts_of(case)[0].svg.contains(&format!("{shape} = 95\u{a0}%"));
    assert!(shape("one", "band") && shape("wide", "band"), "one line, two lines");
    assert!(shape("three", "whisker") && shape("colliding", "whisker"));
    let bands = |case: &str| charts_of(case)[0].svg.matches("<polygon").count();
    assert_eq!([bands("wide"), bands("three")], [2, 0]);
}

/// Text elements of a picture: x, anchor, font and content.
fn texts(svg: &str) -> Vec<(f64, String, super::text::Font, String)> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    texts
        .map(|node| {
            let number = |name| node.attribute(name).unwrap().parse::<f64>().unwrap();
            let anchor = node.attribute("text-anchor").unwrap().to_string();
            let bold = node.attribute("font-weight") == Some("bold");
            let font = super::text::Font { size: number("font-size"), bold };
            (number("x"), anchor, font, node.text().unwrap_or_default().trim().to_string())
        })
        .collect()
}

#[test]
fn no_text_leaves_the_picture() {
    for (case, charts) in DRAWN.iter() {
        for chart in charts {
            for (x, anchor, font, text) in texts(&chart.svg) {
                let width = font.width(&text);
                let left = match anchor.as_str() {
                    "start" => x,
                    "middle" => x - width / 2.0,
                    _ => x - width,
                };
                assert!(
                    left >= 0.0 && left + width <= f64::from(SIZE.0),
                    "{}/{}: {text}",
                    case.name,
                    chart.name
                );
            }
        }
    }
}
