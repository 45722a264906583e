//! One metric of one run or several, by chosen factors: lines over numbers, bars over words.

use super::axis::Axis;
use super::chosen::{MetricChart, MetricChartError};
use super::chosen_rows::{ChartedRun, Chosen, ChosenSeries, narrower, with_run};
use super::group::varying;
use super::metrics::{
    BASELINE_REACH, ChartSubject, Values, axis_name, axis_title, bars, baseline, floor, largest, marks, one,
};
use super::palette::Pens;
use super::plot::{Bar, BarGroup, Bars, Body, Curves, Plot, Series, SeriesKind, Style};
use crate::figures::{Metric, SummaryRow};
use crate::profile::Factor;
use crate::report::model;
use crate::stats::{Estimate, Scale};

/// Series that can be told apart, by colour, dash and marker.
const MAX_SERIES: usize = 20;
/// Bars that one picture can hold.
const MAX_BARS: usize = 100;

/// The picture that was asked for.
pub(super) fn plot(runs: &[ChartedRun], request: &MetricChart) -> Result<Plot, MetricChartError> {
    let metric = request.metric;
    let chosen = Chosen::new(runs, request)?;
    let value = |row: &SummaryRow| row.get(metric).map(|estimate| shown(metric, *estimate));
    let values = Values { value: &value, floor: &|row| floor(row, metric) };
    let is_numeric =
        chosen.levels.len() > 1 && chosen.levels.iter().all(|level| level.parse::<f64>().is_ok());
    let axis = chosen.axis(&values, is_numeric, request.is_log)?;
    let body = match is_numeric {
        true => Body::Lines(chosen.lines(axis, &values)?),
        false if request.is_log => return Err(MetricChartError::LogOfBars),
        false => Body::Bars(chosen.bars(axis, &values)?),
    };
    let subject = ChartSubject::new(metric, chosen.rows());
    let by = if chosen.levels.len() > 1 { format!(" by {}", axis_name(chosen.x)) } else { String::new() };
    let title = request.title.clone().unwrap_or_else(|| format!("{}{by}", subject.label));
    let drawn = chosen.rows().map(|row| row.configuration.clone()).collect();
    Ok(Plot {
        subtitle: request.subtitle.clone().unwrap_or_default(),
        note: request.note.clone().unwrap_or_default(),
        ..Plot::new((subject.name, &title), &[], subject.explanation, body).of_configurations(drawn)
    })
}

/// A value as people are shown it: a spread below that of noise is none.
fn shown(metric: Metric, estimate: Estimate) -> Estimate {
    if metric.scale() != Scale::Linear {
        return estimate;
    }
    let low_high = estimate.low_high.map(|(low, high)| (low.max(0.0), high.max(0.0)));
    Estimate { mean: estimate.mean.max(0.0), low_high, ..estimate }
}

impl<'r> Chosen<'r> {
    fn axis(&self, values: &Values, is_numeric: bool, is_log: bool) -> Result<Axis, MetricChartError> {
        let bare: Vec<&SummaryRow> = self.references.iter().flat_map(|(_, rows)| rows).copied().collect();
        let others: Vec<&SummaryRow> = self.series.iter().flat_map(|series| &series.rows).copied().collect();
        let subject = ChartSubject::new(self.metric, self.rows());
        let far = if is_numeric { BASELINE_REACH } else { f64::INFINITY };
        let largest = largest(&others, &bare, values, far);
        let largest = if subject.ends_at_100 { largest.min(100.0) } else { largest };
        let log_from = if is_log { Some(self.smallest(values)?) } else { None };
        Ok(Axis { log_from, ..Axis::numbers("", subject.unit, largest) })
    }

    /// Where a logarithmic scale begins: at the smallest value, or at the end of an interval that is not far below its mean.
    fn smallest(&self, values: &Values) -> Result<f64, MetricChartError> {
        /// How far an interval may stretch the scale below its mean.
        const INTERVAL_REACH: f64 = 0.5;
        let estimates: Vec<Estimate> = self.rows().filter_map(|row| (values.value)(row)).collect();
        if estimates.iter().any(|estimate| estimate.mean <= 0.0) {
            return Err(MetricChartError::LogOfZero(self.metric.column()));
        }
        let low = |estimate: &Estimate| {
            let low = estimate.telling_ends().map_or(estimate.mean, |(low, _)| low);
            low.max(INTERVAL_REACH * estimate.mean)
        };
        Ok(estimates.iter().map(low).fold(f64::INFINITY, f64::min))
    }

