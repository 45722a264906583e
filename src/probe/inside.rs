//! What one command run in a guest says: its own CPU times, and the driver of its NIC. Pure.

use crate::sample::CpuTimes;

use super::proc;

/// `USER_HZ` of the guest: 100 on every architecture that Linux runs on as a KVM guest.
const TICKS_PER_S: f64 = 100.0;

/// The command for [`cpu_times`].
pub const CPU_TIMES: &str = "cat /proc/stat";

/// The command for [`driver`] of one interface.
pub fn driver_command(interface: &str) -> Vec<String> {
    vec!["readlink".into(), format!("/sys/class/net/{interface}/device/driver")]
}

/// The guest's own `/proc/stat`; lines before it (a banner, a warning of the shell) are passed over.
pub fn cpu_times(output: &str) -> Option<CpuTimes> {
    let start = output.lines().position(|line| line.starts_with("cpu "))?;
    proc::cpu_times(output.lines().nth(start)?, TICKS_PER_S)
}

/// The driver's name, for example `virtio_net`; `None` if the NIC has none (or is no device, as a bridge).
pub fn driver(output: &str) -> Option<&str> {
    let name = output.trim().rsplit_once('/')?.1;
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_driver_is_the_end_of_the_link() {
        assert_eq!(driver("../../../../bus/virtio/drivers/virtio_net\n"), Some("virtio_net"));
        assert_eq!(driver("../../../bus/pci/drivers/e1000\n"), Some("e1000"));
    }

    #[test]
    fn a_nic_without_a_driver_has_none() {
        assert_eq!(driver(""), None);
        assert_eq!(driver("readlink: no such file"), None);
    }

    #[test]
    fn a_banner_before_the_counters_is_passed_over() {
        let times = cpu_times("Welcome\ncpu  100 0 50 2000 0 0 10 300 0 0\ncpu0 1\n").unwrap();
        assert_eq!((times.user, times.steal), (1.0, 3.0));
        assert_eq!(cpu_times("Welcome\n"), None);
    }
}
