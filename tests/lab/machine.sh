# The lab machines as QEMU arguments: KVM's and Xen's. Sourced by `run`.

# The MAC of NIC N, which `inside` calls labN, ends with N.
MAC=52:54:00:6c:61:0
nics() { if [ -n "$xen" ]; then echo 0 1; else echo 0 1 2 3 4; fi; }

# Becomes QEMU: to be started in the background, so that its process id is the machine's.
run_machine() {
    if [ -n "$xen" ]; then xen_machine; else kvm_machine; fi
}

# What both machines have in common; "$@" is the rest.
#
# maxcpus: with room for one CPU only, QEMU emulates atomic instructions by ordinary ones, although its own threads serve the
# NICs beside it; an interrupt or a notice of a queue would be lost at times.
# The NICs hang on one hub, and nothing else does. Each has a root port, else they would share an IOMMU group.
become_qemu() {
    # shellcheck disable=SC2086 # lists of words
    exec env $qemu_env timeout -k 10 "$deadline" "$qemu" $qemu_data \
        -nodefaults -no-user-config -display none -no-reboot -machine q35 \
        -smp "$cpus,maxcpus=2" -m "$memory" \
        -serial "file:$results/lab/console" \
        -device virtio-rng-pci \
        -fsdev local,id=root,path=/,security_model=none,readonly=on,multidevs=remap \
        -device virtio-9p-pci,fsdev=root,mount_tag=root \
        -fsdev "local,id=results,path=$(escaped "$results"),security_model=none,multidevs=remap" \
        -device virtio-9p-pci,fsdev=results,mount_tag=results \
        -netdev hubport,id=host,hubid=0 -device pcie-root-port,id=port0,chassis=1,slot=1 \
        -netdev hubport,id=tester,hubid=0 -device pcie-root-port,id=port1,chassis=2,slot=2 \
        -device "virtio-net-pci,bus=port1,netdev=tester,mac=${MAC}1,romfile=" \
        "$@" < /dev/null > "$results/lab/qemu" 2>&1
}

# In a value of QEMU's options a comma is written twice.
escaped() { printf %s "$1" | sed 's/,/,,/g'; }

# Every backend needs something: nested SVM for KVM; an IOMMU with interrupt remapping for VFIO; igb for SR-IOV.
#
# HygonGenuine: an AMD CPU by another name, for which the kernel skips work at boot that is slow under emulation.
# tb-size: the translated code of two levels of kernels; the default is thrown away again and again.
kvm_machine() {
    become_qemu -accel tcg,thread=multi,tb-size=1024 -cpu EPYC,vendor=HygonGenuine,+svm,+npt \
        -device intel-iommu,intremap=on \
        -kernel "$kernel" -initrd "$scratch/initramfs.cpio" -append "$KERNEL_OPTIONS $KVM_OPTIONS $iommu" \
        -device "igb,bus=port0,netdev=host,mac=${MAC}0,romfile=" \
        -netdev hubport,id=spare,hubid=0 -device pcie-root-port,id=port2,chassis=3,slot=3 \
        -device "igb,bus=port2,netdev=spare,mac=${MAC}2,romfile=" \
        -netdev hubport,id=vdpa0,hubid=0 -device pcie-root-port,id=port3,chassis=4,slot=4 \
        -device "virtio-net-pci,bus=port3,netdev=vdpa0,mac=${MAC}3,romfile=,$VDPA_NIC" \
        -netdev hubport,id=vdpa1,hubid=0 -device pcie-root-port,id=port4,chassis=5,slot=5 \
        -device "virtio-net-pci,bus=port4,netdev=vdpa1,mac=${MAC}4,romfile=,$VDPA_NIC"
}

# A NIC that a vDPA device can be made of takes its guest's memory by the IOMMU.
VDPA_NIC=disable-legacy=on,iommu_platform=on,ats=on

# Xen and, as its dom0, the same kernel; paravirtual guests need nothing of the CPU.
#
# -monitor: the emulator has no MWAIT for Xen's idle loop.
# QEMU unpacks no kernel of the multiboot kind; its modules are words of the initrd's option, so without blanks and commas.
xen_machine() {
    zcat "$hypervisor" > "$scratch/xen"
    ln -s "$kernel" "$scratch/vmlinuz"
    cd "$scratch" || exit 125
    # shellcheck disable=SC2046 # a list of words
    become_qemu $(clock) -cpu EPYC,vendor=HygonGenuine,+svm,+npt,-monitor \
        -kernel xen -append "$XEN_OPTIONS sched=$xen" \
        -initrd "vmlinuz $KERNEL_OPTIONS $DOM0_OPTIONS,initramfs.cpio" \
        -fsdev "local,id=tree,path=$(escaped "$xen_tree"),security_model=none,readonly=on,multidevs=remap" \
        -device virtio-9p-pci,fsdev=tree,mount_tag=tree \
        -device "virtio-net-pci,bus=port0,netdev=host,mac=${MAC}0,romfile="
}

# In virtual time the machine's clocks count instructions (4 ns each), so that a latency does not depend on what else this computer
# does. sleep=on: an idle machine waits; with sleep=off its clock leaps to the next timer while a file is still on its way by 9p,
# and whatever reads files seems to take ten times as long.
clock() {
    if [ -n "$virtual_time" ]; then
        echo -accel tcg,thread=single,tb-size=1024 -icount shift=2,sleep=on
    else
        echo -accel tcg,thread=multi,tb-size=1024
    fi
}

# dom0 has CPU 0; CPU 1 is for a pool of the guests. Its memory lies below the holes at 2 GiB, or its kernel would move what falls
# into them, page by page. Scrubbing would touch all of the machine's.
# eager-fpu: the emulator's XSAVE and XRSTOR heed no CR0.TS, by which Xen restores vector registers as late as it can. Where a guest
# shares dom0's CPU, a switch between processes of dom0 would save the guest's registers as a process's own.
XEN_OPTIONS="console=com1 com1=115200,8n1 loglvl=warning guest_loglvl=warning cpuidle=0 bootscrub=0 \
dom0_mem=1536M,max:1536M dom0_max_vcpus=1 dom0_vcpus_pin spec-ctrl=eager-fpu"
# rodata=off: a check of every mapping is left out.
DOM0_OPTIONS='console=hvc0 8250.nr_uarts=0 rodata=off lab_tree=tree'

KERNEL_OPTIONS='quiet panic=-1 mitigations=off nokaslr cryptomgr.notests audit=0 nowatchdog random.trust_cpu=on net.ifnames=0'
# halt_poll_ns: KVM would spin for a while before it lets an idle guest's CPU sleep, and the emulated CPU's time is scarce.
KVM_OPTIONS='console=ttyS0 tsc=reliable no_timer_check 8250.nr_uarts=1 kvm.halt_poll_ns=0'
