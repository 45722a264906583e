//! The tools that build an appliance: each with the package that has it.

use std::path::{Path, PathBuf};

use super::ApplianceError;
use crate::machine::blocking;

/// Packages of the tools that are run to build an appliance.
const PACKAGES: [(&str, &str); 7] = [
    ("xz", "xz-utils"),
    ("zstd", "zstd"),
    ("gzip", "gzip"),
    ("ldd", "libc-bin"),
    ("dpkg-deb", "dpkg"),
    ("apt-get", "apt"),
    ("apt-cache", "apt"),
];

/// Standard output of a command that must succeed.
///
/// # Errors
/// The program is not installed, or it exits with anything but 0.
pub fn tool(argv: &[&str]) -> Result<Vec<u8>, ApplianceError> {
    tool_in(Path::new("/"), argv)
}

/// As [`tool`], in the directory `dir`.
pub fn tool_in(dir: &Path, argv: &[&str]) -> Result<Vec<u8>, ApplianceError> {
    let ran = blocking::run(dir, argv).map_err(|cause| not_started(argv.first().unwrap_or(&""), cause))?;
    if ran.status == 0 {
        return Ok(ran.stdout);
    }
    Err(ApplianceError::Tool { command: argv.join(" "), cause: last_words(&ran.stderr, ran.status) })
}

fn not_started(program: &str, cause: std::io::Error) -> ApplianceError {
    match PACKAGES.iter().find(|(name, _)| *name == program) {
        Some((_, package)) if cause.kind() == std::io::ErrorKind::NotFound => {
            ApplianceError::missing(program, package)
        }
        _ => ApplianceError::Tool { command: program.into(), cause: cause.to_string() },
    }
}

fn last_words(stderr: &str, status: i32) -> String {
    let lines: Vec<&str> = stderr.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() {
        format!("status {status}")
    } else {
        lines[lines.len().saturating_sub(3)..].join("; ")
    }
}

/// The file that a shell would run for `program`, the administrator's directories included.
///
/// # Errors
/// It is nowhere; `package` goes into the hint.
pub fn which(program: &str, package: &str) -> Result<PathBuf, ApplianceError> {
    blocking::find(program).ok_or_else(|| ApplianceError::missing(program, package))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_tool_is_quoted() {
        let error = tool(&["sh", "-c", "echo 'no such thing' >&2; exit 3"]).unwrap_err().to_string();
        assert!(error.ends_with("failed: no such thing"), "{error}");
    }

    #[test]
    fn a_missing_program_names_its_package() {
        let error = which("no-such-netserver", "netperf").unwrap_err().to_string();
        assert!(
            error.contains("no-such-netserver is not installed") && error.contains("package netperf"),
            "{error}"
        );
    }
}
