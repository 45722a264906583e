//! The bounds of one level: what was written for it -> its value, or what is wrong with it.

use super::{Fault, nic, pin, steering, tuning};
use crate::backend::{Backend, PRESETS};
use crate::profile::groups::{PERIOD_US, micros};
use crate::profile::reader::{list, nearest};
use crate::profile::units::{MIB, Size, Time};
use crate::profile::{Background, Factor, Test, Value};

/// netperf tests that a later version may run.
const PLANNED_TESTS: [&str; 3] = ["SCTP_RR", "SCTP_STREAM", "TCP_SENDFILE"];
/// The least memory in which the appliance boots, MiB.
const LEAST_MEMORY_MIB: u64 = 96;
/// Largest request, response or send, bytes: netperf keeps a ring of such buffers for each flow.
const LARGEST_MESSAGE: u64 = 16 * MIB;
/// Most transactions in flight beyond the first: small ones still fit into the socket buffers.
const LARGEST_BURST: u32 = 1000;

/// A level as written.
pub(super) type Raw = serde_json::Value;

/// The value of a level, within its bounds.
pub(super) fn resolve(factor: Factor, raw: &Raw) -> Result<Value, Fault> {
    match factor {
        Factor::Backend => backend(text(raw)),
        Factor::Test => test(text(raw)),
        Factor::Vms => guests(number(raw)),
        Factor::Vcpus => bounded(number(raw), 1, 255, "vCPUs"),
        Factor::Mtu => bounded_as(number(raw), 68, 65_535, |mtu| format!("an MTU of {mtu} bytes")),
        Factor::Flows => bounded(number(raw), 1, 10_000, "flows"),
        Factor::Queues => bounded(number(raw), 1, 256, "queue pairs"),
        Factor::QueueSize => nic::queue_size(number(raw)).map(Value::Number),
        Factor::Emulator => nic::emulator(text(raw)).map(Value::Word),
        Factor::Pin => pin::pin(text(raw)),
        Factor::PinEmulator => pin::emulator(text(raw)),
        Factor::Scheduler => pin::scheduler(text(raw)),
        Factor::NumaNode => bounded_as(number(raw), 0, 1023, |node| format!("guests on NUMA node {node}")),
        Factor::Memory => memory(size(raw)),
        Factor::Request | Factor::Response | Factor::Message => message_size(factor.key(), size(raw)),
        Factor::HostRps | Factor::GuestRps | Factor::HostXps | Factor::GuestXps => {
            tuning::cpus(text(raw)).map(Value::Cpus)
        }
        Factor::HostIrq | Factor::GuestIrq => tuning::irq_affinity(text(raw)).map(Value::Cpus),
        Factor::HostRpsFlowCnt | Factor::GuestRpsFlowCnt | Factor::HostSockFlows | Factor::GuestSockFlows => {
            steering::entries(number(raw)).map(Value::Number)
        }
        Factor::HostCoalesceRx
        | Factor::HostCoalesceTx
        | Factor::GuestCoalesceRx
        | Factor::GuestCoalesceTx => tuning::gathering(text(raw)).map(Value::Number),
        Factor::Governor => tuning::governor(text(raw)).map(Value::Word),
        Factor::Swappiness => tuning::swappiness(number(raw)).map(Value::Number),
        Factor::HostGro | Factor::HostGso | Factor::HostTso => switch(raw),
        Factor::GuestGro | Factor::GuestGso | Factor::GuestTso => switch(raw),
        Factor::Ksm | Factor::Offloads | Factor::Hugepages | Factor::GroupLimits => switch(raw),
        Factor::Thp => tuning::thp(text(raw)).map(Value::Word),
        Factor::HaltPoll => bounded_as(number(raw), 0, 10_000_000, |ns| format!("polling for {ns} ns")),
        Factor::BaseSlice => tuning::base_slice(text(raw)).map(Value::Number),
        Factor::Burst => bounded(number(raw), 0, LARGEST_BURST, "transactions in flight beyond the first"),
        Factor::Background => background(text(raw)),
        Factor::Quota => quota(text(raw)),
    }
}

fn text(raw: &Raw) -> &str {
    raw.as_str().unwrap_or_default()
}

fn switch(raw: &Raw) -> Result<Value, Fault> {
    Ok(Value::Switch(raw.as_bool().unwrap_or_default()))
}

fn number(raw: &Raw) -> u32 {
    raw.as_u64().and_then(|number| u32::try_from(number).ok()).unwrap_or_default()
}

fn size(raw: &Raw) -> Size {
    Size(raw.as_u64().unwrap_or_default())
}

fn background(name: &str) -> Result<Value, Fault> {
    let level = Background::NAMED.into_iter().find(|level| level.to_string() == name);
    level.map(Value::Background).ok_or_else(|| {
        let hint = "the levels are `none`, `cpu-burner`, `net-load` and `paced`";
        Fault::new(format!("unknown background `{name}`"), "no such load", hint)
    })
}

/// The least that the kernel takes, µs.
pub(super) const LEAST_QUOTA_US: u32 = 1_000;

