//! A baseline: what a gate compares with, as JSON lines that are made to be committed. One line for each fact, configuration and
//! accepted change, in a stable order, so that a difference of two versions shows what changed.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Direction, Fingerprint, Measure, MeasuredValue, Metric};

/// Version of the format; a reader refuses what it does not know.
const FORMAT: u32 = 1;

/// A baseline.
#[derive(Clone, Debug, PartialEq)]
pub struct Baseline {
    /// Where it comes from.
    pub header: BaselineHeader,
    /// What its figures depend on.
    pub fingerprint: Fingerprint,
    /// Its configurations, in the order of the profile.
    pub configurations: Vec<Reference>,
    /// Known changes, in the order of configuration and metric.
    pub accepted: Vec<Acceptance>,
}

/// The first line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BaselineHeader {
    /// Version of the format.
    pub schema: u32,
    /// Name of the profile.
    pub profile: String,
    /// SHA-256 of the profile's text, hexadecimal.
    pub profile_sha256: String,
    /// Names of the runs.
    pub runs: Vec<String>,
}

impl BaselineHeader {
    /// In today's format.
    pub fn new(profile: String, profile_sha256: String, runs: Vec<String>) -> BaselineHeader {
        BaselineHeader { schema: FORMAT, profile, profile_sha256, runs }
    }
}

/// The trials of one configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// Short stable id of the configuration.
    pub configuration: String,
    /// For people: `virtio, 8 guests`.
    pub label: String,
    /// By column, as in the tables.
    pub metrics: BTreeMap<String, ReferenceValues>,
}

/// One metric of a configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReferenceValues {
    /// Unit of the values.
    pub unit: String,
    /// Which way is better.
    pub direction: Direction,
    /// How two values are compared.
    pub measure: Measure,
    /// Every valid trial: the id of its boot, and the value.
    pub trials: Vec<(String, f64)>,
}

/// A known change: from now on the trials of that run are what is compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Acceptance {
    /// Short stable id of the configuration.
    pub configuration: String,
    /// Column of the metric.
    pub metric: String,
    /// Why.
    pub reason: String,
    /// The last day on which it counts; unbounded if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Date>,
    /// The trials that were accepted: boot and value.
    pub trials: Vec<(String, f64)>,
}

/// One line of the file.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum BaselineLine {
    Baseline(BaselineHeader),
    Environment { name: String, value: serde_json::Value },
    Reference(Reference),
    Accepted(Acceptance),
}

/// A line that is not one of a baseline.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct DamagedLine {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

impl Baseline {
    /// Reads the text of a baseline.
    ///
    /// # Errors
    /// [`DamagedLine`] with the first line that cannot be read, or that is missing.
    pub fn parse(text: &str) -> Result<Baseline, DamagedLine> {
        let (mut header, mut fingerprint) = (None, Fingerprint::default());
        let (mut configurations, mut accepted) = (Vec::new(), Vec::new());
        for line in read_lines(text) {
            let (number, line) = line?;
            match line {
                BaselineLine::Baseline(found) if found.schema != FORMAT => {
                    let message =
                        format!("format {} is unknown to this version, which has {FORMAT}", found.schema);
                    return Err(DamagedLine { line: number, column: 1, message });
                }
                BaselineLine::Baseline(found) => header = Some(found),
                BaselineLine::Environment { name, value } => drop(fingerprint.facts.insert(name, value)),
                BaselineLine::Reference(found) => configurations.push(found),
                BaselineLine::Accepted(found) => accepted.push(found),
            }
        }
        let message = "not a baseline: it has no line of the type \"baseline\"".to_owned();
        let header = header.ok_or(DamagedLine { line: 1, column: 1, message })?;
        Ok(Baseline { header, fingerprint, configurations, accepted })
    }

