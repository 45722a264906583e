//! A finished command: its output, or why it gave no good result.

use std::time::Duration;

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
        /// The system's word.
        cause: String,
    },
    /// It ran and said no.
    #[error("`{command}` failed with status {status}: {stderr}")]
    Status {
        /// The command as a person would type it.
        command: String,
        /// Its exit status.
        status: i32,
        /// What it said.
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
        /// The library's word.
        cause: String,
    },
}

/// The command as a person would type it.
pub fn as_typed<S: AsRef<str>>(argv: &[S]) -> String {
    shell_words::join(argv.iter().map(AsRef::as_ref))
}

/// The same for messages: a word of several lines is a script of kvmfair's own, which nobody would type.
pub fn as_told<S: AsRef<str>>(argv: &[S]) -> String {
    let word = |word: &S| match word.as_ref() {
        script if script.contains('\n') => "…".to_owned(),
        word => shell_words::quote(word).into_owned(),
    };
    argv.iter().map(word).collect::<Vec<_>>().join(" ")
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
        let said = if self.stderr.trim().is_empty() { &self.stdout } else { &self.stderr };
        Err(ExecError::Status { command: as_told(argv), status: self.status, stderr: said.trim().to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_left_out_of_messages_and_its_arguments_are_told() {
        let argv = ["sh", "-c", "first\nsecond", "tune", "eth0", "queues/tx-*"];
        assert_eq!(as_told(&argv), "sh -c … tune eth0 'queues/tx-*'");
        assert_eq!(as_told(&argv[3..]), as_typed(&argv[3..]));
    }
}
