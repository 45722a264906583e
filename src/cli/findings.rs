//! Findings of the preflight, printed.

use anyhow::Result;

use super::Common;
use super::exit::PreflightFailed;
use super::json::{self, JsonEvent};
use super::output::print_stderr;
use crate::foreign_text::visible;
use crate::preflight::{self, CheckResult};

/// One finding as text, with its fix on a line of its own.
pub(super) fn line(finding: &CheckResult) -> String {
    let [what, found] = [&finding.what, &finding.found].map(|text| visible(text));
    match &finding.fix {
        None if finding.warning => format!("warning  {what}: {found}\n"),
        None => format!("ok       {what}: {found}\n"),
        Some(fix) => format!("missing  {what}: {found}\n         fix: {fix}\n"),
    }
}

/// Prints warnings, or what is missing; nothing is refused for a warning.
///
/// # Errors
/// [`PreflightFailed`] if anything is missing.
pub(super) fn refuse_missing(findings: &[CheckResult], common: &Common) -> Result<()> {
    if preflight::passed(findings) {
        let warnings = findings.iter().filter(|finding| finding.warning);
        warnings.for_each(|finding| warn(&finding.found, common));
        return Ok(());
    }
    let missing = findings.iter().filter(|finding| finding.fix.is_some());
    if common.json {
        json::print(missing.clone().cloned().map(JsonEvent::Finding))?;
    }
    print_stderr(&missing.map(line).collect::<String>());
    Err(PreflightFailed.into())
}

/// A warning, on standard error or as a line of JSON. A reader that has gone away is not an error.
pub(super) fn warn(message: &str, common: &Common) {
    if common.json {
        drop(JsonEvent::warning(message).print());
    } else {
        print_stderr(&format!("warning: {}\n", visible(message)));
    }
}
