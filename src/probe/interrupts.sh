# Prints the lines of /proc/interrupts that are of some NICs, after a line "== nic NAME" for each. POSIX sh, also busybox.
# Arguments: names, MACs or PCI addresses. What is not there, or has no interrupt (a veth pair), prints nothing more.
for nic in "$@"; do
    echo "== nic $nic"
    device=/sys/class/net/$nic/device
    [ -e "$device" ] || device=/sys/bus/pci/devices/$nic
    [ -e "$device" ] || for other in /sys/class/net/*; do
        mac='' && { read -r mac <"$other/address"; } 2>/dev/null
        [ "$mac" != "$nic" ] || device=$other/device
    done
    [ -e "$device" ] || continue
    # A virtio device, which alone has feature bits, sits on a PCI function, which has its interrupts.
    [ ! -e "$device/features" ] || device=$device/..
    numbers=''
    for irq in "$device"/msi_irqs/*; do
        [ ! -e "$irq" ] || numbers="$numbers|${irq##*/}"
    done
    # Without MSI there is one line, perhaps shared.
    [ -n "$numbers" ] || { read -r irq <"$device/irq" && numbers="|$irq"; } 2>/dev/null
    [ -z "$numbers" ] || grep -E "^ *(${numbers#|}):" /proc/interrupts
done
true
