//! The load against the real netperf and netserver, between two network namespaces that each test makes for itself.
//!
//! Needs root; does nothing without. No test asserts a time or a rate. `KVMFAIR_TEST_FLOWS=128` raises the number of
//! flows of the first test, which prints how far apart they started and how long they took to end.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::IpAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kvmfair::load::{FlowSpec, Load, LoadError, Netserver, NetserverError, command, parse, rehearsal};
use kvmfair::machine::Machine;
use kvmfair::machine::local::Local;
use kvmfair::profile::{PingSettings, Test};
use kvmfair::raw::RawFlow;
use nix::sched::{CloneFlags, setns, unshare};

const DEADLINE: Duration = Duration::from_secs(60);
const MAX: Duration = Duration::from_secs(120);

/// Set for the process that plays an orchestrator about to be killed.
const ORCHESTRATOR: &str = "KVMFAIR_TEST_ORCHESTRATOR";

/// Two namespaces, a wire between them. Both end with the last process that holds them.
struct Lab {
    tester: Machine,
    host: Machine,
    address: IpAddr,
}

impl Lab {
    /// `number` tells the labs of concurrent tests apart; no run has addresses like these.
    fn new(number: u8) -> Lab {
        assert!(nix::unistd::geteuid().is_root(), "these tests make network namespaces: run them as root");
        let (tester, host) = (namespace(), namespace());
        let peer = format!("/proc/{}/fd/{}", std::process::id(), host.as_raw_fd());
        ip(&tester, &format!("link add kf-tester type veth peer name kf-host netns {peer}"));
        ip(&tester, &format!("addr add 198.18.{number}.1/24 dev kf-tester"));
        ip(&tester, "link set kf-tester up");
        ip(&host, &format!("addr add 198.18.{number}.2/24 dev kf-host"));
        ip(&host, "link set kf-host up");
        let address = [198, 18, number, 2].into();
        let machine = |netns| Machine::Local(Local::in_netns(netns));
        Lab { tester: machine(tester), host: machine(host), address }
    }

    fn flows(&self, number: u32) -> Vec<FlowSpec> {
        let flow = |flow| FlowSpec {
            flow,
            guest: 0,
            control: self.address,
            data: self.address,
            test: Test::TCP_RR,
            request_bytes: 1,
            response_bytes: 1,
            message_bytes: 1,
            burst: 0,
            ping: PingSettings::default(),
            send_buffer_bytes: None,
            interval: Duration::from_millis(250),
            settle: command::settle(Test::TCP_RR, number),
            length: None,
        };
        (1..=number).map(flow).collect()
    }

    /// One flow for each test.
    fn each_test(&self) -> Vec<FlowSpec> {
        let flows = self.flows(Test::ALL.len() as u32);
        flows.into_iter().zip(Test::ALL).map(|(flow, test)| FlowSpec { test, ..flow }).collect()
    }

    async fn netserver(&self) -> Netserver {
        Netserver::start(&self.host, self.address).await.unwrap()
    }

    /// The shell that started the netperfs: it leads their process group.
    fn launcher(&self) -> nix::unistd::Pid {
        let netperf = netperf_processes(self.address).remove(0);
        nix::unistd::Pid::from_raw(netperf.stat().unwrap().pgrp)
    }

    /// How many processes of netperfs run in this lab, and the directory in which they leave their output.
    fn netperfs(&self) -> (usize, Option<PathBuf>) {
        netperfs_to(self.address)
    }
}

fn netperfs_to(address: IpAddr) -> (usize, Option<PathBuf>) {
    let ours = netperf_processes(address);
    let output = ours.first().and_then(|p| std::fs::read_link(format!("/proc/{}/fd/1", p.pid)).ok());
    (ours.len(), output.and_then(|file| file.parent().map(Path::to_path_buf)))
}

fn netperf_processes(address: IpAddr) -> Vec<procfs::process::Process> {
    let words = ["netperf".to_string(), address.to_string()];
    let ours = |line: Vec<String>| words.iter().all(|word| line.contains(word));
    let all = procfs::process::all_processes().unwrap().flatten();
    all.filter(|process| process.cmdline().is_ok_and(ours)).collect()
}

/// A new network namespace, made by a thread that ends in it.
fn namespace() -> Arc<OwnedFd> {
    let make = || {
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        File::open("/proc/thread-self/ns/net").unwrap()
    };
    Arc::new(std::thread::spawn(make).join().unwrap().into())
}

