#!/bin/sh
# What a guest of a cloud image does last when it boots. cloud-init runs it when the system is up.
#
#   ready.sh CONSOLE INSTALL ADDRESS...
#
# CONSOLE receives "kvmfair: ready" when SSH and netserver accept connections on every ADDRESS, or "kvmfair: failed: REASON".
# INSTALL is "yes" if netperf may be installed by the image's own package manager, else "no".
set -u
console=$1 install=$2 log=${0%.sh}.log
shift 2
PATH=${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin

# The system's own messages share the console: a line of its own.
say() { printf '\n%s\n' "$*" >> "$console"; }
fail() { say "kvmfair: failed: $*"; exit 1; }

# Runs a command every half second until it succeeds; 20 seconds at most.
eventually() {
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 \
        21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40; do
        "$@" && return 0
        sleep 0.5
    done
    return 1
}

has_address() { ip -o -4 addr show | grep -qF " $1/"; }

# Whether something listens on all addresses on port $1, given in hexadecimal as the kernel's table has it.
listening() { cat /proc/net/tcp /proc/net/tcp6 2> /dev/null | grep -q ": 0*:$1 0*:0000 0A "; }

there() { command -v "$1" > /dev/null; }

install_netperf() {
    if there apt-get; then apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y install netperf
    elif there dnf; then dnf -q -y install netperf
    elif there zypper; then zypper -q -n install netperf
    else echo 'no package manager that kvmfair knows (apt-get, dnf, zypper)'
    fi < /dev/null > "$log" 2>&1
}

netserver_there() {
    there netserver && return
    [ "$install" = yes ] || fail 'the image has no netserver (hint: put netperf into the image, for example by' \
        '`virt-customize -a IMAGE --install netperf`, or let each guest install it: install_netperf = true in [guest])'
    install_netperf
    there netserver || fail 'netperf could not be installed in the guest (hint: put it into the image):' \
        "$(grep . "$log" | tail -n 1)"
}

# Each NIC answers for its own address only, and nothing but the load goes over the test NIC.
quiet() {
    for scope in all default; do
        echo 1 > /proc/sys/net/ipv4/conf/$scope/arp_ignore
        echo 2 > /proc/sys/net/ipv4/conf/$scope/arp_announce
        echo 1 > /proc/sys/net/ipv6/conf/$scope/disable_ipv6
    done 2> /dev/null
}

netserver_there
for address in "$@"; do
    eventually has_address "$address" ||
        fail "no NIC has the address $address: cloud-init did not configure the network (is iproute2 in the image?)"
done
quiet
# The distribution's package may have started one already; two cannot listen on the same port.
listening 3241 || netserver -N -p 12865 < /dev/null > /dev/null 2>&1
eventually listening 3241 || fail 'netserver does not listen on port 12865'
eventually listening 0016 || fail 'no SSH server listens on port 22 (hint: the image needs openssh-server)'
say 'kvmfair: ready'
