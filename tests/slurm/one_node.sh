#!/usr/bin/env bash
# A real Slurm of one node with fake GPUs for the time of one command:  tests/slurm/one_node.sh COMMAND...
#
# Needs root. The packages come from the distribution and stay; all else lives in namespaces of its own
# (mounts, processes, network, host name): files in one tmpfs, ports nobody else sees. When this script ends,
# by whatever, the kernel ends the daemons and drops the files. Nothing of a Slurm that is there is touched.
# Where that cannot be had the command runs all the same, with the reason in ZENN_NO_SLURM.
set -euo pipefail

GPUS=4   # fake ones
CPUS=16  # said to be there: jobs here wait more than they compute
PLACE=/etc/slurm  # a step of a job finds slurm.conf at no other place
PROGRAMS=(slurmctld slurmd sbatch munged munge unshare setpriv)

missing() {
    local program
    for program in "${PROGRAMS[@]}"; do
        command -v "$program" >/dev/null || { echo "no program $program"; return; }
    done
}

install() {
    [ -z "$(missing)" ] && return
    command -v apt-get >/dev/null || return
    export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1  # RUNLEVEL: no service is started
    local wanted=(slurmctld slurmd slurm-client munge)
    { apt-get install --yes --no-install-recommends "${wanted[@]}" ||
        { apt-get update && apt-get install --yes --no-install-recommends "${wanted[@]}"; }; } 1>&2
}

# What stands in the way, or nothing.
reason() {
    [ "$(uname)" = Linux ] || { echo "not Linux"; return; }
    [ "$(id -u)" = 0 ] || { echo "a one-node Slurm needs root"; return; }
    install || true
    local what
    what=$(missing)
    [ -z "$what" ] || { echo "$what, and apt-get could not install it"; return; }
    unshare --mount --net --uts --pid --fork true 2>/dev/null || echo "namespaces are not allowed here"
}

outside() {
    local why
    why=$(reason)
    if [ -n "$why" ]; then
        echo "one_node.sh: no Slurm: $why" >&2
        ZENN_NO_SLURM=$why exec "$@"
    fi
    mkdir -p "$PLACE"
    setpriv --pdeathsig KILL unshare --mount --net --uts --pid --fork --kill-child --mount-proc \
        env ZENN_INSIDE=1 "$0" "$@" &
    local child=$! status=0
    trap 'kill -KILL $child' INT TERM HUP  # unshare itself does not heed them
    wait "$child" || status=$?
    exit "$status"
}

configure() {
    mount -t tmpfs -o mode=755 slurm "$PLACE"
    mkdir -p "$PLACE"/{munge,spool,state,log}
    hostname node
    printf '127.0.0.1 localhost node\n' >"$PLACE/hosts"
    mount --bind "$PLACE/hosts" /etc/hosts
    # As `ip` does. The second address is needed: names are not resolved where all addresses are 127.*.
    python3 - <<'PYTHON'
import fcntl, socket, struct
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
    def ask(request, name, value): fcntl.ioctl(any_socket, request, struct.pack("16s16s", name, value))
    ask(0x8914, b"lo", struct.pack("h", 0x1 | 0x40))  # SIOCSIFFLAGS: up, running
    ask(0x8916, b"lo:1", struct.pack("hH4s", socket.AF_INET, 0, socket.inet_aton("192.0.2.1")))  # SIOCSIFADDR
PYTHON
    head -c 128 /dev/urandom >"$PLACE/munge/key"
    chmod 400 "$PLACE/munge/key"
    local gpu
    for gpu in $(seq 0 $((GPUS - 1))); do
        mknod -m 666 "$PLACE/gpu$gpu" c 1 3  # Slurm wants a device file for each; this one is /dev/null
    done
    echo "NodeName=node Name=gpu File=$PLACE/gpu[0-$((GPUS - 1))]" >"$PLACE/gres.conf"
    # No accounting, no cgroups, no systemd. Partition `urgent` takes what `main` holds: its jobs are requeued.
    cat >"$PLACE/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=node(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$PLACE/munge/socket
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=2,sched_interval=5
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
KillWait=5
MinJobAge=3600
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldPidFile=$PLACE/slurmctld.pid
SlurmdPidFile=$PLACE/slurmd.pid
SlurmdSpoolDir=$PLACE/spool
StateSaveLocation=$PLACE/state
SlurmctldLogFile=$PLACE/log/slurmctld
SlurmdLogFile=$PLACE/log/slurmd
SlurmdParameters=config_overrides
NodeName=node NodeAddr=127.0.0.1 CPUs=$CPUS RealMemory=65536 Gres=gpu:$GPUS State=UNKNOWN
PartitionName=main Nodes=node Default=YES PriorityTier=1 DefMemPerCPU=512 State=UP
PartitionName=urgent Nodes=node PriorityTier=2 PreemptMode=OFF DefMemPerCPU=512 State=UP
CONF
}

# Wait for something to become true: until SECONDS COMMAND...
until_true() {
    local tries=$(($1 * 5))
    shift
    while ! "$@" >/dev/null 2>&1; do
        [ $((tries--)) -gt 0 ] || return 1
        sleep 0.2
    done
}

ready() { [ "$(sinfo --noheader --partition main --format %T)" = idle ]; }

show_logs() { tail -n 20 "$PLACE"/log/slurm* >&2; }

inside() {
    configure
    munged --foreground --force --key-file="$PLACE/munge/key" --socket="$PLACE/munge/socket" \
        --pid-file="$PLACE/munge/pid" --seed-file="$PLACE/munge/seed" >"$PLACE/log/munged" 2>&1 &
    until_true 10 munge --socket="$PLACE/munge/socket" --no-input || { show_logs; exit 1; }
    slurmctld -D >/dev/null 2>&1 &
    slurmd -D >/dev/null 2>&1 &
    until_true 30 ready || { echo "one_node.sh: Slurm does not start" >&2; show_logs; exit 1; }
    local status=0
    "$@" || status=$?
    [ "$status" = 0 ] || show_logs
    exit "$status"
}

if [ -n "${ZENN_INSIDE:-}" ]; then
    unset ZENN_INSIDE
    inside "$@"
else
    outside "$@"
fi
