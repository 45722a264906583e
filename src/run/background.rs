//! The load that is not measured: busy loops in guests, and streams to guests. It runs from before the first measured
//! flow to after the last.

use std::net::IpAddr;

use anyhow::{Context, Result};
use tokio::task::JoinSet;

use super::lab_session::LabSession;
use super::trial::{ORPHAN_LIMIT, START_LIMIT, control};
use crate::backend::Side;
use crate::guest::burner::Burner;
use crate::lab::address::{Net, Station, address};
use crate::load::command::FlowSpec;
use crate::load::parse;
use crate::load::tester::{Load, Tester};
use crate::profile::groups::Members;
use crate::profile::{Configuration, Role, Test, Timing};
use crate::sample::RawFlow;

/// Size of one send of a stream, bytes.
const MESSAGE_BYTES: u32 = 64 * 1024;

/// What runs beside the measured flows. Dropping it ends it.
#[derive(Default)]
pub(super) struct Background {
    burners: Vec<Burner>,
    streams: Option<(Load, Vec<FlowSpec>)>,
}

/// Starts what the groups of a configuration say, and returns when it runs.
///
/// # Errors
/// If a guest does not burn, or a stream does not run.
pub(super) async fn start(
    session: &LabSession,
    groups: &[Members],
    configuration: &Configuration,
    timing: &Timing,
) -> Result<Background> {
    let with = |role: Role| {
        let own = groups.iter().filter(move |group| group.role == role);
        own.flat_map(Members::numbers).collect::<Vec<u32>>()
    };
    let (loaded, burning) = (with(Role::NetLoad), with(Role::CpuBurner));
    let streams = start_streams(session, &loaded, timing);
    let streams = streams.await.context("failed to start the background streams")?;
    let burners = start_burners(session, &burning, configuration, timing);
    Ok(Background { burners: burners.await.context("failed to start the busy loops")?, streams })
}

async fn start_streams(
    session: &LabSession,
    guests: &[u32],
    timing: &Timing,
) -> Result<Option<(Load, Vec<FlowSpec>)>> {
    if guests.is_empty() {
        return Ok(None);
    }
    let spec = |(index, guest): (usize, &u32)| FlowSpec {
        flow: index as u32 + 1,
        guest: *guest,
        control: control(session.lab.control(), Station::Guest(*guest)),
        data: IpAddr::V4(address(Net::Test, Station::Guest(*guest))),
        test: Test::TCP_STREAM,
        request_bytes: 1,
        response_bytes: 1,
        message_bytes: MESSAGE_BYTES,
        burst: 0,
        interval: timing.interval,
        length: longest(timing),
    };
    let specs: Vec<FlowSpec> = guests.iter().enumerate().map(spec).collect();
    let tester = Tester { machine: session.lab.side(Side::Tester).clone() };
    let mut load = tester.start(&specs, START_LIMIT, longest(timing)).await?;
    load.wait_running().await?;
    Ok(Some((load, specs)))
}

async fn start_burners(
    session: &LabSession,
    guests: &[u32],
    configuration: &Configuration,
    timing: &Timing,
) -> Result<Vec<Burner>> {
    let (vcpus, max) = (configuration.vcpus, longest(timing));
    let mut tasks = JoinSet::new();
    for guest in guests.iter().filter_map(|number| session.fleet.get(*number)) {
        let guest = guest.clone();
        let (identity, site) = (session.fleet.identity().clone(), session.fleet.site().clone());
        tasks.spawn(async move { Burner::start(&guest, &identity, &site, vcpus, max).await });
    }
    let mut burners = Vec::new();
    while let Some(started) = tasks.join_next().await {
        burners.push(started??);
    }
    Ok(burners)
}

/// After so long it ends by itself, whatever became of this process.
fn longest(timing: &Timing) -> std::time::Duration {
    timing.warmup + timing.window + timing.cooldown + 2 * START_LIMIT + ORPHAN_LIMIT
}

impl Background {
    /// Ends everything; what the streams printed.
    ///
    /// # Errors
    /// If the streams' results do not come, or a guest goes on burning.
    pub(super) async fn stop(self) -> Result<Vec<RawFlow>> {
        let mut tasks: JoinSet<bool> = self.burners.into_iter().map(Burner::stop).collect();
        let mut ended = true;
        while let Some(one) = tasks.join_next().await {
            ended &= one?;
        }
        anyhow::ensure!(ended, "busy loops in a guest did not end");
        let Some((load, specs)) = self.streams else { return Ok(Vec::new()) };
        let transcript = load.stop().await.context("failed to end the background streams")?;
        Ok(parse::flows(&transcript, &specs))
    }
}
