//! `summary.csv`, in long form: a row for each configuration and metric.

use std::collections::BTreeSet;

use super::Keys;
use crate::figures::{Better, Metric, Need, SummaryRow, TrialFigures, boots};
use crate::report::Model;
use crate::stats::{Interval, Ratio};
use crate::table::{Cell, Column, Kind, Table};

/// A value over repeats with the ends of its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Statistic {
    n: usize,
    mean: f64,
    low: Option<f64>,
    high: Option<f64>,
    min: Option<f64>,
    max: Option<f64>,
}

impl From<Interval> for Statistic {
    fn from(Interval { n, mean, half_width, min, max }: Interval) -> Statistic {
        let end = |sign: f64| half_width.map(|half_width| mean + sign * half_width);
        Statistic { n, mean, low: end(-1.0), high: end(1.0), min: Some(min), max: Some(max) }
    }
}

impl From<Ratio> for Statistic {
    fn from(Ratio { n, ratio, low, high }: Ratio) -> Statistic {
        Statistic { n, mean: ratio, low, high, min: None, max: None }
    }
}

impl Statistic {
    /// A value of all repeats together, that has no interval.
    fn single(value: f64, n: u32) -> Statistic {
        Statistic { n: n as usize, mean: value, low: None, high: None, min: None, max: None }
    }

    /// What was lost: 1 − the ratio.
    fn lost(self) -> Statistic {
        let rest = |part: f64| 1.0 - part;
        Statistic { mean: rest(self.mean), low: self.high.map(rest), high: self.low.map(rest), ..self }
    }
}

/// A figure of all repeats of a configuration that no single trial has.
struct OverRepeats {
    metric: &'static str,
    better: Better,
    needs: &'static [Need],
    meaning: &'static str,
    value: fn(&SummaryRow) -> Option<Statistic>,
}

const fn over(
    metric: &'static str,
    better: Better,
    needs: &'static [Need],
    meaning: &'static str,
    value: fn(&SummaryRow) -> Option<Statistic>,
) -> OverRepeats {
    OverRepeats { metric, better, needs, meaning, value }
}

const SOLO: &[Need] = &[Need::Background, Need::Requests];

/// The table of these figures. A new one is a new row.
static OVER_REPEATS: [OverRepeats; 13] = [
    over(
        "kendall_w_rate",
        Better::Lower,
        &[Need::SeveralGuests, Need::Repeats],
        "Kendall's W of the guests' rates over the repeats: 1 if the same guests always lose, about 1/n by chance",
        |row| Some(Statistic::single(row.kendall_w_rate?, row.measured)),
    ),
    over(
        "kendall_w_groups",
        Better::Lower,
        &[Need::SeveralGroups, Need::Repeats],
        "the same of the groups' rates per guest",
        |row| Some(Statistic::single(row.kendall_w_groups?, row.measured)),
    ),
    over(
        "jain_weighted_cpu",
        Better::Higher,
        &[Need::Groups],
        "Jain's index of the guests' CPU times ÷ weights; 1: as the shares say",
        |row| row.weighted.cpu.map(Statistic::from),
    ),
    over(
        "jain_weighted_rate",
        Better::Higher,
        &[Need::Groups],
        "the same of the measured guests' rates",
        |row| row.weighted.rate.map(Statistic::from),
    ),
    over(
        "groups_jain_weighted_cpu",
        Better::Higher,
        &[Need::SeveralGroups],
        "Jain's index of the groups' CPU times ÷ weights",
        |row| row.weighted.groups_cpu.map(Statistic::from),
    ),
    over(
        "groups_jain_weighted_rate",
        Better::Higher,
        &[Need::SeveralGroups],
        "the same of the measured groups' rates",
        |row| row.weighted.groups_rate.map(Statistic::from),
    ),
    over(
        "jain_demand",
        Better::Higher,
        &[Need::SeveralGuests],
        "Jain's index of what each guest got ÷ its max-min share of all, given what it wants",
        |row| row.jain_demand.map(Statistic::from),
    ),
    over(
        "rate_to_bare_metal",
        Better::Higher,
        &[Need::BareMetal],
        "rate ÷ that of bare metal in the same block",
        |row| row.to_bare_metal.map(Statistic::from),
    ),
    over(
        "rate_lost_to_background",
        Better::Lower,
        &[Need::Background],
        "1 − rate ÷ that without background in the same block",
        |row| row.interference.rate.map(|ratio| Statistic::from(ratio).lost()),
    ),
    over(
        "mean_latency_to_solo",
        Better::Lower,
        SOLO,
        "mean latency ÷ that without background in the same block",
        |row| row.interference.mean_latency.map(Statistic::from),
    ),
    over("p99_latency_to_solo", Better::Lower, SOLO, "the same of the P99 latency", |row| {
        row.interference.p99_latency.map(Statistic::from)
    }),
    over("max_latency_to_solo", Better::Lower, SOLO, "the same of the longest transaction", |row| {
        row.interference.max_latency.map(Statistic::from)
    }),
    over(
        "isolation_qos",
        Better::Lower,
        SOLO,
        "rise of latency ÷ rise of the neighbours' load, both against the smallest quota; 0: isolated",
        |row| row.interference.isolation.map(Statistic::from),
    ),
];

