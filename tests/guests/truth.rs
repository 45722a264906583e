//! Ground truth: where it is known beforehand what real guests get, the figures say so.
//!
//! What is known comes from the kernel (a token bucket, a weight, a stopped process), never from a speed. A delay of the
//! wire needs netem, which not every kernel has: tests/lab/truth adds one in the emulated lab.

use std::fs;
use std::time::Duration;

use crate::support::Sandbox;
use crate::support::tables::{number, rows};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const LOAD: &str = "[limits]\ntrial_attempts = 2\n[network]\nbackend = \"virtio\"\n[guest]\nvms = 2\nmemory = \"96 MiB\"\n\
                    [workload]\nflows = 2\nwarmup = \"2 s\"\ncooldown = \"500 ms\"\ninterval = \"250 ms\"\nrepeats = 1\n";

/// How long a guest stands still.
const SILENCE: Duration = Duration::from_secs(4);

/// Points of bias that a transaction more or less at both ends of the window may cost.
const BIAS_POINTS: f64 = 2.0;

/// A request fits into a bucket and its queue of 50 ms, so nothing is dropped, and takes one some tens of milliseconds. What the
/// guest takes for its answer is hidden behind that, because the bucket fills up meanwhile.
#[test]
fn caps_of_one_to_two_come_out_as_the_bias_that_they_make() {
    let place = Sandbox::with_guests();
    let body = format!(
        "{LOAD}window = \"15 s\"\nrequest = \"4 KiB\"\n\
         [[group]]\nname = \"half\"\nguests = 1\nbandwidth = \"500 kbit\"\n\
         [[group]]\nname = \"whole\"\nguests = 1\nbandwidth = \"1 Mbit\"\n"
    );
    place.bench(&place.profile("known-bias", &body)).end().expect(0);
    place.assert_nothing_left();
    let trial = &rows(&place.only_run(), "trials.csv")[0];
    let (bias, made) = (number(trial, "bias_rate_percent"), 100.0 * (1.0 - 0.5) / 0.75);
    println!("bias {bias:.2} %, made {made:.2} %");
    assert!((bias - made).abs() <= BIAS_POINTS, "bias {bias} %, but the caps make it {made} %");
}

/// A guest of two that gets nothing for some seconds of the window while its connections live: the trial counts, and says so.
fn starved_guest_is_named(name: &str, begin: impl Fn(&Sandbox), end: impl Fn(&Sandbox)) {
    let place = Sandbox::with_guests();
    let body = format!("{LOAD}window = \"12 s\"\n").replace("trial_attempts = 2", "trial_attempts = 1");
    let mut running = place.bench(&place.profile(name, &body));
    running.hear("2 flows for");
    place.note_runs();
    std::thread::sleep(Duration::from_secs(4));
    begin(&place);
    std::thread::sleep(SILENCE);
    end(&place);
    let ended = running.end().expect(0);
    place.assert_nothing_left();
    let run = place.only_run();
    let trial = &rows(&run, "trials.csv")[0];
    let guests = rows(&run, "guests.csv");
    let [starved, other] = [1, 0].map(|index: usize| number(&guests[index], "starved_s"));
    println!("{}\nstarved for {starved} s, the other {other} s; {}", ended.stdout, trial["starved"]);
    assert_eq!(trial["outcome"], "measured", "{}", ended.said());
    assert!(starved >= SILENCE.as_secs_f64() - 1.0 && other < 1.0, "{starved} s and {other} s");
    assert!(trial["starved"].starts_with("guest 2: "), "{}", trial["starved"]);
    assert!(ended.stdout.contains("warning: guest 2 starved for "), "{}", ended.stdout);
    let [busy, silent] = [0, 1].map(|index: usize| number(&guests[index], "rate_tps"));
    assert!(
        silent < busy * 0.85,
        "{silent} trans/s while starved for a third of the window, the other {busy}"
    );
    let stall_s = number(&rows(&run, "flows.csv")[1], "longest_stall_s");
    assert!(stall_s >= SILENCE.as_secs_f64() - 0.5, "{stall_s} s");
}

