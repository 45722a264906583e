//! What a gate decided: for the terminal, as Markdown for a job's summary, for JSON, as annotations of GitHub.

use schemars::JsonSchema;
use serde::Serialize;

use super::comparison::ComparisonRow;
use super::terminal::Terminal;
use crate::answers::{Acceptance, Comparison, FactDifference, GateOutcome, Measure, Verdict, VisibleChange};
use crate::table::{Table, markdown_line as line, plain};

const COLUMNS: [&str; 6] =
    ["configuration", "metric", "baseline", "now", "change (95 % interval)", "verdict"];
/// GitHub shows at most ten annotations of a kind in one step.
const MOST_ANNOTATIONS: usize = 10;
/// A job's summary may have 1 MiB; rows beyond this are counted.
const MOST_MARKDOWN_BYTES: usize = 900_000;

/// A gate that has ended.
#[derive(Clone, Debug)]
pub struct GateReport {
    /// The profile, as the user named it.
    pub profile: String,
    /// The baseline, the same.
    pub baseline: String,
    /// The runs that were judged.
    pub runs: Vec<String>,
    /// Blocks that were measured.
    pub blocks: usize,
    /// What the gate can see, by metric.
    pub power: Vec<VisibleChange>,
    /// What differs from the baseline and was allowed.
    pub allowed: Vec<FactDifference>,
    /// Every comparison, with its configuration in words.
    pub judged: Vec<Judged>,
    /// Trials that were not measured, in words.
    pub problems: Vec<String>,
    /// How it ended.
    pub outcome: GateOutcome,
}

/// A comparison with its configuration in words, and the accepted change that it is made with.
#[derive(Clone, Debug)]
pub struct Judged {
    /// `virtio, 8 guests`.
    pub label: String,
    /// The comparison with its verdict.
    pub comparison: Comparison,
    /// A known change in place of the baseline's own trials.
    pub accepted: Option<Acceptance>,
}

impl Judged {
    fn row(&self) -> [String; COLUMNS.len()] {
        let one = &self.comparison;
        let known = if self.accepted.is_some() { " (accepted level)" } else { "" };
        [
            self.label.clone(),
            self.metric(),
            format!("{}{known}", plain(one.base.mean)),
            plain(one.new.mean),
            one.change_in_words(),
            one.verdict.word().to_owned(),
        ]
    }

    /// `P99 latency, µs`
    pub(super) fn metric(&self) -> String {
        let metric = &self.comparison.metric;
        if metric.unit.is_empty() {
            metric.label.clone()
        } else {
            format!("{}, {}", metric.label, metric.unit)
        }
    }

    /// `virtio, 8 guests: Total rate: 0.80 times (0.78 to 0.82): worse (15 and 5 boots)`
    pub(super) fn sentence(&self) -> String {
        format!("{}: {}", self.label, self.comparison)
    }
}

/// A gate, as a line of JSON; the comparisons follow.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct GateSummary {
    /// How it ended.
    outcome: GateOutcome,
    /// The profile.
    profile: String,
    /// The baseline.
    baseline: String,
    /// Directories of the runs that were judged.
    runs: Vec<String>,
    /// Blocks that were measured.
    blocks: usize,
    /// What the gate can see, by metric.
    power: Vec<VisibleChangeRow>,
    /// Differences that were allowed, accepted changes and trials that were not measured, in words.
    notes: Vec<String>,
}

/// What a gate can see of a metric in the configuration in which it sees least.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct VisibleChangeRow {
    /// Column of the figure.
    metric: String,
    /// Id of the configuration.
    configuration: String,
    /// Smallest worsening that is found in 90 %: per cent for ratios, else in the metric's unit.
    smallest: f64,
    /// Smallest worsening that matters, in the same unit.
    threshold: f64,
    /// Blocks on each side that would see it; null: more than 200.
    blocks_for_threshold: Option<usize>,
}

