//! How often, and why, KVM left the guests: read just before and just after the window, from the source that counts.

use std::collections::BTreeMap;

use super::every_guest::script;
use super::lab_session::LabSession;
use crate::backend::Side;
use crate::clock::wall_clock;
use crate::probe::exits::{self, KernelCounters};
use crate::profile::{Configuration, ExitChoice};
use crate::raw::{Accel, Check, ExitSource, RawGuest};

/// Enables a source that counts the exits of the running guests, and proves it where the host was changed for it.
pub(super) async fn prepare(session: &mut LabSession, configuration: &Configuration) -> Option<Check> {
    if session.accel != Accel::Kvm || configuration.vms == 0 {
        return None;
    }
    let choice = session.experiment.host.exits;
    let trace = match choice {
        ExitChoice::Tracepoint => true,
        ExitChoice::Auto => !counted_without_tracing(session).await,
        ExitChoice::QueryStats | ExitChoice::Debugfs => false,
    };
    if trace && let Err(error) = session.lab.trace_exits().await {
        tracing::warn!(%error, "the kernel does not count exits by reason");
    }
    let wanted = session.lab.exits_traced().is_some() || choice == ExitChoice::Tracepoint;
    if wanted { Some(proof(session).await) } else { None }
}

/// Whether QEMU or KVM's statistics count the exits of the first guest.
async fn counted_without_tracing(session: &LabSession) -> bool {
    let Some(guest) = session.fleet.get(1) else { return true };
    let answer = session.fleet.monitor(1, exits::QUERY).await;
    if answer.is_some_and(|answer| exits::exits(&answer).is_some()) {
        return true;
    }
    kernel_counters(session, &Vec::from_iter(guest.pid)).await.values().any(|guest| guest.debugfs.is_some())
}

async fn proof(session: &LabSession) -> Check {
    let trigger = session.lab.exits_traced().map(|path| format!("{path}/events/kvm/kvm_exit/trigger"));
    let text = match trigger {
        Some(path) => session.lab.side(Side::Host).read(&path).await.unwrap_or_default(),
        None => String::new(),
    };
    let found = if text.contains("[active]") { "active" } else { "nothing" };
    Check { what: "host: histogram of KVM's exits".into(), expected: "active".into(), found: found.into() }
}

/// Adds the present counters to those of each guest; nothing where no source counts.
pub(super) async fn add(session: &LabSession, configuration: &Configuration, guests: &mut [RawGuest]) {
    let choice = session.experiment.host.exits;
    let mut unknown = Vec::new();
    for guest in guests.iter_mut().filter(|guest| guest.guest <= configuration.vms) {
        let answer = match choice {
            ExitChoice::Auto | ExitChoice::QueryStats => {
                session.fleet.monitor(guest.guest, exits::QUERY).await
            }
            ExitChoice::Debugfs | ExitChoice::Tracepoint => None,
        };
        let at_s = wall_clock();
        match answer.and_then(|answer| exits::exits(&answer)) {
            Some(counters) => add_counters(guest, ExitSource::QueryStats, at_s, counters),
            None => unknown.push(guest),
        }
    }
    if choice != ExitChoice::QueryStats && !unknown.is_empty() {
        add_from_kernel(session, choice, unknown).await;
    }
}

async fn add_from_kernel(session: &LabSession, choice: ExitChoice, guests: Vec<&mut RawGuest>) {
    let pid = |guest: &RawGuest| session.fleet.get(guest.guest).and_then(|guest| guest.pid);
    let pids: Vec<i32> = guests.iter().filter_map(|guest| pid(guest)).collect();
    let mut found = kernel_counters(session, &pids).await;
    let at_s = wall_clock();
    for guest in guests {
        let counted = pid(guest).and_then(|pid| found.remove(&pid)).unwrap_or_default();
        let debugfs = counted.debugfs.filter(|_| choice != ExitChoice::Tracepoint);
        match (debugfs, counted.tracepoint) {
            (Some(counters), _) => add_counters(guest, ExitSource::Debugfs, at_s, counters),
            (None, Some(counters)) => add_counters(guest, ExitSource::Tracepoint, at_s, counters),
            (None, None) => {}
        }
    }
}

/// Counters of different sources have different beginnings: the first one stays.
fn add_counters(guest: &mut RawGuest, source: ExitSource, at_s: f64, counters: exits::Counters) {
    if *guest.exits_from.get_or_insert(source) == source {
        guest.exits.push((at_s, counters));
    }
}

async fn kernel_counters(session: &LabSession, pids: &[i32]) -> BTreeMap<i32, KernelCounters> {
    let instance = session.lab.exits_traced().unwrap_or_default().to_owned();
    let words: Vec<String> = [instance].into_iter().chain(pids.iter().map(i32::to_string)).collect();
    let output = session.lab.side(Side::Host).run(&script(exits::SCRIPT, "exits", &words)).await;
    output.map(|output| exits::kernel_counters(&output.stdout)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_of_another_source_than_the_first_are_left_out() {
        let mut guest = RawGuest::new(1, "kf-test-1");
        let counters = |count| exits::Counters::from([("exits".to_owned(), count)]);
        add_counters(&mut guest, ExitSource::Debugfs, 1.0, counters(5));
        add_counters(&mut guest, ExitSource::Tracepoint, 2.0, counters(1));
        assert_eq!((guest.exits_from, guest.exits), (Some(ExitSource::Debugfs), vec![(1.0, counters(5))]));
    }
}
