//! The guests that run already, and those that a profile adds: whether memory and CPUs are enough for all of them.

use super::host_state::{HostState, count, size};
use crate::host::facts::Facts;
use crate::host::memory::QEMU_MIB;

/// The guests of a profile, at their most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Planned {
    /// How many.
    pub guests: u32,
    /// Memory of all of them, MiB.
    pub memory_mib: u64,
    /// vCPUs of all of them.
    pub vcpus: u32,
}

/// Guests that run, or will run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct GuestTotals {
    guests: usize,
    memory_kib: u64,
    vcpus: u64,
}

/// The name of the fact with the guests of a profile; that of the running guests is `guests`.
pub(super) const PLANNED: &str = "planned guests";

impl Planned {
    /// The fact: a line of `KiB vCPUs` for each guest, the sums in the first.
    pub(super) fn fact(self) -> String {
        if self.guests == 0 {
            return String::new();
        }
        let first = format!("{} {}\n", self.memory_mib * 1024, self.vcpus);
        first + &"0 0\n".repeat(self.guests.saturating_sub(1) as usize)
    }
}

/// The guests of a fact, from lines of `KiB vCPUs`; `None` if there is no such fact.
fn totals(facts: &Facts, name: &str) -> Option<GuestTotals> {
    let mut totals = GuestTotals::default();
    for (memory, vcpus) in facts.text(name)?.lines().filter_map(|line| line.split_once(' ')) {
        totals.guests += 1;
        totals.memory_kib = totals.memory_kib.saturating_add(memory.parse().unwrap_or(0));
        totals.vcpus = totals.vcpus.saturating_add(vcpus.parse().unwrap_or(0));
    }
    Some(totals)
}

/// The running guests; `None` if libvirt did not answer.
fn running(facts: &Facts) -> Option<GuestTotals> {
    totals(facts, "guests")
}

/// The running guests and those of a profile.
fn all(facts: &Facts) -> GuestTotals {
    let (running, planned) = (running(facts).unwrap_or_default(), totals(facts, PLANNED).unwrap_or_default());
    GuestTotals {
        guests: running.guests + planned.guests,
        memory_kib: running.memory_kib.saturating_add(planned.memory_kib),
        vcpus: running.vcpus.saturating_add(planned.vcpus),
    }
}

/// Use and capacity, and which guests are counted: `2 vCPUs on 8 CPUs: 1 guest runs; the profile adds 1`.
fn usage(facts: &Facts, used: &str, capacity: &str) -> String {
    let run = running(facts)
        .map(|sum| format!("{} run{}", count(sum.guests, "guest"), if sum.guests == 1 { "s" } else { "" }));
    let silent = "libvirt does not answer".to_owned();
    match (run, totals(facts, PLANNED)) {
        (None, None) => format!("{capacity}; {silent}"),
        (Some(run), None) => format!("{used} {capacity}: {run}"),
        (run, Some(planned)) => {
            format!("{used} {capacity}: {}; the profile adds {}", run.unwrap_or(silent), planned.guests)
        }
    }
}

pub(super) fn memory(facts: &Facts) -> Result<HostState, String> {
    let all = all(facts);
    let total = facts.memory("MemTotal").ok_or("not in /proc/meminfo")?;
    let cause = facts.text("no guests").map_or(String::new(), |cause| format!(" ({cause})"));
    let usage = usage(facts, &format!("{} of", size(all.memory_kib)), &size(total)) + &cause;
    let state = match running(facts) {
        _ if all.memory_kib > total => HostState::new("short"),
        _ if all.memory_kib.saturating_add(all.guests as u64 * QEMU_MIB * 1024) > total => {
            HostState::new("tight")
        }
        Some(_) => HostState::new("enough"),
        None => return Err(usage),
    };
    Ok(state.with("usage", usage))
}

pub(super) fn cpus(facts: &Facts) -> Result<HostState, String> {
    let all = all(facts);
    let cpus = facts.cpus().ok_or("not in /proc/stat")?;
    let usage = usage(facts, &format!("{} on", count(all.vcpus as usize, "vCPU")), &count(cpus, "CPU"));
    let state = match running(facts) {
        _ if all.vcpus > cpus as u64 => HostState::new("shared"),
        Some(_) => HostState::new("enough"),
        None => return Err(usage),
    };
    Ok(state.with("usage", usage))
}

#[cfg(test)]
mod tests {
    use super::super::{Diagnosis, Rating, examine};
    use super::*;

    const HOST: &str = "/proc/meminfo:MemTotal:  8388608 kB\n/proc/stat:cpu0 1\n/proc/stat:cpu1 1\n";

    fn host(guests: &str) -> Facts {
        Facts::parse(HOST).with("guests", guests)
    }

    fn diagnose(name: &str, facts: &Facts, planned: Option<Planned>) -> Diagnosis {
        let mut subjects = examine(facts, planned).unwrap().subjects.into_iter();
        subjects.find(|subject| subject.subject == name).unwrap()
    }

    #[test]
    fn memory_is_short_when_guests_alone_have_more_and_tight_when_qemu_has_no_room_beside_them() {
        let rating = |guests| diagnose("memory for guests", &host(guests), None).rating;
        assert_eq!(rating("8388609 1\n"), Rating::Bad);
        assert_eq!(rating("4194304 1\n4194304 1\n"), Rating::Note);
        assert_eq!(rating("7340032 1\n"), Rating::Good);
        assert_eq!(rating(""), Rating::Good);
    }

    #[test]
    fn guests_of_a_profile_are_added_to_those_that_run() {
        let planned = Some(Planned { guests: 2, memory_mib: 4096, vcpus: 2 });
        let subject = diagnose("memory for guests", &host("5242880 1\n"), planned);
        assert_eq!(subject.rating, Rating::Bad);
        assert_eq!(subject.found, "9 GiB of 8 GiB: 1 guest runs; the profile adds 2");
        assert_eq!(diagnose("CPUs for guests", &host("5242880 1\n"), planned).rating, Rating::Note);
    }

    #[test]
    fn without_libvirt_a_good_rating_is_not_possible() {
        let facts = Facts::parse(HOST).with("no guests", "no socket");
        let subject = diagnose("memory for guests", &facts, None);
        assert_eq!(subject.rating, Rating::Unknown);
        assert_eq!(subject.found, "8 GiB; libvirt does not answer (no socket)");
        let planned = Some(Planned { guests: 9, memory_mib: 9216, vcpus: 9 });
        assert_eq!(diagnose("memory for guests", &facts, planned).rating, Rating::Bad);
    }
}
