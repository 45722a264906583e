# How long quotas kept guests from CPUs: arguments are QEMUs' processes. POSIX sh on Linux.
# Prints "PID NS": ns, summed over the control groups of its vCPUs and of its other threads, and over CPUs.
for pid in "$@"; do
    line=$(grep -E '^[0-9]+:([^:]*,)?cpu(,[^:]*)?:' "/proc/$pid/cgroup")
    if [ -n "$line" ]; then
        base=/sys/fs/cgroup/cpu${line#*:*:}
    else
        base=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
    fi
    base=${base%/emulator}
    ns=
    for stat in "$base"/vcpu*/cpu.stat "$base"/emulator/cpu.stat; do
        [ -e "$stat" ] || continue
        while read -r key value; do
            case $key in
            throttled_time) ns=$((${ns:-0} + value)) ;;
            throttled_usec) ns=$((${ns:-0} + value * 1000)) ;;
            esac
        done <"$stat"
    done
    [ -z "$ns" ] || echo "$pid $ns"
done