/// The values of the column `metric`, for the data dictionary.
pub(super) fn values(model: &Model) -> Vec<Column> {
    let metrics = metrics(model).into_iter().map(super::metric_column);
    let others = over_repeats(model).map(|row| Column {
        name: row.metric.into(),
        kind: Kind::Real,
        unit: "",
        better: row.better,
        meaning: row.meaning.into(),
    });
    metrics.chain(others).collect()
}

fn metrics(model: &Model) -> Vec<Metric> {
    Metric::ALL.into_iter().filter(|metric| super::is_in(model, metric.needs())).collect()
}

fn over_repeats<'m>(model: &'m Model) -> impl Iterator<Item = &'static OverRepeats> + 'm {
    OVER_REPEATS.iter().filter(|row| super::is_in(model, row.needs))
}

/// The table. Every configuration has a row for each metric that its test can have, with or without a valid trial.
pub fn summary(model: &Model) -> Table {
    let keys = Keys::new(model.experiment, model.provenance);
    let real = |name, meaning| Column::plain(name, Kind::Real, meaning);
    let values = [
        Column::plain(
            "metric",
            Kind::Text,
            "the figure: a column of `trials.csv`, or one of all repeats together",
        ),
        Column::plain("unit", Kind::Text, "its unit"),
        Column::plain("n", Kind::Integer, "valid trials behind it; of a ratio, blocks"),
        Column::plain(
            "boots",
            Kind::Integer,
            "boots of guests that these trials come from; 0 for bare metal",
        ),
        real("mean", "mean over the trials; of ratios, the geometric mean over blocks"),
        real("low", "lower end of the 95 % interval (Student's t); empty for fewer than two trials"),
        real("high", "upper end of the 95 % interval"),
        real("min", "smallest trial"),
        real("max", "largest trial"),
    ];
    let boots = boots(model.trials);
    let rows = model.rows.iter().flat_map(|row| {
        let own: Vec<&TrialFigures> = model
            .trials
            .iter()
            .filter(|t| t.configuration == row.configuration && t.valid().is_some())
            .collect();
        let boots_of = |has: &dyn Fn(&TrialFigures) -> bool| {
            let all = own.iter().filter(|trial| has(trial)).filter_map(|trial| boots.get(&trial.trial));
            all.collect::<BTreeSet<_>>().len()
        };
        let line = |name: &str, unit: &str, statistic: Option<Statistic>, boots: usize| {
            let s = statistic;
            let reals = [s.map(|s| s.mean), s.and_then(|s| s.low), s.and_then(|s| s.high)];
            let ends = [s.and_then(|s| s.min), s.and_then(|s| s.max)];
            let counts = [s.map_or(0, |s| s.n), boots].map(Cell::count);
            let names = [name, unit].map(Cell::text).into_iter();
            let cells = names.chain(counts).chain(reals.into_iter().chain(ends).map(Cell::real));
            keys.cells(&row.configuration).into_iter().chain(cells).collect::<Vec<Cell>>()
        };
        let metrics = metrics(model).into_iter().filter(|metric| metric.applies(row.configuration.test));
        let metrics = metrics.map(|metric| {
            let boots = boots_of(&|trial| metric.value(trial).is_some());
            line(metric.column(), metric.unit(), row.get(metric).copied().map(Statistic::from), boots)
        });
        let others = over_repeats(model).map(|figure| {
            let value = (figure.value)(row);
            line(figure.metric, "", value, if value.is_some() { boots_of(&|_| true) } else { 0 })
        });
        metrics.chain(others).collect::<Vec<_>>()
    });
    Table {
        name: "summary",
        columns: keys.columns().into_iter().chain(values).collect(),
        rows: rows.collect(),
    }
}
