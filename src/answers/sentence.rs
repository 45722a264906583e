//! The sentences of answers, findings and comparisons: plain text with units, in one place.

use std::fmt;

use super::{
    Answer, Comparison, Direction, Finding, Limit, LimitedConfiguration, Measure, Metric, Replication, Rise,
    RunFinding, Verdict,
};

impl fmt::Display for Answer {
    /// `total rate with vhost-net at 4 guests: 2.1 to 2.4 times that with e1000, which is better (5 blocks)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (base, new) = (&self.pair.base.0, &self.pair.new.0);
        let place =
            if self.pair.context.is_empty() { String::new() } else { format!(" at {}", self.pair.context) };
        let blocks = self.replication;
        let label = &self.metric.label;
        match (self.is_shown(), self.interval) {
            (true, Some(interval)) => {
                let better = better(&self.metric, self.change);
                write!(
                    f,
                    "{label} with {new}{place}: {} {base}, {better} ({blocks})",
                    against(&self.metric, interval)
                )
            }
            (_, interval) => {
                write!(f, "{label}: no difference shown between {new} and {base}{place} (")?;
                match interval {
                    Some(interval) => write!(f, "{}; {blocks}", change(&self.metric, self.change, interval))?,
                    None => write!(f, "{blocks}: too few to tell")?,
                }
                let (units, unit) = self.replication.units();
                let ten = if self.metric.measure == Measure::Ratio { "10 %" } else { "10 points" };
                match (interval, self.blocks_for_ten) {
                    (None, _) => write!(f, ")"),
                    (_, Some(needed)) if needed <= units => write!(f, "; {ten} would have been found)"),
                    (_, Some(needed)) => write!(f, "; to find {ten} takes about {needed} {unit}s)"),
                    (_, None) => write!(f, "; to find {ten} takes more than 200 blocks)"),
                }
            }
        }
    }
}

impl fmt::Display for Replication {
    /// `5 blocks`; `5 blocks of 2 boots` or `5 blocks within one boot` where trials share guests.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&counted(self.blocks, "block"))?;
        match self {
            _ if self.is_within_one_boot() => write!(f, " within one boot"),
            _ if self.boots < self.blocks => write!(f, " of {}", counted(self.boots, "boot")),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::PersistentLoss { label, losers, replication, p, .. } if losers.is_empty() => {
                let (repeats, p) = (in_all_repeats(*replication), p_value(*p));
                write!(f, "{label}: the guests differ alike {repeats}, though none stands out ({p})")
            }
            Finding::PersistentLoss { label, losers, replication, p, with, .. } => {
                let one = |(guest, loss): &(u32, f64)| {
                    format!("guest {guest} gets {:.1} % less than the others", -100.0 * loss)
                };
                let losers = losers.iter().map(one).collect::<Vec<_>>().join(", ");
                write!(f, "{label}: {losers} {} ({})", in_all_repeats(*replication), p_value(*p))?;
                with.iter().try_for_each(|companion| {
                    let side = if companion.rises { "higher" } else { "lower" };
                    let (figure, p) = (companion.figure, p_value(companion.p));
                    write!(f, "; the less a guest gets, the {side} its {figure} ({p})")
                })
            }
            Finding::SpreadBeyondNoise { label, bias_percent, floor_percent, trials, p, .. } => {
                let who = if *trials > 1 { "; not the same guests in all repeats" } else { "" };
                write!(
                    f,
                    "{label}: the guests' rates are {bias_percent:.1} % apart, where equal guests with this noise \
                     are {floor_percent:.1} % apart{who} ({}, {})",
                    counted(*trials, "trial"),
                    p_value(*p)
                )
            }
        }
    }
}

/// Of a sentence about one of several series.
fn subject(series: &str) -> String {
    if series.is_empty() { String::new() } else { format!("{series}: ") }
}

impl fmt::Display for Rise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rise { metric, last, .. } = self;
        let place = if last.is_none() { ", the last level" } else { "" };
        let (subject, label, level) = (subject(&self.series), lower_first(&metric.label), &self.level.label);
        let mean = format!("{} {}", three_digits(self.mean), metric.unit);
        match self.is_first {
            true => write!(f, "{subject}no rise of {label} shown from {level} ({mean}) on")?,
            false => write!(f, "{subject}{label} rises up to {level}{place}: {mean}")?,
        }
        if let Some(share) = self.share_of_bare_metal {
            write!(f, ", {:.0} % of bare metal", 100.0 * share)?;
        }
        match last {
            Some(last) if last.falls => {
                let change = change(metric, last.ratio, last.ends);
                write!(f, "; falls to {change} with {}", last.level.label)?;
            }
            Some(last) if !self.is_first => write!(f, "; no further rise shown up to {}", last.level.label)?,
            _ => {}
        }
        write!(f, " ({})", self.replication)
    }
}

