//! Files with the pressure (PSI) of a guest's control group: how long it waited for a CPU. Pure.

/// Where control groups of version 2 are mounted: alone, or beside version 1.
const ROOTS: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];

/// `/proc/<pid>/cgroup` of a QEMU -> the files that may hold the pressure of its guest's group; none where it is not in a guest's group.
pub fn files(groups: &str) -> impl Iterator<Item = String> {
    ROOTS.iter().filter_map(|root| Some(format!("{root}{}/cpu.pressure", group(groups)?)))
}

/// The group above libvirt's own for vCPUs and emulator; the pressure of any other group is not the guest's.
fn group(groups: &str) -> Option<&str> {
    let path = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    let path = path.strip_suffix("/emulator").unwrap_or(path);
    let path = path.strip_suffix("/libvirt").unwrap_or(path);
    path.starts_with("/machine").then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_is_the_guests_and_not_that_of_one_of_its_parts() {
        let file = |path: &str| files(&format!("4:memory:/a\n0::{path}\n")).next().unwrap_or_default();
        let whole = "/sys/fs/cgroup/machine/qemu-3-kf/cpu.pressure";
        assert_eq!(file("/machine/qemu-3-kf/libvirt/emulator"), whole);
        assert_eq!(file("/machine/qemu-3-kf/emulator"), whole);
        assert_eq!(file("/machine/qemu-3-kf"), whole);
    }

    #[test]
    fn a_process_outside_a_guests_group_has_no_pressure_of_its_own() {
        assert_eq!(files("0::/user.slice/session-1.scope\n").count(), 0);
        assert_eq!(files("4:cpu:/machine/qemu-3-kf/emulator\n").count(), 0);
    }
}
