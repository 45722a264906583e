//! The load: flows of netperf or ping that start together, are watched while they run and end together.
//!
//! - [`command`]: the words of one netperf or ping (pure)
//! - [`launcher`]: the shell script that runs all flows of a tester, and the protocol it speaks (pure)
//! - [`parse`]: what the launcher printed -> [`crate::raw::RawFlow`] (pure)
//! - `ping`: what ping printed -> every round trip (pure)
//! - [`error`]: why there is no load (pure)
//! - [`flows`]: the flows of a trial while they run
//! - [`rehearsal`]: the load for a second, before the first trial
//! - [`netserver`]: the other end, for the bare-metal baseline
//! - [`clocks`]: the clocks of host and tester, and whether one was stepped during a load

pub mod clocks;
pub mod command;
pub mod error;
pub mod flows;
pub mod launcher;
pub mod netserver;
pub mod parse;
mod ping;
pub mod rehearsal;

pub use command::FlowSpec;
pub use error::LoadError;
pub use flows::Load;
pub use launcher::FailedFlow;
pub use netserver::{Netserver, NetserverError};
