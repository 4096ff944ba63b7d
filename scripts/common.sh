# shellcheck shell=bash

# What the scripts share: where the checkout is, how a step reports, how a preset is built. Sourced,
# never run. Everything that is said here goes to stderr, because stdout belongs to the program run.

root=$(readlink -f -- "${BASH_SOURCE[0]}")
root=${root%/scripts/*}

# What a failed step exits with; a script whose own exit code means something else sets its own.
failure_status=${failure_status:-1}

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "$@"
    exit "$failure_status"
}

# likely_cause LOG: the cause and the remedy of the failures that are met in practice, one line.
likely_cause() {
    local log=$1
    seen() { grep -qE "$1" "$log"; }
    if seen 'No space left on device'; then
        say "Likely cause: the disk is full. Free some space (df -h), then run this again."
    elif seen 'Packages need to be removed but remove is disabled'; then
        say "Likely cause: a package conflicts with one that is installed (Boost 1.81 with 1.74," \
            "say). Nothing was changed. To let apt replace it: apt-get install ${missing[*]:-}"
    elif seen 'Could not get lock|Unable to acquire the dpkg'; then
        say "Likely cause: another apt or dpkg is running. Wait for it to end, then run this again."
    elif seen 'dpkg was interrupted'; then
        say "Likely cause: an earlier installation was cut short. Run: dpkg --configure -a"
    elif seen 'self.signed certificate|unable to (get|verify).*(issuer|certificate)'; then
        say "Likely cause: a proxy whose certificate npm does not know. Name its file in" \
            "NODE_EXTRA_CA_CERTS, then run this again."
    elif seen 'failure resolving|Could not (resolve|connect)|Failed to fetch' ||
        seen 'Network is unreachable|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED'; then
        say "Likely cause: no network. Check that the package server can be reached (http_proxy," \
            "if there is a proxy), then run this again."
    elif seen 'Unable to locate package|no installation candidate'; then
        say "Likely cause: this release does not have the package, or its lists leave out the" \
            "component main. Debian 12 or newer is needed."
    elif seen 'Killed signal terminated program|annot allocate memory|memory exhausted'; then
        say "Likely cause: not enough memory for the compiler. Free some, then run this again."
    fi
}

# step LOG TITLE COMMAND…: says TITLE and runs COMMAND with its output added to LOG. When it fails,
# shows LOG from its first error (or its end), names the likely cause and exits.
step() {
    local log=$1 title=$2 status=0 first error='(^|[^-[:alnum:]_])(error|Error):|^CMake Error'
    shift 2
    say "$title…"
    "$@" >>"$log" 2>&1 </dev/null || status=$?
    if ((status == 0)); then return; fi
    say "That failed with exit code $status. From $log:"
    first=$(grep -nE -m1 "$error" "$log" | cut -d: -f1) || first=
    if [[ -n $first ]]; then
        tail -n "+$first" "$log" | head -n 25 | sed 's/^/    /' >&2
    else
        tail -n 12 "$log" | sed 's/^/    /' >&2
    fi
    likely_cause "$log"
    exit "$failure_status"
}

# take_lock NAME: waits until no other script holds build/NAME.lock, and holds it until drop_lock.
# Programs that a step starts inherit it: a build that outlives its script still keeps others out.
take_lock() {
    mkdir -p "$root/build"
    exec 9>"$root/build/$1.lock"
    flock --nonblock 9 && return
    say "Waiting for another script that holds $root/build/$1.lock…"
    flock 9
}

drop_lock() { exec 9>&-; }

# configured_as: what a configuration depends on beyond what ninja watches by itself: the place of
# the checkout, which a copied build directory gets wrong, and the presets, which only cmake reads.
configured_as() { printf '%s\n%s' "$root" "$(<"$root/CMakePresets.json")"; }

# is_configured PRESET
is_configured() {
    local stamp=$root/build/$1/.configured-as
    [[ -e $root/build/$1/build.ninja && -e $stamp && $(<"$stamp") == "$(configured_as)" ]]
}

# configure PRESET [CMAKE ARGUMENT…]: the lock of the preset is held.
configure() {
    local preset=$1 dir=$root/build/$1 fresh=()
    shift
    # What was found for other presets, or in another place, is not to be remembered.
    if [[ -e $dir/CMakeCache.txt ]] && ! is_configured "$preset"; then fresh=(--fresh); fi
    mkdir -p "$dir"
    rm -f "$dir/.configured-as"
    : >"$dir/build.log"
    step "$dir/build.log" "Configuring loopbench ($preset)" \
        cmake -S "$root" --preset "$preset" "${fresh[@]}" "$@"
    configured_as >"$dir/.configured-as"
}

# build PRESET TARGET: says nothing when nothing has changed. The lock of the preset is held.
build() {
    local preset=$1 target=$2 dir=$root/build/$1
    # The dry run costs a few milliseconds and knows whether there is anything to tell.
    [[ $(ninja -C "$dir" -n "$target" 2>&1) == *"ninja: no work to do."* ]] && return
    : >"$dir/build.log"
    step "$dir/build.log" "Building loopbench ($preset)" ninja -C "$dir" -j "$(nproc)" "$target"
}
