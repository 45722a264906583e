//! What has to be known beside every figure: who measured, what, on what, when.
//!
//! A plain struct: others fill it from the environment's fingerprint.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::backend::{Attachment, Backend, MacvtapMode};
use crate::profile::{Configuration, Experiment, WireNics};
use crate::raw::Accel;
use crate::table::{Cell, Column, ColumnType, Table};

/// Where figures come from. An empty field is unknown and is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Name of the run's directory.
    pub run: String,
    /// Version of kvmfair.
    pub tool_version: String,
    /// Name of the profile.
    pub profile: String,
    /// Digest of the profile's text.
    pub digest: String,
    /// What ran the guests' instructions.
    pub accel: Accel,
    /// Model of the host's CPU.
    pub host_cpu: String,
    /// CPUs online on the host.
    pub host_cpus: u32,
    /// Whether the host is itself a virtual machine.
    pub virtual_machine: bool,
    /// Kernel of the host.
    pub kernel: String,
    /// Version of QEMU, if it ran the guests.
    pub qemu: String,
    /// Version of Xen, if it ran the guests.
    #[serde(default)]
    pub xen: String,
    /// Version of libvirt.
    pub libvirt: String,
    /// The tester's version of netperf.
    pub netperf: String,
    /// The tester's version of iputils' ping, if it was used.
    #[serde(default)]
    pub ping: String,
    /// When the run began.
    pub date: String,
    /// What had changed when it was resumed all the same, a sentence each, by the time of that: seconds since 1970.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub changes: BTreeMap<i64, Vec<String>>,
}

impl Provenance {
    /// Lines for the foot of a picture: what all runs have in common; of several, then each one's own.
    pub fn lines(runs: &[&Provenance]) -> Vec<String> {
        let of_runs: Vec<Vec<String>> = runs.iter().map(|run| run.parts()).collect();
        let Some((first, others)) = of_runs.split_first() else { return Vec::new() };
        let is_common = |part: &&String| others.iter().all(|other| other.contains(part));
        let common: Vec<&String> = first.iter().filter(is_common).collect();
        let joined =
            |parts: Vec<&String>| parts.into_iter().map(String::as_str).collect::<Vec<_>>().join(" · ");
        let own = runs.iter().zip(&of_runs).filter_map(|(run, parts)| {
            let own: Vec<&String> = parts.iter().filter(|part| !common.contains(part)).collect();
            (!own.is_empty()).then(|| format!("{}: {}", run.run, joined(own)))
        });
        std::iter::once(joined(common.clone())).filter(|line| !line.is_empty()).chain(own).collect()
    }

    /// What is known, in a few words each.
    fn parts(&self) -> Vec<String> {
        let digest: String = self.digest.chars().take(12).collect();
        let cpus = if self.host_cpus == 1 { "CPU" } else { "CPUs" };
        let parts = [
            format!("kvmfair {}", self.tool_version),
            named("profile ", &join(&self.profile, &digest)),
            named("", &self.host_cpu),
            format!(
                "{} {cpus}{}",
                self.host_cpus,
                if self.virtual_machine { " of a virtual machine" } else { "" }
            ),
            named("Linux ", &self.kernel),
            named("QEMU ", &self.qemu),
            named("Xen ", &self.xen),
            named("libvirt ", &self.libvirt),
            named("netperf ", &self.netperf),
            named("ping of iputils ", &self.ping),
            match self.accel {
                Accel::Tcg => "emulated guests (TCG)".into(),
                Accel::Xen => String::new(), // its version says it
                Accel::Kvm => self.accel.label().into(),
            },
            self.date.clone(),
        ];
        parts.iter().filter(|part| !part.is_empty()).map(|part| short(part)).collect()
    }

    /// Name and value of what is known, with the lab of the experiment.
    pub fn table(&self, experiment: &Experiment) -> Table {
        let rows = [
            ("wire", wire(experiment)),
            ("tester", tester(experiment)),
            ("tool", format!("kvmfair {}", self.tool_version)),
            ("profile", self.profile.clone()),
            ("profile digest", self.digest.clone()),
            ("guests run by", self.accel.label().into()),
            ("host CPU", self.host_cpu.clone()),
            ("host CPUs", self.host_cpus.to_string()),
            ("host is a virtual machine", if self.virtual_machine { "yes".into() } else { "no".into() }),
            ("host kernel", self.kernel.clone()),
            ("QEMU", self.qemu.clone()),
            ("Xen", self.xen.clone()),
            ("libvirt", self.libvirt.clone()),
            ("netperf", self.netperf.clone()),
            ("ping of iputils", self.ping.clone()),
            ("date", self.date.clone()),
        ];
        let known = rows.into_iter().filter(|(_, value)| !value.is_empty());
        Table {
            name: "provenance",
            columns: vec![
                Column::plain("what", ColumnType::Text, "what is known"),
                Column::plain("value", ColumnType::Text, "its value"),
            ],
            rows: known.map(|(name, value)| vec![Cell::text(name), Cell::text(value)]).collect(),
        }
    }
}

