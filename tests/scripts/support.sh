# shellcheck shell=bash

# What the tests of the scripts share: a throw-away checkout of the scripts themselves around a
# program of a few lines, and checks that say what they expected. Sourced with `source_dir` set to
# the checkout under test.

: "${source_dir:?}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

failures=0

# check WHAT COMMAND…: COMMAND succeeds.
check() {
    local what=$1
    shift
    if "$@"; then return; fi
    printf 'FAILED: %s\n  %s\n' "$what" "$*"
    failures=$((failures + 1))
}

# check_equal WHAT ACTUAL EXPECTED
check_equal() {
    [[ $2 == "$3" ]] && return
    printf 'FAILED: %s\n  is:        %q\n  should be: %q\n' "$1" "$2" "$3"
    failures=$((failures + 1))
}

# check_contains WHAT TEXT PART
check_contains() {
    [[ $2 == *"$3"* ]] && return
    printf 'FAILED: %s\n  is:             %q\n  should contain: %q\n' "$1" "$2" "$3"
    failures=$((failures + 1))
}

finish() {
    ((failures == 0)) || exit 1
    echo "all checks passed"
    exit 0
}

# make_checkout DIR: the scripts, presets and CMake modules under test; a `loopbench` that prints
# its arguments and its input.
make_checkout() {
    mkdir -p "$1"
    cp -R "$source_dir/scripts" "$source_dir/cmake" "$source_dir/CMakePresets.json" "$1"
    cat >"$1/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(loopbench LANGUAGES CXX)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
include(cmake/LoopbenchTargets.cmake)
add_executable(loopbench main.cpp)
add_executable(loopbench-sut-none main.cpp)
loopbench_install_program(loopbench)
loopbench_install_helper(loopbench-sut-none)
CMAKE
    cat >"$1/main.cpp" <<'CPP'
#include <cstdio>
int main(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) std::printf("<%s>", argv[i]);
    for (int c = std::getchar(); c != EOF; c = std::getchar()) std::putchar(c);
    return argc;
}
CPP
}
