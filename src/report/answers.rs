//! What the swept factors do: one sentence for each pair of levels and metric, before anything else.
//!
//! Each factor's first level is compared with its others, at the last levels of the other factors: what is compared follows from the
//! profile, never from the data.

use super::Model;
use super::model::{describe, phrase, with_guests};
use crate::answers::{Answer, LevelPair, answer, metrics, values};
use crate::profile::{Configuration, Factor};

/// Sentences shown in a terminal.
const SHOWN: usize = 8;

/// What the run answers: differences that are shown first, each group in the order of the profile. Pairs with fewer than two common
/// blocks are left out.
pub fn answers(model: &Model) -> Vec<Answer> {
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

/// A list in Markdown; empty without answers.
pub(super) fn list(model: &Model) -> String {
    answers(model).iter().map(|answer| format!("- {answer}\n")).collect()
}

/// The first sentences, one a line, with the number of those left out.
pub(super) fn first(model: &Model) -> String {
    let all = answers(model);
    let mut text: String = all.iter().take(SHOWN).map(|answer| format!("{answer}\n")).collect();
    if all.len() > SHOWN {
        text.push_str(&format!("and {} more answers (see report.md)\n", all.len() - SHOWN));
    }
    if text.is_empty() { text } else { text + "\n" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{TrialFigures, fixture};
    use crate::report::fixture as report_fixture;
    use crate::report::markdown;
    use crate::report::terminal::{Terminal, summary};

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
        assert!(first(&model).trim_end().lines().count() <= SHOWN + 1);
        let report = markdown::report(&model, &[]);
        assert!(report.starts_with("# backends\n\n- Total rate with virtio at 2 guests: "), "{report}");
    }

    #[test]
    fn single_trials_answer_nothing() {
        let configurations = ["e1000", "virtio"].map(|backend| fixture::configuration(backend, 2));
        let trials = &trials(&configurations)[..2];
        let experiment = report_fixture::experiment(configurations.to_vec(), &[Factor::Backend]);
        let provenance = report_fixture::provenance(crate::raw::Accel::Kvm);
        let model = Model::new(&experiment, &provenance, trials);
        assert_eq!((answers(&model), first(&model)), (Vec::new(), String::new()));
    }
}
