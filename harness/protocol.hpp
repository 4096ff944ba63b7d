#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

namespace loopbench {

/// The version of the control protocol that the harness speaks (docs/protocol.md).
inline constexpr int protocol_version = 1;

/// harness/protocol.schema.json, embedded when the harness was built.
extern const std::string_view protocol_schema_text;

/// A line that is not what the protocol allows; the text says what is wrong with it.
class ProtocolViolation : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// Reads one answer and checks it against the schema: of type `expected`, or of type `error`.
/// Throws ProtocolViolation otherwise, and for a description of another protocol version.
nlohmann::json read_answer(std::string_view line, std::string_view expected);

}  // namespace loopbench
