//! KVM itself: whether it works, nested guests, spinning vCPUs, polling for work, and the cost of exits.

use super::mitigations;
use super::subject::{Subject, bad, good, note};
use crate::host::facts::Facts;

const EMULATED: &str = "No KVM: emulated guests (TCG); compare shapes, do not quote absolute numbers.";
const UNCOUNTED: &str =
    "Exits are not counted: the columns that show what a backend costs in exits stay empty.";

pub(super) const SUBJECTS: &[Subject] = &[
    // The device file alone proves nothing: a machine that is itself a guest may have it without a CPU behind it.
    Subject {
        name: "virtualisation",
        unknown: "Without hardware virtualisation guests are emulated, and only the shapes of figures are meaningful.",
        judge: |facts, _| {
            facts.cpu("flags").ok_or("/proc/cpuinfo shows no flags")?;
            let model = facts.cpu("model name").unwrap_or("a CPU without a name");
            Ok(match (facts.virtualisation(), facts.has("/dev/kvm")) {
                (Some(flag), true) => {
                    good(format!("{model}: {flag}, and /dev/kvm exists"), "Guests run on the CPU itself.")
                }
                (Some(flag), false) => {
                    let module = if flag == "vmx" { "kvm_intel" } else { "kvm_amd" };
                    bad(format!("{model}: {flag}, but no /dev/kvm"), EMULATED, format!("modprobe {module}"))
                }
                (None, device) => {
                    let although = if device { ", although /dev/kvm exists" } else { "" };
                    bad(format!("{model}: neither vmx nor svm{although}"), EMULATED, enable(facts))
                }
            })
        },
    },
    Subject {
        name: "nested guests",
        unknown: "Each exit of a guest's own guests takes several of the host's, and whoever shares the core pays.",
        judge: |facts, _| {
            let (module, allowed) = (module(facts)?, "nested");
            let allowed = facts.switch(&parameter(module, allowed)).ok_or_else(|| hidden(module, allowed))?;
            Ok(if allowed {
                note(
                    format!("allowed ({module}.nested)"),
                    "Costs nothing until a guest starts guests of its own. Each of their exits then takes several of \
                     the host's, and whoever shares the core pays.",
                    reload(module, "nested=0"),
                )
            } else {
                good(format!("off ({module}.nested)"), "Guests cannot start guests of their own.")
            })
        },
    },
    // Both modules set the value to 0 where the CPU does not support it.
    Subject {
        name: "pause-loop exits",
        unknown: "Undetected, a vCPU that spins on a lock whose holder does not run burns its whole time slice.",
        judge: |facts, _| {
            let module = module(facts)?;
            let intel = module == "kvm_intel";
            let (name, default) = if intel { ("ple_gap", 128) } else { ("pause_filter_count", 3000) };
            let value = facts.number(&parameter(module, name)).ok_or_else(|| hidden(module, name))?;
            Ok(match value {
                0 => note(
                    format!("not detected ({module}.{name} = 0)"),
                    "A vCPU that spins on a lock whose holder does not run burns its whole time slice. Its \
                     neighbours lose that time as soon as there are more vCPUs than cores.",
                    reload(module, &format!("{name}={default}")),
                ),
                _ => good(
                    format!("detected ({module}.{name} = {value})"),
                    "A vCPU that spins on a lock whose holder does not run is made to yield its core.",
                ),
            })
        },
    },
    Subject {
        name: "halt polling",
        unknown: "Polling makes busy guests wake faster than quiet ones, and counts as CPU time.",
        judge: |facts, _| {
            const PATH: &str = "/sys/module/kvm/parameters/halt_poll_ns";
            let ns = facts.number(PATH).ok_or("the module kvm is not loaded, or hides the parameter")?;
            if ns == 0 {
                return Ok(good(
                    "off",
                    "An idle vCPU yields its core at once; the price is a wake-up for each packet.",
                ));
            }
            let most = format!("up to {} µs", ns as f64 / 1000.0);
            let effect = format!(
                "An idle vCPU keeps its core busy for {most} before it sleeps: guests with steady traffic wake \
                 faster than quiet ones, and host CPU figures count the polling as work."
            );
            Ok(note(most, effect, format!("echo 0 > {PATH}")))
        },
    },
    Subject {
        name: "mitigations",
        unknown: "A mitigation on the way into or out of a guest makes every exit more expensive.",
        judge: |facts, _| mitigations::judge(facts),
    },
    Subject {
        name: "exit counters",
        unknown: UNCOUNTED,
        judge: |facts, _| {
            let qemu = facts.version("qemu");
            let counting = qemu.filter(|version| at_least(version, 7, 1));
            let mut found: Vec<String> =
                counting.map(|version| format!("QEMU {version}")).into_iter().collect();
            for (path, name) in [
                ("/sys/kernel/debug/kvm", "debugfs"),
                ("/sys/kernel/tracing/events/kvm/kvm_exit/hist", "tracepoint"),
            ] {
                found.extend(facts.has(path).then(|| name.to_owned()));
            }
            if !found.is_empty() {
                return Ok(good(
                    found.join(", "),
                    "What a backend costs in exits is reported beside its speed.",
                ));
            }
            let version = qemu.ok_or("neither QEMU, debugfs nor tracefs is visible")?;
            Ok(note(
                format!("QEMU {version} does not count exits; debugfs and tracefs are not visible"),
                UNCOUNTED,
                "mount -t debugfs none /sys/kernel/debug  # with KVM's module loaded; or install QEMU 7.1 or later",
            ))
        },
    },
];

/// The step that gives a CPU its flag for virtualisation.
fn enable(facts: &Facts) -> &'static str {
    if facts.is_guest() {
        "on the host of this machine: nested=1 for KVM's module, and <cpu mode='host-passthrough'/>"
    } else {
        "enable VT-x or AMD-V (SVM) in the firmware setup"
    }
}

/// The module for the CPU's vendor.
fn module(facts: &Facts) -> Result<&'static str, &'static str> {
    let mut modules = ["kvm_intel", "kvm_amd"].into_iter();
    modules
        .find(|module| facts.has(&format!("/sys/module/{module}")))
        .ok_or("neither kvm_intel nor kvm_amd is loaded")
}

fn parameter(module: &str, name: &str) -> String {
    format!("/sys/module/{module}/parameters/{name}")
}

fn hidden(module: &str, parameter: &str) -> String {
    format!("{module} has no parameter {parameter}")
}

/// Modules take their parameters only when they are loaded, and cannot be unloaded under running guests.
fn reload(module: &str, parameter: &str) -> String {
    format!("modprobe -r {module} && modprobe {module} {parameter}  # while no guest runs")
}

fn at_least(version: &str, major: u32, minor: u32) -> bool {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (major, minor)
}
