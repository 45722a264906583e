//! `kvmfair chart`: pictures of finished runs, as files and on standard output, and what it refuses.

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::support::Sandbox;
use crate::support::finished::{Finished, QUIET, SMALL};
use crate::support::json::{json_lines, of_type};

/// A run with this name of one, two and four guests.
fn finished(place: &Sandbox, name: &str) -> String {
    let body =
        SMALL.replace("vms = 2\n", "").replace("flows = 2", "flows = 4") + "[sweep]\nvms = [1, 2, 4]\n";
    let profile = place.profile("small", &body.replace("repeats = 6", "repeats = 2"));
    let run = Finished { name, ..QUIET }.write(Path::new(&profile), &place.out());
    run.to_str().unwrap().to_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Names and sizes of all files below a directory, without the figures that every reader of a run keeps there.
fn files(dir: &Path) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true if entry.file_name() == "figures" => {}
            true => found.extend(files(&entry.path())),
            false => found.push((entry.path().display().to_string(), entry.metadata().unwrap().len())),
        }
    }
    found.sort();
    found
}

#[test]
fn a_metric_is_drawn_as_png_svg_and_pdf_and_the_run_is_left_as_it_is() {
    let place = Sandbox::new();
    let run = finished(&place, "before");
    let before = files(Path::new(&run));
    let here = place.out().parent().unwrap().to_owned();
    let drawn = place.kvmfair(&["chart", &run, "total_rate_tps"]);
    assert!(drawn.status.success(), "{drawn:?}");
    assert_eq!(String::from_utf8_lossy(&drawn.stdout), "wrote total_rate_tps.png\n");
    let png = fs::read(here.join("total_rate_tps.png")).unwrap();
    assert_eq!(&png[1..4], b"PNG");
    assert_eq!((&png[16..20], &png[20..24]), (&1920_u32.to_be_bytes()[..], &1080_u32.to_be_bytes()[..]));
    assert!(place.kvmfair(&["chart", &run, "bias_rate_percent", "--out", "bias.svg"]).status.success());
    let svg = fs::read_to_string(here.join("bias.svg")).unwrap();
    let document = roxmltree::Document::parse(&svg).unwrap();
    assert!(document.descendants().any(|node| node.attribute("id") == Some("series-virtio")));
    let pdf =
        place.kvmfair(&["chart", &run, "total_rate_tps", "--format", "pdf", "--out", "-", "--size", "a4"]);
    assert!(pdf.stdout.starts_with(b"%PDF-") && pdf.stderr.is_empty(), "{}", stderr(&pdf));
    assert_eq!(files(Path::new(&run)), before);
}

#[test]
fn the_metrics_of_a_run_are_listed_with_units_and_labels() {
    let place = Sandbox::new();
    let run = finished(&place, "before");
    let listed = String::from_utf8(place.kvmfair(&["chart", &run, "list"]).stdout).unwrap();
    let line = listed.lines().find(|line| line.starts_with("total_rate_tps ")).unwrap();
    assert!(line.contains("transactions/s") && line.ends_with("Total rate"), "{listed}");
    assert!(!listed.contains("total_throughput_mbps"), "{listed}");
    let lines = json_lines(&place.kvmfair(&["chart", &run, "list", "--json"]).stdout);
    assert_eq!(of_type(&lines, "chart_metric").len(), listed.lines().count());
}

#[test]
fn two_runs_on_one_chart_are_named_and_the_written_file_is_an_event() {
    let place = Sandbox::new();
    let runs = [finished(&place, "before"), finished(&place, "after")];
    let arguments = ["chart", "--json", &runs[0], &runs[1], "total_rate_tps", "--out", "two.svg"];
    let output = place.kvmfair(&arguments);
    let lines = json_lines(&output.stdout);
    let drawn = &of_type(&lines, "chart")[0];
    assert_eq!((&drawn["format"], &drawn["metric"]), (&"svg".into(), &"total_rate_tps".into()));
    assert_eq!(drawn["runs"], serde_json::json!(["before-t", "after-t"]));
    let svg = fs::read_to_string(drawn["path"].as_str().unwrap()).unwrap();
    assert!(svg.contains("id=\"series-before-t\"") && svg.contains("id=\"series-after-t\""));
    assert_eq!(lines.last().unwrap()["type"], "end");
}

#[test]
fn what_cannot_be_drawn_is_refused_with_the_name_that_was_meant() {
    let place = Sandbox::new();
    let run = finished(&place, "before");
    for (arguments, expected) in [
        (&["total_rate_tp"][..], "did you mean `total_rate_tps`?"),
        (&["total_throughput_mbps"], "this profile cannot have `total_throughput_mbps`"),
        (&["total_rate_tps", "--x", "vcpu"], "unknown factor `vcpu` (hint: did you mean `vcpus`?)"),
        (&["total_rate_tps", "--where", "vms=3"], "no configuration has vms = 3"),
        (
            &["total_rate_tps", "--series", "vcpus", "--x", "backend"],
            "they differ in `vms` (hint: --where vms=",
        ),
        (&["total_rate_tps", "--out", "rate.gif"], "must end in .png, .svg or .pdf"),
        (&["total_rate_tps", "--out", "rate.png", "--format", "svg"], "does not end in .svg"),
        (&["total_rate_tps", "--out", "-", "--json"], "both write to standard output"),
        (&["total_rate_tps", "--out", "no/such/rate.png"], "failed to write no/such/rate.png"),
    ] {
        let output = place.kvmfair(&[&["chart", &run], arguments].concat());
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(stderr(&output).contains(expected), "{arguments:?}: {}", stderr(&output));
    }
    fs::write(place.out().parent().unwrap().join("mine.png"), "mine").unwrap();
    let again = place.kvmfair(&["chart", &run, "total_rate_tps", "--out", "mine.png"]);
    assert!(stderr(&again).contains("choose another name, or remove that file first"), "{}", stderr(&again));
    assert_eq!(fs::read(place.out().parent().unwrap().join("mine.png")).unwrap(), b"mine");
    let size = place.kvmfair(&["chart", &run, "total_rate_tps", "--size", "9x9"]);
    assert_eq!(size.status.code(), Some(2));
    assert!(stderr(&size).contains("sides of 320 to 8192 pixels, or a4"), "{}", stderr(&size));
}
