# Prints "PID MICROSECONDS" for each QEMU: how long something in its guest's control group has waited for a CPU (PSI). POSIX
# sh on Linux. Arguments: processes. Nothing where guests have no groups of version 2, or the kernel has no PSI.
for pid; do
    path=$(sed -n 's/^0:://p' "/proc/$pid/cgroup" 2>/dev/null)
    # The group above libvirt's own for vCPUs and emulator; one that is not a guest's would be somebody else's pressure.
    path=${path%/emulator}
    path=${path%/libvirt}
    case $path in /machine*) ;; *) continue ;; esac
    for root in /sys/fs/cgroup /sys/fs/cgroup/unified; do
        { read -r _ _ _ _ total <"$root$path/cpu.pressure"; } 2>/dev/null && echo "$pid ${total#total=}"
    done
done
true
