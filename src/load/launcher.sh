# Starts every flow of one trial on the machine that runs it, says when all are running, ends them, prints what they said.
# POSIX sh on Linux. The same text serves a local namespace and one SSH session: sh -c "$this" launcher SECONDS LIMIT
#
# stdin:  one quoted command for each flow, then "go"; later "cpu", as often as wanted, then "stop", or "wait" for flows that
#         end by themselves.
#         End of file at any time ends everything, quietly.
# stdout: started N, then one of: running | late I... | died I STATUS MESSAGE (one line for each dead flow).
#         After "cpu": cpu NS..., the CPU time of each flow so far; - for one whose kernel does not tell.
#         After "stop" or "wait": for each flow "== flow I exit STATUS" and its output; at the end "== end".
# Commands must stay in the process group. If this shell is killed, a watchdog ends the group after LIMIT seconds.
set -u
umask 077
read -r _ _ _ _ group _ </proc/$$/stat
[ "$group" = $$ ] || { echo 'the launcher must lead a process group of its own (setsid)' >&2; exit 2; }
wait_s=$1
n=0 flows='' reader='' ended=''
shm=/dev/shm # memory: a disk would be a second load
[ -d "$shm" ] || shm=/tmp
dir=$(mktemp -d "${TMPDIR:-$shm}/kvmfair-load.${KVMFAIR_RUN:-none}.XXXXXX") || exit 1
ulimit -n "$(ulimit -H -n)" 2>/dev/null
{ sleep "$2"; kill -KILL 0; } >/dev/null 2>&1 </dev/null &

# Whether process $1 is a child of this shell that has not ended. A number that was given to another process is not.
running() {
    { read -r _ _ state parent _ <"/proc/$1/stat"; } 2>/dev/null && [ "$parent" = $$ ] && [ "$state" != Z ]
}

# Whether flow $1 has printed an interim result, or a ping its first answer; what it printed before that is left in $text, in one line.
talks() {
    text=''
    while IFS= read -r line || [ -n "$line" ]; do
        case $line in NETPERF_INTERIM_RESULT* | \[*\]\ *\ bytes\ from\ *\ time=*) return 0 ;; esac
        text="$text$line "
    done <"$dir/o.$1"
    return 1
}

live_pids() {
    live=''
    for i in $flows; do
        eval "pid=\$pid_$i"
        if running "$pid"; then live="$live $pid"; fi
    done
}

# Ends every flow with signal $1: INT makes netperf and ping print their final results, TERM makes it go at once, 0 leaves it its time.
# It goes to the group: one system call reaches every netperf at once, where a list of 128 would take as many turns of the
# scheduler as a busy machine makes it wait for. It is sent once: a second SIGINT breaks a netperf that is waiting for its
# server's half of the result, and a slow guest takes a second for that. Who has not ended in 20 s is killed; who is only to
# go in 2 s: TERM is lost on a process that is not netperf yet.
end_flows() {
    [ -z "$ended" ] || return 0
    ended=yes
    turn=0 patience=400
    [ "$1" != TERM ] || patience=40
    trap '' INT TERM
    kill "-$1" 0
    live_pids
    while [ -n "$live" ]; do
        sleep 0.05
        turn=$((turn + 1))
        # shellcheck disable=SC2086 # a list of numbers
        [ $turn -ne $patience ] || kill -KILL $live 2>/dev/null
        live_pids
    done
}

clean_up() {
    trap '' TERM HUP INT
    end_flows TERM
    rm -rf "$dir"
    kill -TERM 0 # the watchdog and the reader
}
trap clean_up EXIT
trap 'exit 143' TERM HUP INT
trap : PIPE # an orchestrator that died must not take the cleaning with it

while IFS= read -r line && [ "$line" != go ]; do
    n=$((n + 1)) flows="$flows $n"
    : >"$dir/o.$n"
    eval "exec $line" >"$dir/o.$n" 2>&1 </dev/null &
    eval "pid_$n=$!"
done
[ "$line" = go ] || exit 0

# Until all flows run, a child watches for the end of stdin; after that this shell reads it itself, because on a busy
# machine every process between "stop" and the signal costs a turn of the scheduler.
exec 3<&0
{ read -r _ <&3; : >"$dir/over"; } >/dev/null 2>&1 &
reader=$!
exec 3<&-
printf 'started %d\n' "$n"

read -r up _ </proc/uptime
limit=$((${up%.*} + wait_s))
pending=$flows
while [ ! -e "$dir/over" ]; do
    still='' dead=''
    for i in $pending; do
        if talks "$i"; then continue; fi
        eval "pid=\$pid_$i"
        if running "$pid"; then still="$still $i"; else dead="$dead $i"; fi
    done
    for i in $dead; do
        eval "pid=\$pid_$i"
        wait "$pid"
        status=$?
        talks "$i"
        printf 'died %d %d %s\n' "$i" "$status" "$text"
    done
    [ -z "$dead" ] || exit 1
    pending=$still
    [ -n "$pending" ] || break
    read -r up _ </proc/uptime
    if [ "${up%.*}" -ge "$limit" ]; then printf 'late%s\n' "$pending"; exit 1; fi
    sleep 0.1
done

kill "$reader" 2>/dev/null
wait "$reader"
reader=''
[ ! -e "$dir/over" ] || exit 0
printf 'running\n'
while IFS= read -r word && [ "$word" = cpu ]; do
    times=''
    for i in $flows; do
        eval "pid=\$pid_$i"
        ns=-
        { read -r ns _ <"/proc/$pid/schedstat"; } 2>/dev/null
        times="$times $ns"
    done
    printf 'cpu%s\n' "$times"
done
case $word in
stop) end_flows INT ;;
wait) end_flows 0 ;;
*) exit 0 ;;
esac
files=''
for i in $flows; do
    eval "pid=\$pid_$i"
    wait "$pid"
    { printf '\n== flow %d exit %d\n' "$i" $? >"$dir/h.$i"; } 2>/dev/null || {
        echo "failed to write netperf's output into $dir: is its disk full?" >&2
        exit 1
    }
    files="$files $dir/h.$i $dir/o.$i"
done
# shellcheck disable=SC2086 # paths without spaces
[ -z "$files" ] || cat $files
printf '\n== end\n'
