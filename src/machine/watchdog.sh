
# Undoes the run RUN on this machine as soon as kvmfair is gone: ends its processes and guests, and undoes its changes. POSIX
# sh on Linux, behind undo.sh, in a session of its own and with KVMFAIR_WATCHDOG=RUN in its environment:
# sh -c "$both" watchdog RUN SECONDS
#
# stdin:  before each change the call that undoes it, in one line; "beat" meanwhile. kvmfair is gone at the end of file, after
#         SECONDS without a line, and at SIGTERM, which `kvmfair clean` sends.
# stdout: "ok" at the beginning and for each line; "over WHY" when kvmfair is gone.
set -u
umask 077
run=$1 limit=$2
dir=$(mktemp -d "/run/kvmfair-watchdog-$run.XXXXXX") || exit 1
command -v tac >/dev/null || { rmdir "$dir"; echo 'tac (coreutils) is missing' >&2; exit 1; }
echo $$ >"$dir/pid"
: >"$dir/calls"
trap '' HUP INT PIPE # an SSH session that breaks must not take this along

note_time() { read -r up _ </proc/uptime; echo "${up%.*}" >"$dir/last"; }

# Whether the last line is $limit seconds old.
silent() {
    read -r up _ </proc/uptime
    { read -r at <"$dir/last"; } 2>/dev/null && [ $((${up%.*} - at)) -ge "$limit" ]
}

# It checks twice: a machine that stalled may have lines to read that came in time.
time_out() {
    while sleep $((limit / 6 + 1)) && kill -0 $$; do
        if silent && sleep 2 && silent; then
            : >"$dir/silent"
            kill -s TERM $$
        fi
    done
}

over() {
    trap '' TERM
    echo "over $1" 2>/dev/null # there may be nobody to read it
    exec </dev/null >"$dir/log" 2>&1
    kill "$timer"
    did "$1"
    processes "$run"
    guests "$run"
    tac "$dir/calls" | while IFS= read -r call; do eval "$call" </dev/null; done
    guests "$run" # one that the daemon was only just starting
    survivors "$run"
    unlock "$run"
    logger -t kvmfair -f "$dir/log"
    rm -rf "$dir"
    exit 0
}

terminated() { if [ -e "$dir/silent" ]; then over "kvmfair was silent for $limit s"; else over 'kvmfair clean'; fi; }

note_time
time_out </dev/null >/dev/null 2>&1 &
timer=$!
trap terminated TERM
echo ok
while IFS= read -r line; do
    note_time
    if [ "$line" != beat ]; then printf '%s\n' "$line" >>"$dir/calls" || over '/run is full'; fi
    echo ok
done
over 'kvmfair or its connection has ended'
