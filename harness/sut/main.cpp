#include LOOPBENCH_HOST_HEADER

#include "harness/sut/session.hpp"

int main() {
    return loopbench::run_sut(loopbench::host_type<LOOPBENCH_HOST>, 0, 1);
}
