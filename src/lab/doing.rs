//! One step on one machine of the lab, done and taken back. What would outlive the run stands in the journal before.

use super::building::{Ground, Lab};
use super::change::Change;
use super::journal::Undo;
use super::{LabError, far_ovs, ovs};
use crate::backend::site::HostNic;
use crate::backend::{Action, Side, Step};
use crate::machine::local::Local;

/// A step that was done, and what takes it back.
pub(super) struct Done {
    pub(super) side: Side,
    pub(super) undo: Back,
}

/// How a step is taken back.
pub(super) enum Back {
    /// By another step's undo.
    Nothing,
    /// By a command.
    Run(Vec<String>),
    /// As after a kill -9.
    Journalled(Box<Undo>),
}

impl Lab {
    /// Takes steps back, the last first. One that fails does not stop the others: it stays in `steps`, to be tried again.
    ///
    /// # Errors
    /// [`LabError`] of the first step that could not be taken back.
    pub(super) async fn revert(&self, steps: &mut Vec<Done>) -> Result<(), LabError> {
        let mut outcome = Ok(());
        let mut failed = Vec::new();
        for done in std::mem::take(steps).into_iter().rev() {
            if let Err(error) = self.back(&done).await {
                tracing::warn!("failed to take a step back: {error}");
                outcome = outcome.and(Err(error));
                failed.push(done);
            }
        }
        *steps = failed.into_iter().rev().collect();
        outcome
    }

    async fn back(&self, Done { side, undo }: &Done) -> Result<(), LabError> {
        match undo {
            Back::Nothing => Ok(()),
            Back::Run(argv) => {
                self.side(*side).run(argv).await?;
                Ok(())
            }
            Back::Journalled(undo) => self.take_back(*side, (**undo).clone()).await,
        }
    }

    async fn take_back(&self, side: Side, undo: Undo) -> Result<(), LabError> {
        match (&self.ground, undo) {
            (Ground::Embedded(embedded), undo) => embedded.put_back(side, undo).await,
            (Ground::Hardware(hardware), Undo::Elsewhere { change, .. }) => {
                hardware.take_back(side, &change).await
            }
            (Ground::Hardware(_), _) => Ok(()), // no change there is noted otherwise
        }
    }

    /// Does one step; what would outlive the run is in the journal before.
    pub(super) async fn apply(&self, step: &Step) -> Result<Done, LabError> {
        let side = step.side;
        let undo = match &step.action {
            Action::Run { run, undo } => {
                if let Some(argv) = undo {
                    self.note(side, Change::Command { argv: argv.clone() })?;
                }
                self.side(side).run(run).await?;
                undo.clone().map_or(Back::Nothing, Back::Run)
            }
            Action::Write { path, value } => self.write(side, path, value).await?,
            Action::Trigger { path, value } => {
                self.side(side).write(path, value.clone().into_bytes()).await?;
                Back::Nothing
            }
            Action::Lend(nic) => self.note(side, Change::Nic(nic.clone()))?,
            Action::Borrow(nic) => {
                let undo = self.note(side, Change::Nic(nic.clone()))?;
                self.bring(side, &nic.device, &nic.name).await?;
                undo
            }
            Action::Adopt { device, name } => {
                self.bring(side, device, name).await?;
                Back::Nothing
            }
            Action::WholeFrames(nic) => {
                let undo = self.note_merging(side, nic).await?;
                self.side(side).run(&ovs::whole_frames(nic)).await?;
                undo
            }
            // In the embedded lab only: in a hardware lab the daemons are the VM host's own.
            Action::Switch(switch) => {
                ovs::ensure(&Local::here(), *switch, &self.ovs).await?;
                Back::Nothing
            }
        };
        Ok(Done { side, undo })
    }

    /// Notes how a NIC merges frames.
    async fn note_merging(&self, side: Side, nic: &HostNic) -> Result<Back, LabError> {
        match &self.ground {
            Ground::Embedded(_) => {
                let undo = ovs::whole_frames_undo(nic)?;
                self.journal.before(&undo)?;
                Ok(Back::Journalled(Box::new(undo)))
            }
            Ground::Hardware(_) => match far_ovs::merging_again(self.side(side), nic).await? {
                Some(change) => self.note(side, change),
                None => Ok(Back::Nothing),
            },
        }
    }

    async fn bring(&self, side: Side, device: &str, name: &str) -> Result<(), LabError> {
        match &self.ground {
            Ground::Embedded(embedded) => embedded.bring(side, device, name).await,
            // A NIC without a device is known by its name, and stays where it is.
            Ground::Hardware(_) if device.is_empty() => Ok(()),
            Ground::Hardware(hardware) => hardware.bring(side, device, name).await,
        }
    }

    /// Writes a value into sysfs, after noting the one that was there.
    async fn write(&self, side: Side, path: &str, value: &str) -> Result<Back, LabError> {
        let old = self.side(side).read(path).await?;
        // How sysfs says that a device has no driver of its own choice; written back, it would be a name.
        let old = if old.trim() == "(null)" { "\n".into() } else { old };
        let undo = self.note(side, Change::Value { path: path.into(), value: old })?;
        self.side(side).write(path, value.to_owned().into_bytes()).await?;
        Ok(undo)
    }

    /// Writes into the journal what takes a change back, if it would outlive the run.
    pub(super) fn note(&self, side: Side, change: Change) -> Result<Back, LabError> {
        let undo = match &self.ground {
            Ground::Embedded(embedded) => embedded.outside(change),
            Ground::Hardware(hardware) => Some(hardware.undo(side, change)),
        };
        let Some(undo) = undo else { return Ok(Back::Nothing) };
        self.journal.before(&undo)?;
        Ok(Back::Journalled(Box::new(undo)))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::lab::hardware;
    use crate::lab::journal::Journal;

    fn removal(path: &Path) -> Done {
        let argv = ["rmdir".to_owned(), path.display().to_string()];
        Done { side: Side::Host, undo: Back::Run(argv.into()) }
    }

    #[tokio::test]
    async fn a_step_that_cannot_be_taken_back_stops_no_other_and_is_tried_again() {
        let dir = tempfile::tempdir().unwrap();
        let lab = hardware::all_here(Journal::open(dir.path()).unwrap());
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
