//! Settings of the VM host: their old values are in the journal before the first of them is written, and are written back
//! before the wire is taken down.

use super::LabError;
use super::building::{Done, Lab};
use crate::backend::Side;
use crate::backend::wire::Wire;
use crate::factor::tuning::{self, SCRIPT, Setting, Shown};
use crate::machine::Machine;
use crate::machine::change::Change;

impl Lab {
    /// Writes settings of the host, whose end of the wire is `nic`.
    ///
    /// # Errors
    /// [`LabError::Exec`] if the kernel has no such setting or does not take the value.
    pub async fn tune(&mut self, nic: &str, settings: &[Setting]) -> Result<(), LabError> {
        let (of_nic, of_machine) = split(settings);
        let machines = [self.side(Side::Host).clone(), self.outside().clone()];
        for (machine, settings) in machines.into_iter().zip([of_nic, of_machine]) {
            for shown in self.show(&machine, nic, &settings).await? {
                self.remember(nic, &settings, shown).await?;
            }
            if !settings.is_empty() {
                run(&machine, &tuning::set(nic, &settings)).await?;
            }
        }
        Ok(())
    }

    /// The current values of settings, each in all of its files; `None` where there is no such file.
    ///
    /// # Errors
    /// [`LabError::Exec`] if the machine does not answer.
    pub async fn tuned(&self, nic: &str, settings: &[Setting]) -> Result<Vec<Option<String>>, LabError> {
        let (of_nic, of_machine) = split(settings);
        let of_nic = self.show(self.side(Side::Host), nic, &of_nic).await?;
        let of_machine = self.show(self.outside(), nic, &of_machine).await?;
        let (mut nic_index, mut machine_index) = (0, 0);
        let found = |setting: &Setting| {
            let (index, shown) = match tuning::is_of_nic(setting) {
                true => (&mut nic_index, &of_nic),
                false => (&mut machine_index, &of_machine),
            };
            *index += 1;
            tuning::found(setting, *index - 1, shown)
        };
        Ok(settings.iter().map(found).collect())
    }

    /// Writes back what every setting was; one that is refused is still known then.
    ///
    /// # Errors
    /// [`LabError`] of the first that the kernel refuses.
    pub(super) async fn untune(&mut self) -> Result<(), LabError> {
        let mut outcome = Ok(());
        for (path, done) in std::mem::take(&mut self.tuned) {
            let mut steps = vec![done];
            outcome = outcome.and(self.revert(&mut steps).await);
            self.tuned.extend(steps.pop().map(|failed| (path, failed)));
        }
        outcome
    }

    async fn show(&self, machine: &Machine, nic: &str, settings: &[Setting]) -> Result<Vec<Shown>, LabError> {
        if settings.is_empty() {
            return Ok(Vec::new());
        }
        Ok(tuning::shown(&run(machine, &tuning::show(nic, settings)).await?))
    }

    /// Notes the value of a file or of ethtool before it is changed for the first time.
    async fn remember(&mut self, nic: &str, settings: &[Setting], shown: Shown) -> Result<(), LabError> {
        let Some(setting) = settings.get(shown.setting) else { return Ok(()) };
        let of_ethtool = tuning::is_of_ethtool(setting);
        let key = if of_ethtool { format!("{} of {nic}", shown.path) } else { shown.path.clone() };
        if self.tuned.contains_key(&key) {
            return Ok(());
        }
        let change = if of_ethtool {
            self.note_ethtool(tuning::give_back(nic, &shown.path, &shown.content)).await?
        } else {
            let change = Change::Value { path: shown.path.into(), value: setting.read(&shown.content) };
            self.note(Side::Host, change).await?
        };
        self.tuned.insert(key, Done { side: Side::Host, change });
        Ok(())
    }

    /// The line in the journal is for `kvmfair clean`: a run that ends gives back by itself, while the NIC is still where it
    /// borrowed it to. Of a veth pair nothing stays.
    async fn note_ethtool(&self, argv: Vec<String>) -> Result<Option<Change>, LabError> {
        if let Wire::Nics(nics) = &self.wire
            && let Some(nic) = nics.host.first().cloned()
        {
            self.note(Side::Host, Change::Ethtool { nic, argv: argv.clone() }).await?;
        }
        Ok(Some(Change::Command { argv }))
    }
}

/// Those of the NIC, and those of the machine.
fn split(settings: &[Setting]) -> (Vec<Setting>, Vec<Setting>) {
    settings.iter().cloned().partition(tuning::is_of_nic)
}

async fn run(machine: &Machine, words: &[&str]) -> Result<String, LabError> {
    let argv = [&["sh", "-c", SCRIPT, "tune"], words].concat();
    Ok(machine.run(&argv).await?.stdout)
}
