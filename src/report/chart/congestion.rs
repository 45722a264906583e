//! Congestion, as its two usual pictures: latency over throughput while the load rises, and what waits for a CPU over how
//! busy the CPUs are.

use super::estimate::Estimate;
use super::parts::{Part, varying};
use super::scatter::{Axis, Mark, Scatter, Style, Trace};
use super::series::MAX_LINES;
use crate::figures::{Metric, SummaryRow, TrialFigures};
use crate::profile::Factor;
use crate::report::Model;
use crate::stats::{Zone, zones};

/// The latencies that are drawn over the rate.
const LATENCIES: [(Metric, &str, &str); 2] = [
    (Metric::MeanLatency, "latency_over_rate", "Mean latency over rate"),
    (Metric::P99Latency, "p99_latency_over_rate", "P99 latency over rate"),
];
/// The trace of all, where there are more than a picture has colours for.
const TOGETHER: &str = "all trials";
/// Trials from which on a cloud of them shows something.
const FEWEST: usize = 3;

/// Latency over rate where `burst` is swept: one curve for each combination of the other levels, a point for each burst.
pub(super) fn curves(report: &Model) -> Vec<Scatter> {
    let rows: Vec<&SummaryRow> =
        report.rows.iter().filter(|row| row.get(Metric::TotalRate).is_some()).collect();
    if varying(&rows, &[Factor::Burst], &[]).is_empty() {
        return Vec::new();
    }
    let factors = varying(&rows, &report.experiment.factors, &[Factor::Burst]);
    let parts = Part::whole(rows, factors).split(MAX_LINES);
    let of = |(metric, name, title)| parts.iter().filter_map(move |part| curve(part, metric, name, title));
    LATENCIES.into_iter().flat_map(of).collect()
}

fn curve(part: &Part, metric: Metric, name: &'static str, title: &'static str) -> Option<Scatter> {
    let mark = |row: &SummaryRow, zone: Option<Zone>| {
        let (x, y) = ((*row.get(Metric::TotalRate)?).into(), (*row.get(metric)?).into());
        Some(Mark { x, y, label: row.configuration.in_flight().to_string(), zone })
    };
    let trace = |label: String| {
        let own = loads(part.rows.iter().copied().filter(|row| part.name(row) == label).collect());
        let zones = zones_of(&own);
        let zone = |index: usize| zones.as_ref().map(|zones| zones[index]);
        let marks = own.iter().enumerate().filter_map(|(index, row)| mark(row, zone(index))).collect();
        Trace { label, marks }
    };
    let traces: Vec<Trace> = part.names().into_iter().map(trace).filter(|t| !t.marks.is_empty()).collect();
    let explanation = format!("{}; numbers: transactions in flight on each flow", metric.explanation());
    (!traces.is_empty()).then_some(Scatter {
        name,
        title,
        part: part.levels.clone(),
        drawn: part.configurations(),
        explanation,
        x: Axis { name: "total rate", unit: "transactions/s", ends_at_100: false },
        y: Axis { name: metric_name(metric), unit: metric.unit(), ends_at_100: false },
        style: Style::Curve,
        traces,
    })
}

/// Rows of one curve, from the lightest load to the heaviest.
fn loads(mut rows: Vec<&SummaryRow>) -> Vec<&SummaryRow> {
    rows.sort_by_key(|row| row.configuration.burst);
    rows
}

/// What each load of a curve is good for, by its rate and mean latency, whatever the picture shows.
fn zones_of(loads: &[&SummaryRow]) -> Option<Vec<Zone>> {
    let point =
        |row: &&SummaryRow| Some((row.get(Metric::TotalRate)?.mean, row.get(Metric::MeanLatency)?.mean));
    zones(&loads.iter().map(point).collect::<Option<Vec<_>>>()?)
}

fn metric_name(metric: Metric) -> &'static str {
    if metric == Metric::MeanLatency { "mean latency" } else { "P99 latency" }
}

/// What vCPUs wait for a CPU over how busy the host is, a point for each valid trial with guests.
pub(super) fn waiting(report: &Model) -> Option<Scatter> {
    let with_guests: Vec<&SummaryRow> = report.rows.iter().filter(|row| row.configuration.vms > 0).collect();
    // What moves the load along a trace gives no trace of its own.
    const LOAD: [Factor; 7] = [
        Factor::Test,
        Factor::Vms,
        Factor::Flows,
        Factor::Burst,
        Factor::Request,
        Factor::Response,
        Factor::Message,
    ];
    let factors = fewest(varying(&with_guests, &report.experiment.factors, &LOAD), &with_guests);
    let part = Part::whole(with_guests, factors);
    let names = part.names();
    let together = names.len() > MAX_LINES;
    let name = |row: &SummaryRow| if together { TOGETHER.to_owned() } else { part.name(row) };
    let trace = |label: String| {
        let own = part.rows.iter().filter(|row| name(row) == label);
        let trials =
            own.flat_map(|row| report.trials.iter().filter(|t| t.configuration == row.configuration));
        let marks = trials.filter_map(of_trial).collect();
        Trace { label, marks }
    };
    let labels = if together { vec![TOGETHER.to_owned()] } else { names };
    let traces: Vec<Trace> = labels.into_iter().map(trace).filter(|t| !t.marks.is_empty()).collect();
    let trials: usize = traces.iter().map(|trace| trace.marks.len()).sum();
    (trials >= FEWEST).then_some(Scatter {
        name: "wait_over_host_cpu",
        title: "vCPUs' wait for a CPU over host CPU",
        part: Vec::new(),
        drawn: part.configurations(),
        explanation: format!("each point is a trial; wait ratio: {}", Metric::WaitRatio.explanation()),
        x: Axis { name: "host CPU", unit: "%", ends_at_100: true },
        y: Axis { name: "wait ratio", unit: "%", ends_at_100: true },
        style: Style::Dots,
        traces,
    })
}

/// As many of the factors as one picture has colours for; none if there are more levels of the first.
fn fewest(mut factors: Vec<Factor>, rows: &[&SummaryRow]) -> Vec<Factor> {
    while !factors.is_empty() && Part::whole(rows.to_vec(), factors.clone()).names().len() > MAX_LINES {
        factors.pop();
    }
    factors
}

fn of_trial(trial: &TrialFigures) -> Option<Mark> {
    trial.valid()?;
    let value = |metric: Metric| metric.value(trial).map(Estimate::exact);
    Some(Mark { x: value(Metric::HostCpu)?, y: value(Metric::WaitRatio)?, label: String::new(), zone: None })
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
        let scatter = waiting(&Model::new(&experiment, &provenance, &trials)).expect("a picture");
        scatter.traces.into_iter().map(|trace| trace.label).collect()
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
