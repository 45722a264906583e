# What the kernel counted of guests' exits. POSIX sh, as root. $1: an instance of the kernel's tracing with a histogram of
# kvm:kvm_exit, or nothing. The others: QEMU's processes. Prints "== guest PID" with "COUNTER N" from KVM's own directory of
# debugfs and "task TID" for each thread; then "== histogram" with what it says.
instance=$1
shift
for pid; do
    echo "== guest $pid"
    for counter in /sys/kernel/debug/kvm/"$pid"-*/*exits; do
        { read -r count <"$counter"; } 2>/dev/null && echo "${counter##*/} $count"
    done
    for task in /proc/"$pid"/task/*; do
        [ ! -e "$task" ] || echo "task ${task##*/}"
    done
done
[ -z "$instance" ] || { echo '== histogram' && cat "$instance/events/kvm/kvm_exit/hist"; }
true
