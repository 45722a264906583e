//! The only door to a machine, this one or another over SSH: argument vectors in, exit status and output out; files of
//! `/proc` and `/sys`; processes with pipes.
//!
//! - [`command`]: a finished command, and why one failed
//! - [`local_or_remote`]: [`Machine`], this machine or another, alike
//! - [`local`]: this machine, in this process's network namespace or another one
//! - [`blocking`]: this machine, before there is a runtime
//! - [`login`]: where an SSH server is and who logs in
//! - [`session`]: an SSH session with another machine: known host key, user's key, jump host
//! - `known_hosts`, `private_key`: host keys that are known or revoked; the keys of a login
//! - [`ssh_error`]: why there is no session
//! - [`ssh`]: a guest or another machine, commands one after another
//! - [`dialogue`]: a command that stays and answers each request, over SSH
//! - `exec`: a command on a channel, however long
//! - [`pump`], `link`: channels of one session as local sockets
//! - [`forward`]: a socket on another machine as a local path
//! - [`started`]: a process with pipes
//! - `bounded`: outputs of commands, read with bounds; [`mod@line`]: lines of a process
//! - [`upload`]: a large file, copied to a machine
//! - [`change`], `undo.sh`: a change of a machine, and the script that undoes it there
//! - [`watchdog`], `watchdog.sh`: undoes a run on another machine when kvmfair is gone
//! - [`journal`]: what has to be undone, written before it is done
//!
//! The commands have no meaning here. No shell is in between, except the remote one that SSH imposes.

pub mod blocking;
mod bounded;
pub mod change;
pub mod command;
pub mod dialogue;
mod exec;
pub mod forward;
pub mod journal;
mod known_hosts;
pub mod line;
mod link;
pub mod local;
pub mod local_or_remote;
pub mod login;
mod private_key;
pub mod pump;
pub mod session;
pub mod ssh;
pub mod ssh_error;
pub mod started;
pub mod upload;
pub mod watchdog;

pub use command::{ExecError, Output, as_typed};
pub use local_or_remote::{Machine, Remote};
pub use ssh_error::SshError;
