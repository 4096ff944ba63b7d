#!/usr/bin/env bash
# SUTs and the driver work under the injection, which stands before the calls in which they wait.
# That the percentage is kept is shown with clocks of a test's own (injector_test.cpp).
#
#   injection_test.sh CHECKOUT BIN SUT…
set -euo pipefail
source_dir=$1 bin=$2
shift 2
# shellcheck source=tests/scripts/support.sh
source "$source_dir/tests/scripts/support.sh"
library=$bin/libloopbench-injection.so
slowed=$scratch/slowed

# status_of COMMAND…: its status in $status, what it said in $said.
status_of() {
    status=0
    said=$("$@" 2>&1) || status=$?
}

waits='epoll_wait|epoll_pwait2?|p?poll|p?select|read|recv|syscall|io_uring_submit_and_wait(_timeout)?'
waits+='|__io_uring_get_cqe'
for name; do
    [[ -x $bin/loopbench-sut-$name ]] || continue
    status_of "$source_dir/scripts/inject" 2.5 "$bin/loopbench-sut-$name" "$slowed"
    check_equal "making a slower $name: $said" "$status" 0
    status_of env LD_BIND_NOW=1 LD_DEBUG=bindings "$slowed/loopbench-sut-$name" \
        <<<'{"type": "describe", "keys": {}}'
    check_equal "a slower $name describes itself" "$status" 0
    check_contains "a slower $name describes itself" "$said" '"type":"description"'
    check "a slower $name waits in the library" grep -qE \
        "binding file [^ ]*loopbench-sut-$name .* to $library .*symbol .($waits)'" <<<"$said"
done

# measure ARGUMENT…: a short run, with its result in $scratch/result.json.
measure() {
    status_of env LOOPBENCH_PATH="$slowed" "$bin/loopbench" run --workload=echo --connections=4 \
        --placement=lockstep --blocks=1 --slices=2 --slice-ms=5 --json="$scratch/result.json" "$@"
}
measure --loop=epoll
check_equal "a run of the slower loop: $said" "$status" 0
if [[ -e $bin/libloopbench-allocations.so ]]; then
    check "both libraries are preloaded: allocations are counted" \
        grep -qzE '"allocations_per_op": \{[^}]*"median": [0-9]' "$scratch/result.json"
fi
measure "--loop=exec:$slowed/loopbench-sut-epoll" --reference=epoll
check_equal "a run of the slower loop by its path: $said" "$status" 0
measure --loop=epoll \
    --driver-prefix="env LD_PRELOAD=$library LOOPBENCH_INJECTED_PERCENT=300"
check_equal "a run with a slow driver: $said" "$status" 0

for percent in '' 5% -1 many; do
    status_of env LD_PRELOAD="$library" LOOPBENCH_INJECTED_PERCENT="$percent" true
    check_equal "'$percent' percent end by SIGABRT" "$status" 134
    check_contains "'$percent' percent are refused" "$said" "is '$percent'; give a number"
    status_of "$source_dir/scripts/inject" "$percent" "$bin/loopbench-sut-epoll" "$slowed"
    check_equal "the script takes no '$percent' percent" "$status" 2
done
status_of "$source_dir/scripts/inject" 2 "$bin/loopbench-sut-nobody" "$slowed"
check_equal "there is no such SUT" "$status" 2
status_of "$source_dir/scripts/inject" 2 "$bin/loopbench-sut-epoll" "$bin"
check_equal "the SUT is not overwritten by its own wrapper" "$status" 2
check "the SUT is a program still" "$bin/loopbench-sut-epoll" <<<'{"type": "quit"}'
finish
