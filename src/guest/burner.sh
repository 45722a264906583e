# Burns CPU time in a guest: one busy loop for each vCPU, until standard input ends. POSIX sh.
# Arguments: number of loops, and the seconds after which each ends by itself should this shell be killed.
pids=''
n=$1
while [ "$n" -gt 0 ]; do
    timeout -s KILL "$2" sh -c 'while :; do :; done' </dev/null >/dev/null 2>&1 &
    pids="$pids $!"
    n=$((n - 1))
done
# shellcheck disable=SC2086,SC2064 # a list of numbers, as it is now
trap "kill $pids 2>/dev/null" EXIT
trap 'exit 0' HUP INT TERM
echo burning
read -r _
exit 0