    fn lines(&self, y: Axis, values: &Values) -> Result<Curves, MetricChartError> {
        self.check_count(self.series.len(), MAX_SERIES)?;
        let of = |role: SeriesKind, value: &dyn Fn(&SummaryRow) -> Option<Estimate>| {
            let series = self.series.iter().map(|one| Series {
                label: one.label.clone(),
                role,
                pen: one.pen.unwrap_or_else(|| Pens::assign([]).get(&one.label)),
                points: marks(&one.rows, (self.x, &self.levels), value),
            });
            series.filter(|series| !series.points.is_empty()).collect::<Vec<_>>()
        };
        let measured = of(SeriesKind::Measured, values.value);
        let floors = of(SeriesKind::Floor, &|row| (values.floor)(row).map(Estimate::exact));
        let pen = measured.first().map(|series| series.pen);
        let baselines = self.reference_bars(values).into_iter().filter_map(|bar| baseline(bar, pen?));
        let series = floors.into_iter().chain(measured.iter().cloned()).chain(baselines).collect();
        let x =
            Axis { title: axis_title(self.x, &self.levels), levels: self.levels.clone(), ..Axis::default() };
        Ok(Curves { x, y, style: Style::Joined, series })
    }

    fn bars(&self, axis: Axis, values: &Values) -> Result<Bars, MetricChartError> {
        self.check_count(self.rows().count(), MAX_BARS)?;
        let has_titles = self.levels.len() > 1 && self.has_series;
        let group = |level: &String| {
            let of_level = |series: &ChosenSeries<'r>| {
                let at = *series.rows.iter().find(|row| row.configuration.level(self.x) == *level)?;
                let (label, pen) = match self.has_series {
                    true => (series.label.clone(), series.pen),
                    false => (self.level_name(at), series.pen.map(|_| self.pens.get(level))),
                };
                let bar = one(label, pen, (values.value)(at)?, (values.floor)(at));
                Some((at, Bar { trials: at.trials.clone(), ..bar }))
            };
            let found: Vec<_> = self.series.iter().filter_map(of_level).collect();
            let title = found.first().filter(|_| has_titles).map(|(row, _)| self.level_name(row));
            BarGroup {
                title: title.unwrap_or_default(),
                bars: found.into_iter().map(|(_, bar)| bar).collect(),
            }
        };
        let mut groups: Vec<BarGroup> = self.levels.iter().map(group).collect();
        if !has_titles {
            let bars = groups.into_iter().flat_map(|group| group.bars).collect();
            groups = vec![BarGroup { title: String::new(), bars }];
        }
        groups.push(BarGroup { title: String::new(), bars: self.reference_bars(values) });
        groups.retain(|group| !group.bars.is_empty());
        Ok(Bars { panels: vec![axis], segments: Vec::new(), groups })
    }

    fn level_name(&self, row: &SummaryRow) -> String {
        model::phrase(&row.configuration, self.x)
    }

    fn reference_bars(&self, values: &Values) -> Vec<Bar> {
        let several = self.series.iter().any(|series| series.run > 0);
        let of_run = |(name, rows): &(&str, Vec<&'r SummaryRow>)| {
            let own = bars(rows.iter().copied(), &varying(rows, &Factor::ALL, &[]), values);
            let named = |bar: Bar| match several {
                true => Bar { label: with_run(name, &bar.label), ..bar },
                false => bar,
            };
            own.into_iter().map(named).collect::<Vec<_>>()
        };
        self.references.iter().flat_map(of_run).collect()
    }

    fn check_count(&self, count: usize, most: usize) -> Result<(), MetricChartError> {
        if count <= most {
            return Ok(());
        }
        let rows: Vec<&SummaryRow> = self.rows().collect();
        let hint = narrower(&rows, &varying(&rows, &Factor::ALL, &[self.x]));
        Err(MetricChartError::TooMany { count, most, hint })
    }
}
