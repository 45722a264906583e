//! Congestion, as its two usual pictures: latency over throughput while the load rises, and what waits for a CPU over how
//! busy the CPUs are.

use super::group::{self, Group, Part, varying};
use super::metrics;
use super::palette::MAX_LINES;
use super::plot::{Axis, Body, Curves, Estimate, Mark, Plot, Role, Series, Style, reach};
use crate::figures::{Metric, SummaryRow, TrialFigures};
use crate::profile::Factor;
use crate::report::Model;
use crate::stats::{Zone, zones};

/// The latencies that are drawn over the rate.
const LATENCIES: [(Metric, &str, &str, &str); 2] = [
    (Metric::MeanLatency, "latency_over_rate", "Mean latency over rate", "mean latency"),
    (
        Metric::P99Latency,
        "p99_latency_over_rate",
        "P99 latency over rate",
        "P99 latency (whole flow, closed loop)",
    ),
];
/// The series of all, where there are more than a picture has colours for.
const TOGETHER: &str = "all trials";
/// Trials from which on a cloud of them shows something.
const FEWEST: usize = 3;

/// Latency over rate where `burst` is swept: one curve for each combination of the other levels, a point for each burst.
pub(super) fn curves(report: &Model) -> Vec<Plot> {
    let rows: Vec<&SummaryRow> =
        report.rows.iter().filter(|row| row.get(Metric::TotalRate).is_some()).collect();
    if varying(&rows, &[Factor::Burst], &[]).is_empty() {
        return Vec::new();
    }
    let factors = varying(&rows, &report.experiment.factors, &[Factor::Burst]);
    let parts = Part::whole(rows, factors).split(MAX_LINES);
    let of_latency = |latency| parts.iter().filter_map(move |part| curve(report, part, latency));
    LATENCIES.into_iter().flat_map(of_latency).collect()
}

fn curve(
    report: &Model,
    part: &Part,
    (metric, name, title, axis): (Metric, &str, &str, &str),
) -> Option<Plot> {
    let looks = group::looks(report, &part.factors);
    let series = |mut line: Group| {
        line.rows.sort_by_key(|row| row.configuration.burst);
        let zones = zones_of(&line.rows);
        let mark = |(index, row): (usize, &&SummaryRow)| {
            Some(Mark {
                x: (*row.get(Metric::TotalRate)?).into(),
                label: row.configuration.in_flight().to_string(),
                zone: zones.as_ref().map(|zones| zones[index]),
                ..Mark::new(0.0, (*row.get(metric)?).into())
            })
        };
        let points = line.rows.iter().enumerate().filter_map(mark).collect();
        Series { label: line.words, role: Role::Measured, look: looks.get(&group::name(&line.key)), points }
    };
    let series: Vec<Series> = part.lines().into_iter().map(series).filter(|s| !s.points.is_empty()).collect();
    let marks = || series.iter().flat_map(|series| &series.points);
    let x = Axis::numbers("total rate", "transactions/s", reach(marks().map(|mark| &mark.x)));
    let y = Axis::numbers(axis, metric.unit(), reach(marks().map(|mark| &mark.y)));
    (!series.is_empty()).then(|| Plot {
        name: group::file_name(name, &part.levels),
        title: group::title(title, &part.levels),
        explanation: format!(
            "{}; numbers: transactions in flight on each flow",
            metrics::explanation(metric)
        ),
        drawn: part.configurations(),
        body: Body::Scatter(Curves { x, y, style: Style::Joined, series: series.clone() }),
    })
}

/// What each load of a curve is good for, by its rate and mean latency, whatever the picture shows.
fn zones_of(loads: &[&SummaryRow]) -> Option<Vec<Zone>> {
    let point =
        |row: &&SummaryRow| Some((row.get(Metric::TotalRate)?.mean, row.get(Metric::MeanLatency)?.mean));
    zones(&loads.iter().map(point).collect::<Option<Vec<_>>>()?)
}

