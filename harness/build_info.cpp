#include "harness/build_info.hpp"

#include "build_commit.hpp"

#include <sstream>

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

std::vector<LeftOut> left_out() {
    std::istringstream pairs(LOOPBENCH_LEFT_OUT);
    std::vector<LeftOut> all;
    for (LeftOut one; pairs >> one.name >> one.package;) all.push_back(one);
    return all;
}

}  // namespace loopbench
