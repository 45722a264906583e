//! Other runs: one that changes settings of the machine at the moment, and stale ones whose changes still stand.

use super::Finding;
use crate::lab::settings_lock::{self, Holder};
use crate::lab::stale::{StaleRun, stale_runs};
use crate::lab::state;
use crate::machine::login::Location;
use crate::machine::{Machine, blocking};
use crate::profile::Experiment;

/// The name of the finding that another run changes settings of the machine.
const ANOTHER_RUN: &str = "another run";

/// Looks at this machine.
pub(super) fn look(experiment: &Experiment) -> Vec<Finding> {
    let holder = blocking::wait(settings_lock::holder(&Machine::local())).ok().flatten();
    holder.map(|holder| beside(&holder, experiment)).into_iter().chain(stale(experiment)).collect()
}

/// Who changes settings of another machine.
pub(super) async fn look_there(host: &Machine, experiment: &Experiment) -> Option<Finding> {
    settings_lock::holder(host).await.map(|holder| beside(&holder, experiment))
}

/// Killed runs that changed a machine of the experiment's and have not been cleaned, one finding for each. Their state is on
/// this machine.
pub fn stale(experiment: &Experiment) -> Vec<Finding> {
    let machines = match &experiment.machines {
        None => vec![Location::Local],
        Some(machines) => vec![machines.host.clone(), Location::Remote(machines.tester.clone())],
    };
    stale_runs(&state::roots(), &machines).iter().map(uncleaned).collect()
}

/// Only one run at a time may change settings; others are told what may show in their figures.
fn beside(holder: &Holder, experiment: &Experiment) -> Finding {
    let found = format!("{holder} changes settings of the VM host");
    if experiment.changes_machine() {
        return Finding::bad(ANOTHER_RUN, found, settings_lock::NEXT_STEP);
    }
    let warning = Finding::good(ANOTHER_RUN, format!("{found}: figures measured meanwhile may show it"));
    Finding { warning: true, ..warning }
}

fn uncleaned(run: &StaleRun) -> Finding {
    let found = format!("was killed, and what it changed still stands: {}", run.changes.join("; "));
    Finding::bad(&format!("run {}", run.run), found, "run `kvmfair clean` first, it puts everything back")
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
        let told = beside(&holder, &experiment("")).found;
        assert!(told.starts_with("run abc234 (process 7 on lab) changes settings"), "{told}");
    }
}