/// What vCPUs wait for a CPU over how busy the host is, a point for each valid trial with guests.
pub(super) fn waiting(report: &Model) -> Option<Plot> {
    // What moves the load along a series makes no series of its own.
    const LOAD: [Factor; 7] = [
        Factor::Test,
        Factor::Vms,
        Factor::Flows,
        Factor::Burst,
        Factor::Request,
        Factor::Response,
        Factor::Message,
    ];
    let with_guests: Vec<&SummaryRow> = report.rows.iter().filter(|row| row.configuration.vms > 0).collect();
    let mut part = Part::whole(with_guests.clone(), varying(&with_guests, &report.experiment.factors, &LOAD));
    while part.lines().len() > MAX_LINES && part.factors.pop().is_some() {}
    let looks = group::looks(report, &part.factors);
    let marks = |rows: &[&SummaryRow]| {
        let trials =
            rows.iter().flat_map(|row| report.trials.iter().filter(|t| t.configuration == row.configuration));
        trials.filter_map(mark).collect()
    };
    let of_line = |line: Group| Series {
        role: Role::Measured,
        look: looks.get(&group::name(&line.key)),
        points: marks(&line.rows),
        label: line.words,
    };
    let mut lines = part.lines();
    if lines.len() > MAX_LINES {
        lines = vec![Group { key: Vec::new(), words: TOGETHER.into(), rows: with_guests }];
    }
    let series: Vec<Series> = lines.into_iter().map(of_line).filter(|s| !s.points.is_empty()).collect();
    let points = || series.iter().flat_map(|series| &series.points);
    let percent = |value: fn(&Mark) -> &Estimate| reach(points().map(value)).clamp(50.0, 100.0);
    (points().count() >= FEWEST).then(|| Plot {
        name: "wait_over_host_cpu".into(),
        title: "vCPUs' wait for a CPU over host CPU".into(),
        explanation: format!("each point is a trial; wait ratio: {}", Metric::WaitRatio.explanation()),
        drawn: part.configurations(),
        body: Body::Scatter(Curves {
            x: Axis::numbers("host CPU", "%", percent(|mark| &mark.x)),
            y: Axis::numbers("wait ratio", "%", percent(|mark| &mark.y)),
            style: Style::Points,
            series: series.clone(),
        }),
    })
}

fn mark(trial: &TrialFigures) -> Option<Mark> {
    trial.valid()?;
    let value = |metric: Metric| metric.value(trial).map(Estimate::exact);
    Some(Mark { x: value(Metric::HostCpu)?, ..Mark::new(0.0, value(Metric::WaitRatio)?) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::fixture as figures;
    use crate::profile::Configuration;
    use crate::raw::Accel;
    use crate::report::fixture;

    /// The picture of a run over so many of these backends, a trial each.
    fn labels(backends: &[&str]) -> Vec<String> {
        let plan: Vec<Configuration> =
            backends.iter().map(|backend| figures::configuration(backend, 2)).collect();
        let trial = |(number, configuration): (u32, &Configuration)| {
            let mut raw =
                figures::numbered(figures::trial(configuration.clone(), &[900.0, 800.0]), number, 1);
            raw.host.iter_mut().for_each(|sample| (sample.cpu.idle, sample.cpu.iowait) = (0.0, 0.0));
            TrialFigures::of(&raw, &figures::timing())
        };
        let trials: Vec<TrialFigures> = (1..).zip(&plan).map(trial).collect();
        let experiment = fixture::experiment(plan, &[Factor::Backend]);
        let provenance = fixture::provenance(Accel::Tcg);
        let plot = waiting(&Model::new(&experiment, &provenance, &trials)).expect("a picture");
        let Body::Scatter(curves) = plot.body else { panic!("a scatter") };
        curves.series.into_iter().map(|series| series.label).collect()
    }

    #[test]
    fn more_backends_than_a_picture_has_colours_for_are_one_cloud() {
        let all = [
            "e1000",
            "e1000e",
            "virtio",
            "vhost-net",
            "macvtap-bridge",
            "macvtap-vepa",
            "macvtap-private",
            "ovs",
        ];
        assert_eq!(labels(&all[..3]), ["e1000", "e1000e", "virtio"]);
        assert_eq!(labels(&all), [TOGETHER]);
    }
}
