//! The tables of a run as Python and R see them: pandas, DuckDB and R infer the types that `columns.csv` names, and join on
//! `configuration`. Exported files have the same types and values in every format, and the examples read them.

use std::path::{Path, PathBuf};
use std::process::Command;

use kvmfair::host::Environment;
use kvmfair::profile::{Configuration, Experiment, HostFacts, parse};
use kvmfair::results::{Results, RunDir};
use kvmfair::{backend, profile, raw};

#[allow(dead_code)] // shared with the unit tests of figures
#[path = "../src/figures/fixture.rs"]
mod fixture;

const PROFILE: &str = r#"
schema = 1
name = "dataframes"

[guest]
vcpus = 1
memory = "96 MiB"

[workload]
flows = 8
warmup = "2 s"
window = "10 s"
cooldown = "1 s"
interval = "500 ms"
repeats = 2

[sweep]
backend = ["virtio", "e1000"]
vms = [1, 2]
test = ["TCP_RR", "TCP_STREAM"]
"#;

/// A run of made-up trials, written as `bench` writes one: trial by trial, one of them failed and one invalid.
fn run(base: &Path) -> PathBuf {
    let facts = HostFacts { memory_mib: 65_536, cpus: 4 };
    let experiment = parse(PROFILE, Path::new("dataframes.toml"), facts).unwrap();
    let dir = RunDir::create(base, "dataframes", "20260102T030405Z").unwrap();
    let path = dir.path().to_owned();
    dir.write_json("experiment.json", &experiment).unwrap();
    let trials = trials(&experiment);
    let mut results = Results::create(dir, experiment, Environment::default(), raw::Accel::Tcg).unwrap();
    for trial in trials {
        results.add(trial).unwrap();
    }
    results.finish().unwrap();
    path
}

fn trials(experiment: &Experiment) -> Vec<raw::RawTrial> {
    let mut trials = Vec::new();
    for repeat in 1..=2 {
        for configuration in &experiment.configurations {
            let number = trials.len() as u32 + 1;
            let rate = 1000.0 + 7.0 * f64::from(number);
            let raw = match number {
                3 => failed(configuration.clone()),
                6 => fixture::wrong_driver(configuration.clone()),
                _ => fixture::trial(configuration.clone(), &[rate, 1.1 * rate]),
            };
            trials.push(fixture::numbered(raw, number, repeat));
        }
    }
    trials
}

/// A failed trial whose cause has every character that some format takes for more than a text.
fn failed(configuration: Configuration) -> raw::RawTrial {
    let mut trial = fixture::failed(configuration);
    if let Some(failure) = &mut trial.failure {
        failure.cause = r#"50 % of a_b & c#1, {x} $5 \input{x} ~ ^ | `y` [2pt]* "q" 'r' <s> – µs"#.into();
    }
    trial
}

/// The output of a program that must succeed.
#[track_caller]
fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("failed to start {command:?}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// A file of the checkout.
fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The Python that has what the scripts need.
fn python() -> Command {
    let path = output(&mut Command::new(file("tests/dataframes/environment.sh")));
    Command::new(path.trim())
}

/// Exports tables of a run, by default all that a format is for, into a directory of the format's name.
fn export(run: &Path, format: &str, tables: &[&str], base: &Path) -> PathBuf {
    let directory = base.join(format);
    std::fs::create_dir_all(&directory).unwrap(); // a single table would be a file of this name
    let mut command = Command::new(env!("CARGO_BIN_EXE_kvmfair"));
    command.args(["export", "--format", format, "--out"]).arg(&directory).arg(run);
    output(command.args(tables.iter().flat_map(|table| ["--table", table])));
    directory
}

#[test]
fn every_table_of_a_run_loads_with_its_types_and_joins_its_configurations() {
    let base = tempfile::tempdir().unwrap();
    let run = run(base.path());
    let tables = output(python().arg(file("tests/dataframes/load.py")).arg(&run));
    for table in ["trials: 16 rows", "summary: ", "flows: ", "timeline: ", "proofs: "] {
        assert!(tables.contains(table) && !tables.contains(&format!("{table}0 rows")), "{tables}");
    }
}

#[test]
fn exported_files_have_the_types_and_values_of_the_run_in_every_format() {
    let base = tempfile::tempdir().unwrap();
    let run = run(base.path());
    let exported = base.path().join("exported");
    std::fs::create_dir(&exported).unwrap();
    for format in kvmfair::table::FORMATS {
        export(&run, format.name, &[], &exported);
    }
    let tables = output(python().arg(file("tests/dataframes/exported.py")).args([&run, &exported]));
    for table in ["trials: 16 rows", "timeline: ", "openmetrics: ", "report_speed: 8 rows as LaTeX"] {
        assert!(tables.contains(table) && !tables.contains(&format!("{table}0 ")), "{tables}");
    }
    let scripts = ["tests/dataframes/load.R", "examples/export/read_table.R"].map(file);
    let in_r = output(Command::new("Rscript").arg(&scripts[0]).arg(exported.join("csv")).arg(&scripts[1]));
    assert!(in_r.contains("trials: 16 rows") && in_r.lines().count() == 11, "{in_r}");
}

#[test]
fn latex_typesets_every_table_whatever_text_is_in_it() {
    let base = tempfile::tempdir().unwrap();
    let run = run(base.path());
    let tables = export(&run, "latex", &[], base.path());
    export(&run, "latex", &["trials", "proofs", "configurations"], base.path());
    let mut names: Vec<String> = std::fs::read_dir(&tables)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(names.len() > 5 && names.contains(&"trials.tex".to_owned()), "{names:?}");
    let inputs: String = names.iter().map(|name| format!("\\input{{{name}}}\n\n")).collect();
    let document = format!(
        "\\documentclass{{article}}\n\\usepackage{{booktabs}}\n\\begin{{document}}\n{inputs}\\end{{document}}\n"
    );
    std::fs::write(tables.join("all.tex"), document).unwrap();
    let mut pdflatex = Command::new("pdflatex");
    pdflatex.args(["-interaction=nonstopmode", "-halt-on-error", "all.tex"]).current_dir(&tables);
    assert!(output(&mut pdflatex).contains("Output written on all.pdf"));
}

#[test]
fn the_examples_for_pandas_duckdb_and_r_print_the_same_guests() {
    let base = tempfile::tempdir().unwrap();
    let run = run(base.path());
    let parquet = export(&run, "parquet", &["guests"], base.path());
    let csv = export(&run, "csv", &["guests"], base.path());
    let example = |name: &str| file("examples/export").join(name);
    let in_pandas = output(python().arg(example("slowest_guest_pandas.py")).arg(&parquet));
    let query = "import duckdb, sys; print(duckdb.sql(open(sys.argv[1]).read()))";
    let sql = example("slowest_guest_duckdb.sql");
    let in_duckdb = output(python().current_dir(&parquet).args(["-c", query]).arg(sql));
    let in_r = output(Command::new("Rscript").arg(example("slowest_guest.R")).arg(&csv));
    for text in [in_pandas, in_duckdb, in_r] {
        assert!(text.contains("virtio") && text.contains("e1000") && text.contains("95.2"), "{text}");
    }
}
