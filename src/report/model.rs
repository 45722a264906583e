//! What every renderer reads, and the words for it that they share.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::Provenance;
use crate::answers::{Answer, RunFinding};
use crate::figures::{
    GroupRow, Metric, Outcome, Reason, SummaryRow, TrialFigures, outliers, summarise, summarise_groups,
};
use crate::profile::{Configuration, Experiment, Factor};
use crate::raw::Stage;
use crate::stats::Outlier;

/// A run, complete or not, as renderers see it.
#[derive(Clone, Debug)]
pub struct Model<'a> {
    /// What was to be measured.
    pub experiment: &'a Experiment,
    /// Where the figures come from.
    pub provenance: &'a Provenance,
    /// Every trial so far, in the order of their numbers.
    pub trials: &'a [TrialFigures],
    /// One row per configuration, in the order of the profile.
    pub rows: Vec<SummaryRow>,
    /// Trials far from the other repeats of their configuration.
    pub outliers: BTreeMap<u32, Outlier>,
    /// What of the run is lost, a sentence each.
    pub damage: &'a [String],
    /// What the swept factors do, once somebody asked.
    pub(crate) answers: OnceLock<Vec<Answer>>,
    /// What the run shows beside that, once somebody asked.
    pub(crate) findings: OnceLock<Vec<RunFinding>>,
}

impl<'a> Model<'a> {
    /// Summarises `trials` for the renderers.
    pub fn new(
        experiment: &'a Experiment,
        provenance: &'a Provenance,
        trials: &'a [TrialFigures],
    ) -> Model<'a> {
        let rows = summarise(&experiment.configurations, trials);
        Model {
            experiment,
            provenance,
            trials,
            rows,
            outliers: outliers(trials),
            damage: &[],
            answers: OnceLock::new(),
            findings: OnceLock::new(),
        }
    }

    /// One row for each group of each configuration; none where all guests are alike.
    pub fn group_rows(&self) -> Vec<GroupRow> {
        summarise_groups(&self.experiment.configurations, self.trials)
    }

    /// Whether every trial that the profile asks for is there and valid.
    pub(super) fn has_all_trials(&self) -> bool {
        let planned = self.experiment.configurations.len() * self.experiment.timing.repeats as usize;
        self.trials.len() >= planned && self.trials.iter().all(|trial| trial.outcome == Outcome::Measured)
    }

    /// What was the same in all configurations: `TCP_RR, 1 B request, 1 B response, 128 flows`.
    pub(super) fn constants(&self) -> String {
        constants(&self.experiment.configurations)
    }

    /// `5 repeats`, or `3–5 valid repeats` where some do not count.
    pub(super) fn repeats(&self) -> String {
        let measured = self.rows.iter().map(|row| row.measured).filter(|measured| *measured > 0);
        let (fewest, most) = (measured.clone().min().unwrap_or(0), measured.max().unwrap_or(0));
        let planned = self.experiment.timing.repeats;
        match (fewest, most) {
            (1, 1) if planned == 1 => "single trials".into(),
            (fewest, most) if fewest == most && most == planned => format!("{most} repeats"),
            (fewest, most) if self.experiment.timing.precision.is_some() && fewest >= planned => {
                match fewest == most {
                    true => format!("{most} repeats"),
                    false => format!("{fewest}–{most} repeats"),
                }
            }
            (fewest, most) if fewest == most => format!("{most} of {planned} repeats"),
            (fewest, most) => format!("{fewest}–{most} of {planned} repeats"),
        }
    }

    /// Whether a run of this profile can have a value of this metric.
    pub(super) fn can_have(&self, metric: Metric) -> bool {
        metric.needs().iter().all(|need| need.is_met(self.experiment))
    }
}

/// What was the same in all of some configurations with guests, or in all if none has any. What a test does not heed is
/// nothing of it.
pub(super) fn constants(configurations: &[Configuration]) -> String {
    const SHOWN: [Factor; 23] = [
        Factor::Test,
        Factor::Request,
        Factor::Response,
        Factor::Message,
        Factor::Burst,
        Factor::PingInterval,
        Factor::PingPayload,
        Factor::Flows,
        Factor::Backend,
        Factor::Vms,
        Factor::Vcpus,
        Factor::Memory,
        Factor::Mtu,
        Factor::Queues,
        Factor::QueueSize,
        Factor::Offloads,
        Factor::Emulator,
        Factor::Pin,
        Factor::PinEmulator,
        Factor::PinVhost,
        Factor::Scheduler,
        Factor::Hugepages,
        Factor::NumaNode,
    ];
    let guests = with_guests(configurations);
    let settings = Factor::ALL.into_iter().filter(|factor| factor.is_of_tuning());
    let shown = SHOWN.into_iter().chain(settings).filter_map(|factor| constant(&guests, factor));
    shown.collect::<Vec<_>>().join(", ")
}

/// Configurations with guests, or all if there are none.
pub(super) fn with_guests(all: &[Configuration]) -> Vec<&Configuration> {
    let guests: Vec<&Configuration> = all.iter().filter(|configuration| configuration.vms > 0).collect();
    if guests.is_empty() { all.iter().collect() } else { guests }
}

