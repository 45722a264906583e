# What CPU time the control groups give a guest: arguments are QEMU's process and the number of vCPUs. POSIX sh on Linux.
# Prints "parent NAME", "weight N", and for each thread class "vcpu0 QUOTA PERIOD", "emulator QUOTA PERIOD".
line=$(grep -E '^[0-9]+:([^:]*,)?cpu(,[^:]*)?:' "/proc/$1/cgroup")
if [ -n "$line" ]; then
    base=/sys/fs/cgroup/cpu${line#*:*:}
else
    base=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$1/cgroup")
fi
base=${base%/emulator}
top=${base%/libvirt}
parent=${top%/*}
echo "parent ${parent##*/}"
for file in cpu.shares cpu.weight; do
    [ ! -e "$top/$file" ] || echo "weight $(cat "$top/$file")"
done
n=0
threads=emulator
while [ $n -lt "$2" ]; do threads="$threads vcpu$n"; n=$((n + 1)); done
for thread in $threads; do
    if [ -e "$base/$thread/cpu.max" ]; then
        echo "$thread $(cat "$base/$thread/cpu.max")"
    else
        echo "$thread $(cat "$base/$thread/cpu.cfs_quota_us") $(cat "$base/$thread/cpu.cfs_period_us")"
    fi
done