    /// The text of the file.
    pub fn to_lines(&self) -> String {
        let fact = |(name, value): (&String, &serde_json::Value)| BaselineLine::Environment {
            name: name.clone(),
            value: value.clone(),
        };
        let mut accepted = self.accepted.clone();
        accepted.sort_by(|a, b| (&a.configuration, &a.metric).cmp(&(&b.configuration, &b.metric)));
        let lines = std::iter::once(BaselineLine::Baseline(self.header.clone()))
            .chain(self.fingerprint.facts.iter().map(fact))
            .chain(self.configurations.iter().cloned().map(BaselineLine::Reference))
            .chain(accepted.into_iter().map(BaselineLine::Accepted));
        lines.filter_map(|line| serde_json::to_string(&line).ok()).map(|line| line + "\n").collect()
    }

    /// The trials of a metric in a configuration that a gate compares with on a day: those of the run, or accepted ones.
    pub fn trials(&self, configuration: &str, metric: &str, today: Date) -> Option<&[(String, f64)]> {
        if let Some(accepted) = self.acceptance(configuration, metric, today) {
            return Some(&accepted.trials);
        }
        let own = self.configurations.iter().find(|own| own.configuration == configuration)?;
        own.metrics.get(metric).map(|values| values.trials.as_slice())
    }

    /// The accepted change that counts on a day.
    pub fn acceptance(&self, configuration: &str, metric: &str, today: Date) -> Option<&Acceptance> {
        self.accepted.iter().find(|own| {
            own.configuration == configuration
                && own.metric == metric
                && own.expires.is_none_or(|expires| today <= expires)
        })
    }

    /// Keeps an accepted change in place of an earlier one.
    pub fn accept(&mut self, accepted: Acceptance) {
        self.accepted
            .retain(|own| (&own.configuration, &own.metric) != (&accepted.configuration, &accepted.metric));
        self.accepted.push(accepted);
    }

    /// What it has of these metrics on a day, for a comparison.
    pub fn values(&self, metrics: &[Metric], today: Date) -> Vec<MeasuredValue> {
        let of_configuration = |own: &Reference| {
            let id = own.configuration.clone();
            let of_metric = |metric: &Metric| {
                let trials = self.trials(&id, &metric.key, today).unwrap_or_default();
                values(&id, &metric.key, trials)
            };
            metrics.iter().flat_map(of_metric).collect::<Vec<_>>()
        };
        self.configurations.iter().flat_map(of_configuration).collect()
    }
}

/// Trials with named boots as values with numbered ones.
fn values(configuration: &str, metric: &str, trials: &[(String, f64)]) -> Vec<MeasuredValue> {
    let numbers = boot_numbers(trials);
    let all = trials.iter().zip(numbers);
    all.map(|((_, value), boot)| MeasuredValue {
        configuration: configuration.to_owned(),
        metric: metric.to_owned(),
        block: boot,
        boot,
        value: *value,
    })
    .collect()
}

/// The number of each trial's boot, in the order of appearance.
fn boot_numbers<'t>(trials: &'t [(String, f64)]) -> Vec<u32> {
    let mut known: Vec<&'t str> = Vec::new();
    let number = |(boot, _): &'t (String, f64)| {
        let place = known.iter().position(|own| own == boot).unwrap_or_else(|| {
            known.push(boot);
            known.len() - 1
        });
        place as u32
    };
    trials.iter().map(number).collect()
}

/// The lines of a file of JSON lines, with their numbers; blank ones are left out.
pub(super) fn read_lines<T: serde::de::DeserializeOwned>(
    text: &str,
) -> impl Iterator<Item = Result<(usize, T), DamagedLine>> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(index, line)| {
        let damaged = |error: serde_json::Error| DamagedLine {
            line: index + 1,
            column: error.column().max(1),
            message: error.to_string().split(" at line ").next().unwrap_or_default().to_owned(),
        };
        serde_json::from_str(line).map(|parsed| (index + 1, parsed)).map_err(damaged)
    })
}