#[test]
fn a_guest_whose_vcpu_is_stopped_counts_as_zero_for_that_time_and_is_named() {
    let signal = |signal| move |place: &Sandbox| kill(qemu_of_guest(2, place), signal).unwrap();
    starved_guest_is_named("stopped", signal(Signal::SIGSTOP), signal(Signal::SIGCONT));
}

#[test]
fn a_guest_whose_nic_is_down_counts_as_zero_for_that_time_and_is_named() {
    let set = |state: &'static str| {
        move |place: &Sandbox| {
            let id = crate::support::name(&crate::support::entries(&place.state())[0]);
            let (qemu, tap) = (qemu_of_guest(2, place).to_string(), format!("kf-{id}-t2"));
            let mut command = std::process::Command::new("nsenter");
            command.args(["-t", &qemu, "-n", "ip", "link", "set", "dev", &tap, state]);
            assert!(command.status().unwrap().success(), "{tap} {state}");
        }
    };
    starved_guest_is_named("nic-down", set("down"), set("up"));
}

#[test]
fn a_netserver_that_is_killed_makes_the_trial_invalid_and_names_the_flows() {
    let place = Sandbox::beside_others();
    let body = format!("{LOAD}window = \"6 s\"\n")
        .replace("trial_attempts = 2", "trial_attempts = 1")
        .replace("backend = \"virtio\"", "backend = \"baremetal\"")
        .replace("vms = 2\n", "");
    let mut running = place.bench(&place.profile("killed", &body));
    running.hear("2 flows for");
    place.note_runs();
    std::thread::sleep(Duration::from_secs(3));
    let of_run = netservers(&place);
    assert!(!of_run.is_empty(), "the run has netservers");
    of_run.into_iter().for_each(|pid| kill(pid, Signal::SIGKILL).unwrap());
    let ended = running.end().expect(5);
    place.assert_nothing_left();
    let trial = &rows(&place.only_run(), "trials.csv")[0];
    println!("{}\n{}", trial["cause"], ended.stdout);
    assert_eq!(trial["outcome"], "invalid", "{}", ended.said());
    assert!(trial["cause"].contains("netperf ended with an error: flow"), "{}", trial["cause"]);
}

/// The netservers of bare metal that this place's run started: one that listens, and one for each flow.
fn netservers(place: &Sandbox) -> Vec<Pid> {
    let runs: Vec<String> =
        crate::support::entries(&place.state()).iter().map(|path| crate::support::name(path)).collect();
    let is_one = |pid: &i32| {
        let read = |file: &str| fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
        let environment = String::from_utf8_lossy(&read("environ")).into_owned();
        read("comm").starts_with(b"netserver")
            && runs.iter().any(|run| environment.split('\0').any(|one| one == format!("KVMFAIR_RUN={run}")))
    };
    let processes = crate::support::entries("/proc".as_ref()).into_iter();
    let pids = processes.filter_map(|path| crate::support::name(&path).parse::<i32>().ok());
    pids.filter(is_one).map(Pid::from_raw).collect()
}

/// The process of a guest of this place's run.
pub fn qemu_of_guest(number: u32, place: &Sandbox) -> Pid {
    let runs: Vec<String> =
        crate::support::entries(&place.state()).iter().map(|path| crate::support::name(path)).collect();
    let is_it = |pid: &i32| {
        let words = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        runs.iter().any(|run| words.contains(&format!("guest=kf-{run}-g{number},")))
    };
    let processes = crate::support::entries("/proc".as_ref()).into_iter();
    let mut pids = processes.filter_map(|path| crate::support::name(&path).parse::<i32>().ok());
    Pid::from_raw(pids.find(is_it).expect("the guest's QEMU runs"))
}
