//! The tables that can be exported: those of the run's directory, those of the report, and one for monitoring.

use super::groups::groups;
use super::overview::overview;
use super::{Model, tables};
use crate::figures::Section;
use crate::table::{Purpose, Table};

/// The tables whose rows belong to single trials, in the order of [`tables::per_trial`], and `timeline`.
pub const OF_TRIALS: [&str; 8] =
    ["flows", "guests", "cpus", "interrupts", "exits", "groups", "proofs", "timeline"];

/// The tables that are made of all trials.
pub const OF_RUN: [&str; 4] = ["trials", "configurations", "summary", "columns"];

/// The table for monitoring: a row for each configuration, a column for each metric.
pub const METRICS: &str = "metrics";

/// The report's table of groups.
const GROUPS: &str = "report_groups";

/// The report's tables of one section each.
const SECTIONS: [(&str, Section); 6] = [
    ("report_fairness", Section::Fairness),
    ("report_over_time", Section::OverTime),
    ("report_weights", Section::Groups),
    ("report_interference", Section::Interference),
    ("report_speed", Section::Speed),
    ("report_cpu", Section::Cpu),
];

/// The names of all tables.
pub fn names() -> impl Iterator<Item = &'static str> {
    [Purpose::Analysis, Purpose::Reading, Purpose::Monitoring].into_iter().flat_map(defaults)
}

/// The tables that a format is for.
pub fn defaults(purpose: Purpose) -> Vec<&'static str> {
    match purpose {
        Purpose::Analysis => [&OF_TRIALS[..], &OF_RUN].concat(),
        Purpose::Reading => SECTIONS.iter().map(|(name, _)| *name).chain([GROUPS]).collect(),
        Purpose::Monitoring => vec![METRICS],
    }
}

/// A table that is made of all trials; `None` for one of single trials, and for a table of the report that this run has no figures for.
pub fn of_run(model: &Model, name: &str) -> Option<Table> {
    match name {
        "trials" => Some(tables::trials(model)),
        "configurations" => Some(tables::configurations(model)),
        "summary" => Some(tables::summary(model)),
        "columns" => Some(tables::columns(model)),
        METRICS => Some(tables::metrics_of_configurations(model)),
        GROUPS => named(GROUPS, groups(model, usize::MAX).0),
        _ => {
            let (name, section) = SECTIONS.iter().find(|(known, _)| *known == name)?;
            named(name, overview(model, &[*section]))
        }
    }
}

/// A table of the report; `None` without rows or figures.
fn named(name: &'static str, table: Table) -> Option<Table> {
    table.has_figures().then_some(Table { name, ..table })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn every_name_is_that_of_one_table_and_has_rows_in_a_run_of_groups() {
        let (experiment, provenance, trials) = fixture::grouped_run();
        let model = Model::new(&experiment, &provenance, &trials);
        let of_trials = tables::per_trial(&experiment, &provenance, &[]).into_iter().map(|table| table.name);
        let of_trials: Vec<&str> =
            of_trials.chain([tables::timeline(&experiment, &provenance, None).name]).collect();
        assert_eq!(of_trials, OF_TRIALS);
        for name in names().filter(|name| !OF_TRIALS.contains(name)) {
            let table = of_run(&model, name);
            assert!(table.is_none_or(|table| table.name == name && !table.rows.is_empty()), "{name}");
        }
        assert!(of_run(&model, GROUPS).is_some() && of_run(&model, "flows").is_none());
    }

    #[test]
    fn a_table_of_the_report_without_figures_is_left_out() {
        let (experiment, provenance, trials) = fixture::run();
        let model = Model::new(&experiment, &provenance, &trials);
        assert!(of_run(&model, "report_speed").is_some() && of_run(&model, GROUPS).is_none());
    }

    #[test]
    fn the_table_for_monitoring_has_a_row_for_each_configuration_with_its_means() {
        let (experiment, provenance, trials) = fixture::run();
        let model = Model::new(&experiment, &provenance, &trials);
        let text = of_run(&model, METRICS).unwrap().to_csv();
        let mut rows = ::csv::Reader::from_reader(text.as_bytes());
        let rows: Vec<std::collections::BTreeMap<String, String>> =
            rows.deserialize().map(Result::unwrap).collect();
        assert_eq!(rows.len(), experiment.configurations.len());
        assert_eq!((rows[0]["backend"].as_str(), rows[0]["accel"].as_str()), ("virtio", "tcg"));
        assert_eq!(
            rows[0]["total_rate_tps"].parse::<f64>().unwrap(),
            model.rows[0].get(crate::figures::Metric::TotalRate).unwrap().mean
        );
    }
}
