//! What a reader must know before trusting figures that count. Each warning says what to do.

mod guests;
mod words;

use super::Model;
use super::model::describe;
use crate::answers::Finding;
use crate::figures::{Metric, Numbers, Seen, SummaryRow, TesterFigures, TrialFigures, settled_late};
use crate::stats::chance_of_as_many;

/// Part of trials with a steady rate that are called late, at most; see `stats/stationarity.rs`.
const LATE_BY_CHANCE: f64 = 0.03;
/// Part of runs without a late trial that may warn of some.
const LEVEL: f64 = 0.02;

/// One thing to know.
#[derive(Clone, Debug, PartialEq)]
pub enum Warning {
    /// A part of the run is lost; the sentence.
    Damage(String),
    /// The run was resumed although something had changed.
    Changed {
        /// A sentence each.
        what: Vec<String>,
        /// The valid trials that were begun after that.
        trials: Vec<u32>,
    },
    /// The total rate was still moving after the warm-up: the windows begin later.
    Shortened {
        /// The trials.
        trials: Vec<u32>,
        /// What a window lost at most, s.
        most_s: f64,
        /// As configured, s.
        warmup_s: f64,
    },
    /// The same where too little of the window would have been left.
    NotSettled {
        /// The trials.
        trials: Vec<u32>,
        /// The longest time after the window's start, s.
        longest_s: f64,
        /// As configured, s.
        warmup_s: f64,
    },
    /// Total rates, or mean latencies of pings, further from those of the other repeats than chance explains.
    Outliers {
        /// The trials, and how far the rate of each is from the others', %.
        trials: Vec<(u32, f64)>,
    },
    /// A guest got next to nothing for a part of the window, or all of it, though its connections lived.
    Starved {
        /// The guest.
        guest: u32,
        /// The trials, and for how long in each, s.
        trials: Vec<(u32, f64)>,
        /// Length of the longest window of these, s.
        window_s: f64,
    },
    /// So did others, for less time.
    StarvedToo {
        /// The guests.
        guests: Vec<u32>,
        /// The longest of their times, s.
        longest_s: f64,
    },
    /// Flows completed nothing for a part of the window, though their guests moved on or all stood still together.
    Stalled {
        /// Flows of each trial.
        trials: Vec<(u32, Vec<u32>)>,
        /// The longest of these times, s.
        longest_s: f64,
    },
    /// Pings were lost.
    PingsLost {
        /// The trials, and what part of the window's pings was lost in each, %.
        trials: Vec<(u32, f64)>,
    },
    /// Guests of one configuration get less than others beyond noise.
    Unfair(Finding),
    /// Guests take turns within the window.
    Turns {
        /// The trials, and after how long the order comes back in each, s.
        trials: Vec<(u32, f64)>,
        /// Variation of the guests' shares that this makes, %, at most.
        most_percent: f64,
    },
    /// The host stood still.
    Hiccups {
        /// The trials.
        trials: Vec<u32>,
        /// The longest time, s.
        longest_s: f64,
    },
    /// The host read pages back from swap.
    Swapped {
        /// The trials.
        trials: Vec<u32>,
        /// Pages in one trial at most.
        most_pages: u64,
    },
    /// KSM had not gone over the guests' memory often enough when the wait for it ended.
    NotMerged {
        /// The trials that waited.
        trials: Vec<u32>,
        /// How long they waited at most, s.
        longest_s: f64,
    },
    /// The tester had hardly a CPU left, or one of its netperfs: it may be what was measured.
    TesterSaturated {
        /// The trials.
        trials: Vec<u32>,
        /// What of it was saturated, at most.
        most: TesterFigures,
    },
    /// Trials that were tried again, until they were measured or given up.
    TriedAgain {
        /// How many.
        count: usize,
        /// Of so many trials.
        of: usize,
        /// The one that needed most.
        worst: u32,
        /// Attempts at it.
        most: u32,
    },
    /// Configurations whose trials were ended because their interval was narrow enough.
    Stopped {
        /// How many.
        configurations: usize,
        /// What the profile wants, %.
        half_width_percent: f64,
    },
    /// Configurations that never became as precise as the profile wants.
    Imprecise {
        /// In words.
        configurations: Vec<String>,
        /// What the profile wants, %.
        half_width_percent: f64,
        /// Where it gave up.
        max_repeats: u32,
    },
}

