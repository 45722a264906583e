//! What makes a trial fail for a cause in the lab, which spares no other trial.

use crate::guest::error::GuestError;
use crate::libvirt::LibvirtError;
use crate::machine::ExecError;

/// A cause in the lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabFault {
    /// Guests that were started do not answer, or end.
    Guests,
    /// libvirt refuses.
    Libvirt,
    /// A machine of the lab does not answer.
    Machine,
}

impl LabFault {
    /// What of the lab an error comes from; `None` for one that another configuration may be spared.
    pub fn find(error: &anyhow::Error) -> Option<LabFault> {
        error.chain().find_map(|cause| {
            let of_guest = cause.downcast_ref::<GuestError>().and_then(|error| match error {
                GuestError::NoAnswer { .. } | GuestError::Ended { .. } | GuestError::Ssh { .. } => {
                    Some(LabFault::Guests)
                }
                GuestError::Libvirt(_) => Some(LabFault::Libvirt),
                _ => None,
            });
            let of_libvirt = cause.downcast_ref::<LibvirtError>().map(|_| LabFault::Libvirt);
            let is_gone = matches!(cause.downcast_ref::<ExecError>(), Some(ExecError::Session { .. }));
            of_guest.or(of_libvirt).or(is_gone.then_some(LabFault::Machine))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn a_cause_in_the_lab_is_told_from_one_of_a_configuration_by_its_type() {
        let ended = || GuestError::Ended { name: "kf-1".into(), console: String::new() };
        let libvirt = || LibvirtError::Call { action: "start".into(), cause: "no".into() };
        let find = |error: anyhow::Error| LabFault::find(&error);
        assert_eq!(find(ended().into()), Some(LabFault::Guests));
        assert_eq!(find(anyhow::Error::from(ended()).context("failed to boot")), Some(LabFault::Guests));
        assert_eq!(find(GuestError::from(libvirt()).into()), Some(LabFault::Libvirt));
        let session = ExecError::Session { host: "tester".into(), cause: "broken pipe".into() };
        let wrapped = Err::<(), _>(session).context("failed to read the clock").unwrap_err();
        assert_eq!(find(wrapped), Some(LabFault::Machine));
        assert_eq!(find(anyhow::anyhow!("netperf ended with status 1")), None);
    }
}
