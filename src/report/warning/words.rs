//! The sentence of each warning: what is the case, in which trials, and what to do.

use std::fmt;

use super::Warning;
use crate::foreign_text::visible;
use crate::report::model::named_trials;

/// Trials that are named before the rest is counted.
const SHOWN: usize = 5;

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::Damage(sentence) => f.write_str(sentence),
            Warning::Changed { what, trials } => write!(
                f,
                "the run was resumed although something had changed: {}; after that {} measured (hint: its repeats are not all \
                 of one machine and one kvmfair: quote them with both)",
                visible(&what.join("; ")),
                match trials.as_slice() {
                    [] => "no valid trial was".into(),
                    [_] => format!("{} was", named(trials)),
                    _ => format!("{} were", named(trials)),
                }
            ),
            Warning::Shortened { trials, most_s, warmup_s } => write!(
                f,
                "the rate of {} had not settled after the warm-up: what came before was left out, up to {most_s:.1} s of \
                 the window (hint: make warmup longer than {warmup_s} s)",
                named(trials)
            ),
            Warning::NotSettled { trials, longest_s, warmup_s } => write!(
                f,
                "the rate of {} was still settling up to {longest_s:.1} s into the window, too long to leave that out \
                 (hint: make warmup longer than {warmup_s} s; if that never helps, there is no steady state, and the mean \
                 hides it)",
                named(trials)
            ),
            Warning::Hiccups { trials, longest_s } => write!(
                f,
                "the host stood still for up to {longest_s:.2} s in the window of {} (hint: it may be a virtual machine \
                 itself, or its firmware took the CPU; compare such trials with care)",
                named(trials)
            ),
            Warning::Swapped { trials, most_pages } => write!(
                f,
                "the host read up to {most_pages} pages back from swap in the window of {}: somebody waited for them (hint: \
                 fewer guests or less memory for each; `kvmfair doctor` shows what is promised to whom)",
                named(trials)
            ),
            Warning::NotMerged { trials, longest_s } => write!(
                f,
                "KSM had not gone over the guests' memory twice when {} began, after {longest_s:.0} s: less is merged than \
                 could be, in the trials behind it too (hint: a larger /sys/kernel/mm/ksm/pages_to_scan)",
                named(trials)
            ),
            Warning::TesterSaturated { trials, most } => write!(
                f,
                "the tester was saturated in {}: {most}; it may be what was measured (hint: a faster tester, or one with more \
                 CPUs; against a saturated netperf or a single CPU more flows, each with less to do)",
                named(trials)
            ),
            Warning::TriedAgain { count, of, worst, most } => write!(
                f,
                "{count} of {of} trials needed more than one attempt, trial {worst} the most ({most}): what came to nothing is \
                 in no figure, and what is left may be the better part (hint: see raw/attempts for what went wrong)"
            ),
            Warning::Outliers { trials } => write!(
                f,
                "totals (of pings: mean latencies) further from the other repeats than chance explains: {}; nothing was left \
                 out, and the interval of their configuration is wide for it (hint: timeline.csv shows what else the machine did then)",
                with_figures(trials, |percent| format!("{percent:+.0} %"))
            ),
            Warning::Starved { guest, trials, window_s } => write!(
                f,
                "guest {guest} starved for {} of {window_s:.1} s in {}; it counts as zero for that time (hint: \
                 charts/guests and timeline.csv show when; look at its vCPU threads, its queue and its share)",
                range(trials),
                named(&numbers(trials))
            ),
            Warning::StarvedToo { guests, longest_s } => write!(
                f,
                "{} starved too, for up to {longest_s:.1} s; these times count as zero",
                named(guests).replace("trial", "guest")
            ),
            Warning::Stalled { trials, longest_s } => {
                let flows: Vec<u32> = trials.iter().flat_map(|(_, flows)| flows.clone()).collect();
                write!(
                    f,
                    "{} stalled for up to {longest_s:.1} s in {}; that counts as zero (hint: flows.csv has stalled_s; look for \
                     lost packets and a full queue, and for a wire without carrier if all stalled at once)",
                    flows_were(flows),
                    named(&trials.iter().map(|(trial, _)| *trial).collect::<Vec<_>>())
                )
            }
            Warning::PingsLost { trials } => write!(
                f,
                "{} % of the pings were lost in {}: they are in no latency, so the tail is worse than it looks (hint: flows.csv \
                 has pings_lost; a full queue, and a guest that is not scheduled, lose them)",
                range_of_percent(trials),
                named(&numbers(trials))
            ),
            Warning::Unfair(finding) => write!(
                f,
                "{finding} (hint: the charts of guests show each; look at CPU placement, queues and what runs beside them)"
            ),
            Warning::Turns { trials, most_percent } => write!(
                f,
                "the guests took turns in {}, with a period of {} s: their shares vary by up to {most_percent:.0} % within it, \
                 and fairness over the window does not show it (hint: quote Jain's index over shorter slices, such as \
                 jain_rate_1s_p5)",
                named(&numbers(trials)),
                range(trials)
            ),
            Warning::Stopped { configurations, half_width_percent } => write!(
                f,
                "repeats ended at ± {half_width_percent} % in {}: such intervals are too narrow; simulated at ± 3 %, 63 to 95 of a \
                 hundred hold the true mean, the fewer the more the trials vary (hint: to compare, measure again with a fixed \
                 number of repeats)",
                if *configurations == 1 {
                    "1 configuration".into()
                } else {
                    format!("{configurations} configurations")
                }
            ),
            Warning::Imprecise { configurations, half_width_percent, max_repeats } => write!(
                f,
                "less precise than ± {half_width_percent} % after up to {max_repeats} repeats: {} (hint: a longer \
                 window, a quieter machine, or a larger max_repeats)",
                configurations.join("; ")
            ),
        }
    }
}

