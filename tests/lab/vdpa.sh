# The driver vp_vdpa, which Debian's kernels leave out: it makes a vDPA device of a virtio NIC. Built once from the source
# package of the lab's own kernel and kept in the cache. Sourced by `run`, after `find_kernel`. Optional: where it cannot be
# built one line says why, and `kvmfair check` refuses the backend vdpa in the machine.

# Sets `vdpa_module` to the file, or to nothing.
find_vdpa() {
    vdpa_module=$cache/vp-vdpa/$release/vp_vdpa.ko
    [ ! -e "$vdpa_module" ] || return 0
    failed=$cache/vp-vdpa/failed-$release log=$cache/vp-vdpa/log
    mkdir -p "$cache/vp-vdpa"
    if [ -e "$failed" ]; then
        say "no vp_vdpa: the build failed before (remove $failed to try again)"
    elif ! command -v make > /dev/null || ! command -v cc > /dev/null; then
        say "no vp_vdpa: no 'make' or 'cc' to build it (.ci/install lab)"
    else
        say "building vp_vdpa, once (a download of 170 MB; $log)"
        tree=$(mktemp -d "$cache/vp-vdpa/XXXXXX")
        if (vdpa_built "$tree") > "$log" 2>&1; then
            mkdir "$tree/entry" && mv "$tree/vp_vdpa.ko" "$tree/entry/" && mv "$tree/entry" "$cache/vp-vdpa/$release"
        else
            cp "$log" "$failed"
            say "no vp_vdpa: see $log; a kernel that the archive has no more is replaced once $cache/kernel is removed"
        fi
        rm -rf "$tree"
    fi
    [ -e "$vdpa_module" ] || vdpa_module=''
}

# Downloads the headers and the source of the lab's kernel into directory $1, and leaves the module there.
vdpa_built() {
    set -e
    cd "$1"
    lists_are_new='' && private_lists
    version=$(basename "${kernel%/boot/*}")
    common=${release%-*}
    series=$(expr "$release" : '\([0-9]*\.[0-9]*\)')
    apt get -q download "linux-headers-$release=$version" "linux-headers-$common-common=$version" \
        "linux-kbuild-$common=$version" "linux-source-$series=$version"
    for deb in *.deb; do
        dpkg-deb -x "$deb" . && rm "$deb"
    done
    headers=$1/usr/src/linux-headers-$release
    # Its parts name one another by where they would be installed.
    sed -i "s#/usr/src/#$1/usr/src/#" "$headers/Makefile"
    mkdir module
    tar -xf "usr/src/linux-source-$series.tar.xz" -C module --strip-components=4 --occurrence=1 \
        "linux-source-$series/drivers/vdpa/virtio_pci/vp_vdpa.c"
    echo 'obj-m := vp_vdpa.o' > module/Kbuild
    # The types of the kernel's symbols, for tracing by BPF, would take another program.
    nice make -C "$headers" "M=$1/module" CONFIG_DEBUG_INFO_BTF_MODULES= modules
    strip -g -o vp_vdpa.ko module/vp_vdpa.ko
}
