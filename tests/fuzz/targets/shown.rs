//! Foreign text in each rendering: no control character reaches a terminal, no tag the page, no formula a spreadsheet.

#![no_main]

use kvmfair::foreign_text::{is_steering, visible, visible_lines};
use kvmfair::table::{Table, escape};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    assert!(!visible(text).chars().any(is_steering));
    assert!(!visible_lines(text).chars().any(|character| is_steering(character) && character != '\n'));
    assert!(!escape(text).contains(['<', '>', '"']));
    let table = Table::from_words("words", &["word"], [[text.to_owned()]]);
    let csv = table.to_csv();
    assert!(csv.lines().count() <= 2, "{csv}");
    let line = csv.lines().nth(1).unwrap_or_default();
    assert!(!line.strip_prefix('"').unwrap_or(line).starts_with(['=', '+', '-', '@']), "{csv}");
    assert!(!table.to_markdown().contains("<script"));
});
