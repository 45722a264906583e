//! Settings of the NIC under test and the QEMU behind it: what a level may be, and which backends have it.

use super::factors::{Level, Levels, levels_of};
use super::{Check, Fault};
use crate::backend::{Backend, Datapath, Model};
use crate::profile::{Factor, Value};

/// Every backend must have what is asked of the NIC, and every guest the vCPUs for its queues.
pub(super) fn possible(check: &mut Check, factors: &[Levels]) {
    for factor in Factor::ALL.into_iter().filter(|factor| factor.is_of_nic()) {
        let levels = levels_of(factors, factor);
        for level in levels.iter().filter(|level| level.value != Value::AsFound) {
            if let Some(backend) = without(factors, factor, &level.value) {
                check.fault(&level.path, not_of(backend, factor, &level.value));
            }
        }
    }
    served(check, factors);
}

/// The first backend that cannot have this level.
fn without(factors: &[Levels], factor: Factor, value: &Value) -> Option<Backend> {
    let backends = levels_of(factors, Factor::Backend).iter();
    let mut guests = backends.filter_map(|level| match level.value {
        Value::Backend(backend @ Backend::Guest { .. }) => Some(backend),
        _ => None,
    });
    guests.find(|backend| !has(*backend, factor, value))
}

fn has(backend: Backend, factor: Factor, value: &Value) -> bool {
    let virtio = backend.model() == Some(Model::Virtio);
    match factor {
        Factor::Queues => virtio || *value == Value::Number(1),
        Factor::Offloads => virtio && backend.datapath() != Some(Datapath::VhostUser),
        _ => virtio,
    }
}

fn not_of(backend: Backend, factor: Factor, value: &Value) -> Fault {
    let label = format!("with backend \"{backend}\"");
    let switch = backend.datapath() == Some(Datapath::VhostUser);
    let (message, hint) = match factor {
        Factor::Queues => (
            format!("a NIC of {backend} cannot be given {value} queue pairs"),
            "several queues are virtio's: keep the other backends in a profile without `queues`",
        ),
        Factor::Offloads if switch => (
            "offloads of vhost-user are the switch's to choose".into(),
            "leave `offloads` out, or keep vhost-user in a profile of its own",
        ),
        Factor::Offloads => (
            format!("offloads of {backend} cannot be switched"),
            "they are virtio's: keep the other backends in a profile without `offloads`",
        ),
        _ => (
            format!("the queues of {backend} have a size of their own"),
            "it can be chosen for virtio: keep the other backends in a profile without `queue_size`",
        ),
    };
    Fault::new(message, label, hint)
}

/// A Linux guest uses at most one queue pair for each vCPU.
fn served(check: &mut Check, factors: &[Levels]) {
    let number = |level: &&Level| level.value.as_number();
    let Some(vcpus) = levels_of(factors, Factor::Vcpus).iter().map(|level| number(&level)).min() else {
        return;
    };
    for queues in levels_of(factors, Factor::Queues).iter().filter(|queues| number(queues) > vcpus) {
        let asked = number(&queues);
        let plural = if vcpus == 1 { "" } else { "s" };
        let message = format!("a guest of {vcpus} vCPU{plural} does not use {asked} queue pairs");
        let hint = format!("virtio_net takes at most one for each vCPU: give each guest vcpus = {asked}");
        check.fault(&queues.path, Fault::new(message, "too many", hint));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::profile::{Experiment, HostFacts, ProfileError, parse};

    const FACTS: HostFacts = HostFacts { memory_mib: 1024, cpus: 2 };

    fn parsed(rest: &str) -> Result<Experiment, ProfileError> {
        parse(&format!("schema = 1\nname = \"x\"\nworkload.flows = 4\n{rest}"), Path::new("p.toml"), FACTS)
    }

    fn messages(rest: &str) -> Vec<String> {
        let error = parsed(rest).expect_err("refused");
        error.diagnostics.into_iter().map(|diagnostic| diagnostic.message).collect()
    }

    #[test]
    fn queues_need_a_vcpu_each_in_the_smallest_guest() {
        let with =
            |vcpus: &str| format!("network = {{ backend = \"virtio\", queues = 2 }}\nsweep.vcpus = {vcpus}");
        assert!(parsed(&with("[2, 4]")).is_ok());
        assert_eq!(messages(&with("[1, 2]")), ["a guest of 1 vCPU does not use 2 queue pairs"]);
    }

    #[test]
    fn one_queue_pair_is_what_an_emulated_nic_has() {
        let swept = "guest.vcpus = 2\nsweep = { backend = [\"virtio\", \"e1000\"], queues = ";
        assert!(parsed(&format!("{swept}[1] }}")).is_ok());
        assert_eq!(messages(&format!("{swept}[1, 2] }}")), ["a NIC of e1000 cannot be given 2 queue pairs"]);
    }

    #[test]
    fn offloads_and_queue_sizes_are_virtios() {
        let with = |backend: &str, key: &str| format!("network = {{ backend = \"{backend}\", {key} }}");
        assert!(parsed(&with("macvtap-vepa", "offloads = false, queue_size = 1024")).is_ok());
        assert!(parsed(&with("vhost-user", "queue_size = 512")).is_ok());
        assert_eq!(messages(&with("e1000e", "offloads = true")), ["offloads of e1000e cannot be switched"]);
        assert_eq!(
            messages(&with("sr-iov", "queue_size = 256")),
            ["the queues of sr-iov have a size of their own"]
        );
        assert_eq!(messages(&with("vhost-user", "offloads = false")).len(), 1);
        assert_eq!(messages(&with("virtio", "queue_size = 300")), ["no queue has 300 descriptors"]);
    }

    #[test]
    fn bare_metal_is_one_configuration_whatever_the_nic_and_its_qemu_are() {
        let swept = "guest.vcpus = 2\n[sweep]\nbackend = [\"baremetal\", \"virtio\"]\nqueues = [1, 2]\n";
        let swept = format!("{swept}offloads = [true, false]\nemulator = [\"/usr/bin/qemu\", \"/opt/qemu\"]");
        assert_eq!(parsed(&swept).expect("valid").configurations.len(), 1 + 8);
    }

    #[test]
    fn an_emulator_is_named_by_its_whole_path() {
        let with = |path: &str| format!("network.backend = \"virtio\"\nhost.emulator = \"{path}\"");
        let experiment = parsed(&with("/opt/qemu")).expect("valid");
        assert_eq!(experiment.configurations[0].emulator.as_deref(), Some(Path::new("/opt/qemu")));
        assert_eq!(messages(&with("./qemu")), ["\"./qemu\" is not an absolute path"]);
    }
}
