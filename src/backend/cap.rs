//! A cap on a guest's NIC, in each direction: what the host sends to the guest waits in a token bucket of its interface;
//! what comes from the guest is led through an interface of the kind ifb, which has another.
//!
//! Not libvirt's `<bandwidth>`: that polices what comes from the guest, drops what is above, and TCP then stays far
//! below the cap.

use super::step::{Side, Step};

/// The bucket holds what comes in this part of a second.
const BURST_PARTS: u64 = 100;
/// At the least two full frames.
const LEAST_BURST: u64 = 4_096;

/// Caps an interface; `ifb` is the name of the second one. What stays on the first goes with it.
pub fn steps(interface: &str, ifb: &str, bits: u64) -> Vec<Step> {
    let bucket = bucket(bits);
    let host = |command: String| Step::new(Side::Host, &command);
    vec![
        host(format!("tc qdisc replace dev {interface} root {bucket}")),
        host(format!("ip link add {ifb} type ifb")).undone_by(&format!("ip link delete {ifb}")),
        host(format!("ip link set {ifb} up")),
        host(format!("tc qdisc replace dev {ifb} root {bucket}")),
        host(format!("tc qdisc add dev {interface} ingress")),
        host(format!(
            "tc filter add dev {interface} parent ffff: protocol all u32 match u32 0 0 \
             action mirred egress redirect dev {ifb}"
        )),
    ]
}

/// Takes the cap off an interface that stays; the second one has an undo of its own.
pub fn lift(interface: &str) -> Vec<Step> {
    ["root", "ingress"]
        .map(|which| Step::new(Side::Host, &format!("tc qdisc del dev {interface} {which}")))
        .into()
}

fn bucket(bits: u64) -> String {
    let burst = (bits / 8 / BURST_PARTS).max(LEAST_BURST);
    format!("tbf rate {bits}bit burst {burst} latency 50ms")
}

/// The rate of the bucket in what `tc -s -j qdisc show` says, bits/s; `None` if there is none.
pub fn rate(json: &str) -> Option<u64> {
    let all: serde_json::Value = serde_json::from_str(json).ok()?;
    let bucket = all.as_array()?.iter().find(|qdisc| qdisc["kind"] == "tbf")?;
    Some(bucket["options"]["rate"].as_u64()? * 8) // tc says bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_read_back_in_bits() {
        let json = r#"[{"kind":"ingress","handle":"ffff:"},{"kind":"tbf","handle":"8807:","root":true,
            "options":{"rate":3000000,"burst":65535,"lat":50000},"bytes":0,"packets":0}]"#;
        assert_eq!(rate(json), Some(24_000_000));
        assert_eq!(rate("[]"), None);
        assert_eq!(rate("Cannot find device"), None);
    }

    #[test]
    fn both_directions_have_a_bucket_and_only_the_second_interface_an_undo() {
        let steps = steps("kf-a-t1", "kf-a-i1", 24_000_000);
        let words = |step: &Step| format!("{:?}", step.action);
        let buckets = steps.iter().filter(|step| words(step).contains("tbf")).count();
        let undone = steps.iter().filter(|step| words(step).contains("delete")).count();
        assert_eq!((buckets, undone), (2, 1));
        assert_eq!(bucket(24_000_000), "tbf rate 24000000bit burst 30000 latency 50ms");
    }
}
