//! Why there is no appliance; every message names what is missing and the package that has it.

use std::io;
use std::path::Path;

/// Why there is no appliance.
#[derive(Debug, thiserror::Error)]
pub enum ApplianceError {
    /// A program that the guest or the build needs is not on this machine.
    #[error("{program} is not installed (hint: `make install-deps`, or install the package {package})")]
    Missing {
        /// Name of the program.
        program: String,
        /// Debian's package that has it.
        package: String,
    },
    /// busybox was built without applets that the guest's init uses.
    #[error("busybox at {path} lacks the applets {applets} (hint: install the package busybox-static)")]
    Applets {
        /// Path of busybox.
        path: String,
        /// The missing applets, separated by spaces.
        applets: String,
    },
    /// A program lacks a library.
    #[error("{program} needs {library}, which is not installed (hint: `make install-deps`)")]
    Library {
        /// The program.
        program: String,
        /// The library's file name.
        library: String,
    },
    /// A tool ran and failed.
    #[error("{command} failed: {cause}")]
    Tool {
        /// The command line.
        command: String,
        /// Last lines of its standard error, or its exit status.
        cause: String,
    },
    /// A file could not be read or written.
    #[error("failed to {verb} {path}: {cause}")]
    Io {
        /// The operation.
        verb: &'static str,
        /// The file.
        path: String,
        /// The error of the system.
        cause: io::Error,
    },
    /// No kernel to boot.
    #[error("no kernel for the guests: {reason} (hint: {hint})")]
    Kernel {
        /// The sources that were tried.
        reason: String,
        /// The next step.
        hint: String,
    },
    /// A file does not have the format it should have.
    #[error("{path} is not {expected}")]
    Format {
        /// The file.
        path: String,
        /// The expected format.
        expected: &'static str,
    },
}

impl ApplianceError {
    /// For `map_err`: an error of the file system, with the operation and the path.
    pub(super) fn io(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ApplianceError {
        let path = path.display().to_string();
        move |cause| ApplianceError::Io { verb, path, cause }
    }

    /// A missing program and its package.
    pub(super) fn missing(program: &str, package: &str) -> ApplianceError {
        ApplianceError::Missing { program: program.into(), package: package.into() }
    }
}
