//! What `--json` prints, read line by line and held against `kvmfair schema events`.

use std::sync::LazyLock;

use assert_cmd::Command;
use jsonschema::Validator;
use serde_json::Value;

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let output = Command::new(env!("CARGO_BIN_EXE_kvmfair")).args(["schema", "events"]).output().unwrap();
    jsonschema::validator_for(&serde_json::from_slice(&output.stdout).unwrap()).unwrap()
});

/// Every line of standard output; fails on one that the schema refuses.
#[track_caller]
pub fn json_lines(stdout: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(stdout).unwrap();
    let lines = text.lines().map(|line| {
        let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let errors: Vec<String> = SCHEMA.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{line}: {errors:?}");
        value
    });
    lines.collect()
}

/// The lines of one type.
pub fn of_type(lines: &[Value], wanted: &str) -> Vec<Value> {
    lines.iter().filter(|line| line["type"] == wanted).cloned().collect()
}
