//! Congestion, as its two usual pictures: latency over throughput while the load rises, and what waits for a CPU over how
//! busy the CPUs are.

use super::axis::Axis;
use super::group::{GroupedRows, Part, varying};
use super::palette::MAX_LINES;
use super::plot::{Body, Curves, Mark, Plot, Series, Style, reach};
use crate::figures::{Metric, SummaryRow, TrialFigures};
use crate::profile::Factor;
use crate::report::Model;
use crate::stats::{Estimate, Zone, zones};

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
/// What moves the load along a series and makes no series of its own.
const MOVING_LOAD: [Factor; 7] = [
    Factor::Test,
    Factor::Vms,
    Factor::Flows,
    Factor::Burst,
    Factor::Request,
    Factor::Response,
    Factor::Message,
];
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
    let points = |line: &GroupedRows| {
        let mut rows = line.rows.clone();
        rows.sort_by_key(|row| row.configuration.burst);
        let zones = zones_of(&rows);
        let mark = |(index, row): (usize, &&SummaryRow)| {
            Some(Mark {
                x: *row.get(Metric::TotalRate)?,
                label: row.configuration.in_flight().to_string(),
                zone: zones.as_ref().map(|zones| zones[index]),
                ..Mark::new(0.0, *row.get(metric)?).of_trials(&row.trials)
            })
        };
        rows.iter().enumerate().filter_map(mark).collect()
    };
    let series = part.series(report, points);
    let reached = |value: fn(&Mark) -> &Estimate| reach(series.iter().flat_map(|s| &s.points).map(value));
    let x = Axis::numbers("total rate", "transactions/s", reached(|mark| &mark.x));
    let y = Axis::numbers(axis, metric.unit(), reached(|mark| &mark.y));
    let explanation = format!("{}; numbers: transactions in flight on each flow", metric.explanation());
    let any = !series.is_empty();
    let body = Body::Scatter(Curves { x, y, style: Style::Joined, series });
    let plot = Plot::new((name, title), &part.levels, explanation, body);
    any.then(|| plot.of_configurations(part.configurations()))
}

/// What each load of a curve is good for, by its rate and mean latency, whatever the picture shows.
fn zones_of(loads: &[&SummaryRow]) -> Option<Vec<Zone>> {
    let point =
        |row: &&SummaryRow| Some((row.get(Metric::TotalRate)?.mean, row.get(Metric::MeanLatency)?.mean));
    zones(&loads.iter().map(point).collect::<Option<Vec<_>>>()?)
}

/// What vCPUs wait for a CPU over how busy the host is, a point for each valid trial with guests.
pub(super) fn waiting(report: &Model) -> Option<Plot> {
    let with_guests: Vec<&SummaryRow> = report.rows.iter().filter(|row| row.configuration.vms > 0).collect();
    let factors = varying(&with_guests, &report.experiment.factors, &MOVING_LOAD);
    let mut part = Part::whole(with_guests, factors);
    while part.lines().len() > MAX_LINES && part.factors.pop().is_some() {}
    let points = |line: &GroupedRows| {
        let own = |row: &&SummaryRow, trial: &TrialFigures| trial.configuration == row.configuration;
        let trials = line.rows.iter().flat_map(|row| report.trials.iter().filter(|trial| own(row, trial)));
        trials.filter_map(mark).collect()
    };
    let mut series = part.series(report, points);
    if series.len() > MAX_LINES {
        let points = series.iter_mut().flat_map(|series| series.points.drain(..)).collect();
        series = vec![Series { label: TOGETHER.into(), points, ..series.swap_remove(0) }];
    }
    let marks = || series.iter().flat_map(|series| &series.points);
    let percent = |value: fn(&Mark) -> &Estimate| reach(marks().map(value)).clamp(50.0, 100.0);
    let x = Axis::numbers("host CPU", "%", percent(|mark| &mark.x));
    let y = Axis::numbers("wait ratio", "%", percent(|mark| &mark.y));
    let enough = marks().count() >= FEWEST;
    let subject = ("wait_over_host_cpu", "vCPUs' wait for a CPU over host CPU");
    let explanation = format!("each point is a trial; wait ratio: {}", Metric::WaitRatio.explanation());
    let body = Body::Scatter(Curves { x, y, style: Style::Points, series });
    enough.then(|| Plot::new(subject, &[], explanation, body).of_configurations(part.configurations()))
}

fn mark(trial: &TrialFigures) -> Option<Mark> {
    trial.valid()?;
    let value = |metric: Metric| metric.value(trial).map(Estimate::exact);
    let mark = Mark::new(0.0, value(Metric::WaitRatio)?).of_trials(&[trial.trial]);
    Some(Mark { x: value(Metric::HostCpu)?, ..mark })
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
            TrialFigures::compute(&raw, &figures::timing())
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
