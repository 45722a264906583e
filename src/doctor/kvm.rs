//! KVM itself: whether it works, nested guests, spinning vCPUs, polling for work, exit counters.

use super::host_state::HostState;
use crate::host::facts::Facts;

/// The device file alone proves nothing: a machine that is itself a guest may have it without a CPU behind it.
pub(super) fn virtualisation(facts: &Facts) -> Result<HostState, String> {
    facts.cpu("flags").ok_or("/proc/cpuinfo shows no flags")?;
    let device = facts.has("/dev/kvm");
    let state = match facts.virtualisation() {
        Some(flag) => {
            let state = if device { HostState::new("works") } else { HostState::new("no-device") };
            state.with("flag", flag).with("module", if flag == "vmx" { "kvm_intel" } else { "kvm_amd" })
        }
        None => {
            let state =
                if facts.is_guest() { HostState::new("no-flag-in-guest") } else { HostState::new("no-flag") };
            state.with("although", if device { ", although /dev/kvm exists" } else { "" })
        }
    };
    Ok(state.with("model", facts.cpu("model name").unwrap_or("a CPU without a name")))
}

pub(super) fn nested_guests(facts: &Facts) -> Result<HostState, String> {
    let module = module(facts)?;
    let path = format!("/sys/module/{module}/parameters/nested");
    let allowed = facts.switch(&path).ok_or_else(|| format!("{module} has no parameter nested"))?;
    Ok(if allowed { HostState::new("allowed") } else { HostState::new("off") }.with("module", module))
}

/// Both modules set the value to 0 where the CPU does not support it.
pub(super) fn pause_loop_exits(facts: &Facts) -> Result<HostState, String> {
    let module = module(facts)?;
    let intel = module == "kvm_intel";
    let (name, default) = if intel { ("ple_gap", 128) } else { ("pause_filter_count", 3000) };
    let path = format!("/sys/module/{module}/parameters/{name}");
    let value = facts.number(&path).ok_or_else(|| format!("{module} has no parameter {name}"))?;
    let state = if value == 0 { HostState::new("undetected") } else { HostState::new("detected") };
    Ok(state.with("module", module).with("parameter", name).with("value", value).with("default", default))
}

pub(super) fn halt_polling(facts: &Facts) -> Result<HostState, String> {
    let ns = facts.number("/sys/module/kvm/parameters/halt_poll_ns");
    match ns.ok_or("the module kvm is not loaded, or hides the parameter")? {
        0 => Ok(HostState::new("off")),
        ns => Ok(HostState::new("polls").with("us", ns as f64 / 1000.0)),
    }
}

pub(super) fn exit_counters(facts: &Facts) -> Result<HostState, String> {
    let version = facts.version("qemu");
    let counting = version.filter(|version| at_least(version, 7, 1));
    let mut sources: Vec<String> = counting.map(|version| format!("QEMU {version}")).into_iter().collect();
    let files = [
        ("/sys/kernel/debug/kvm", "debugfs"),
        ("/sys/kernel/tracing/events/kvm/kvm_exit/hist", "tracepoint"),
    ];
    sources.extend(files.iter().filter(|(path, _)| facts.has(path)).map(|(_, name)| (*name).to_owned()));
    if !sources.is_empty() {
        return Ok(HostState::new("counted").with("sources", sources.join(", ")));
    }
    let version = version.ok_or("neither QEMU, debugfs nor tracefs is visible")?;
    Ok(HostState::new("uncounted").with("version", version))
}

/// The module for the CPU's vendor.
fn module(facts: &Facts) -> Result<&'static str, &'static str> {
    let mut modules = ["kvm_intel", "kvm_amd"].into_iter();
    let loaded = modules.find(|module| facts.has(&format!("/sys/module/{module}")));
    loaded.ok_or("neither kvm_intel nor kvm_amd is loaded")
}

fn at_least(version: &str, major: u32, minor: u32) -> bool {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (major, minor)
}
