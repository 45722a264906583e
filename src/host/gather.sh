# Prints the facts of the machine that runs it, one line for each line of a file or a command: `name:line`. Reads only. What
# does not exist or cannot be read is left out.
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
cd /
lines() { grep -s -H '' "$@" </dev/null; }
exists() { for path; do [ ! -e "$path" ] || echo "$path:"; done; }
target() { for link; do [ ! -e "$link" ] || echo "$link:$(basename "$(readlink -f "$link")")"; done; }
output() { name=$1; shift; "$@" 2>/dev/null </dev/null | sed "s/^/$name:/"; }

cpu=/sys/devices/system/cpu node=/sys/devices/system/node kvm=/sys/module/kvm net=/sys/class/net mm=/sys/kernel/mm
debug=/sys/kernel/debug/sched clock=/sys/devices/system/clocksource/clocksource0

sed '/^$/q' /proc/cpuinfo | sed 's|^|/proc/cpuinfo:|' # the first CPU stands for all
grep -s -H '^cpu' /proc/stat
grep -s -H -E '^[^ ]+ [^ ]+ cgroup2? ' /proc/self/mounts
lines /proc/meminfo /proc/swaps /proc/pressure/cpu
lines /proc/cmdline /proc/sys/kernel/osrelease /proc/sys/kernel/numa_balancing /proc/sys/kernel/sched_autogroup_enabled \
    /proc/sys/kernel/sched_schedstats /proc/sys/kernel/sched_min_granularity_ns /proc/sys/vm/swappiness
lines /proc/sys/net/bridge/bridge-nf-call-iptables /proc/sys/net/bridge/bridge-nf-call-ip6tables \
    /proc/sys/net/netfilter/nf_conntrack_count /proc/sys/net/netfilter/nf_conntrack_max
lines $kvm/parameters/halt_poll_ns ${kvm}_intel/parameters/nested ${kvm}_intel/parameters/ple_gap \
    ${kvm}_amd/parameters/nested ${kvm}_amd/parameters/pause_filter_count
lines $cpu/online $cpu/vulnerabilities/* $cpu/smt/active $cpu/smt/control $cpu/intel_pstate/no_turbo $cpu/cpufreq/boost
lines $cpu/cpu[0-9]*/cpufreq/scaling_governor $cpu/cpufreq/policy*/scaling_governor $cpu/cpufreq/policy*/scaling_driver
lines $cpu/cpuidle/current_driver $cpu/cpu0/cpuidle/state*/name $cpu/cpu0/cpuidle/state*/latency \
    $cpu/cpu0/cpuidle/state*/disable
grep -s -H MemTotal $node/node*/meminfo
lines $node/has_memory $node/node*/distance $clock/current_clocksource $clock/available_clocksource
lines $mm/ksm/run $mm/ksm/pages_sharing $mm/ksm/merge_across_nodes $mm/ksm/pages_to_scan $mm/ksm/sleep_millisecs \
    $mm/transparent_hugepage/enabled \
    $mm/transparent_hugepage/defrag $mm/hugepages/*/nr_hugepages $mm/hugepages/*/free_hugepages
lines $debug/base_slice_ns $debug/min_granularity_ns /sys/fs/cgroup/cgroup.controllers \
    /sys/fs/cgroup/cgroup.subtree_control
lines $net/*/device/numa_node $net/*/speed $net/*/operstate /sys/module/vhost_net/parameters/experimental_zcopytx
lines /etc/tuned/active_profile

exists ${kvm}_intel ${kvm}_amd /sys/module/vhost_net /dev/kvm /dev/vhost-net $debug /proc/self/schedstat
exists /sys/kernel/debug/kvm /sys/kernel/tracing/events/kvm/kvm_exit/hist /sys/kernel/debug/tracing/events/kvm/kvm_exit/hist
exists $net/*/bridge $net/*/tun_flags $net/*/bonding $net/*/device $net/*/device/physfn
target $net/*/device/driver $net/*/brport/bridge
{ (exec 3<>/dev/kvm) && echo kvm:opens; } 2>/dev/null
grep -shxE 'irqbalance|ksmtuned|numad|tuned' /proc/[0-9]*/comm | sort -u | sed 's/^/running:/'

for qemu in "qemu-system-$(uname -m)" /usr/libexec/qemu-kvm kvm; do
    ! command -v "$qemu" >/dev/null || { output qemu "$qemu" --version; break; }
done
for libvirt in virtqemud libvirtd; do
    ! command -v "$libvirt" >/dev/null || { output libvirt "$libvirt" --version; break; }
done
if grep -qs control_d /proc/xen/capabilities; then
    lines /proc/xen/capabilities
    output 'xl info' xl info
    output 'xl cpupool-list' xl cpupool-list
    output 'xl cpupool-list -c' xl cpupool-list -c
    output 'xl vcpu-list' xl vcpu-list
fi
output netperf netperf -V
output ping ping -V
output ovs ovs-vsctl --version
true
