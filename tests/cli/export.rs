//! `kvmfair export` of finished runs: every format, and where files go. `tests/dataframes.rs` reads the files as other programs do.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::finished::{QUIET, SMALL};
use crate::support::json::{json_lines, of_type};
use crate::support::{Sandbox, entries, name};

/// A place with a finished run that has no tables yet.
fn finished() -> (Sandbox, String) {
    let place = Sandbox::new();
    let profile = place.profile("small", SMALL);
    let run = QUIET.write(Path::new(&profile), &place.out());
    (place, run.to_str().unwrap().to_owned())
}

/// A file or directory that an export wrote.
fn written(place: &Sandbox, path: &str) -> PathBuf {
    place.out().with_file_name(path)
}

/// What a directory holds, by its path.
fn content(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for path in entries(directory) {
        if path.is_dir() {
            found.extend(content(&path));
        } else {
            found.insert(path.clone(), fs::read(path).unwrap());
        }
    }
    found
}

/// Standard output of an export that succeeds.
#[track_caller]
fn export(place: &Sandbox, arguments: &[&str]) -> String {
    let output = place.kvmfair(&[&["export"], arguments].concat());
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_format_is_written_beside_the_run_which_stays_as_it_was() {
    let (place, run) = finished();
    let before = content(Path::new(&run));
    let tables = [
        ("csv", "flows.csv", 12),
        ("jsonl", "timeline.jsonl", 12),
        ("parquet", "summary.parquet", 12),
        ("openmetrics", "metrics.prom", 1),
        ("latex", "report_speed.tex", 4),
        ("markdown", "report_fairness.md", 4),
    ];
    for (format, file, count) in tables {
        let printed = export(&place, &["--format", format, &run]);
        let directory = written(&place, "before-t-export");
        let files: Vec<String> = entries(&directory).iter().map(|path| name(path)).collect();
        assert_eq!((files.len(), printed.lines().count()), (count, count), "{format}: {files:?}");
        assert!(files.contains(&file.to_owned()) && printed.contains(&format!("before-t-export/{file}: ")));
        fs::remove_dir_all(directory).unwrap();
    }
    assert_eq!(content(Path::new(&run)), before);
}

#[test]
fn exported_csv_is_what_report_writes() {
    let (place, run) = finished();
    export(&place, &["--out", "tables", &run]);
    assert!(place.kvmfair(&["report", &run]).status.success());
    for path in entries(&written(&place, "tables")) {
        let own = Path::new(&run).join(name(&path));
        assert_eq!(fs::read_to_string(&path).unwrap(), fs::read_to_string(own).unwrap(), "{path:?}");
    }
    let again = export(&place, &["--table", "summary", "--out", "-", &run]);
    assert_eq!(again, fs::read_to_string(Path::new(&run).join("summary.csv")).unwrap());
}

#[test]
fn one_table_goes_to_a_file_whose_ending_names_the_format_or_to_standard_output() {
    let (place, run) = finished();
    export(&place, &["--table", "flows", "--out", "flows.parquet", &run]);
    assert!(fs::read(written(&place, "flows.parquet")).unwrap().starts_with(b"PAR1"));
    export(&place, &["--format", "openmetrics", "--out", "lab.prom", &run]);
    assert!(fs::read_to_string(written(&place, "lab.prom")).unwrap().ends_with("# EOF\n"));
    export(&place, &["--table", "flows", "--out", "new/", &run]);
    assert!(written(&place, "new/flows.csv").exists());
    let text = export(&place, &["--table", "report_speed", "--format", "latex", "--out", "-", &run]);
    assert!(text.contains("\\begin{tabular}{"), "{text}");
    let piped =
        format!("{{ kvmfair export --table timeline --out - {run}; echo ended with $? >&2; }} | head -n 1");
    let output = place.shell(&piped).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(errors, "ended with 0\n", "a reader that has read enough is no error");
    assert!(output.stdout.starts_with(b"run,configuration,trial,"));
}

#[test]
fn nothing_is_overwritten_and_what_cannot_be_is_refused_with_the_next_step() {
    let (place, run) = finished();
    fs::create_dir(written(&place, "tables")).unwrap();
    fs::write(written(&place, "tables/summary.csv"), "mine").unwrap();
    let refused: [(&[&str], i32, &str); 9] = [
        (&["--out", "tables", &run], 1, "tables/summary.csv: entity already exists"),
        (&["--out", "-", &run], 1, "--out - must be of one table, got 12 (hint: name one by --table)"),
        (&["--table", "flwos", &run], 2, "'flows'"),
        (&["--format", "excel", &run], 2, "[possible values: csv, jsonl, parquet,"),
        (&["--table", "flows", "--format", "openmetrics", &run], 1, "it has the table `metrics`"),
        (&["--table", "report_groups", &run], 1, "no figures for the table `report_groups`"),
        (&["--json", "--table", "flows", "--out", "-", &run], 1, "both print to standard output"),
        (&["--table", "flows", "--out", "no/such/flows.csv", &run], 1, "create it with mkdir -p"),
        (&["no/such/run"], 1, "there is no directory no/such/run"),
    ];
    for (arguments, code, message) in refused {
        let output = place.kvmfair(&[&["export"], arguments].concat());
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
        assert!(errors.contains(message), "{arguments:?}: {errors}");
    }
    let left = content(&written(&place, "tables"));
    assert_eq!(left.into_values().collect::<Vec<_>>(), [b"mine"]);
}

#[test]
fn json_names_each_file_with_its_rows() {
    let (place, run) = finished();
    let lines =
        json_lines(export(&place, &["--json", "--format", "parquet", "--out", "tables", &run]).as_bytes());
    assert_eq!((&lines[0]["type"], &lines[0]["command"]), (&"start".into(), &"export".into()));
    let files = of_type(&lines, "exported");
    let flows = files.iter().find(|file| file["table"] == "flows").unwrap();
    assert_eq!((files.len(), flows["rows"].as_u64(), &flows["format"]), (12, Some(12), &"parquet".into()));
    let size = fs::metadata(written(&place, flows["path"].as_str().unwrap())).unwrap().len();
    assert_eq!(flows["bytes"].as_u64(), Some(size));
}

#[test]
fn a_damaged_trial_is_a_row_with_its_cause_and_the_others_are_exported() {
    let (place, run) = finished();
    let raw = Path::new(&run).join("raw/trial-0002.zst");
    let bytes = fs::read(&raw).unwrap();
    fs::write(&raw, &bytes[..bytes.len() / 2]).unwrap();
    let trials = export(&place, &["--table", "trials", "--out", "-", &run]);
    assert_eq!(trials.lines().filter(|line| line.contains(",measured,")).count(), 5, "{trials}");
    assert!(trials.contains("its file cannot be read"), "{trials}");
    let flows = export(&place, &["--table", "flows", "--out", "-", &run]);
    assert_eq!(flows.lines().count(), 1 + 5 * 2);
}
