//! Factors of the guests: how many, how large, and how their threads and memory lie on the host.

use std::time::Duration;

use super::bounds::{bounded, bounded_as};
use super::descriptor::{Change, Descriptor, Kind, Phrase, Scope, Store};
use super::fault::Fault;
use super::field::field;
use super::names::Factor;
use super::pin::Pin;
use super::policy::Policy;
use super::quota::{PERIOD_US, micros, quota_fault};
use super::value::Value;
use crate::units::{MIB, Size};

/// The least memory in which the appliance boots, MiB.
const LEAST_MEMORY_MIB: u64 = 96;

/// One descriptor for each.
pub(super) static FACTORS: [Descriptor; 10] = [
    Descriptor {
        factor: Factor::Vms,
        home: "guest.vms",
        key: "vms",
        column: "vms",
        scope: Scope::Lab,
        change: Change::Guests,
        kind: Kind::Number(guests),
        phrase: Phrase::Own(|c| match c.vms {
            0 => "no guests".into(),
            1 => "1 guest".into(),
            vms => format!("{vms} guests"),
        }),
        store: field!(vms),
    },
    Descriptor {
        factor: Factor::Vcpus,
        home: "guest.vcpus",
        key: "vcpus",
        column: "vcpus",
        scope: Scope::Guest,
        change: Change::Boot,
        kind: Kind::Number(|number| bounded(number, 1, 255, "vCPUs")),
        phrase: Phrase::Count("vCPU"),
        store: field!(vcpus),
    },
    Descriptor {
        factor: Factor::Memory,
        home: "guest.memory",
        key: "memory",
        column: "memory_mib",
        scope: Scope::Guest,
        change: Change::Boot,
        kind: Kind::Size(memory),
        phrase: Phrase::Own(|c| match c.memory_mib {
            mib if mib.is_multiple_of(1024) => format!("{} GiB", mib / 1024),
            mib => format!("{mib} MiB"),
        }),
        store: field!(memory_mib),
    },
    Descriptor {
        factor: Factor::Emulator,
        home: "host.emulator",
        key: "emulator",
        column: "emulator",
        scope: Scope::Guest,
        change: Change::Boot,
        kind: Kind::Text(emulator),
        phrase: Phrase::Named("QEMU"),
        store: field!(emulator),
    },
    Descriptor {
        factor: Factor::Pin,
        home: "guest.pin",
        key: "pin",
        column: "pin",
        scope: Scope::Guest,
        change: Change::Live,
        kind: Kind::Text(pin),
        phrase: Phrase::Named("pinning"),
        store: field!(pin),
    },
    Descriptor {
        factor: Factor::PinEmulator,
        home: "guest.pin_emulator",
        key: "pin_emulator",
        column: "pin_emulator",
        scope: Scope::Guest,
        change: Change::Live,
        kind: Kind::Text(pin_emulator),
        phrase: Phrase::Named("QEMU's threads on"),
        store: field!(pin_emulator),
    },
    Descriptor {
        factor: Factor::Scheduler,
        home: "guest.scheduler",
        key: "scheduler",
        column: "scheduler",
        scope: Scope::Guest,
        change: Change::Live,
        kind: Kind::Text(scheduler),
        phrase: Phrase::Named("vCPU policy"),
        store: field!(scheduler),
    },
    Descriptor {
        factor: Factor::Hugepages,
        home: "guest.hugepages",
        key: "hugepages",
        column: "hugepages",
        scope: Scope::Guest,
        change: Change::Boot,
        kind: Kind::Switch,
        phrase: Phrase::Named("huge pages"),
        store: field!(hugepages),
    },
    Descriptor {
        factor: Factor::NumaNode,
        home: "guest.numa_node",
        key: "numa_node",
        column: "numa_node",
        scope: Scope::Guest,
        change: Change::Boot,
        kind: Kind::Number(|node| bounded_as(node, 0, 1023, |node| format!("guests on NUMA node {node}"))),
        phrase: Phrase::Named("NUMA node"),
        store: field!(numa_node),
    },
    Descriptor {
        factor: Factor::Quota,
        home: "guest.quota",
        key: "quota",
        column: "quota_us",
        scope: Scope::Guest,
        change: Change::Live,
        kind: Kind::Time(quota),
        phrase: Phrase::Own(|c| match c.quota_us {
            0 => "no quota".into(),
            us => format!("quota {} %", f64::from(us) / f64::from(PERIOD_US) * 100.0),
        }),
        store: Store::Field {
            get: |c| if c.quota_us == 0 { Value::AsFound } else { Value::Number(c.quota_us) },
            set: |c, value| {
                c.quota_us = match value {
                    Value::AsFound => 0,
                    Value::Number(us) => *us,
                    _ => return None,
                };
                Some(())
            },
        },
    },
];

