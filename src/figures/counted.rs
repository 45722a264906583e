//! What was counted beside netperf: packets and bytes of all targets, over whole flows.
//!
//! Not over the window: at its edges both counts are interpolated, and on a machine that stalls, the error of that is larger
//! than what the witness is asked about. Summed over all targets, so that a guest that hardly moved cannot spoil a ratio.

use std::ops::Add;

use crate::profile::Role;
use crate::profile::groups::of_guest;
use crate::sample::{HostSample, Interval, NicPackets, RawTrial};

/// Packets and bytes of both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    pub from_target: Count,
    pub to_target: Count,
}

/// One direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub packets: u64,
    pub bytes: u64,
}

impl Counted {
    /// `None` unless the counters were read before the first flow started and after the last one ended.
    pub fn of(raw: &RawTrial) -> Option<Counted> {
        let (from_s, counted, until_s) = inside(raw).or_else(|| outside(raw))?;
        let mut intervals = raw.flows.iter().flat_map(|flow| &flow.intervals);
        let covered = |i: &Interval| from_s <= i.end_s - i.length_s && i.end_s <= until_s;
        intervals.all(covered).then_some(counted)
    }

    fn since(self, before: Counted) -> Option<Counted> {
        let from_target = self.from_target.since(before.from_target)?;
        Some(Counted { from_target, to_target: self.to_target.since(before.to_target)? })
    }
}

impl Count {
    /// `None` if a counter ran backwards.
    fn since(self, before: Count) -> Option<Count> {
        let packets = self.packets.checked_sub(before.packets)?;
        Some(Count { packets, bytes: self.bytes.checked_sub(before.bytes)? })
    }
}

impl Add for Counted {
    type Output = Counted;

    fn add(self, other: Counted) -> Counted {
        let sum = |a: Count, b: Count| Count { packets: a.packets + b.packets, bytes: a.bytes + b.bytes };
        Counted {
            from_target: sum(self.from_target, other.from_target),
            to_target: sum(self.to_target, other.to_target),
        }
    }
}

/// At the host's interfaces, and from when to when.
fn outside(raw: &RawTrial) -> Option<(f64, Counted, f64)> {
    let (first, last) = (raw.host.first()?, raw.host.last()?);
    Some((first.at_s, at_host(raw, last).since(at_host(raw, first))?, last.at_s))
}

/// Whether a guest carried measured flows; bare metal does.
fn is_measured(raw: &RawTrial, guest: u32) -> bool {
    of_guest(&raw.groups, guest).is_none_or(|group| group.role == Role::Measured)
}

fn at_host(raw: &RawTrial, sample: &HostSample) -> Counted {
    let measured = sample.targets.iter().zip(1..).filter(|(_, guest)| is_measured(raw, *guest));
    let targets = measured.map(|(target, _)| Counted {
        from_target: Count { packets: target.from_target_packets, bytes: target.from_target_bytes },
        to_target: Count { packets: target.to_target_packets, bytes: target.to_target_bytes },
    });
    targets.fold(Counted::default(), Add::add)
}

/// In the guests, where the host sees no packet.
fn inside(raw: &RawTrial) -> Option<(f64, Counted, f64)> {
    let measured = raw.guests.iter().filter(|guest| is_measured(raw, guest.guest));
    let readings = measured.map(|guest| match guest.nic.as_slice() {
        [first, .., last] => Some((first, last)),
        _ => None,
    });
    let readings: Vec<_> =
        readings.collect::<Option<_>>().filter(|readings: &Vec<_>| !readings.is_empty())?;
    let gained = readings.iter().map(|(first, last)| at_guest(last.1).since(at_guest(first.1)));
    let counted = gained.collect::<Option<Vec<_>>>()?.into_iter().fold(Counted::default(), Add::add);
    let from_s = readings.iter().map(|(first, _)| first.0).fold(f64::MIN, f64::max);
    let until_s = readings.iter().map(|(_, last)| last.0).fold(f64::MAX, f64::min);
    Some((from_s, counted, until_s))
}

fn at_guest(nic: NicPackets) -> Counted {
    Counted {
        from_target: Count { packets: nic.sent, bytes: nic.sent_bytes },
        to_target: Count { packets: nic.received, bytes: nic.received_bytes },
    }
}
