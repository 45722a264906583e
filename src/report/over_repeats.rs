//! Figures of all repeats of a configuration that no single trial has: one static table, a row for each. Summary, JSON, report
//! and data dictionary follow.

use crate::figures::{Better, Need, Section, SummaryRow};
use crate::stats::{Ends, Estimate};
use crate::table::{Field, Rounding, estimate};

/// A figure and the section of the report that it is in.
pub(super) struct OverRepeats {
    pub section: Section,
    pub field: Field<SummaryRow>,
}

const fn over(section: Section, field: Field<SummaryRow>) -> OverRepeats {
    OverRepeats { section, field }
}

/// What all repeats together give, without an interval.
fn together(row: &SummaryRow, value: Option<f64>) -> Option<Estimate> {
    let trials = row.measured as usize;
    value.map(|mean| Estimate { trials, boots: row.boots, ends: Ends::Extremes, ..Estimate::exact(mean) })
}

const SEVERAL_TIMES: &[Need] = &[Need::Rates, Need::SeveralGuests, Need::Repeats];
const GROUPS_SEVERAL_TIMES: &[Need] = &[Need::Rates, Need::SeveralGroups, Need::Repeats];
const SOLO: &[Need] = &[Need::Background, Need::Latencies];

pub(super) static OVER_REPEATS: [OverRepeats; 11] = [
    over(
        Section::Speed,
        estimate("rate_to_bare_metal", "", "rate ÷ that of bare metal in the same block", |row: &SummaryRow| {
            row.to_bare_metal.map(Estimate::from)
        })
        .label("Rate ÷ bare metal")
        .better(Better::Higher)
        .needs(&[Need::BareMetal, Need::Rates]),
    ),
    over(
        Section::OverTime,
        estimate(
            "kendall_w_rate",
            "",
            "whether the same guests lose in every repeat: 1 if always, about 1/n by chance; with shares of unequal weight they should",
            |row: &SummaryRow| together(row, row.kendall_w_rate),
        )
        .label("Kendall's W")
        .rounding(Rounding::Decimals(2))
        .better(Better::Lower)
        .needs(SEVERAL_TIMES),
    ),
    over(
        Section::OverTime,
        estimate("kendall_p_rate", "", "probability of such a W, or a larger one, by chance", |row: &SummaryRow| {
            together(row, row.kendall_p_rate)
        })
        .label("p of Kendall's W")
        .rounding(Rounding::Probability)
        .needs(SEVERAL_TIMES),
    ),
    over(
        Section::OverTime,
        estimate(
            "jain_demand",
            "",
            "Jain's index of what each guest got ÷ its max-min share of all, given what it wants: what it gets alone with as many \
             flows, and no more than its cap lets through",
            |row: &SummaryRow| row.jain_demand,
        )
        .label("Jain's index by demand")
        .better(Better::Higher)
        .needs(&[Need::Rates, Need::SeveralGuests]),
    ),
    over(
        Section::Groups,
        estimate("kendall_w_groups", "", "the same of the groups' rates per guest", |row: &SummaryRow| {
            together(row, row.kendall_w_groups)
        })
        .label("Kendall's W of groups")
        .rounding(Rounding::Decimals(2))
        .better(Better::Lower)
        .needs(GROUPS_SEVERAL_TIMES),
    ),
    over(
        Section::Groups,
        estimate("kendall_p_groups", "", "probability of such a W, or a larger one, by chance", |row: &SummaryRow| {
            together(row, row.kendall_p_groups)
        })
        .label("p of W of groups")
        .rounding(Rounding::Probability)
        .needs(GROUPS_SEVERAL_TIMES),
    ),
    over(
        Section::Interference,
        estimate(
            "rate_lost_to_background",
            "",
            "1 − rate ÷ that without background in the same block",
            |row: &SummaryRow| {
                row.interference.rate.map(|ratio| Estimate::from(ratio).map(|part| 1.0 - part))
            },
        )
        .label("Rate lost")
        .better(Better::Lower)
        .needs(&[Need::Background, Need::Rates]),
    ),
    over(
        Section::Interference,
        estimate(
            "mean_latency_to_solo",
            "",
            "mean latency ÷ that without background in the same block",
            |row: &SummaryRow| row.interference.mean_latency.map(Estimate::from),
        )
        .label("Mean latency, times")
        .better(Better::Lower)
        .needs(SOLO),
    ),
    over(
        Section::Interference,
        estimate("p99_latency_to_solo", "", "the same of the P99 latency", |row: &SummaryRow| {
            row.interference.p99_latency.map(Estimate::from)
        })
        .label("P99 latency, times")
        .better(Better::Lower)
        .needs(SOLO),
    ),
    over(
        Section::Interference,
        estimate("max_latency_to_solo", "", "the same of the longest transaction", |row: &SummaryRow| {
            row.interference.max_latency.map(Estimate::from)
        })
        .label("Longest transaction, times")
        .better(Better::Lower)
        .needs(SOLO),
    ),
    over(
        Section::Interference,
        estimate(
            "isolation_qos",
            "",
            "rise of latency ÷ rise of the neighbours' load, both against the smallest quota in the same block; 0: isolated",
            |row: &SummaryRow| row.interference.isolation,
        )
        .label("Isolation index")
        .better(Better::Lower)
        .needs(SOLO),
    ),
];
