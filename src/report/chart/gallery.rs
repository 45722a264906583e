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
use crate::stats::{Ends, Estimate};

const BACKENDS: [&str; 3] = ["virtio", "e1000", "macvtap-vepa"];
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
pub(super) fn row(configuration: Configuration, value: f64, relative: Option<f64>) -> SummaryRow {
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
        let low_high = relative.map(|r| (mean - r * mean, mean + r * mean));
        let (trials, boots, ends) = (5, 5, Ends::OverBoots);
        Estimate { trials, boots, mean, low_high, ends, min: mean, max: mean }
    };
    let values: BTreeMap<Metric, Estimate> = scales
        .into_iter()
        .filter(|(metric, _)| configuration.vms > 0 || *metric != Metric::BiasRate)
        .map(|(metric, scale)| (metric, of(scale)))
        .collect();
    let measured = if relative.is_some() { 5 } else { 1 };
    SummaryRow {
        configuration,
        measured,
        trials: (1..=measured).collect(),
        boots: measured as usize,
        invalid: 0,
        failed: 0,
        values,
        kendall_w_rate: None,
        kendall_p_rate: None,
        kendall_w_groups: None,
        kendall_p_groups: None,
        jain_demand: None,
        to_bare_metal: None,
        interference: Default::default(),
    }
}

/// A curve that rises and saturates.
pub(super) fn curve(vms: u32, top: f64) -> f64 {
    top * (1.0 - (-f64::from(vms) / 12.0).exp()) * (1.0 - f64::from(vms) / 400.0)
}

pub(super) fn line(backend: &str, top: f64, relative: Option<f64>) -> Vec<SummaryRow> {
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
    let cut = |backends: &[&str]| with_a_tall_interval(backends, 3.0);
    let rest = [("floor", with_floors()), ("clipped", cut(&["virtio"])), ("arrows", cut(&BACKENDS))];
    for (name, chart) in rest {
        std::fs::write(folder.join(format!("{name}.png")), png(&chart.svg).unwrap()).unwrap();
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
        let warned = charts.iter().all(|chart| chart.svg.contains(Accel::Tcg.label()));
        assert_eq!(warned, case.provenance.accel == Accel::Tcg, "{}", case.name);
    }
}

