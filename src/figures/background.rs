//! Whether the background load was there: a guest that should burn is busy by its own account, a stream runs through the
//! whole window.

use super::outcome::MIN_COVERAGE_PERCENT;
use super::{GuestFigures, Numbers, Reason, host};
use crate::profile::{Role, groups};
use crate::raw::{CpuTimes, RawTrial};

/// Least busy part of a burning guest's own CPUs, %. What was stolen from it, it would have burnt.
const MIN_BUSY_PERCENT: f64 = 50.0;

/// Least part of what its rate leaves for payload that a paced stream moves, %.
const MIN_PACE_PERCENT: f64 = 80.0;
/// IPv4 and TCP with timestamps, and what the tester's bucket counts beside them, bytes.
const TCP_HEADERS: f64 = 20.0 + 32.0;
const ETHERNET_HEADER: f64 = 14.0;

/// Every background load that was not what it should have been.
pub(super) fn judge(raw: &RawTrial, numbers: &Numbers) -> Vec<Reason> {
    let wrong = |guest: &GuestFigures| match guest.role {
        Role::CpuBurner => not_burning(raw, guest.guest),
        Role::NetLoad => not_streaming(raw, numbers, guest.guest),
        Role::Paced => {
            not_streaming(raw, numbers, guest.guest).or_else(|| too_slow(raw, numbers, guest.guest))
        }
        Role::Measured | Role::Idle => None,
    };
    let reason = |guest: &GuestFigures| Some(Reason::Background { guest: guest.guest, what: wrong(guest)? });
    numbers.guests.iter().filter_map(reason).collect()
}

/// Between the two snapshots of the guest: on a busy host a snapshot takes longer than the warm-up, and they do not quite cover
/// the window.
fn not_burning(raw: &RawTrial, guest: u32) -> Option<String> {
    let seen = raw.guests.iter().find(|seen| seen.guest == guest).map(|seen| seen.inside.as_slice());
    let Some([(_, first), .., (_, last)]) = seen else { return Some("its busy loops were not seen".into()) };
    let gained = |of: fn(&CpuTimes) -> f64| of(last) - of(first);
    let wanted = gained(|cpu| host::busy(cpu) + cpu.steal);
    let percent = 100.0 * wanted / (wanted + gained(host::idle)).max(f64::MIN_POSITIVE);
    (percent < MIN_BUSY_PERCENT).then(|| format!("its CPUs were busy for {percent:.0} % of the time only"))
}

fn not_streaming(raw: &RawTrial, numbers: &Numbers, guest: u32) -> Option<String> {
    let Some(flow) = raw.background.iter().find(|flow| flow.guest == guest) else {
        return Some("no stream ran".into());
    };
    let covered = 100.0 * numbers.window.coverage(flow);
    if covered < MIN_COVERAGE_PERCENT {
        return Some(format!("its stream ran for {covered:.0} % of the window only"));
    }
    (flow.exit_code != Some(0)).then(|| "its netperf ended with an error".into())
}

/// A paced stream that is slower than it should be is another background than was asked for. Faster it cannot be: the proofs
/// say what holds it.
fn too_slow(raw: &RawTrial, numbers: &Numbers, guest: u32) -> Option<String> {
    let asked = groups::of_guest(&raw.groups, guest)?.rate_bps? as f64 / 1e6;
    let mtu = f64::from(raw.configuration.mtu);
    let payload = asked * (mtu - TCP_HEADERS) / (mtu + ETHERNET_HEADER);
    let moved = numbers.window.rate(raw.background.iter().find(|flow| flow.guest == guest)?);
    (100.0 * moved < MIN_PACE_PERCENT * payload)
        .then(|| format!("its stream moved {moved:.1} of {asked} Mbit/s only"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{TrialFigures, fixture};
    use crate::profile::groups::Members;

    /// Guest 1 is measured, guest 2 has the role.
    fn told(role: Role, change: impl FnOnce(&mut RawTrial)) -> Vec<String> {
        let mut raw = fixture::trial(fixture::configuration("virtio", 2), &[1000.0, 0.0]);
        let members = |name, first, role| Members { role, ..fixture::members(name, first, 1) };
        raw.groups = vec![members("victim", 1, Role::Measured), members("noise", 2, role)];
        change(&mut raw);
        let figures = TrialFigures::compute(&raw, &fixture::timing());
        judge(&raw, &figures.numbers.unwrap()).iter().map(Reason::to_string).collect()
    }

    #[test]
    fn a_guest_that_should_burn_and_does_not_is_named() {
        let idle =
            |raw: &mut RawTrial| raw.guests[1].inside[1].1 = CpuTimes { idle: 16.0, ..CpuTimes::default() };
        assert_eq!(
            told(Role::CpuBurner, idle),
            ["background of guest 2: its CPUs were busy for 0 % of the time only"]
        );
        let stolen = |raw: &mut RawTrial| {
            raw.guests[1].inside[1].1 = CpuTimes { steal: 12.0, user: 4.0, ..CpuTimes::default() }
        };
        assert!(told(Role::CpuBurner, stolen).is_empty());
    }

    #[test]
    fn a_stream_that_does_not_run_through_the_window_is_named() {
        assert_eq!(told(Role::NetLoad, |_| {}), ["background of guest 2: no stream ran"]);
        let streaming = |raw: &mut RawTrial| raw.background = vec![fixture::flow(1, 2, 100.0)];
        assert!(told(Role::NetLoad, streaming).is_empty());
        let cut = |raw: &mut RawTrial| {
            raw.background = vec![fixture::flow(1, 2, 100.0)];
            raw.background[0].intervals.truncate(14);
        };
        assert_eq!(told(Role::NetLoad, cut).len(), 1);
    }

    #[test]
    fn a_paced_stream_that_is_slower_than_its_rate_is_named() {
        let moving = |mbps: f64| {
            move |raw: &mut RawTrial| {
                raw.groups[1].rate_bps = Some(100_000_000);
                raw.background = vec![fixture::flow(1, 2, mbps)];
            }
        };
        assert!(told(Role::Paced, moving(95.0)).is_empty());
        let slow = told(Role::Paced, moving(50.0));
        assert_eq!(slow, ["background of guest 2: its stream moved 50.0 of 100 Mbit/s only"]);
        assert_eq!(told(Role::Paced, |_| {}), ["background of guest 2: no stream ran"]);
    }

    #[test]
    fn nobody_asks_an_idle_guest() {
        assert!(told(Role::Idle, |_| {}).is_empty());
    }
}
