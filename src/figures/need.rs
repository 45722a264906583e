//! What an experiment must have for a figure to exist in it: decided by the profile, never by what was measured, so that the
//! same profile always gives the same columns.

use super::course::SLICES_S;
use crate::profile::{AccelChoice, Background, Configuration, Experiment, Test, Unit};

/// One condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A netperf test of requests and responses.
    Requests,
    /// Requests and responses, or pings.
    Latencies,
    /// Pings.
    Pings,
    /// A load that goes as fast as it can: its rate is a result.
    Rates,
    /// UDP streams or pings: what is lost is not sent again.
    Losses,
    /// A test of streams.
    Streams,
    /// A test of UDP streams.
    UdpStreams,
    /// A test over TCP.
    Tcp,
    /// Guests.
    Guests,
    /// Two measured guests at a time.
    SeveralGuests,
    /// Groups of guests.
    Groups,
    /// Two of them.
    SeveralGroups,
    /// KVM, or a host that may have it.
    Kvm,
    /// A host on which Linux schedules the guests, as threads of a QEMU: not Xen.
    LinuxHost,
    /// A quota.
    Quota,
    /// Levels with and without background.
    Background,
    /// Bare metal beside guests.
    BareMetal,
    /// A second repeat.
    Repeats,
    /// A window of two slices of the length at this place in [`SLICES_S`], no shorter than an interim result.
    Slices(usize),
}

impl Need {
    /// Whether any configuration of the experiment meets it.
    pub fn is_met(self, experiment: &Experiment) -> bool {
        let any = |holds: &dyn Fn(&Configuration) -> bool| experiment.configurations.iter().any(holds);
        let (groups, timing) = (&experiment.groups, &experiment.timing);
        match self {
            Need::Guests => any(&|configuration| configuration.vms > 0),
            Need::SeveralGuests => any(&|configuration| configuration.vms > 1 && configuration.targets() > 1),
            Need::Groups => !groups.is_empty(),
            Need::SeveralGroups => groups.len() > 1,
            Need::Kvm => experiment.host.accel != AccelChoice::Tcg && experiment.host.xen.is_none(),
            Need::LinuxHost => experiment.host.xen.is_none(),
            Need::Quota => {
                let limited = groups.iter().any(|group| group.cpu.quota_us.is_some());
                limited || any(&|configuration| configuration.quota_us > 0)
            }
            Need::Background => {
                let alone = |configuration: &Configuration| configuration.background == Background::None;
                any(&alone) && any(&|c| !alone(c) && c.background != Background::AsWritten)
            }
            Need::BareMetal => {
                any(&|configuration| configuration.vms == 0) && any(&|configuration| configuration.vms > 0)
            }
            Need::Repeats => timing.repeats > 1 || timing.precision.is_some(),
            Need::Slices(length) => {
                let slice_s = SLICES_S[length];
                slice_s >= timing.interval.as_secs_f64() && 2.0 * slice_s <= timing.window.as_secs_f64()
            }
            Need::Requests
            | Need::Latencies
            | Need::Pings
            | Need::Rates
            | Need::Losses
            | Need::Streams
            | Need::UdpStreams
            | Need::Tcp => any(&|configuration| self.is_met_by_test(configuration.test)),
        }
    }

    /// Whether a test meets it; all others are met by every test.
    pub fn is_met_by_test(self, test: Test) -> bool {
        match self {
            Need::Requests => test.unit() == Unit::Transactions,
            Need::Latencies => !test.is_stream(),
            Need::Pings => test.is_ping(),
            Need::Rates => test.unit().is_result(),
            Need::Losses => test == Test::UDP_STREAM || test.is_ping(),
            Need::Streams => test.is_stream(),
            Need::UdpStreams => test == Test::UDP_STREAM,
            Need::Tcp => test.is_tcp(),
            _ => true,
        }
    }
}
