//! What a run shows beside its answers: how far a total rises with the number of guests, from how many guests on they drift apart, and
//! what limited the trials.

use super::Model;
use super::answers::answers;
use super::model::{describe, named_trials, phrase, with_guests};
use crate::answers::{
    Measure, MeasuredValue, Metric, RunFinding, SeriesLevel, find_bare_metal_limit, find_limits, find_rise,
    find_spread, metrics, values,
};
use crate::figures;
use crate::profile::{Configuration, Factor};

/// Findings in a terminal.
const SHOWN: usize = 6;
/// Trials of a finding that are named before the rest is counted; `trials.csv` has all of its configuration.
const NAMED: usize = 12;

/// What a run shows: first what the numbers of guests show, where they are swept, then what limited the trials.
pub fn findings<'m>(model: &'m Model<'_>) -> &'m [RunFinding] {
    model.findings.get_or_init(|| found(model))
}

fn found(model: &Model) -> Vec<RunFinding> {
    let values = values(model.trials);
    let mut all = of_numbers_of_guests(model, &values);
    all.extend(find_limits(model.trials, |trial| label(model, &trial.configuration)));
    let totals = metrics().into_iter().filter(is_total);
    all.extend(totals.filter_map(|metric| at_bare_metal(model, &metric, &values)));
    all
}

/// Series by series, in the order of the profile.
fn of_numbers_of_guests(model: &Model, values: &[MeasuredValue]) -> Vec<RunFinding> {
    let factors = &model.experiment.factors;
    if !factors.contains(&Factor::Vms) {
        return Vec::new();
    }
    let family = answers(model).len();
    let of_series = |(name, levels): &(String, Vec<SeriesLevel>)| {
        let of_metric = |metric: &Metric| match metric.measure {
            Measure::Points => find_spread(name, levels, metric, values),
            Measure::Ratio if is_total(metric) => {
                find_rise(name, levels, metric, values, bare_metal(model, metric, values), family)
                    .into_iter()
                    .collect()
            }
            Measure::Ratio => Vec::new(),
        };
        metrics().iter().flat_map(of_metric).collect::<Vec<_>>()
    };
    series(model).iter().flat_map(of_series).collect()
}

fn label(model: &Model, configuration: &Configuration) -> String {
    match describe(configuration, &model.experiment.factors) {
        levels if levels.is_empty() => "all trials".to_owned(),
        levels => levels,
    }
}

/// The configurations with guests whose total is that of bare metal.
fn at_bare_metal(model: &Model, metric: &Metric, values: &[MeasuredValue]) -> Option<RunFinding> {
    let bare = bare_metal(model, metric, values).filter(|bare| *bare > 0.0)?;
    let with_guests = with_guests(&model.experiment.configurations);
    let trials: Vec<Vec<u32>> = with_guests.iter().map(|own| valid_trials(model, &own.id())).collect();
    let named = with_guests.iter().zip(&trials).filter(|(_, trials)| !trials.is_empty());
    let named = named.map(|(own, trials)| (label(model, own), own.id(), trials.as_slice()));
    find_bare_metal_limit(metric, values, bare, named)
}

fn valid_trials(model: &Model, id: &str) -> Vec<u32> {
    let own = model.trials.iter().filter(|trial| trial.valid().is_some() && trial.configuration.id() == id);
    own.map(|trial| trial.trial).collect()
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
fn bare_metal(model: &Model, metric: &Metric, values: &[MeasuredValue]) -> Option<f64> {
    let mut all = model.experiment.configurations.iter().filter(|configuration| configuration.vms == 0);
    let (first, second) = (all.next(), all.next());
    let bare = first.filter(|_| second.is_none())?.id();
    let own = values.iter().filter(|value| value.configuration == bare && value.metric == metric.key);
    metric.mean_of_boots(own)
}

/// `virtio: total rate rises up to 4 guests … (5 blocks; trials 3, 7, 12)`
fn sentence(model: &Model, finding: &RunFinding) -> String {
    if matches!(finding, RunFinding::Limit { .. }) {
        return finding.to_string();
    }
    let trials = valid_trials(model, finding.configuration());
    let text = finding.to_string();
    let open = text.strip_suffix(')').unwrap_or(&text);
    format!("{open}; {})", named_trials(&trials, NAMED))
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
