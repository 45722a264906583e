//! Huge pages for guests that are about to start: the host's pool is made larger where it is too small, and is put back with
//! the other settings of the host.

use anyhow::{Context, Result, bail};

use crate::backend::Side;
use crate::factor::tuning::{KernelFormat, Setting};
use crate::machine::Machine;
use crate::profile::Configuration;
use crate::profile::configuration::HUGE_PAGE_KIB;
use crate::run::lab_session::LabSession;

/// Provides for so many guests of a configuration.
///
/// # Errors
/// If the host cannot be asked, or has not so many pages even then.
pub(in crate::run) async fn provide(
    session: &mut LabSession,
    configuration: &Configuration,
    guests: usize,
) -> Result<()> {
    let need = guests as u64 * configuration.huge_pages_each();
    if need == 0 {
        return Ok(());
    }
    let directory = pool(configuration.numa_node);
    let read = async |lab: &crate::lab::Lab| Pool::read(lab.side(Side::Host), &directory).await;
    let before = read(&session.lab).await?;
    if let Some(total) = before.total_for(need) {
        let setting = Setting {
            what: "huge pages of the machine's pool",
            files: format!("{directory}/nr_hugepages").into(),
            value: total.to_string(),
            format: KernelFormat::Plain,
            missing: "",
            choices: "",
        };
        session.lab.tune("lo", &[setting]).await.context("failed to enlarge the pool of huge pages")?;
    }
    let free = read(&session.lab).await?.unclaimed();
    if free < need {
        bail!(
            "{guests} guests need {need} huge pages of 2 MiB, and the host could find only {free} (hint: its memory is in \
             pieces: reserve them when it starts, hugepages={} on the kernel's command line; or use fewer guests)",
            before.total_for(need).unwrap_or(need)
        );
    }
    Ok(())
}

/// Where a pool is: the machine's, or that of one node.
fn pool(node: Option<u32>) -> String {
    let of_node = node.map_or("/sys/kernel/mm".into(), |node| format!("/sys/devices/system/node/node{node}"));
    format!("{of_node}/hugepages/hugepages-{HUGE_PAGE_KIB}kB")
}

/// Pages of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pool {
    total: u64,
    free: u64,
    reserved: u64,
}

impl Pool {
    async fn read(host: &Machine, directory: &str) -> Result<Pool> {
        let number = async |file: &str| {
            let path = format!("{directory}/{file}");
            let text = host.read(&path).await.with_context(|| format!("failed to read {path}"))?;
            text.trim().parse::<u64>().with_context(|| format!("{path} is no number"))
        };
        // A node's pool does not say what is reserved: that is the whole machine's.
        let reserved = number("resv_hugepages").await.unwrap_or(0);
        Ok(Pool { total: number("nr_hugepages").await?, free: number("free_hugepages").await?, reserved })
    }

    /// Pages that nobody has and nobody has been promised.
    fn unclaimed(self) -> u64 {
        self.free.saturating_sub(self.reserved)
    }

    /// How many there must be in all for so many unclaimed ones; `None` if there are enough.
    fn total_for(self, need: u64) -> Option<u64> {
        let more = need.saturating_sub(self.unclaimed());
        (more > 0).then_some(self.total + more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_grows_by_what_is_missing_and_not_where_enough_is_free() {
        let pool = Pool { total: 100, free: 60, reserved: 20 };
        assert_eq!(pool.total_for(48), Some(108));
        assert_eq!(pool.total_for(40), None);
    }

    #[test]
    fn the_pool_of_a_node_is_its_own() {
        assert_eq!(pool(None), "/sys/kernel/mm/hugepages/hugepages-2048kB");
        assert_eq!(pool(Some(1)), "/sys/devices/system/node/node1/hugepages/hugepages-2048kB");
    }
}
