//! How an error is printed, and the exit code that it leads to.

use super::exit::{Exit, InterruptedEarly, PreflightFailed};
use super::output::{colour, print_stderr};
use crate::lab::LabError;
use crate::profile::ProfileError;

/// Prints an error on standard error and chooses the code.
pub fn report(error: &anyhow::Error, json: bool) -> Exit {
    if let Some(profile) = error.downcast_ref::<ProfileError>() {
        let text = match json {
            true => profile_json(profile).to_string(),
            false => profile.render(colour(&std::io::stderr())),
        };
        print_stderr(&format!("{text}\n"));
        return Exit::InvalidProfile;
    }
    if error.is::<PreflightFailed>() {
        return Exit::Preflight;
    }
    let text = match json {
        true => serde_json::json!({ "error": format!("{error:#}") }).to_string(),
        false => format!("error: {error:#}"),
    };
    print_stderr(&format!("{text}\n"));
    match error.downcast_ref::<LabError>() {
        Some(LabError::Settings(_)) => Exit::Preflight,
        _ if error.is::<InterruptedEarly>() => Exit::Interrupted,
        _ => Exit::Internal,
    }
}

fn profile_json(error: &ProfileError) -> serde_json::Value {
    let one = |diagnostic: &crate::profile::Diagnostic| {
        let position = error.position(diagnostic);
        serde_json::json!({
            "message": diagnostic.message,
            "line": position.map(|p| p.line),
            "column": position.map(|p| p.column),
            "hint": diagnostic.hint,
        })
    };
    let errors: Vec<_> = error.diagnostics.iter().map(one).collect();
    serde_json::json!({ "profile": error.path.display().to_string(), "errors": errors })
}
