//! The kernel's count of exits by reason: an instance of its tracing that is the run's own, so that no other
//! tracing is affected. It is in the journal before it is made, counts from then on, and is removed with the run.

use super::LabError;
use super::building::Lab;
use crate::backend::Side;
use crate::machine::change::Change;

/// Prints where tracing is, if the kernel can make a histogram of KVM's exits.
const FIND: &str = r#"for root in /sys/kernel/tracing /sys/kernel/debug/tracing; do
[ ! -e "$root/events/kvm/kvm_exit/hist" ] || { echo "$root"; break; }
done"#;

/// Makes the instance and prints the trigger then.
const START: &str =
    r#"mkdir "$1" && echo "$2" >"$1/events/kvm/kvm_exit/trigger" && cat "$1/events/kvm/kvm_exit/trigger""#;

/// The value of the tracepoint's `trigger`, whose histogram `probe::exits` reads. The table holds 1000
/// vCPUs with 16 reasons each.
const TRIGGER: &str = "hist:keys=common_pid,isa,exit_reason:size=16384";

impl Lab {
    /// Where the kernel counts the guests' exits by reason; `None` where it does not count them.
    pub fn exits_traced(&self) -> Option<&str> {
        self.tracing.as_deref()
    }

    /// Makes the kernel of the VM host count exits by reason until the run ends. One that cannot is no error.
    ///
    /// # Errors
    /// [`LabError`] if the journal cannot be written, or the kernel refuses what it should be able to do.
    pub async fn trace_exits(&mut self) -> Result<(), LabError> {
        if self.tracing.is_some() {
            return Ok(());
        }
        let found = self.outside().run(&["sh", "-c", FIND]).await?;
        let root = found.stdout.trim();
        if root.is_empty() {
            return Ok(());
        }
        let path = format!("{root}/instances/kf-{}", self.names.run);
        self.note(Side::Host, Change::Tracing { path: path.clone().into() }).await?;
        self.outside().run(&["sh", "-c", START, "trace", &path, TRIGGER]).await?;
        self.tracing = Some(path);
        Ok(())
    }
}
