//! The machines of a lab one after another: this one in all its roles, or a VM host and a tester.

use super::{CheckResult, Examination, image, others, shell, tester, vm_host, wire};
use crate::backend::Side;
use crate::host;
use crate::lab::{machines, nics, ovs};
use crate::machine::Machine;
use crate::machine::login::Location;
use crate::profile::Experiment;

/// Examines every machine that answers.
pub(super) async fn examine(experiment: &Experiment) -> Examination {
    let several = experiment.machines.is_some();
    let name = |side| several.then_some(if side == Side::Host { "VM host" } else { "tester" });
    let mut all = Examination { findings: others::stale(experiment), ..Examination::default() };
    all.add(several.then_some("this machine"), image::examine(experiment).await);
    let (host, tester) = match &experiment.machines {
        None => (Some(Machine::local()), Some(Machine::local())),
        Some(places) => {
            let host = all.login(name(Side::Host), &places.host).await;
            (host, all.login(name(Side::Tester), &Location::Remote(places.tester.clone())).await)
        }
    };
    match nics::wire(experiment.wire.as_ref(), host.as_ref(), tester.as_ref(), !several).await {
        Ok(found) => {
            wire::good(&found).into_iter().for_each(|(side, finding)| all.add(name(side), [finding]));
            all.wire = Some(found);
        }
        Err(errors) => errors.iter().for_each(|(side, error)| all.add(name(*side), [wire::bad(error)])),
    }
    if let Some(host) = &host {
        all.host = host::gather(host).await.unwrap_or_default();
        let findings = vm_host::examine(host, &all.host, experiment, all.wire.as_ref()).await;
        all.add(name(Side::Host), findings);
        all.open_vswitch = ovs::fingerprint(host, experiment).await;
    }
    if let Some(tester) = &tester {
        let facts = if several { host::gather(tester).await.unwrap_or_default() } else { all.host.clone() };
        all.add(name(Side::Tester), tester::examine(tester, &facts, experiment).await);
        all.tester = several.then_some(facts);
    }
    all
}

impl Examination {
    async fn login(&mut self, name: Option<&str>, location: &Location) -> Option<Machine> {
        let what = "login";
        let opened = machines::open(location, "").await;
        let finding = match &opened {
            Ok(Machine::Local(_)) => CheckResult::good(what, "this machine"),
            Ok(Machine::Remote(remote)) => CheckResult::good(what, remote.to_string()),
            Err(error) => CheckResult::bad(what, error.to_string(), error.fix()),
        };
        self.add(name, [finding]);
        let machine = opened.ok()?;
        let shell = shell::examine(&machine).await;
        let is_usable = shell.is_none();
        self.add(name, shell);
        is_usable.then_some(machine)
    }
}
