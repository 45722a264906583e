//! Settings of the VM host's kernel: files and values. Another one is a row here, and a name in `names`.

use std::time::Duration;

use super::descriptor::{AppliedAt, Descriptor, KernelSetting, Phrase, Scope, Store};
use super::level_kind::LevelKind;
use super::names::Factor;
use super::tuning::KernelFormat;
use super::value::Value;

/// What transparent hugepages can be.
const THP: [&str; 3] = ["always", "madvise", "never"];

/// Its name since Linux 6.6, since 5.13, and before.
const BASE_SLICE: &str = "/sys/kernel/debug/sched/base_slice_ns /sys/kernel/debug/sched/min_granularity_ns \
                          /proc/sys/kernel/sched_min_granularity_ns";

/// One descriptor for each.
pub(super) static FACTORS: &[Descriptor] = &[
    Descriptor {
        kind: LevelKind::Text {
            form: "its name, for example \"performance\"",
            pattern: "^[a-z_]+$",
            level: |name| {
                let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
                is_name.then(|| Value::Word(name.to_owned()))
            },
        },
        about: "CPU frequency governor, for example \"performance\"",
        levels: &["\"powersave\"", "\"performance\""],
        ..setting(
            Factor::Governor,
            "tuning.host.governor",
            KernelSetting {
                missing: "leave `governor` out: in a virtual machine the hypervisor decides; on metal load the driver of \
                          the CPU's frequency (modprobe acpi_cpufreq), or let the firmware leave it to the system",
                choices: "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_available_governors",
                ..KernelSetting::new(
                    "CPU frequency governor",
                    "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor",
                )
            },
        )
    },
    Descriptor {
        kind: LevelKind::Number { least: 0, most: 200 },
        about: "how readily the kernel swaps guests' memory (vm.swappiness): 0, as late as possible, to 200",
        levels: &["60", "1"],
        ..setting(
            Factor::Swappiness,
            "tuning.host.swappiness",
            KernelSetting {
                missing: "leave `swappiness` out: this kernel has no swap",
                ..KernelSetting::new("swappiness", "/proc/sys/vm/swappiness")
            },
        )
    },
    Descriptor {
        about: "whether pages of equal content are merged",
        levels: &["true", "false"],
        phrase: Phrase::Named("KSM"),
        ..setting(
            Factor::Ksm,
            "tuning.host.ksm",
            KernelSetting {
                // 2 takes merged pages apart as well; 0 would leave them merged.
                switch: ["1", "2"],
                missing: "leave `ksm` out, or use a kernel with CONFIG_KSM",
                ..KernelSetting::new("KSM", "/sys/kernel/mm/ksm/run")
            },
        )
    },
    Descriptor {
        kind: LevelKind::Word {
            words: || THP.map(str::to_owned).into(),
            level: |word| THP.contains(&word).then(|| Value::Word(word.to_owned())),
            instead: &[],
        },
        about: "transparent hugepages: \"always\", \"madvise\" or \"never\"",
        levels: &["\"never\"", "\"always\""],
        phrase: Phrase::Named("THP"),
        // A page is huge or not from the moment in which a guest first touches it.
        applied: AppliedAt::Boot,
        ..setting(
            Factor::Thp,
            "tuning.host.thp",
            KernelSetting {
                format: KernelFormat::Bracketed,
                missing: "leave `thp` out, or use a kernel with CONFIG_TRANSPARENT_HUGEPAGE",
                choices: "/sys/kernel/mm/transparent_hugepage/enabled",
                ..KernelSetting::new("transparent hugepages", "/sys/kernel/mm/transparent_hugepage/enabled")
            },
        )
    },
    Descriptor {
        kind: LevelKind::Number { least: 0, most: 10_000_000 },
        about: "how long KVM polls before it puts a halted vCPU to sleep, ns",
        levels: &["0", "200000"],
        // KVM asks how long to poll when it makes a machine.
        applied: AppliedAt::Boot,
        ..setting(
            Factor::HaltPoll,
            "tuning.host.halt_poll_ns",
            KernelSetting {
                missing: "modprobe kvm; emulated guests (TCG) never poll: leave `halt_poll_ns` out there",
                ..KernelSetting::new("halt_poll_ns", "/sys/module/kvm/parameters/halt_poll_ns")
            },
        )
    },
    Descriptor {
        column: "base_slice_ns",
        kind: LevelKind::Time {
            unit: Duration::from_nanos(1),
            least: Duration::from_micros(100),
            most: Duration::from_secs(1),
        },
        about: "slice of the host's scheduler, for example \"3 ms\"",
        levels: &["\"30 ms\"", "\"3 ms\""],
        phrase: Phrase::Named("base slice in ns"),
        ..setting(
            Factor::BaseSlice,
            "tuning.host.base_slice",
            KernelSetting {
                missing: "mount -t debugfs none /sys/kernel/debug (not to be had under lockdown), or leave the base slice \
                          out",
                ..KernelSetting::new("scheduler's base slice", BASE_SLICE)
            },
        )
    },
];

/// Written while guests run; in words it has the name of its key.
const fn setting(factor: Factor, home: &'static str, kernel: KernelSetting) -> Descriptor {
    Descriptor {
        applied: AppliedAt::Live,
        ..Descriptor::new(factor, home, Scope::Host, Store::Setting(kernel))
    }
}
