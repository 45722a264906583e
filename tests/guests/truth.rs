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

/// The guest stands still for most of the window, and then goes on: its netperf has an interval for that time, with next to
/// nothing in it.
#[test]
fn a_guest_that_falls_silent_counts_as_zero_for_that_time_or_makes_the_trial_invalid() {
    let place = Sandbox::with_guests();
    let body = format!("{LOAD}window = \"6 s\"\n").replace("trial_attempts = 2", "trial_attempts = 1");
    let mut running = place.bench(&place.profile("silent", &body));
    running.hear("2 flows for");
    place.note_runs();
    std::thread::sleep(Duration::from_secs(2));
    let silent = qemu_of_guest(2, &place);
    kill(silent, Signal::SIGSTOP).unwrap();
    std::thread::sleep(SILENCE);
    kill(silent, Signal::SIGCONT).unwrap();
    let ended = running.end();
    place.assert_nothing_left();
    let run = place.only_run();
    let trial = &rows(&run, "trials.csv")[0];
    if trial["outcome"] != "measured" {
        assert_eq!((ended.code, trial["total_rate_tps"].as_str()), (Some(5), ""), "{}", ended.said());
        assert!(trial["cause"].contains("flow 2"), "{}", trial["cause"]);
        return;
    }
    let flows = rows(&run, "flows.csv");
    let silence = number(&flows[1], "longest_stall_s");
    println!("silent for {silence} s; bias {} %", trial["bias_rate_percent"]);
    assert!(silence >= SILENCE.as_secs_f64() - 0.5, "{silence} s of silence");
    let guests = rows(&run, "guests.csv");
    let (busy, silent) = (number(&guests[0], "rate_tps"), number(&guests[1], "rate_tps"));
    assert!(silent < busy / 2.0, "{silent} trans/s while silent for four of six seconds, the other {busy}");
    assert!(number(trial, "bias_rate_percent") > 66.0, "{trial:?}");
}

/// The process of a guest of this place's run.
fn qemu_of_guest(number: u32, place: &Sandbox) -> Pid {
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
