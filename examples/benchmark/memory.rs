//! What an idle guest takes of the host's memory.

use std::time::Duration;

use anyhow::{Context, Result};
use kvmfair::profile::Configuration;
use procfs::Current;
use procfs::process::Process;

use crate::interrupt;
use crate::lab::{GUESTS, Lab};
use crate::numbers::mean;
use crate::table::{Goal, Row};

/// From the moment that all guests answer to the look at them.
const IDLE: Duration = Duration::from_secs(10);
/// From the end of the guests to the last look at the host.
const SETTLE: Duration = Duration::from_secs(2);
const MIB: f64 = 1024.0 * 1024.0;

/// What one QEMU process holds, MiB.
struct Held {
    anonymous: f64,
    proportional: f64,
}

pub async fn measure(lab: &mut Lab) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for configuration in lab.configurations.clone() {
        interrupt::check()?;
        eprintln!("measuring: memory of {GUESTS} guests of {} MiB", configuration.memory_mib);
        rows.extend(idle(lab, &configuration).await?);
    }
    Ok(rows)
}

async fn idle(lab: &mut Lab, configuration: &Configuration) -> Result<[Row; 3]> {
    let before = used_mib()?;
    lab.session.move_to(configuration, 1).await?;
    tokio::time::sleep(IDLE).await;
    let held = (1..=GUESTS).map(|guest| {
        let pid = lab.session.fleet.get(guest).and_then(|guest| guest.pid).context("a guest is not there")?;
        look(pid)
    });
    let held = held.collect::<Result<Vec<Held>>>()?;
    let during = used_mib()?;
    lab.session.abandon().await?;
    tokio::time::sleep(SETTLE).await;
    let delta = (during - (before + used_mib()?) / 2.0) / f64::from(GUESTS);
    let of = |part: fn(&Held) -> f64| mean(&held.iter().map(part).collect::<Vec<_>>());
    let row = |what: &str, figure: f64, goal: Goal, how: &str| Row {
        what: format!("memory of an idle guest of {} MiB: {what}", configuration.memory_mib),
        figure,
        decimals: 1,
        unit: " MiB",
        goal,
        how: how.into(),
    };
    Ok([
        row(
            "resident, its own",
            of(|held| held.anonymous),
            Goal::AtMost(120.0),
            "RssAnon of QEMU, mean of 8 guests, 10 s after the last one answered",
        ),
        row(
            "resident with its share of files",
            of(|held| held.proportional),
            Goal::None,
            "PSS of QEMU, mean: each page ÷ processes that map it (QEMU itself, kernel image)",
        ),
        row(
            "used on the host",
            delta,
            Goal::None,
            "MemTotal − MemAvailable with the guests less the mean of before and after, ÷ 8; whatever else the machine \
             does is in it",
        ),
    ])
}

fn look(pid: i32) -> Result<Held> {
    let process = Process::new(pid)?;
    let anonymous = process.status()?.rssanon.context("the kernel does not tell RssAnon")?;
    let rollup = process.smaps_rollup()?.memory_map_rollup;
    let pss = rollup.iter().next().and_then(|map| map.extension.map.get("Pss").copied());
    Ok(Held {
        anonymous: anonymous as f64 / 1024.0,
        proportional: pss.context("the kernel does not tell Pss")? as f64 / MIB,
    })
}

fn used_mib() -> Result<f64> {
    let memory = procfs::Meminfo::current().context("failed to read /proc/meminfo")?;
    let available = memory.mem_available.context("the kernel does not tell MemAvailable")?;
    Ok((memory.mem_total - available) as f64 / MIB)
}