impl fmt::Display for RunFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunFinding::Rise(rise) => rise.fmt(f),
            RunFinding::Spread { series, bound, level, mean, interval: (low, high), replication } => {
                write!(
                    f,
                    "{}spread beyond noise exceeds {bound:.0} points from {} on ({mean:.0}, {low:.0} to {high:.0}; {replication})",
                    subject(series),
                    level.label
                )
            }
            RunFinding::Limit { limit, configurations } => write_limit(f, *limit, configurations),
        }
    }
}

fn write_limit(f: &mut fmt::Formatter<'_>, limit: Limit, all: &[LimitedConfiguration]) -> fmt::Result {
    const SHOWN: usize = 3;
    let what = match limit {
        Limit::Tester => "the tester (its CPUs, or a netperf)",
        Limit::HostCpus => "the CPUs of the host",
        Limit::HostSoftirq => "soft interrupts on one CPU of the host",
        Limit::BareMetal => "what bare metal has, too (wire, tester, NIC of the host)",
    };
    let one = |own: &LimitedConfiguration| match limit {
        Limit::BareMetal => {
            format!("{} ({:.0} % of its rate, {})", own.label, own.percent, counted(own.of, "trial"))
        }
        _ => {
            let trials = format!("{} of {}", own.trials.len(), counted(own.of, "trial"));
            format!("{} ({:.0} % busy, {trials})", own.label, own.percent)
        }
    };
    let shown: Vec<String> = all.iter().take(SHOWN).map(one).collect();
    write!(f, "limited by {what}: {}", shown.join("; "))?;
    match all.len().saturating_sub(SHOWN) {
        0 => Ok(()),
        more => write!(f, "; and {} more", counted(more, "configuration")),
    }
}

impl Comparison {
    /// `0.90 times (0.88 to 0.92)`: the change with its 95 % interval, where there is one.
    pub fn change_in_words(&self) -> String {
        match self.interval {
            Some(interval) => change(&self.metric, self.change, interval),
            None => estimate(&self.metric, self.change),
        }
    }
}

impl fmt::Display for Comparison {
    /// `total rate: 0.90 times (0.88 to 0.92): worse (5 and 5 boots)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let change = self.change_in_words();
        let why = match () {
            () if self.verdict != Verdict::Inconclusive => "",
            () if self.is_within_one_boot => ": a side has one boot, whose luck cannot be told from a change",
            () => "",
        };
        let (base, new) = (self.base.boots, self.new.boots);
        let verdict = self.verdict.word();
        write!(f, "{}: {change}: {verdict}{why} ({base} and {})", self.metric.label, counted(new, "boot"))
    }
}

/// `in all 5 repeats`; `in all 5 repeats of one boot` where that may be the luck of these guests.
fn in_all_repeats(replication: Replication) -> String {
    let Replication { blocks, boots } = replication;
    match boots {
        1 if blocks > 1 => format!("in all {blocks} repeats of one boot"),
        _ if boots < blocks => format!("in all {blocks} repeats of {boots} boots"),
        _ => format!("in all {blocks} repeats"),
    }
}

fn counted(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

fn p_value(p: f64) -> String {
    if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p:.3}") }
}

/// `0.97 times` or `+1.3 points`.
fn estimate(metric: &Metric, change: f64) -> String {
    match metric.measure {
        Measure::Ratio => format!("{} times", ratio(change)),
        Measure::Points => format!("{:+.1} points", tenths(change)),
    }
}

/// `0.97 times (0.90 to 1.04)`
fn change(metric: &Metric, change: f64, (low, high): (f64, f64)) -> String {
    let ends = match metric.measure {
        Measure::Ratio => format!("{} to {}", ratio(low), ratio(high)),
        Measure::Points => format!("{:+.1} to {:+.1}", tenths(low), tenths(high)),
    };
    format!("{} ({ends})", estimate(metric, change))
}

/// Rounded to tenths, without the sign of a zero.
fn tenths(points: f64) -> f64 {
    (10.0 * points).round() / 10.0 + 0.0
}

