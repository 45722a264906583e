//! What is read while a trial lasts: the host's counters, and on Xen the CPU times of its guests.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::flows::stations;
use super::lab_session::LabSession;
use crate::backend::{Counted, Side};
use crate::probe::xen::GuestTimes;
use crate::probe::{GuestTimesReader, HostSampler, TargetWatch};
use crate::profile::Configuration;
use crate::raw::HostSample;

/// They read, until they are stopped.
pub(super) struct Observers {
    host: HostSampler,
    guest_times: Option<GuestTimesReader>,
}

/// What they have read.
pub(super) struct Observed {
    /// By the host's clock.
    pub host: Vec<HostSample>,
    /// By this machine's; `None` on a host whose `/proc` shows the guests.
    pub guest_times: Option<Vec<GuestTimes>>,
}

impl Observers {
    /// Starts them for the guests of a configuration.
    ///
    /// # Errors
    /// If the counters of the host cannot be read.
    pub async fn start(
        session: &LabSession,
        configuration: &Configuration,
        interval: Duration,
    ) -> Result<Observers> {
        let guest_times = session.read_guest_times(interval)?;
        let host = session.lab.side(Side::Host);
        let host = HostSampler::start(host, watches(session, configuration), interval).await;
        Ok(Observers { host: host.context("failed to read the host's counters")?, guest_times })
    }

    /// Ends them.
    ///
    /// # Errors
    /// If something could not be read, or the host not twice.
    pub async fn stop(self) -> Result<Observed> {
        let host = self.host.stop().await;
        let guest_times = match self.guest_times {
            Some(reader) => Some(reader.stop().await),
            None => None,
        };
        let host = host.context("failed to read the host's counters")?;
        let guest_times = guest_times.transpose().context("failed to read the guests' CPU times")?;
        ensure!(host.len() >= 2, "the host's counters were read {} times; two are needed", host.len());
        Ok(Observed { host, guest_times })
    }
}

fn watches(session: &LabSession, configuration: &Configuration) -> Vec<TargetWatch> {
    let site = session.site(configuration);
    let watch = |(station, qemu_pid): (u32, Option<i32>)| match configuration.backend.counted(&site, station)
    {
        Counted::OnHost { interface, receives_from_target } => {
            TargetWatch { qemu_pid, interface: Some(interface), invert: !receives_from_target }
        }
        Counted::InGuest => TargetWatch { qemu_pid, interface: None, invert: false },
    };
    stations(configuration)
        .into_iter()
        .map(|station| (station, session.fleet.get(station).and_then(|guest| guest.pid)))
        .map(watch)
        .collect()
}