fn named(trials: &[u32]) -> String {
    named_trials(trials, SHOWN)
}

/// The trials alone.
fn numbers(trials: &[(u32, f64)]) -> Vec<u32> {
    trials.iter().map(|(trial, _)| *trial).collect()
}

/// `28.0`, or `1.5 to 28.0`.
fn range(trials: &[(u32, f64)]) -> String {
    between(trials, |value| format!("{value:.1}"))
}

/// The same of small parts: `0.03 to 1.5`.
fn range_of_percent(trials: &[(u32, f64)]) -> String {
    between(trials, |value| if value < 1.0 { format!("{value:.2}") } else { format!("{value:.1}") })
}

fn between(trials: &[(u32, f64)], shown: impl Fn(f64) -> String) -> String {
    let values = || trials.iter().map(|(_, value)| *value);
    let [least, most] = [values().fold(f64::MAX, f64::min), values().fold(f64::MIN, f64::max)].map(shown);
    if least == most { most } else { format!("{least} to {most}") }
}

/// `trial 3 (+12 %)`, `trial 3 (+12 %), trial 9 (−40 %)`.
fn with_figures(trials: &[(u32, f64)], figure: impl Fn(f64) -> String) -> String {
    let one = |(trial, value): &(u32, f64)| format!("trial {trial} ({})", figure(*value));
    let shown = trials.iter().take(SHOWN).map(one).collect::<Vec<_>>().join(", ");
    match trials.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// `flow 5 was`, `flows 3, 5 and 9 were`.
fn flows_were(mut flows: Vec<u32>) -> String {
    flows.sort_unstable();
    flows.dedup();
    let verb = if flows.len() == 1 { "was" } else { "were" };
    format!("{} {verb}", named(&flows).replace("trial", "flow"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut() {
        assert_eq!(named(&[3]), "trial 3");
        assert_eq!(named(&[3, 5, 9]), "trials 3, 5 and 9");
        assert_eq!(named(&[1, 2, 3, 4, 5, 6, 7]), "trials 1, 2, 3, 4, 5 and 2 more");
        let deviations: Vec<(u32, f64)> = (1..=1000).map(|trial| (trial, 12.0)).collect();
        assert!(
            with_figures(&deviations, |percent| format!("{percent} %"))
                .ends_with("trial 5 (12 %) and 995 more")
        );
    }
}
