//! What was counted beside netperf: packets and bytes of some targets, over whole flows.
//!
//! Not over the window: at its edges both counts are interpolated, and on a machine that stalls, the error of that is larger
//! than what the packet check is asked about.

use std::ops::Add;

use crate::profile::Role;
use crate::profile::groups::of_guest;
use crate::raw::{HostSample, InterimResult, NicPackets, RawTrial};

/// Packets and bytes of both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PacketCount {
    pub from_target: Count,
    pub to_target: Count,
}

/// One direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub packets: u64,
    pub bytes: u64,
}

impl PacketCount {
    /// Of the measured guests among `wanted`, or of bare metal; `None` unless the counters were read before the first flow
    /// started and after the last one ended.
    pub fn add_up(raw: &RawTrial, wanted: impl Fn(u32) -> bool) -> Option<PacketCount> {
        let measured = |guest: u32| wanted(guest) && is_measured(raw, guest);
        let (from_s, counted, until_s) = inside(raw, &measured).or_else(|| outside(raw, &measured))?;
        let mut intervals = raw.flows.iter().flat_map(|flow| &flow.intervals);
        let covered = |i: &InterimResult| from_s <= i.end_s - i.length_s && i.end_s <= until_s;
        intervals.all(covered).then_some(counted)
    }

    fn since(self, before: PacketCount) -> Option<PacketCount> {
        let from_target = self.from_target.since(before.from_target)?;
        Some(PacketCount { from_target, to_target: self.to_target.since(before.to_target)? })
    }
}

impl Count {
    /// `None` if a counter ran backwards.
    fn since(self, before: Count) -> Option<Count> {
        let packets = self.packets.checked_sub(before.packets)?;
        Some(Count { packets, bytes: self.bytes.checked_sub(before.bytes)? })
    }
}

impl Add for PacketCount {
    type Output = PacketCount;

    fn add(self, other: PacketCount) -> PacketCount {
        let sum = |a: Count, b: Count| Count { packets: a.packets + b.packets, bytes: a.bytes + b.bytes };
        PacketCount {
            from_target: sum(self.from_target, other.from_target),
            to_target: sum(self.to_target, other.to_target),
        }
    }
}

/// At the host's interfaces, and from when to when.
fn outside(raw: &RawTrial, wanted: &dyn Fn(u32) -> bool) -> Option<(f64, PacketCount, f64)> {
    let (first, last) = (raw.host.first()?, raw.host.last()?);
    Some((first.at_s, at_host(last, wanted).since(at_host(first, wanted))?, last.at_s))
}

/// Whether a guest carried measured flows; bare metal does.
fn is_measured(raw: &RawTrial, guest: u32) -> bool {
    of_guest(&raw.groups, guest).is_none_or(|group| group.role == Role::Measured)
}

/// The only target of bare metal counts as guest 1.
fn at_host(sample: &HostSample, wanted: &dyn Fn(u32) -> bool) -> PacketCount {
    let own = sample.targets.iter().zip(1..).filter(|(_, guest)| wanted(*guest));
    let targets = own.map(|(target, _)| PacketCount {
        from_target: Count { packets: target.from_target_packets, bytes: target.from_target_bytes },
        to_target: Count { packets: target.to_target_packets, bytes: target.to_target_bytes },
    });
    targets.fold(PacketCount::default(), Add::add)
}

/// In the guests, where the host sees no packet.
fn inside(raw: &RawTrial, wanted: &dyn Fn(u32) -> bool) -> Option<(f64, PacketCount, f64)> {
    let own = raw.guests.iter().filter(|guest| wanted(guest.guest));
    let readings = own.map(|guest| match guest.nic.as_slice() {
        [first, .., last] => Some((first, last)),
        _ => None,
    });
    let readings: Vec<_> =
        readings.collect::<Option<_>>().filter(|readings: &Vec<_>| !readings.is_empty())?;
    let gained = readings.iter().map(|(first, last)| at_guest(last.1).since(at_guest(first.1)));
    let counted = gained.collect::<Option<Vec<_>>>()?.into_iter().fold(PacketCount::default(), Add::add);
    let from_s = readings.iter().map(|(first, _)| first.0).fold(f64::MIN, f64::max);
    let until_s = readings.iter().map(|(_, last)| last.0).fold(f64::MAX, f64::min);
    Some((from_s, counted, until_s))
}

fn at_guest(nic: NicPackets) -> PacketCount {
    PacketCount {
        from_target: Count { packets: nic.sent, bytes: nic.sent_bytes },
        to_target: Count { packets: nic.received, bytes: nic.received_bytes },
    }
}
