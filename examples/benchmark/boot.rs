//! Eight guests through kvmfair against the same eight QEMU processes started by hand: the time until all answer.
//!
//! Both wait in the same way for the same readiness: SSH with the pinned host key, and netserver. kvmfair's time has the
//! wire and the switch in it; the taps and bridges of the bare guests are there before their clock starts.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use kvmfair::backend::Side;
use kvmfair::guest::boot::Boot;
use kvmfair::guest::console::Console;
use kvmfair::guest::ready::wait_ready;
use nix::sys::resource::{UsageWho, getrusage};
use procfs::process::Process;
use tokio::task::JoinSet;

use crate::bare::{self, Bare};
use crate::interrupt;
use crate::lab::{GUESTS, Lab};
use crate::numbers::{list, median};
use crate::table::{Goal, Row};

/// What it took until all guests answered.
struct Cost {
    wall_s: f64,
    cpu_s: f64,
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} s ({:.1} s CPU)", self.wall_s, self.cpu_s)
    }
}

/// A clock for both.
struct Watch {
    begun: Instant,
    own_s: f64,
}

impl Watch {
    fn start() -> Result<Watch> {
        Ok(Watch { begun: Instant::now(), own_s: own_cpu_s()? })
    }

    /// With the CPU time of these QEMU processes, which are still there.
    fn stop(self, qemus: &[i32]) -> Result<Cost> {
        let wall_s = self.begun.elapsed().as_secs_f64();
        let mut cpu_s = own_cpu_s()? - self.own_s;
        for pid in qemus {
            let stat = Process::new(*pid)?.stat()?;
            cpu_s += (stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64;
        }
        Ok(Cost { wall_s, cpu_s })
    }
}

/// CPU time of this process, without its children: those end at another moment here than there.
fn own_cpu_s() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let seconds = |t: nix::sys::time::TimeVal| t.tv_sec() as f64 + t.tv_usec() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}

/// For guests that never answer.
const LIMIT: Duration = Duration::from_secs(300);

pub async fn measure(lab: &mut Lab, pairs: u32) -> Result<Vec<Row>> {
    eprintln!("measuring: {GUESTS} guests that answer, through kvmfair and bare");
    let (_, argv) = through_kvmfair(lab).await?; // files are in memory now, and libvirt knows its QEMU
    let mut costs: Vec<(Cost, Cost)> = Vec::new();
    for pair in 0..pairs {
        interrupt::check()?;
        let (ours, bare) = if pair % 2 == 0 {
            let ours = through_kvmfair(lab).await?.0;
            (ours, by_hand(lab, &argv).await?)
        } else {
            let bare = by_hand(lab, &argv).await?;
            (through_kvmfair(lab).await?.0, bare)
        };
        eprintln!("pair {}: kvmfair {ours}, bare {bare}", pair + 1);
        costs.push((ours, bare));
    }
    let of = |part: fn(&Cost) -> f64| costs.iter().map(|(ours, bare)| (part(ours), part(bare))).collect();
    let time = format!("time until {GUESTS} guests answer ÷ bare QEMU");
    let cpu = "the same in CPU time of QEMU and kvmfair, which other work on the machine hardly changes";
    Ok(vec![row(&time, Goal::AtMost(1.15), of(|c| c.wall_s)), row(cpu, Goal::None, of(|c| c.cpu_s))])
}

fn row(what: &str, goal: Goal, times: Vec<(f64, f64)>) -> Row {
    let ratios: Vec<f64> = times.iter().map(|(ours, bare)| ours / bare).collect();
    let (ours, bare): (Vec<f64>, Vec<f64>) = times.iter().copied().unzip();
    Row {
        what: what.into(),
        figure: median(&ratios),
        decimals: 2,
        unit: "",
        goal,
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

/// The cost, and the command lines that libvirt made of it.
async fn through_kvmfair(lab: &mut Lab) -> Result<(Cost, Vec<Vec<String>>)> {
    let configuration = lab.configurations[0].clone();
    let watch = Watch::start()?;
    lab.session.move_to(&configuration, 1).await?;
    let pids = (1..=GUESTS).map(|guest| lab.session.fleet.get(guest).and_then(|guest| guest.pid));
    let pids: Vec<i32> = pids.collect::<Option<_>>().context("a guest is not there")?;
    let took = watch.stop(&pids)?;
    let argv = pids.iter().map(|pid| Ok(Process::new(*pid)?.cmdline()?)).collect::<Result<_>>()?;
    lab.session.abandon().await?;
    Ok((took, argv))
}

/// The cost of bare QEMU processes.
async fn by_hand(lab: &mut Lab, argv: &[Vec<String>]) -> Result<Cost> {
    let configuration = lab.configurations[0].clone();
    let site = lab.session.site(&configuration);
    lab.session.lab.attach(configuration.backend, &site).await?;
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

async fn timed(lab: &Lab, argv: &[Vec<String>]) -> Result<Cost> {
    let watch = Watch::start()?;
    let mut guests = Vec::new(); // ended when they go out of scope, also after an error
    let mut waits = JoinSet::new();
    for (guest, libvirts) in (1..=GUESTS).zip(argv) {
        let boot = boot(lab, guest);
        let names: Vec<String> = taps(lab, guest).into_iter().map(|(tap, _)| tap).collect();
        let started = Bare::start(&bare::argv(libvirts, &names, &boot.domain.console))?;
        let (pid, identity) = (started.pid(), lab.session.fleet.identity().clone());
        let site = lab.session.fleet.site().clone();
        guests.push(started);
        let deadline = tokio::time::Instant::now() + LIMIT;
        waits.spawn(async move {
            let mut console = Console::new(&site.host, &boot.domain.console);
            wait_ready(&boot, &identity, &site, &mut console, Some(pid), deadline).await
        });
    }
    while let Some(waited) = waits.join_next().await {
        if waited??.is_none() {
            bail!("a bare guest did not answer within {} s", LIMIT.as_secs());
        }
    }
    watch.stop(&guests.iter().map(Bare::pid).collect::<Vec<_>>())
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
