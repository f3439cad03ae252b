#!/usr/bin/env bash
# Kills `plumbline run` with SIGKILL at random moments and checks that nothing is left of it.
#
#   ci/sigkill_test.sh [--rounds N] [--seed N] [--as-root] PROGRAM SCENARIO
#   ci/sigkill_test.sh --self-test        checks that each kind of leftover would be noticed
#
# Everything happens inside pid, mount and network namespaces made here, so that what else runs on this machine is
# neither seen nor touched: the processes, namespaces, links, mounts and files in there are plumbline's or this
# script's. Every second round runs as an unprivileged user, unless --as-root says otherwise, and two of four run several
# scenarios at once.
#
# Exit status: 0 nothing was left, 1 something was, 2 usage, 77 this machine refuses namespaces (1 with CI=true).
set -euo pipefail

tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
readonly longest_wait_us=10000000  # the kernel needs about 30 ms
program='' scenario='' specs='' rounds=50 seed=$SRANDOM self_test='' as_root=''

say() { printf '%s\n' "$*"; }
die() { say "FAILED: $*" && exit 1; }
usage() { say "$*; see the head of ci/sigkill_test.sh" >&2 && exit 2; }

parse() {
  local -a names=()
  while (($#)); do
    case $1 in
      --rounds) rounds=$2 && shift ;;
      --seed) seed=$2 && shift ;;
      --self-test) self_test=yes ;;
      --as-root) as_root=yes ;;
      -*) usage "unknown option $1" ;;
      *) names+=("$1") ;;
    esac
    shift
  done
  [[ $rounds =~ ^[1-9][0-9]{0,3}$ && $seed =~ ^[0-9]{1,10}$ ]] || usage "--rounds and --seed take numbers"
  [[ $self_test ]] && return
  ((${#names[@]} == 2)) || usage "expected PROGRAM and SCENARIO"
  program=$(realpath -e -- "${names[0]}") || usage "no program ${names[0]}"
  scenario=$(realpath -e -- "${names[1]}") || usage "no scenario ${names[1]}"
}

# Starts this script again inside namespaces of its own, where it is process 1.
isolate() {
  local -a private=(--mount --propagation private --net --pid --fork --kill-child --mount-proc)
  unshare "${private[@]}" true 2>/dev/null || private=(--user --map-root-user "${private[@]}")
  local refusal
  if ! refusal=$(unshare "${private[@]}" true 2>&1); then
    say "SKIPPED: this machine refuses namespaces: $refusal"
    [[ ${CI:-} == true ]] && exit 1
    exit 77
  fi
  exec unshare "${private[@]}" "$BASH" "${BASH_SOURCE[0]}" --inside "$@"
}

# --- from here on inside ---

# Empty folders in place of the shared ones, so that every file in them is a leftover. What the run itself reads
# and happens to lie below one of them stays.
cover_shared_folders() {
  local top kept number=0
  local -a keep=("$tree")
  [[ $program ]] && keep+=("$(dirname "$program")" "$(dirname "$scenario")")
  mount -t tmpfs plumbline-sigkill /run
  for top in /tmp /var/tmp /dev/shm; do
    [[ -d $top && ! -L $top ]] || continue
    for kept in "${keep[@]}"; do
      [[ $kept/ == "$top"/* ]] || continue
      mkdir -p "/run/hold/$((++number))"
      mount --rbind "$kept" "/run/hold/$number"
    done
    mount -t tmpfs -o mode=1777 plumbline-sigkill "$top"
    number=0
    for kept in "${keep[@]}"; do
      [[ $kept/ == "$top"/* ]] || continue
      mkdir -p "$kept"
      mount --rbind "/run/hold/$((++number))" "$kept"
      umount --lazy "/run/hold/$number"
    done
  done
  rm -rf --one-file-system /run/hold
  mkdir /tmp/out
  chmod 1777 /tmp/out
  export TMPDIR=/tmp HOME=/tmp
  cd /
}

# Sets `others` to all processes but this one. No subshell and no command, which would be seen as well.
other_processes() {
  others=(/proc/[0-9]*)
  others=("${others[@]#/proc/}")
  local -a kept=()
  local pid
  for pid in "${others[@]}"; do ((pid == $$)) || kept+=("$pid"); done
  others=("${kept[@]}")
}

# Waits, with a bound, until this is the only process again; sets `waited_us`.
settle() {
  local start=${EPOCHREALTIME/[.,]/}
  while other_processes && ((${#others[@]})); do
    waited_us=$((${EPOCHREALTIME/[.,]/} - start))
    ((waited_us < longest_wait_us)) || return 1
    read -r -t 0.002 -u "$never" || true
  done
  waited_us=$((${EPOCHREALTIME/[.,]/} - start))
}

# Everything that a run could leave, one item a line. A namespace lives by a process (in it, or with a descriptor
# of it) or by a bind mount, and so shows as that too.
snapshot() {
  {
    for pid in "${others[@]}"; do printf 'process %s\n' "$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" || true)"; done
    { readlink /proc/[0-9]*/ns/* 2>/dev/null || true; } | sed 's/^/namespace /'
    ip -o link show | sed -E 's/^[0-9]+: ([^:]+):.*/link \1/'
    ip -o address show | sed -E 's/^[0-9]+: +//; s/^/address /'
    awk '{ print "mount", $5, "of", $4, "id", $1 }' /proc/self/mountinfo
    find /tmp /var/tmp /dev/shm /run -xdev -path /tmp/out -prune -o -printf 'file %p\n' 2>/dev/null || true
    # Where container runtimes keep theirs; a cgroup is no part of any namespace that ends with a run.
    find /etc/{docker,containers,cni} /var/lib/{docker,containerd,containers,cni} /opt -xdev -printf 'file %p\n' 2>/dev/null || true
    find /sys/fs/cgroup -type d -printf 'cgroup %p\n' 2>/dev/null || true
  } | sort -u
}

# Compares with `before`; prints what is new or gone.
leftovers() { comm -3 <(printf '%s\n' "$before") <(snapshot) | sed 's/^\t/left: /; t; s/^/gone: /'; }

# Copies of the scenario, which differ in their names alone.
make_copies() {
  local number
  mkdir /run/copies
  for number in 1 2 3; do
    sed "s/^name: .*/name: copy-$number/" "$scenario" >"/run/copies/$number.yaml"
  done
}

start_run() {
  rm -rf /tmp/out/run
  "$@" "$program" run "$specs" --parallel 3 --out /tmp/out/run --trace all --color never >/tmp/out/log 2>&1 &
  run_pid=$!
}

# How long a run of `specs` takes; sets `span_us`.
measure() {
  local start status=0
  span_us=0
  for _ in 1 2 3; do
    start=${EPOCHREALTIME/[.,]/}
    start_run
    wait "$run_pid" || status=$?
    if ((status != 0)); then
      cat /tmp/out/log
      die "a run that nobody disturbs ended with exit status $status"
    fi
    local took=$((${EPOCHREALTIME/[.,]/} - start))
    ((took <= span_us)) || span_us=$took
    settle || die "a run ended by itself and left processes: ${others[*]}"
  done
  local left
  left=$(leftovers)
  [[ -z $left ]] || die $'a run that nobody disturbs left something:\n'"$left"
}

# Sets `killed` to 1 where the signal met the run, 0 where that was over already.
one_round() {
  local delay_us=$1 status=0 left seconds
  shift
  printf -v seconds '%d.%06d' $((delay_us / 1000000)) $((delay_us % 1000000))
  start_run "$@"
  read -r -t "$seconds" -u "$never" || true
  { kill -KILL "$run_pid" && wait "$run_pid"; } 2>/dev/null || status=$?
  killed=0
  if ((status == 137)); then
    killed=1
  elif ((status > 1)); then
    cat /tmp/out/log
    die "the run ended by itself with exit status $status before the signal came"
  fi
  settle || die "killed after ${delay_us} us: still there after $((waited_us / 1000)) ms: $(ps -o pid,stat,args 2>&1)"
  left=$(leftovers)
  [[ -z $left ]] || die "killed after ${delay_us} us, and this is left:"$'\n'"$left"
}

run_rounds() {
  local round delay_us hits=0 slowest=0
  local -a as_user=(unshare --user --map-user=1000 --map-group=1000 --)
  [[ -z $as_root ]] && "${as_user[@]}" true 2>/dev/null || as_user=()
  say "seed $seed (repeat with --seed $seed), $rounds rounds"
  local one_us several_us
  specs=$scenario && measure && one_us=$span_us
  specs=/run/copies && measure && several_us=$span_us
  say "an undisturbed run takes up to $((one_us / 1000)) ms, one of three scenarios at once $((several_us / 1000)) ms"
  RANDOM=$((seed % 4294967296))
  for ((round = 1; round <= rounds; ++round)); do
    if ((round % 4 < 2)); then specs=$scenario span_us=$one_us; else specs=/run/copies span_us=$several_us; fi
    delay_us=$(((RANDOM * 32768 + RANDOM) % (span_us * 12 / 10 + 1)))
    if ((round % 2)); then one_round "$delay_us"; else one_round "$delay_us" "${as_user[@]}"; fi
    hits=$((hits + killed))
    # What was measured while others were at work is too long once they are not.
    if ((!killed && round % 4 < 2)); then one_us=$((delay_us * 9 / 10)); fi
    if ((!killed && round % 4 >= 2)); then several_us=$((delay_us * 9 / 10)); fi
    ((waited_us <= slowest)) || slowest=$waited_us
  done
  ((hits * 2 >= rounds)) || die "only $hits of $rounds signals met a run: the measured duration is off"
  say "$rounds rounds, $hits killed under way, 0 leftovers: no process, namespace, link, address, mount, file or cgroup"
  say "the slowest was gone $((slowest / 1000)) ms after the signal"
}

# Plants one leftover of each kind by COMMAND, expects it to be noticed, and takes it away by UNDO.
expect_noticed() {
  local kind=$1 command=$2 undo=$3 left
  eval "$command"
  other_processes
  left=$(leftovers)
  [[ $left == *"left: $kind"* ]] || die "a planted leftover ($kind, by: $command) was not noticed; only: $left"
  eval "$undo"
  # Not just a look: the helpers of the comparison above may still be on their way out.
  settle || die "after it was undone there are still processes: ${others[*]}"
  left=$(leftovers)
  [[ -z $left ]] || die $'after it was undone, this is still said to be there:\n'"$left"
}

run_self_test() {
  # shellcheck disable=SC2016
  expect_noticed process 'setsid tail -f /dev/null &' 'kill "$!"; wait "$!" || settle'
  expect_noticed link 'ip link add left0 type veth peer name left1' 'ip link del left0'
  expect_noticed address 'ip address add 192.0.2.1/32 dev lo' 'ip address del 192.0.2.1/32 dev lo'
  expect_noticed mount 'mount -t tmpfs left /run' 'umount /run'
  expect_noticed file ': >/run/left' 'rm /run/left'
  expect_noticed file 'mkdir /tmp/left' 'rmdir /tmp/left'
  expect_noticed mount ': >/run/bound; unshare --net=/run/bound true' 'umount /run/bound; rm /run/bound'
  # shellcheck disable=SC2016
  expect_noticed namespace 'unshare --net tail -f /dev/null &
    until [[ $(readlink /proc/$!/ns/net) != "$(readlink /proc/1/ns/net)" ]]; do :; done' 'kill "$!"; wait "$!" || settle'
  bash -c 'read -r -t 0.05 <> /run/never || true' &
  settle || die "a process that ended by itself is still seen: ${others[*]}"
  ((waited_us > 20000)) || die "did not wait for a process that was still there"
  say "each kind of leftover is noticed"
}

main() {
  if [[ ${1:-} != --inside ]]; then
    parse "$@"
    isolate "$@"
  fi
  shift
  parse "$@"
  cover_shared_folders
  # A pipe on which nothing ever comes: `read -t` on it waits without another process.
  mkfifo /run/never
  exec {never}<>/run/never
  others=()
  [[ $self_test ]] || make_copies
  before=$(snapshot)
  if [[ $self_test ]]; then run_self_test; else run_rounds; fi
}

main "$@"
