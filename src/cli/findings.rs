//! Findings of the preflight, printed.

use anyhow::Result;

use super::Common;
use super::exit::PreflightFailed;
use super::json::{self, JsonEvent};
use super::output::print_stderr;
use crate::preflight::{self, CheckResult};

/// One finding as text, with its fix on a line of its own.
pub(super) fn line(finding: &CheckResult) -> String {
    match &finding.fix {
        None if finding.warning => format!("warning  {}: {}\n", finding.what, finding.found),
        None => format!("ok       {}: {}\n", finding.what, finding.found),
        Some(fix) => format!("missing  {}: {}\n         fix: {fix}\n", finding.what, finding.found),
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
        print_stderr(&format!("warning: {message}\n"));
    }
}