/// All that apply to a run.
pub fn warnings(model: &Model) -> Vec<Warning> {
    let of_machines = [hiccups(model), swapped(model), not_merged(model), tester_saturated(model)];
    let of_rates = [tried_again(model), outliers(model), imprecise(model), stopped(model)];
    let of_windows = [shortened(model), not_settled(model)];
    let of_flows = [guests::stalled(model), pings_lost(model), guests::turns(model)];
    let others = of_flows.into_iter().chain(of_windows).chain(of_machines).chain(of_rates).flatten();
    let damage = model.damage.iter().cloned().map(Warning::Damage);
    damage
        .chain(changed(model))
        .chain(guests::starved(model))
        .chain(others)
        .chain(guests::unfair(model))
        .collect()
}

/// The valid trials by number.
fn valid<'m>(model: &Model<'m>) -> impl Iterator<Item = (u32, &'m Numbers)> {
    model.trials.iter().filter_map(|trial| Some((trial.trial, trial.valid()?)))
}

/// Each change that was accepted.
fn changed(model: &Model) -> Vec<Warning> {
    let after = |at_s: i64| model.trials.iter().filter(move |trial| trial.started_s >= at_s as f64);
    let numbers =
        |at_s| after(at_s).filter(|trial| trial.valid().is_some()).map(|trial| trial.trial).collect();
    let changes = model.provenance.changes.iter();
    changes.map(|(at_s, what)| Warning::Changed { what: what.clone(), trials: numbers(*at_s) }).collect()
}

fn shortened(model: &Model) -> Option<Warning> {
    let (trials, most_s) = late(model, true)?;
    Some(Warning::Shortened { trials, most_s, warmup_s: model.experiment.timing.warmup.as_secs_f64() })
}

fn not_settled(model: &Model) -> Option<Warning> {
    let (trials, longest_s) = late(model, false)?;
    Some(Warning::NotSettled { trials, longest_s, warmup_s: model.experiment.timing.warmup.as_secs_f64() })
}

/// The valid trials that settled late, with a window that begins later for it or without, and the longest time of them, s;
/// `None` where all that settled late are no more than the noise of steady rates makes.
fn late(model: &Model, advanced: bool) -> Option<(Vec<u32>, f64)> {
    let late = |(trial, numbers): (u32, &Numbers)| {
        let total = &numbers.total;
        let after_s =
            total.settled_after_s.filter(|after_s| settled_late(*after_s, &model.experiment.timing))?;
        Some((trial, after_s, total.window_advanced_s > 0.0))
    };
    let all: Vec<(u32, f64, bool)> = valid(model).filter_map(late).collect();
    let chance = chance_of_as_many(all.len() as u64, valid(model).count() as u64, LATE_BY_CHANCE);
    let own = || all.iter().filter(|(.., own)| *own == advanced);
    let longest_s = own().map(|(_, after_s, _)| *after_s).reduce(f64::max).filter(|_| chance <= LEVEL)?;
    Some((own().map(|(trial, ..)| *trial).collect(), longest_s))
}

fn hiccups(model: &Model) -> Option<Warning> {
    let (trials, longest_s) = marked(model, Seen::host_hiccup, |seen| seen.longest_hiccup_s)?;
    Some(Warning::Hiccups { trials, longest_s })
}

fn swapped(model: &Model) -> Option<Warning> {
    let of = |trial: &TrialFigures| {
        let pages = trial.valid()?.seen.swapped_in_pages.filter(|pages| *pages > 0)?;
        Some((trial.trial, pages))
    };
    let found: Vec<(u32, u64)> = model.trials.iter().filter_map(of).collect();
    let most_pages = found.iter().map(|(_, pages)| *pages).max()?;
    Some(Warning::Swapped { trials: found.into_iter().map(|(trial, _)| trial).collect(), most_pages })
}

