# Takes a run's changes back on one machine, by the calls that kvmfair appends. POSIX sh on Linux, as root where the changes
# needed root. Prints "done WHAT" for what it did and "left WHAT" for what it could not take back.

# A line break in a word of a call, which is one line.
nl='
'
# The NICs that were returned, or could not be.
tried=' '

did() { printf 'done %s\n' "$*"; }
left() { printf 'left %s\n' "$*"; }

# Ends the processes of a run as end_processes does, and removes what a launcher that had to be killed kept of netperf's output.
processes() {
    end_processes "$@"
    for output in /dev/shm/kvmfair-load."$1".* /tmp/kvmfair-load."$1".*; do
        [ -d "$output" ] && [ ! -L "$output" ] && [ -O "$output" ] || continue
        if rm -rf "$output"; then did "removed $output"; else left "the directory $output"; fi
    done
}

# Ends the processes that carry the run $1 in their environment, or its state directory $2 as their TMPDIR (libvirt passes
# nothing else on to QEMU): both are inherited only, so nobody else has them. They may be about to end by themselves.
end_processes() {
    for signal in '' TERM KILL; do
        turn=0
        while [ $turn -lt 30 ]; do
            pids=$(of_run "$@")
            [ -n "$pids" ] || return 0
            if [ -n "$signal" ] && [ $turn = 0 ]; then
                for pid in $pids; do did "ended process $pid ($(cat "/proc/$pid/comm" 2>/dev/null))"; done
                # shellcheck disable=SC2086 # a list of numbers
                kill -s $signal $pids 2>/dev/null
            fi
            turn=$((turn + 1))
            sleep 0.1
        done
    done
    for pid in $(of_run "$@"); do left "process $pid ($(cat "/proc/$pid/comm" 2>/dev/null))"; done
}

of_run() { carry -e "KVMFAIR_RUN=$1" ${2:+-e "TMPDIR=$2"}; }

# The processes that have one of these in their environment.
carry() { grep -lzxF "$@" /proc/[0-9]*/environ 2>/dev/null | sed 's,/proc/\([0-9]*\)/.*,\1,'; }

# Ends the guests of the run $1 that a libvirt daemon keeps, by the process that the daemon noted of each; it takes down what it
# made for them.
guests() {
    turn=0 signal=TERM
    while [ $turn -lt 40 ]; do
        found=''
        for file in /run/libvirt/qemu/kf-"$1"-*.pid; do
            [ -e "$file" ] || continue
            found=yes name=${file##*/}
            pid=$(cat "$file" 2>/dev/null)
            if tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -q "^guest=${name%.pid},"; then
                [ $turn != 0 ] || did "ended the guest ${name%.pid}"
                kill -s $signal "$pid" 2>/dev/null
            fi
        done
        [ -n "$found" ] || return 0
        turn=$((turn + 1))
        [ $turn -lt 20 ] || signal=KILL
        sleep 0.25
    done
}

# Makes the watchdogs of the run $1 undo what they know of, if they do not do it yet, and waits for that.
watchdogs() {
    for kept in /run/kvmfair-watchdog-"$1".*; do
        [ -e "$kept" ] || continue
        pid=$(cat "$kept/pid" 2>/dev/null) turn=0
        while grep -qzxF "KVMFAIR_WATCHDOG=$1" "/proc/$pid/environ" 2>/dev/null; do
            case $turn in 0) kill -s TERM "$pid" ;; 1200) kill -s KILL "$pid" ;; esac
            turn=$((turn + 1))
            sleep 0.1
        done
        rm -rf "$kept"
    done
}

# Runs a command whose object may be gone already: what stays is found by its name.
undo() { if "$@" 2>/dev/null; then did "$*"; fi; }

# Gives the NIC $1 something back by the command after it; a NIC that is gone took it along.
give_back() {
    taker=$1
    shift
    [ -e "/sys/class/net/$taker" ] || return 0
    if "$@" >/dev/null 2>&1; then did "gave the NIC $taker a setting back"; else left "a setting of the NIC $taker"; fi
}

