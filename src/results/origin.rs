//! The provenance of a run, from the environment that is kept with its results.

use super::run_dir::RunDir;
use crate::host::Environment;
use crate::raw::Accel;
use crate::report::Provenance;

pub(super) fn provenance(dir: &RunDir, environment: &Environment, accel: Accel) -> Provenance {
    let known = |value: &Option<String>| value.clone().unwrap_or_default();
    Provenance {
        run: dir.name(),
        tool_version: environment.tool_version.clone(),
        profile: environment.profile.clone(),
        digest: environment.profile_sha256.clone(),
        accel,
        host_cpu: known(&environment.cpu_model),
        host_cpus: environment.cpus,
        virtual_machine: environment.virtual_machine,
        kernel: environment.kernel.clone(),
        qemu: known(&environment.qemu),
        xen: known(&environment.xen),
        libvirt: known(&environment.libvirt),
        netperf: known(&environment.netperf),
        ping: known(&environment.ping),
        date: environment.date.clone(),
        changes: environment.changes.clone(),
    }
}
