# What the lab machines are made of, kept in a cache: a QEMU that emulates an SR-IOV NIC (igb came with QEMU 8), a full
# distribution kernel, and Xen with its tools. Sourced by `run`.
#
# Packages are downloaded and unpacked, never installed; apt's lists for them are private, so the system's sources,
# versions and libraries stay what they are. An entry of the cache is complete or absent: it gets its name last.

say() { printf 'lab: %s\n' "$*" >&2; }
fail() { say "$*"; exit 125; }

cache=${XDG_CACHE_HOME:-$HOME/.cache}/kvmfair/lab
QEMU_WANTED=8

# Sets `qemu` (the program), and the library, module and firmware paths that it needs in `qemu_env` and `qemu_data`.
find_qemu() {
    qemu=$(command -v qemu-system-x86_64) || fail "no qemu-system-x86_64: run .ci/install"
    qemu_env='' qemu_data=''
    [ "$("$qemu" --version | sed -n 's/^QEMU emulator version \([0-9]*\).*/\1/p')" -lt $QEMU_WANTED ] || return 0
    newest qemu || fetch qemu qemu-system-x86
    libraries=$found/usr/lib/x86_64-linux-gnu
    qemu=$found/usr/bin/qemu-system-x86_64
    qemu_env="LD_LIBRARY_PATH=$libraries QEMU_MODULE_DIR=$libraries/qemu"
    qemu_data="-L $found/usr/share/seabios -L $found/usr/share/qemu"
}

# Sets `kernel` (the image) and `modules` (its directory below lib/modules), with modules.dep made.
find_kernel() {
    newest kernel || fetch kernel linux-image-amd64
    kernel=$(ls "$found"/boot/vmlinuz-*) || fail "$found holds no kernel; remove it and try again"
    release=${kernel##*/vmlinuz-}
    modules=$found/lib/modules/$release
    [ -d "$modules" ] || modules=$found/usr/lib/modules/$release
    [ -e "$modules/modules.dep" ] || depmod -b "${modules%/lib/modules/*}" "$release"
}

# Sets `hypervisor` (Xen's image, packed) and `xen_tree` (what the packages of Xen install, to be laid over the root). libvirt's
# driver must be of the version that this system's libvirt has.
find_xen() {
    libvirt=$(dpkg-query -W -f '${Version}' libvirt0 2> /dev/null) || fail "no libvirt: run .ci/install"
    newest "xen/libvirt-$libvirt" || fetch "xen/libvirt-$libvirt" xen-system-amd64 "libvirt-daemon=$libvirt" \
        "libvirt-daemon-driver-xen=$libvirt" "libvirt-clients=$libvirt" bridge-utils
    xen_tree=$found
    hypervisor=$(ls "$found"/boot/xen-*-amd64.gz) || fail "$found holds no hypervisor; remove it and try again"
}

# Sets `found` to the newest entry of a kind.
newest() {
    found=$(ls -d "$cache/$1"/[0-9]* 2>/dev/null | sort -V | tail -n 1)
    [ -n "$found" ]
}

# Downloads the packages $2... with those of their dependencies that this system has not, or has too old, and unpacks them all
# into one tree: the entry of kind $1 named by the version of $2. Sets `found`.
fetch() {
    kind=$1
    shift
    command -v apt-get > /dev/null ||
        fail "not a Debian system: put an unpacked $1 into $cache/$kind/<version>, or install QEMU >= $QEMU_WANTED"
    say "downloading $1 into $cache/$kind"
    private_lists
    mkdir -p "$cache/$kind"
    part=$(mktemp -d "$cache/part.XXXXXX") && mkdir "$part/tree"
    # "Inst name [old version] (new version suite [arch])": what an installation would bring
    wanted=$(apt get -s --no-install-recommends install "$@" | sed -n 's/^Inst //p')
    case $kind in
    kernel) wanted=$(printf '%s\n' "$wanted" | grep '^linux-image-[0-9]') ;;
    # Laid over this system: what it has already stays as it is, and nothing starts services in the machine.
    xen/*) wanted=$(printf '%s\n' "$wanted" | grep -v '^[^ ]* \[\|systemd\|^udev ') ;;
    esac
    wanted=$(printf '%s\n' "$wanted" | sed -n 's/^\([^ ]*\)[^(]*(\([^ ]*\) .*/\1=\2/p')
    version=$(printf '%s\n' "$wanted" |
        sed -n 's/^\(qemu-system-x86\|linux-image-[0-9][^=]*\|xen-hypervisor-[0-9][^=]*\)=\([0-9]*:\)\{0,1\}//p')
    [ -n "$version" ] || fail "apt knows no $1 for this release that would be new"
    # shellcheck disable=SC2086 # a list of words
    (cd "$part" && apt get -q download $wanted > log 2>&1) || fail "apt-get download failed: $(tail -n 3 "$part/log")"
    for deb in "$part"/*.deb; do dpkg-deb -x "$deb" "$part/tree"; done
    # As a layer over the root these would hide its links to usr/bin, usr/lib, usr/sbin.
    case $kind in xen/*) (cd "$part/tree" && for dir in bin lib sbin; do merge_usr $dir; done) ;; esac
    found=$cache/$kind/$version
    mv "$part/tree" "$found"
    rm -rf "$part"
}

merge_usr() {
    [ -d "$1" ] && [ ! -L "$1" ] || return 0
    mkdir -p "usr/$1"
    cp -a "$1/." "usr/$1/"
    rm -rf "$1"
}

apt() {
    command=$1
    shift
    "apt-$command" -o Dir::Etc::sourcelist="$cache/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State::lists="$cache/apt/lists" -o Dir::Cache="$cache/apt" -o APT::Sandbox::User=root \
        -o Acquire::Languages=none -o APT::Default-Release="$suite" "$@"
}

# apt's view of the release and its backports, from the address that the system itself is configured with; with "sources",
# of their source packages too.
private_lists() {
    . /etc/os-release
    [ -z "${lists_are_new:-}" ] || return 0
    suite=$VERSION_CODENAME-backports
    # shellcheck disable=SC2016 # apt's variables, not the shell's
    address=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $VERSION_CODENAME" \
        'Component: main' | head -n 1)
    [ -n "$address" ] || fail "no apt source for $VERSION_CODENAME main is configured"
    key=/usr/share/keyrings/debian-archive-keyring.gpg
    [ ! -e $key ] || trust="[signed-by=$key]"
    mkdir -p "$cache/apt/lists/partial" "$cache/apt/archives/partial"
    for each in "$VERSION_CODENAME" "$suite"; do
        echo "deb ${trust:-} $address $each main"
        [ "${1-}" != sources ] || echo "deb-src ${trust:-} $address $each main"
    done > "$cache/apt/sources.list"
    apt get -qq update || fail "apt-get update failed for $address"
    lists_are_new=yes
}
