//! Other runs: one that changes settings of the machine at the moment, and stale ones whose changes are still in effect.

use super::CheckResult;
use crate::lab::settings_lock::{self, Holder};
use crate::lab::stale::{StaleRun, stale_runs};
use crate::lab::state;
use crate::machine::Machine;
use crate::machine::login::Location;
use crate::profile::Experiment;

/// The name of the finding that another run changes settings of the machine.
const ANOTHER_RUN: &str = "another run";

/// The run that changes settings of the VM host, if any.
pub(super) async fn changing(host: &Machine, experiment: &Experiment) -> Option<CheckResult> {
    settings_lock::holder(host).await.map(|holder| beside(&holder, experiment))
}

/// Killed runs that changed a machine of the experiment's and have not been cleaned, one finding for each. Their state is on
/// this machine.
pub fn stale(experiment: &Experiment) -> Vec<CheckResult> {
    let machines = match &experiment.machines {
        None => vec![Location::Local],
        Some(machines) => vec![machines.host.clone(), Location::Remote(machines.tester.clone())],
    };
    stale_runs(&state::roots(), &machines).iter().map(uncleaned).collect()
}

/// Only one run at a time may change settings; for others it is a warning.
fn beside(holder: &Holder, experiment: &Experiment) -> CheckResult {
    let found = format!("{holder} changes settings of the VM host");
    if experiment.changes_machine() {
        return CheckResult::bad(ANOTHER_RUN, found, settings_lock::NEXT_STEP);
    }
    let warning = CheckResult::good(ANOTHER_RUN, format!("{found}: figures measured meanwhile may show it"));
    CheckResult { warning: true, ..warning }
}

fn uncleaned(run: &StaleRun) -> CheckResult {
    let found = format!("was killed, and what it changed still stands: {}", run.changes.join("; "));
    CheckResult::bad(&format!("run {}", run.run), found, "run `kvmfair clean` first, it puts everything back")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::profile::{HostFacts, parse};

    fn experiment(body: &str) -> Experiment {
        let facts = HostFacts { memory_mib: 65_536, cpus: 2 };
        let text = "schema = 1\nname = \"x\"\nworkload.flows = 4\nnetwork.backend = \"virtio\"\n";
        parse(&format!("{text}{body}"), Path::new("p.toml"), facts).expect("valid")
    }

    #[test]
    fn only_a_run_that_changes_the_machine_has_to_wait_for_another() {
        let holder = Holder { run: "abc234".into(), pid: "7".into(), on: "lab".into() };
        let waits = |body: &str| beside(&holder, &experiment(body)).fix.is_some();
        assert!(waits("[tuning.host]\nswappiness = 1\n"));
        assert!(waits("[guest]\nhugepages = true\n"));
        assert!(waits("[sweep]\nksm = [true, false]\n"));
        assert!(!waits("[tuning.host]\ngro = false\nrps = \"all\"\n"));
        let found = beside(&holder, &experiment("")).found;
        assert!(found.starts_with("run abc234 (process 7 on lab) changes settings"), "{found}");
    }
}