fn ip(netns: &Arc<OwnedFd>, arguments: &str) {
    let netns = netns.clone();
    let mut command = Command::new("ip");
    command.args(arguments.split(' '));
    // SAFETY: one system call between fork and exec.
    unsafe { command.pre_exec(move || Ok(setns(&*netns, CloneFlags::CLONE_NEWNET)?)) };
    assert!(command.status().unwrap().success(), "ip {arguments}");
}

/// Waits until a condition holds; fails after a time that only a mistake can take.
fn eventually(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < end, "still not so: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn start_of(flow: &RawFlow) -> f64 {
    flow.intervals[0].end_s - flow.intervals[0].length_s
}

fn end_of(flow: &RawFlow) -> f64 {
    flow.intervals.last().unwrap().end_s
}

fn print_alignment(flows: &[RawFlow], told_to_stop_s: f64, drained: Duration) {
    let spread = |of: fn(&RawFlow) -> f64| {
        let (min, max) = flows.iter().map(of).fold((f64::MAX, f64::MIN), |(a, b), x| (a.min(x), b.max(x)));
        (min, max, max - min)
    };
    let ((first, all, starts), (common_end, last, ends)) = (spread(start_of), spread(end_of));
    println!(
        "{} flows: starts within {starts:.3} s, ends within {ends:.3} s, common {:.1} % of {:.2} s; \
         last end {:.3} s after the order, transcript after {:.3} s",
        flows.len(),
        100.0 * (common_end - all) / (last - first),
        last - first,
        last - told_to_stop_s,
        drained.as_secs_f64(),
    );
}

#[tokio::test]
async fn flows_that_are_told_to_stop_give_intervals_and_every_final_result() {
    let lab = Lab::new(201);
    let number = std::env::var("KVMFAIR_TEST_FLOWS").map_or(8, |n| n.parse().unwrap());
    let flows = lab.flows(number);
    let netserver = lab.netserver().await;
    let mut load = Load::start(&lab.tester, &flows, DEADLINE, MAX).await.unwrap();
    load.wait_running().await.unwrap();
    let before = load.cpu_times().await.unwrap();
    tokio::time::sleep(Duration::from_secs(if number > 8 { 6 } else { 1 })).await;
    let after = load.cpu_times().await.unwrap();
    assert_eq!((before.len(), after.len()), (number as usize, number as usize));
    assert!(before.iter().zip(&after).all(|(before, after)| before > &Some(0.0) && after > before));
    let (told, clock) = (kvmfair::clock::wall_clock(), Instant::now());
    let transcript = load.stop().await.unwrap();
    let drained = clock.elapsed();
    let results = parse::flows(&transcript, &flows);
    netserver.stop().await;
    assert_eq!(results.len(), number as usize);
    for flow in &results {
        assert_eq!((flow.exit_code, flow.messages.as_str()), (Some(0), ""), "flow {}", flow.flow);
        assert!(!flow.intervals.is_empty());
        assert_eq!(command::missing_selectors(flow), Vec::<&str>::new());
    }
    assert_eq!(lab.netperfs().0, 0);
    print_alignment(&results, told, drained);
}

#[tokio::test]
async fn without_a_netserver_the_error_names_the_flow_and_what_netperf_said() {
    let lab = Lab::new(202);
    let mut load = Load::start(&lab.tester, &lab.flows(2), DEADLINE, MAX).await.unwrap();
    let error = load.wait_running().await.unwrap_err();
    assert!(matches!(error, LoadError::Failed { .. }));
    let text = error.to_string();
    let named = [1, 2]
        .iter()
        .any(|flow| text.starts_with(&format!("netperf of flow {flow} of 2 ended with status 255")));
    assert!(named, "{text}");
    assert!(text.contains("are you sure there is a netserver listening on 198.18.202.2"), "{text}");
    eventually("no netperf is left", || lab.netperfs().0 == 0);
}