#[test]
fn every_chart_names_its_provenance_and_conditions() {
    for (case, charts) in DRAWN.iter() {
        let test = (!case.experiment.factors.contains(&Factor::Test)).then_some("TCP_RR");
        let parts = ["kvmfair 0.1.0", "profile backends (3f8a12c09b7e)", "window 10 s"];
        for (chart, part) in charts.iter().flat_map(|c| parts.into_iter().chain(test).map(move |p| (c, p))) {
            assert!(words(&chart.svg).contains(part), "{}: {part}", chart.name);
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
    let bands = |case: &str| charts_of(case)[0].svg.matches("fill-opacity=\"0.17\"").count();
    assert_eq!([bands("wide"), bands("three")], [2, 0]);
}

/// A text of a picture.
pub(super) struct DrawnText {
    pub class: String,
    pub words: String,
    pub size: f64,
    /// What it covers, from its capitals' height to its baseline.
    pub area: svg::Area,
}

pub(super) fn texts(svg: &str) -> Vec<DrawnText> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    let text = |node: roxmltree::Node| {
        let number = |name| node.attribute(name).unwrap().parse::<f64>().unwrap();
        let (x, bottom, size) = (number("x"), number("y"), number("font-size"));
        let bold = node.attribute("font-weight") == Some("bold");
        let words = node.text().unwrap_or_default().to_owned();
        let width = font::Font { size, bold }.width(&words);
        assert!((number("textLength") - width).abs() < 0.1, "`{words}` keeps its room in any font");
        let left = match node.attribute("text-anchor").unwrap() {
            "start" => x,
            "middle" => x - width / 2.0,
            _ => x - width,
        };
        let area = svg::Area { left, right: left + width, top: bottom - 0.72 * size, bottom };
        DrawnText { class: node.attribute("class").unwrap().to_owned(), words, size, area }
    };
    texts.map(text).collect()
}

/// All texts, as one.
fn words(svg: &str) -> String {
    texts(svg).into_iter().map(|text| text.words).collect::<Vec<_>>().join(" ")
}

/// Every chart with its case's name.
fn all() -> impl Iterator<Item = (&'static str, &'static Chart)> {
    DRAWN.iter().flat_map(|(case, charts)| charts.iter().map(|chart| (case.name, chart)))
}

#[test]
fn no_text_leaves_the_picture() {
    for (case, chart) in all() {
        for text in texts(&chart.svg) {
            let inside = text.area.left >= 0.0 && text.area.right <= style::PAGE.0;
            assert!(inside, "{case}/{}: {}", chart.name, text.words);
        }
    }
}

#[test]
fn no_two_texts_cover_each_other() {
    for (case, chart) in all() {
        assert_eq!(covering(&texts(&chart.svg)), None, "{case}/{}", chart.name);
    }
}

/// Two texts of which one covers the other.
pub(super) fn covering(texts: &[DrawnText]) -> Option<(&str, &str)> {
    let cover = |a: &svg::Area, b: &svg::Area| {
        a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
    };
    let pairs = texts.iter().enumerate().flat_map(|(index, a)| texts[..index].iter().map(move |b| (a, b)));
    let mut covering = pairs.filter(|(a, b)| cover(&a.area, &b.area));
    covering.next().map(|(a, b)| (a.words.as_str(), b.words.as_str()))
}

#[test]
fn all_type_is_readable_on_a_slide() {
    // A slide of 16:9 is 960 pt wide.
    let points = |text: &DrawnText| text.size * 960.0 / style::PAGE.0;
    for (case, chart) in all() {
        let small = texts(&chart.svg).into_iter().find(|text| points(text) < 14.0);
        assert!(small.is_none(), "{case}/{}: {}", chart.name, small.unwrap().words);
    }
}

#[test]
fn names_of_what_is_compared_are_not_cut() {
    for (case, chart) in all() {
        let named = texts(&chart.svg)
            .into_iter()
            .filter(|text| ["series", "more", "bar", "title"].contains(&text.class.as_str()));
        let cut: Vec<String> = named.map(|text| text.words).filter(|words| words.ends_with('…')).collect();
        assert!(cut.is_empty(), "{case}/{}: {cut:?}", chart.name);
    }
}

#[test]
fn each_series_is_a_group_with_an_id_of_its_own() {
    assert!(charts_of("three")[0].svg.contains("<g id=\"series-virtio\">"));
    for (case, chart) in all() {
        let document = roxmltree::Document::parse(&chart.svg).unwrap();
        let ids: Vec<&str> = document.descendants().filter_map(|node| node.attribute("id")).collect();
        let distinct: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(distinct.len(), ids.len(), "{case}/{}: {ids:?}", chart.name);
        assert!(
            chart.name == "rate_over_time" || ids.iter().any(|id| id.starts_with("series-")),
            "{case}/{}",
            chart.name
        );
    }
}

/// The stroke of a series' line, or the fill of its bar.
fn colour(svg: &str, id: &str) -> String {
    let document = roxmltree::Document::parse(svg).unwrap();
    let group = document.descendants().find(|node| node.attribute("id") == Some(id)).unwrap();
    let stroke = |node: roxmltree::Node| {
        let name = if node.has_tag_name("rect") { "fill" } else { "stroke" };
        node.attribute(name)
            .map(str::to_owned)
            .filter(|_| node.has_tag_name("rect") || node.has_tag_name("polyline"))
    };
    group.descendants().find_map(stroke).unwrap()
}

#[test]
fn a_backend_has_the_same_colour_in_lines_bars_and_scatter_of_any_run() {
    let found = [
        ("three", "total_rate_tps", "series-virtio"),
        ("colliding", "total_rate_tps", "series-virtio"),
        ("wide", "total_rate_tps", "series-virtio"),
        ("bars", "total_rate_tps", "series-virtio"),
        ("congestion", "latency_over_rate", "series-virtio"),
        ("knee", "latency_over_rate", "series-virtio"),
    ];
    let colours: BTreeSet<String> = found
        .iter()
        .map(|(case, name, id)| {
            let chart = charts_of(case).iter().find(|chart| chart.name == *name).unwrap();
            colour(&chart.svg, id)
        })
        .collect();
    assert_eq!(colours.len(), 1, "{colours:?}");
}

/// One line of which the interval at four guests reaches to `high` times the mean.
fn with_a_tall_interval(backends: &[&str], relative: f64) -> Chart {
    let mut rows: Vec<SummaryRow> =
        backends.iter().flat_map(|backend| line(backend, 10_000.0, Some(0.05))).collect();
    rows[6] = row(trials::configuration(backends[0], 64), curve(64, 10_000.0), Some(relative));
    let case = Case::new("tall", rows, &[Factor::Backend, Factor::Vms], Accel::Kvm);
    let charts = charts(&fixture::model(&case.experiment, &case.provenance, case.rows.clone())).unwrap();
    charts.into_iter().find(|chart| chart.name.starts_with("total_rate")).unwrap()
}

#[test]
fn a_band_is_clipped_at_the_frame_and_keeps_its_slopes() {
    let svg = with_a_tall_interval(&["virtio"], 3.0).svg;
    let document = roxmltree::Document::parse(&svg).unwrap();
    let band = document.descendants().find(|node| node.attribute("fill-opacity") == Some("0.17")).unwrap();
    let number = |node: roxmltree::Node, name| node.attribute(name).unwrap().parse::<f64>().unwrap();
    let clip = document.descendants().find(|node| node.has_tag_name("clipPath")).unwrap();
    let top = number(clip.first_element_child().unwrap(), "y");
    let highest = band.attribute("points").unwrap().split(' ').map(|point| point.split_once(',').unwrap().1);
    let highest = highest.map(|y| y.parse::<f64>().unwrap()).fold(f64::MAX, f64::min);
    assert!(highest < top - 100.0, "the corner stays where it is: {highest} above {top}");
    assert!(band.parent().unwrap().attribute("clip-path").is_some());
    assert!(svg.contains("cut at the top"));
}

#[test]
fn a_whisker_that_is_cut_ends_in_an_arrow() {
    let arrows = |svg: &str| {
        let heads = |node: &roxmltree::Node| {
            node.has_tag_name("polygon")
                && node.attribute("points").unwrap().split(' ').count() == 3
                && node.attribute("class").is_none()
                && node.attribute("stroke").is_none()
        };
        roxmltree::Document::parse(svg).unwrap().descendants().filter(heads).count()
    };
    let cut = with_a_tall_interval(&BACKENDS, 3.0).svg;
    assert_eq!(arrows(&cut), 1);
    assert!(cut.contains("arrow: beyond the scale"));
    assert_eq!(arrows(&with_a_tall_interval(&BACKENDS, 0.1).svg), 0);
}

/// A chart of bias over the noise floor of each backend.
fn with_floors() -> Chart {
    let mut rows = [line("virtio", 100_000.0, Some(0.05)), line("e1000", 60_000.0, Some(0.05))].concat();
    for row in &mut rows {
        let floor = Estimate::exact(0.8 * row.get(Metric::BiasRate).unwrap().mean);
        row.values.insert(Metric::FloorBiasRate, floor);
    }
    let case = Case::new("floor", rows, &[Factor::Backend, Factor::Vms], Accel::Kvm);
    let model = fixture::model(&case.experiment, &case.provenance, case.rows.clone());
    chart(&model, &metrics::plots(&model, Metric::BiasRate)[0]).unwrap()
}

#[test]
fn a_noise_floor_is_a_grey_area_under_the_lines() {
    let svg = with_floors().svg;
    assert!(svg.find("id=\"floor-e1000\"").unwrap() < svg.find("id=\"series-virtio\"").unwrap());
    assert!(words(&svg).contains("what equal guests with this noise would show"));
    let document = roxmltree::Document::parse(&svg).unwrap();
    let mut edges = document.descendants().filter(|node| {
        node.has_tag_name("polyline")
            && node.ancestors().any(|one| one.attribute("id") == Some("floor-e1000"))
    });
    let clipped = |edge: roxmltree::Node| edge.ancestors().any(|one| one.attribute("clip-path").is_some());
    assert!(edges.all(clipped), "a floor beyond the scale keeps its slopes");
    assert!(charts_of("one").iter().all(|chart| !chart.svg.contains("id=\"floor-")));
}

#[test]
fn percentiles_are_named_as_those_of_the_whole_flow_in_a_closed_loop() {
    for (case, chart) in all().filter(|(_, chart)| chart.svg.contains("P99")) {
        let words = words(&chart.svg);
        assert!(words.contains("whole flow") && words.contains("closed loop"), "{case}/{}", chart.name);
    }
}
