//! The factors: what can be swept, the values of their levels, and a configuration, which is one combination of levels. Pure.
//!
//! - [`names`]: the factors
//! - [`value`], [`cpus`], [`pin`], [`policy`], [`mod@test`], [`background`], [`units`]: values of levels, as people write them
//! - [`configuration`], `id`: one combination of levels
//! - [`tuning`]: settings of the host and inside the guests

pub mod background;
pub mod configuration;
pub mod cpus;
mod id;
pub mod names;
pub mod pin;
pub mod policy;
pub mod test;
pub mod tuning;
pub mod units;
pub mod value;

pub use background::{Background, Role};
pub use configuration::Configuration;
pub use names::Factor;
pub use test::{Test, Unit};
pub use value::Value;