/// `2.1 to 2.4 times that with`
fn against(metric: &Metric, (low, high): (f64, f64)) -> String {
    match metric.measure {
        Measure::Ratio => format!("{} to {} times that with", ratio(low), ratio(high)),
        Measure::Points if low > 0.0 => format!("{low:.1} to {high:.1} points more than with"),
        Measure::Points => format!("{:.1} to {:.1} points less than with", -high, -low),
    }
}

fn better(metric: &Metric, change: f64) -> &'static str {
    let rises = match metric.measure {
        Measure::Ratio => change > 1.0,
        Measure::Points => change > 0.0,
    };
    if rises == (metric.direction == Direction::Higher) { "which is better" } else { "which is worse" }
}

/// Two digits below the point near 1, fewer further away.
fn ratio(value: f64) -> String {
    if (0.1..2.0).contains(&value) {
        format!("{value:.2}")
    } else if value < 0.1 {
        format!("{value:.3}")
    } else {
        format!("{value:.1}")
    }
}

/// For the middle of a sentence; abbreviations such as `P99` stay.
fn lower_first(label: &str) -> String {
    let mut chars = label.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() => first.to_lowercase().chain(chars).collect(),
        _ => label.to_owned(),
    }
}

/// Three significant digits, or all before the point.
fn three_digits(value: f64) -> String {
    let decimals = (2 - value.abs().max(1e-3).log10().floor() as i32).max(0) as usize;
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::{Companion, LevelPair};

    fn metric(measure: Measure) -> Metric {
        let text = |text: &str| text.to_owned();
        Metric {
            key: text("x"),
            label: text("total rate"),
            unit: text("1/s"),
            direction: Direction::Higher,
            measure,
        }
    }

    fn answer(p: f64, interval: Option<(f64, f64)>) -> Answer {
        let level = |name: &str| (name.to_owned(), name.to_owned());
        let pair = LevelPair {
            factor: "backend".into(),
            base: level("e1000"),
            new: level("vhost-net"),
            context: "4 guests".into(),
        };
        let change = interval.map_or(1.0, |(low, high)| (low + high) / 2.0);
        Answer {
            pair,
            metric: metric(Measure::Ratio),
            replication: Replication { blocks: 5, boots: 5 },
            change,
            interval,
            p,
            blocks_for_ten: Some(12),
        }
    }

    #[test]
    fn an_answer_reads_as_a_sentence() {
        assert_eq!(
            answer(0.001, Some((2.1, 2.4))).to_string(),
            "total rate with vhost-net at 4 guests: 2.1 to 2.4 times that with e1000, which is better (5 blocks)"
        );
        assert_eq!(
            answer(0.4, Some((0.9, 1.1))).to_string(),
            "total rate: no difference shown between vhost-net and e1000 at 4 guests (1.00 times (0.90 to 1.10); 5 blocks; to find 10 % takes about 12 blocks)"
        );
        let of_boots = |boots| {
            let replication = Replication { blocks: 5, boots };
            Answer { replication, ..answer(0.001, Some((2.1, 2.4))) }.to_string()
        };
        assert!(of_boots(1).ends_with("which is better (5 blocks within one boot)"), "{}", of_boots(1));
        assert!(of_boots(2).ends_with("which is better (5 blocks of 2 boots)"), "{}", of_boots(2));
        assert!(answer(1.0, None).to_string().ends_with("(5 blocks: too few to tell)"));
    }

    #[test]
    fn findings_read_as_sentences() {
        let text = |text: &str| text.to_owned();
        let found = |boots| Finding::PersistentLoss {
            configuration: text("a"),
            label: text("virtio, 8 guests"),
            losers: vec![(3, -0.124)],
            replication: Replication { blocks: 5, boots },
            p: 0.0002,
            with: vec![Companion { figure: "wait of vCPUs for a CPU", rises: true, p: 0.0123 }],
        };
        for (boots, times) in
            [(5, "in all 5 repeats"), (2, "in all 5 repeats of 2 boots"), (1, "in all 5 repeats of one boot")]
        {
            let start = "virtio, 8 guests: guest 3 gets 12.4 % less than the others";
            let with = "the less a guest gets, the higher its wait of vCPUs for a CPU (p = 0.012)";
            assert_eq!(found(boots).to_string(), format!("{start} {times} (p < 0.001); {with}"));
        }
    }
}
