//! What a guest may have written into the cause of a failure, in each form that people and programs read.

use super::terminal::Terminal;
use super::{Document, Model, fixture, html, markdown, tables, terminal};
use crate::figures::{TrialFigures, fixture as figures};
use crate::raw::{Failure, RawTrial, Stage};

/// Clears a terminal, names another link, begins a heading and a row, is a tag and a link, and turns the direction of writing.
const CAUSE: &str = "=HYPERLINK(\"http://x\")\u{1b}[2J\u{1b}]8;;http://x\u{7}\n# heading\n| cell <script>alert(1)</script> ![i](http://x) \u{202e}gpj";

fn rendered(render: impl Fn(&Model) -> String) -> String {
    let (experiment, provenance, mut trials) = fixture::run();
    let failed = figures::failed(trials[0].configuration.clone());
    let failure = Some(Failure { stage: Stage::Load, cause: CAUSE.into() });
    let raw = RawTrial { failure, ..figures::numbered(failed, trials[0].trial, trials[0].repeat) };
    trials[0] = TrialFigures::compute(&raw, &figures::timing());
    render(&Model::new(&experiment, &provenance, &trials))
}

#[test]
fn what_a_guest_wrote_steers_no_terminal_and_stays_on_its_line() {
    let summary = |model: &Model| terminal::summary(model, Terminal { width: 120, colour: false });
    for text in [
        rendered(summary),
        rendered(|model| markdown::report(&Document::new(model), &[])),
        rendered(|model| html::report(&Document::new(model), &[], None)),
        rendered(|model| tables::trials(model).to_csv()),
    ] {
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text}");
        assert!(text.contains("\\u{1b}[2J") && text.contains("\\u{202e}gpj"), "{text}");
        assert!(
            !text.lines().any(|line| line.starts_with("# heading") || line.starts_with("| cell")),
            "{text}"
        );
    }
}

#[test]
fn what_a_guest_wrote_is_no_tag_no_link_and_no_formula() {
    for text in [
        rendered(|model| markdown::report(&Document::new(model), &[])),
        rendered(|model| html::report(&Document::new(model), &[], None)),
    ] {
        assert!(!text.contains("<script>alert") && text.contains("&lt;script"), "{text}");
    }
    assert!(!rendered(|model| markdown::report(&Document::new(model), &[])).contains("![i](http"));
    let csv = rendered(|model| tables::trials(model).to_csv());
    assert!(csv.contains(",\"'=HYPERLINK(\"\"http://x\"\")"), "{csv}");
}
