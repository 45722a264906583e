//! How an error is printed, and the exit code that it leads to.

use anyhow::Error;

use super::exit::{Exit, InterruptedEarly, NotComparable, PreflightFailed};
use super::json::{ErrorEvent, JsonEvent, ProfileMistake};
use super::output::{colour, print_stderr};
use crate::foreign_text::visible_lines;
use crate::lab::LabError;
use crate::profile::ProfileError;
use crate::run::rehearsal::RehearsalFailed;

/// Prints an error on standard error, with `json` also as the last line of standard output, and chooses the code.
pub fn report(error: &Error, json: bool) -> Exit {
    let exit = exit_code(error);
    if json {
        print_json(error, exit);
    }
    let text = match error.downcast_ref::<ProfileError>() {
        Some(profile) => profile.render(colour(&std::io::stderr())),
        None => visible_lines(&format!("error: {error:#}")),
    };
    print_stderr(&format!("{text}\n"));
    exit
}

/// The same for arguments that clap refuses; help and version are no errors.
pub fn report_arguments(error: &clap::Error, json: bool) -> Exit {
    let exit = if error.use_stderr() { Exit::Usage } else { Exit::Success };
    if json && !error.use_stderr() {
        drop(JsonEvent::text(error.to_string()).print());
        return exit;
    }
    if json {
        print_json(&Error::msg(error.to_string().trim_end().to_owned()), exit);
    }
    drop(error.print()); // a failure to write there cannot be reported
    exit
}

fn exit_code(error: &Error) -> Exit {
    match error.downcast_ref::<LabError>() {
        _ if error.is::<ProfileError>() => Exit::InvalidProfile,
        _ if error.is::<PreflightFailed>() => Exit::Preflight,
        Some(LabError::Settings(_)) => Exit::Preflight,
        _ if error.is::<InterruptedEarly>() => Exit::Interrupted,
        _ if error.is::<NotComparable>() => Exit::NotComparable,
        _ if error.is::<RehearsalFailed>() => Exit::Preflight,
        _ => Exit::Internal,
    }
}

/// Standard output may be closed or full: the exit code says the same then.
fn print_json(error: &Error, exit: Exit) {
    let profile = error.downcast_ref::<ProfileError>();
    let event = ErrorEvent {
        message: profile.map_or_else(|| format!("{error:#}"), ToString::to_string),
        exit_code: exit as u8,
        profile: profile.map(|profile| profile.path.clone()),
        diagnostics: profile.map(mistakes).unwrap_or_default(),
    };
    drop(JsonEvent::Error(event).print());
}

fn mistakes(error: &ProfileError) -> Vec<ProfileMistake> {
    let mistake = |diagnostic: &crate::profile::Diagnostic| {
        let position = error.position(diagnostic);
        ProfileMistake {
            message: diagnostic.message.clone(),
            line: position.map(|position| position.line),
            column: position.map(|position| position.column),
            hint: diagnostic.hint.clone(),
        }
    };
    error.diagnostics.iter().map(mistake).collect()
}
