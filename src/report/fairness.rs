//! The section of the report about fairness over repeats and over time, and the line about how far flows can be added up.

use super::table_line::line;
use super::{Model, number};
use crate::figures::{JainAt, Metric, SLICES_S, SummaryRow, TrialFigures};
use crate::stats::Interval;

const EXPLANATION: &str = "\
- Kendall's W: do the same guests lose in every repeat? 1 if always; chance alone gives about 1 ÷ repeats. With shares of unequal
  weight they should.
- unfair moments: the 5th percentile of Jain's index over slices of the window, so long that each has interim results; guests that
  take turns are fair over the window and not within a slice
";

/// `## Fairness over repeats and over time`; empty where no configuration has two guests to compare.
pub(super) fn over_time(model: &Model) -> String {
    let slices: Vec<f64> = SLICES_S.into_iter().filter(|slice_s| of_slices(model, *slice_s)).collect();
    let told =
        |row: &&SummaryRow| row.kendall_w_rate.is_some() || unfair(model, row, &slices).any(|u| u.is_some());
    let rows: Vec<&SummaryRow> = model.rows.iter().filter(told).collect();
    if rows.is_empty() {
        return String::new();
    }
    let factors = &model.experiment.factors;
    let names = factors.iter().map(|factor| factor.column().to_owned());
    let moments = slices.iter().map(|slice_s| format!("unfair moments of {slice_s} s"));
    let header: Vec<String> =
        names.chain(["Kendall's W", "by chance"].map(String::from)).chain(moments).collect();
    let rule = line(vec!["---"; header.len()]);
    let mut text = format!("## Fairness over repeats and over time\n\n{}{rule}", line(header));
    for row in rows {
        let levels = factors.iter().map(|factor| row.configuration.level(*factor));
        let w = row.kendall_w_rate;
        let concordance = [w, w.map(|_| 1.0 / f64::from(row.measured))];
        let concordance = concordance.map(|value| value.map_or("–".into(), |value| format!("{value:.2}")));
        let moments = unfair(model, row, &slices);
        let moments = moments.map(|index| index.as_ref().map_or("–".into(), number::with_interval));
        text.push_str(&line(levels.chain(concordance).chain(moments)));
    }
    text + "\n" + EXPLANATION
}

/// Whether any trial has slices of this length.
fn of_slices(model: &Model, slice_s: f64) -> bool {
    model.trials.iter().any(|trial| at(trial, slice_s).is_some())
}

fn at(trial: &TrialFigures, slice_s: f64) -> Option<&JainAt> {
    trial.valid()?.total.jain_over_time.iter().find(|at| at.slice_s == slice_s)
}

/// The 5th percentile of Jain's index for each length, over the valid repeats.
fn unfair<'m>(
    model: &'m Model,
    row: &'m SummaryRow,
    slices: &'m [f64],
) -> impl Iterator<Item = Option<Interval>> + 'm {
    slices.iter().map(|slice_s| {
        let own = model.trials.iter().filter(|trial| trial.configuration == row.configuration);
        Interval::from_repeats(&own.filter_map(|trial| Some(at(trial, *slice_s)?.p5)).collect::<Vec<_>>())
    })
}

/// How much of the flows' life was common to all, in one sentence; empty where no trial counts.
pub(super) fn trust(model: &Model) -> String {
    let valid = || model.trials.iter().filter_map(TrialFigures::valid);
    let Some(spread_s) = valid().map(|numbers| numbers.total.start_spread_s).reduce(f64::max) else {
        return String::new();
    };
    let mut naive = model.trials.iter().filter_map(|trial| Metric::Unsynchronised.value(trial)).peekable();
    let known = naive.peek().is_some();
    let (low, high) =
        naive.fold((f64::MAX, f64::MIN), |(low, high), ratio| (low.min(ratio), high.max(ratio)));
    let (low, high) = (format!("{low:.2}"), format!("{high:.2}"));
    let times = if low == high { low } else { format!("{low} to {high}") };
    let sum = format!("; adding up what each netperf says would give {times} times the rate of the window");
    let sum = if known { sum } else { String::new() };
    let resolution = valid().filter_map(|numbers| numbers.total.resolution_percent).reduce(f64::max);
    let borders = resolution.map_or(String::new(), |percent| {
        format!("; a change of pace at the window's borders may move a guest's rate by up to {percent:.1} %")
    });
    let not_judged = valid().filter(|numbers| numbers.total.settled_after_s.is_none()).count();
    let steadiness = match not_judged {
        0 => String::new(),
        count => {
            format!("; whether the rate was steady was not judged in {count} of {} trials", valid().count())
        }
    };
    format!("the flows of a trial started within {spread_s:.2} s{sum}{borders}{steadiness}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn who_always_loses_and_unfair_moments_are_told_for_configurations_with_guests() {
        let (experiment, provenance, trials) = fixture::run();
        let text = over_time(&Model::new(&experiment, &provenance, &trials));
        let row =
            text.lines().find(|line| line.starts_with("| virtio |")).expect("two guests, three repeats");
        assert!(row.starts_with("| virtio | 2 | 1.00 | 0.33 | 0.9"), "{text}");
        assert!(!text.contains("| baremetal |"), "{text}");
    }

    #[test]
    fn a_run_without_trials_has_nothing_to_tell() {
        let (experiment, provenance, _) = fixture::run();
        let model = Model::new(&experiment, &provenance, &[]);
        assert_eq!((over_time(&model), trust(&model)), (String::new(), String::new()));
    }

    #[test]
    fn starts_and_the_error_of_adding_up_are_told_in_one_line() {
        let (experiment, provenance, trials) = fixture::run();
        let text = trust(&Model::new(&experiment, &provenance, &trials));
        assert!(
            text.starts_with("the flows of a trial started within ") && text.contains(" times the rate"),
            "{text}"
        );
    }
}
