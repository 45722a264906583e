//! The appliance's only door to processes. It waits for the process, and there is no deadline: all tools are local and
//! finite, except apt's download, which has deadlines of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::ApplianceError;

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
    let (program, arguments) = argv.split_first().expect("a command has a name");
    let out = Command::new(program)
        .args(arguments)
        .current_dir(dir)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .map_err(|cause| not_started(program, cause))?;
    if out.status.success() {
        return Ok(out.stdout);
    }
    Err(ApplianceError::Tool { command: argv.join(" "), cause: last_words(&out.stderr, out.status) })
}

fn not_started(program: &str, cause: std::io::Error) -> ApplianceError {
    match PACKAGES.iter().find(|(name, _)| *name == program) {
        Some((_, package)) if cause.kind() == std::io::ErrorKind::NotFound => {
            ApplianceError::missing(program, package)
        }
        _ => ApplianceError::Tool { command: program.into(), cause: cause.to_string() },
    }
}

fn last_words(stderr: &[u8], status: std::process::ExitStatus) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() { status.to_string() } else { lines[lines.len().saturating_sub(3)..].join("; ") }
}

/// The file that a shell would run for `program`, the administrator's directories included.
///
/// # Errors
/// It is nowhere; `package` goes into the hint.
pub fn which(program: &str, package: &str) -> Result<PathBuf, ApplianceError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(
            ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
                .map(PathBuf::from),
        )
        .map(|dir| dir.join(program))
        .find(|file| file.is_file())
        .ok_or_else(|| ApplianceError::missing(program, package))
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
