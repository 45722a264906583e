# The lab machine as QEMU arguments. Sourced by `run`.

# The MAC of NIC N, which `inside` calls labN, ends with N.
MAC=52:54:00:6c:61:0
NICS='0 1 2 3 4'

# Every backend needs something: nested SVM for KVM; an IOMMU with interrupt remapping for VFIO; igb for SR-IOV; a root
# port per NIC, else they would share an IOMMU group. The NICs hang on one hub, and nothing else does.
#
# HygonGenuine: an AMD CPU by another name, for which the kernel skips work at boot that is slow under emulation.
# maxcpus: with room for one CPU only, QEMU emulates atomic instructions by ordinary ones, although its own threads serve the
# NICs beside it; an interrupt or a notice of a queue would be lost at times.
# tb-size: the translated code of two levels of kernels; the default is thrown away again and again.
#
# Becomes QEMU: to be started in the background, so that its process id is the machine's.
run_machine() {
    # shellcheck disable=SC2086 # lists of words
    exec env $qemu_env timeout -k 10 "$deadline" "$qemu" $qemu_data \
        -nodefaults -no-user-config -display none -no-reboot \
        -machine q35 -accel tcg,thread=multi,tb-size=1024 \
        -cpu EPYC,vendor=HygonGenuine,+svm,+npt -smp "$cpus,maxcpus=2" -m "$memory" \
        -device intel-iommu,intremap=on \
        -kernel "$kernel" -initrd "$scratch/initramfs.cpio" -append "$KERNEL_OPTIONS $iommu" \
        -serial "file:$results/lab/console" \
        -device virtio-rng-pci \
        -fsdev local,id=root,path=/,security_model=none,readonly=on,multidevs=remap \
        -device virtio-9p-pci,fsdev=root,mount_tag=root \
        -fsdev "local,id=results,path=$(printf %s "$results" | sed 's/,/,,/g'),security_model=none,multidevs=remap" \
        -device virtio-9p-pci,fsdev=results,mount_tag=results \
        -netdev hubport,id=host,hubid=0 -device pcie-root-port,id=port0,chassis=1,slot=1 \
        -device "igb,bus=port0,netdev=host,mac=${MAC}0,romfile=" \
        -netdev hubport,id=tester,hubid=0 -device pcie-root-port,id=port1,chassis=2,slot=2 \
        -device "virtio-net-pci,bus=port1,netdev=tester,mac=${MAC}1,romfile=" \
        -netdev hubport,id=spare,hubid=0 -device pcie-root-port,id=port2,chassis=3,slot=3 \
        -device "igb,bus=port2,netdev=spare,mac=${MAC}2,romfile=" \
        -netdev hubport,id=vdpa0,hubid=0 -device pcie-root-port,id=port3,chassis=4,slot=4 \
        -device "virtio-net-pci,bus=port3,netdev=vdpa0,mac=${MAC}3,romfile=,$VDPA_NIC" \
        -netdev hubport,id=vdpa1,hubid=0 -device pcie-root-port,id=port4,chassis=5,slot=5 \
        -device "virtio-net-pci,bus=port4,netdev=vdpa1,mac=${MAC}4,romfile=,$VDPA_NIC" \
        < /dev/null > "$results/lab/qemu" 2>&1
}

# A NIC that a vDPA device can be made of takes its guest's memory by the IOMMU.
VDPA_NIC=disable-legacy=on,iommu_platform=on,ats=on

# halt_poll_ns: KVM would spin for a while before it lets an idle guest's CPU sleep, and the emulated CPU's time is scarce.
KERNEL_OPTIONS="console=ttyS0 quiet panic=-1 mitigations=off nokaslr tsc=reliable no_timer_check cryptomgr.notests audit=0 \
nowatchdog random.trust_cpu=on 8250.nr_uarts=1 net.ifnames=0 kvm.halt_poll_ns=0"
