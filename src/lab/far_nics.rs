//! NICs of the machines of a hardware lab: found there, and refused if somebody uses them. They stay where they are.

use super::nic_error::NicError;
use crate::backend::wire::{HostNic, Nics, Sriov, Wire};
use crate::machine::Machine;
use crate::profile::WireNics;

/// Prints what is known of the interface `$1`, a word and its value on each line.
const LOOK: &str = r#"dir=/sys/class/net/$1
[ -d "$dir" ] || { echo absent $(ls /sys/class/net); exit 0; }
for file in address mtu flags; do echo "$file $(cat "$dir/$file")"; done
for file in total_vfs:sriov_totalvfs active_vfs:sriov_numvfs offset:sriov_offset stride:sriov_stride; do
    [ ! -e "$dir/device/${file#*:}" ] || echo "${file%%:*} $(cat "$dir/device/${file#*:}")"
done
for link in device driver:device/driver master; do
    [ ! -e "$dir/${link#*:}" ] || { target=$(readlink -f "$dir/${link#*:}"); echo "${link%%:*} ${target##*/}"; }
done
bridge=$(readlink "$dir/master"); bridge=${bridge##*/}
for over in route:$1 ${bridge:+carries:$bridge}; do
    for family in -4 -6; do ip $family route show default dev "${over#*:}" | sed "s/^/${over%%:*} /"; done
done
for upper in "$dir"/upper_*; do [ ! -e "$upper" ] || echo "upper ${upper##*/upper_}"; done
ip -o address show dev "$1" scope global | while read -r _ _ _ address _; do echo "local $address"; done"#;

/// The wire that a profile names, as it is found; and for each end that cannot carry it, why: `true` for the host's.
///
/// # Errors
/// Every NIC that cannot carry it.
pub async fn wire(
    host: Option<&Machine>,
    tester: Option<&Machine>,
    named: &WireNics,
) -> Result<Wire, Vec<(bool, NicError)>> {
    let (mut found, mut errors) = (Vec::new(), Vec::new());
    let ends = named.host_devs().map(|name| (true, host, name));
    for (of_host, machine, name) in ends.chain([(false, tester, &named.tester_dev)]) {
        let Some(machine) = machine else { continue };
        match look(machine, name).await {
            Ok(nic) => found.push((of_host, nic)),
            Err(error) => errors.push((of_host, error)),
        }
    }
    let (host, tester): (Vec<_>, Vec<_>) = found.into_iter().partition(|(of_host, _)| *of_host);
    let host: Vec<HostNic> = host.into_iter().map(|(_, nic)| nic).collect();
    match tester.into_iter().next() {
        Some((_, tester)) if errors.is_empty() && !host.is_empty() => Ok(Wire::Nics(Nics { host, tester })),
        _ => Err(errors),
    }
}

async fn look(machine: &Machine, name: &str) -> Result<HostNic, NicError> {
    if name.contains('/') || name.starts_with('.') {
        return Err(NicError::NotThere(name.into(), "none with a slash".into()));
    }
    let output = machine.run(&["sh", "-c", LOOK, "look", name]).await;
    let output = output.map_err(|error| NicError::Unreadable(name.into(), error.to_string()))?;
    read(name, &output.stdout)
}

/// What the script said -> the NIC. Pure.
fn read(name: &str, said: &str) -> Result<HostNic, NicError> {
    let all = |word: &str| {
        let of = |line: &str| line.strip_prefix(word)?.strip_prefix(' ').map(|value| value.trim().to_owned());
        said.lines().filter_map(of).collect::<Vec<String>>()
    };
    let first = |word: &str| all(word).into_iter().next();
    if let Some(others) = first("absent") {
        return Err(NicError::NotThere(name.into(), others.replace(' ', ", ")));
    }
    let carries = first("carries").map_or("", |_| ", and the default route leads over that");
    let user = [
        first("master").map(|master| format!("it is a port of {master}{carries}")),
        first("upper").map(|above| format!("{above} stands on it")),
        first("active_vfs").filter(|n| n != "0").map(|n| format!("it has {n} virtual functions already")),
        first("route").map(|_| "the default route leads over it".to_owned()),
        first("local").map(|address| format!("it has the address {address}")),
    ];
    if let Some(user) = user.into_iter().flatten().next() {
        return Err(NicError::InUse(name.into(), user));
    }
    let odd = || NicError::Unreadable(name.into(), format!("it is not as expected: {}", said.trim()));
    let number = |word: &str| first(word)?.parse::<u32>().ok();
    let flags = first("flags").ok_or_else(odd)?;
    let flags = u32::from_str_radix(flags.trim_start_matches("0x"), 16).map_err(|_| odd())?;
    Ok(HostNic {
        name: name.into(),
        device: first("device").unwrap_or_default(),
        driver: first("driver").unwrap_or_default(),
        mac: first("address").ok_or_else(odd)?,
        mtu: number("mtu").ok_or_else(odd)?,
        up: flags & 1 != 0,
        sriov: number("total_vfs").and_then(|total| {
            let (active, offset, stride) = (number("active_vfs")?, number("offset")?, number("stride")?);
            Some(Sriov { total, active, offset: offset as u16, stride: stride as u16 })
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: &str = "address 52:54:00:00:00:01\nmtu 1500\nflags 0x1002\ntotal_vfs 7\nactive_vfs 0\noffset 128\n\
                        stride 2\ndevice 0000:01:00.0\ndriver igb\n";

    #[test]
    fn a_nic_that_nobody_uses_is_read() {
        let nic = read("eth1", FREE).unwrap();
        assert_eq!((nic.device.as_str(), nic.driver.as_str(), nic.up), ("0000:01:00.0", "igb", false));
        assert_eq!(nic.sriov.unwrap().total, 7);
    }

    #[test]
    fn a_virtual_nic_has_no_device_and_may_be_a_wire_where_it_is_not_moved() {
        let nic = read("veth1", "address 52:54:00:00:00:01\nmtu 1500\nflags 0x1003\n").unwrap();
        assert_eq!((nic.device.as_str(), nic.up, nic.sriov), ("", true, None));
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
            ("upper macvtap0", "macvtap0 stands on it"),
        ];
        for (line, user) in used {
            assert_eq!(
                read("eth1", &format!("{FREE}{line}\n")),
                Err(NicError::InUse("eth1".into(), user.into()))
            );
        }
        let vfs = FREE.replace("active_vfs 0", "active_vfs 2");
        assert!(matches!(read("eth1", &vfs), Err(NicError::InUse(_, user)) if user.contains("2 virtual")));
    }

    #[test]
    fn those_that_are_there_are_named_for_one_that_is_not() {
        let error = read("eth9", "absent eth0 lo\n").unwrap_err();
        assert_eq!(error.to_string(), "there is no interface eth9; there are: eth0, lo");
    }
}