#[tokio::test]
async fn flows_that_transfer_nothing_in_time_are_named() {
    let lab = Lab::new(203);
    let netserver = lab.netserver().await;
    let mut load = Load::start(&lab.tester, &lab.flows(2), Duration::ZERO, MAX).await.unwrap();
    let error = load.wait_running().await.unwrap_err();
    assert!(matches!(&error, LoadError::Late { flows, started: 2, .. } if *flows == [1, 2]), "{error}");
    eventually("no netperf is left", || lab.netperfs().0 == 0);
    netserver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_a_running_load_leaves_no_process_and_no_file() {
    let lab = Lab::new(204);
    let netserver = lab.netserver().await;
    let mut load = Load::start(&lab.tester, &lab.flows(4), DEADLINE, MAX).await.unwrap();
    load.wait_running().await.unwrap();
    let (number, output) = lab.netperfs();
    let output = output.unwrap();
    assert!(number >= 4 && output.is_dir());
    drop(load);
    eventually("no netperf and no file is left", || lab.netperfs().0 == 0 && !output.exists());
    netserver.stop().await;
}

#[tokio::test]
async fn a_load_that_is_aborted_before_it_runs_leaves_no_process_and_no_file() {
    let lab = Lab::new(205);
    let netserver = lab.netserver().await;
    let load = Load::start(&lab.tester, &lab.flows(4), DEADLINE, MAX).await.unwrap();
    eventually("every netperf is there", || lab.netperfs().0 >= 4);
    let output = lab.netperfs().1;
    load.abort().await;
    assert_eq!(lab.netperfs().0, 0);
    assert!(!output.unwrap().exists());
    netserver.stop().await;
}

#[tokio::test]
async fn a_launcher_that_is_killed_is_an_error_and_leaves_no_netperf() {
    let lab = Lab::new(209);
    let netserver = lab.netserver().await;
    let mut load = Load::start(&lab.tester, &lab.flows(4), DEADLINE, MAX).await.unwrap();
    load.wait_running().await.unwrap();
    let output = lab.netperfs().1.unwrap();
    nix::sys::signal::kill(lab.launcher(), nix::sys::signal::Signal::SIGKILL).unwrap();
    let error = load.stop().await.unwrap_err();
    assert!(matches!(error, LoadError::Launcher(_) | LoadError::Pipe { .. }), "{error}");
    eventually("no netperf is left", || lab.netperfs().0 == 0);
    std::fs::remove_dir_all(output).unwrap(); // nobody was left to do it
    netserver.stop().await;
}

#[test]
fn an_orchestrator_that_is_killed_leaves_no_process_and_no_file() {
    let mut orchestrator = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "load::an_orchestrator_about_to_be_killed"])
        .env(ORCHESTRATOR, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = BufReader::new(orchestrator.stdout.take().unwrap());
    assert!(stdout.lines().any(|line| line.unwrap().ends_with("the flows run")));
    let netperfs = || netperfs_to([198, 18, 206, 2].into());
    let (number, output) = netperfs();
    let output = output.unwrap();
    assert!(number >= 4 && output.is_dir());
    orchestrator.kill().unwrap(); // SIGKILL
    orchestrator.wait().unwrap();
    eventually("no netperf and no file is left", || netperfs().0 == 0 && !output.exists());
}

/// The other half of the test above: does nothing unless that test starts it.
#[tokio::test]
async fn an_orchestrator_about_to_be_killed() {
    if std::env::var_os(ORCHESTRATOR).is_none() {
        return;
    }
    let lab = Lab::new(206);
    let _netserver = lab.netserver().await;
    let mut load = Load::start(&lab.tester, &lab.flows(4), DEADLINE, MAX).await.unwrap();
    load.wait_running().await.unwrap();
    println!("the flows run");
    tokio::time::sleep(DEADLINE).await;
}

#[tokio::test]
async fn netserver_listens_inside_its_namespace_only_and_frees_its_port() {
    let lab = Lab::new(207);
    let netserver = lab.netserver().await;
    let here = (lab.address, 12865).into();
    assert!(!procfs::net::tcp().unwrap().iter().any(|socket| socket.local_address == here));
    netserver.stop().await;
    lab.netserver().await.stop().await;
}

#[tokio::test]
async fn a_netserver_without_its_address_says_why_it_does_not_listen() {
    let lab = Lab::new(208);
    let error = Netserver::start(&lab.host, [198, 18, 208, 77].into()).await.unwrap_err();
    assert!(matches!(error, NetserverError::NotListening { .. }));
    assert!(error.to_string().starts_with("netserver does not listen on 198.18.208.77:12865: "), "{error}");
    println!("{error}");
}

#[tokio::test]
async fn a_rehearsal_passes_with_every_test_and_leaves_no_process() {
    let lab = Lab::new(210);
    let netserver = lab.netserver().await;
    rehearsal::rehearse(&lab.tester, &lab.each_test()).await.unwrap();
    netserver.stop().await;
    assert_eq!(lab.netperfs().0, 0);
}

#[tokio::test]
async fn a_rehearsal_without_a_netserver_fails_in_netperfs_own_words() {
    let lab = Lab::new(211);
    let error = rehearsal::rehearse(&lab.tester, &lab.each_test()).await.unwrap_err().to_string();
    assert!(error.contains("are you sure there is a netserver listening"), "{error}");
    assert_eq!(lab.netperfs().0, 0);
}