/// A value as it is kept: seven significant digits.
pub fn rounded(value: f64) -> f64 {
    format!("{value:.6e}").parse().unwrap_or(value)
}

/// One configuration with these rates, for tests.
#[cfg(test)]
pub(super) fn baseline_of_rates(rates: &[f64]) -> Baseline {
    let trials = rates.iter().enumerate().map(|(boot, rate)| (format!("r:{boot}"), *rate)).collect();
    let Metric { unit, direction, measure, key, .. } = super::input::rate();
    let metrics = BTreeMap::from([(key, ReferenceValues { unit, direction, measure, trials })]);
    let (configuration, label) = ("a".to_owned(), "virtio".to_owned());
    Baseline {
        header: BaselineHeader::new("p".into(), "00".into(), vec!["r".into()]),
        fingerprint: Fingerprint { facts: BTreeMap::from([("kernel".into(), "6.1".into())]) },
        configurations: vec![Reference { configuration, label, metrics }],
        accepted: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acceptance(expires: Option<&str>) -> Acceptance {
        Acceptance {
            configuration: "a".into(),
            metric: "total_rate_tps".into(),
            reason: "a known bug".into(),
            expires: expires.map(|date| date.parse().unwrap()),
            trials: vec![("s:1".into(), 90.0)],
        }
    }

    fn day(date: &str) -> Date {
        date.parse().unwrap()
    }

    #[test]
    fn a_baseline_survives_its_file_and_has_one_line_for_each_fact_and_configuration() {
        let mut all = baseline_of_rates(&[100.0, 101.0]);
        all.accept(acceptance(Some("2027-01-31")));
        let text = all.to_lines();
        assert_eq!(text.lines().count(), 4, "{text}");
        assert_eq!(Baseline::parse(&text).unwrap(), all);
        assert_eq!(Baseline::parse(&text).unwrap().to_lines(), text);
    }

    #[test]
    fn an_accepted_change_counts_until_it_expires() {
        let mut all = baseline_of_rates(&[100.0, 101.0]);
        all.accept(acceptance(Some("2027-01-31")));
        let first = |date| all.trials("a", "total_rate_tps", day(date)).unwrap()[0].1;
        assert_eq!((first("2027-01-31"), first("2027-02-01")), (90.0, 100.0));
    }

    #[test]
    fn a_change_that_is_accepted_again_replaces_the_earlier_one() {
        let mut all = baseline_of_rates(&[100.0]);
        all.accept(acceptance(Some("2027-01-31")));
        all.accept(acceptance(None));
        assert_eq!(all.accepted, [acceptance(None)]);
    }

    #[test]
    fn damaged_lines_are_named_by_line_and_column() {
        let mut text = baseline_of_rates(&[100.0]).to_lines();
        text.push_str("{\"type\":\"reference\",\"configuration\":7}\n");
        let error = Baseline::parse(&text).unwrap_err();
        assert_eq!(error.line, 4);
        let cut = "{\"type\":\"baseline\",\"schema\":1,";
        let error = Baseline::parse(cut).unwrap_err();
        assert_eq!((error.line, error.column), (1, cut.len()));
        assert!(Baseline::parse("").unwrap_err().message.contains("not a baseline"));
        let newer = baseline_of_rates(&[1.0]).to_lines().replace("\"schema\":1", "\"schema\":2");
        assert!(Baseline::parse(&newer).unwrap_err().message.contains("format 2 is unknown"));
    }

    #[test]
    fn trials_of_one_boot_stay_together() {
        let trials = [("r:1".to_owned(), 1.0), ("r:2".to_owned(), 2.0), ("r:1".to_owned(), 3.0)];
        assert_eq!(boot_numbers(&trials), [0, 1, 0]);
    }

    #[test]
    fn values_are_kept_with_seven_digits() {
        assert_eq!((rounded(12345.678912), rounded(0.0), rounded(-1.0 / 3.0)), (12345.68, 0.0, -0.3333333));
    }
}
