//! Charts that somebody asked for: few and many series, guests and long names, in each theme and size.
//!
//! `cargo test chosen_gallery -- --ignored` writes them as PNG into `kvmfair-gallery` in the directory for temporary files.

use super::gallery::{DrawnText, covering, curve, line, row, texts};
use std::str::FromStr;

use super::*;
use crate::figures::{SummaryRow, fixture as trials};
use crate::profile::{Configuration, Experiment};
use crate::raw::Accel;
use crate::report::fixture;

const SIZES: [&str; 3] = ["", "1080x1080", "a4"];
const THEMES: [ChartTheme; 3] = [ChartTheme::Light, ChartTheme::Dark, ChartTheme::Print];

fn request(metric: Metric) -> MetricChart {
    MetricChart {
        metric,
        x: None,
        series: None,
        only: Vec::new(),
        title: None,
        subtitle: None,
        note: None,
        is_log: false,
    }
}

fn style(theme: ChartTheme, size: &str) -> ChartStyle {
    ChartStyle { theme, size: size.parse().ok(), has_provenance: true }
}

/// A picture of runs of these rows; each has a name of 20 characters.
fn drawn(
    runs: Vec<(Vec<SummaryRow>, &[Factor])>,
    request: &MetricChart,
    style: ChartStyle,
) -> Result<ChosenChart, MetricChartError> {
    let names: Vec<String> = (1..=runs.len()).map(|run| format!("a-run-of-the-year-{run:02}")).collect();
    let of_rows = |(rows, factors): &(Vec<SummaryRow>, &[Factor])| {
        let configurations = rows.iter().map(|row| row.configuration.clone()).collect();
        let mut experiment = fixture::experiment(configurations, factors);
        experiment.timing.repeats = 5;
        experiment
    };
    let experiments: Vec<Experiment> = runs.iter().map(of_rows).collect();
    let provenance = fixture::provenance(Accel::Tcg);
    let models = runs.into_iter().zip(&experiments);
    let models = models.map(|((rows, _), experiment)| fixture::model(experiment, &provenance, rows));
    let runs = models.zip(&names).map(|(model, name)| ChartedRun { name, model });
    chosen_chart(&runs.collect::<Vec<_>>(), request, style)
}

/// So many series over so many numbers of guests, each a run.
fn crowded(series: u32, guests: u32, style: ChartStyle) -> ChosenChart {
    let run = |number: u32| {
        let top = 40_000.0 + 9_000.0 * f64::from(number);
        let rows =
            (1..=guests).map(|vms| row(trials::configuration("virtio", vms), curve(vms, top), Some(0.05)));
        (rows.collect(), &[Factor::Vms][..])
    };
    drawn((0..series).map(run).collect(), &request(Metric::TotalRate), style).unwrap()
}

/// So many backends by number of guests, as bars.
fn barred(backends: usize, style: ChartStyle) -> ChosenChart {
    let names =
        ["virtio", "e1000", "macvtap-passthru", "vhost-net", "ovs", "macvtap-vepa", "sr-iov", "e1000e"];
    let rows = names[..backends].iter().flat_map(|name| line(name, 90_000.0, Some(0.05)));
    let request = MetricChart { x: Some(Factor::Backend), ..request(Metric::TotalRate) };
    drawn(vec![(rows.collect(), &[Factor::Backend, Factor::Vms])], &request, style).unwrap()
}

/// Each of them with its name.
fn all() -> Vec<(String, ChosenChart)> {
    let mut all = Vec::new();
    for (size, theme) in SIZES.into_iter().zip(THEMES) {
        for (series, guests) in [(1, 1), (1, 64), (7, 7), (20, 64)] {
            all.push((format!("{series}-of-{guests}-{size}"), crowded(series, guests, style(theme, size))));
        }
        for backends in [1, 2] {
            all.push((format!("{backends}-backends-{size}"), barred(backends, style(theme, size))));
        }
    }
    all
}

fn size(svg: &str) -> (f64, f64) {
    let document = roxmltree::Document::parse(svg).unwrap();
    let side = |name| document.root_element().attribute(name).unwrap().parse::<f64>().unwrap();
    (side("width"), side("height"))
}

