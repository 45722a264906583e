//! What single guests and flows got: the rate of each guest and its course where guests differ most, and how the rates of all
//! flows are distributed.

use super::axis::Axis;
use super::group::{self, GroupedRows, Part, varying};
use super::palette::{MAX_LINES, Pens};
use super::plot::{Body, Curves, Heat, Mark, Plot, Series, SeriesKind, Style, reach};
use crate::figures::{GuestFigures, Metric, SummaryRow, TrialFigures, ValidTrials};
use crate::profile::{Factor, Unit};
use crate::report::{Model, model};
use crate::stats::{Estimate, Scale};

/// Flows of a configuration from which on a distribution shows something.
const FEWEST: usize = 8;

const EACH_GUEST: &str = "sum over a guest's flows in the common window; open circles: single repeats; the configuration with \
                          the largest mean bias";

/// The configuration with the largest mean bias of the guests' rates; `None` where no two guests were compared.
fn most_biased<'r>(report: &'r Model) -> Option<&'r SummaryRow> {
    let biased = report.rows.iter().filter_map(|row| Some((row, row.get(Metric::BiasRate)?.mean)));
    biased.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(row, _)| row)
}

/// Its trials.
fn trials_of<'r>(report: &'r Model, row: &'r SummaryRow) -> impl Iterator<Item = &'r TrialFigures> {
    report.trials.iter().filter(|trial| trial.configuration == row.configuration)
}

fn unit_name(unit: Unit) -> &'static str {
    if unit == Unit::Transactions { "transactions/s" } else { "Mbit/s" }
}

/// The rate of each guest: a dot for each valid repeat beside their mean, guests of one group in its colour.
pub(super) fn rates(report: &Model) -> Option<Plot> {
    let row = most_biased(report)?;
    let valid = ValidTrials::new(&row.configuration, report.trials);
    let first = valid.trials().find_map(TrialFigures::valid)?;
    let guests: Vec<&GuestFigures> = first.guests.iter().filter(|guest| guest.is_measured()).collect();
    let series = by_party(report, row, &valid, &guests);
    let marks = || series.iter().flat_map(|series| &series.points);
    let highest = marks().flat_map(|mark| mark.repeats.iter().copied()).fold(0.0, f64::max);
    let largest = reach(marks().map(|mark| &mark.y)).max(highest);
    let levels = guests.iter().map(|guest| guest.guest.to_string()).collect();
    let unit = row.configuration.test.unit();
    let name = if unit == Unit::Transactions { "rate_by_guest" } else { "throughput_by_guest" };
    let words = model::describe(&row.configuration, &report.experiment.factors);
    let part: Vec<String> = Some(words).filter(|words| !words.is_empty()).into_iter().collect();
    let x = Axis { title: "guest".into(), levels, ..Axis::default() };
    let y = Axis::numbers("", unit_name(unit), largest);
    let body = Body::Lines(Curves { x, y, style: Style::Points, series });
    let plot = Plot::new((name, "Rate of each guest where they differ most"), &part, EACH_GUEST.into(), body);
    Some(plot.of_configurations(vec![row.configuration.clone()]))
}

/// A series for each group of guests, or one with the pen of their backend.
fn by_party(report: &Model, row: &SummaryRow, valid: &ValidTrials, guests: &[&GuestFigures]) -> Vec<Series> {
    let backend = row.configuration.level(Factor::Backend);
    let party = |guest: &GuestFigures| guest.group.as_ref().map_or(backend.clone(), ToString::to_string);
    let pens = match guests.iter().any(|guest| guest.group.is_some()) {
        true => Pens::assign(guests.iter().map(|guest| party(guest))),
        false => group::pens(report, &[Factor::Backend]),
    };
    let mut series: Vec<Series> = Vec::new();
    for (place, guest) in guests.iter().enumerate() {
        let rate = |trial: &TrialFigures| {
            Some(trial.valid()?.guests.iter().find(|one| one.guest == guest.guest)?.rate)
        };
        let Some(mean) = valid.estimate(Scale::Log, rate) else { continue };
        let repeats = valid.trials().filter_map(rate).collect();
        let mark = Mark { repeats, ..Mark::new(place as f64, mean).of_trials(&row.trials) };
        let label = party(guest);
        match series.iter_mut().find(|series| series.label == label) {
            Some(series) => series.points.push(mark),
            None => {
                let pen = pens.get(&label);
                series.push(Series { label, role: SeriesKind::Measured, pen, points: vec![mark] });
            }
        }
    }
    series
}

