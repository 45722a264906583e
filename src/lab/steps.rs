//! One step on one machine of the lab, applied and undone. Changes that would outlive the run are in the journal before they are made.

use super::building::{Done, Lab};
use super::{LabError, namespaces, ovs, ovs_daemons};
use crate::backend::{Action, Side, Step};
use crate::host_nic::HostNic;
use crate::machine::change::{self, Change};
use crate::machine::journal::Entry;
use crate::machine::local::Local;

impl Lab {
    /// Undoes steps, the last first. One that fails does not stop the others: it stays in `steps`, to be tried again.
    ///
    /// # Errors
    /// [`LabError`] of the first step that could not be undone.
    pub(super) async fn revert(&self, steps: &mut Vec<Done>) -> Result<(), LabError> {
        let mut outcome = Ok(());
        let mut failed = Vec::new();
        for done in std::mem::take(steps).into_iter().rev() {
            if let Err(error) = self.undo(&done).await {
                tracing::warn!("failed to undo a step: {error}");
                outcome = outcome.and(Err(error));
                failed.push(done);
            }
        }
        *steps = failed.into_iter().rev().collect();
        outcome
    }

    async fn undo(&self, Done { side, change }: &Done) -> Result<(), LabError> {
        let (end, Some(change)) = (self.machines.end(*side), change) else { return Ok(()) };
        if let Change::Command { argv } = change {
            end.machine.run(argv).await?;
            return Ok(());
        }
        if let (Some(nic), true) = (change.nic(), self.machines.private) {
            namespaces::return_nic(&end.machine, nic).await;
        }
        let output = end.where_undone(change).run(&["sh", "-c", &change::script(change)]).await?;
        let (_, left) = change::outcome(&output.stdout);
        if left.is_empty() { Ok(()) } else { Err(LabError::Survivors(left)) }
    }

    /// Applies one step; a change that would outlive the run is in the journal before.
    pub(super) async fn apply(&self, step: &Step) -> Result<Done, LabError> {
        let side = step.side;
        let change = match &step.action {
            Action::Run { run, undo } => self.run(side, run, undo.clone()).await?,
            Action::Write { path, value } => self.write(side, path, value).await?,
            Action::Trigger { path, value } => {
                self.side(side).write(path, value.clone().into_bytes()).await?;
                None
            }
            Action::Lend(nic) => self.note(side, Change::Nic(nic.clone())).await?,
            Action::Vdpa { name, add } => {
                let change = self.note(side, Change::Vdpa { name: name.clone() }).await?;
                self.machines.end(side).outside.run(add).await?;
                change
            }
            Action::Borrow(nic) => {
                let change = self.note(side, Change::Nic(nic.clone())).await?;
                self.bring(side, &nic.device, &nic.name).await?;
                change
            }
            Action::Adopt { device, name } => {
                self.bring(side, device, name).await?;
                None
            }
            Action::WholeFrames(nic) => {
                let change = self.note_merging(side, nic).await?;
                self.side(side).run(&ovs::whole_frames(nic)).await?;
                change
            }
            // In the embedded lab only: in a hardware lab the daemons are the VM host's own.
            Action::Switch(switch) => {
                ovs_daemons::ensure(&Local::default(), *switch, &self.ovs).await?;
                None
            }
        };
        Ok(Done { side, change })
    }

    async fn run(
        &self,
        side: Side,
        command: &[String],
        undo: Option<Vec<String>>,
    ) -> Result<Option<Change>, LabError> {
        let change = undo.map(|argv| Change::Command { argv });
        if let Some(change) = &change {
            self.note(side, change.clone()).await?;
        }
        self.side(side).run(command).await?;
        Ok(change)
    }

    /// Notes how a NIC merges frames, if it does.
    async fn note_merging(&self, side: Side, nic: &HostNic) -> Result<Option<Change>, LabError> {
        let features = self.side(side).run(&["ethtool", "-k", &nic.name]).await?.stdout;
        let argv = ovs::merge_again(nic, &features);
        self.note(side, Change::Ethtool { nic: nic.clone(), argv }).await
    }

    /// Waits for the interface of a device, gives it a name and brings it to a side of the lab. A NIC without a device is known
    /// by its name.
    async fn bring(&self, side: Side, device: &str, name: &str) -> Result<(), LabError> {
        const BRING: &str = "n=0\nuntil for net in /sys/bus/*/devices/\"$1\"/net/* /sys/bus/pci/devices/\"$1\"/virtio*/net/*; do [ -e \"$net\" ] && break; done; [ -e \"$net\" ]; do\n\
            n=$((n + 1)); [ $n -lt 300 ] || { echo \"no interface of $1\" >&2; exit 1; }; sleep 0.1\ndone\n\
            net=${net##*/}\n[ \"$net\" = \"$2\" ] && exit 0\nip link set dev \"$net\" down && ip link set dev \"$net\" name \"$2\"";
        let end = self.machines.end(side);
        if !device.is_empty() {
            end.outside.run(&["sh", "-c", BRING, "bring", device, name]).await?;
        }
        if let Some(netns) = &end.netns {
            end.outside.run(&["ip", "link", "set", "dev", name, "netns", netns]).await?;
        }
        Ok(())
    }

    /// Writes a value into sysfs, after noting the one that was there.
    async fn write(&self, side: Side, path: &str, value: &str) -> Result<Option<Change>, LabError> {
        let old = self.side(side).read(path).await?;
        // sysfs shows this for a device without a driver override; written back, it would be a name.
        let old = if old.trim() == "(null)" { "\n".into() } else { old };
        let change = self.note(side, Change::Value { path: path.into(), value: old }).await?;
        self.side(side).write(path, value.to_owned().into_bytes()).await?;
        Ok(change)
    }

    /// Writes a change into the journal, hands it to the machine's watchdog and returns it, if it would outlive the run.
    pub(super) async fn note(&self, side: Side, change: Change) -> Result<Option<Change>, LabError> {
        if !self.machines.outlives_run(&change) {
            return Ok(None);
        }
        let end = self.machines.end(side);
        self.journal.before(&Entry { machine: end.place.clone(), change: change.clone() })?;
        if let Some(watchdog) = &end.watchdog {
            watchdog.before(&change).await?;
        }
        Ok(Some(change))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::lab::hardware;
    use crate::machine::journal::Journal;

    fn removal(path: &Path) -> Done {
        let argv = ["rmdir".to_owned(), path.display().to_string()];
        Done { side: Side::Host, change: Some(Change::Command { argv: argv.into() }) }
    }

    #[tokio::test]
    async fn a_step_that_cannot_be_undone_stops_no_other_and_is_tried_again() {
        let dir = tempfile::tempdir().unwrap();
        let lab = hardware::on_this_machine(Journal::open(dir.path()).unwrap());
        let [first, full, last] = ["first", "full", "last"].map(|name| dir.path().join(name));
        [&first, &full, &last].iter().for_each(|path| std::fs::create_dir(path).unwrap());
        std::fs::write(full.join("file"), "").unwrap();
        let mut steps = vec![removal(&first), removal(&full), removal(&last)];
        let error = lab.revert(&mut steps).await.unwrap_err().to_string();
        assert!(error.contains(&full.display().to_string()), "{error}");
        assert!(!first.exists() && !last.exists() && full.exists());
        std::fs::remove_file(full.join("file")).unwrap();
        lab.revert(&mut steps).await.unwrap();
        assert!(steps.is_empty() && !full.exists());
    }
}
