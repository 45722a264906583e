//! Taking back what a run changed on the machines of a hardware lab: guests through libvirt, the rest by one script for
//! each machine. The same for a run that ends and for `kvmfair clean` after a kill -9.

use std::path::Path;
use std::time::Duration;

use super::change::{self, Change};
use super::journal::Undo;
use super::{LabError, RunId, hardware};
use crate::guest::daemon::Daemon;
use crate::machine::Machine;
use crate::profile::HostPlace;

/// Looks for guests of the run, each followed by a pause: what is there after the last is found as a process.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(500);

/// Takes everything back: what was done, and what is left, in words.
pub fn undo(run: &RunId, directory: &Path, steps: &[Undo]) -> (Vec<String>, Vec<String>) {
    let (mut done, mut left) = (Vec::new(), Vec::new());
    for (place, changes) in by_place(steps) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let undone = runtime.map_err(LabError::system("start a runtime"));
        match undone.and_then(|runtime| runtime.block_on(undo_at(place, run, directory, &changes))) {
            Ok((did, survivors)) => {
                let at = |text: String| format!("{}: {text}", named(place));
                done.extend(did.into_iter().map(at));
                left.extend(survivors.into_iter().map(at));
            }
            Err(error) => left.push(format!("changes of {}: {error}", named(place))),
        }
    }
    (done, left)
}

/// The changes of each machine, in the order in which they are taken back.
fn by_place(steps: &[Undo]) -> Vec<(&HostPlace, Vec<&Change>)> {
    let mut places: Vec<(&HostPlace, Vec<&Change>)> = Vec::new();
    for step in steps {
        let Undo::Elsewhere { place, change } = step else { continue };
        let index = places.iter().position(|(other, _)| *other == place).unwrap_or_else(|| {
            places.push((place, Vec::new()));
            places.len() - 1
        });
        // A step is done for each configuration anew; it is taken back once.
        if !places[index].1.contains(&change) {
            places[index].1.push(change);
        }
    }
    places
}

async fn undo_at(
    place: &HostPlace,
    run: &RunId,
    directory: &Path,
    changes: &[&Change],
) -> Result<(Vec<String>, Vec<String>), LabError> {
    // Not marked as the run's own: the script ends the processes that are.
    let machine = hardware::open(place, "").await?;
    let mut done = Vec::new();
    if changes.iter().any(|change| matches!(change, Change::Domain { .. })) {
        done = destroy(&machine, run, directory).await?;
    }
    let script = change::last_script(&run.to_string(), changes.iter().copied());
    let output = machine.run(&["sh", "-c", &script]).await?;
    let (did, left) = change::said(&output.stdout);
    Ok(([done, did].concat(), left))
}

async fn destroy(machine: &Machine, run: &RunId, directory: &Path) -> Result<Vec<String>, LabError> {
    let refused = |error: crate::guest::libvirt::LibvirtError| {
        LabError::system("destroy the guests of the run")(std::io::Error::other(error.to_string()))
    };
    let daemon = Daemon::open(machine, directory).await.map_err(refused)?;
    let mut done = Vec::new();
    // One that the daemon was still starting when the run was killed may come to life after it was destroyed.
    for _ in 0..ATTEMPTS {
        let guests = daemon.hypervisor.names(format!("kf-{run}-")).await.map_err(refused)?;
        if guests.is_empty() {
            break;
        }
        for guest in guests {
            daemon.hypervisor.destroy(&guest).await.map_err(refused)?;
            done.push(format!("destroyed the guest {guest}"));
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(done)
}

fn named(place: &HostPlace) -> String {
    match place {
        HostPlace::Here => "this machine".into(),
        HostPlace::There(login) => login.address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_taken_back_once_and_together_for_each_machine() {
        let tree = |path: &str| Change::Tree { path: path.into() };
        let here = |path| Undo::Elsewhere { place: HostPlace::Here, change: tree(path) };
        let steps = [here("/b"), Undo::Processes, here("/a"), here("/b")];
        let (b, a) = (tree("/b"), tree("/a"));
        assert_eq!(by_place(&steps), vec![(&HostPlace::Here, vec![&b, &a])]);
    }
}
