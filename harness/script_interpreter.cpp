#include "harness/script_interpreter.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

namespace loopbench {
namespace {

/// The interpreter that the first line of a script names; empty when it is no script.
std::string interpreter_of(const std::string& program) {
    std::ifstream file(program);
    std::string line;
    if (!std::getline(file, line) || !line.starts_with("#!")) return {};
    const std::size_t begin = line.find_first_not_of(" \t", 2);
    if (begin == std::string::npos) return {};
    const std::size_t end = line.find_first_of(" \t", begin);
    return line.substr(begin, end - begin);
}

}  // namespace

std::string why_not_started(const std::string& program, std::error_code error) {
    const std::string interpreter = interpreter_of(program);
    std::error_code ignored;
    if (error != std::errc::no_such_file_or_directory || interpreter.empty() ||
        std::filesystem::exists(interpreter, ignored)) {
        return error.message();
    }
    return fmt::format("{} is a script for {}, which is missing; install that interpreter", program,
                       interpreter);
}

}  // namespace loopbench
