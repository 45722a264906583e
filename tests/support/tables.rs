//! The tables and raw samples of a run, as somebody else's program would read them.

use std::collections::BTreeMap;
use std::path::Path;

use kvmfair::raw::RawTrial;

/// One row: column -> text.
pub type Row = BTreeMap<String, String>;

/// All rows of a CSV file, each with the levels of its configuration.
pub fn rows(run: &Path, file: &str) -> Vec<Row> {
    let configurations = read(run, "configurations.csv");
    let with_levels = |mut row: Row| {
        let own = configurations.iter().find(|other| other["configuration"] == row["configuration"]);
        for (factor, level) in own.into_iter().flatten() {
            row.entry(factor.clone()).or_insert_with(|| level.clone());
        }
        row
    };
    read(run, file).into_iter().map(with_levels).collect()
}

fn read(run: &Path, file: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(run.join(file)).unwrap();
    reader.deserialize().map(|row| row.unwrap_or_else(|error| panic!("{file}: {error}"))).collect()
}

/// A number in a row.
#[track_caller]
pub fn number(row: &Row, column: &str) -> f64 {
    let text = row.get(column).unwrap_or_else(|| panic!("no column {column}"));
    text.parse().unwrap_or_else(|_| panic!("{column} is {text:?} in {row:?}"))
}

/// The raw samples of every trial.
pub fn raw_trials(run: &Path) -> Vec<RawTrial> {
    let mut paths = super::entries(&run.join("raw"));
    paths.sort();
    paths.retain(|path| path.is_file());
    paths.iter().map(|path| kvmfair::raw::decode(&std::fs::read(path).unwrap()).unwrap()).collect()
}
