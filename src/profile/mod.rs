//! The profile: as written (serde) -> experiment (validated). Errors carry file, line, column and a hint.
//!
//! - [`load()`], [`parse`]: a file, or its text, to an [`Experiment`]; the way in
//! - [`experiment`], [`configuration`], [`factor`], [`value`], [`mod@test`], [`groups`], [`lab`]: what the rest of kvmfair reads
//! - [`written`]: every key of the format, with what it means
//! - [`units`], [`cpus`], [`pin`], [`policy`]: times, sizes, sets of CPUs and what vCPUs do with them, as people write them
//! - [`tuning`]: settings of the host and inside the guests
//! - [`diagnostic`]: what is wrong with a profile, rendered as rustc does
//! - [`schema()`]: the JSON schema of the format, for editors
//! - [`starter()`]: a commented profile to start from
//! - [`shipped`]: the profiles of `profiles/`, built into the program
//!
//! Behind those: `shape` finds sections in the wrong brackets, `reader` lets serde report more than its first complaint and
//! `taken` removes what it refused, `places` knows where each value stands, and `validate` turns what was written into what
//! can be measured.

pub mod configuration;
pub mod cpus;
pub mod diagnostic;
pub mod experiment;
pub mod factor;
pub mod groups;
mod id;
pub mod lab;
mod load;
pub mod pin;
mod places;
pub mod policy;
mod reader;
mod schema;
mod shape;
pub mod shipped;
mod starter;
mod taken;
pub mod test;
pub mod tuning;
pub mod units;
mod validate;
pub mod value;
pub mod written;

pub use configuration::Configuration;
pub use diagnostic::{Diagnostic, Position, ProfileError};
pub use experiment::{
    AccelChoice, ExitChoice, Experiment, Host, Idle, Image, Limits, Order, Precision, Reprovision, Timing,
};
pub use factor::Factor;
pub use groups::{Background, Role};
pub use lab::{HostPlace, Machines, WireNics};
pub use load::{LARGEST, from_bytes, load, parse};
pub use schema::schema;
pub use starter::starter;
pub use test::{Test, Unit};
pub use validate::{HostFacts, is_name};
pub use value::Value;
