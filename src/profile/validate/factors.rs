//! Factors and their levels: the fixed value of a section, or the list in `[sweep]`.

use super::bounds::{Raw, resolve};
use super::{Check, Fault};
use crate::backend::Backend;
use crate::profile::units::Size;
use crate::profile::written::Written;
use crate::profile::{Configuration, Factor, Test};

/// A factor with the levels to measure.
pub(super) struct Levels {
    pub(super) factor: Factor,
    /// Whether the levels stand in `[sweep]`.
    pub(super) swept: bool,
    /// Never empty, unless something was reported.
    pub(super) levels: Vec<Level>,
}

/// One level and where it was written.
pub(super) struct Level {
    pub(super) value: Value,
    pub(super) path: String,
}

/// The value of a level.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Value {
    Backend(Backend),
    Test(Test),
    Number(u32),
}

impl Value {
    /// Sets a configuration's field.
    pub(super) fn set(self, factor: Factor, configuration: &mut Configuration) {
        match (self, factor) {
            (Value::Backend(backend), _) => configuration.backend = backend,
            (Value::Test(test), _) => configuration.test = test,
            (Value::Number(vms), Factor::Vms) => configuration.vms = vms,
            (Value::Number(vcpus), Factor::Vcpus) => configuration.vcpus = vcpus,
            (Value::Number(mib), Factor::Memory) => configuration.memory_mib = mib,
            (Value::Number(mtu), Factor::Mtu) => configuration.mtu = mtu,
            (Value::Number(flows), Factor::Flows) => configuration.flows = flows,
            (Value::Number(bytes), Factor::Request) => configuration.request_bytes = bytes,
            (Value::Number(bytes), Factor::Response) => configuration.response_bytes = bytes,
            (Value::Number(_), Factor::Backend | Factor::Test) => {}
        }
    }

    /// The number; 0 for what is not one.
    pub(super) fn number(self) -> u32 {
        if let Value::Number(number) = self { number } else { 0 }
    }
}

/// Every factor: the swept ones first, in the order written.
pub(super) fn factors(check: &mut Check, written: &Written) -> Vec<Levels> {
    let mut order = Factor::ALL;
    order.sort_by_key(|factor| check.places.order(&format!("sweep.{}", key(*factor))));
    order.into_iter().map(|factor| levels(check, factor, written)).collect()
}

/// The swept ones.
pub(super) fn swept(factors: &[Levels]) -> Vec<Factor> {
    factors.iter().filter(|levels| levels.swept).map(|levels| levels.factor).collect()
}

/// The key of a factor, in its section and in `[sweep]`.
pub(super) fn key(factor: Factor) -> &'static str {
    match factor {
        Factor::Backend => "backend",
        Factor::Vms => "vms",
        Factor::Vcpus => "vcpus",
        Factor::Memory => "memory",
        Factor::Mtu => "mtu",
        Factor::Test => "test",
        Factor::Flows => "flows",
        Factor::Request => "request",
        Factor::Response => "response",
    }
}

fn home(factor: Factor) -> &'static str {
    match factor {
        Factor::Backend | Factor::Mtu => "network",
        Factor::Vms | Factor::Vcpus | Factor::Memory => "guest",
        Factor::Test | Factor::Flows | Factor::Request | Factor::Response => "workload",
    }
}

/// Memory of a guest, MiB: of the appliance, and of a whole distribution.
const MEMORY_MIB: u32 = 128;
const CLOUD_MEMORY_MIB: u32 = 512;

/// What is measured if nothing is written; `None` where that must not be guessed.
pub(super) fn default(factor: Factor, cloud: bool) -> Option<Value> {
    match factor {
        Factor::Backend | Factor::Flows => None,
        Factor::Vms | Factor::Vcpus | Factor::Request | Factor::Response => Some(Value::Number(1)),
        Factor::Memory => Some(Value::Number(if cloud { CLOUD_MEMORY_MIB } else { MEMORY_MIB })),
        Factor::Mtu => Some(Value::Number(1500)),
        Factor::Test => Some(Value::Test(Test::TCP_RR)),
    }
}

