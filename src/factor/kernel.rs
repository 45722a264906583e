//! The settings of a configuration as files and values.

use std::collections::BTreeSet;

use super::configuration::Configuration;
use super::cpus::Cpus;
use super::descriptor::{KernelSetting, Scope, Store};
use super::names::Factor;
use super::tuning::{Setting, is_of_nic};
use super::value::Value;

/// The settings of the VM host, its end of the wire included, where these CPUs are online.
pub fn host(configuration: &Configuration, online: &BTreeSet<u32>) -> Vec<Setting> {
    settings(configuration, Scope::Host, Factor::HostRps, online)
}

/// The settings inside every guest, of its NIC under test.
pub fn guest(configuration: &Configuration, online: &BTreeSet<u32>) -> Vec<Setting> {
    settings(configuration, Scope::Guest, Factor::GuestRps, online)
}

fn settings(
    configuration: &Configuration,
    scope: Scope,
    rps: Factor,
    online: &BTreeSet<u32>,
) -> Vec<Setting> {
    let without_rps = configuration.settings.get(&rps) == Some(&Value::Cpus(Cpus::none()));
    let setting = |(factor, level): (&Factor, &Value)| {
        let descriptor = factor.descriptor();
        let Store::Setting(kernel) = descriptor.store else { return None };
        let value = match kernel.zero_without_rps && without_rps {
            true => "0".to_owned(),
            false => written(&kernel, level, online),
        };
        (descriptor.scope == scope).then_some(Setting {
            what: kernel.what,
            files: kernel.files.into(),
            value,
            format: kernel.format,
            missing: kernel.missing,
            choices: kernel.choices,
        })
    };
    configuration.settings.iter().filter_map(setting).collect()
}

/// What the kernel takes for a level.
fn written(kernel: &KernelSetting, level: &Value, online: &BTreeSet<u32>) -> String {
    let [on, off] = kernel.switch;
    match level {
        Value::Cpus(cpus) => cpus.mask(online),
        Value::Switch(true) => on.into(),
        Value::Switch(false) => off.into(),
        other => other.to_string(),
    }
}

/// Whether a configuration changes settings of the VM host as a whole, or may have to: the pool of huge pages is made larger
/// where it is too small.
pub fn changes_machine(configuration: &Configuration) -> bool {
    let one = BTreeSet::from([0]); // which CPUs makes no difference here
    let huge = configuration.vms > 0 && configuration.huge_pages_each() > 0;
    huge || host(configuration, &one).iter().any(|setting| !is_of_nic(setting))
}
