#include "harness/shell_words.hpp"

#include <fmt/format.h>
#include <wordexp.h>

#include "harness/errors.hpp"

namespace loopbench {

std::vector<std::string> split_shell_words(std::string_view flag, const std::string& text) {
    wordexp_t expanded{};
    const int error = wordexp(text.c_str(), &expanded, WRDE_NOCMD);
    std::vector<std::string> words;
    if (error == 0) {
        words.assign(expanded.we_wordv, expanded.we_wordv + expanded.we_wordc);
        wordfree(&expanded);
    }
    if (words.empty()) {
        throw UsageError(
            fmt::format("{}={}: that is no command; give a program and its arguments, "
                        "such as {}=\"taskset -c 1\"",
                        flag, text, flag));
    }
    return words;
}

}  // namespace loopbench
