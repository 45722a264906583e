//! What is needed to boot a guest and to reach it.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::cloud::Disks;
use super::domain::Domain;
use crate::libvirt::account::Account;
use crate::machine::Machine;
use crate::machine::ssh::Route;

/// Limit of one SSH login: an emulated guest that shares its CPU needs seconds for the key exchange.
pub(super) const LOGIN: Duration = Duration::from_secs(20);
/// Port of the guests' SSH server.
pub(super) const SSH_PORT: u16 = 22;

/// One guest to be booted: its domain, and how it is reached.
#[derive(Clone, Debug)]
pub struct Boot {
    /// Its number, from 1.
    pub guest: u32,
    /// Its description for libvirt.
    pub domain: Domain,
    /// Its address on the management network.
    pub management: IpAddr,
    /// A command in it that prints its counters once for each line that it reads.
    pub counters: Vec<String>,
    /// The cpupool that it runs in, where that is not the hypervisor's own.
    pub cpupool: Option<String>,
    /// Disks that are made anew before each of its boots; `None` if it boots without any.
    pub disks: Option<Disks>,
}

/// The VM host of the guests, and the way to them.
#[derive(Clone)]
pub struct GuestSite {
    /// The VM host.
    pub host: Machine,
    /// The way from here to the guests' management network.
    pub route: Route,
    /// libvirt's directory on the host with one `<name>.pid` for each guest; `None` on Xen, whose guests are no processes.
    pub pids: Option<PathBuf>,
    /// The user that QEMU runs as, to whom the guests' disks are given; `None` if that is libvirt's choice and work.
    pub account: Option<Account>,
}
