//! A gate as JUnit XML: one test case for each configuration and metric. Worse is a failure, inconclusive is skipped.

use quick_xml::escape::escape;

use super::gate::{GateReport, Judged};
use crate::answers::Verdict;

/// The whole file.
pub fn junit(report: &GateReport) -> String {
    let count = |verdict| report.judged.iter().filter(|one| one.comparison.verdict == verdict).count();
    let (tests, failures) = (report.judged.len(), count(Verdict::Worse));
    let (errors, skipped) = (report.problems.len(), count(Verdict::Inconclusive));
    let name = text(&format!("kvmfair gate {}", report.profile));
    let cases: String = report.judged.iter().map(case).collect();
    let problems: String = report.problems.iter().map(|problem| error(problem)).collect();
    let output = text(&format!("{}\n{}", super::gate::power(&report.power), report.conclusion()));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"{name}\" tests=\"{}\" \
         failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\">\n{cases}{problems}\
         <system-out>{output}</system-out>\n</testsuite>\n</testsuites>\n",
        tests + errors
    )
}

fn case(one: &Judged) -> String {
    let (class, name) = (text(&one.label), text(&one.metric()));
    let sentence = text(&one.sentence());
    let result = match one.comparison.verdict {
        Verdict::Worse => format!("<failure type=\"worse\" message=\"{sentence}\"/>"),
        Verdict::Inconclusive => format!("<skipped message=\"{sentence}\"/>"),
        Verdict::Better | Verdict::Same => String::new(),
    };
    format!(
        "<testcase classname=\"{class}\" name=\"{name}\">{result}<system-out>{sentence}</system-out></testcase>\n"
    )
}

fn error(problem: &str) -> String {
    let problem = text(problem);
    format!(
        "<testcase classname=\"trials\" name=\"{problem}\"><error type=\"trial\" message=\"{problem}\"/></testcase>\n"
    )
}

/// Text as XML has it: control characters cannot be written there at all.
fn text(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect();
    escape(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::*;
    use crate::report::gate_fixture::report;

    /// What xmllint says of a text: whether it is valid, and its messages.
    fn validated(text: &str) -> (bool, String) {
        let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/junit.xsd");
        let mut xmllint = Command::new("xmllint");
        xmllint.args(["--noout", "--nonet", "--schema", schema, "-"]);
        let mut started = xmllint
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("xmllint is installed (hint: .ci/install tests)");
        started.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let ended = started.wait_with_output().unwrap();
        (ended.status.success(), String::from_utf8_lossy(&ended.stderr).into_owned())
    }

    #[test]
    fn the_file_is_valid_by_the_schema() {
        let mut all = report(2);
        all.problems.push("trial 7 (virtio, 2 guests) failed: boot: \u{7}no <answer>".into());
        let (is_valid, messages) = validated(&junit(&all));
        assert!(is_valid, "{messages}");
        assert!(!validated("<testsuites><testsuite/></testsuites>").0, "the schema accepts anything");
    }

    #[test]
    fn worse_is_a_failure_and_inconclusive_is_skipped() {
        let text = junit(&report(2));
        let document = roxmltree::Document::parse(&text).unwrap();
        let count = |name: &str| document.descendants().filter(|node| node.has_tag_name(name)).count();
        assert_eq!((count("testcase"), count("failure"), count("skipped"), count("error")), (4, 2, 1, 0));
        let suite = document.descendants().find(|node| node.has_tag_name("testsuite")).unwrap();
        assert_eq!((suite.attribute("tests"), suite.attribute("failures")), (Some("4"), Some("2")));
    }
}
