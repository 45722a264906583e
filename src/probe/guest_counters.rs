//! A guest's own counters: its CPU times, interrupts and packets of its NICs, as a command in it prints them. Pure.

use crate::raw::{CpuTimes, NicPackets};

use super::proc;

/// The command that prints the counters once for each line that it reads, as [`cpu_times`], [`interrupts`] and [`nic_packets`]
/// parse them. `mac` is the NIC under test.
///
/// [`interrupts`]: super::interrupts::interrupts
pub fn command(mac: Option<&str>) -> Vec<String> {
    let words = ["sh", "-c", SCRIPT, "counters"].into_iter().chain(mac);
    words.map(str::to_owned).collect()
}

/// Shell builtins where possible: it runs in the guest that is measured.
const SCRIPT: &str = concat!(
    "while read -r _; do\nread -r line </proc/stat; echo \"$line\"\n",
    include_str!("interrupts.sh"),
    include_str!("packets.sh"),
    "echo '== end'\ndone"
);

/// The guest's own `/proc/stat`; lines before it (a banner, a warning of the shell) are ignored.
pub fn cpu_times(output: &str) -> Option<CpuTimes> {
    let start = output.lines().position(|line| line.starts_with("cpu "))?;
    proc::cpu_times(output.lines().nth(start)?, proc::USER_HZ)
}

/// The counters of the NIC with this MAC.
pub fn nic_packets(output: &str, mac: &str) -> Option<NicPackets> {
    let line = output.lines().find_map(|line| line.strip_prefix(mac)?.strip_prefix(' '))?;
    let numbers = line.split_whitespace().map(|word| word.parse().ok()).collect::<Option<Vec<u64>>>()?;
    let [received, sent, received_bytes, sent_bytes] = numbers.try_into().ok()?;
    Some(NicPackets { received, sent, received_bytes, sent_bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counters_of_a_nic_are_found_by_its_mac() {
        let output = "00:00:00:00:00:00 4 4 9 9\n52:54:00:74:00:01 120 118 9000 8000\n";
        let counters = NicPackets { received: 120, sent: 118, received_bytes: 9000, sent_bytes: 8000 };
        assert_eq!(nic_packets(output, "52:54:00:74:00:01"), Some(counters));
        assert_eq!(nic_packets(output, "52:54:00:74:00:02"), None);
    }

    #[test]
    fn a_banner_before_the_counters_is_passed_over() {
        let times = cpu_times("Welcome\ncpu  100 0 50 2000 0 0 10 300 0 0\ncpu0 1\n").unwrap();
        assert_eq!((times.user, times.steal), (1.0, 3.0));
        assert_eq!(cpu_times("Welcome\n"), None);
    }
}