#[test]
#[ignore = "writes pictures for people to look at"]
fn chosen_gallery() {
    let folder = std::env::temp_dir().join("kvmfair-gallery");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, drawn) in all() {
        let png = png_of_size(&drawn.chart.svg, drawn.pixels).unwrap();
        std::fs::write(folder.join(format!("chosen-{name}.png")), png).unwrap();
    }
}

#[test]
fn texts_of_crowded_charts_stay_inside_and_apart_in_every_size() {
    for (name, drawn) in all() {
        let (width, height) = size(&drawn.chart.svg);
        let texts = texts(&drawn.chart.svg);
        assert_eq!(covering(&texts), None, "{name}");
        let is_outside = |text: &&DrawnText| {
            let svg::Area { left, right, top, bottom } = text.area;
            left < 0.0 || right > width || top < 0.0 || bottom > height
        };
        assert_eq!(texts.iter().find(is_outside).map(|text| &text.words), None, "{name}");
        let cut = texts.iter().find(|text| text.words.ends_with('…'));
        assert_eq!(cut.map(|text| &text.words), None, "{name}");
    }
}

#[test]
fn every_series_is_named_and_has_a_group_with_its_id() {
    let svg = crowded(20, 7, ChartStyle::default()).chart.svg;
    for run in 1..=20 {
        let name = format!("a-run-of-the-year-{run:02}");
        assert!(svg.contains(&format!("<g id=\"series-{name}\">")), "{name}");
        assert!(texts(&svg).iter().any(|text| text.class == "series" && text.words == name), "{name}");
    }
}

#[test]
fn type_is_14_pt_on_a_slide_unless_the_size_is_too_small_for_the_chart() {
    for drawn in [crowded(7, 7, ChartStyle::default()), crowded(2, 7, style(ChartTheme::Light, "1080x1080"))]
    {
        assert!((drawn.smallest_type_pt() - READABLE_PT).abs() < 0.01, "{}", drawn.smallest_type_pt());
    }
    let small = crowded(20, 7, style(ChartTheme::Light, "1080x1080"));
    assert!((7.0..13.9).contains(&small.smallest_type_pt()), "{}", small.smallest_type_pt());
    assert_eq!(small.pixels, (1080, 1080));
}

#[test]
fn a_dark_chart_has_no_white_and_a_printed_one_no_colour() {
    let dark = crowded(2, 7, style(ChartTheme::Dark, "")).chart.svg;
    assert!(dark.contains("fill=\"#16181d\"") && !dark.contains("#ffffff"), "{dark}");
    let print = crowded(2, 7, style(ChartTheme::Print, "")).chart.svg;
    let mut colours = print.match_indices("=\"#").map(|(at, _)| print.get(at + 3..at + 9).unwrap());
    assert!(colours.all(|hex| hex[..2] == hex[2..4] && hex[2..4] == hex[4..]), "{print}");
}

#[test]
fn a_chart_without_provenance_still_says_that_guests_were_emulated() {
    let plain = ChartStyle { has_provenance: false, ..ChartStyle::default() };
    let svg = crowded(1, 7, plain).chart.svg;
    assert!(!svg.contains("class=\"provenance\"") && svg.contains(Accel::Tcg.label()));
}

/// Two backends, two numbers of vCPUs, three of guests; bare metal.
fn grid() -> (Vec<SummaryRow>, &'static [Factor]) {
    let configurations = ["virtio", "e1000"].into_iter().flat_map(|backend| {
        [1, 2].into_iter().flat_map(move |vcpus| {
            [1, 2, 4].map(|vms| Configuration { vcpus, ..trials::configuration(backend, vms) })
        })
    });
    let rows = configurations.map(|one| row(one, 1000.0, Some(0.1)));
    let bare = row(trials::configuration("baremetal", 0), 1500.0, Some(0.1));
    (rows.chain([bare]).collect(), &[Factor::Backend, Factor::Vcpus, Factor::Vms])
}

fn chosen(change: impl FnOnce(&mut MetricChart)) -> Result<ChosenChart, MetricChartError> {
    let mut request = request(Metric::TotalRate);
    change(&mut request);
    drawn(vec![grid()], &request, ChartStyle::default())
}

fn of_class(svg: &str, class: &str) -> Vec<String> {
    let texts = texts(svg).into_iter().filter(|text| text.class == class);
    texts.map(|text| text.words.replace('\u{a0}', " ")).collect()
}

