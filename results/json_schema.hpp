#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace loopbench {

/// A JSON Schema (draft 7), compiled once and used any number of times, by one thread at a time.
class JsonSchema {
  public:
    /// Throws `std::invalid_argument` when `text` is not JSON or not a schema.
    explicit JsonSchema(std::string_view text);
    ~JsonSchema();
    JsonSchema(JsonSchema&&) noexcept;
    JsonSchema& operator=(JsonSchema&&) noexcept;

    /// What is wrong with `json`, as "/path/to/member: what"; empty when it is valid. Types are
    /// strict: "1" is not a number.
    std::vector<std::string> validate(const nlohmann::json& json) const;

  private:
    struct Compiled;  // keeps the validator's templates out of every file that includes this one
    std::unique_ptr<const Compiled> compiled_;
};

}  // namespace loopbench
