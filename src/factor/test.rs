//! The kinds of load, netperf's tests and ping: what each moves, in what unit, and which factors mean something to it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::names::Factor;

/// Largest payload of a UDP datagram over IPv4, bytes.
pub const LARGEST_DATAGRAM: u32 = 65_507;

/// UDP payload of the shortest Ethernet frame, bytes: 64 with its checksum are 14 + 20 + 8 + 18 + 4.
pub const PAYLOAD_OF_64_BYTE_FRAME: u32 = 18;

/// UDP payload of the longest Ethernet frame at MTU 1500 (1518 bytes with its checksum), bytes.
pub const PAYLOAD_OF_1518_BYTE_FRAME: u32 = 1472;

/// netperf's tests, and ping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[allow(non_camel_case_types, reason = "netperf's own names")]
pub enum Test {
    /// Request and response over one TCP connection.
    TCP_RR,
    /// Request and response in UDP datagrams.
    UDP_RR,
    /// Request and response over a TCP connection of their own.
    TCP_CRR,
    /// From the tester to the guest over one TCP connection.
    TCP_STREAM,
    /// From the guest to the tester over one TCP connection.
    TCP_MAERTS,
    /// From the tester to the guest in UDP datagrams, as fast as they can be sent.
    UDP_STREAM,
    /// Round trips of ICMP at a fixed interval, whether or not the one before was answered: an open loop.
    #[serde(rename = "ping")]
    PING,
}

/// What the rate of a test counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Transactions.
    Transactions,
    /// Round trips of ping. How many there are is what the profile asks for, and no result.
    #[serde(rename = "round_trips")]
    RoundTrips,
    /// 10^6 bits of payload.
    Megabits,
}

impl Test {
    /// Every test that this version runs.
    pub const ALL: [Test; 7] = [
        Test::TCP_RR,
        Test::UDP_RR,
        Test::TCP_CRR,
        Test::TCP_STREAM,
        Test::TCP_MAERTS,
        Test::UDP_STREAM,
        Test::PING,
    ];

    /// Whether it moves data one way rather than requests and responses.
    pub fn is_stream(self) -> bool {
        matches!(self, Test::TCP_STREAM | Test::TCP_MAERTS | Test::UDP_STREAM)
    }

    /// Whether it sends at a fixed interval whatever is answered: its rate is the profile's, and its latencies are its result.
    pub fn is_ping(self) -> bool {
        self == Test::PING
    }

    /// Whether it uses TCP.
    pub fn is_tcp(self) -> bool {
        !self.is_udp() && !self.is_ping()
    }

    /// The program that the tester runs for it.
    pub fn program(self) -> &'static str {
        if self.is_ping() { "ping" } else { "netperf" }
    }

    /// Whether it sends datagrams.
    pub fn is_udp(self) -> bool {
        matches!(self, Test::UDP_RR | Test::UDP_STREAM)
    }

    /// What its rate counts.
    pub fn unit(self) -> Unit {
        match self {
            Test::TCP_STREAM | Test::TCP_MAERTS | Test::UDP_STREAM => Unit::Megabits,
            Test::TCP_RR | Test::UDP_RR | Test::TCP_CRR => Unit::Transactions,
            Test::PING => Unit::RoundTrips,
        }
    }

    /// Whether another level of the factor would make a difference to it.
    pub fn heeds(self, factor: Factor) -> bool {
        match factor {
            Factor::Request | Factor::Response => self.unit() == Unit::Transactions,
            Factor::Message => self.is_stream(),
            Factor::Burst => matches!(self, Test::TCP_RR | Test::UDP_RR),
            Factor::PingInterval | Factor::PingPayload => self.is_ping(),
            _ => true,
        }
    }

    /// Size of one send if the profile names none, bytes: what TCP likes best, and a frame of MTU 1500 for UDP, which must
    /// not be cut into fragments unasked.
    pub fn default_message_bytes(self) -> u32 {
        if self.is_udp() { PAYLOAD_OF_1518_BYTE_FRAME } else { 64 * 1024 }
    }
}

impl Unit {
    /// The word for it in netperf's interim results; ping has none.
    pub fn of_netperf(self) -> &'static str {
        match self {
            Unit::Transactions => "Trans/s",
            Unit::RoundTrips => "",
            Unit::Megabits => "10^6bits/s",
        }
    }

    /// Whether how much of it there is in a second is a result: pings are as many as the profile asks for.
    pub fn is_result(self) -> bool {
        self != Unit::RoundTrips
    }

    /// A value, if it counts requests with their answers: transactions or pings.
    pub fn exchanges(self, value: f64) -> Option<f64> {
        (self != Unit::Megabits).then_some(value)
    }

    /// A value, if it counts transactions.
    pub fn transactions(self, value: f64) -> Option<f64> {
        (self == Unit::Transactions).then_some(value)
    }

    /// A value, if it counts 10^6 bits.
    pub fn megabits(self, value: f64) -> Option<f64> {
        (self == Unit::Megabits).then_some(value)
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Test::TCP_RR => "TCP_RR",
            Test::UDP_RR => "UDP_RR",
            Test::TCP_CRR => "TCP_CRR",
            Test::TCP_STREAM => "TCP_STREAM",
            Test::TCP_MAERTS => "TCP_MAERTS",
            Test::UDP_STREAM => "UDP_STREAM",
            Test::PING => "ping",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_test_moves_decides_which_sizes_mean_something_to_it() {
        for test in Test::ALL {
            assert_eq!(test.heeds(Factor::Message), test.unit() == Unit::Megabits, "{test}");
            assert_eq!(test.heeds(Factor::Request), test.unit() == Unit::Transactions, "{test}");
            assert_eq!(test.heeds(Factor::PingInterval), test.unit() == Unit::RoundTrips, "{test}");
        }
        assert!(!Test::TCP_CRR.heeds(Factor::Burst), "its next transaction needs the next connection");
    }

    #[test]
    fn the_payloads_fill_the_frames_they_are_named_after() {
        const AROUND: u32 = 14 + 20 + 8 + 4; // Ethernet, IPv4, UDP, checksum
        assert_eq!((PAYLOAD_OF_64_BYTE_FRAME + AROUND, PAYLOAD_OF_1518_BYTE_FRAME + AROUND), (64, 1518));
    }
}
