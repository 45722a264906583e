//! `kvmfair doctor`

use std::path::PathBuf;

use anyhow::Result;

use super::json::{self, JsonEvent, MachineSubject};
use super::output::print;
use super::{Common, exit::Exit, inputs, output};
use crate::doctor::{self, Planned, Rating};
use crate::machine::login::Location;
use crate::profile::Experiment;

const EXAMPLES: &str = "\
Examples:
  kvmfair doctor
  kvmfair doctor --strict my-lab.toml";

/// Examine a VM host: which settings harm speed, or fairness between guests. Changes nothing.
///
/// Every subject is good, unknown, to note, or bad. Each one that is not good states its effect on guests and the command
/// that changes it. kvmfair never runs that command.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct DoctorCommand {
    /// A profile, or `-` for standard input: its VM host is examined instead of this machine, and its guests are added to
    /// the running ones
    #[arg(value_parser = inputs::path)]
    profile: Option<PathBuf>,
    /// Also explain what is good
    #[arg(long)]
    all: bool,
    /// Exit with 4 if anything is bad
    #[arg(long)]
    strict: bool,
}

impl DoctorCommand {
    pub(super) fn run(self, common: &Common) -> Result<Exit> {
        inputs::quiet_libvirt();
        super::logging::start(common.verbose, None);
        let experiment =
            self.profile.as_deref().map(inputs::load).transpose()?.map(|(_, experiment)| experiment);
        let place = experiment.as_ref().map_or(Location::Local, host);
        let report = doctor::examine(&doctor::inspect::inspect(&place)?, experiment.as_ref().map(planned))?;
        let machine = name(&place);
        let failed = self.strict && report.count(Rating::Bad) > 0;
        if common.json {
            json::print(
                report
                    .subjects
                    .into_iter()
                    .map(|subject| JsonEvent::Subject(MachineSubject { machine: machine.clone(), subject })),
            )?;
        } else {
            let page = doctor::page::page(&report, output::terminal(), self.all);
            print(&format!("{machine}, as a VM host\n\n{page}"))?;
        }
        Ok(if failed { Exit::Preflight } else { Exit::Success })
    }
}

/// The VM host of an experiment; guests of the embedded lab run here.
fn host(experiment: &Experiment) -> Location {
    experiment.machines.as_ref().map_or(Location::Local, |machines| machines.host.clone())
}

fn name(place: &Location) -> String {
    match place {
        Location::Local => "this machine".into(),
        Location::Remote(login) => login.address.to_string(),
    }
}

/// The guests of a profile; each sum is the largest of any configuration.
fn planned(experiment: &Experiment) -> Planned {
    let all = || experiment.configurations.iter();
    Planned {
        guests: all().map(|c| c.vms).max().unwrap_or(0),
        memory_mib: all().map(|c| u64::from(c.vms) * u64::from(c.memory_mib)).max().unwrap_or(0),
        vcpus: all().map(|c| c.vms * c.vcpus).max().unwrap_or(0),
    }
}
