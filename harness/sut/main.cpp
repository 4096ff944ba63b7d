#include LOOPBENCH_LOOP_HEADER

#include "harness/sut/session.hpp"

int main() {
    return loopbench::run_sut<LOOPBENCH_LOOP>(0, 1);
}
