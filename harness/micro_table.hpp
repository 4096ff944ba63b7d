#pragma once

#include <string>

#include "harness/micro_result.hpp"

namespace loopbench {

/// A result of Google Benchmark's as the table that it prints itself.
std::string format_micro_table(const BenchmarkJson& result);

}  // namespace loopbench
