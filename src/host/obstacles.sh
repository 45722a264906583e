# Prints what may keep netperf's packets from their way, one line for each line of a command: `name:line`. Reads only. What
# does not exist is left out.
# $1: the address of the other end; $2: netserver's port.
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
output() { name=$1; shift; "$@" 2>/dev/null </dev/null | sed "s/^/$name:/"; }
if command -v nft >/dev/null; then output nft nft list ruleset; else output iptables iptables-save; fi
output iptables iptables-legacy-save
output bridge-nf cat /proc/sys/net/bridge/bridge-nf-call-iptables
output listeners ss -Hltnp "sport = :$2"
output route ip -o route get "$1"
output neighbour ip neigh show to "$1"
output link ip -o link show
true
