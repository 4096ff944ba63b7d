#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "harness/system_files.hpp"

namespace loopbench {

/// A directory that stands for the root of a machine, with the files that a test writes; removed
/// with this object.
class FakeRoot {
  public:
    FakeRoot() {
        std::string name = std::filesystem::temp_directory_path() / "loopbench-root-XXXXXX";
        path_ = mkdtemp(name.data());
    }
    ~FakeRoot() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    FakeRoot(const FakeRoot&) = delete;
    FakeRoot& operator=(const FakeRoot&) = delete;

    void write(const std::string& path, const std::string& text) const {
        const std::filesystem::path file = path_ / path.substr(1);
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file) << text;
    }
    SystemFiles files() const { return SystemFiles(path_); }

  private:
    std::filesystem::path path_;
};

}  // namespace loopbench
