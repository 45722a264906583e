//! `kvmfair doctor`

use std::path::PathBuf;

use anyhow::Result;
use serde_json::json;

use super::progress::print;
use super::{Common, bench, exit::Exit, inputs};
use crate::doctor::{self, Planned, Verdict};
use crate::profile::{Experiment, HostPlace};

/// Look at a VM host as a whole: what is set in a way that spoils speed, or fairness between guests. Changes nothing.
///
/// Every subject is good, unknown, to be noted, or bad; what is not good comes with what it does to guests and with the
/// command that changes it. kvmfair never runs that command.
#[derive(Debug, clap::Args)]
pub struct Doctor {
    /// A profile: its VM host is looked at in place of this machine, and its guests are counted with those that run
    profile: Option<PathBuf>,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Explain what is good, too
    #[arg(long)]
    all: bool,
    /// End with 4 if anything is bad
    #[arg(long)]
    strict: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A page for people
    Table,
    /// One object for each subject, as --json
    Json,
}

impl Doctor {
    pub(super) fn run(self, common: &Common) -> Result<Exit> {
        inputs::quiet_libvirt();
        super::logging::start(common.verbose, None)?;
        let experiment =
            self.profile.as_deref().map(inputs::load).transpose()?.map(|(_, experiment)| experiment);
        let place = experiment.as_ref().map_or(HostPlace::Here, host);
        let report = doctor::examine(&doctor::look::look(&place)?, experiment.as_ref().map(planned));
        let machine = name(&place);
        if common.json || self.format == Format::Json {
            print(&format!("{}\n", json!({ "machine": machine, "subjects": report.subjects })))?;
        } else {
            let page = doctor::page::page(&report, bench::terminal(), self.all);
            print(&format!("{machine}, as a host of guests\n\n{page}"))?;
        }
        let failed = self.strict && report.count(Verdict::Bad) > 0;
        Ok(if failed { Exit::Preflight } else { Exit::Success })
    }
}

/// The VM host of an experiment; guests of the embedded lab run here.
fn host(experiment: &Experiment) -> HostPlace {
    experiment.machines.as_ref().map_or(HostPlace::Here, |machines| machines.host.clone())
}

fn name(place: &HostPlace) -> String {
    match place {
        HostPlace::Here => "this machine".into(),
        HostPlace::There(login) => login.address.to_string(),
    }
}

/// The guests of a profile, each kind of sum at its most.
fn planned(experiment: &Experiment) -> Planned {
    let all = || experiment.configurations.iter();
    Planned {
        guests: all().map(|c| c.vms).max().unwrap_or(0),
        memory_mib: all().map(|c| u64::from(c.vms) * u64::from(c.memory_mib)).max().unwrap_or(0),
        vcpus: all().map(|c| c.vms * c.vcpus).max().unwrap_or(0),
    }
}
