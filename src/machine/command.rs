//! A finished command: its output, or why it gave no good result.

use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use super::bounded::MAX_OUTPUT;

/// A finished command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Exit status; 128 + n if signal n ended it.
    pub status: i32,
    /// Standard output, lossily decoded.
    pub stdout: String,
    /// Standard error, lossily decoded.
    pub stderr: String,
}

/// Why a command gave no good result.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// It could not be started: typically it is not installed.
    #[error("failed to start `{command}`: {cause}")]
    Start {
        /// The command as a person would type it.
        command: String,
        /// The system's error.
        cause: String,
    },
    /// It ran and failed.
    #[error("`{command}` failed with status {status}: {stderr}")]
    Status {
        /// The command as a person would type it.
        command: String,
        /// Its exit status.
        status: i32,
        /// Its standard error, or else its standard output.
        stderr: String,
    },
    /// It did not end in time and was killed.
    #[error("`{command}` did not end within {} s", .limit.as_secs_f64())]
    Timeout {
        /// The command as a person would type it.
        command: String,
        /// The time it had.
        limit: Duration,
    },
    /// Its output is too long to be what it should be.
    #[error("`{command}` printed more than {max} bytes")]
    TooLong {
        /// The command as a person would type it.
        command: String,
        /// The longest output that is read.
        max: usize,
    },
    /// Another machine answers at the address.
    #[error("the host key of {host} is not the expected one: another machine answers at this address")]
    OtherMachine {
        /// The address.
        host: String,
    },
    /// The session to the other machine broke.
    #[error("lost the SSH session to {host}: {cause}")]
    Session {
        /// Address of the machine.
        host: String,
        /// The library's error.
        cause: String,
    },
}

/// The command as a person would type it.
pub fn as_typed<S: AsRef<str>>(argv: &[S]) -> String {
    shell_words::join(argv.iter().map(AsRef::as_ref))
}

/// The same for messages: a word of several lines is a script of kvmfair's own, which nobody would type.
pub fn for_message<S: AsRef<str>>(argv: &[S]) -> String {
    let word = |word: &S| match word.as_ref() {
        script if script.contains('\n') => "…".to_owned(),
        word => shell_words::quote(word).into_owned(),
    };
    argv.iter().map(word).collect::<Vec<_>>().join(" ")
}

impl ExecError {
    /// Why the output of a command could not be read.
    pub(super) fn from_reading(command: String, limit: Duration, cause: &std::io::Error) -> ExecError {
        match cause.kind() {
            ErrorKind::TimedOut => ExecError::Timeout { command, limit },
            ErrorKind::FileTooLarge => ExecError::TooLong { command, max: MAX_OUTPUT },
            _ => ExecError::Start { command, cause: cause.to_string() },
        }
    }
}

impl From<std::process::Output> for Output {
    fn from(output: std::process::Output) -> Output {
        Output {
            status: output.status.code().unwrap_or_else(|| 128 + output.status.signal().unwrap_or(0)),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Output {
    /// The output of a command that must succeed.
    ///
    /// # Errors
    /// [`ExecError::Status`] if it did not.
    pub fn success<S: AsRef<str>>(self, argv: &[S]) -> Result<Output, ExecError> {
        if self.status == 0 {
            return Ok(self);
        }
        let reason = if self.stderr.trim().is_empty() { &self.stdout } else { &self.stderr };
        Err(ExecError::Status {
            command: for_message(argv),
            status: self.status,
            stderr: reason.trim().to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_leave_a_script_out_and_name_its_arguments() {
        let argv = ["sh", "-c", "first\nsecond", "tune", "eth0", "queues/tx-*"];
        assert_eq!(for_message(&argv), "sh -c … tune eth0 'queues/tx-*'");
        assert_eq!(for_message(&argv[3..]), as_typed(&argv[3..]));
    }
}
