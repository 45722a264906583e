//! Values of `/sys` and `/proc/sys`, written back as they were.

use std::path::Path;

use super::{LabError, enter, nics};

/// Where each interface has its files.
const NICS: &str = "/sys/class/net";
/// Writes $2 into the file $1.
const WRITE: &str = "printf '%s' \"$2\" >\"$1\"";
/// The same where `/sys` shows the machine's own interfaces; $3 is the interface's directory, and goes with its NIC.
const WRITE_OUTSIDE: &str =
    "mount -t sysfs sysfs /sys || exit; [ ! -e \"$3\" ] || printf '%s' \"$2\" >\"$1\"";

/// Writes a value back. What is not there any more went with the device that it belonged to. Whether there was something to
/// write into.
///
/// # Errors
/// [`LabError::System`] if the kernel refuses, or an interface is there without the file.
pub(super) fn write_back(path: &Path, value: &str) -> Result<bool, LabError> {
    let file = path.to_string_lossy();
    // Only the machine's own network namespace has them all.
    if path.starts_with("/proc/sys/net") {
        return nics::machine(&["sh", "-c", WRITE, "value", &file, value]).map(|()| true);
    }
    match interface(path) {
        Some(nic) if !path.exists() => write_of_nic(path, value, nic),
        None if !path.exists() => Ok(false),
        _ => {
            let action = format!("write {} back into {}", value.trim(), path.display());
            std::fs::write(path, value).map(|()| true).map_err(LabError::system(action))
        }
    }
}

/// The file of an interface that is not here: it may be at home already, out of sight of a process in private namespaces.
fn write_of_nic(path: &Path, value: &str, nic: &str) -> Result<bool, LabError> {
    let (file, directory) = (path.to_string_lossy(), format!("{NICS}/{nic}"));
    if enter::machine_network().is_some() && !nic.starts_with("kf-") {
        let argv = ["unshare", "-m", "sh", "-c", WRITE_OUTSIDE, "value", &file, value, &directory];
        return nics::machine(&argv).map(|()| true);
    }
    if Path::new(&directory).exists() {
        let cause = std::io::Error::other(format!("{nic} is there without it"));
        return Err(LabError::System { action: format!("write {} back into {file}", value.trim()), cause });
    }
    Ok(false)
}

/// The interface that a file belongs to, if it does to one.
pub(super) fn interface(path: &Path) -> Option<&str> {
    path.strip_prefix(NICS).ok()?.iter().next()?.to_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::lab::change::{Change, said, script};

    const GONE: [&str; 2] = ["/sys/class/net/no-such-nic/queues/rx-0/rps_cpus", "/sys/no/such/device/value"];
    const LOST: &str = "/sys/class/net/lo/queues/rx-999/rps_cpus";

    /// What the script of other machines leaves.
    fn left_by_the_script(path: &Path, value: &str) -> Vec<String> {
        let change = Change::Value { path: path.to_owned(), value: value.to_owned() };
        let script = script([&change].into_iter());
        let ran = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        said(&String::from_utf8_lossy(&ran.stdout)).1
    }

    #[test]
    fn a_value_that_went_with_its_device_is_no_error_here_or_elsewhere() {
        for gone in GONE.map(Path::new) {
            write_back(gone, "f").unwrap();
            assert_eq!(left_by_the_script(gone, "f"), Vec::<String>::new());
        }
    }

    #[test]
    fn a_value_that_an_interface_lost_is_an_error_here_and_left_elsewhere() {
        let error = write_back(Path::new(LOST), "f\n").unwrap_err().to_string();
        assert!(error.contains(&format!("write f back into {LOST}: lo is there without it")), "{error}");
        let left = left_by_the_script(Path::new(LOST), "f\n");
        assert_eq!(left, [format!("the value of {LOST}: lo is there without it")]);
    }

    #[test]
    fn a_value_whose_file_is_there_is_written_here_and_elsewhere() {
        let (here, there) =
            (tempfile::NamedTempFile::new().unwrap(), tempfile::NamedTempFile::new().unwrap());
        write_back(here.path(), "7").unwrap();
        assert_eq!(left_by_the_script(there.path(), "7"), Vec::<String>::new());
        assert_eq!([&here, &there].map(|file| std::fs::read_to_string(file.path()).unwrap()), ["7", "7"]);
    }

    #[test]
    fn a_file_is_known_by_its_interface() {
        assert_eq!(interface(Path::new("/sys/class/net/eth1/queues/rx-0/rps_cpus")), Some("eth1"));
        assert_eq!(interface(Path::new("/sys/kernel/mm/ksm/run")), None);
    }
}
