# Takes a run's changes back on one machine, by the calls that kvmfair appends. POSIX sh on Linux, as root where the changes
# needed root. Prints "done WHAT" for what it did and "left WHAT" for what it could not take back.

did() { printf 'done %s\n' "$*"; }
left() { printf 'left %s\n' "$*"; }

# Ends the processes that carry the run $1 in their environment: they may be about to end by themselves.
processes() {
    for signal in '' TERM KILL; do
        turn=0
        while [ $turn -lt 30 ]; do
            pids=$(of_run "$1")
            [ -n "$pids" ] || return 0
            # shellcheck disable=SC2086 # a list of numbers
            if [ -n "$signal" ] && [ $turn = 0 ]; then kill -s $signal $pids 2>/dev/null; did "ended processes" $pids; fi
            turn=$((turn + 1))
            sleep 0.1
        done
    done
    # shellcheck disable=SC2086
    left processes $(of_run "$1")
}

of_run() { grep -lzx "KVMFAIR_RUN=$1" /proc/[0-9]*/environ 2>/dev/null | sed 's,/proc/\([0-9]*\)/.*,\1,'; }

# Runs a command whose object may be gone already: what stays is found by its name.
undo() { if "$@" 2>/dev/null; then did "$*"; fi; }

# Gives the NIC $1 something back by the command after it; a NIC that is gone took it along.
give_back() {
    taker=$1
    shift
    [ -e "/sys/class/net/$taker" ] || return 0
    if "$@" >/dev/null 2>&1; then did "gave the NIC $taker a setting back"; else left "a setting of the NIC $taker"; fi
}

# Writes the value $2 back into the file $1. What is not there any more went with its device; where that is an interface that
# still is, the value is lost.
value() {
    if [ -e "$1" ]; then
        if printf '%s' "$2" 2>/dev/null >"$1"; then did "wrote $(printf %s "$2") back into $1"; else left "the value of $1"; fi
        return
    fi
    case $1 in /sys/class/net/*) owner=${1#/sys/class/net/} ;; *) return 0 ;; esac
    owner=${owner%%/*}
    [ ! -e "/sys/class/net/$owner" ] || left "the value of $1: $owner is there without it"
}

# Puts the NIC $1 (device $2, driver $3) back as it was: its name, no master, no address of a run, MTU $4, up or down $5.
nic() {
    bus=/sys/bus/pci/devices/$2
    if [ -n "$3" ] && [ -e "$bus" ] && [ "$(driver "$bus")" != "$3" ]; then
        echo >"$bus/driver_override"
        [ ! -e "$bus/driver" ] || echo "$2" >"$bus/driver/unbind"
        echo "$2" >/sys/bus/pci/drivers_probe
        for _ in 1 2 3 4 5 6 7 8 9 10; do [ "$(driver "$bus")" = "$3" ] && break; sleep 0.5; done
    fi
    name=$1
    if [ -n "$2" ] && [ ! -e "/sys/class/net/$1" ]; then
        for found in /sys/bus/*/devices/"$2"/net/*; do [ -e "$found" ] && name=${found##*/}; done
        ip link set dev "$name" down && ip link set dev "$name" name "$1"
    fi
    if [ -e "/sys/class/net/$1/master" ]; then ip link set dev "$1" nomaster; fi
    ip address flush dev "$1" to 198.18.0.0/15 2>/dev/null
    if ip link set dev "$1" mtu "$4" "$5"; then did "put the NIC $1 back as it was"; else left "the NIC $1"; fi
}

driver() { if [ -e "$1/driver" ]; then name=$(readlink "$1/driver"); echo "${name##*/}"; fi; }

tree() {
    [ -e "$1" ] || return 0
    if rm -rf "$1"; then did "removed $1"; else left "$1"; fi
}

# Removes an instance of the kernel's tracing; its files are the kernel's and go with it.
tracing() {
    [ -e "$1" ] || return 0
    if rmdir "$1"; then did "removed $1"; else left "$1"; fi
}

# What bears the name of run $1 and is still there; interfaces are removed first.
survivors() {
    for path in /sys/class/net/kf-"$1"-*; do
        [ -e "$path" ] || continue
        ip link delete "${path##*/}" 2>/dev/null && did "removed the interface ${path##*/}"
        [ ! -e "$path" ] || left "interface ${path##*/}"
    done
    # The bracket keeps grep from finding itself.
    for pid in $(grep -lz "guest=[k]f-$1-" /proc/[0-9]*/cmdline 2>/dev/null); do left "QEMU ${pid%/cmdline}"; done
}