# Writes the value $2 back into the file $1, unless it has it. What is not there any more went with its device; where that is an
# interface that still is, the value is lost.
value() {
    if [ -e "$1" ]; then
        [ "$(cat "$1" 2>/dev/null)" != "$(printf %s "$2")" ] || return 0
        if printf '%s' "$2" 2>/dev/null >"$1"; then did "wrote $(printf %s "$2") back into $1"; else left "the value of $1"; fi
        return
    fi
    case $1 in /sys/class/net/*) owner=${1#/sys/class/net/} ;; *) return 0 ;; esac
    owner=${owner%%/*}
    [ ! -e "/sys/class/net/$owner" ] || left "the value of $1: $owner is there without it"
}

# Whether the NIC $1 is as the arguments of `nic` want it.
nic_is() {
    net=/sys/class/net/$1 state=down
    [ $(($(cat "$net/flags") & 1)) = 0 ] || state=up
    [ ! -e "$net/master" ] && [ "$(cat "$net/mtu") $state" = "$4 $5" ] && [ "${6:-$(cat "$net/address")}" = "$(cat "$net/address")" ] &&
        [ -z "$(ip address show dev "$1" to 198.18.0.0/15 2>/dev/null)" ]
}

# Puts the NIC $1 (device $2, driver $3) back as it was: its driver, its name, no master, no address of a run, MTU $4, up or
# down $5, MAC $6. One that was in another namespace comes back a moment after the last process there ended.
nic() {
    bus=/sys/bus/pci/devices/$2 function=$3
    [ "$3" != virtio_net ] || function=virtio-pci # which makes the device that virtio_net drives
    if [ -n "$3" ] && [ -e "$bus" ] && [ "$(driver "$bus")" != "$function" ]; then
        echo >"$bus/driver_override"
        [ ! -e "$bus/driver" ] || echo "$2" >"$bus/driver/unbind"
        echo "$2" >/sys/bus/pci/drivers_probe
    fi
    turn=0
    while [ -n "$2" ] && [ ! -e "/sys/class/net/$1" ]; do
        for found in /sys/bus/*/devices/"$2"/net/* /sys/bus/pci/devices/"$2"/virtio*/net/*; do [ -e "$found" ] && break; done
        if [ -e "$found" ]; then
            name=${found##*/}
            ip link set dev "$name" down && ip link set dev "$name" name "$1" || break
        fi
        turn=$((turn + 1))
        [ $turn -lt 300 ] || break
        sleep 0.1
    done
    [ -e "/sys/class/net/$1" ] || { left "the NIC $1: there is no interface of $2"; return 0; }
    if nic_is "$@"; then return 0; fi
    if [ -e "/sys/class/net/$1/master" ]; then ip link set dev "$1" nomaster; fi
    ip address flush dev "$1" to 198.18.0.0/15 2>/dev/null
    if [ -n "$6" ] && [ "$(cat "/sys/class/net/$1/address")" != "$6" ]; then
        ip link set dev "$1" address "$6" 2>/dev/null || { ip link set dev "$1" down && ip link set dev "$1" address "$6"; } ||
            left "the MAC of the NIC $1"
    fi
    if ip link set dev "$1" mtu "$4" "$5"; then did "put the NIC $1 back as it was"; else left "the NIC $1"; fi
}

# The same, once, for a NIC that is still away although something else is given back to it first.
return_nic() {
    case $tried in *" $1 "*) return 0 ;; esac
    tried="$tried$1 "
    [ -z "$2" ] || [ -e "/sys/class/net/$1" ] || nic "$@"
}

driver() { if [ -e "$1/driver" ]; then name=$(readlink "$1/driver"); echo "${name##*/}"; fi; }

# Removes the vDPA device $1.
vdpa_device() {
    [ -e "/sys/bus/vdpa/devices/$1" ] || return 0
    if vdpa dev del "$1"; then did "removed the vDPA device $1"; else left "the vDPA device $1"; fi
}

