//! Exit codes.

use std::fmt;
use std::process::ExitCode;

/// How kvmfair ends. The numbers are documented; scripts rely on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Every trial was measured, or the command did its work.
    Success = 0,
    /// An unexpected error.
    Internal = 1,
    /// Wrong arguments (clap's own code).
    Usage = 2,
    /// The profile is invalid; nothing was done.
    InvalidProfile = 3,
    /// The machines cannot run the profile, or `doctor --strict` found something bad; nothing was measured.
    Preflight = 4,
    /// The run is complete, but trials failed or are invalid.
    FailedTrials = 5,
    /// `gate`: something is worse than the baseline; `history check`: a level has changed for the worse.
    Worse = 6,
    /// `gate`: nothing is worse, but something could not be decided.
    Inconclusive = 7,
    /// `gate`: the baseline is of another machine, kernel, QEMU or profile; nothing was measured.
    NotComparable = 8,
    /// A signal ended the run early; what was measured is kept.
    Interrupted = 130,
}

/// The same for `--help`.
pub const HELP: &str = "\
Exit codes:
    0  success
    1  unexpected error
    2  wrong arguments
    3  invalid profile; nothing was done
    4  the machines cannot run the profile: something is missing, another run is changing their settings, a
       killed run left changes behind, or netperf failed in the rehearsal before the first trial; or
       `doctor --strict` found something bad; nothing was measured
    5  the run is complete, but some trials failed or are invalid
    6  gate: something is worse than the baseline; history check: a level has changed for the worse
    7  gate: nothing is worse, but something could not be decided
    8  gate: the baseline is of another machine, kernel, QEMU or profile; nothing was measured
  130  interrupted; finished trials are kept, and `bench --resume` continues

Environment:
  NO_COLOR           turns colours off
  KVMFAIR_STATE_DIR  directory of the undo journals (default: /run/kvmfair;
                     /var/lib/kvmfair for a hardware lab)
  XDG_CACHE_HOME     directory that holds kvmfair/, the image cache (default: ~/.cache)";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// This machine lacks something; the findings are printed already.
#[derive(Debug)]
pub struct PreflightFailed;

impl fmt::Display for PreflightFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this machine cannot run the profile")
    }
}

impl std::error::Error for PreflightFailed {}

/// A signal arrived before the first trial.
#[derive(Debug)]
pub struct InterruptedEarly;

impl fmt::Display for InterruptedEarly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted before the first trial; nothing was measured")
    }
}

impl std::error::Error for InterruptedEarly {}

/// A baseline cannot be compared with this machine or profile.
#[derive(Debug)]
pub struct NotComparable {
    /// What differs, a sentence each.
    pub differences: Vec<String>,
    /// What to do about it.
    pub hint: String,
}

impl fmt::Display for NotComparable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not comparable with the baseline: {} (hint: {})", self.differences.join("; "), self.hint)
    }
}

impl std::error::Error for NotComparable {}
