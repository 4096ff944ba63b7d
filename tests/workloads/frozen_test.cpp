// The yardsticks are frozen: recorded baselines are ratios to them, so that they must stay what
// they were, to the byte.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace loopbench {
namespace {

/// FNV-1a of 64 bits over names and contents, in the order of the names.
std::uint64_t digest(std::vector<std::filesystem::path> files) {
    std::sort(files.begin(), files.end());
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const auto& file : files) {
        std::ifstream stream(file, std::ios::binary);
        const std::string text{std::istreambuf_iterator<char>(stream), {}};
        EXPECT_FALSE(text.empty()) << file;
        for (const char each : file.filename().string() + '\0' + text) {
            hash = (hash ^ static_cast<unsigned char>(each)) * 0x100000001b3;
        }
    }
    return hash;
}

class Frozen : public testing::Test {
  protected:
    Frozen() {
        for (const auto& entry : std::filesystem::directory_iterator(LOOPBENCH_TEST_FROZEN)) {
            const bool yardstick = entry.path().filename() == "normaliser.hpp";
            (yardstick ? normaliser_ : bare_).push_back(entry.path());
        }
    }
    std::vector<std::filesystem::path> bare_;
    std::vector<std::filesystem::path> normaliser_;
};

// When one of these fails, take the change back, or give what was changed a new name (a new
// directory, a new reference) and leave the old one as it was. Never adapt the number: every
// baseline that somebody has recorded would be compared with another yardstick, and nobody would be
// told.

TEST_F(Frozen, BareIsWhatItWas) {
    EXPECT_EQ(digest(bare_), 9341819711990315000U);
}

TEST_F(Frozen, NormaliserIsWhatItWas) {
    EXPECT_EQ(digest(normaliser_), 8171130454732570000U);
}

}  // namespace
}  // namespace loopbench
