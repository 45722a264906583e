//! Going on with a run, and what to do where it or its report could not be written.

use std::path::Path;

use anyhow::{Error, Result};

use super::output::counted;
use crate::host::Environment;
use crate::host::environment::sha256;
use crate::results::{Results, RunDir, refuse_other_machine};

/// The digest of the program that runs; `None` if it cannot be read.
pub(super) fn build() -> Option<String> {
    std::fs::read("/proc/self/exe").ok().map(sha256)
}

/// Refuses a machine that is not as it was when the run began, as far as that is known before there is a lab; unless changes are
/// accepted.
pub(super) fn refuse_other_machine_early(
    run_dir: &RunDir,
    now: &Environment,
    accepts_changes: bool,
) -> Result<()> {
    if accepts_changes || !run_dir.has("environment.json") {
        return Ok(());
    }
    let began: Environment = run_dir.read_json("environment.json")?;
    // Known from libvirt and the image, later.
    let Environment { libvirt, qemu, xen, emulators, guest_kernel, guest_image, .. } = began.clone();
    let now = Environment { libvirt, qemu, xen, emulators, guest_kernel, guest_image, ..now.clone() };
    refuse_other_machine(&began, &now)
}

/// An error that ended a run early, and what to do about the rest of it.
pub(super) fn with_next_step(error: Error, results: &Results) -> Error {
    match results.trials().len() {
        0 => error,
        kept => error.context(format!(
            "the run ended early; {} {} kept (hint: once the cause is gone, `kvmfair bench --resume {}` measures the rest)",
            counted(kept, "trial"),
            if kept == 1 { "is" } else { "are" },
            quoted(results.dir())
        )),
    }
}

/// The report could not be written: nothing is lost.
pub(super) fn not_reported(error: Error, dir: &Path) -> Error {
    error.context(format!(
        "all trials are kept, but tables and charts could not be written (hint: once the cause is gone, `kvmfair report {}` \
         writes them)",
        quoted(dir)
    ))
}

/// What an interrupted run leaves: printed only after the lab was taken down without a remainder.
pub(super) fn interruption(measured: usize, planned: usize, dir: &Path) -> String {
    let (dir, trials) = (quoted(dir), counted(planned, "trial"));
    format!(
        "interrupted: {measured} of {trials} measured and kept; the lab is taken down and every change is undone\n\
         resume with: kvmfair bench --resume {dir}\n"
    )
}

fn quoted(dir: &Path) -> String {
    shell_words::quote(&dir.display().to_string()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupted_run_counts_what_it_kept_and_names_the_command_that_resumes() {
        let text = interruption(5, 18, Path::new("my runs/quick"));
        assert!(
            text.starts_with("interrupted: 5 of 18 trials measured and kept; the lab is taken down"),
            "{text}"
        );
        assert!(text.ends_with("resume with: kvmfair bench --resume 'my runs/quick'\n"), "{text}");
    }
}
