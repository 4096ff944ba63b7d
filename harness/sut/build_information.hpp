#pragma once

namespace loopbench {

/// How this program was built.
struct BuildInformation {
    const char* compiler;    ///< "GCC 12.2.0"
    const char* flags;       ///< those of the build type
    bool assertions;         ///< `assert` is compiled in
    const char* sanitizers;  ///< as in -fsanitize=…; empty for none
};

extern const BuildInformation build_information;

}  // namespace loopbench