fn only(text: &str) -> Vec<ShownLevels> {
    conditions(&[text.to_owned()]).unwrap()
}

#[test]
fn levels_that_are_left_out_take_no_room_and_are_named_in_the_caption() {
    let svg = chosen(|request| request.only = only("vcpus=2,vms=1,vms=4")).unwrap().chart.svg;
    assert_eq!(of_class(&svg, "tick"), ["1", "4"]);
    assert_eq!(of_class(&svg, "series"), ["virtio", "e1000", "baremetal"]);
    assert!(of_class(&svg, "caption").join(" ").contains("2 vCPUs"));
}

#[test]
fn words_on_the_axis_are_bars_with_a_group_for_each() {
    let change = |request: &mut MetricChart| {
        (request.x, request.only) = (Some(Factor::Backend), only("vms=4"));
    };
    let svg = chosen(change).unwrap().chart.svg;
    assert_eq!(of_class(&svg, "bar"), ["1 vCPU", "2 vCPUs", "1 vCPU", "2 vCPUs", "baremetal"]);
    assert_eq!(of_class(&svg, "series"), ["virtio", "e1000", "baremetal"]);
    assert_eq!(of_class(&svg, "title"), ["Total rate by backend"]);
}

#[test]
fn another_factor_of_numbers_is_an_axis_too() {
    let change = |request: &mut MetricChart| {
        (request.x, request.only) = (Some(Factor::Vcpus), only("backend=virtio"));
    };
    let svg = chosen(change).unwrap().chart.svg;
    assert_eq!(
        (of_class(&svg, "tick"), of_class(&svg, "axis")),
        (vec!["1".into(), "2".into()], vec!["vcpus".into()])
    );
    assert_eq!(of_class(&svg, "series"), ["1 guest", "2 guests", "4 guests"]);
}

#[test]
fn what_cannot_be_drawn_is_refused_with_what_to_do() {
    let refused = |change: fn(&mut MetricChart)| chosen(change).unwrap_err().to_string();
    for (error, expected) in [
        (
            refused(|request| request.series = Some(vec![Factor::Backend])),
            "2 configurations fall on one point; they differ in `vcpus` (hint: --where vcpus=2, or --series)",
        ),
        (refused(|request| request.only = only("backend=vritio")), "did you mean `virtio`?"),
        (refused(|request| request.only = only("vms=9")), "no configuration has vms = 9 (hint: the run has"),
        (
            refused(|request| request.metric = Metric::Throughput),
            "this profile cannot have `total_throughput_mbps`",
        ),
        (refused(|request| request.metric = Metric::MaxLatency), "`max_latency_us` has no value"),
        (
            refused(|request| (request.x, request.is_log) = (Some(Factor::Backend), true)),
            "bars begin at zero",
        ),
    ] {
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_size_in_which_bars_cannot_be_read_is_refused() {
    let flat = ChartStyle { size: Some(PictureSize::from_str("2000x320").unwrap()), ..ChartStyle::default() };
    let bars = MetricChart { x: Some(Factor::Backend), ..request(Metric::TotalRate) };
    let error = drawn(vec![grid()], &bars, flat).unwrap_err().to_string();
    assert!(error.contains("2000x320 has no room"), "{error}");
}

#[test]
fn a_logarithmic_axis_says_so_and_has_no_zero() {
    let svg = chosen(|request| (request.is_log, request.only) = (true, only("vcpus=1"))).unwrap().chart.svg;
    assert_eq!(of_class(&svg, "unit"), ["transactions/s (log scale)"]);
    assert!(!of_class(&svg, "value").contains(&"0".to_owned()));
}

#[test]
fn an_svg_without_fonts_keeps_its_groups_and_its_description() {
    let svg = outlined(&crowded(2, 7, ChartStyle::default()).chart.svg).unwrap();
    let document = roxmltree::Document::parse(&svg).unwrap();
    assert!(document.descendants().all(|node| !node.has_tag_name("text")));
    assert!(document.descendants().any(|node| node.attribute("id") == Some("series-a-run-of-the-year-02")));
    let root = document.root_element();
    assert!(root.attribute("viewBox").is_some() && root.attribute("aria-label").is_some());
    assert!(document.descendants().any(|node| node.has_tag_name("desc")));
}
