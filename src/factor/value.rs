//! The levels of factors, as values.

use std::fmt;

use super::background::Background;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::cpus::Cpus;
use super::pin::Pin;
use super::policy::SchedulingPolicy;
use super::test::Test;
use crate::backend::Backend;

/// One level of a factor.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Of the backend.
    Backend(Backend),
    /// Of the netperf test.
    Test(Test),
    /// Of what is counted or measured, in the unit of the factor's column.
    Number(u32),
    /// Of what is on or off.
    Switch(bool),
    /// Of what has names.
    Word(String),
    /// Of what CPUs are chosen for.
    Cpus(Cpus),
    /// Of a way to pin threads.
    Pin(Pin),
    /// Of a scheduling policy.
    Policy(SchedulingPolicy),
    /// Of a file.
    Path(PathBuf),
    /// Of what the unmeasured guests do.
    Background(Background),
    /// Of a setting that is left as it is found.
    AsFound,
}

impl Value {
    /// The number; 0 for what is not one.
    pub fn as_number(&self) -> u32 {
        if let Value::Number(number) = self { *number } else { 0 }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Backend(backend) => backend.fmt(f),
            Value::Test(test) => test.fmt(f),
            Value::Number(number) => number.fmt(f),
            Value::Switch(on) => f.write_str(if *on { "on" } else { "off" }),
            Value::Word(word) => f.write_str(word),
            Value::Cpus(cpus) => cpus.fmt(f),
            Value::Pin(pin) => pin.fmt(f),
            Value::Policy(policy) => policy.fmt(f),
            Value::Path(path) => path.display().fmt(f),
            Value::Background(background) => background.fmt(f),
            Value::AsFound => Ok(()),
        }
    }
}
