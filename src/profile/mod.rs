//! The profile: as written (serde) -> experiment (validated). Errors carry file, line, column and a hint.
//!
//! - [`load()`], [`parse`]: a file, or its text, to an [`Experiment`]; the way in
//! - [`experiment`], [`groups`], [`lab`], [`Gate`], and the types of [`crate::factor`]: what the rest of kvmfair reads
//! - [`written`]: every key of the format, with what it means
//! - [`diagnostic`]: what is wrong with a profile, rendered as rustc does
//! - [`schema()`]: the JSON schema of the format, for editors
//! - [`starter()`]: a commented profile to start from
//! - [`shipped`]: the profiles of `profiles/`, built into the program
//!
//! Behind those: `shape` finds unknown keys and sections in the wrong brackets, `reader` reads the rest and lets serde report more
//! than its first complaint, `messages` puts that into words, `places` knows where each value stands, and `validate` turns what
//! was written into what can be measured.

pub mod diagnostic;
pub mod experiment;
mod gate;
pub mod groups;
pub mod lab;
mod load;
mod messages;
mod places;
mod reader;
mod schema;
mod shape;
pub mod shipped;
mod starter;
mod validate;
pub mod written;

pub use crate::factor::{
    Background, Configuration, Factor, PingSettings, Role, Test, Unit, Value, configuration, cpus, pin,
    policy, test, value,
};
pub use diagnostic::{Diagnostic, Position, ProfileError};
pub use experiment::{
    AccelChoice, ExitChoice, Experiment, Host, Idle, Image, Limits, Order, Precision, Reprovision, Timing,
    XenHost,
};
pub use gate::{Gate, GatedMetric};
pub use lab::{Machines, WireNics};
pub use load::{LARGEST, from_bytes, load, parse};
pub use schema::schema;
pub use starter::starter;
pub use validate::{HostFacts, is_name};
