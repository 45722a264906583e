#!/bin/sh
# Process 1 of kvmfair's guest. Reads its part from the kernel command line:
#   kf.host=NAME                           host name
#   kf.nic=MAC,ADDRESS/PREFIX,MTU          one for each NIC; repeatable
# and says on the console "kvmfair: ready" when SSH and netserver accept connections, or "kvmfair: failed: REASON" before
# it switches the guest off. `poweroff`, `reboot` and `halt` work as usual.
set -f
export PATH=/bin:/usr/bin:/usr/sbin HOME=/root

fail() {
    echo "kvmfair: failed: $*"
    sleep 1 # the serial line drains
    poweroff -f
    while :; do sleep 86400; done
}

mounts() {
    mount -t proc proc /proc
    mount -t sysfs sys /sys
    mount -t devtmpfs dev /dev
    mkdir -p /dev/pts && mount -t devpts devpts /dev/pts
}

# Loads the drivers of the PCI devices that are there; /lib/modules/drivers has "IDS|MODULES IN ORDER" per driver.
drivers() {
    present=' '
    set +f
    for device in /sys/bus/pci/devices/*; do
        [ -e "$device" ] || continue
        read -r vendor < "$device/vendor" && read -r model < "$device/device" || continue
        present="$present${vendor#0x}:${model#0x} "
    done
    set -f
    # Xen's guests have no PCI devices.
    { read -r hypervisor < /sys/hypervisor/type; } 2> /dev/null && present="$present$hypervisor "
    while IFS='|' read -r ids modules; do
        for id in $ids; do
            case $present in *" $id "*) modules "$modules"; break ;; esac
        done
    done < /lib/modules/drivers
}

modules() {
    for module in $1; do
        [ -e "/sys/module/$module" ] || insmod "/lib/modules/$module.ko" || fail "module $module does not load"
    done
}

# Prints the interface that has the MAC address $1; waits a little for slow hardware.
interface() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        set +f
        for file in /sys/class/net/*/address; do
            read -r address < "$file"
            if [ "$address" = "$1" ]; then file=${file%/address}; echo "${file##*/}"; return 0; fi
        done
        set -f
        usleep 300000
    done
    return 1
}

nic() {
    case $1 in
    ??:??:??:??:??:??,*.*.*.*/*,[1-9]*) ;;
    *) fail "kf.nic=$1 is not MAC,ADDRESS/PREFIX,MTU" ;;
    esac
    mac=${1%%,*} mtu=${1##*,} rest=${1#*,}
    dev=$(interface "$mac") || fail "no network interface has the MAC address $mac; PCI devices:$present"
    ip link set "$dev" mtu "$mtu" || fail "$dev does not take an MTU of $mtu"
    ip addr add "${rest%%,*}" brd + dev "$dev" || fail "$dev does not take the address ${rest%%,*}"
    ip link set "$dev" up || fail "$dev does not come up"
}

# Each NIC answers for its own address only, and tells the switch where it is.
arp() {
    for setting in arp_ignore=1 arp_announce=2 arp_notify=1; do
        for scope in all default; do echo "${setting#*=}" > "/proc/sys/net/ipv4/conf/$scope/${setting%=*}"; done
    done
}

network() {
    arp
    ip link set lo up
    read -r line < /proc/cmdline
    for word in $line; do
        case $word in
        kf.host=*) hostname "${word#*=}" ;;
        kf.nic=*) nic "${word#*=}" ;;
        esac
    done
}

# Waits until something listens on port $1, given in hexadecimal as the kernel's table has it.
listening() {
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        cat /proc/net/tcp /proc/net/tcp6 2> /dev/null | grep -q ":$1 0*:0000 0A " && return 0
        usleep 200000
    done
    fail "$2 does not listen"
}

services() {
    ulimit -n 65536
    [ -s /etc/dropbear/host_key ] || fail 'the host key of this run is missing'
    # when memory runs out, a netserver dies and not the way in
    (echo -900 > /proc/self/oom_score_adj && exec dropbear -r /etc/dropbear/host_key -E -s -j -k) ||
        fail 'the SSH server does not start'
    netserver -D -p 12865 -N > /dev/null &
    listening 0016 dropbear
    listening 3241 netserver
}

mounts
exec < /dev/console > /dev/console 2>&1
trap 'poweroff -f' USR2
trap 'reboot -f' TERM
trap 'halt -f' USR1
drivers
network
rm -rf /lib/modules # memory is short
services
echo 'kvmfair: ready'
# Waiting collects every process whose parent has gone.
while :; do sleep 86400 & wait $!; done
