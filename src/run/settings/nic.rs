//! The proof of the settings of the NIC under test: inside the guest, and on QEMU's command line. Pure.

use serde_json::Value;

use crate::backend::{Datapath, Nic, NicModel};
use crate::raw::Check;
use crate::run::guest_check::check;

/// Checksums and segmentation that a virtio NIC leaves to the other end, by the numbers of their feature bits (virtio
/// specification, 5.1.3): CSUM, GUEST_CSUM, GUEST_TSO4, GUEST_TSO6, HOST_TSO4, HOST_TSO6.
const OFFLOADS: [usize; 6] = [0, 1, 7, 8, 11, 12];

/// What the guest's `/sys` shows of the NIC: number of its receive queues, feature bits that driver and device agreed on.
pub(in crate::run) fn inside(shown: &[&str], guest: u32, nic: &Nic, offloads: Option<bool>) -> Vec<Check> {
    let queues = nic.queues.map(|queues| check(guest, "queue pairs of the test NIC", queues, shown.first()));
    let expected = offloads.map(|on| if on { "on" } else { "off" });
    let found = shown.get(1).and_then(|bits| offloaded(bits));
    let offloads = expected.map(|expected| check(guest, "offloads of the test NIC", expected, found));
    [queues, offloads].into_iter().flatten().collect()
}

/// `on`, `off`, or how many of them are on.
fn offloaded(bits: &str) -> Option<String> {
    let bit = |number: &usize| bits.as_bytes().get(*number).filter(|bit| matches!(bit, b'0' | b'1'));
    let all: Vec<&u8> = OFFLOADS.iter().map(bit).collect::<Option<_>>()?;
    Some(match all.iter().filter(|bit| ***bit == b'1').count() {
        0 => "off".into(),
        6 => "on".into(),
        some => format!("{some} of 6 on"),
    })
}

/// The size of its queues, where one was asked for.
pub(in crate::run) fn in_qemu(words: &[String], guest: u32, nic: &Nic) -> Vec<Check> {
    let Some(size) = nic.queue_size.filter(|_| nic.model == NicModel::Virtio) else { return Vec::new() };
    let found = |property: &str| words.iter().find_map(|word| property_of(word, &nic.mac, property));
    let receive = check(guest, "descriptors of a receive queue", size, found("rx_queue_size"));
    let transmit = (nic.datapath == Datapath::VhostUser)
        .then(|| check(guest, "descriptors of a transmit queue", size, found("tx_queue_size")));
    [receive].into_iter().chain(transmit).collect()
}

/// A property in the argument of `-device` for the NIC with this MAC: JSON, or as older libvirts write it.
fn property_of(word: &str, mac: &str, property: &str) -> Option<String> {
    if let Ok(Value::Object(device)) = serde_json::from_str(word) {
        return (device.get("mac")? == mac).then(|| device.get(property).map(Value::to_string))?;
    }
    let pairs = || word.split(',').filter_map(|pair| pair.split_once('='));
    let of = |key: &str| pairs().find(|(name, _)| *name == key).map(|(_, value)| value.to_owned());
    (of("mac")? == mac).then(|| of(property))?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::NicSource;

    fn nic() -> Nic {
        Nic {
            source: NicSource::Existing { device: "kf-abc234-v1".into() },
            mac: "52:54:00:74:00:01".into(),
            model: NicModel::Virtio,
            datapath: Datapath::Userspace,
            driver: "virtio_net".into(),
            mtu: 1500,
            queues: Some(2),
            queue_size: Some(512),
            offloads: true,
        }
    }

    fn bits(on: &[usize]) -> String {
        (0..64).map(|number| if on.contains(&number) { '1' } else { '0' }).collect()
    }

    #[test]
    fn offloads_are_on_or_off_or_in_between() {
        assert_eq!(offloaded(&bits(&OFFLOADS)).as_deref(), Some("on"));
        assert_eq!(offloaded(&bits(&[5, 16, 32])).as_deref(), Some("off"));
        assert_eq!(offloaded(&bits(&[0, 1])).as_deref(), Some("2 of 6 on"));
        assert_eq!(offloaded("none"), None);
    }

    #[test]
    fn a_guest_with_fewer_queues_than_asked_for_is_found_out() {
        let bits = bits(&[]);
        assert!(inside(&["2", &bits], 1, &nic(), Some(false)).iter().all(Check::holds));
        assert!(!inside(&["1", &bits], 1, &nic(), None)[0].holds());
        assert!(!inside(&[], 1, &nic(), Some(true)).iter().any(Check::holds));
    }

    #[test]
    fn the_queue_size_is_that_of_the_nic_under_test() {
        let words = |size: u32, mac: &str| {
            let device = format!(r#"{{"driver":"virtio-net-pci","rx_queue_size":{size},"mac":"{mac}"}}"#);
            vec!["-device".to_owned(), device]
        };
        assert!(in_qemu(&words(512, "52:54:00:74:00:01"), 1, &nic())[0].holds());
        assert!(!in_qemu(&words(256, "52:54:00:74:00:01"), 1, &nic())[0].holds());
        assert!(!in_qemu(&words(512, "52:54:00:6d:00:01"), 1, &nic())[0].holds());
        let older = ["virtio-net-pci,rx_queue_size=512,netdev=n,mac=52:54:00:74:00:01".to_owned()];
        assert!(in_qemu(&older, 1, &nic())[0].holds());
        assert!(in_qemu(&[], 1, &Nic { queue_size: None, ..nic() }).is_empty());
    }
}
