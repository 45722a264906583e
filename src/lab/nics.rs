//! Real NICs of a wire, found on their machines. A NIC that serves something else is refused.

use super::nic_error::NicError;
use crate::backend::Side;
use crate::backend::wire::{Nics, Wire};
use crate::host_nic::{HostNic, Sriov};
use crate::machine::Machine;
use crate::profile::WireNics;

/// Prints the state of the interface `$1`, a word and its value on each line.
const SHOW: &str = r#"dir=/sys/class/net/$1
[ -d "$dir" ] || { echo absent $(ls /sys/class/net); exit 0; }
for file in address mtu flags; do echo "$file $(cat "$dir/$file")"; done
for file in total_vfs:sriov_totalvfs active_vfs:sriov_numvfs offset:sriov_offset stride:sriov_stride; do
    [ ! -e "$dir/device/${file#*:}" ] || echo "${file%%:*} $(cat "$dir/device/${file#*:}")"
done
for link in driver:device/driver master; do
    [ ! -e "$dir/${link#*:}" ] || { target=$(readlink -f "$dir/${link#*:}"); echo "${link%%:*} ${target##*/}"; }
done
if [ -e "$dir/device" ]; then
    device=$(readlink -f "$dir/device")
    # A virtio device, which alone has feature bits, sits on a PCI function, unless its bus is another one.
    [ ! -e "$device/features" ] || [ ! -e "${device%/*}/class" ] || device=${device%/*}
    echo "device ${device##*/}"
fi
bridge=$(readlink "$dir/master"); bridge=${bridge##*/}
for over in route:$1 ${bridge:+carries:$bridge}; do
    for family in -4 -6; do ip $family route show default dev "${over#*:}" | sed "s/^/${over%%:*} /"; done
done
for upper in "$dir"/upper_*; do [ ! -e "$upper" ] || echo "upper ${upper##*/upper_}"; done
ip -o address show dev "$1" scope global | while read -r _ _ _ address _; do echo "local $address"; done"#;

/// The wire that a profile names, with its NICs as they are found; those of a machine that is `None` are not checked.
/// `private` is whether the run moves NICs into a namespace of its own, which takes hardware.
///
/// # Errors
/// Every NIC that cannot carry it, and the side that it is on.
pub async fn wire(
    named: Option<&WireNics>,
    host: Option<&Machine>,
    tester: Option<&Machine>,
    private: bool,
) -> Result<Wire, Vec<(Side, NicError)>> {
    let Some(named) = named else { return Ok(Wire::Veth) };
    let (mut found, mut errors) = (Vec::new(), Vec::new());
    let ends = named.host_devs().chain(&named.vdpa_devs).map(|name| (Side::Host, host, name));
    for (side, machine, name) in ends.chain([(Side::Tester, tester, &named.tester_dev)]) {
        let Some(machine) = machine else { continue };
        match find(machine, name, private).await {
            Ok(nic) => found.push((side, nic)),
            Err(error) => errors.push((side, error)),
        }
    }
    let (host, tester): (Vec<_>, Vec<_>) = found.into_iter().partition(|(side, _)| *side == Side::Host);
    let mut host: Vec<HostNic> = host.into_iter().map(|(_, nic)| nic).collect();
    match tester.into_iter().next() {
        Some((_, tester)) if errors.is_empty() && !host.is_empty() => {
            let vdpa = host.split_off(1 + named.spare_devs.len());
            Ok(Wire::Nics(Nics { host, vdpa, tester }))
        }
        _ => Err(errors),
    }
}

/// The wire that a profile names, by the names of its NICs alone: a plan queries no other machine.
pub fn named_only(named: &WireNics) -> Wire {
    let nic = |name: &String| HostNic { name: name.clone(), ..HostNic::default() };
    let (host, vdpa) = (named.host_devs().map(nic).collect(), named.vdpa_devs.iter().map(nic).collect());
    Wire::Nics(Nics { host, vdpa, tester: nic(&named.tester_dev) })
}

async fn find(machine: &Machine, name: &str, private: bool) -> Result<HostNic, NicError> {
    if name.contains('/') || name.starts_with('.') {
        return Err(NicError::Missing(name.into(), "none with a slash".into()));
    }
    let output = machine.run(&["sh", "-c", SHOW, "show", name]).await;
    let output = output.map_err(|error| NicError::Unreadable(name.into(), error.to_string()))?;
    parse(name, &output.stdout, private)
}

/// What the script printed -> the NIC. Pure.
fn parse(name: &str, shown: &str, private: bool) -> Result<HostNic, NicError> {
    let first = |word: &str| first(shown, word);
    if let Some(others) = first("absent") {
        return Err(NicError::Missing(name.into(), others.replace(' ', ", ")));
    }
    let route = first("route").map(|_| "the default route leads over it".to_owned());
    if private && first("device").is_none() {
        // A bridge that carries the default route leads to a NIC that must not be named either.
        let used = route.map(|route| NicError::InUse(name.into(), route));
        return Err(used.unwrap_or(NicError::Virtual(name.into())));
    }
    if let Some(user) = user(shown, route) {
        return Err(NicError::InUse(name.into(), user));
    }
    let unexpected = || NicError::Unreadable(name.into(), format!("unexpected state: {}", shown.trim()));
    let number = |word: &str| first(word)?.parse::<u32>().ok();
    let flags = first("flags").ok_or_else(unexpected)?;
    let flags = u32::from_str_radix(flags.trim_start_matches("0x"), 16).map_err(|_| unexpected())?;
    Ok(HostNic {
        name: name.into(),
        device: first("device").unwrap_or_default(),
        driver: first("driver").unwrap_or_default(),
        mac: first("address").ok_or_else(unexpected)?,
        mtu: number("mtu").ok_or_else(unexpected)?,
        up: flags & 1 != 0,
        sriov: number("total_vfs").and_then(|total| {
            let (active, offset, stride) = (number("active_vfs")?, number("offset")?, number("stride")?);
            Some(Sriov { total, active, offset: offset as u16, stride: stride as u16 })
        }),
    })
}

/// What follows a word at the beginning of a line, the first time.
fn first(shown: &str, word: &str) -> Option<String> {
    let value = |line: &str| line.strip_prefix(word)?.strip_prefix(' ').map(|value| value.trim().to_owned());
    shown.lines().find_map(value)
}

/// Who uses a NIC that is not free; `route` leads over it.
fn user(shown: &str, route: Option<String>) -> Option<String> {
    let first = |word: &str| first(shown, word);
    let carries = first("carries").map_or("", |_| ", and the default route leads over that");
    let users = [
        first("master").map(|master| format!("it is a port of {master}{carries}")),
        first("upper").map(|above| format!("{above} is on top of it")),
        first("active_vfs").filter(|n| n != "0").map(|n| format!("it has {n} virtual functions already")),
        route,
        first("local").map(|address| format!("it has the address {address}")),
    ];
    users.into_iter().flatten().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: &str = "address 52:54:00:00:00:01\nmtu 1500\nflags 0x1002\ntotal_vfs 7\nactive_vfs 0\noffset 128\n\
                        stride 2\ndevice 0000:01:00.0\ndriver igb\n";

    const VIRTUAL: &str = "address 52:54:00:00:00:01\nmtu 1500\nflags 0x1003\n";

    #[tokio::test]
    async fn a_missing_interface_and_a_virtual_one_are_refused_on_this_machine() {
        let here = Machine::local();
        let missing = find(&here, "no-such-nic", true).await.unwrap_err();
        assert!(matches!(&missing, NicError::Missing(_, others) if others.contains("lo")), "{missing}");
        assert_eq!(find(&here, "lo", true).await.unwrap_err(), NicError::Virtual("lo".into()));
    }

    #[test]
    fn a_nic_that_nobody_uses_is_read() {
        let nic = parse("eth1", FREE, true).unwrap();
        assert_eq!((nic.device.as_str(), nic.driver.as_str(), nic.up), ("0000:01:00.0", "igb", false));
        assert_eq!(nic.sriov.unwrap().total, 7);
    }

    #[test]
    fn a_virtual_nic_may_carry_a_wire_only_where_it_stays_in_its_namespace() {
        let nic = parse("veth1", VIRTUAL, false).unwrap();
        assert_eq!((nic.device.as_str(), nic.up, nic.sriov), ("", true, None));
        assert_eq!(parse("veth1", VIRTUAL, true), Err(NicError::Virtual("veth1".into())));
        let bridge = parse("br0", &format!("{VIRTUAL}route default via 10.0.0.254\n"), true);
        assert_eq!(bridge, Err(NicError::InUse("br0".into(), "the default route leads over it".into())));
    }

    #[test]
    fn whoever_uses_a_nic_is_named() {
        let used = [
            ("local 10.0.0.1/24", "it has the address 10.0.0.1/24"),
            ("route default via 10.0.0.254", "the default route leads over it"),
            ("master br0", "it is a port of br0"),
            (
                "master br0\ncarries default via 10.0.0.254",
                "it is a port of br0, and the default route leads over that",
            ),
            ("upper macvtap0", "macvtap0 is on top of it"),
        ];
        for (line, user) in used {
            assert_eq!(
                parse("eth1", &format!("{FREE}{line}\n"), true),
                Err(NicError::InUse("eth1".into(), user.into()))
            );
        }
        let vfs = FREE.replace("active_vfs 0", "active_vfs 2");
        assert!(
            matches!(parse("eth1", &vfs, false), Err(NicError::InUse(_, user)) if user.contains("2 virtual"))
        );
    }

    #[test]
    fn those_that_are_there_are_named_for_one_that_is_not() {
        let error = parse("eth9", "absent eth0 lo\n", false).unwrap_err();
        assert_eq!(error.to_string(), "there is no interface eth9; there are: eth0, lo");
    }
}
