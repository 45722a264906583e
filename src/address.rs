//! Who has which address and MAC. Pure.
//!
//! Addresses come from 198.18.0.0/15, which RFC 2544 sets aside for benchmarks: the lower half is the management network
//! (SSH, netperf's control connections), the upper half the network under test. They never leave the run's namespaces.

use std::net::Ipv4Addr;

/// Prefix length of both networks.
pub const PREFIX: u8 = 16;

/// Port on which every netserver listens.
pub const NETSERVER_PORT: u16 = 12865;

/// Which of a machine's two networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Net {
    /// SSH and netperf's control connections.
    Management,
    /// The network under test.
    Test,
}

/// Which machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Station {
    /// The VM host.
    Host,
    /// The machine that runs netperf.
    Tester,
    /// A guest, from 1.
    Guest(u32),
}

/// Guests in each /24: `.1` to `.250`.
const PER_SUBNET: u32 = 250;

/// The address of a machine.
pub fn address(net: Net, station: Station) -> Ipv4Addr {
    let second = match net {
        Net::Management => 18,
        Net::Test => 19,
    };
    let (third, fourth) = match station {
        Station::Host => (0, 1),
        Station::Tester => (0, 2),
        Station::Guest(n) => (1 + (n - 1) / PER_SUBNET, 1 + (n - 1) % PER_SUBNET),
    };
    Ipv4Addr::new(198, second, third as u8, fourth as u8)
}

/// `address/prefix`, as `ip address add` wants it.
pub fn with_prefix(net: Net, station: Station) -> String {
    format!("{}/{PREFIX}", address(net, station))
}

/// The MAC of a guest's NIC, in the range that QEMU uses.
///
/// The 16 in the last byte but one: NICs that filter by a hash of the last two bytes (Intel's; the emulated ones use one table for
/// all that is no address of their own) would let the packets of a guest with 00:01 through to everybody who has joined
/// the group of all hosts, 01:00:5e:00:00:01.
pub fn mac(net: Net, guest: u32) -> String {
    let kind = match net {
        Net::Management => 0x6d,
        Net::Test => 0x74,
    };
    format!("52:54:00:{kind:02x}:{:02x}:{:02x}", 0x10 | (guest >> 8) & 0x0f, guest & 0xff)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_thousand_guests_have_addresses_and_macs_of_their_own() {
        for net in [Net::Management, Net::Test] {
            let mut seen: HashSet<String> =
                (1..=1000).map(|n| address(net, Station::Guest(n)).to_string()).collect();
            seen.insert(address(net, Station::Host).to_string());
            seen.insert(address(net, Station::Tester).to_string());
            assert_eq!(seen.len(), 1002);
            assert_eq!((1..=1000).map(|n| mac(net, n)).collect::<HashSet<_>>().len(), 1000);
        }
    }

    #[test]
    fn no_guest_looks_like_a_group_that_every_machine_joins() {
        let hash = |mac: &str| {
            let byte = |n: usize| u32::from_str_radix(mac.split(':').nth(n).unwrap(), 16).unwrap();
            ((byte(5) << 8 | byte(4)) >> 4) & 0xfff
        };
        let groups = ["01:00:5e:00:00:01", "33:33:00:00:00:01", "33:33:00:00:00:16", "33:33:00:00:00:fb"];
        for guest in 1..=1000 {
            assert!(groups.iter().all(|group| hash(group) != hash(&mac(Net::Test, guest))), "guest {guest}");
        }
    }

    #[test]
    fn every_address_is_in_the_benchmarking_range() {
        let last = address(Net::Test, Station::Guest(1000));
        assert_eq!(last, Ipv4Addr::new(198, 19, 4, 250));
        assert_eq!(address(Net::Management, Station::Tester), Ipv4Addr::new(198, 18, 0, 2));
    }
}
