# Shows or writes settings of a NIC and of its machine. POSIX sh, also busybox. $1: the NIC's name or MAC; $2: show or set.

refuse() { echo "$*" >&2; exit 1; }

# Into the NIC's directory. A machine without that NIC can still have the files that belong to no NIC.
if [ -d "/sys/class/net/$1" ]; then
    cd "/sys/class/net/$1" || exit 1
else
    for nic in /sys/class/net/*; do
        [ "$(cat "$nic/address" 2> /dev/null)" != "$1" ] || cd "$nic" || exit 1
    done
fi

# The files of some patterns, as paths.
files() {
    if [ "$1" = interrupts ]; then
        # Those of the device, and of the PCI function that a virtio device sits on; without MSI there is one line.
        for irq in device/msi_irqs/* device/../msi_irqs/*; do
            [ ! -e "$irq" ] || echo "/proc/irq/${irq##*/}/smp_affinity"
        done
        return
    fi
    for pattern in $1; do
        for file in $pattern; do
            [ ! -e "$file" ] || case $file in /*) echo "$file" ;; *) echo "$PWD/$file" ;; esac
        done
    done
}

verb=$2
nic=$1
shift 2
index=0
while [ $# -gt 0 ]; do
    found=$(files "$1")
    if [ "$verb" = set ]; then
        [ -n "$found" ] || refuse "$nic has no setting $1"
        for file in $found; do
            printf '%s' "$2" 2> /dev/null > "$file" || refuse "$file does not take the value $2"
        done
        shift
    else
        for file in $found; do
            printf '%s\t%s\t%s\n' $index "$file" "$(cat "$file" 2>&1)"
        done
    fi
    index=$((index + 1))
    shift
done
