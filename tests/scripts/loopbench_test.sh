#!/usr/bin/env bash
# scripts/loopbench: builds when something has changed, stays silent otherwise, and leaves
# arguments, input, output, exit code and the working directory to the program.
set -uo pipefail
source_dir=$1 # for support.sh
# shellcheck source=tests/scripts/support.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/support.sh"
export LOOPBENCH_SKIP_SETUP=1

checkout="$scratch/a checkout"
make_checkout "$checkout"
mkdir "$scratch/elsewhere"
cd "$scratch/elsewhere" || exit 1

# run ARGUMENT…: fills out, err and status.
run() {
    out=$(printf 'input' | "$checkout/scripts/loopbench" "$@" 2>"$scratch/err")
    status=$?
    err=$(<"$scratch/err")
}

run 'one argument' '' '*'
check_equal 'first run: stdout is the program'"'"'s alone' "$out" '<one argument><><*>input'
check_equal 'first run: the exit code is the program'"'"'s' "$status" 4
check_equal 'first run: one line a step on stderr' "$err" \
    $'Configuring loopbench (release)…\nBuilding loopbench (release)…'
check_equal 'nothing is written to the working directory' "$(ls -A)" ''

run again
check_equal 'second run: the program is run' "$out" '<again>input'
check_equal 'second run: nothing to say' "$err" ''

ln -s "$checkout/scripts/loopbench" "$scratch/link"
check_equal 'through a symbolic link' "$("$scratch/link" linked 2>&1 </dev/null)" '<linked>'

sed -i 's/<%s>/[%s]/' "$checkout/main.cpp"
run changed
check_equal 'a changed source is built' "$out" '[changed]input'
check_equal 'a changed source: one line' "$err" 'Building loopbench (release)…'

echo '#error deliberate' >>"$checkout/main.cpp"
run broken
check_equal 'a broken build is none of the program'"'"'s exit codes' "$status" 125
check_equal 'a broken build leaves stdout alone' "$out" ''
check_contains 'a broken build shows the error' "$err" 'error: #error deliberate'
sed -i '$d' "$checkout/main.cpp"

# Both start on a build that has everything to do.
rm -rf "$checkout/build"
"$checkout/scripts/loopbench" first </dev/null >"$scratch/first" 2>/dev/null &
"$checkout/scripts/loopbench" second </dev/null >"$scratch/second" 2>/dev/null
wait
check_equal 'two at the same time: the first' "$(<"$scratch/first")" '[first]'
check_equal 'two at the same time: the second' "$(<"$scratch/second")" '[second]'

cp -a "$checkout" "$scratch/moved"
rm -rf "$checkout"
check_equal 'a checkout that was moved with its build' \
    "$("$scratch/moved/scripts/loopbench" moved </dev/null 2>/dev/null)" '[moved]'

cmake --install "$scratch/moved/build/release" --prefix "$scratch/prefix" >/dev/null
check 'the program is installed' test -x "$scratch/prefix/bin/loopbench"
check 'the helper is installed for it to find' \
    test -x "$scratch/prefix/libexec/loopbench/loopbench-sut-none"

finish