fn guests(vms: u32) -> Result<Value, Fault> {
    let hint = "to measure the host without guests, use backend = \"baremetal\"";
    match vms {
        0 => Err(Fault::new("0 guests carry no load", "at least 1", hint)),
        vms => bounded(vms, 1, 1000, "guests"),
    }
}

fn memory(bytes: u64) -> Result<Value, Fault> {
    let size = Size(bytes);
    if bytes < LEAST_MEMORY_MIB * MIB {
        let unitless = (LEAST_MEMORY_MIB..MIB).contains(&bytes);
        let hint = if unitless {
            format!("a bare number counts bytes; write \"{bytes} MiB\"")
        } else {
            format!("give each guest at least \"{LEAST_MEMORY_MIB} MiB\"")
        };
        return Err(Fault::new(format!("no guest boots in {size} of memory"), "too little", hint));
    }
    match u32::try_from(bytes / MIB) {
        Ok(mib) if bytes.is_multiple_of(MIB) => Ok(Value::Number(mib)),
        Ok(mib) => {
            let hint =
                format!("for example \"{} MiB\"; MB is 1000 x 1000 bytes, MiB is 1024 x 1024", mib + 1);
            Err(Fault::new(format!("{bytes} bytes are not a whole number of MiB"), "", hint))
        }
        Err(_) => {
            Err(Fault::new(format!("no guest can have {size} of memory"), "too much", "is the unit right?"))
        }
    }
}

/// A path on the VM host, which may be another machine than the one that the profile is on.
fn emulator(path: &str) -> Result<Value, Fault> {
    if path.starts_with('/') && !path.contains(char::is_control) {
        return Ok(Value::Path(path.into()));
    }
    let hint = "it is looked for on the VM host: write the whole path, for example \"/opt/qemu/bin/qemu-system-x86_64\"";
    Err(Fault::new(format!("\"{path}\" is not an absolute path"), "", hint))
}

fn pin(text: &str) -> Result<Value, Fault> {
    let hint = "write \"none\", \"spread\", \"compact\" or a CPU list such as \"0-3\"";
    text.parse().map(Value::Pin).map_err(|message: String| Fault::new(message, "", hint))
}

/// The CPUs of QEMU's other threads: there is nothing to spread.
fn pin_emulator(text: &str) -> Result<Value, Fault> {
    match text.parse::<Pin>() {
        Ok(pin @ (Pin::None | Pin::Cpus(_))) => Ok(Value::Pin(pin)),
        Ok(Pin::Spread | Pin::Compact) | Err(_) => {
            let message = format!("\"{text}\" is no way to pin QEMU's other threads");
            Err(Fault::new(message, "", "write a CPU list such as \"0-3\", or \"none\" for all CPUs"))
        }
    }
}

fn scheduler(text: &str) -> Result<Value, Fault> {
    let hint = "write \"other\", \"rr\" or \"fifo\"; the last two are real-time";
    text.parse::<Policy>().map(Value::Policy).map_err(|message| Fault::new(message, "", hint))
}

fn quota(time: Duration) -> Result<Value, Fault> {
    quota_fault("quota", micros(time), PERIOD_US).map_or(Ok(Value::Number(micros(time))), Err)
}
