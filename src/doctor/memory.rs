//! Pages: swapped out, merged, huge.

use super::subject::{Subject, Verdict, count, size};
use crate::host::facts::{Facts, selected};

pub(super) fn swap(facts: &Facts) -> Subject {
    const USED: &str = "A guest whose pages are swapped out waits for the disk, or for decompression, while its neighbours run.";
    const MAY: &str =
        "Under pressure the kernel may swap out pages of a quiet guest, which then waits for the disk.";
    const NONE: &str = "No guest ever waits for its pages to be read back.";
    let subject = |verdict, found: String, effect: &str| Subject::new("swap", verdict, found, effect);
    let Some(total) = facts.memory("SwapTotal") else {
        return subject(Verdict::Unknown, "/proc/meminfo does not say".into(), MAY);
    };
    if total == 0 {
        return subject(Verdict::Good, "none".into(), NONE);
    }
    let used = total.saturating_sub(facts.memory("SwapFree").unwrap_or(total));
    let swappiness = facts.number("/proc/sys/vm/swappiness");
    let found = format!(
        "{} of {} in use, swappiness {}",
        size(used),
        size(total),
        swappiness.map_or("unknown".into(), |value| value.to_string())
    );
    match (used, swappiness) {
        // A few pages that nobody missed lie in the swap of any host that has been up for long.
        (used, _) if used * 100 > facts.memory("MemTotal").unwrap_or(0) => {
            subject(Verdict::Bad, found, USED).change("swapoff -a  # where memory is free for it")
        }
        (0, Some(..=10)) => subject(Verdict::Good, found, MAY),
        _ => subject(Verdict::Note, found, MAY).change("sysctl -w vm.swappiness=1  # or swapoff -a"),
    }
}

pub(super) fn same_pages(facts: &Facts) -> Subject {
    const RUNS: &str =
        "ksmd takes a core at times of its own, and a guest that writes to a merged page waits for a copy.";
    const MERGED: &str = "KSM rests, but a guest that writes to a page merged before still waits for a copy.";
    const OFF: &str = "Each guest has its pages to itself.";
    const STOP: &str = "echo 2 > /sys/kernel/mm/ksm/run";
    let subject = |verdict, found: String, effect: &str| Subject::new("KSM", verdict, found, effect);
    let Some(run) = facts.number("/sys/kernel/mm/ksm/run") else {
        return subject(Verdict::Good, "not in this kernel".into(), OFF);
    };
    let sharing = facts.number("/sys/kernel/mm/ksm/pages_sharing").unwrap_or(0);
    let daemon = facts.runs("ksmtuned");
    let found = format!(
        "{}, {} merged{}",
        if run == 1 { "runs" } else { "stopped" },
        count(sharing as usize, "page"),
        if daemon { ", and ksmtuned may start it" } else { "" }
    );
    let stop = if daemon { format!("systemctl stop ksmtuned && {STOP}") } else { STOP.into() };
    match (run, sharing) {
        (1, 1..) => subject(Verdict::Bad, found, RUNS).change(stop),
        (1, _) => subject(Verdict::Note, found, RUNS).change(stop),
        (_, 1..) => subject(Verdict::Note, found, MERGED).change(stop),
        _ if daemon => subject(Verdict::Note, found, RUNS).change(stop),
        _ => subject(Verdict::Good, found, OFF),
    }
}

pub(super) fn huge_pages(facts: &Facts) -> Subject {
    const POOL: &str =
        "Guests that ask for huge pages get them for sure, and none gets fewer than its neighbours.";
    const NONE: &str = "Guests get huge pages only as far as memory is not in pieces: those booted late may get fewer, and be \
                        slower.";
    const EMPTY: &str = "All are taken: the next guest that asks for them does not start.";
    let subject = |verdict, found: String, effect: &str| Subject::new("huge pages", verdict, found, effect);
    let pools = facts.like("/sys/kernel/mm/hugepages/hugepages-", "kB/nr_hugepages");
    if pools.is_empty() {
        return subject(Verdict::Unknown, "the kernel shows no pools".into(), NONE);
    }
    let free =
        |kib: &str| facts.number(&format!("/sys/kernel/mm/hugepages/hugepages-{kib}kB/free_hugepages"));
    let pool = |(kib, pages): &(&str, &str)| {
        Some((kib.parse::<u64>().ok()?, pages.parse::<u64>().ok()?, free(kib)?))
    };
    let pools: Vec<(u64, u64, u64)> =
        pools.iter().filter_map(pool).filter(|(_, pages, _)| *pages > 0).collect();
    let reserve = || {
        let now = pools.iter().find(|(kib, _, _)| *kib == 2048).map_or(0, |(_, pages, _)| *pages);
        let path = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages";
        format!("echo {} > {path}  # 2 GiB more; soon after boot, before memory is in pieces", now + 1024)
    };
    if pools.is_empty() {
        return subject(Verdict::Note, "none reserved".into(), NONE).change(reserve());
    }
    let words = pools.iter().map(|(kib, pages, free)| format!("{pages} of {}, {free} free", size(*kib)));
    let found = words.collect::<Vec<_>>().join("; ");
    if pools.iter().all(|(_, _, free)| *free == 0) {
        return subject(Verdict::Note, found, EMPTY).change(reserve());
    }
    subject(Verdict::Good, found, POOL)
}

pub(super) fn transparent(facts: &Facts) -> Subject {
    const ENABLED: &str = "/sys/kernel/mm/transparent_hugepage/enabled";
    const DEFRAG: &str = "/sys/kernel/mm/transparent_hugepage/defrag";
    const OFFERED: &str = "QEMU asks for them for all of a guest's memory, so guests miss the TLB less.";
    const NEVER: &str = "Guests without a reserved pool run in 4 KiB pages: slower, but all alike.";
    const STALLS: &str = "Any process that touches new memory, QEMU too, may wait until the kernel has put a huge page \
                          together: some guests stall, at random.";
    let subject = |verdict, found: String, effect: &str| Subject::new("THP", verdict, found, effect);
    let of = |path| facts.text(path).and_then(selected);
    match (of(ENABLED), of(DEFRAG)) {
        (None, _) => subject(
            Verdict::Unknown,
            "the kernel does not say".into(),
            "Without them guests run in 4 KiB pages: slower, but all alike.",
        ),
        (Some("never"), _) => {
            subject(Verdict::Note, "never".into(), NEVER).change(format!("echo madvise > {ENABLED}"))
        }
        (Some(enabled), Some("always")) => {
            subject(Verdict::Note, format!("{enabled}; defrag always"), STALLS)
                .change(format!("echo madvise > {DEFRAG}"))
        }
        (Some(enabled), defrag) => {
            subject(Verdict::Good, format!("{enabled}; defrag {}", defrag.unwrap_or("unknown")), OFFERED)
        }
    }
}
