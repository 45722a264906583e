//! A cpupool of the run's own: CPUs of a Xen host that schedule the run's guests alone. It is in the journal before it is made, and
//! its CPUs go back to Pool-0 with it.

use std::collections::BTreeSet;

use super::LabError;
use super::building::{Done, Lab};
use crate::backend::Side;
use crate::factor::xen::XenScheduler;
use crate::machine::change::Change;

/// Takes the CPUs after the second argument out of Pool-0 and makes a pool of them; the scheduler may be empty.
const MAKE: &str = r#"name=$1 scheduler=$2; shift 2
cpus=''
for cpu; do xl cpupool-cpu-remove Pool-0 "$cpu" || exit; cpus="$cpus${cpus:+,}\"$cpu\""; done
set -- "name=\"$name\"" "cpus=[$cpus]" ${scheduler:+"sched=\"$scheduler\""}
exec xl cpupool-create "$@""#;

impl Lab {
    /// The name of the run's pool.
    pub fn cpupool(&self) -> String {
        format!("kf-{}", self.names.run)
    }

    /// Makes the run's pool of these CPUs, after taking down the one that was there; its guests must have ended.
    ///
    /// # Errors
    /// [`LabError`] if Xen refuses, for example a CPU that is not in Pool-0.
    pub async fn make_cpupool(
        &mut self,
        cpus: &BTreeSet<u32>,
        scheduler: Option<XenScheduler>,
    ) -> Result<(), LabError> {
        self.remove_cpupool().await?;
        let name = self.cpupool();
        let change =
            self.note(Side::Host, Change::Cpupool { name: name.clone(), cpus: cpus.clone() }).await?;
        self.pool = vec![Done { side: Side::Host, change }];
        let cpus: Vec<String> = cpus.iter().map(u32::to_string).collect();
        let scheduler = scheduler.map(XenScheduler::as_str).unwrap_or_default();
        let words = ["sh", "-c", MAKE, "cpupool", &name, scheduler].map(str::to_owned);
        let argv: Vec<String> = words.into_iter().chain(cpus).collect();
        self.side(Side::Host).run(&argv).await?;
        tracing::info!(pool = name, scheduler, "made a cpupool");
        Ok(())
    }

    /// Gives the pool's CPUs back to Pool-0. It waits until Xen has done away with the last guest in it.
    ///
    /// # Errors
    /// [`LabError`] if the pool cannot be destroyed.
    pub async fn remove_cpupool(&mut self) -> Result<(), LabError> {
        let mut made = std::mem::take(&mut self.pool);
        let outcome = self.revert(&mut made).await;
        self.pool = made;
        outcome
    }
}