fn not_merged(model: &Model) -> Option<Warning> {
    let of = |seen: &Seen| seen.merging.map(|merging| !merging.is_complete());
    let (trials, longest_s) = marked(model, of, |seen| Some(seen.merging?.waited_s))?;
    Some(Warning::NotMerged { trials, longest_s })
}

fn pings_lost(model: &Model) -> Option<Warning> {
    let lost = |(trial, numbers): (u32, &Numbers)| {
        let percent = numbers.total.loss_percent.filter(|percent| *percent > 0.0)?;
        (!numbers.total.unit.is_result()).then_some((trial, percent))
    };
    let trials: Vec<(u32, f64)> = valid(model).filter_map(lost).collect();
    (!trials.is_empty()).then_some(Warning::PingsLost { trials })
}

fn tester_saturated(model: &Model) -> Option<Warning> {
    let of = |trial: &TrialFigures| Some((trial.trial, trial.valid()?.seen.tester));
    let saturated =
        || model.trials.iter().filter_map(of).filter(|(_, tester)| tester.saturated() == Some(true));
    let most = TesterFigures::worst(saturated().map(|(_, tester)| tester))?;
    Some(Warning::TesterSaturated { trials: saturated().map(|(trial, _)| trial).collect(), most })
}

/// The valid trials with a mark, and the most of what gave it to them.
fn marked(
    model: &Model,
    mark: fn(&Seen) -> Option<bool>,
    of: fn(&Seen) -> Option<f64>,
) -> Option<(Vec<u32>, f64)> {
    let value = |trial: &TrialFigures| {
        let seen = &trial.valid()?.seen;
        Some((trial.trial, of(seen).filter(|_| mark(seen) == Some(true))?))
    };
    let found: Vec<(u32, f64)> = model.trials.iter().filter_map(value).collect();
    let most = found.iter().map(|(_, value)| *value).reduce(f64::max)?;
    Some((found.into_iter().map(|(trial, _)| trial).collect(), most))
}

fn tried_again(model: &Model) -> Option<Warning> {
    let again: Vec<&TrialFigures> = model.trials.iter().filter(|trial| trial.attempt > 1).collect();
    let worst = again.iter().rev().max_by_key(|trial| trial.attempt)?; // of equal ones the first
    Some(Warning::TriedAgain {
        count: again.len(),
        of: model.trials.len(),
        worst: worst.trial,
        most: worst.attempt,
    })
}

fn outliers(model: &Model) -> Option<Warning> {
    let trials = model.outliers.iter().map(|(trial, outlier)| (*trial, 100.0 * outlier.deviation));
    let trials: Vec<(u32, f64)> = trials.collect();
    (!trials.is_empty()).then_some(Warning::Outliers { trials })
}

/// Those with the precision that was asked for, at whatever number of repeats: each might have gone on.
fn stopped(model: &Model) -> Option<Warning> {
    let half_width_percent = model.experiment.timing.precision?.half_width_percent;
    let precise = |row: &&SummaryRow| {
        let rate = row.get(Metric::total(row.configuration.test));
        rate.is_some_and(|rate| rate.is_within(half_width_percent))
    };
    let configurations = model.rows.iter().filter(precise).count();
    (configurations > 0).then_some(Warning::Stopped { configurations, half_width_percent })
}