# Ends the guest $1 of Xen's, unless libvirt has, and waits until Xen has done away with it. What it printed goes with it.
xen_domain() {
    turn=0
    while xl domid "$1" >/dev/null 2>&1; do
        [ $turn != 0 ] || did "destroyed the guest $1"
        xl destroy "$1" >/dev/null 2>&1
        turn=$((turn + 1))
        [ $turn -lt 60 ] || { left "the guest $1"; return 0; }
        sleep 0.5
    done
    rm -f "/var/log/xen/console/guest-$1.log"
}

# Destroys the cpupool $1, once the last guest in it is gone, and gives its CPUs, the other arguments, back to Pool-0.
cpupool() {
    pool=$1 turn=0
    shift
    while xl cpupool-list "$pool" >/dev/null 2>&1; do
        xl cpupool-destroy "$pool" >/dev/null 2>&1 && { did "destroyed the cpupool $pool"; break; }
        turn=$((turn + 1))
        [ $turn -lt 60 ] || { left "the cpupool $pool"; return 0; }
        sleep 0.5
    done
    for cpu; do
        xl cpupool-cpu-add Pool-0 "$cpu" >/dev/null 2>&1 && did "gave CPU $cpu back to Pool-0"
    done
}

tree() {
    [ -e "$1" ] || return 0
    if rm -rf "$1"; then did "removed $1"; else left "$1"; fi
}

# Removes an instance of the kernel's tracing; its files are the kernel's and go with it.
tracing() {
    [ -e "$1" ] || return 0
    if rmdir "$1"; then did "removed $1"; else left "$1"; fi
}

# Removes the control group $1 and those in it, the deepest first; the kernel needs a moment after the last process ended.
group() {
    turn=0
    while [ -d "$1" ]; do
        find "$1" -depth -type d -exec rmdir {} \; 2>/dev/null
        [ -d "$1" ] || { did "removed the control group $1"; return 0; }
        turn=$((turn + 1))
        [ $turn -lt 50 ] || { left "control group $1"; return 0; }
        sleep 0.1
    done
}

# Removes the control groups that libvirt made for the guest $1, in every tree.
guest_groups() {
    for top in /sys/fs/cgroup /sys/fs/cgroup/*; do
        for path in "$top"/machine/*-"$1".* "$top"/machine.slice/*-"$1".*; do group "$path"; done
    done
}

# Removes the control group $1 that libvirt made for its first guest, unless somebody else's guests are in it.
empty_group() { if rmdir "$1" 2>/dev/null; then did "removed the control group $1"; fi; }

# Disables the controller $2 for the groups in the control group $1, unless one of these needs it for those below.
controller() {
    [ -e "$1/cgroup.subtree_control" ] || return 0
    if grep -qsw -- "$2" "$1"/*/cgroup.subtree_control; then return 0; fi
    if echo "-$2" 2>/dev/null >"$1/cgroup.subtree_control"; then
        did "disabled the controller $2 in $1/cgroup.subtree_control"
    else
        left "the controller $2 in $1/cgroup.subtree_control"
    fi
}

# What bears the name of run $1 and is still there; interfaces and control groups are removed first.
survivors() {
    for path in /sys/class/net/kf-"$1"-*; do
        [ -e "$path" ] || continue
        ip link delete "${path##*/}" 2>/dev/null && did "removed the interface ${path##*/}"
        [ ! -e "$path" ] || left "interface ${path##*/}"
    done
    for path in /sys/bus/vdpa/devices/kf-"$1"-*; do vdpa_device "${path##*/}"; done
    for top in /sys/fs/cgroup /sys/fs/cgroup/*; do
        for path in "$top"/machine/*kf-"$1"-* "$top"/machine.slice/*kf-"$1"-*; do group "$path"; done
    done
    # The bracket keeps grep from finding itself.
    for pid in $(grep -lz "guest=[k]f-$1-" /proc/[0-9]*/cmdline 2>/dev/null); do left "QEMU ${pid%/cmdline}"; done
}

# Releases the lock on the settings of the machine that the run $1 holds: the shell that has it waits for the end of this process.
unlock() {
    for pid in $(carry -e "KVMFAIR_SETTINGS=$1"); do
        [ "$(cat "/proc/$pid/comm")" != cat ] || kill "$pid"
    done
}
