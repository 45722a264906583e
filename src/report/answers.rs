//! What the swept factors do: one sentence for each pair of levels and metric, before anything else.
//!
//! Each factor's first level is compared with its others, at the last levels of the other factors: what is compared follows from the
//! profile, never from the data.

use super::Model;
use super::model::{describe, phrase, with_guests};
use crate::answers::{Answer, LevelPair, answer, metrics, values};
use crate::profile::{Configuration, Factor};

/// Differences shown in a terminal.
const SHOWN: usize = 8;

/// What the run answers: differences that are shown first, each group in the order of the profile. Pairs with fewer than two common
/// blocks are left out.
pub fn answers<'m>(model: &'m Model<'_>) -> &'m [Answer] {
    model.answers.get_or_init(|| found(model))
}

fn found(model: &Model) -> Vec<Answer> {
    let factors = &model.experiment.factors;
    let pairs: Vec<LevelPair> = factors.iter().flat_map(|factor| pairs(model, *factor)).collect();
    let mut found = answer(&metrics(), &pairs, &values(model.trials));
    found.retain(|answer| answer.interval.is_some());
    found.sort_by_key(|answer| !answer.is_shown());
    found
}

/// The first level of a factor with each of its others, where all other factors have their last levels.
fn pairs(model: &Model, factor: Factor) -> Vec<LevelPair> {
    let others: Vec<Factor> = model.experiment.factors.iter().copied().filter(|own| *own != factor).collect();
    let is_beside = |one: &Configuration, other: &Configuration| {
        others.iter().all(|factor| one.level(*factor) == other.level(*factor))
    };
    let all = &model.experiment.configurations;
    let of_place = |last: &Configuration| {
        all.iter().filter(|one| is_beside(one, last)).cloned().collect::<Vec<Configuration>>()
    };
    let mut places = with_guests(all).into_iter().rev().map(of_place);
    let Some(place) = places.find(|place| place.len() > 1) else { return Vec::new() };
    let level = |configuration: &Configuration| (phrase(configuration, factor), configuration.id());
    let pair = |new: &Configuration| LevelPair {
        factor: factor.column().to_string(),
        base: level(&place[0]),
        new: level(new),
        context: describe(new, &others),
    };
    place[1..].iter().map(pair).collect()
}

/// All of them in words.
pub(super) fn sentences(all: &[Answer]) -> Vec<String> {
    all.iter().map(Answer::to_string).collect()
}

/// A sentence for each difference that is shown, at most so many, then one for each pair of levels without any.
pub(super) fn in_short(all: &[Answer], most: usize) -> Vec<String> {
    let (shown, rest): (Vec<&Answer>, Vec<&Answer>) = all.iter().partition(|answer| answer.is_shown());
    let mut lines: Vec<String> = shown.iter().take(most).map(|answer| answer.to_string()).collect();
    if shown.len() > most {
        lines.push(format!("and {} more (see report.md)", shown.len() - most));
    }
    lines.extend(rest.chunk_by(|one, next| one.pair == next.pair).map(not_shown));
    lines
}

/// For a terminal.
pub(super) fn first(model: &Model) -> String {
    let lines = in_short(answers(model), SHOWN);
    if lines.is_empty() { String::new() } else { lines.join("\n") + "\n\n" }
}

/// `no difference shown between virtio and e1000 at 4 guests in total rate, P99 latency (3 blocks)`; all of one pair of levels.
fn not_shown(same_pair: &[&Answer]) -> String {
    let Some(answer) = same_pair.first() else { return String::new() };
    let pair = &answer.pair;
    let place = if pair.context.is_empty() { String::new() } else { format!(" at {}", pair.context) };
    let metrics: Vec<&str> = same_pair.iter().map(|answer| answer.metric.label.as_str()).collect();
    let (base, new) = (&pair.base.0, &pair.new.0);
    let metrics = metrics.join(", ");
    format!("no difference shown between {new} and {base}{place}: {metrics} ({})", answer.replication)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{TrialFigures, fixture};
    use crate::report::fixture as report_fixture;
    use crate::report::terminal::{Terminal, summary};
    use crate::report::{Document, markdown};

    /// Two backends with one and two guests in four blocks; virtio has twice the rate of e1000.
    fn trials(configurations: &[Configuration]) -> Vec<TrialFigures> {
        let mut trials = Vec::new();
        for block in 1..=4 {
            for configuration in configurations {
                let level = if configuration.level(Factor::Backend) == "virtio" { 2000.0 } else { 1000.0 };
                let rate = level * (1.0 + 0.01 * f64::from(block) + 0.001 * (trials.len() % 3) as f64);
                let raw = fixture::trial(configuration.clone(), &[rate, rate]);
                let raw = fixture::numbered(raw, trials.len() as u32 + 1, block);
                trials.push(TrialFigures::compute(&raw, &fixture::timing()));
            }
        }
        trials
    }

    #[test]
    fn answers_come_first_and_are_few_in_a_terminal() {
        let configurations = [("e1000", 1), ("e1000", 2), ("virtio", 1), ("virtio", 2)];
        let configurations = configurations.map(|(backend, vms)| fixture::configuration(backend, vms));
        let trials = trials(&configurations);
        let experiment = report_fixture::experiment(configurations.to_vec(), &[Factor::Backend, Factor::Vms]);
        let provenance = report_fixture::provenance(crate::raw::Accel::Kvm);
        let model = Model::new(&experiment, &provenance, &trials);
        let found = answers(&model);
        assert!(found[0].is_shown() && (found[0].change - 2.0).abs() < 0.05, "{}", found[0]);
        let text = summary(&model, Terminal { width: 120, colour: false });
        assert!(text.starts_with("Total rate with virtio at 2 guests: "), "{text}");
        let lines: Vec<String> = first(&model).trim_end().lines().map(str::to_owned).collect();
        assert!(lines.len() <= SHOWN + 3, "{lines:?}");
        let without = lines.iter().filter(|line| line.starts_with("no difference shown between"));
        assert!(without.clone().count() >= 1 && without.clone().all(|line| line.contains(": ")), "{lines:?}");
        let report = markdown::report(&Document::new(&model), &[]);
        assert!(report.starts_with("# backends\n\n- Total rate with virtio at 2 guests: "), "{report}");
    }

    #[test]
    fn single_trials_answer_nothing() {
        let configurations = ["e1000", "virtio"].map(|backend| fixture::configuration(backend, 2));
        let trials = &trials(&configurations)[..2];
        let experiment = report_fixture::experiment(configurations.to_vec(), &[Factor::Backend]);
        let provenance = report_fixture::provenance(crate::raw::Accel::Kvm);
        let model = Model::new(&experiment, &provenance, trials);
        assert!(answers(&model).is_empty() && first(&model).is_empty());
    }
}
