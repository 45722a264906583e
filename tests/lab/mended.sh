# A QEMU whose nested SVM is mended (see qemu-nested-svm.patch), built once from the distribution's source package and kept
# in the cache. Sourced by `run`. Optional: where it cannot be built the packaged QEMU is used, and one line says so.

# What .ci/install lab brings; meson comes from the private lists, because the release's own may be too old.
BUILD_TOOLS='ninja cc patch /usr/bin/python3 pkg-config'

# Replaces `qemu` by the mended one; firmware still comes from the packages. KVMFAIR_LAB_QEMU=stock leaves it as it is.
mend_qemu() {
    [ "${KVMFAIR_LAB_QEMU:-mended}" != stock ] || return 0
    recipe=$({ cat "$here/qemu-nested-svm.patch"; sed -n '/^built()/,$p' "$here/mended.sh"; } | cksum | cut -d' ' -f1)
    found=$(ls -d "$cache"/qemu-mended/[0-9]*-"$recipe" 2> /dev/null | tail -n 1)
    [ -n "$found" ] || build_qemu
    [ -n "$found" ] || return 0
    qemu=$found/qemu-system-x86_64 qemu_env=''
    qemu_data=${qemu_data:-'-L /usr/share/seabios -L /usr/share/qemu'}
}

# Sets `found` to the new entry, or to nothing. A failure is remembered, or every start of the lab would repeat it.
build_qemu() {
    failed=$cache/qemu-mended/failed-$recipe
    log=$cache/qemu-mended/log
    why=''
    mkdir -p "$cache/qemu-mended"
    if [ -e "$failed" ]; then
        why="the build failed before (remove $failed to try again)"
    elif ! missing_tool; then
        say "building a QEMU with mended nested SVM, once (about 5 minutes; $log)"
        tree=$(mktemp -d "$cache/qemu-mended/XXXXXX")
        if (built "$tree") > "$log" 2>&1; then
            found=$cache/qemu-mended/$(cat "$tree/version")-$recipe
            mkdir "$tree/entry" && mv "$tree/qemu-system-x86_64" "$tree/entry/" && mv "$tree/entry" "$found"
        else
            why="see $log"
            cp "$log" "$failed"
        fi
        rm -rf "$tree"
    fi
    [ -z "$why" ] || say "the packaged QEMU it is, whose nested SVM loses or doubles interrupts: $why"
}

missing_tool() {
    for tool in $BUILD_TOOLS; do command -v "$tool" > /dev/null || why="no '$tool' to build another (.ci/install lab)"; done
    pkg-config --exists 'glib-2.0 >= 2.66' 2> /dev/null || why="no GLib headers to build another (.ci/install lab)"
    [ -n "$why" ]
}

# Downloads, patches and builds in directory $1; leaves the program and the file `version` there.
built() {
    set -e
    cd "$1"
    lists_are_new='' && private_lists sources
    apt get -q download meson python3-pycotap
    for deb in *.deb; do dpkg-deb -x "$deb" python; done
    # The upstream part only: Debian's patches do not touch what is built here. The version is that of the packaged QEMU, or
    # the newest, if the archive has gone on.
    # shellcheck disable=SC2086 # a list of words
    version=$(env $qemu_env "$qemu" --version | sed -n 's/.*(Debian \([^)]*\)).*/=\1/p')
    apt get -q source --download-only --tar-only "qemu$version" || apt get -q source --download-only --tar-only qemu
    tarball=$(ls qemu_*.orig.tar.*)
    mkdir source build
    tar -xf "$tarball" -C source --strip-components=1
    patch -d source -p1 < "$here/qemu-nested-svm.patch"
    cd build
    PATH=/usr/sbin:/usr/bin:/sbin:/bin PYTHONPATH=$1/python/usr/lib/python3/dist-packages
    export PATH PYTHONPATH
    ../source/configure --python=/usr/bin/python3 --target-list=x86_64-softmmu --disable-download --disable-install-blobs \
        --without-default-features --without-default-devices --with-devices-x86_64=kvmfair \
        --enable-system --enable-tcg --enable-virtfs --enable-attr --disable-qom-cast-debug
    nice timeout 1800 ninja qemu-system-x86_64
    strip -o ../qemu-system-x86_64 qemu-system-x86_64
    ../qemu-system-x86_64 --version
    version=${tarball#qemu_}
    echo "${version%.orig.tar.*}" > ../version
}
