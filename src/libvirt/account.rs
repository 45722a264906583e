//! The user that QEMU runs as under libvirt's embedded driver: one without privileges, wherever it can open what guests need.

use std::path::Path;

use nix::unistd::User;

use crate::machine::{ExecError, Machine};

/// Names that distributions' packages of libvirt give to it.
const NAMES: [&str; 2] = ["libvirt-qemu", "qemu"];

/// A user of this machine without privileges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its number.
    pub uid: u32,
    /// The number of its own group.
    pub gid: u32,
}

/// How a file is used, as `test` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read.
    Read,
    /// Written.
    Write,
    /// Executed.
    Execute,
}

impl Account {
    /// The account that libvirt's package has made for QEMU; `None` if there is none.
    pub fn find() -> Option<Account> {
        let user = NAMES.iter().find_map(|name| User::from_name(name).ok().flatten())?;
        Some(Account { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw() })
    }

    /// Whether it can use a file of the machine like this. The kernel answers a process that is this user: modes, access lists and
    /// every directory on the way count.
    pub async fn may(&self, machine: &Machine, access: Access, path: &Path) -> bool {
        let (uid, gid) = (format!("--reuid={}", self.uid), format!("--regid={}", self.gid));
        let flag = match access {
            Access::Read => "-r",
            Access::Write => "-w",
            Access::Execute => "-x",
        };
        let path = path.to_string_lossy();
        machine.run(&["setpriv", &uid, &gid, "--init-groups", "--", "test", flag, &path]).await.is_ok()
    }

    /// Lets it read files of root's.
    ///
    /// # Errors
    /// [`ExecError`] if the machine refuses.
    pub async fn let_read(&self, machine: &Machine, files: &[&Path]) -> Result<(), ExecError> {
        let script = "group=$1; shift; chgrp \"$group\" \"$@\" && chmod 0640 \"$@\"";
        self.change(machine, script, &self.gid.to_string(), files).await
    }

    /// Gives it files or directories, which nobody else but root may use.
    ///
    /// # Errors
    /// [`ExecError`] if the machine refuses.
    pub async fn own(&self, machine: &Machine, files: &[&Path]) -> Result<(), ExecError> {
        let script = "owner=$1; shift; chown \"$owner\" \"$@\" && chmod u=rwX,go= \"$@\"";
        self.change(machine, script, &format!("{}:{}", self.uid, self.gid), files).await
    }

    async fn change(
        &self,
        machine: &Machine,
        script: &str,
        whom: &str,
        files: &[&Path],
    ) -> Result<(), ExecError> {
        let files = files.iter().map(|file| file.to_string_lossy().into_owned());
        let argv: Vec<String> =
            ["sh", "-c", script, "account", whom].map(str::to_owned).into_iter().chain(files).collect();
        machine.run(&argv).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, chown};

    #[tokio::test]
    async fn every_directory_on_the_way_counts_and_so_does_the_group() {
        let Some(account) = Account::find() else { panic!("libvirt's package makes this account") };
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("image");
        std::fs::write(&file, "").unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
        let machine = Machine::local();
        let may = async |mode: u32, gid: Option<u32>| {
            std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(mode)).unwrap();
            chown(&file, None, gid).unwrap();
            let read = account.may(&machine, Access::Read, &file).await;
            (read, account.may(&machine, Access::Write, &file).await)
        };
        assert_eq!(may(0o711, Some(0)).await, (false, false));
        assert_eq!(may(0o711, Some(account.gid)).await, (true, false));
        assert_eq!(may(0o700, None).await, (false, false));
    }
}
