//! The shell of the examples for CI.

use std::fs;
use std::path::{Path, PathBuf};

use serde_norway::Value;

pub fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci").join(name)
}

pub fn read(name: &str) -> String {
    fs::read_to_string(example(name)).unwrap()
}

/// Every text below a key of this name.
fn scripts(value: &Value, keys: &[&str], found: &mut Vec<String>) {
    match value {
        Value::Mapping(mapping) => {
            for (key, value) in mapping {
                match (key.as_str().is_some_and(|key| keys.contains(&key)), value) {
                    (true, Value::String(script)) => found.push(script.clone()),
                    (true, Value::Sequence(lines)) => {
                        found.extend(lines.iter().map(|line| line.as_str().unwrap().to_owned()));
                    }
                    _ => scripts(value, keys, found),
                }
            }
        }
        Value::Sequence(values) => values.iter().for_each(|value| scripts(value, keys, found)),
        _ => {}
    }
}

/// The shell of each example; of a matrix, that of one part.
pub fn shell(name: &str, part: u32) -> String {
    let text = read(name);
    let lines: Vec<String> = match name {
        "Jenkinsfile" => text
            .lines()
            .filter_map(|line| line.split_once("sh '"))
            .map(|(_, rest)| rest.split('\'').next().unwrap().to_owned())
            .collect(),
        "kvmfair-nightly.service" => text
            .lines()
            .filter_map(|line| line.strip_prefix("ExecStart=").or(line.strip_prefix("ExecStopPost=")))
            .map(|line| line.replace("/usr/local/bin/", ""))
            .collect(),
        "slurm.sh" => vec![text],
        _ => {
            let mut found = Vec::new();
            let keys = ["run", "script", "after_script"];
            scripts(&serde_norway::from_str(&text).unwrap(), &keys, &mut found);
            found
        }
    };
    // What the service fills in before the shell reads it.
    lines.join("\n").replace("${{ matrix.part }}", &part.to_string())
}
