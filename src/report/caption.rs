//! What has to be known to read the figures of a run, in lines that terminal and report share.

use super::Model;
use crate::figures::{Metric, Numbers, SummaryRow, TrialFigures};
use crate::stats::{Ends, Estimate};

/// What was the same everywhere, how often it was measured, and what the numbers mean.
pub(super) fn lines(model: &Model) -> Vec<String> {
    let window = model.experiment.timing.window.as_secs_f64();
    let measured = format!("{}; {}, window {window} s", model.constants(), model.repeats());
    [Some(measured), intervals(model), shared_boots(model), percentiles(model)]
        .into_iter()
        .flatten()
        .collect()
}

fn estimates<'m>(model: &'m Model) -> impl Iterator<Item = &'m Estimate> {
    model.rows.iter().flat_map(|row| row.values.values())
}

fn intervals(model: &Model) -> Option<String> {
    let intervals: Vec<&Estimate> = estimates(model).filter(|one| one.telling_ends().is_some()).collect();
    let extremes = "skewed figures of fewer than 5 boots: mean [smallest to largest]";
    let any = intervals.iter().any(|one| one.ends != Ends::Extremes);
    let any_extreme = intervals.iter().any(|one| one.ends == Ends::Extremes);
    let is_of_two = |one: &Estimate| one.low_high.is_some() && one.telling_ends().is_none();
    let two =
        estimates(model).any(is_of_two).then_some("n=2, or 2 boots: a mean of two values has no interval");
    let parts =
        [any.then_some("mean ± 95 % interval, or mean (low to high)"), any_extreme.then_some(extremes), two];
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Where trials share a boot, their interval is over fewer units, or leaves out what another boot would change.
fn shared_boots(model: &Model) -> Option<String> {
    let sharing: Vec<usize> =
        estimates(model).filter(|one| one.shares_boots()).map(|one| one.boots).collect();
    let hint = "(hint: `reprovision = \"block\"` in `[plan]`)";
    sharing.iter().min().map(|boots| match boots {
        1 => format!(
            "repeats of one boot share its luck: their ± leaves out what another boot would change {hint}"
        ),
        _ => format!("repeats that share a boot count once in ± {hint}"),
    })
}

/// What has to be known of netperf's percentiles.
fn percentiles(model: &Model) -> Option<String> {
    let any = |pings: bool| {
        let is_known = |row: &&SummaryRow| row.get(Metric::P99Latency).is_some();
        model.rows.iter().filter(is_known).any(|row| row.configuration.test.is_ping() == pings)
    };
    let netperf = any(false)
        .then_some("P99: of whole flows with their warm-up, closed loop: a stall is one slow transaction");
    let pings = any(true).then_some("pings: those sent in the window, open loop: a stall is many slow pings");
    let sentences: Vec<&str> = netperf.into_iter().chain(pings).collect();
    (!sentences.is_empty()).then(|| sentences.join("; "))
}

/// How far the figures of a window can be trusted, in one sentence; `None` where no trial is valid.
pub(super) fn trust(model: &Model) -> Option<String> {
    let valid: Vec<&Numbers> = model.trials.iter().filter_map(TrialFigures::valid).collect();
    let spread_s = valid.iter().map(|numbers| numbers.total.start_spread_s).reduce(f64::max)?;
    let ratios: Vec<f64> = model.trials.iter().filter_map(|t| Metric::Unsynchronised.value(t)).collect();
    let ends = [f64::min, f64::max].map(|end| ratios.iter().copied().reduce(end));
    let times = match ends.map(|end| end.map(|ratio| format!("{ratio:.2}"))) {
        [Some(low), Some(high)] if low != high => Some(format!("{low} to {high}")),
        [low, _] => low,
    };
    let sum = times.map(|times| {
        format!("the sum of netperf's own results would be {times} times the rate of the window")
    });
    let rated = valid.iter().filter(|numbers| numbers.total.unit.is_result());
    let resolution = rated.filter_map(|numbers| numbers.total.resolution_percent).reduce(f64::max);
    let borders = resolution.map(|percent| {
        format!("a change of pace at the window's borders may move a guest's rate by up to {percent:.1} %")
    });
    let with_rates: Vec<_> = valid.iter().filter(|numbers| numbers.total.unit.is_result()).collect();
    let not_judged = with_rates.iter().filter(|numbers| numbers.total.settled_after_s.is_none()).count();
    let steadiness = (not_judged > 0).then(|| {
        format!("whether the rate was steady was not judged in {not_judged} of {} trials", with_rates.len())
    });
    let start = Some(format!("the flows of a trial started within {spread_s:.2} s"));
    Some([start, sum, borders, steadiness].into_iter().flatten().collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn starts_and_the_error_of_adding_up_are_one_sentence() {
        let (experiment, provenance, trials) = fixture::run();
        let text = trust(&Model::new(&experiment, &provenance, &trials)).unwrap();
        assert!(text.starts_with("the flows of a trial started within ") && text.contains(" times the rate"));
        assert_eq!(trust(&Model::new(&experiment, &provenance, &[])), None);
    }

    #[test]
    fn repeats_that_share_a_boot_are_marked() {
        let (experiment, provenance, mut trials) = fixture::run();
        let lines_of =
            |trials: &[TrialFigures]| lines(&Model::new(&experiment, &provenance, trials)).join("\n");
        trials.iter_mut().for_each(|trial| trial.processes = vec![7; trial.configuration.vms as usize]);
        assert!(lines_of(&trials).contains("repeats of one boot share its luck"), "{}", lines_of(&trials));
        trials.iter_mut().for_each(|trial| {
            trial.processes = vec![trial.trial.min(2) as i32; trial.configuration.vms as usize];
        });
        assert!(lines_of(&trials).contains("count once"), "{}", lines_of(&trials));
        trials
            .iter_mut()
            .for_each(|trial| trial.processes = vec![trial.trial as i32; trial.configuration.vms as usize]);
        assert!(!lines_of(&trials).contains(" boot "), "{}", lines_of(&trials));
    }

    #[test]
    fn percentiles_are_said_to_be_of_whole_flows_in_a_closed_loop() {
        let (experiment, provenance, trials) = fixture::run();
        let text = lines(&Model::new(&experiment, &provenance, &trials)).join("\n");
        assert!(text.contains("P99: of whole flows with their warm-up, closed loop"), "{text}");
    }
}