fn quota(text: &str) -> Result<Value, Fault> {
    let Time(time) = text.parse().unwrap_or(Time(std::time::Duration::ZERO));
    quota_fault("quota", micros(time), PERIOD_US).map_or(Ok(Value::Number(micros(time))), Err)
}

/// What is wrong with a quota of one thread in a period.
pub(super) fn quota_fault(key: &str, quota_us: u32, period_us: u32) -> Option<Fault> {
    let shown = |us: u32| Time(std::time::Duration::from_micros(us.into()));
    let (quota, least, period) = (shown(quota_us), shown(LEAST_QUOTA_US), shown(period_us));
    let a = if key.starts_with('e') { "an" } else { "a" };
    match quota_us {
        us if us < LEAST_QUOTA_US => {
            let message = format!("{a} {key} of {quota} is less than the kernel takes");
            Some(Fault::new(message, "too little", format!("use at least \"{least}\"")))
        }
        us if us > period_us => {
            let message = format!("{a} {key} of {quota} in each {period} limits nothing");
            let hint = format!("no thread runs longer than the period: use \"{least}\" to \"{period}\"");
            Some(Fault::new(message, "too much", hint))
        }
        _ => None,
    }
}

fn guests(vms: u32) -> Result<Value, Fault> {
    let hint = "to measure the host without guests, use backend = \"baremetal\"";
    match vms {
        0 => Err(Fault::new("0 guests carry no load", "at least 1", hint)),
        vms => bounded(vms, 1, 1000, "guests"),
    }
}

fn bounded(number: u32, least: u32, most: u32, what: &str) -> Result<Value, Fault> {
    bounded_as(number, least, most, |number| format!("{number} {what}"))
}

fn bounded_as(number: u32, least: u32, most: u32, what: impl Fn(u32) -> String) -> Result<Value, Fault> {
    if (least..=most).contains(&number) {
        return Ok(Value::Number(number));
    }
    let label = if number < least { format!("below {least}") } else { format!("above {most}") };
    Err(Fault::new(
        format!("{} cannot be measured", what(number)),
        label,
        format!("use a number from {least} to {most}"),
    ))
}

fn backend(name: &str) -> Result<Value, Fault> {
    let names = PRESETS.map(|(name, _)| name);
    let all = format!("the backends of this version are {}", list(&names));
    match name.parse::<Backend>() {
        Ok(backend) => Ok(Value::Backend(backend)),
        Err(error) => {
            let near = nearest(name, names.into_iter());
            let hint = near.map_or(all, |near| format!("did you mean `{near}`?"));
            Err(Fault::new(error.to_string(), "no such backend", hint))
        }
    }
}

fn test(name: &str) -> Result<Value, Fault> {
    let names = Test::ALL.map(|test| test.to_string());
    let names = names.each_ref().map(String::as_str);
    let hint = format!("this version runs {}", list(&names));
    if let Some(test) = Test::ALL.into_iter().find(|test| test.to_string() == name) {
        return Ok(Value::Test(test));
    }
    match name {
        name if PLANNED_TESTS.contains(&name) => {
            Err(Fault::new(format!("test `{name}` is not supported yet"), "for a later version", hint))
        }
        name => {
            let near = nearest(name, names.into_iter().chain(PLANNED_TESTS));
            let hint = near.map_or(hint, |near| format!("did you mean `{near}`?"));
            Err(Fault::new(format!("unknown netperf test `{name}`"), "no such test", hint))
        }
    }
}

fn memory(size: Size) -> Result<Value, Fault> {
    let Size(bytes) = size;
    if bytes < LEAST_MEMORY_MIB * MIB {
        let unitless = (LEAST_MEMORY_MIB..MIB).contains(&bytes);
        let hint = if unitless {
            format!("a bare number counts bytes; write \"{bytes} MiB\"")
        } else {
            format!("give each guest at least \"{LEAST_MEMORY_MIB} MiB\"")
        };
        return Err(Fault::new(format!("no guest boots in {size} of memory"), "too little", hint));
    }
    match u32::try_from(bytes / MIB) {
        Ok(mib) if bytes.is_multiple_of(MIB) => Ok(Value::Number(mib)),
        Ok(mib) => {
            let hint =
                format!("for example \"{} MiB\"; MB is 1000 x 1000 bytes, MiB is 1024 x 1024", mib + 1);
            Err(Fault::new(format!("{bytes} bytes are not a whole number of MiB"), "", hint))
        }
        Err(_) => {
            Err(Fault::new(format!("no guest can have {size} of memory"), "too much", "is the unit right?"))
        }
    }
}

fn message_size(key: &str, Size(bytes): Size) -> Result<Value, Fault> {
    if bytes == 0 {
        let never = if key == "message" { "moves nothing" } else { "is never answered" };
        let message = format!("a {key} of 0 bytes {never}");
        return Err(Fault::new(message, "at least 1 B", format!("write {key} = \"1 B\" for the smallest")));
    }
    if bytes > LARGEST_MESSAGE {
        let message = format!("a {key} of {} is too large", Size(bytes));
        return Err(Fault::new(message, "", format!("use at most \"{}\"", Size(LARGEST_MESSAGE))));
    }
    Ok(Value::Number(bytes as u32))
}
