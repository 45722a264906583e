//! The flows of a configuration: which netperf runs to which guest, and the netserver of the bare-metal baseline.

use std::net::IpAddr;

use anyhow::{Context, Result};

use super::lab_session::LabSession;
use crate::address::{Net, Station, address};
use crate::backend::{Backend, Side};
use crate::load::Netserver;
use crate::load::command::{self, FlowSpec};
use crate::profile::groups::{self, Members, members};
use crate::profile::{Configuration, Role, Test, Timing};

/// Bare metal is served by the host itself.
pub(super) async fn baremetal_netserver(
    session: &LabSession,
    configuration: &Configuration,
) -> Result<Option<Netserver>> {
    match configuration.backend {
        Backend::Baremetal => {
            let address = control(session.lab.control(), Station::Host);
            let server = Netserver::start(session.lab.side(Side::Host), address).await;
            Ok(Some(server.context("failed to start netserver on the host")?))
        }
        Backend::Guest { .. } => Ok(None),
    }
}

/// Numbers of the machines that run netserver: the guests, or 0 for the host.
pub(super) fn stations(configuration: &Configuration) -> Vec<u32> {
    if configuration.vms == 0 { vec![0] } else { (1..=configuration.vms).collect() }
}

/// Those of them that carry measured flows.
pub(super) fn measured(groups: &[Members], configuration: &Configuration) -> Vec<u32> {
    let role = |guest: &u32| groups::of_guest(groups, *guest).map_or(Role::Measured, |group| group.role);
    stations(configuration).into_iter().filter(|guest| role(guest) == Role::Measured).collect()
}

/// Where netserver is told to start a flow.
fn control(net: Net, station: Station) -> IpAddr {
    IpAddr::V4(address(net, station))
}

/// The flows of a configuration, in turn to each of these machines.
pub(super) fn flow_specs(
    stations: &[u32],
    configuration: &Configuration,
    timing: &Timing,
    net: Net,
) -> Vec<FlowSpec> {
    let (interval, hold) = (timing.interval, timing.warmup + timing.window + timing.cooldown);
    let length = command::length(configuration.test, hold, interval, configuration.flows);
    let settle = command::settle(configuration.test, configuration.flows);
    let spec = |index: u32| {
        let guest = stations[(index as usize) % stations.len()]; // round robin: no guest's flows all start first
        let station = if guest == 0 { Station::Host } else { Station::Guest(guest) };
        FlowSpec {
            flow: index + 1,
            guest,
            control: control(net, station),
            data: IpAddr::V4(address(Net::Test, station)),
            test: configuration.test,
            request_bytes: configuration.request_bytes,
            response_bytes: configuration.response_bytes,
            message_bytes: configuration.message_bytes,
            burst: configuration.burst,
            ping: configuration.ping,
            send_buffer_bytes: None,
            interval,
            settle,
            length,
        }
    };
    (0..configuration.flows).map(spec).collect()
}

/// One flow of another test, to the first of the guests that are measured.
pub(super) fn one_flow(session: &LabSession, configuration: &Configuration, test: Test) -> Option<FlowSpec> {
    let measured = measured(&members(session.groups(), configuration), configuration);
    let stations = if measured.is_empty() { stations(configuration) } else { measured };
    let configuration = Configuration { test, flows: 1, ..configuration.clone() };
    let timing = &session.experiment.timing;
    flow_specs(&stations, &configuration, timing, session.lab.control()).into_iter().next()
}