/// What a gate can see, printed before it measures.
pub fn power(changes: &[VisibleChange]) -> String {
    let sentence = |one: &VisibleChange| {
        let amount = |amount: f64| match one.metric.measure {
            Measure::Ratio => format!("{amount:.1} %"),
            Measure::Points => format!("{amount:.2} {}", one.metric.unit).trim_end().to_owned(),
        };
        let label = &one.metric.label;
        let seen = format!("{label}: the smallest change this gate can see is {}", amount(one.smallest));
        if !one.is_blind_to_threshold {
            return seen + "\n";
        }
        let threshold = amount(one.threshold);
        match one.blocks_for_threshold {
            Some(blocks) => format!("{seen}; for {threshold} it takes {blocks} blocks on each side\n"),
            None => format!("{seen}; for {threshold} it takes more than 200 blocks on each side\n"),
        }
    };
    match changes {
        [] => "the smallest change this gate can see is unknown: no configuration has two boots in the baseline\n"
            .to_owned(),
        changes => changes.iter().map(sentence).collect(),
    }
}

impl GateReport {
    /// The verdict in one line.
    pub fn conclusion(&self) -> String {
        let count = |verdict| self.judged.iter().filter(|one| one.comparison.verdict == verdict).count();
        let all = self.judged.len();
        let counts = [Verdict::Worse, Verdict::Inconclusive, Verdict::Better, Verdict::Same]
            .map(|verdict| (count(verdict), verdict.word()));
        let counts = counts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}"));
        let outcome = match self.outcome {
            GateOutcome::Pass => "pass",
            GateOutcome::Worse => "worse",
            GateOutcome::Inconclusive => "inconclusive",
        };
        let blocks = if self.blocks == 1 { "1 block".to_owned() } else { format!("{} blocks", self.blocks) };
        format!(
            "gate: {outcome} after {blocks}: of {all} comparisons {}",
            counts.collect::<Vec<_>>().join(", ")
        )
    }

    /// From the worst to the best.
    fn by_verdict(&self) -> Vec<&Judged> {
        let rank = |one: &&Judged| match one.comparison.verdict {
            Verdict::Worse => 0,
            Verdict::Inconclusive => 1,
            Verdict::Better => 2,
            Verdict::Same => 3,
        };
        let mut all: Vec<&Judged> = self.judged.iter().collect();
        all.sort_by_key(rank);
        all
    }

    fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = self.allowed.iter().map(|fact| format!("Allowed: {fact}.")).collect();
        let accepted = self.judged.iter().filter_map(|one| Some((one, one.accepted.as_ref()?)));
        notes.extend(accepted.map(|(one, accepted)| {
            let until = accepted.expires.map_or(String::new(), |date| format!(" until {date}"));
            format!("Accepted{until}: {} of {}: {}.", one.comparison.metric.key, one.label, accepted.reason)
        }));
        notes.extend(self.problems.iter().cloned());
        notes
    }

    /// For a terminal: the table, the notes, and the verdict as the last line.
    pub fn to_terminal(&self, terminal: Terminal) -> String {
        let rows: Vec<_> = self.by_verdict().into_iter().map(Judged::row).collect();
        let table = if rows.is_empty() {
            String::new()
        } else {
            Table::from_words("gate", &COLUMNS, rows).to_terminal(terminal)
        };
        let notes: String = self.notes().iter().map(|note| format!("{note}\n")).collect();
        format!("{table}{notes}{}\n", self.conclusion())
    }

    /// As Markdown, smaller than 1 MiB.
    pub fn to_markdown(&self) -> String {
        let mut text = format!("# {}\n\n", self.conclusion());
        text += &format!("{} against {}\n\n", self.runs.join(", "), self.baseline);
        text += &(line(COLUMNS) + &line(["---", "---", "---:", "---:", "---:", "---"]));
        let all = self.by_verdict();
        let rows = all.iter().map(|one| line(one.row()));
        let mut shown = 0;
        for row in rows {
            if text.len() + row.len() > MOST_MARKDOWN_BYTES {
                break;
            }
            text += &row;
            shown += 1;
        }
        if shown < all.len() {
            text += &format!("\n{} more comparisons are left out.\n", all.len() - shown);
        }
        text.push('\n');
        let rest = power(&self.power).lines().map(|line| format!("- {line}\n")).collect::<String>();
        let notes: String = self.notes().iter().take(1000).map(|note| format!("- {note}\n")).collect();
        text + &rest + &notes
    }

    /// The gate as a line of JSON.
    pub fn summary(&self) -> GateSummary {
        let seen = |one: &VisibleChange| VisibleChangeRow {
            metric: one.metric.key.clone(),
            configuration: one.configuration.clone(),
            smallest: one.smallest,
            threshold: one.threshold,
            blocks_for_threshold: one.blocks_for_threshold,
        };
        GateSummary {
            outcome: self.outcome,
            profile: self.profile.clone(),
            baseline: self.baseline.clone(),
            runs: self.runs.clone(),
            blocks: self.blocks,
            power: self.power.iter().map(seen).collect(),
            notes: self.notes(),
        }
    }

    /// One row for each configuration and metric.
    pub fn json_rows(&self) -> Vec<ComparisonRow> {
        let runs = self.runs.join(", ");
        let row =
            |one: &Judged| ComparisonRow::new(&self.baseline, &runs, one.label.clone(), &one.comparison);
        self.judged.iter().map(row).collect()
    }

    /// Workflow commands of GitHub: at most ten, worse ones first, at the lines of the profile that they are about.
    pub fn to_github(&self, profile_text: &str) -> String {
        let of_interest =
            |one: &&&Judged| matches!(one.comparison.verdict, Verdict::Worse | Verdict::Inconclusive);
        let all = self.by_verdict();
        let annotation = |one: &&Judged| {
            let is_worse = one.comparison.verdict == Verdict::Worse;
            let level = if is_worse { "error" } else { "warning" };
            let line = line_of(profile_text, &one.comparison.metric.key);
            let (file, title) = (
                property(&self.profile),
                property(&format!("kvmfair gate: {}", one.comparison.verdict.word())),
            );
            format!("::{level} file={file},line={line},title={title}::{}\n", escaped(&one.sentence()))
        };
        all.iter().filter(of_interest).take(MOST_ANNOTATIONS).map(annotation).collect()
    }
}

