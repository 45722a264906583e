//! The guests that run already, and those that a profile adds: whether memory and CPUs are enough for all of them.

use super::subject::{Subject, Verdict, count, size};
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

/// Guests, memory in KiB, vCPUs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    guests: usize,
    memory: u64,
    vcpus: u64,
}

/// The running guests, from lines of `KiB vCPUs`; `None` if libvirt did not answer.
fn running(facts: &Facts) -> Option<Sum> {
    let guest = |line: &str| {
        let (memory, vcpus) = line.split_once(' ')?;
        Some((memory.parse::<u64>().ok()?, vcpus.parse::<u64>().ok()?))
    };
    let guests: Vec<(u64, u64)> = facts.text("guests")?.lines().filter_map(guest).collect();
    Some(Sum {
        guests: guests.len(),
        memory: guests.iter().map(|(memory, _)| memory).sum(),
        vcpus: guests.iter().map(|(_, vcpus)| vcpus).sum(),
    })
}

impl Sum {
    fn and(self, planned: Option<Planned>) -> Sum {
        let planned = planned.unwrap_or_default();
        Sum {
            guests: self.guests + planned.guests as usize,
            memory: self.memory + planned.memory_mib * 1024,
            vcpus: self.vcpus + u64::from(planned.vcpus),
        }
    }
}

/// What guests take of what there is, and who is counted: `2 vCPUs on 8 CPUs: 1 guest runs; the profile adds 1`.
fn counted(facts: &Facts, planned: Option<Planned>, taken: String, of: &str, there: &str) -> String {
    let run = running(facts)
        .map(|sum| format!("{} run{}", count(sum.guests, "guest"), if sum.guests == 1 { "s" } else { "" }));
    let silent = "libvirt does not answer";
    match (run, planned) {
        (None, None) => format!("{there}; {silent}"),
        (Some(run), None) => format!("{taken} {of} {there}: {run}"),
        (run, Some(planned)) => {
            let run = run.unwrap_or(silent.into());
            format!("{taken} {of} {there}: {run}; the profile adds {}", planned.guests)
        }
    }
}

/// Why nobody could be counted.
fn why(facts: &Facts) -> String {
    facts.text("no guests").map_or(String::new(), |cause| format!(" ({cause})"))
}

pub(super) fn memory(facts: &Facts, planned: Option<Planned>) -> Subject {
    const FITS: &str = "Every guest can have all of its memory at once.";
    const TIGHT: &str =
        "It may be too little for QEMU beside its guests: page cache goes first, then a guest waits.";
    const SHORT: &str = "There is not enough for all: the kernel swaps, or kills the largest guest.";
    const IF: &str =
        "Where guests have more memory than there is, the kernel swaps, or kills the largest of them.";
    let fewer = "use fewer guests, or give each less memory: virsh setmaxmem GUEST SIZE --config";
    let subject =
        |verdict, found: String, effect: &str| Subject::new("memory for guests", verdict, found, effect);
    let all = running(facts).unwrap_or_default().and(planned);
    let Some(total) = facts.memory("MemTotal") else {
        return subject(Verdict::Unknown, "/proc/meminfo does not say".into(), IF);
    };
    let found = counted(facts, planned, size(all.memory), "of", &size(total)) + &why(facts);
    if all.memory > total {
        return subject(Verdict::Bad, found, SHORT).change(fewer);
    }
    if all.memory + all.guests as u64 * QEMU_MIB * 1024 > total {
        let found = format!("{found}; with 1 GiB more for each it is not enough");
        return subject(Verdict::Note, found, TIGHT).change(fewer);
    }
    match running(facts) {
        Some(_) => subject(Verdict::Good, found, FITS),
        None => subject(Verdict::Unknown, found, IF),
    }
}

pub(super) fn cpus(facts: &Facts, planned: Option<Planned>) -> Subject {
    const ENOUGH: &str = "Every vCPU can have a CPU of its own; vhost threads and interrupts need some too.";
    const SHARED: &str = "vCPUs wait for each other: who waits, and how long, is a part of what is measured.";
    const IF: &str =
        "Where vCPUs outnumber CPUs they wait for each other, which is then a part of what is measured.";
    let subject =
        |verdict, found: String, effect: &str| Subject::new("CPUs for guests", verdict, found, effect);
    let all = running(facts).unwrap_or_default().and(planned);
    let Some(cpus) = facts.cpus() else {
        return subject(Verdict::Unknown, "/proc/stat does not say".into(), IF);
    };
    let found = counted(facts, planned, count(all.vcpus as usize, "vCPU"), "on", &count(cpus, "CPU"));
    if all.vcpus > cpus as u64 {
        return subject(Verdict::Note, found, SHARED)
            .change("use fewer guests or vCPUs, unless sharing is what you measure");
    }
    match running(facts) {
        Some(_) => subject(Verdict::Good, found, ENOUGH),
        None => subject(Verdict::Unknown, found, IF),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "/proc/meminfo:MemTotal:  8388608 kB\n/proc/stat:cpu0 1\n/proc/stat:cpu1 1\n";

    fn host(guests: &str) -> Facts {
        Facts::parse(HOST).with("guests", guests)
    }

    #[test]
    fn memory_is_short_when_guests_alone_have_more_and_tight_when_qemu_has_no_room_beside_them() {
        let verdict = |guests| memory(&host(guests), None).verdict;
        assert_eq!(verdict("8388609 1\n"), Verdict::Bad);
        assert_eq!(verdict("4194304 1\n4194304 1\n"), Verdict::Note);
        assert_eq!(verdict("7340032 1\n"), Verdict::Good);
        assert_eq!(verdict(""), Verdict::Good);
    }

    #[test]
    fn guests_of_a_profile_are_added_to_those_that_run() {
        let planned = Some(Planned { guests: 2, memory_mib: 4096, vcpus: 2 });
        let subject = memory(&host("5242880 1\n"), planned);
        assert_eq!(subject.verdict, Verdict::Bad);
        assert_eq!(subject.found, "9 GiB of 8 GiB: 1 guest runs; the profile adds 2");
        assert_eq!(cpus(&host("5242880 1\n"), planned).verdict, Verdict::Note);
    }

    #[test]
    fn without_libvirt_what_is_good_is_not_known() {
        let facts = Facts::parse(HOST).with("no guests", "no socket");
        assert_eq!(memory(&facts, None).verdict, Verdict::Unknown);
        assert_eq!(memory(&facts, None).found, "8 GiB; libvirt does not answer (no socket)");
        let planned = Some(Planned { guests: 9, memory_mib: 9216, vcpus: 9 });
        assert_eq!(memory(&facts, planned).verdict, Verdict::Bad);
    }
}
