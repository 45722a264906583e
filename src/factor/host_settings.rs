//! Settings of the VM host's kernel: files and values. Another one is a row here, and a name.

use std::time::Duration;

use super::bounds::bounded_as;
use super::descriptor::{Change, Descriptor, Format, KernelSetting, Kind, Phrase, Scope, Store};
use super::fault::Fault;
use super::names::Factor;
use super::value::Value;

/// What transparent hugepages can be.
const THP: [&str; 3] = ["always", "madvise", "never"];

/// Its name since Linux 6.6, since 5.13, and before.
const BASE_SLICE: &str = "/sys/kernel/debug/sched/base_slice_ns /sys/kernel/debug/sched/min_granularity_ns \
                          /proc/sys/kernel/sched_min_granularity_ns";

/// One descriptor for each.
pub(super) static FACTORS: [Descriptor; 6] = [
    Descriptor {
        factor: Factor::Governor,
        home: "tuning.host.governor",
        key: "governor",
        column: "governor",
        scope: Scope::Host,
        change: Change::Live,
        kind: Kind::Text(governor),
        phrase: Phrase::Named("governor"),
        store: Store::Setting(KernelSetting {
            missing: "leave `governor` out: in a virtual machine the hypervisor decides; on metal load the driver of the \
                      CPU's frequency (modprobe acpi_cpufreq), or let the firmware leave it to the system",
            choices: "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_available_governors",
            ..KernelSetting::new(
                "CPU frequency governor",
                "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor",
            )
        }),
    },
    Descriptor {
        factor: Factor::Swappiness,
        home: "tuning.host.swappiness",
        key: "swappiness",
        column: "swappiness",
        scope: Scope::Host,
        change: Change::Live,
        kind: Kind::Number(swappiness),
        phrase: Phrase::Named("swappiness"),
        store: Store::Setting(KernelSetting {
            missing: "leave `swappiness` out: this kernel has no swap",
            ..KernelSetting::new("swappiness", "/proc/sys/vm/swappiness")
        }),
    },
    Descriptor {
        factor: Factor::Ksm,
        home: "tuning.host.ksm",
        key: "ksm",
        column: "ksm",
        scope: Scope::Host,
        change: Change::Live,
        kind: Kind::Switch,
        phrase: Phrase::Named("KSM"),
        store: Store::Setting(KernelSetting {
            // 2 takes merged pages apart as well; 0 would leave them merged.
            switch: ["1", "2"],
            missing: "leave `ksm` out, or use a kernel with CONFIG_KSM",
            ..KernelSetting::new("KSM", "/sys/kernel/mm/ksm/run")
        }),
    },
    Descriptor {
        factor: Factor::Thp,
        home: "tuning.host.thp",
        key: "thp",
        column: "thp",
        scope: Scope::Host,
        // A page is huge or not from the moment in which a guest first touches it.
        change: Change::Boot,
        kind: Kind::Text(thp),
        phrase: Phrase::Named("THP"),
        store: Store::Setting(KernelSetting {
            format: Format::Bracketed,
            missing: "leave `thp` out, or use a kernel with CONFIG_TRANSPARENT_HUGEPAGE",
            choices: "/sys/kernel/mm/transparent_hugepage/enabled",
            ..KernelSetting::new("transparent hugepages", "/sys/kernel/mm/transparent_hugepage/enabled")
        }),
    },
    Descriptor {
        factor: Factor::HaltPoll,
        home: "tuning.host.halt_poll_ns",
        key: "halt_poll_ns",
        column: "halt_poll_ns",
        scope: Scope::Host,
        // KVM asks how long to poll when it makes a machine.
        change: Change::Boot,
        kind: Kind::Number(|ns| bounded_as(ns, 0, 10_000_000, |ns| format!("polling for {ns} ns"))),
        phrase: Phrase::Named("halt_poll_ns"),
        store: Store::Setting(KernelSetting {
            missing: "modprobe kvm; emulated guests (TCG) never poll: leave `halt_poll_ns` out there",
            ..KernelSetting::new("halt_poll_ns", "/sys/module/kvm/parameters/halt_poll_ns")
        }),
    },
    Descriptor {
        factor: Factor::BaseSlice,
        home: "tuning.host.base_slice",
        key: "base_slice",
        column: "base_slice_ns",
        scope: Scope::Host,
        change: Change::Live,
        kind: Kind::Time(base_slice),
        phrase: Phrase::Named("base slice in ns"),
        store: Store::Setting(KernelSetting {
            missing: "mount -t debugfs none /sys/kernel/debug (not to be had under lockdown), or leave the base slice out",
            ..KernelSetting::new("scheduler's base slice", BASE_SLICE)
        }),
    },
];

fn governor(name: &str) -> Result<Value, Fault> {
    if !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
        return Ok(Value::Word(name.to_owned()));
    }
    let message = format!("\"{name}\" is not a CPU frequency governor");
    Err(Fault::new(message, "", "for example governor = \"performance\""))
}

fn swappiness(number: u32) -> Result<Value, Fault> {
    let fault = || Fault::new(format!("{number} is no swappiness"), "", "0 (as late as possible) to 200");
    (number <= 200).then_some(Value::Number(number)).ok_or_else(fault)
}

fn thp(word: &str) -> Result<Value, Fault> {
    if THP.contains(&word) {
        return Ok(Value::Word(word.to_owned()));
    }
    let message = format!("transparent hugepages are never \"{word}\"");
    Err(Fault::new(message, "", format!("one of {}", THP.join(", "))))
}

/// A slice of the scheduler, ns; its bounds are the kernel's.
fn base_slice(time: Duration) -> Result<Value, Fault> {
    let ns = u32::try_from(time.as_nanos()).ok().filter(|ns| (100_000..=1_000_000_000).contains(ns));
    let fault = || Fault::new("a slice must be 100 us to 1 s", "", "for example \"3 ms\"");
    ns.map(Value::Number).ok_or_else(fault)
}
