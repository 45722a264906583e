# Reads the counters of the machine that runs it, once for each line of stdin; ends with it. POSIX sh on Linux.
# Arguments: one process number of QEMU for each target, 0 for none. Nothing is installed and nothing is written.
#
# For each sample: "== sample TIME", "== own NS" (this shell's CPU time), for each target "== target PID STATE" with a line
# "TID RUN_NS WAIT_NS COMM" for each of its threads and "== waited PRESSURE" of its control group (PSI), "== pressure" of the
# machine, "== files" with what is wanted of /proc/stat and with /proc/net/dev, and "== end TIME". Only builtins between, but
# for two clocks and one sed: it runs on the machine that is measured.
set -u

# The vhost workers that are no threads of a QEMU (before Linux 6.4), as "COMM:DIRECTORY ".
workers=''
for dir in /proc/[0-9]*; do
    { read -r comm <"$dir/comm"; } 2>/dev/null || continue
    case $comm in vhost-*) workers="$workers$comm:$dir " ;; esac
done

# The file with the pressure of the control group of each guest, as "PID:FILE ": the group above libvirt's own for vCPUs and
# emulator; one that is not a guest's would be somebody else's.
pressures=''
for pid; do
    path=$(sed -n 's/^0:://p' "/proc/$pid/cgroup" 2>/dev/null)
    path=${path%/emulator}
    path=${path%/libvirt}
    case $path in /machine*) ;; *) continue ;; esac
    for root in /sys/fs/cgroup /sys/fs/cgroup/unified; do
        [ ! -r "$root$path/cpu.pressure" ] || pressures="$pressures$pid:$root$path/cpu.pressure "
    done
done

task() {
    { read -r run wait _ <"$1/schedstat" && read -r comm <"$1/comm"; } 2>/dev/null || return 0
    printf '%s %s %s %s\n' "${1##*/}" "$run" "$wait" "$comm"
}

target() {
    state=-
    { read -r line <"/proc/$1/stat"; } 2>/dev/null && { line=${line##*) }; state=${line%% *}; }
    printf '== target %s %s\n' "$1" "$state"
    [ "$1" != 0 ] || return 0
    for dir in /proc/"$1"/task/*; do task "$dir"; done
    for worker in $workers; do
        case $worker in "vhost-$1":*) task "${worker#*:}" ;; esac
    done
    for file in $pressures; do
        case $file in "$1":*) ;; *) continue ;; esac
        { read -r line <"${file#*:}"; } 2>/dev/null && printf '== waited %s\n' "$line"
    done
}

while read -r _; do
    printf '== sample %s\n' "$(date +%s.%N)"
    read -r own _ </proc/$$/schedstat && printf '== own %s\n' "$own"
    for pid in "$@"; do target "$pid"; done
    { read -r line </proc/pressure/cpu && printf '== pressure %s\n' "$line"; } 2>/dev/null
    echo '== files'
    sed -n -e '/^cpu/p' -e 's/^\(intr [0-9]*\).*/\1/p' -e '/^ctxt/p' -e '/:/p' /proc/stat /proc/net/dev
    printf '== end %s\n' "$(date +%s.%N)"
done
