//! The login shell of another machine: each command goes through it, and its output must come back as it is.

use super::CheckResult;
use crate::machine::{ExecError, Machine};

/// What a POSIX shell hands on as one word, and others do not.
const WORD: &str = "it's \"$HOME\" `id` !1 \\n\n{a,b} ~ #";

/// What is wrong with it; `None` if nothing is.
pub(super) async fn examine(machine: &Machine) -> Option<CheckResult> {
    let Machine::Remote(_) = machine else { return None };
    let answer = machine.run(&["printf", "%s", WORD]).await;
    problem(&answer.map(|output| output.stdout))
}

/// Pure part of [`examine`].
fn problem(answer: &Result<String, ExecError>) -> Option<CheckResult> {
    let bad = |found: String, fix: &str| Some(CheckResult::bad("login shell", found, fix));
    match answer.as_ref().map(|text| text.strip_suffix(WORD)) {
        Ok(Some("")) => None,
        Ok(Some(greeting)) => bad(
            format!("prints {:?} before each command", greeting.lines().next().unwrap_or_default()),
            "print greetings where a terminal is (`[ -t 1 ]`) or in ~/.bash_profile, not in ~/.bashrc",
        ),
        Ok(None) | Err(ExecError::Status { .. }) => bad(
            "is no POSIX shell: it changes what it is given in quotes".into(),
            "chsh -s /bin/bash root, there (or /bin/sh); tcsh, csh and fish cannot serve",
        ),
        Err(error) => bad(error.to_string(), "give the account a POSIX shell"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(answer: &str) -> Option<String> {
        problem(&Ok(answer.to_owned())).map(|result| result.found)
    }

    #[test]
    fn a_shell_that_greets_or_reads_quotes_otherwise_is_told_from_one_that_serves() {
        assert_eq!(found(WORD), None);
        let greeting = found(&format!("Welcome\nto this machine\n{WORD}")).unwrap();
        assert_eq!(greeting, "prints \"Welcome\" before each command");
        assert!(found("its").unwrap().starts_with("is no POSIX shell"));
    }
}
