//! Factors of the test network and of the guests' NIC on it.

use super::bounds::{bounded, bounded_as};
use super::descriptor::{Change, Descriptor, Kind, Phrase, Scope};
use super::fault::{Fault, list, nearest};
use super::field::field;
use super::names::Factor;
use super::value::Value;
use crate::backend::{Backend, PRESETS};

/// What QEMU allows a receive queue to have; the least is also its own choice.
const QUEUE_SIZES: [u32; 3] = [256, 512, 1024];

/// What people call backends, and what each is called here.
const OTHER_NAMES: [(&str, &str); 2] = [("macvtap", "macvtap-bridge"), ("vhost", "vhost-net")];

/// One descriptor for each.
pub(super) static FACTORS: [Descriptor; 5] = [
    Descriptor {
        factor: Factor::Backend,
        home: "network.backend",
        key: "backend",
        column: "backend",
        scope: Scope::Lab,
        change: Change::Boot,
        kind: Kind::Text(backend),
        phrase: Phrase::Itself,
        store: field!(backend),
    },
    Descriptor {
        factor: Factor::Mtu,
        home: "network.mtu",
        key: "mtu",
        column: "mtu_bytes",
        scope: Scope::Lab,
        change: Change::Boot,
        kind: Kind::Number(|mtu| bounded_as(mtu, 68, 65_535, |mtu| format!("an MTU of {mtu} bytes"))),
        phrase: Phrase::Named("MTU"),
        store: field!(mtu),
    },
    Descriptor {
        factor: Factor::Queues,
        home: "network.queues",
        key: "queues",
        column: "queues",
        scope: Scope::Nic,
        change: Change::Boot,
        kind: Kind::Number(|number| bounded(number, 1, 256, "queue pairs")),
        phrase: Phrase::Count("queue"),
        store: field!(nic.queues),
    },
    Descriptor {
        factor: Factor::QueueSize,
        home: "network.queue_size",
        key: "queue_size",
        column: "queue_size",
        scope: Scope::Nic,
        change: Change::Boot,
        kind: Kind::Number(queue_size),
        phrase: Phrase::Named("queue size"),
        store: field!(nic.queue_size),
    },
    Descriptor {
        factor: Factor::Offloads,
        home: "network.offloads",
        key: "offloads",
        column: "offloads",
        scope: Scope::Nic,
        change: Change::Boot,
        kind: Kind::Switch,
        phrase: Phrase::Named("offloads"),
        store: field!(nic.offloads),
    },
];

fn backend(name: &str) -> Result<Value, Fault> {
    let names = PRESETS.map(|(name, _)| name);
    let all = format!("the backends of this version are {}", list(&names));
    match name.parse::<Backend>() {
        Ok(backend) => Ok(Value::Backend(backend)),
        Err(error) => {
            let other = OTHER_NAMES.iter().find(|(other, _)| *other == name).map(|(_, ours)| *ours);
            let near = other.or_else(|| nearest(name, names.into_iter()));
            let hint = near.map_or(all, |near| format!("did you mean `{near}`?"));
            Err(Fault::new(error.to_string(), "no such backend", hint))
        }
    }
}

fn queue_size(size: u32) -> Result<Value, Fault> {
    let fault = || Fault::new(format!("no queue has {size} descriptors"), "", "use 256, 512 or 1024");
    QUEUE_SIZES.contains(&size).then_some(Value::Number(size)).ok_or_else(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_names_of_backends_lead_to_ours() {
        let hint = |name| backend(name).unwrap_err().hint;
        assert_eq!(hint("macvtap"), "did you mean `macvtap-bridge`?");
        assert_eq!(hint("vhost"), "did you mean `vhost-net`?");
    }
}