/// The line of a profile that a metric is declared in, or that of `[gate]`, or the first; from 1.
fn line_of(text: &str, column: &str) -> usize {
    let place = |wanted: &str| text.lines().position(|line| line.contains(wanted));
    place(&format!("\"{column}")).or_else(|| place("[gate]")).unwrap_or(0) + 1
}

/// Text of a workflow command.
fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of one.
fn property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::gate_fixture::report;

    #[test]
    fn the_last_line_of_a_terminal_is_the_verdict_and_what_is_worse_comes_first() {
        let text = report(1).to_terminal(Terminal { width: 160, colour: false });
        let last = text.lines().last().unwrap();
        assert_eq!(last, "gate: worse after 6 blocks: of 3 comparisons 1 worse, 1 inconclusive, 1 same");
        let place = |word: &str| text.find(word).unwrap();
        assert!(place("<worse-0>") < place("<noisy>") && place("<noisy>") < place("<same>"), "{text}");
    }

    #[test]
    fn annotations_are_at_most_ten_and_point_at_the_line_of_their_metric() {
        let profile = "schema = 1\n[gate]\nmetrics = [\"total_rate_tps 3 %\"]\n";
        let text = report(20).to_github(profile);
        assert_eq!(text.lines().count(), 10);
        let first = text.lines().next().unwrap();
        assert!(
            first.starts_with("::error file=lab%2C my.toml,line=3,title=kvmfair gate%3A worse::"),
            "{first}"
        );
        assert!(first.contains("(95") || first.contains("0.80 times"), "{first}");
        let without = report(0).to_github("schema = 1\n");
        assert!(without.starts_with("::warning file=lab%2C my.toml,line=1,"), "{without}");
    }

    #[test]
    fn markdown_stays_below_one_mebibyte_and_counts_what_it_leaves_out() {
        let mut report = report(1);
        let one = report.judged[0].clone();
        report.judged = vec![one; 20_000];
        let text = report.to_markdown();
        assert!(text.len() < 1 << 20 && text.contains("more comparisons are left out"), "{}", text.len());
        assert!(text.starts_with("# gate: worse after 6 blocks"));
    }

    #[test]
    fn json_has_a_row_for_each_comparison() {
        let report = report(1);
        assert_eq!(report.json_rows().len(), 3);
        assert_eq!(serde_json::to_value(report.summary()).unwrap()["outcome"], "worse");
    }
}