/// The trial of the largest bias among those of the configuration with the largest mean bias, over time; none where no trial
/// has two guests to compare.
pub(super) fn over_time(report: &Model) -> Option<Plot> {
    let row = most_biased(report)?;
    let biased = |trial: &&TrialFigures| trial.valid().and(Metric::BiasRate.value(trial)).unwrap_or(-1.0);
    let trial = trials_of(report, row).max_by(|a, b| biased(a).total_cmp(&biased(b)))?;
    let numbers = trial.valid()?;
    let bias_percent = Metric::BiasRate.value(trial)?;
    let levels = model::describe(&trial.configuration, &report.experiment.factors);
    let comma = if levels.is_empty() { "" } else { ", " };
    let one = match report.repeats().as_str() {
        "single trials" => "a single trial".into(),
        repeats => format!("one trial of {repeats}"),
    };
    let course = &numbers.course;
    let rows = course.guests.iter().map(|(guest, rates)| (guest.to_string(), rates.clone())).collect();
    let title = format!("Rate of each guest over time: {levels}{comma}repeat {}", trial.repeat);
    let explanation = format!(
        "{one}; each cell is {} s, dark: nothing moved; the most biased trial ({bias_percent:.0}\u{a0}%) where guests \
         differ most",
        course.slice_s
    );
    let unit = unit_name(numbers.total.unit);
    let heat = Body::Heat(Heat { slice_s: course.slice_s, row_title: "guest", rows, unit });
    let plot = Plot::new(("rate_over_time", &title), &[], explanation, heat);
    (course.guests.len() > 1).then(|| plot.of_configurations(vec![trial.configuration.clone()]))
}

/// The rates of the flows of each configuration with the most guests, its valid repeats together, as a cumulative line; one
/// picture for each unit and part.
pub(super) fn flows(report: &Model) -> Vec<Plot> {
    let most = report.rows.iter().map(|row| row.configuration.vms).max().unwrap_or(0);
    let of_unit = |unit: Unit| {
        let is_drawn =
            |row: &&SummaryRow| row.configuration.vms == most && row.configuration.test.unit() == unit;
        let rows: Vec<&SummaryRow> = report.rows.iter().filter(is_drawn).collect();
        let guests = rows.first().map(|row| model::phrase(&row.configuration, Factor::Vms));
        let guests = guests.filter(|_| report.experiment.factors.contains(&Factor::Vms));
        let factors = varying(&rows, &report.experiment.factors, &[Factor::Vms]);
        Part::whole(rows, factors).split(MAX_LINES).into_iter().filter_map(move |mut part| {
            part.levels.extend(guests.clone());
            distribution(report, &part, unit)
        })
    };
    [Unit::Transactions, Unit::Megabits].into_iter().flat_map(of_unit).collect()
}

fn distribution(report: &Model, part: &Part, unit: Unit) -> Option<Plot> {
    let name = if unit == Unit::Transactions { "flow_rates_cdf" } else { "flow_throughput_cdf" };
    let points = |line: &GroupedRows| {
        let trials = line.rows.iter().flat_map(|row| trials_of(report, row));
        let rates = trials.filter_map(|trial| trial.valid()).flat_map(|numbers| &numbers.flow_rates);
        steps(rates.copied().collect())
    };
    let series = part.series(report, points);
    let largest = reach(series.iter().flat_map(|series| &series.points).map(|mark| &mark.x));
    let explanation = "share of the flows that are as slow or slower, all repeats together; steep is fair";
    let any = !series.is_empty();
    let x = Axis::numbers("rate of a flow", unit_name(unit), largest);
    let y = Axis::numbers("flows", "%", 100.0);
    let body = Body::Scatter(Curves { x, y, style: Style::Line, series });
    let plot = Plot::new((name, "Rates of single flows"), &part.levels, explanation.into(), body);
    any.then(|| plot.of_configurations(part.configurations()))
}

/// A picture has no pixels for more stairs.
const STAIRS: usize = 1000;

/// The staircase of a distribution; none of too few.
fn steps(mut rates: Vec<f64>) -> Vec<Mark> {
    if rates.len() < FEWEST {
        return Vec::new();
    }
    rates.sort_by(f64::total_cmp);
    let (stairs, mut below) = (rates.len().min(STAIRS), 0);
    let percent = |count: usize| Estimate::exact(100.0 * count as f64 / rates.len() as f64);
    let corners = (1..=stairs).flat_map(|stair| {
        let up_to = stair * rates.len() / stairs;
        let before = std::mem::replace(&mut below, up_to);
        [before, up_to].map(|count| Mark::new(rates[up_to - 1], percent(count)))
    });
    corners.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_staircase_rises_from_nobody_to_everybody() {
        let marks = steps(vec![3.0, 1.0, 2.0, 2.0, 5.0, 4.0, 7.0, 6.0]);
        let y: Vec<f64> = marks.iter().map(|mark| mark.y.mean).collect();
        assert_eq!((y[0], y[15]), (0.0, 100.0));
        assert!(y.windows(2).all(|pair| pair[0] <= pair[1]));
        assert!(marks.windows(2).all(|pair| pair[0].x.mean <= pair[1].x.mean));
        assert_eq!(steps(vec![1.0; 7]), []);
        let many = steps((0..1_000_000).map(f64::from).collect());
        assert_eq!((many.len(), many.last().map(|mark| mark.y.mean)), (2 * STAIRS, Some(100.0)));
    }
}
