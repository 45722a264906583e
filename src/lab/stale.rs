//! Runs that were killed and have not been cleaned: what of a machine's own their journals still hold. A run that begins on
//! such a machine would measure with their settings, and take them for the machine's.

use std::path::PathBuf;

use super::state;
use crate::machine::journal::{self, Entry};
use crate::machine::login::Location;

/// A run whose process is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaleRun {
    /// Its id.
    pub run: String,
    /// What it changed, in words, each once: `/proc/sys/vm/swappiness was 60`.
    pub changes: Vec<String>,
}

/// The stale runs under these roots that changed one of these machines. Namespaces ended with their processes, and files of
/// a run's own change nothing.
pub fn stale_runs(roots: &[PathBuf], machines: &[Location]) -> Vec<StaleRun> {
    let runs = roots.iter().flat_map(|root| state::all(root));
    let stale = runs.filter_map(|(run, dir)| {
        let recorded = journal::read(&dir);
        let mut changes: Vec<String> =
            recorded.entries.iter().rev().filter_map(|entry| change_of(entry, machines)).collect();
        changes.extend(recorded.unreadable);
        let mut listed = std::collections::BTreeSet::new();
        changes.retain(|change| listed.insert(change.clone()));
        // A run that has just begun is not disturbed: its lock is checked only where there is something to report.
        let is_stale = !changes.is_empty() && !state::lives(&dir);
        is_stale.then(|| StaleRun { run: run.to_string(), changes })
    });
    stale.collect()
}

/// A change of one of these machines, in words.
fn change_of(entry: &Entry, machines: &[Location]) -> Option<String> {
    machines.iter().any(|machine| same(machine, &entry.machine)).then(|| entry.change.of_machine())?
}

/// The same machine, by whichever key or way one logs in.
fn same(one: &Location, other: &Location) -> bool {
    match (one, other) {
        (Location::Remote(one), Location::Remote(other)) => one.address == other.address,
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::State;
    use crate::machine::change::Change;
    use crate::machine::journal::Journal;
    use crate::machine::login::{Login, SshAddress};

    fn swappiness(value: &str) -> Entry {
        Entry::local(Change::Value { path: "/proc/sys/vm/swappiness".into(), value: value.into() })
    }

    fn there(address: &str) -> Location {
        Location::Remote(Login {
            address: SshAddress::parse(address).unwrap(),
            jump: None,
            identity: Some("key".into()),
        })
    }

    /// A root with one run that noted these steps.
    fn with(steps: &[Entry]) -> (tempfile::TempDir, State) {
        let root = tempfile::tempdir().unwrap();
        let state = State::create(root.path()).unwrap();
        let journal = Journal::open(&state.dir).unwrap();
        steps.iter().for_each(|step| journal.before(step).unwrap());
        (root, state)
    }

    #[test]
    fn a_running_run_is_not_stale_and_a_stale_one_lists_each_change_once() {
        let (root, state) = with(&[Entry::local(Change::Processes), swappiness("60\n"), swappiness("60\n")]);
        let stale = || stale_runs(&[root.path().to_owned()], &[Location::Local]);
        assert_eq!(stale(), []);
        let run = state.id.to_string();
        drop(state);
        // A process that another test is starting right now holds a copy of the lock until its exec.
        while stale().is_empty() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        assert_eq!(stale(), [StaleRun { run, changes: vec!["/proc/sys/vm/swappiness was 60".into()] }]);
    }

    #[test]
    fn namespaces_files_and_guests_are_no_change_of_a_machine() {
        let own = "/sys/class/net/kf-abc234-w/queues/rx-0/rps_cpus";
        let steps = [
            Change::Processes,
            Change::Domain { name: "kf-abc234-g1".into() },
            Change::Tree { path: "/tmp/x".into() },
            Change::Value { path: own.into(), value: "0".into() },
        ];
        assert_eq!(
            steps.map(|step| change_of(&Entry::local(step), &[Location::Local])),
            [None, None, None, None]
        );
    }

    #[test]
    fn a_guest_of_xen_s_has_addresses_of_dom0_s_network_and_stands_in_the_way() {
        let guest = Entry::local(Change::XenDomain { name: "kf-abc234-g1".into() });
        assert_eq!(change_of(&guest, &[Location::Local]).as_deref(), Some("the guest kf-abc234-g1"));
    }

    #[test]
    fn a_change_counts_for_runs_on_its_own_machine_only() {
        let change = Change::Value { path: "/proc/sys/vm/swappiness".into(), value: "60".into() };
        let remote = Entry { machine: there("root@lab"), change };
        let login = Location::Remote(Login {
            address: SshAddress::parse("root@lab").unwrap(),
            jump: None,
            identity: None,
        });
        assert!(change_of(&remote, &[login]).is_some());
        assert_eq!(change_of(&remote, &[Location::Local, there("root@other")]), None);
        assert_eq!(change_of(&swappiness("60"), &[there("root@lab")]), None);
    }
}
