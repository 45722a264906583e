//! Eight guests through kvmfair against the same eight QEMU processes started by hand: the time until all answer.
//!
//! Both wait in the same way for the same readiness: SSH with the pinned host key, and netserver. kvmfair's time has the
//! wire and the switch in it; the taps and bridges of the bare guests are there before their clock starts.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use kvmfair::backend::Side;
use kvmfair::guest::fleet::{Boot, wait_ready};
use tokio::task::JoinSet;

use crate::bare::{self, Bare};
use crate::interrupt;
use crate::lab::{GUESTS, Lab};
use crate::numbers::{list, median};
use crate::table::{Goal, Row};

/// For guests that never answer.
const LIMIT: Duration = Duration::from_secs(300);

pub async fn measure(lab: &mut Lab, pairs: u32) -> Result<Vec<Row>> {
    eprintln!("measuring: {GUESTS} guests that answer, through kvmfair and bare");
    let (_, argv) = through_kvmfair(lab).await?; // files are in memory now, and libvirt knows its QEMU
    let mut times: Vec<(f64, f64)> = Vec::new();
    for pair in 0..pairs {
        interrupt::check()?;
        let (ours, bare) = if pair % 2 == 0 {
            let ours = through_kvmfair(lab).await?.0;
            (ours, by_hand(lab, &argv).await?)
        } else {
            let bare = by_hand(lab, &argv).await?;
            (through_kvmfair(lab).await?.0, bare)
        };
        eprintln!("pair {}: kvmfair {ours:.2} s, bare {bare:.2} s", pair + 1);
        times.push((ours, bare));
    }
    Ok(vec![row(&times)])
}

fn row(times: &[(f64, f64)]) -> Row {
    let ratios: Vec<f64> = times.iter().map(|(ours, bare)| ours / bare).collect();
    let (ours, bare): (Vec<f64>, Vec<f64>) = times.iter().copied().unzip();
    Row {
        what: format!("time until {GUESTS} guests answer ÷ bare QEMU"),
        figure: median(&ratios),
        decimals: 2,
        unit: "",
        goal: Goal::AtMost(1.15),
        how: format!(
            "96 MiB, virtio, SSH and netserver answer; median of {} pairs in alternating order: {}; kvmfair {} s, \
             bare {} s",
            times.len(),
            list(&ratios, 2),
            list(&ours, 2),
            list(&bare, 2)
        ),
    }
}

/// Seconds, and the command lines that libvirt made of it.
async fn through_kvmfair(lab: &mut Lab) -> Result<(f64, Vec<Vec<String>>)> {
    let configuration = lab.configurations[0].clone();
    let begun = Instant::now();
    lab.session.move_to(&configuration).await?;
    let took = begun.elapsed().as_secs_f64();
    let argv = (1..=GUESTS).map(|guest| {
        let pid = lab.session.fleet.get(guest).context("a guest is not there")?.pid;
        Ok(procfs::process::Process::new(pid)?.cmdline()?)
    });
    let argv = argv.collect::<Result<_>>()?;
    lab.session.abandon().await?;
    Ok((took, argv))
}

/// Seconds for bare QEMU processes.
async fn by_hand(lab: &mut Lab, argv: &[Vec<String>]) -> Result<f64> {
    let configuration = lab.configurations[0].clone();
    lab.session.lab.attach(configuration.backend, configuration.mtu, GUESTS).await?;
    for guest in 1..=GUESTS {
        add_taps(lab, guest).await?;
    }
    let took = timed(lab, argv).await;
    for tap in (1..=GUESTS).flat_map(|guest| taps(lab, guest)).map(|(tap, _)| tap) {
        lab.session.lab.side(Side::Host).run(&["ip", "link", "delete", &tap]).await?;
    }
    lab.session.lab.detach().await?;
    took
}

async fn timed(lab: &Lab, argv: &[Vec<String>]) -> Result<f64> {
    let begun = Instant::now();
    let mut guests = Vec::new(); // ended when they go out of scope, also after an error
    let mut waits = JoinSet::new();
    for (guest, libvirts) in (1..=GUESTS).zip(argv) {
        let boot = boot(lab, guest);
        let names: Vec<String> = taps(lab, guest).into_iter().map(|(tap, _)| tap).collect();
        let started = Bare::start(&bare::argv(libvirts, &names, &boot.domain.console))?;
        let (pid, identity) = (started.pid(), lab.session.fleet.identity().clone());
        guests.push(started);
        let deadline = tokio::time::Instant::now() + LIMIT;
        waits.spawn(async move { wait_ready(&boot, &identity, pid, deadline).await });
    }
    while let Some(waited) = waits.join_next().await {
        if waited??.is_none() {
            bail!("a bare guest did not answer within {} s", LIMIT.as_secs());
        }
    }
    Ok(begun.elapsed().as_secs_f64())
}

/// The guest as kvmfair knows it, with a console of its own.
fn boot(lab: &Lab, guest: u32) -> Boot {
    let mut boot = lab.session.guest(&lab.configurations[0], guest);
    boot.domain.console = bare::console(&lab.state, guest);
    std::fs::remove_file(&boot.domain.console).ok();
    boot
}

/// The names of a guest's taps and of their bridges, management first.
fn taps(lab: &Lab, guest: u32) -> [(String, String); 2] {
    let names = &lab.session.lab.names;
    [(names.management_tap(guest), names.management()), (names.tap(guest), names.bridge())]
}

async fn add_taps(lab: &Lab, guest: u32) -> Result<()> {
    let host = lab.session.lab.side(Side::Host);
    for (tap, bridge) in taps(lab, guest) {
        host.run(&["ip", "tuntap", "add", "dev", &tap, "mode", "tap"]).await?;
        host.run(&["ip", "link", "set", &tap, "master", &bridge, "up"]).await?;
    }
    Ok(())
}
