//! The load that is not measured: busy loops in guests, and streams to guests. It runs from before the first measured
//! flow to after the last.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::task::JoinSet;

use super::lab_session::LabSession;
use super::settings::paced::rate_of;
use super::time_limits::{ORPHAN_LIMIT, START_LIMIT};
use crate::address::{Net, Station, address};
use crate::backend::Side;
use crate::guest::burner::Burner;
use crate::load::Load;
use crate::load::command::{self, FlowSpec};
use crate::load::parse;
use crate::profile::PingSettings;
use crate::profile::groups::Members;
use crate::profile::{Configuration, Role, Test, Timing};
use crate::raw::RawFlow;

/// Size of one send of a stream, bytes.
const MESSAGE_BYTES: u32 = 64 * 1024;
/// The least and the most of a paced stream's send buffer, bytes: some frames, and what Linux gives everybody.
const SEND_BUFFER: (u32, u32) = (4_096, 212_992);

/// The running background load. Dropping it ends it.
#[derive(Default)]
pub(super) struct BackgroundLoad {
    burners: Vec<Burner>,
    streams: Option<(Load, Vec<FlowSpec>)>,
}

/// Starts the background load of a configuration's groups, and returns when it runs.
///
/// # Errors
/// If a guest does not burn, or a stream does not run.
pub(super) async fn start(
    session: &LabSession,
    groups: &[Members],
    configuration: &Configuration,
    timing: &Timing,
) -> Result<BackgroundLoad> {
    let burning = groups.iter().filter(|group| group.role == Role::CpuBurner);
    let burning: Vec<u32> = burning.flat_map(Members::numbers).collect();
    let specs = streams(session, groups, timing);
    let streams =
        start_streams(session, &specs, timing).await.context("failed to start the background streams")?;
    let burners = start_burners(session, &burning, configuration, timing);
    Ok(BackgroundLoad { burners: burners.await.context("failed to start the busy loops")?, streams })
}

/// One stream to each guest that receives one, as fast as it goes or as fast as the tester lets it.
fn streams(session: &LabSession, groups: &[Members], timing: &Timing) -> Vec<FlowSpec> {
    let loaded = groups.iter().filter(|group| matches!(group.role, Role::NetLoad | Role::Paced));
    let guests: Vec<_> =
        loaded.flat_map(|group| group.numbers().map(move |guest| (guest, rate_of(group)))).collect();
    let settle = command::settle(Test::TCP_STREAM, guests.len() as u32);
    let spec = |(flow, (guest, rate)): (u32, (u32, Option<u64>))| {
        let send_buffer_bytes = rate.map(|bits| send_buffer(bits, timing.interval));
        FlowSpec {
            flow,
            guest,
            control: IpAddr::V4(address(session.lab.control(), Station::Guest(guest))),
            data: IpAddr::V4(address(Net::Test, Station::Guest(guest))),
            test: Test::TCP_STREAM,
            request_bytes: 1,
            response_bytes: 1,
            message_bytes: send_buffer_bytes.unwrap_or(MESSAGE_BYTES).min(MESSAGE_BYTES),
            burst: 0,
            ping: PingSettings::default(),
            send_buffer_bytes,
            interval: timing.interval,
            settle,
            length: None,
        }
    };
    (1..).zip(guests).map(spec).collect()
}

/// Send buffer of a paced stream, bytes: the amount that its rate moves in a quarter of an interval. By default the kernel buffers
/// megabytes, and netperf would count data that has not been sent.
fn send_buffer(bits: u64, interval: Duration) -> u32 {
    ((bits as f64 / 8.0 * interval.as_secs_f64() / 4.0) as u32).clamp(SEND_BUFFER.0, SEND_BUFFER.1)
}

async fn start_streams(
    session: &LabSession,
    specs: &[FlowSpec],
    timing: &Timing,
) -> Result<Option<(Load, Vec<FlowSpec>)>> {
    if specs.is_empty() {
        return Ok(None);
    }
    let tester = session.lab.side(Side::Tester);
    let mut load = Load::start(tester, specs, START_LIMIT, longest(timing)).await?;
    load.wait_running().await?;
    Ok(Some((load, specs.to_vec())))
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

/// After this time it ends by itself, even if this process has ended.
fn longest(timing: &Timing) -> Duration {
    timing.warmup + timing.window + timing.cooldown + 2 * START_LIMIT + ORPHAN_LIMIT
}

impl BackgroundLoad {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paced_stream_waits_in_a_buffer_of_a_part_of_an_interval() {
        let at = |bits| send_buffer(bits, Duration::from_millis(250));
        assert_eq!([64_000, 2_000_000, 10_000_000_000].map(at), [4_096, 15_625, 212_992]);
    }
}
