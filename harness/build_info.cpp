#include "harness/build_info.hpp"

namespace loopbench {

std::string build_version() {
    return LOOPBENCH_VERSION;
}

std::string build_commit() {
    return LOOPBENCH_COMMIT;
}

std::string build_compiler() {
#ifdef __clang__
    return "Clang " __clang_version__;
#else
    return "GCC " __VERSION__;
#endif
}

std::string build_flags() {
    return LOOPBENCH_FLAGS;
}

}  // namespace loopbench