/// The only level of a factor in words; `None` if there are several, or if nobody would miss it.
fn constant(configurations: &[&Configuration], factor: Factor) -> Option<String> {
    let mut heeding = configurations.iter().filter(|configuration| configuration.test.heeds(factor));
    let first = heeding.next()?;
    let plain = factor == Factor::Burst && first.burst == 0;
    let same = heeding.all(|configuration| configuration.level(factor) == first.level(factor));
    let asked = !first.level(factor).is_empty();
    (same && asked && !plain).then(|| phrase(first, factor))
}

/// A level in words; see [`Factor::phrase`].
pub(super) fn phrase(configuration: &Configuration, factor: Factor) -> String {
    factor.phrase(configuration)
}

/// The levels of the swept factors in words, to name a configuration in a sentence.
pub fn describe(configuration: &Configuration, factors: &[Factor]) -> String {
    let phrases = factors.iter().map(|factor| phrase(configuration, *factor));
    phrases.filter(|phrase| !phrase.is_empty()).collect::<Vec<_>>().join(", ")
}

/// Every trial that does not count, in words: `trial 7 (virtio, 16 guests, repeat 2) invalid: …`.
pub(super) fn problems(model: &Model) -> Vec<String> {
    model.trials.iter().filter_map(|trial| problem(model, trial)).collect()
}

fn problem(model: &Model, trial: &TrialFigures) -> Option<String> {
    let why = match &trial.outcome {
        Outcome::Measured => return None,
        Outcome::Invalid(reasons) => reasons.iter().map(Reason::to_string).collect::<Vec<_>>().join("; "),
        Outcome::Failed { stage: step, cause } => format!("{}: {cause}", stage(*step)),
    };
    let levels = describe(&trial.configuration, &model.experiment.factors);
    let comma = if levels.is_empty() { "" } else { ", " };
    let word = trial.outcome.word();
    Some(format!("trial {} ({levels}{comma}repeat {}) {word}: {why}", trial.trial, trial.repeat))
}

/// The word for a step of the trial loop.
pub(super) fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Provision => "provision",
        Stage::Verify => "verify",
        Stage::Load => "load",
        Stage::Probe => "probe",
        Stage::Skipped => "skipped",
    }
}

/// `trial 3`, `trials 3, 5 and 9`, `trials 1, 2, 3 and 9 more`: so many are named before the rest is counted. Nothing of none.
pub(super) fn named_trials(trials: &[u32], most: usize) -> String {
    let numbers: Vec<String> = trials.iter().take(most).map(u32::to_string).collect();
    match (numbers.as_slice(), trials.len().saturating_sub(most)) {
        ([], _) => String::new(),
        ([one], 0) => format!("trial {one}"),
        ([first @ .., last], 0) => format!("trials {} and {last}", first.join(", ")),
        (shown, more) => format!("trials {} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Test;
    use crate::report::terminal::Terminal;
    use crate::report::{Document, chart, fixture, markdown, tables, terminal};

    #[test]
    fn a_run_without_a_single_trial_is_rendered_without_figures() {
        let (experiment, provenance, _) = fixture::run();
        let model = Model::new(&experiment, &provenance, &[]);
        assert!(chart::charts(&model).unwrap().is_empty());
        assert_eq!(tables::trials(&model).rows.len(), 0);
        assert_eq!(tables::configurations(&model).rows.len(), 3);
        assert!(terminal::summary(&model, Terminal { width: 80, colour: false }).contains("0 of 3 repeats"));
        assert!(markdown::report(&Document::new(&model), &[]).contains("## Lab and provenance"));
    }

    #[test]
    fn an_experiment_without_configurations_is_rendered_too() {
        let (_, provenance, _) = fixture::run();
        let experiment = fixture::experiment(vec![], &[]);
        let model = Model::new(&experiment, &provenance, &[]);
        assert_eq!(model.constants(), "");
        assert!(chart::charts(&model).unwrap().is_empty());
    }

    #[test]
    fn what_means_nothing_to_some_tests_is_told_if_it_is_the_same_for_the_others() {
        let of = |test, burst| Configuration {
            test,
            burst,
            ..crate::figures::fixture::configuration("virtio", 1)
        };
        let (_, provenance, _) = fixture::run();
        let experiment =
            fixture::experiment(vec![of(Test::TCP_RR, 7), of(Test::TCP_STREAM, 0)], &[Factor::Test]);
        let constants = Model::new(&experiment, &provenance, &[]).constants();
        assert!(
            constants.starts_with("1 B request, 1 B response, 65536 B message, 8 in flight, "),
            "{constants}"
        );
        assert_eq!(describe(&experiment.configurations[1], &[Factor::Test, Factor::Burst]), "TCP_STREAM");
    }

    #[test]
    fn levels_are_named_in_words() {
        let mut configuration = crate::figures::fixture::configuration("virtio", 1);
        configuration.memory_mib = 2048;
        let factors = [Factor::Backend, Factor::Vms, Factor::Vcpus, Factor::Memory, Factor::Request];
        assert_eq!(describe(&configuration, &factors), "virtio, 1 guest, 1 vCPU, 2 GiB, 1 B request");
    }
}
