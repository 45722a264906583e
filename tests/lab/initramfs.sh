# The lab machine's first userland: busybox, the modules that a 9p root needs, and the script `boot`. Sourced by `run`.

# 9p over virtio is the root file system, overlay makes it writable.
ROOT_MODULES='virtio_pci 9pnet_virtio 9p overlay'

# Writes the initramfs to file $1. Modules are unpacked (busybox's insmod reads no xz) and numbered in loading order.
make_initramfs() {
    tree=$scratch/initramfs
    mkdir -p "$tree/bin" "$tree/modules"
    cp "$(command -v busybox)" "$tree/bin/busybox"
    cp "$here/boot" "$tree/init"
    chmod 755 "$tree/init"
    number=100
    # shellcheck disable=SC2086 # a list of words
    for file in $(modprobe -d "${modules%/lib/modules/*}" -S "$release" -a --show-depends $ROOT_MODULES |
        sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++'); do
        number=$((number + 1))
        name=${file##*/}
        case $file in
        *.xz) xz -dc "$file" > "$tree/modules/$number-${name%.xz}" ;;
        *.zst) zstd -qdc "$file" > "$tree/modules/$number-${name%.zst}" ;;
        *) cp "$file" "$tree/modules/$number-$name" ;;
        esac
    done
    [ $number -gt 100 ] || fail "no modules for the root file system in $modules"
    (cd "$tree" && find . | busybox cpio -o -H newc 2> /dev/null) > "$1"
}
