//! The factors: what can be swept, the values of their levels, and a configuration, which is one combination of levels. Pure.
//!
//! - [`names`]: the factors; [`descriptor`]: what there is to know of one; [`level_kind`]: how its levels are written
//! - `guest`, `network`, `workload`, `nic_settings`, `host_settings`, `xen_host`: the descriptors; [`table`] finds them by factor
//! - [`value`], [`cpus`], [`pin`], [`policy`], [`mod@test`], [`background`], [`xen`]: values of levels, as people write them
//! - [`quota`]: bounds of CPU time; [`fault`]: what is wrong with a level
//! - [`configuration`], `id`: one combination of levels; [`kernel`], [`tuning`]: its settings as files and values
//!
//! A setting of the host's kernel is a name in `names` and a row in `host_settings`. Profile, JSON schema, starter profile,
//! reference, columns, phrases, preflight, and how it is applied and verified follow from the row.

pub mod background;
pub mod configuration;
pub mod cpus;
pub mod descriptor;
pub mod fault;
mod field;
mod guest;
mod host_settings;
mod id;
pub mod kernel;
pub mod level_kind;
pub mod names;
mod network;
mod nic_settings;
pub mod pin;
pub mod policy;
pub mod quota;
pub mod table;
pub mod test;
pub mod tuning;
pub mod value;
mod workload;
pub mod xen;
mod xen_host;

pub use background::{Background, Role};
pub use configuration::{Configuration, PingSettings};
pub use fault::Fault;
pub use names::Factor;
pub use test::{Test, Unit};
pub use value::Value;
