//! A run's tables for other programs, piece by piece: those of single trials are made of the raw data of one trial after the other, so
//! that a run of any size can be exported. Nothing is written to the run's directory.

use anyhow::Result;

use super::admission::{self, ReadTrial, TrialReader};
use super::kept::{Keeper, headers};
use super::{Results, RunDir, RunDirError};
use crate::figures::TrialFigures;
use crate::plan::Plan;
use crate::raw::RawTrial;
use crate::report::exported;
use crate::table::Table;

/// A run that is to be exported.
pub struct Export {
    results: Results,
    plan: Option<Plan>,
}

impl Export {
    /// Opens a run, finished or not.
    ///
    /// # Errors
    /// [`RunDirError`] if something in its directory is missing or of another version.
    pub fn open(dir: RunDir) -> Result<Export, RunDirError> {
        let (results, plan) = Results::open(dir)?;
        Ok(Export { results, plan: plan.plan })
    }

    /// The results, without trials.
    pub fn results(&self) -> &Results {
        &self.results
    }

    /// Calls `then` with the tables of these names: with each that is made of all trials as a whole, with one of single trials piece by
    /// piece, the first of which has no rows. Tables of the report that this run has no figures for are left out.
    ///
    /// # Errors
    /// If the run cannot be read; those of `then`.
    pub fn pieces(mut self, wanted: &[&str], mut then: impl FnMut(&Table) -> Result<()>) -> Result<()> {
        let Results { dir, experiment, provenance, .. } = &self.results;
        let (dir, experiment, provenance) = (dir.clone(), experiment.clone(), provenance.clone());
        let keeper = Keeper::new(&dir, &experiment, &provenance).for_reading();
        let heads =
            headers(&experiment, &provenance).into_iter().filter(|table| wanted.contains(&table.name));
        let heads: Vec<Table> = heads.collect();
        heads.iter().try_for_each(&mut then)?;
        let plan = self.plan.take();
        let results = &mut self.results;
        if heads.is_empty() {
            admission::read(&dir, &keeper, plan.as_ref(), |trial| {
                results.put(trial.figures);
                anyhow::Ok(())
            })?;
        } else {
            admission::read(&dir, &Typed { keeper, wanted }, plan.as_ref(), |trial| {
                trial.rows.iter().try_for_each(&mut then)?;
                results.put(trial.figures);
                anyhow::Ok(())
            })?;
        }
        results.find_accel();
        let model = results.model();
        let mut tables = wanted.iter().filter_map(|name| exported::of_run(&model, name));
        tables.try_for_each(|table| then(&table))
    }
}

/// Reads the tables of each trial from its raw data.
struct Typed<'r> {
    keeper: Keeper<'r>,
    wanted: &'r [&'r str],
}

impl Typed<'_> {
    fn tables(&self, figures: &TrialFigures, raw: Option<&RawTrial>) -> Vec<Table> {
        let course = raw.filter(|_| self.wanted.contains(&"timeline"));
        let mut tables = self.keeper.tables(figures, course);
        tables.retain(|table| !table.rows.is_empty() && self.wanted.contains(&table.name));
        tables
    }
}

impl TrialReader for Typed<'_> {
    type Rows = Vec<Table>;

    fn trial(&self, name: &str) -> Result<ReadTrial<Vec<Table>>, RunDirError> {
        let (raw, mut figures) = self.keeper.measured(name)?;
        let rows = self.tables(&figures, Some(&raw));
        figures.drop_details();
        Ok(ReadTrial { figures, rows })
    }

    fn excluded(&self, figures: &TrialFigures) -> Vec<Table> {
        self.tables(figures, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::fixture;
    use crate::host::Environment;
    use crate::report::fixture as report_fixture;
    use crate::table::Cell;

    /// A run of two trials far apart in the plan; its tables of these names, each with its rows.
    fn exported(wanted: &[&str]) -> Vec<Table> {
        let base = tempfile::tempdir().unwrap();
        let dir = RunDir::create(base.path(), "p", "t").unwrap();
        dir.write_json("experiment.json", &report_fixture::run().0).unwrap();
        dir.write_json("environment.json", &Environment::default()).unwrap();
        for number in [1, 999] {
            let raw = fixture::trial(fixture::configuration("virtio", 2), &[900.0, 1100.0]);
            dir.write_trial(&fixture::numbered(raw, number, 1)).unwrap();
        }
        let mut tables: Vec<Table> = Vec::new();
        let add = |piece: &Table| {
            match tables.iter_mut().find(|table| table.name == piece.name) {
                Some(table) => table.rows.extend(piece.rows.clone()),
                None => tables.push(piece.clone()),
            }
            Ok(())
        };
        Export::open(dir.clone()).unwrap().pieces(wanted, add).unwrap();
        let written: Vec<_> = std::fs::read_dir(dir.path()).unwrap().collect();
        assert_eq!(written.len(), 3, "{written:?}");
        tables
    }

    #[test]
    fn the_course_of_every_trial_is_exported_however_late_it_is_in_the_plan() {
        let tables = exported(&["timeline", "trials"]);
        assert_eq!(tables.iter().map(|table| table.name).collect::<Vec<_>>(), ["timeline", "trials"]);
        let trial = tables[0].columns.iter().position(|column| column.name == "trial").unwrap();
        let of_trial =
            |number| tables[0].rows.iter().filter(|row| row[trial] == Cell::Integer(number)).count();
        assert!(of_trial(1) > 100 && of_trial(1) == of_trial(999), "{}", of_trial(999));
    }

    #[test]
    fn a_table_of_all_trials_is_the_same_with_and_without_tables_of_single_trials() {
        let [alone, beside] = [&["summary"][..], &["flows", "summary"]].map(exported);
        assert_eq!((alone.len(), beside.len(), &beside[0].rows.len()), (1, 2, &16));
        let text = |table: &Table| table.to_csv_rows();
        assert_eq!(text(&alone[0]), text(&beside[1]));
    }
}
