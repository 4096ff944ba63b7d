#include "harness/sut/build_information.hpp"

namespace loopbench {

const BuildInformation build_information{
#ifdef __clang__
    .compiler = __VERSION__,  // begins with the compiler's name
#else
    .compiler = "GCC " __VERSION__,
#endif
    .flags = LOOPBENCH_BUILD_FLAGS,
#ifdef NDEBUG
    .assertions = false,
#else
    .assertions = true,
#endif
    .sanitizers = LOOPBENCH_SANITIZERS,
};

}  // namespace loopbench