/// What connected the VM host and the tester. Without a NIC that is stated: nobody may take a veth pair for one.
pub(super) fn wire(experiment: &Experiment) -> String {
    match &experiment.wire {
        Some(nics) => {
            let configurations = &experiment.configurations;
            let mut measured: Vec<&str> =
                configurations.iter().flat_map(|one| host_nics(nics, one)).collect();
            let mut seen = HashSet::new();
            measured.retain(|name| seen.insert(*name));
            format!("{} of the VM host to {} of the tester", measured.join(", "), nics.tester_dev)
        }
        None => "veth pair on the VM host; no NIC was measured".into(),
    }
}

/// The host's NICs that carry the packets of a configuration.
fn host_nics<'n>(nics: &'n WireNics, configuration: &Configuration) -> Vec<&'n str> {
    let all: Vec<&String> = match configuration.backend {
        Backend::Guest { attachment: Attachment::Vdpa, .. } if !nics.vdpa_devs.is_empty() => {
            nics.vdpa_devs.iter().collect()
        }
        Backend::Guest {
            attachment: Attachment::Vdpa | Attachment::Function | Attachment::Macvtap(MacvtapMode::Passthru),
            ..
        } => nics.host_devs().collect(),
        _ => return vec![&nics.host_dev],
    };
    all.into_iter().take(configuration.vms as usize).map(String::as_str).collect()
}

/// What sent the requests, and whether it took CPU time from the guests.
pub(super) fn tester(experiment: &Experiment) -> String {
    match &experiment.machines {
        Some(machines) => machines.tester.address.host.clone(),
        None => "a network namespace of the VM host; it shares the host's CPUs with the guests".into(),
    }
}

/// A part cut to a length that leaves room for the others.
fn short(part: &str) -> String {
    const LONGEST: usize = 56;
    if part.chars().count() <= LONGEST {
        part.into()
    } else {
        part.chars().take(LONGEST - 1).chain(['…']).collect()
    }
}

fn named(name: &str, value: &str) -> String {
    if value.is_empty() { String::new() } else { format!("{name}{value}") }
}

fn join(profile: &str, digest: &str) -> String {
    if digest.is_empty() { profile.into() } else { format!("{profile} ({digest})") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::fixture::configuration;
    use crate::profile::Factor;
    use crate::report::fixture;

    #[test]
    fn the_foot_of_a_picture_names_the_hypervisor_and_the_programs_that_measured() {
        let on_xen = Provenance {
            qemu: String::new(),
            xen: "4.17.0".into(),
            ping: "20221126".into(),
            ..fixture::provenance(Accel::Xen)
        };
        let [line] = &Provenance::lines(&[&on_xen])[..] else { panic!("one run has one line") };
        assert!(
            line.contains(" · Xen 4.17.0 · libvirt 11.3.0 · netperf 2.7.0 · ping of iputils 20221126 · 2026"),
            "{line}"
        );
        let [line] = &Provenance::lines(&[&fixture::provenance(Accel::Tcg)])[..] else { panic!() };
        assert!(!line.contains("Xen") && !line.contains("ping"), "{line}");
    }

    #[test]
    fn the_wire_names_the_nics_that_were_measured_and_no_other() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let nics = WireNics {
            host_dev: "eth1".into(),
            spare_devs: names(&["eth2", "eth3"]),
            vdpa_devs: names(&["vdpa1", "vdpa2", "vdpa3"]),
            tester_dev: "eth0".into(),
        };
        for (backends, measured) in [
            (&["vdpa"][..], "vdpa1, vdpa2"),
            (&["virtio", "e1000"], "eth1"),
            (&["pci-passthrough"], "eth1, eth2"),
            (&["virtio", "vdpa"], "eth1, vdpa1, vdpa2"),
        ] {
            let configurations = backends.iter().map(|backend| configuration(backend, 2)).collect();
            let experiment = fixture::experiment(configurations, &[Factor::Backend]);
            let experiment = Experiment { wire: Some(nics.clone()), ..experiment };
            assert_eq!(wire(&experiment), format!("{measured} of the VM host to eth0 of the tester"));
        }
    }
}
