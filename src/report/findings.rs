//! What the numbers of guests show: how far a total rises, and from how many guests on they drift apart; each with its trials.

use super::Model;
use super::answers::answers;
use super::model::{describe, phrase, with_guests};
use crate::answers::{
    Measure, Metric, SeriesFinding, SeriesLevel, Value, find_rise, find_spread, metrics, values,
};
use crate::figures;
use crate::profile::{Configuration, Factor};

/// Findings in a terminal.
const SHOWN: usize = 6;

/// The findings of a run that sweeps the number of guests, series by series in the order of the profile.
pub fn findings(model: &Model) -> Vec<SeriesFinding> {
    let factors = &model.experiment.factors;
    if !factors.contains(&Factor::Vms) {
        return Vec::new();
    }
    let values = values(model.trials);
    let family = answers(model).len();
    let of_series = |(name, levels): &(String, Vec<SeriesLevel>)| {
        let of_metric = |metric: &Metric| match metric.measure {
            Measure::Points => find_spread(name, levels, metric, &values),
            Measure::Ratio if is_total(metric) => {
                find_rise(name, levels, metric, &values, bare_metal(model, metric, &values), family)
                    .into_iter()
                    .collect()
            }
            Measure::Ratio => Vec::new(),
        };
        metrics().iter().flat_map(of_metric).collect::<Vec<_>>()
    };
    series(model).iter().flat_map(of_series).collect()
}

fn is_total(metric: &Metric) -> bool {
    [figures::Metric::TotalRate, figures::Metric::Throughput].iter().any(|total| total.column() == metric.key)
}

/// Configurations that differ in the number of guests only, from few to many.
fn series(model: &Model) -> Vec<(String, Vec<SeriesLevel>)> {
    let others: Vec<Factor> =
        model.experiment.factors.iter().copied().filter(|factor| *factor != Factor::Vms).collect();
    let mut found: Vec<(String, Vec<&Configuration>)> = Vec::new();
    for configuration in with_guests(&model.experiment.configurations) {
        let name = describe(configuration, &others);
        match found.iter_mut().find(|(known, _)| *known == name) {
            Some((_, own)) => own.push(configuration),
            None => found.push((name, vec![configuration])),
        }
    }
    let level = |configuration: &&Configuration| SeriesLevel {
        label: phrase(configuration, Factor::Vms),
        configuration: configuration.id(),
    };
    let sorted = |(name, mut own): (String, Vec<&Configuration>)| {
        own.sort_by_key(|configuration| configuration.vms);
        (name, own.iter().map(level).collect())
    };
    found.into_iter().map(sorted).collect()
}

/// The mean of a metric without guests; `None` if that was measured in several ways.
fn bare_metal(model: &Model, metric: &Metric, values: &[Value]) -> Option<f64> {
    let mut all = model.experiment.configurations.iter().filter(|configuration| configuration.vms == 0);
    let (first, second) = (all.next(), all.next());
    let bare = first.filter(|_| second.is_none())?.id();
    let own = values.iter().filter(|value| value.configuration == bare && value.metric == metric.key);
    metric.mean_of_boots(own)
}

/// `virtio: total rate rises up to 4 guests … (5 blocks; trials 3, 7, 12)`
fn sentence(model: &Model, finding: &SeriesFinding) -> String {
    let trials = model
        .trials
        .iter()
        .filter(|trial| trial.valid().is_some() && trial.configuration.id() == finding.configuration());
    let trials: Vec<String> = trials.map(|trial| trial.trial.to_string()).collect();
    let text = finding.to_string();
    let open = text.strip_suffix(')').unwrap_or(&text);
    format!("{open}; trials {})", trials.join(", "))
}

/// All of them in words, with their trials.
pub(super) fn sentences(model: &Model) -> Vec<String> {
    findings(model).iter().map(|finding| sentence(model, finding)).collect()
}

/// For a terminal: at most six lines.
pub(super) fn first(model: &Model) -> String {
    let all = findings(model);
    let mut lines: Vec<String> = all.iter().take(SHOWN).map(ToString::to_string).collect();
    if all.len() > SHOWN {
        lines.push(format!("and {} more findings (see report.md)", all.len() - SHOWN));
    }
    if lines.is_empty() { String::new() } else { lines.join("\n") + "\n\n" }
}
