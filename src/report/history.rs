//! A history for a terminal and for JSON: levels of each figure over the runs, changes, odd runs and bands.

use schemars::JsonSchema;
use serde::Serialize;

use super::terminal::Terminal;
use crate::answers::{HistoryEntry, LevelChange, MetricHistory};
use crate::table::{Table, plain};

const COLUMNS: [&str; 6] = ["configuration", "metric", "runs", "newest", "level", "changes"];
/// Facts that are named at one change.
const MOST_FACTS: usize = 5;

/// A table with a row for each figure, then a sentence for each change and for each pair of bands.
pub fn to_terminal(history: &[HistoryEntry], courses: &[MetricHistory], terminal: Terminal) -> String {
    let row = |course: &MetricHistory| {
        let number = |value: Option<&f64>| value.map_or("–".to_owned(), |value| plain(*value));
        [
            course.label.clone(),
            course.metric.label.clone(),
            course.runs.len().to_string(),
            number(course.values.last()),
            number(course.levels.last()),
            course.changes.len().to_string(),
        ]
    };
    let table = Table::from_words("history", &COLUMNS, courses.iter().map(row)).to_terminal(terminal);
    let sentences: String = courses.iter().flat_map(|course| sentences(history, course)).collect();
    format!("{table}{sentences}")
}

/// What happened to one figure: a line for each change, for its odd runs, and for two bands.
pub fn sentences(history: &[HistoryEntry], course: &MetricHistory) -> Vec<String> {
    let subject = format!("{}: {}", course.label, course.metric.label);
    let run = |at: usize| history[course.runs[at]].run.as_str();
    let change = |change: &LevelChange| {
        let kind = if change.is_worse { "worse" } else { "better" };
        let state = if change.is_provisional { "provisional" } else { "confirmed" };
        let facts: Vec<String> =
            change.environment.iter().take(MOST_FACTS).map(ToString::to_string).collect();
        let rest = change.environment.len().saturating_sub(MOST_FACTS);
        let more = if rest > 0 { format!("; and {rest} more facts") } else { String::new() };
        let facts = match facts.is_empty() {
            true => "the environment did not change".to_owned(),
            false => facts.join("; ") + &more,
        };
        let words = course.change_in_words(change);
        format!("{subject}: {words} from {} on: {kind}, {state} ({facts})\n", run(change.at))
    };
    let mut all: Vec<String> = course.changes.iter().map(change).collect();
    if !course.odd.is_empty() {
        let runs: Vec<&str> = course.odd.iter().map(|at| run(*at)).collect();
        all.push(format!("{subject}: odd runs, which move no level: {}\n", runs.join(", ")));
    }
    if let Some((low, high)) = course.bands {
        let (low, high) = (plain(low), plain(high));
        all.push(format!(
            "{subject}: two bands, {low} and {high} {}: something that is not in the profile decides between them\n",
            course.metric.unit
        ));
    }
    all
}

/// One figure of one configuration over the runs, as a line of JSON.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct HistoryRow {
    /// Id of the configuration.
    configuration: String,
    /// The configuration in words.
    label: String,
    /// Column of the figure.
    metric: String,
    /// Its unit.
    unit: String,
    /// Names of the runs that have it, oldest first.
    runs: Vec<String>,
    /// Its value in each run.
    values: Vec<f64>,
    /// Level of each run's segment; empty for fewer than six runs.
    levels: Vec<f64>,
    /// Where the level moved.
    changes: Vec<LevelChangeRow>,
    /// Runs that are odd in their segment.
    odd: Vec<String>,
    /// Two levels between which the runs of the newest segment jump; null if they do not.
    bands: Option<(f64, f64)>,
}

/// A level that moved.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LevelChangeRow {
    /// The first run of the new level.
    run: String,
    /// Level before.
    before: f64,
    /// Level after.
    after: f64,
    /// Whether the next runs may take it back.
    is_provisional: bool,
    /// Whether the new level is worse.
    is_worse: bool,
    /// What changed in the environment there, in words.
    environment: Vec<String>,
}

/// One row for each figure.
pub fn json_rows(history: &[HistoryEntry], courses: &[MetricHistory]) -> Vec<HistoryRow> {
    let row = |course: &MetricHistory| {
        let name = |at: usize| history[course.runs[at]].run.clone();
        let change = |change: &LevelChange| LevelChangeRow {
            run: name(change.at),
            before: change.before,
            after: change.after,
            is_provisional: change.is_provisional,
            is_worse: change.is_worse,
            environment: change.environment.iter().map(ToString::to_string).collect(),
        };
        HistoryRow {
            configuration: course.configuration.clone(),
            label: course.label.clone(),
            metric: course.metric.key.clone(),
            unit: course.metric.unit.clone(),
            runs: (0..course.runs.len()).map(name).collect(),
            values: course.values.clone(),
            levels: course.levels.clone(),
            changes: course.changes.iter().map(change).collect(),
            odd: course.odd.iter().map(|at| name(*at)).collect(),
            bands: course.bands,
        }
    };
    courses.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::{courses, history_of_levels, metrics_of_history};

    #[test]
    fn a_change_is_a_sentence_with_its_run_and_what_changed_there() {
        let history = history_of_levels(&[(12, 1000.0), (6, 900.0)], 12);
        let courses = courses(&history, &metrics_of_history(&history));
        let text = to_terminal(&history, &courses, Terminal { width: 120, colour: false });
        let last = text.lines().last().unwrap();
        let expected = "virtio: Total rate: 0.90 times from run-12 on: worse, confirmed (kernel was \"6.1\" and is \"6.12\")";
        assert_eq!(last, expected);
        assert_eq!(json_rows(&history, &courses)[0].changes[0].run, "run-12");
    }
}
