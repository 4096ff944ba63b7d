#!/usr/bin/env bash
# What a slow driver does to verdicts: in split placement, where it sets the pace, there is none on
# throughput; in lockstep, where it takes turns with the SUT, it does not make a server differ from
# itself.
#
#   slow_driver_test.sh CHECKOUT BIN
set -euo pipefail
source_dir=$1 bin=$2
# shellcheck source=tests/scripts/support.sh
source "$source_dir/tests/scripts/support.sh"
slow="env LD_PRELOAD=$bin/libloopbench-injection.so LOOPBENCH_INJECTED_PERCENT=400"
result=$scratch/result.json

# ask FILTER: what Python makes of the result's JSON, bound to `r`.
ask() { python3 -c "import json, sys; r = json.load(open('$result')); print($1)"; }

if (($(nproc) > 1)); then
    for _ in 1 2 3; do
        "$bin/loopbench" compare --loops=epoll --reference=bare --workloads=echo --placement=split \
            --metrics=throughput --blocks=8 --slices=2 --slice-ms=10 --driver-prefix="$slow" \
            --no-progress --json="$result" >"$scratch/table" 2>&1 || true
        grep -q 'slices were disturbed' "$scratch/table" || break
    done
    verdict=$(ask "[c['verdict'] for c in r['comparisons'] if c['metric'] == 'throughput'][0]")
    if grep -q 'slices were disturbed' "$scratch/table"; then
        verdict=${verdict/#unclear: *blocks*/unclear: generator-bound}  # too few blocks were left
    fi
    check_equal "a saturated driver gives no verdict: $(<"$scratch/table")" \
        "$verdict" "unclear: generator-bound"
fi

# Only the judged build's driver is slow.
cat >"$scratch/prefix" <<PREFIX
#!/bin/sh
case \$LOOPBENCH_ARM in
*again*) exec "\$@" ;;
*) exec $slow "\$@" ;;
esac
PREFIX
chmod +x "$scratch/prefix"
"$bin/loopbench" gate --aa --metrics=cpu_ns_per_op --margin=cpu_ns_per_op=50 --blocks=14 \
    --slices=20 --driver-prefix="$scratch/prefix" --no-progress --json="$result" \
    >"$scratch/table" 2>&1 || true
check_equal "a slow driver makes no slow server: $(<"$scratch/table")" \
    "$(ask "r['gate']['decision'] == 'REGRESSION'")" False
check "one driver was slow" python3 - "$result" <<'PYTHON'
import json, statistics, sys

driver = {
    case["arm"]: statistics.median(s["driver_cpu_ns"] / s["operations"] for s in case["samples"])
    for case in json.load(open(sys.argv[1]))["cases"]
}
sys.exit(0 if driver["epoll"] > 2 * driver["epoll (again)"] else f"ns an operation: {driver}")
PYTHON
finish
