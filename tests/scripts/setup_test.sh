#!/usr/bin/env bash
# scripts/setup, against a machine made of a PATH: nothing is installed here, apt-get is one of the
# things that are made up.
set -uo pipefail
source_dir=$1 # for support.sh
# shellcheck source=tests/scripts/support.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/support.sh"
if [[ -n ${LOOPBENCH_SKIP_SETUP:-} ]]; then
    echo 'skipped: the libraries of this machine are not where scripts/setup would put them'
    exit 77
fi

checkout=$scratch/checkout
make_checkout "$checkout"
setup=$checkout/scripts/setup

# The machine as it is has what this project was built with.
out=$("$setup" --check 2>&1)
check_equal 'check: nothing is missing, exit code' $? 0
check_equal 'check: nothing is missing, silent' "$out" ''
check_equal 'an unknown argument is refused' "$("$setup" --chekc >/dev/null 2>&1; echo $?)" 2

# A machine of this PATH: without cmake.
bin=$scratch/bin
mkdir "$bin"
for program in bash env readlink dirname mkdir flock id grep cut head tail sed cmp cat \
    g++ ninja pkg-config git python3; do
    ln -s "$(type -P $program)" "$bin/$program"
done
# fake NAME: makes NAME of the standard input.
fake() {
    rm -f "$bin/$1"
    cat >"$bin/$1"
    chmod +x "$bin/$1"
}
on_that_machine() { PATH=$bin "$setup" "$@" </dev/null 2>&1; }

out=$(on_that_machine --check)
check_equal 'check: something is missing, exit code' $? 1
check_equal 'check: says what is missing' "$out" 'cmake'
check 'check: installs nothing' test ! -e "$checkout/build"
check_equal 'LOOPBENCH_SKIP_SETUP takes everything for present' \
    "$(LOOPBENCH_SKIP_SETUP=1 on_that_machine --check; echo $?)" 0

out=$(on_that_machine)
check_equal 'no apt-get: exit code' $? 1
check_contains 'no apt-get: says what is needed' "$out" 'names of Debian'"'"'s packages: cmake'

fake apt-cache </dev/null
fake apt-get <<FAKE
#!/bin/bash
echo "apt-get \$DEBIAN_FRONTEND \$*" >>"$scratch/calls"
[[ "\$*" == *install* ]] && : >"$bin/cmake" && "$(type -P chmod)" +x "$bin/cmake"
exit 0
FAKE
fake id <<<$'#!/bin/bash\necho 1000'
out=$(on_that_machine)
check_equal 'neither root nor sudo: exit code' $? 1
check_contains 'neither root nor sudo: the line to run' "$out" \
    'apt-get update && apt-get install --no-install-recommends cmake'

fake id <<<$'#!/bin/bash\necho 0'
out=$(on_that_machine)
check_equal 'root: exit code' $? 0
check_equal 'root: one line a step' "$out" \
    $'Updating the package lists…\nInstalling 1 Debian package: cmake…'
check_contains 'root: apt-get asks nothing' "$(<"$scratch/calls")" 'apt-get noninteractive -q -y'
check_contains 'root: removes nothing' "$(<"$scratch/calls")" '--no-remove cmake'
check_equal 'afterwards nothing is missing' "$(on_that_machine)" 'Nothing is missing.'

rm "$bin/cmake"
fake apt-get <<'FAKE'
#!/bin/bash
echo "Err:1 http://deb.debian.org Temporary failure resolving 'deb.debian.org'"
exit 100
FAKE
out=$(on_that_machine)
check_equal 'no network: exit code' $? 1
check_contains 'no network: the end of the log is shown' "$out" "    Err:1 http://deb.debian.org"
check_contains 'no network: the cause is named' "$out" 'Likely cause: no network.'

finish
