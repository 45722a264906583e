//! KVM itself: whether it is there, nested guests, spinning vCPUs, polling for work.

use super::subject::{Subject, Verdict};
use crate::host::facts::Facts;

/// The device file alone proves nothing: machines that are guests themselves may have it without a CPU behind it.
pub(super) fn virtualisation(facts: &Facts) -> Subject {
    let subject =
        |verdict, found: String, effect: &str| Subject::new("virtualisation", verdict, found, effect);
    const EMULATED: &str =
        "Guests are emulated (TCG): shapes of figures mean something, speeds and latencies do not.";
    let model = facts.cpu("model name").unwrap_or("a CPU without a name");
    match (facts.virtualisation(), facts.has("/dev/kvm")) {
        _ if facts.cpu("flags").is_none() => subject(
            Verdict::Unknown,
            "/proc/cpuinfo shows no flags".into(),
            "Without hardware virtualisation guests are emulated, and only the shapes of figures mean anything.",
        ),
        (Some(flag), true) => subject(
            Verdict::Good,
            format!("{model}: {flag}, and /dev/kvm is there"),
            "Guests run on the CPU itself.",
        ),
        (Some(flag), false) => subject(Verdict::Bad, format!("{model}: {flag}, but no /dev/kvm"), EMULATED)
            .change(format!("modprobe {}", if flag == "vmx" { "kvm_intel" } else { "kvm_amd" })),
        (None, device) => {
            let although = if device { ", although /dev/kvm is there" } else { "" };
            subject(Verdict::Bad, format!("{model}: neither vmx nor svm{although}"), EMULATED)
                .change(no_flag(facts))
        }
    }
}

fn no_flag(facts: &Facts) -> &'static str {
    if facts.is_guest() {
        "on the machine that this one is a guest of: nested=1 for KVM's module, and <cpu mode='host-passthrough'/>"
    } else {
        "switch VT-x or AMD-V (SVM) on in the firmware's setup"
    }
}

/// The module of the CPU's maker that is loaded.
fn module(facts: &Facts) -> Option<&'static str> {
    ["kvm_intel", "kvm_amd"].into_iter().find(|module| facts.has(&format!("/sys/module/{module}")))
}

fn parameter(module: &str, name: &str) -> String {
    format!("/sys/module/{module}/parameters/{name}")
}

/// Modules take their parameters only when they are loaded, and cannot be unloaded under running guests.
fn reload(module: &str, parameter: &str) -> String {
    format!("modprobe -r {module} && modprobe {module} {parameter}  # while no guest runs")
}

pub(super) fn nested(facts: &Facts) -> Subject {
    const OFF: &str =
        "Guests cannot start guests of their own, whose exits would cost several of the host's.";
    const ON: &str = "Costs nothing until a guest starts guests of its own; each of their exits then takes several of \
                      the host's, at the cost of whoever shares the core.";
    const IF: &str =
        "Exits of a guest's own guests take several of the host's, at the cost of whoever shares the core.";
    let subject =
        |verdict, found: String, effect: &str| Subject::new("nested guests", verdict, found, effect);
    let Some(module) = module(facts) else {
        return subject(Verdict::Unknown, NOT_LOADED.into(), IF);
    };
    match facts.switch(&parameter(module, "nested")) {
        Some(false) => subject(Verdict::Good, format!("off ({module}.nested)"), OFF),
        Some(true) => subject(Verdict::Note, format!("allowed ({module}.nested)"), ON)
            .change(reload(module, "nested=0")),
        None => subject(Verdict::Unknown, format!("{module} shows no parameter nested"), IF),
    }
}

const NOT_LOADED: &str = "neither kvm_intel nor kvm_amd is loaded";

/// Both makers' modules set the value to 0 where the CPU cannot do it.
pub(super) fn pause_loops(facts: &Facts) -> Subject {
    const ON: &str = "A vCPU that spins on a lock whose holder does not run is made to give its core up.";
    const OFF: &str = "A vCPU that spins on a lock whose holder does not run burns its whole time slice, which its \
                       neighbours miss as soon as there are more vCPUs than cores.";
    const IF: &str =
        "Unnoticed, a vCPU that spins on a lock whose holder does not run burns its whole time slice.";
    let subject =
        |verdict, found: String, effect: &str| Subject::new("pause-loop exits", verdict, found, effect);
    let Some(module) = module(facts) else { return subject(Verdict::Unknown, NOT_LOADED.into(), IF) };
    let (name, usual) = if module == "kvm_intel" { ("ple_gap", 128) } else { ("pause_filter_count", 3000) };
    match facts.number(&parameter(module, name)) {
        Some(0) => subject(Verdict::Note, format!("not noticed ({module}.{name} = 0)"), OFF)
            .change(reload(module, &format!("{name}={usual}"))),
        Some(value) => subject(Verdict::Good, format!("noticed ({module}.{name} = {value})"), ON),
        None => subject(Verdict::Unknown, format!("{module} shows no parameter {name}"), IF),
    }
}

pub(super) fn halt_polling(facts: &Facts) -> Subject {
    const PATH: &str = "/sys/module/kvm/parameters/halt_poll_ns";
    const OFF: &str =
        "A vCPU without work gives its core up at once; the price is a wake-up for each packet.";
    let subject =
        |verdict, found: String, effect: String| Subject::new("halt polling", verdict, found, effect);
    match facts.number(PATH) {
        Some(0) => subject(Verdict::Good, "off".into(), OFF.into()),
        Some(ns) => {
            let most = micros(ns);
            let effect = format!(
                "A vCPU without work keeps its core busy for up to {most} before it sleeps: guests with steady \
                 traffic wake faster than quiet ones, and host CPU figures count the polling as work."
            );
            subject(Verdict::Note, format!("up to {most}"), effect).change(format!("echo 0 > {PATH}"))
        }
        None => subject(
            Verdict::Unknown,
            "the module kvm is not loaded, or does not show it".into(),
            "Polling makes busy guests wake faster than quiet ones, and counts as CPU time.".into(),
        ),
    }
}

/// `200 µs`, `0.5 µs`.
fn micros(ns: u64) -> String {
    format!("{} µs", ns as f64 / 1000.0)
}
