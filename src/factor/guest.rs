//! Factors of the guests: how many, how large, and how their threads and memory lie on the host.

use std::time::Duration;

use super::descriptor::{AppliedAt, Descriptor, Hosts, Phrase, Scope, Store};
use super::field::field;
use super::level_kind::LevelKind;
use super::names::Factor;
use super::pin::Pin;
use super::policy::SchedulingPolicy;
use super::quota::{LEAST_QUOTA_US, PERIOD_US};
use super::value::Value;
use crate::units::MIB;

/// The least memory in which the appliance boots, bytes.
const LEAST_MEMORY: u64 = 96 * MIB;

/// One descriptor for each.
pub(super) static FACTORS: &[Descriptor] = &[
    Descriptor {
        applied: AppliedAt::Guests,
        kind: LevelKind::Number { least: 1, most: 1000 },
        about: "guests (default 1); to measure the host without guests, use backend = \"baremetal\"",
        levels: &["1", "2", "4"],
        phrase: Phrase::Own(|c| match c.vms {
            0 => "no guests".into(),
            1 => "1 guest".into(),
            vms => format!("{vms} guests"),
        }),
        ..Descriptor::new(Factor::Vms, "guest.vms", Scope::Lab, field!(vms))
    },
    Descriptor {
        kind: LevelKind::Number { least: 1, most: 255 },
        about: "vCPUs of each guest (default 1)",
        levels: &["1", "2"],
        phrase: Phrase::Count("vCPU"),
        ..Descriptor::new(Factor::Vcpus, "guest.vcpus", Scope::Guest, field!(vcpus))
    },
    Descriptor {
        column: "memory_mib",
        kind: LevelKind::Size { unit: MIB, least: LEAST_MEMORY, most: 16 * 1024 * 1024 * MIB },
        about: "memory of each guest, for example \"128 MiB\" (the default; \"512 MiB\" for a cloud image)",
        levels: &["\"96 MiB\"", "\"128 MiB\""],
        phrase: Phrase::Own(|c| match c.memory_mib {
            mib if mib.is_multiple_of(1024) => format!("{} GiB", mib / 1024),
            mib => format!("{mib} MiB"),
        }),
        ..Descriptor::new(Factor::Memory, "guest.memory", Scope::Guest, field!(memory_mib))
    },
    Descriptor {
        kind: LevelKind::Text {
            form: "the absolute path on the VM host, for example \"/opt/qemu/bin/qemu-system-x86_64\"",
            pattern: "^/",
            // Of the VM host, which may be another machine than the one that the profile is on.
            level: |path| {
                let absolute = path.starts_with('/') && !path.contains(char::is_control);
                absolute.then(|| Value::Path(path.into()))
            },
        },
        about: "absolute path of the QEMU that runs the guests, on the VM host; or of a script that starts one. Left out: \
                libvirt's own choice",
        levels: &["\"/usr/bin/qemu-system-x86_64\"", "\"/opt/qemu/bin/qemu-system-x86_64\""],
        phrase: Phrase::Named("QEMU"),
        hosts: Hosts::Kvm,
        ..Descriptor::new(Factor::Emulator, "host.emulator", Scope::Guest, field!(emulator))
    },
    Descriptor {
        applied: AppliedAt::Live,
        kind: LevelKind::Text {
            form: "\"none\", \"spread\", \"compact\" or a CPU list such as \"0-3\"",
            pattern: "^(none|spread|compact|[0-9][-0-9, ]*)$",
            level: |text| text.parse().ok().map(Value::Pin),
        },
        about: "how vCPUs are pinned to the host's CPUs: \"none\", all may run everywhere; \"spread\", each on one CPU, a \
                guest's apart; \"compact\", each on one CPU, a guest's side by side; or a CPU list for all, such as \"0-3\". \
                Left out: as libvirt leaves them",
        levels: &["\"none\"", "\"spread\"", "\"compact\""],
        phrase: Phrase::Named("pinning"),
        ..Descriptor::new(Factor::Pin, "guest.pin", Scope::Guest, field!(pin))
    },
    Descriptor {
        applied: AppliedAt::Live,
        kind: CPU_LIST,
        about: "CPUs where QEMU's other threads may run: \"none\", all of them; or a CPU list, such as \"0-3\". Left out: as libvirt \
                leaves them",
        levels: &["\"none\"", "\"0\""],
        phrase: Phrase::Named("QEMU's threads on"),
        hosts: Hosts::Kvm,
        ..Descriptor::new(Factor::PinEmulator, "guest.pin_emulator", Scope::Guest, field!(pin_emulator))
    },
    Descriptor {
        applied: AppliedAt::Live,
        kind: CPU_LIST,
        about: "CPUs where the vhost workers may run, with the backends that have some: \"none\", all of them; or a CPU list, such as \
                \"0-3\". Left out: as the kernel leaves them",
        levels: &["\"none\"", "\"0\""],
        phrase: Phrase::Named("vhost workers on"),
        hosts: Hosts::Kvm,
        ..Descriptor::new(Factor::PinVhost, "guest.pin_vhost", Scope::Guest, field!(pin_vhost))
    },
    Descriptor {
        applied: AppliedAt::Live,
        kind: LevelKind::Word {
            words: || SchedulingPolicy::ALL.map(|policy| policy.to_string()).into(),
            level: |word| word.parse().ok().map(Value::Policy),
            instead: &[("SCHED_RR", "did you mean `rr`?"), ("SCHED_FIFO", "did you mean `fifo`?")],
        },
        about: "scheduling policy of the vCPUs: \"other\", or real-time with priority 1, \"rr\" or \"fifo\". Left out: as they \
                start, \"other\"",
        levels: &["\"other\"", "\"rr\"", "\"fifo\""],
        phrase: Phrase::Named("vCPU policy"),
        hosts: Hosts::Kvm,
        ..Descriptor::new(Factor::Scheduler, "guest.scheduler", Scope::Guest, field!(scheduler))
    },
    Descriptor {
        about: "whether the guests' memory lies in huge pages of 2 MiB; the host's pool of them grows for the run. Left out: \
                it does not",
        levels: &["false", "true"],
        phrase: Phrase::Named("huge pages"),
        hosts: Hosts::Kvm,
        ..Descriptor::new(Factor::Hugepages, "guest.hugepages", Scope::Guest, field!(hugepages))
    },
    Descriptor {
        kind: LevelKind::Number { least: 0, most: 1023 },
        about: "NUMA node of the guests' memory, strictly; `pin` says where vCPUs run. Left out: the kernel's choice",
        levels: &["0", "1"],
        phrase: Phrase::Named("NUMA node"),
        hosts: Hosts::Kvm,
        ..Descriptor::new(Factor::NumaNode, "guest.numa_node", Scope::Guest, field!(numa_node))
    },
    Descriptor {
        column: "quota_us",
        applied: AppliedAt::Live,
        kind: LevelKind::Time {
            unit: Duration::from_micros(1),
            least: Duration::from_micros(LEAST_QUOTA_US as u64),
            most: Duration::from_micros(PERIOD_US as u64),
        },
        about: "CPU time of each vCPU in each 100 ms, for example \"50 ms\"; unlimited if left out",
        levels: &["\"100 ms\"", "\"50 ms\""],
        phrase: Phrase::Own(|c| match c.quota_us {
            0 => "no quota".into(),
            us => format!("quota {} %", f64::from(us) / f64::from(PERIOD_US) * 100.0),
        }),
        ..Descriptor::new(Factor::Quota, "guest.quota", Scope::Guest, QUOTA)
    },
];

/// CPUs of threads of which each may run on all of them: there is nothing to spread.
const CPU_LIST: LevelKind = LevelKind::Text {
    form: "a CPU list such as \"0-3\", or \"none\" for all CPUs",
    pattern: "^(none|[0-9][-0-9, ]*)$",
    level: cpu_list,
};

fn cpu_list(text: &str) -> Option<Value> {
    let pin = text.parse().ok().filter(|pin| matches!(pin, Pin::None | Pin::Cpus(_)))?;
    Some(Value::Pin(pin))
}

/// A field in which 0 stands for no quota.
const QUOTA: Store = Store::Field {
    get: |c| if c.quota_us == 0 { Value::AsFound } else { Value::Number(c.quota_us) },
    set: |c, value| {
        c.quota_us = match value {
            Value::AsFound => 0,
            Value::Number(us) => *us,
            _ => return None,
        };
        Some(())
    },
};
