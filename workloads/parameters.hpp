#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "loops/description.hpp"
#include "loops/endpoint.hpp"

namespace loopbench {

/// Reads the typed parameters of a workload from the `params` of a `setup`. One that is missing has
/// its default, one that nobody asks for is ignored. Every function throws `WorkloadError` that
/// names the parameter, its value, and what would do.
class ParameterReader {
  public:
    /// `params` stays valid as long as the reader.
    explicit ParameterReader(const nlohmann::json& params);

    /// A whole number from `least` to `most`.
    std::uint64_t number(std::string_view name, std::uint64_t preset, std::uint64_t least,
                         std::uint64_t most) const;
    bool flag(std::string_view name, bool preset) const;
    std::string text(std::string_view name, std::string_view preset) const;
    /// The index in `choices` of a text; the first is the default.
    std::size_t choice(std::string_view name, std::span<const std::string_view> choices) const;

    /// Throws for a value that was read as text but means nothing.
    [[noreturn]] static void reject(std::string_view name, std::string_view value,
                                    std::string_view what_would_do);

  private:
    const nlohmann::json* find(std::string_view name) const;

    const nlohmann::json& params_;
};

/// How a socket workload uses its streams.
enum class Api : std::uint8_t { push, pull, task };

/// The parameters of the socket workloads.
struct SocketParameters {
    std::uint32_t connections = 64;
    std::uint32_t active = 64;  ///< connections that carry messages, of `connections`
    std::uint64_t size = 64;    ///< bytes of a message
    std::uint64_t stream = 0;   ///< fan-in: bytes a sender and round; 0: one message
    Api api = Api::push;
    std::size_t read_buffer = 64 * 1024;  ///< bytes read at once at the most
    ListenOptions listen;
};

SocketParameters socket_parameters(const nlohmann::json& params);

/// What of the parameters is a matter of the loop: `read_buffer` and `poll_interval`.
LoopOptions loop_options(const nlohmann::json& params);

}  // namespace loopbench