fn levels(check: &mut Check, factor: Factor, written: &Written) -> Levels {
    let (base, sweep) = raw(factor, written);
    let home = format!("{}.{}", home(factor), key(factor));
    let swept = sweep.is_some();
    let levels = match (base, sweep) {
        (Some(_), Some(sweep)) => {
            check.fault(&home, fixed_and_swept(&home, factor));
            sweep_levels(check, factor, sweep)
        }
        (None, Some(sweep)) => sweep_levels(check, factor, sweep),
        (Some(base), None) => level(check, factor, &base, home).into_iter().collect(),
        (None, None) => default_level(check, factor, home),
    };
    Levels { factor, swept, levels }
}

fn fixed_and_swept(home: &str, factor: Factor) -> Fault {
    let (section, key) = (home.split('.').next().unwrap_or(home), key(factor));
    let message = format!("`{key}` has a fixed value in [{section}] and levels in [sweep]");
    Fault::new(message, "the fixed value", "keep one of the two: the levels alone say what is measured")
}

fn sweep_levels(check: &mut Check, factor: Factor, raw: Vec<Raw>) -> Vec<Level> {
    let path = format!("sweep.{}", key(factor));
    if raw.is_empty() {
        let message = format!("`{}` is swept over no levels", key(factor));
        check.fault(&path, Fault::new(message, "empty", "write at least one level, or leave the key out"));
    }
    let mut levels: Vec<Level> = Vec::new();
    for (index, raw) in raw.iter().enumerate() {
        let Some(level) = level(check, factor, raw, format!("{path}[{index}]")) else { continue };
        if levels.iter().any(|other| other.value == level.value) {
            let message = format!("a level of `{}` is written twice", key(factor));
            let hint = "remove it: `repeats` says how often a configuration is measured";
            check.fault(&level.path, Fault::new(message, "again", hint));
        } else {
            levels.push(level);
        }
    }
    levels
}

fn level(check: &mut Check, factor: Factor, raw: &Raw, path: String) -> Option<Level> {
    match resolve(factor, raw) {
        Ok(value) => Some(Level { value, path }),
        Err(fault) => {
            check.fault(&path, fault);
            None
        }
    }
}

fn default_level(check: &mut Check, factor: Factor, path: String) -> Vec<Level> {
    let written = check.was_refused(&format!("sweep.{}", key(factor)));
    match default(factor, check.cloud) {
        Some(value) => return vec![Level { value, path }],
        None if written => {}
        None if factor == Factor::Flows => {
            check
                .missing(&path, "say how many connections to share among the guests, for example flows = 16");
        }
        None => check.missing(
            &path,
            "say what to measure, for example backend = \"virtio\"; or list several in [sweep]",
        ),
    }
    Vec::new()
}

/// What is written for a factor: the fixed value and the levels.
fn raw(factor: Factor, written: &Written) -> (Option<Raw>, Option<Vec<Raw>>) {
    let Written { network, guest, workload, sweep, .. } = written;
    match factor {
        Factor::Backend => (text(&network.backend), texts(&sweep.backend)),
        Factor::Vms => (number(guest.vms), numbers(&sweep.vms)),
        Factor::Vcpus => (number(guest.vcpus), numbers(&sweep.vcpus)),
        Factor::Memory => (guest.memory.map(Raw::Size), sizes(&sweep.memory)),
        Factor::Mtu => (number(network.mtu), numbers(&sweep.mtu)),
        Factor::Test => (text(&workload.test), texts(&sweep.test)),
        Factor::Flows => (number(workload.flows), numbers(&sweep.flows)),
        Factor::Request => (workload.request.map(Raw::Size), sizes(&sweep.request)),
        Factor::Response => (workload.response.map(Raw::Size), sizes(&sweep.response)),
    }
}

fn text(text: &Option<String>) -> Option<Raw> {
    text.clone().map(Raw::Text)
}

fn texts(texts: &Option<Vec<String>>) -> Option<Vec<Raw>> {
    texts.as_ref().map(|texts| texts.iter().cloned().map(Raw::Text).collect())
}

fn number(number: Option<u32>) -> Option<Raw> {
    number.map(Raw::Number)
}

fn numbers(numbers: &Option<Vec<u32>>) -> Option<Vec<Raw>> {
    numbers.as_ref().map(|numbers| numbers.iter().copied().map(Raw::Number).collect())
}

fn sizes(sizes: &Option<Vec<Size>>) -> Option<Vec<Raw>> {
    sizes.as_ref().map(|sizes| sizes.iter().copied().map(Raw::Size).collect())
}
