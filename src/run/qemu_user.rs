//! Who QEMU runs as in the embedded lab: a user without privileges if it can open all that the guests of the run need. It is the same
//! for all of them, so that they can be compared.

use std::fmt;
use std::path::Path;

use crate::backend::Datapath;
use crate::guest::emulator;
use crate::libvirt::account::{Access, Account};
use crate::machine::{Machine, blocking};
use crate::profile::Experiment;
use crate::raw::Accel;

/// The program that libvirt chooses where a profile names none, by the search path as this does.
const QEMU: &str = "qemu-system-x86_64";

/// The user that QEMU runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QemuUser {
    /// One without privileges.
    Account(Account),
    /// Root.
    Root {
        /// Why it is not another one, as a sentence without its full stop.
        because: String,
    },
}

impl fmt::Display for QemuUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            QemuUser::Account(account) => write!(f, "{}", account.name),
            QemuUser::Root { because } => write!(f, "root: {because}"),
        }
    }
}

impl QemuUser {
    /// Decides for a run.
    pub async fn choose(machine: &Machine, experiment: &Experiment, accel: Accel) -> QemuUser {
        match Account::find() {
            None => QemuUser::Root { because: "there is no user libvirt-qemu and no user qemu".into() },
            Some(account) => match obstacle(&account, machine, experiment, accel).await {
                Some(because) => QemuUser::Root { because },
                None => QemuUser::Account(account),
            },
        }
    }

    /// The user without privileges, if it is one.
    pub fn account(&self) -> Option<&Account> {
        match self {
            QemuUser::Account(account) => Some(account),
            QemuUser::Root { .. } => None,
        }
    }
}

/// What the account cannot open.
async fn obstacle(
    account: &Account,
    machine: &Machine,
    experiment: &Experiment,
    accel: Accel,
) -> Option<String> {
    let passed_on =
        experiment.configurations.iter().any(|c| c.backend.datapath() == Some(Datapath::Passthrough));
    if passed_on {
        return Some("a function of the NIC is passed through to guests".into());
    }
    let kvm = Path::new("/dev/kvm");
    if accel == Accel::Kvm && !account.may(machine, Access::Write, kvm).await {
        return Some(format!("{} may not open {}", account.name, kvm.display()));
    }
    let named = emulator::named(&experiment.configurations).into_iter().map(Path::to_owned);
    for path in named.chain(blocking::find(QEMU)) {
        if !account.may(machine, Access::Execute, &path).await {
            return Some(format!("{} may not execute {}", account.name, path.display()));
        }
    }
    None
}
