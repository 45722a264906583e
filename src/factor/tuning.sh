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

# The files of some patterns, as paths; of a word of ethtool's, the word, if the NIC knows it.
files() {
    case $1 in *-usecs | gro | gso | tso)
        [ -z "$(read_out "$1")" ] || echo "$1"
        return ;;
    esac
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

# What ethtool says of a time of coalescing, µs; nothing if the NIC has none. ($PWD is the NIC's directory by its name.)
coalescing() {
    said=$(ethtool -c "${PWD##*/}" 2> /dev/null | grep "^$1:")
    said=${said#*:}
    case $said in *[0-9]*) echo $((said)) ;; esac
}

# Whether the driver chooses the time by itself, whatever was written.
adaptive() {
    said=$(ethtool -c "${PWD##*/}" 2> /dev/null | grep '^Adaptive RX:')
    case $1 in rx-*) said=${said%TX:*} ;; *) said=${said#*TX:} ;; esac
    case $said in *on*) true ;; *) false ;; esac
}

# Whether ethtool says "on" or "off" of a feature by its long name; nothing if the NIC does not know it.
feature() {
    said=$(ethtool -k "${PWD##*/}" 2> /dev/null | grep "^$1:")
    echo "${said#*: }"
}

# $1: a file or a word of ethtool's; $2: the value.
write() {
    case $1 in
    *-usecs)
        adaptive "$1" && ethtool -C "${PWD##*/}" "adaptive-${1%-usecs}" off 2> /dev/null
        ethtool -C "${PWD##*/}" "$1" "$2" 2> /dev/null || [ "$(coalescing "$1")" = "$2" ] ;;
    gro | gso | tso)
        ethtool -K "${PWD##*/}" "$1" "$2" > /dev/null 2>&1
        said=$(read_out "$1")
        [ "${said%% *}" = "$2" ] ;;
    *) printf '%s' "$2" 2> /dev/null > "$1" ;;
    esac
}

# $1: a file or a word of ethtool's.
read_out() {
    case $1 in
    *-usecs)
        time=$(coalescing "$1")
        [ -z "$time" ] || if adaptive "$1"; then echo "$time adaptive"; else echo "$time"; fi ;;
    gro) feature generic-receive-offload ;;
    gso) feature generic-segmentation-offload ;;
    tso) feature tcp-segmentation-offload ;;
    *) cat "$1" 2>&1 ;;
    esac
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
            write "$file" "$2" || refuse "$file does not take the value $2"
        done
        shift
    else
        for file in $found; do
            printf '%s\t%s\t%s\n' $index "$file" "$(read_out "$file")"
        done
    fi
    index=$((index + 1))
    shift
done
