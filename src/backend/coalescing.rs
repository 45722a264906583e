//! Interrupt coalescing of a NIC: what `ethtool -c` says of it, and the commands that change it. Pure.

/// How long a NIC gathers packets before it interrupts; what it does not have is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coalescing {
    /// Of received packets, µs.
    pub rx_us: Option<u32>,
    /// Of packets that were sent, µs.
    pub tx_us: Option<u32>,
    /// Whether the driver changes the first by itself.
    pub adaptive_rx: Option<bool>,
    /// Whether it changes the second by itself.
    pub adaptive_tx: Option<bool>,
}

impl Coalescing {
    /// From what `ethtool -c` says.
    pub fn read(said: &str) -> Coalescing {
        let value = |name: &str| said.lines().find_map(|line| line.trim().strip_prefix(name)).map(str::trim);
        let us = |name| value(name)?.parse().ok();
        let adaptive = value("Adaptive RX:").and_then(|rest| rest.split_once("TX:"));
        let switch = |word: &str| match word.trim() {
            "on" => Some(true),
            "off" => Some(false),
            _ => None,
        };
        Coalescing {
            rx_us: us("rx-usecs:"),
            tx_us: us("tx-usecs:"),
            adaptive_rx: adaptive.and_then(|(rx, _)| switch(rx)),
            adaptive_tx: adaptive.and_then(|(_, tx)| switch(tx)),
        }
    }

    /// What has to change for these times; a driver that chooses by itself would overrule them.
    pub fn change_to(&self, rx_us: Option<u32>, tx_us: Option<u32>) -> Coalescing {
        let overrules = |asked: Option<u32>, adaptive: Option<bool>| {
            (asked.is_some() && adaptive == Some(true)).then_some(false)
        };
        Coalescing {
            rx_us: rx_us.filter(|_| self.rx_us != rx_us),
            tx_us: tx_us.filter(|_| self.tx_us != tx_us),
            adaptive_rx: overrules(rx_us, self.adaptive_rx),
            adaptive_tx: overrules(tx_us, self.adaptive_tx),
        }
    }

    /// These values, where a change has one: what takes it back.
    pub fn where_changed(&self, change: &Coalescing) -> Coalescing {
        Coalescing {
            rx_us: self.rx_us.filter(|_| change.rx_us.is_some()),
            tx_us: self.tx_us.filter(|_| change.tx_us.is_some()),
            adaptive_rx: self.adaptive_rx.filter(|_| change.adaptive_rx.is_some()),
            adaptive_tx: self.adaptive_tx.filter(|_| change.adaptive_tx.is_some()),
        }
    }

    /// The command that writes these values; `None` if there are none. ethtool ends with 80 where all is so already.
    pub fn command(&self, nic: &str) -> Option<Vec<String>> {
        let switch = |on: bool| if on { "on" } else { "off" }.to_owned();
        let values = [
            ("adaptive-rx", self.adaptive_rx.map(switch)),
            ("adaptive-tx", self.adaptive_tx.map(switch)),
            ("rx-usecs", self.rx_us.map(|us| us.to_string())),
            ("tx-usecs", self.tx_us.map(|us| us.to_string())),
        ];
        let known = values.into_iter().filter_map(|(name, value)| Some([name.to_owned(), value?]));
        let words: Vec<String> = known.flatten().collect();
        let head = ["sh", "-c", "ethtool -C \"$@\" || [ $? -eq 80 ]", "coalesce", nic].map(str::to_owned);
        (!words.is_empty()).then(|| head.into_iter().chain(words).collect())
    }
}

/// The command that asks a NIC.
pub fn ask(nic: &str) -> [&str; 3] {
    ["ethtool", "-c", nic]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ethtool 6.1 of a virtio NIC, which can coalesce, and of a tap, which cannot.
    const VIRTIO: &str = include_str!("../../tests/fixtures/ethtool/coalesce_virtio");
    const TAP: &str = include_str!("../../tests/fixtures/ethtool/coalesce_tap");

    #[test]
    fn what_real_nics_say_is_read() {
        let virtio = Coalescing::read(VIRTIO);
        assert_eq!((virtio.rx_us, virtio.tx_us), (Some(0), Some(0)));
        assert_eq!((virtio.adaptive_rx, virtio.adaptive_tx), (Some(false), None));
        assert_eq!(Coalescing::read(TAP), Coalescing::default());
    }

    #[test]
    fn a_change_and_what_takes_it_back_name_the_same_values() {
        let now = Coalescing { rx_us: Some(3), tx_us: Some(8), adaptive_rx: Some(true), adaptive_tx: None };
        let change = now.change_to(Some(50), Some(8));
        let words = |c: Coalescing| c.command("eth1").map(|argv| argv[4..].join(" "));
        assert_eq!(words(change).as_deref(), Some("eth1 adaptive-rx off rx-usecs 50"));
        assert_eq!(words(now.where_changed(&change)).as_deref(), Some("eth1 adaptive-rx on rx-usecs 3"));
    }

    #[test]
    fn what_is_so_already_needs_no_command() {
        let now = Coalescing { rx_us: Some(3), ..Coalescing::default() };
        assert_eq!(now.change_to(Some(3), None).command("eth1"), None);
    }
}