fn imprecise(model: &Model) -> Option<Warning> {
    let precision = model.experiment.timing.precision?;
    let precise = |rate: &crate::stats::Estimate| rate.is_within(precision.half_width_percent);
    let wide = model.rows.iter().filter(|row| row.measured > 0);
    let wide = wide.filter(|row| !row.get(Metric::total(row.configuration.test)).is_some_and(precise));
    let configurations: Vec<String> =
        wide.map(|row| describe(&row.configuration, &model.experiment.factors)).collect();
    (!configurations.is_empty()).then_some(Warning::Imprecise {
        configurations,
        half_width_percent: precision.half_width_percent,
        max_repeats: precision.max_repeats,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::fixture as raw_fixture;
    use crate::profile::Precision;
    use crate::raw::KsmWait;
    use crate::report::fixture;

    fn sentences(trials: &[TrialFigures], precision: Option<Precision>) -> Vec<String> {
        let (mut experiment, provenance, _) = fixture::run();
        experiment.timing.precision = precision;
        warnings(&Model::new(&experiment, &provenance, trials)).iter().map(Warning::to_string).collect()
    }

    #[test]
    fn a_steady_run_has_nothing_to_warn_of_but_a_guest_that_gets_less() {
        let sentences = sentences(&fixture::run().2, None);
        let expected =
            "virtio, 2 guests: guest 1 gets 24.1 % less than the others in all 3 repeats of one boot (p = ";
        assert!(sentences.len() == 2 && sentences[0].starts_with(expected), "{sentences:?}");
    }

    /// Four guests with two flows each, planted.
    fn planted(change: impl Fn(&mut crate::raw::RawTrial)) -> Vec<TrialFigures> {
        let trial = |number: u32| {
            let configuration = raw_fixture::configuration("virtio", 4);
            let mut raw = raw_fixture::trial(configuration, &[1000.0, 1010.0, 990.0, 1000.0]);
            change(&mut raw);
            let raw = raw_fixture::numbered(raw, number, number);
            TrialFigures::compute(&raw, &raw_fixture::timing())
        };
        [1, 2, 3].map(trial).into()
    }

    #[test]
    fn a_starved_guest_is_named_with_its_time_of_the_window() {
        let sentences = sentences(&planted(|raw| raw_fixture::starve(raw, 3, 3.0, 11.5)), None);
        assert!(
            sentences[0].starts_with("guest 3 starved for 8.5 of 10.0 s in trials 1, 2 and 3"),
            "{sentences:?}"
        );
        assert!(sentences.iter().all(|warning| !warning.contains("flow")), "{sentences:?}");
        assert!(sentences[1].contains("guest 3 gets "), "{sentences:?}");
    }

    #[test]
    fn of_many_starved_guests_three_have_a_sentence_each_and_the_others_share_one() {
        let starved = |raw: &mut crate::raw::RawTrial, guests: &[u32]| {
            guests.iter().for_each(|guest| raw_fixture::starve(raw, *guest, 3.0, 6.0 + f64::from(*guest)));
        };
        let mut trial = raw_fixture::trial(raw_fixture::configuration("virtio", 8), &[1000.0; 8]);
        starved(&mut trial, &[1, 2, 3, 4, 5]);
        let sentences = sentences(&[TrialFigures::compute(&trial, &raw_fixture::timing())], None);
        assert!(sentences[0].starts_with("guest 5 starved for 8.0 of "), "{sentences:?}");
        let others = "guests 1 and 2 starved too, for up to 5.0 s";
        assert_eq!(sentences.iter().filter(|warning| warning.contains(others)).count(), 1, "{sentences:?}");
        assert_eq!(
            sentences.iter().filter(|warning| warning.contains("starved for")).count(),
            3,
            "{sentences:?}"
        );
    }

    #[test]
    fn a_stalled_flow_of_a_guest_that_moves_on_is_named() {
        let sentences = sentences(&planted(|raw| raw_fixture::stall(raw, 5, 4.0, 9.0)), None);
        assert!(
            sentences[0].starts_with("flow 5 was stalled for up to 5.0 s in trials 1, 2 and 3"),
            "{sentences:?}"
        );
    }

    #[test]
    fn guests_that_take_turns_are_named_with_their_period() {
        let alternate = |raw: &mut crate::raw::RawTrial| {
            for flow in &mut raw.flows {
                for interval in &mut flow.intervals {
                    let first_half = (interval.end_s - 0.25 - raw_fixture::START).rem_euclid(2.0) < 1.0;
                    interval.rate *= if first_half == (flow.guest <= 2) { 2.0 } else { 0.0 };
                }
            }
        };
        let sentences = sentences(&planted(alternate), None).join("\n");
        assert!(
            sentences.contains("the guests took turns in trials 1, 2 and 3, with a period of 2.0 s"),
            "{sentences}"
        );
    }

    #[test]
    fn trials_that_settle_late_are_named_with_the_longest_time_and_whether_it_was_left_out() {
        let mut trials = fixture::run().2;
        for trial in trials.iter_mut().take(2) {
            if let Some(numbers) = &mut trial.numbers {
                numbers.total.settled_after_s = Some(4.0);
            }
        }
        assert!(
            sentences(&trials, None)[0]
                .starts_with("the rate of trials 1 and 2 was still settling up to 4.0 s")
        );
        if let Some(numbers) = &mut trials[1].numbers {
            numbers.total.window_advanced_s = 4.0;
        }
        let sentences = sentences(&trials, None);
        assert!(
            sentences[0].starts_with("the rate of trial 2 had not settled after the warm-up"),
            "{sentences:?}"
        );
        assert!(sentences[0].contains("left out, up to 4.0 s of the window"), "{sentences:?}");
        assert!(sentences[1].starts_with("the rate of trial 1 was still settling"), "{sentences:?}");
    }

    #[test]
    fn trials_that_were_tried_again_are_counted_and_the_one_that_needed_most_is_named() {
        let mut trials = fixture::run().2;
        (trials[1].attempt, trials[4].attempt, trials[6].attempt) = (2, 4, 4);
        let sentences = sentences(&trials, None);
        let expected = "3 of 9 trials needed more than one attempt, trial 5 the most (4): ";
        assert!(sentences[0].starts_with(expected), "{sentences:?}");
    }

    #[test]
    fn what_stayed_wide_is_told_with_what_was_wanted() {
        let precision = Precision { half_width_percent: 0.001, max_repeats: 3 };
        let sentences = sentences(&fixture::run().2, Some(precision));
        assert!(
            sentences[0]
                .starts_with("less precise than ± 0.001 % after up to 3 repeats: virtio, 2 guests; e1000"),
            "{sentences:?}"
        );
    }

    #[test]
    fn intervals_that_ended_the_repeats_are_told_to_be_too_narrow_and_how_many_they_are() {
        let sentences = |percent| {
            let precision = Precision { half_width_percent: percent, max_repeats: 3 };
            sentences(&fixture::run().2, Some(precision)).join("\n")
        };
        let two = "repeats ended at ± 5 % in 2 configurations: such intervals are too narrow";
        assert!(sentences(5.0).contains(two), "{}", sentences(5.0));
        // Bare metal had the same rate each time.
        assert!(
            sentences(0.0001).contains("repeats ended at ± 0.0001 % in 1 configuration:"),
            "{}",
            sentences(0.0001)
        );
    }

    #[test]
    fn a_host_that_stood_still_or_swapped_or_had_not_merged_and_a_tester_without_time_are_told() {
        let mut trials = fixture::run().2;
        if let Some(numbers) = &mut trials[0].numbers {
            numbers.seen.longest_hiccup_s = Some(1.25);
            numbers.seen.tester.busy_percent = Some(93.0);
            numbers.seen.merging = Some(KsmWait { waited_s: 12.0, bound_s: 11.9, full_scans: 2 });
        }
        if let Some(numbers) = &mut trials[1].numbers {
            numbers.seen.swapped_in_pages = Some(7);
            numbers.seen.merging = Some(KsmWait { waited_s: 12.0, bound_s: 40.0, full_scans: 3 });
        }
        let sentences = sentences(&trials, None);
        assert!(
            sentences[0].starts_with("the host stood still for up to 1.25 s in the window of trial 1"),
            "{sentences:?}"
        );
        assert!(
            sentences[1].starts_with("the host read up to 7 pages back from swap in the window of trial 2"),
            "{sentences:?}"
        );
        assert!(
            sentences[2]
                .starts_with("KSM had not gone over the guests' memory twice when trial 1 began, after 12 s")
        );
        assert!(
            sentences[3]
                .starts_with("the tester was saturated in trial 1: its CPUs up to 93 % busy; it may be"),
            "{sentences:?}"
        );
    }
}
