//! What makes a trial fail for a cause in the lab, which spares no other trial.

use crate::guest::error::GuestError;
use crate::machine::ExecError;

/// A cause in the lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabFault {
    /// Guests that were started do not answer, which costs minutes each time.
    Guests,
    /// A machine of the lab does not answer.
    Machine,
}

impl LabFault {
    /// What of the lab an error comes from; `None` for one that another configuration may be spared.
    pub fn find(error: &anyhow::Error) -> Option<LabFault> {
        error.chain().find_map(|cause| {
            let of_guest = cause.downcast_ref::<GuestError>().and_then(|error| match error {
                GuestError::NoAnswer { .. } | GuestError::Ssh { .. } => Some(LabFault::Guests),
                _ => None, // a QEMU that ends or that libvirt does not start may be the backend's fault, and is known at once
            });
            let is_gone = matches!(cause.downcast_ref::<ExecError>(), Some(ExecError::Session { .. }));
            of_guest.or(is_gone.then_some(LabFault::Machine))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::libvirt::LibvirtError;
    use anyhow::Context;

    #[test]
    fn a_cause_in_the_lab_is_told_from_one_that_may_be_a_backend_s_by_its_type() {
        let limit = std::time::Duration::from_secs(1);
        let mute =
            || GuestError::NoAnswer { name: "kf-1".into(), limit, attempts: 1, console: String::new() };
        let find = |error: anyhow::Error| LabFault::find(&error);
        assert_eq!(find(mute().into()), Some(LabFault::Guests));
        assert_eq!(find(anyhow::Error::from(mute()).context("failed to boot")), Some(LabFault::Guests));
        let session = ExecError::Session { host: "tester".into(), cause: "broken pipe".into() };
        let wrapped = Err::<(), _>(session).context("failed to read the clock").unwrap_err();
        assert_eq!(find(wrapped), Some(LabFault::Machine));
        let ended = GuestError::Ended { name: "kf-1".into(), console: String::new() };
        let refused = LibvirtError::Call { action: "start".into(), cause: "no VFIO".into() };
        for of_backend in [ended.into(), GuestError::from(refused).into(), anyhow::anyhow!("netperf ended")] {
            assert_eq!(find(of_backend), None);
        }
    }
}
