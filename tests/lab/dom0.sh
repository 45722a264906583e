# What only Xen's machine needs: what an administrator's dom0 has loaded and runs. Sourced by `inside`.

dom0_modules() {
    modprobe -a xenfs xen-evtchn xen-gntdev xen-gntalloc xen-privcmd xen-netback bridge openvswitch veth tun virtio_net || return 1
    mount -t xenfs xenfs /proc/xen
    grep -q control_d /proc/xen/capabilities
}

# The store, which every tool of Xen talks to, the guests' consoles (in /var/log/xen/console), Open vSwitch, and libvirt.
dom0_services() {
    programs=$(ls -d /usr/lib/xen-*/bin | grep -v common | tail -n 1)
    mkdir -p /run/xen /run/xenstored /var/log/xen/console /var/lib/xen/dump /run/libvirt
    "$programs/xenstored" --pid-file /run/xen/xenstored.pid
    answers xenstore-read -s / || return 1
    "$programs/xen-init-dom0" || return 1
    "$programs/xenconsoled" --pid-file=/run/xen/xenconsoled.pid --log=all || return 1
    open_vswitch_service || return 1
    libvirt_service
}

open_vswitch_service() {
    mkdir -p /run/openvswitch
    ovsdb-tool create /run/openvswitch/conf.db || return 1
    ovsdb-server /run/openvswitch/conf.db --remote=punix:/run/openvswitch/db.sock --pidfile --detach -vconsole:off || return 1
    ovs-vsctl --no-wait init || return 1
    ovs-vswitchd --pidfile --detach -vconsole:off
}

# libvirt's driver asks for a CPU model that the host has in full, and even the least of them wants a feature (VME) that the
# emulated CPU lacks. Its QEMU driver has nothing to do here.
libvirt_service() {
    sed -i /vme/d /usr/share/libvirt/cpu_map/x86_486.xml
    rm -f /usr/lib/*/libvirt/connection-driver/libvirt_driver_qemu.so
    printf 'auth_unix_rw = "none"\nlog_outputs = "3:file:/var/log/libvirtd.log"\n' > /run/xen/libvirtd.conf
    libvirtd --daemon --config /run/xen/libvirtd.conf || return 1
    answers virsh -c xen:///system version
}

# Runs a command until it succeeds, for half a minute at most.
answers() {
    for _ in $(seq 60); do
        "$@" > /dev/null 2>&1 && return
        sleep 0.5
    done
    return 1
}
