//! Steering of packets: which NICs have queues to choose among.

use super::factors::{Levels, levels_of};
use super::{Check, Fault};
use crate::backend::{Backend, Model};
use crate::profile::{Factor, Value};

/// XPS chooses among transmit queues, so the kernel has no such setting for a NIC with one.
pub(super) fn possible(check: &mut Check, factors: &[Levels]) {
    let mut asked = levels_of(factors, Factor::GuestXps).iter().filter(|level| level.value != Value::AsFound);
    let Some(asked) = asked.next() else { return };
    let backends = levels_of(factors, Factor::Backend).iter().filter_map(|level| match level.value {
        Value::Backend(backend @ Backend::Guest { model, .. }) => Some((backend, model)),
        _ => None,
    });
    let several = |level: &Value| matches!(level, Value::Number(queues) if *queues > 1);
    let all_several = levels_of(factors, Factor::Queues).iter().all(|level| several(&level.value));
    for (backend, model) in backends {
        let hint = match model {
            Model::Hardware => continue, // how many queues it has, the NIC knows
            Model::Virtio if all_several => continue,
            Model::Virtio => {
                "give it `queues` of 2 or more in [network], and `vcpus` as many; or leave `xps` out"
            }
            Model::E1000 | Model::E1000e => "leave `xps` out, or measure virtio with `queues` of 2 or more",
        };
        let message = "a guest's NIC with one queue has no transmit queues to choose among";
        let label = format!("with backend \"{backend}\"");
        check.fault(&asked.path, Fault::new(message, label, hint));
        return; // said once
    }
}
