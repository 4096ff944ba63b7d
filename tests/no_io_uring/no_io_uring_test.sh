#!/usr/bin/env bash
# Without io_uring, loopbench says which loops cannot work and why, measures the others, and the
# conformance suite reports the loop as skipped.
#
#   no_io_uring_test.sh DENY-IO-URING LOOPBENCH CONFORMANCE-URING
set -euo pipefail
deny=$1 loopbench=$2 conformance=$3
"$deny" true || exit $?

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}
contains() { [[ $1 == *"$2"* ]] || fail "'$2' is not in:" "$1"; }

listed=$("$deny" "$loopbench" list loops 2>&1)
contains "$listed" 'io_uring_setup: Operation not permitted'
contains "$listed" 'kernel.io_uring_disabled'

status=0
refused=$("$deny" "$loopbench" run --loop=uring --workload=pingpong --budget 1 2>&1) || status=$?
((status == 2)) || fail "run of a loop that cannot work gave $status:" "$refused"
contains "$refused" 'Operation not permitted'
contains "$refused" 'seccomp'

for loop in epoll poll; do
    status=0  # 4: other tests disturbed it
    "$deny" "$loopbench" run --loop=$loop --workload=echo --budget 1 >/dev/null 2>&1 || status=$?
    ((status == 0 || status == 4)) || fail "$loop did not work without io_uring: status $status"
done

suite=$("$deny" "$conformance" --gtest_filter='TimerTest.*' 2>&1) ||
    fail "the suite failed instead of being skipped:" "$suite"
contains "$suite" 'SKIPPED'
[[ $suite != *'OK ]'* ]] || fail "a test ran without io_uring:" "$suite"
