//! KSM, switched on or with new guests before it: it merges only pages that it has scanned twice, and a trial before that
//! would measure a host that has not merged yet.

use anyhow::{Context, Result};
use tokio::time::{Duration, Instant, sleep};

use crate::backend::Side;
use crate::machine::Machine;
use crate::plan::Scan;
use crate::raw::{KSM_SCANS, KsmWait, Merged};
use crate::run::event::Event;
use crate::run::lab_session::LabSession;

/// Between two readings of its progress.
const PAUSE: Duration = Duration::from_millis(500);

/// Waits until the host's KSM has scanned the memory of so many guests, of `memory_mib` each, twice; or as long as that
/// may take. `None` where there is nothing to wait for.
///
/// # Errors
/// If the host does not show its progress.
pub(in crate::run) async fn merge(
    session: &LabSession,
    guests: u32,
    memory_mib: u32,
) -> Result<Option<KsmWait>> {
    if guests == 0 {
        return Ok(None);
    }
    let host = session.lab.side(Side::Host);
    let bound_s = pace(host).await.bound_s(guests, memory_mib);
    session.report(Event::Preparing(format!("KSM scans the guests' memory: up to {bound_s:.0} s")));
    let (start, first) = (Instant::now(), full_scans(host).await?);
    loop {
        sleep(PAUSE).await;
        let full_scans = full_scans(host).await?.saturating_sub(first);
        let waited_s = start.elapsed().as_secs_f64();
        if full_scans >= KSM_SCANS || waited_s >= bound_s {
            tracing::info!(waited_s, bound_s, full_scans, "waited for KSM");
            return Ok(Some(KsmWait { waited_s, bound_s, full_scans }));
        }
    }
}

/// How fast the KSM of a host is.
pub(in crate::run) async fn pace(host: &Machine) -> Scan {
    Scan::from_kernel(number(host, "pages_to_scan").await, number(host, "sleep_millisecs").await)
}

/// The pages that a host has merged at the moment; `None` if its kernel does not show them.
pub(in crate::run) async fn merged(host: &Machine) -> Option<Merged> {
    Some(Merged {
        shared: number(host, "pages_shared").await?,
        sharing: number(host, "pages_sharing").await?,
    })
}

async fn full_scans(host: &Machine) -> Result<u64> {
    number(host, "full_scans").await.context("failed to read the progress of KSM on the VM host")
}

async fn number(host: &Machine, file: &str) -> Option<u64> {
    host.read(&format!("/sys/kernel/mm/ksm/{file}")).await.ok()?.trim().parse().ok()
}
