//! What one picture is asked for: a metric, the factors on its axis and of its series, the levels that it shows; and why it cannot be
//! drawn.

use super::svg::DrawError;
use crate::factor::fault::{list, nearest};
use crate::figures::{Metric, SummaryRow};
use crate::profile::{Configuration, Factor};

/// One metric, drawn as somebody chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricChart {
    /// What is drawn.
    pub metric: Metric,
    /// The factor on the axis below; `None`: the number of guests, or the first factor with several levels.
    pub x: Option<Factor>,
    /// The factors that tell series apart; `None`: all that have several levels.
    pub series: Option<Vec<Factor>>,
    /// The levels that are shown; all of those factors that are not named.
    pub only: Vec<ShownLevels>,
    /// In place of the usual title.
    pub title: Option<String>,
    /// Below it.
    pub subtitle: Option<String>,
    /// What a reader is to notice.
    pub note: Option<String>,
    /// Whether equal distances are equal ratios.
    pub is_log: bool,
}

/// The levels of a factor that are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownLevels {
    /// The factor.
    pub factor: Factor,
    /// Its levels as they stand in tables.
    pub levels: Vec<String>,
}

/// Why a picture cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum MetricChartError {
    /// No metric has this name.
    #[error("unknown metric `{name}` (hint: {hint})")]
    UnknownMetric {
        /// As written.
        name: String,
        /// What to do.
        hint: String,
    },
    /// No factor has this name.
    #[error("unknown factor `{name}` (hint: {hint})")]
    UnknownFactor {
        /// As written.
        name: String,
        /// What to do.
        hint: String,
    },
    /// A condition without a factor or a level.
    #[error("a condition must be FACTOR=LEVEL, got `{0}` (hint: --where backend=virtio,vms=4)")]
    Condition(String),
    /// A level that no configuration has.
    #[error("no configuration has {} = {level} (hint: {hint})", factor.key())]
    UnknownLevel {
        /// Its factor.
        factor: Factor,
        /// As written.
        level: String,
        /// What to do.
        hint: String,
    },
    /// The conditions leave nothing.
    #[error("no configuration meets all conditions of --where (hint: leave one out)")]
    NothingLeft,
    /// The profile does not measure it.
    #[error("this profile cannot have `{0}` (hint: `kvmfair chart RUN list` prints what it has)")]
    Impossible(&'static str),
    /// No valid trial has a value.
    #[error(
        "`{0}` has no value in any valid trial that is chosen (hint: `kvmfair chart RUN list` prints what has one)"
    )]
    NoValue(&'static str),
    /// A point would have several values.
    #[error("{count} configurations fall on one point; they differ in {factors} (hint: {hint})")]
    SeveralOnOnePoint {
        /// How many.
        count: usize,
        /// The factors that are left over.
        factors: String,
        /// What to do.
        hint: String,
    },
    /// More than a reader can tell apart.
    #[error("{count} series are more than the {most} that one chart can hold (hint: {hint})")]
    TooMany {
        /// How many.
        count: usize,
        /// How many can be drawn.
        most: usize,
        /// What to do.
        hint: String,
    },
    /// Bars have no logarithmic scale.
    #[error(
        "bars begin at zero, which a logarithmic scale does not have (hint: choose a factor of numbers with --x, such as vms)"
    )]
    LogOfBars,
    /// Values that a logarithmic scale does not have.
    #[error(
        "a value of `{0}` is zero or less, which a logarithmic scale does not have (hint: --scale linear)"
    )]
    LogOfZero(&'static str),
    /// The texts leave no room for the plot.
    #[error(
        "{0} has no room for this chart (hint: --size with more height, fewer series, or --no-provenance)"
    )]
    NoRoom(String),
    /// plotters' failure.
    #[error(transparent)]
    Draw(#[from] DrawError),
}

/// The metric with this column.
///
/// # Errors
/// [`MetricChartError::UnknownMetric`], with the name that was probably meant.
pub fn metric_of_column(name: &str) -> Result<Metric, MetricChartError> {
    let found = Metric::ALL.into_iter().find(|metric| metric.column() == name);
    found.ok_or_else(|| {
        let hint = did_you_mean(name, Metric::ALL.into_iter().map(Metric::column));
        let hint = hint.unwrap_or_else(|| "`kvmfair chart RUN list` prints the metrics of a run".into());
        MetricChartError::UnknownMetric { name: name.to_owned(), hint }
    })
}

/// The factor with this key in a profile, or this column in tables.
///
/// # Errors
/// [`MetricChartError::UnknownFactor`], with the name that was probably meant.
pub fn factor_of_name(name: &str) -> Result<Factor, MetricChartError> {
    let found = Factor::ALL.into_iter().find(|factor| [factor.key(), factor.column()].contains(&name));
    found.ok_or_else(|| {
        let hint = did_you_mean(name, Factor::ALL.into_iter().map(Factor::key));
        let hint = hint.unwrap_or_else(|| "configurations.csv of a run has a column for each factor".into());
        MetricChartError::UnknownFactor { name: name.to_owned(), hint }
    })
}

