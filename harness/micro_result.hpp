#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace loopbench {

/// Google Benchmark's JSON, its keys in the order in which it writes them.
using BenchmarkJson = nlohmann::ordered_json;

/// Reads what a program of Google Benchmark's printed. That may hold a bare NaN or Infinity, which
/// no JSON reader takes: they become null. Throws nlohmann::json::parse_error.
BenchmarkJson parse_benchmark_output(std::string_view text);

/// What the processes of `loopbench micro` printed, each of one repetition: by loop, then by
/// repetition.
using MicroTurns = std::vector<std::vector<BenchmarkJson>>;

/// Makes one result in Google Benchmark's schema of them: every benchmark's repetitions, followed
/// by their mean, median, standard deviation and coefficient of variation when there are two or
/// more. Families are numbered anew, and the loops of a primitive stand together. Throws
/// std::runtime_error when the repetitions of a loop do not hold the same benchmarks.
BenchmarkJson merge_turns(const MicroTurns& turns);

/// A result without its single repetitions, where it has aggregates in their place.
BenchmarkJson aggregates_only(const BenchmarkJson& result);

/// The errors of benchmarks that could not be run: "epoll/read_byte: accept4: …".
std::vector<std::string> benchmark_errors(const BenchmarkJson& result);

}  // namespace loopbench
