//! What is needed to boot a guest and to reach it.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::cloud::Disks;
use super::domain::Domain;
use crate::machine::Machine;
use crate::machine::ssh::Route;

/// For one SSH login: an emulated guest that shares its CPU needs seconds for the key exchange.
pub(super) const LOGIN: Duration = Duration::from_secs(20);
/// Where the guests' SSH server listens.
pub(super) const SSH_PORT: u16 = 22;

/// Where one guest is reached and what it says while it boots.
#[derive(Clone, Debug)]
pub struct Boot {
    /// Its number, from 1.
    pub guest: u32,
    /// What it is made of.
    pub domain: Domain,
    /// Its address on the management network.
    pub management: IpAddr,
    /// A command in it that answers whenever it is asked.
    pub looks: Vec<String>,
    /// Disks that have to be made anew before each of its boots; `None` if it boots without.
    pub disks: Option<Disks>,
}

/// Where the guests run, and how they are reached.
#[derive(Clone)]
pub struct Site {
    /// The VM host.
    pub host: Machine,
    /// The way from here to the guests' management network.
    pub route: Route,
    /// libvirt's directory on the host with one `<name>.pid` for each guest.
    pub pids: PathBuf,
}
