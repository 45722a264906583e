//! The documentation agrees with the program, and its links lead somewhere.

use std::fs;
use std::path::{Path, PathBuf};

use kvmfair::profile::{schema, shipped};
use serde_json::{Map, Value};

const REFERENCE: &str = "docs/profile-reference.md";
const INTRODUCTION: &str = "\
# Profile reference

Generated from the program's JSON schema (`kvmfair schema profile`); do not edit. `kvmfair profile new FILE` writes a profile that shows
every key. An unknown key is an error.

- Times are text with a unit: `\"500 ms\"`, `\"30 s\"`. Sizes too: `\"96 MiB\"`, `\"1472 B\"`. Rates: `\"24 Mbit\"`.
- A key of `[sweep]` takes a list of levels, and every combination is measured. It replaces the single value elsewhere in the profile.
- [Shipped profiles](shipped-profiles.md) are examples; [Settings and groups](settings-and-groups.md) and [Backends](backends.md) explain
  the keys in context.
";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn description(key: &Value) -> String {
    let text = key["description"].as_str().unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// One table of keys; `[tuning]` and its like follow as sections of their own.
fn section(name: &str, schema: &Value, text: &mut String) {
    let keys: &Map<String, Value> = schema["properties"].as_object().expect("a section");
    let (sections, plain): (Vec<_>, Vec<_>) = keys
        .iter()
        .partition(|(_, key)| key["properties"].is_object() || key["items"]["properties"].is_object());
    if !plain.is_empty() {
        let heading = if name.is_empty() { "Top level".into() } else { format!("`{name}`") };
        text.push_str(&format!("\n## {heading}\n\n| key | meaning |\n| --- | --- |\n"));
        for (key, value) in plain {
            text.push_str(&format!("| `{key}` | {} |\n", description(value)));
        }
    }
    let prefix = name.trim_matches(['[', ']']);
    for (key, value) in sections {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value["items"]["properties"].is_object() {
            true => section(&format!("[[{path}]]"), &value["items"], text),
            false => section(&format!("[{path}]"), value, text),
        }
    }
}

#[test]
fn the_profile_reference_agrees_with_the_schema() {
    let mut expected = INTRODUCTION.to_owned();
    section("", &schema(), &mut expected);
    let path = root().join(REFERENCE);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &expected).expect("written");
    }
    let written = fs::read_to_string(&path).expect("the reference");
    assert!(written == expected, "{REFERENCE} is outdated: UPDATE_DOCS=1 cargo test --test cli docs");
}

fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir(root().join("docs")).expect("docs/").map(|entry| entry.expect("an entry").path());
    docs.chain([root().join("README.md"), root().join("tests/lab/README.md")]).collect()
}

/// The anchor of a heading, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn has_anchor(page: &Path, wanted: &str) -> bool {
    let text = fs::read_to_string(page).expect("a page");
    let headings =
        text.lines().filter_map(|line| Some(line.trim_start_matches('#')).filter(|rest| *rest != line));
    headings.map(anchor).any(|anchor| anchor == wanted)
}

#[test]
fn every_relative_link_leads_to_a_file_and_a_heading() {
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.contains("://") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let linked =
                if file.is_empty() { page.clone() } else { page.parent().expect("a folder").join(file) };
            assert!(linked.exists(), "{}: {target} does not exist", page.display());
            assert!(heading.is_empty() || has_anchor(&linked, heading), "{}: {target}", page.display());
        }
    }
}

#[test]
fn the_readme_is_one_page_and_every_shipped_profile_is_described() {
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    assert!(readme.lines().count() <= 150, "{} lines", readme.lines().count());
    let described = fs::read_to_string(root().join("docs/shipped-profiles.md")).expect("the page");
    for (name, _) in shipped::SHIPPED {
        let name = name.strip_suffix("-small").filter(|whole| *whole != "backends").unwrap_or(name);
        assert!(described.contains(&format!("`{name}`")), "{name} is not described");
    }
}

#[test]
fn every_backend_is_described() {
    let described = fs::read_to_string(root().join("docs/backends.md")).expect("the page");
    for (name, _) in kvmfair::backend::PRESETS {
        assert!(described.contains(&format!("`{name}`")), "{name} is not described");
    }
}