fn did_you_mean<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<String> {
    nearest(name, known).map(|near| format!("did you mean `{near}`?"))
}

/// The conditions of `backend=virtio,vms=4`. Several of one factor mean any of their levels. A part without `=` belongs to the level
/// before it: `host_irq_affinity=0,2`.
///
/// # Errors
/// If a condition has no factor, or an unknown one.
pub fn conditions(texts: &[String]) -> Result<Vec<ShownLevels>, MetricChartError> {
    let mut shown: Vec<ShownLevels> = Vec::new();
    for text in texts {
        let mut parts: Vec<String> = Vec::new();
        for part in text.split(',') {
            match parts.last_mut().filter(|_| !part.contains('=')) {
                Some(before) => *before = format!("{before},{part}"),
                None => parts.push(part.to_owned()),
            }
        }
        for part in parts {
            let split =
                part.split_once('=').filter(|(factor, level)| !factor.is_empty() && !level.is_empty());
            let (factor, level) = split.ok_or_else(|| MetricChartError::Condition(part.clone()))?;
            let factor = factor_of_name(factor.trim())?;
            let level = level.trim().to_owned();
            match shown.iter_mut().find(|one| one.factor == factor) {
                Some(one) => one.levels.push(level),
                None => shown.push(ShownLevels { factor, levels: vec![level] }),
            }
        }
    }
    Ok(shown)
}

impl MetricChart {
    /// Whether a row is among those that are shown. Bare metal beside guests has none of their levels, and is shown with all.
    pub(super) fn shows(&self, row: &SummaryRow) -> bool {
        let is_shown = |one: &ShownLevels| {
            let is_reference = row.configuration.vms == 0 && is_of_guests(one.factor);
            is_reference || one.levels.contains(&row.configuration.level(one.factor))
        };
        self.metric.applies(row.configuration.test) && self.only.iter().all(is_shown)
    }

    /// That every level asked for is one of these configurations.
    pub(super) fn check_levels(&self, configurations: &[&Configuration]) -> Result<(), MetricChartError> {
        for ShownLevels { factor, levels } in &self.only {
            let mut known: Vec<String> = Vec::new();
            for level in configurations.iter().map(|one| one.level(*factor)) {
                if !known.contains(&level) {
                    known.push(level);
                }
            }
            if let Some(level) = levels.iter().find(|level| !known.contains(level)) {
                let names: Vec<&str> = known.iter().map(String::as_str).collect();
                let words = names.iter().copied().filter(|name| name.parse::<f64>().is_err());
                let hint = did_you_mean(level, words);
                let hint = hint.unwrap_or_else(|| format!("the run has {}", list(&names)));
                return Err(MetricChartError::UnknownLevel { factor: *factor, level: level.clone(), hint });
            }
        }
        Ok(())
    }
}

/// Whether bare metal is the same for all levels of a factor.
pub(super) fn is_of_guests(factor: Factor) -> bool {
    factor == Factor::Vms || factor.is_of_guests()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(texts: &[&str]) -> Result<Vec<(Factor, Vec<String>)>, String> {
        let texts: Vec<String> = texts.iter().map(ToString::to_string).collect();
        let shown = conditions(&texts).map_err(|error| error.to_string())?;
        Ok(shown.into_iter().map(|one| (one.factor, one.levels)).collect())
    }

    #[test]
    fn conditions_of_one_factor_are_alternatives() {
        let levels = |levels: &[&str]| levels.iter().map(ToString::to_string).collect::<Vec<_>>();
        let both = [(Factor::Backend, levels(&["virtio"])), (Factor::Vms, levels(&["2", "4"]))];
        assert_eq!(parsed(&["backend=virtio,vms=2,vms=4"]).unwrap(), both);
        assert_eq!(parsed(&["backend=virtio", "vms=2", "vms=4"]).unwrap(), both);
        assert_eq!(parsed(&["host_irq_affinity=0,2"]).unwrap(), [(Factor::HostIrq, levels(&["0,2"]))]);
    }

    #[test]
    fn names_that_are_unknown_are_answered_with_the_one_that_was_meant() {
        assert_eq!(parsed(&["vcpu=2"]).unwrap_err(), "unknown factor `vcpu` (hint: did you mean `vcpus`?)");
        assert!(parsed(&["virtio"]).unwrap_err().contains("must be FACTOR=LEVEL, got `virtio`"));
        let error = |name| metric_of_column(name).unwrap_err().to_string();
        assert!(error("total_rate_tp").contains("did you mean `total_rate_tps`?"));
        assert!(error("speed").contains("kvmfair chart RUN list"));
    }

    #[test]
    fn a_factor_is_named_by_its_key_or_its_column() {
        assert_eq!(
            [factor_of_name("memory").unwrap(), factor_of_name("memory_mib").unwrap()],
            [Factor::Memory; 2]
        );
    }
}
