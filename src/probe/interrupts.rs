//! Interrupts of NICs by queue: the output of a script on the host or in a guest -> counters. Pure.
//!
//! Lines are found by the device's interrupt numbers, not by name: drivers name them after the interface as it was called when
//! it was brought up, and a function that is passed through has no interface.

use crate::raw::Irq;

/// `sh -c SCRIPT interrupts (NAME | MAC | PCI)...`
pub const SCRIPT: &str = include_str!("interrupts.sh");

/// The counters that the script printed; other lines are ignored.
pub fn interrupts(output: &str) -> Vec<Irq> {
    let mut irqs = Vec::new();
    let mut nic = None;
    for line in output.lines() {
        match line.strip_prefix("== nic ") {
            Some(name) => nic = Some(name),
            None => irqs.extend(nic.and_then(|nic| irq(nic, line))),
        }
    }
    irqs
}

/// `38:  0  2940  PCI-MSIX-0000:00:03.0   1-edge      virtio2-input.0`: a count for each CPU, then the interrupt
/// controller, and after the last wide gap the device.
fn irq(nic: &str, line: &str) -> Option<Irq> {
    let (irq, rest) = line.split_once(':')?;
    let irq = irq.trim().parse().ok()?;
    let counts = rest.split_ascii_whitespace().map_while(|word| word.parse::<u64>().ok());
    let counts: Vec<u64> = counts.collect();
    let (_, name) = rest.trim_end().rsplit_once("  ")?;
    (!counts.is_empty()).then(|| Irq {
        nic: nic.to_owned(),
        irq,
        name: name.trim().to_owned(),
        count: counts.into_iter().fold(0, u64::saturating_add), // a guest prints what it likes
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(output: &str) -> Vec<(u32, String, u64)> {
        interrupts(output).into_iter().map(|irq| (irq.irq, irq.name, irq.count)).collect()
    }

    /// Output of real guests with two CPUs.
    const VIRTIO: &str = include_str!("../../tests/fixtures/proc/inside_virtio_two_queues");
    const E1000E: &str = include_str!("../../tests/fixtures/proc/inside_e1000e");

    #[test]
    fn every_queue_of_a_real_guest_is_read_and_nothing_else() {
        let names = |output| read(output).into_iter().map(|(irq, name, _)| (irq, name)).collect::<Vec<_>>();
        let queues =
            ["config", "input.0", "output.0", "input.1", "output.1"].map(|queue| format!("virtio1-{queue}"));
        assert_eq!(names(VIRTIO), (30..).zip(queues).collect::<Vec<_>>());
        assert_eq!(read(VIRTIO)[1].2, 11_106, "both CPUs");
        let e1000e = ["eth1-rx-0", "eth1-tx-0", "eth1"].map(str::to_owned);
        assert_eq!(names(E1000E), (30..).zip(e1000e).collect::<Vec<_>>());
        assert!(super::super::guest_counters::cpu_times(VIRTIO).is_some());
    }

    #[test]
    fn counts_of_all_cpus_are_added() {
        let output =
            "== nic eth0\n 38:          7       2940 PCI-MSIX-0000:00:03.0   1-edge      virtio2-input.0\n";
        assert_eq!(read(output), [(38, "virtio2-input.0".into(), 2947)]);
        assert_eq!(interrupts(output)[0].nic, "eth0");
    }

    #[test]
    fn counts_that_no_machine_can_have_stay_within_their_type() {
        let output = format!("== nic eth0\n 38: {} 1  chip  name\n", u64::MAX);
        assert_eq!(read(&output), [(38, "name".into(), u64::MAX)]);
    }

    #[test]
    fn a_line_that_devices_share_keeps_all_names() {
        let output = "== nic lan\n 11:  90  IO-APIC  11-fasteoi   virtio0, eth1\n";
        assert_eq!(read(output), [(11, "virtio0, eth1".into(), 90)]);
    }

    #[test]
    fn a_function_that_a_guest_drives_is_found_by_its_address() {
        let output = "== nic 0000:01:10.0\n 54:  3  4  IR-PCI-MSIX-0000:01:10.0    0-edge      vfio-msix[0](0000:01:10.0)\n";
        assert_eq!(read(output), [(54, "vfio-msix[0](0000:01:10.0)".into(), 7)]);
    }

    #[test]
    fn a_nic_without_interrupts_and_noise_give_no_counters() {
        assert_eq!(
            read("Welcome\n 1: 2 3  chip  name\n== nic kf-abc234-w0\nNMI:  0  0   Non-maskable interrupts\n"),
            []
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "(== nic [a-z]{0,3}|[ 0-9:]{0,30}|.|  |\n){0,20}") {
            interrupts(&text);
        }
    }
}
