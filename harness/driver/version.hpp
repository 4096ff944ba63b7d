#pragma once

namespace loopbench::driver {

/// The driver's own version. It changes whenever the load on the server changes: what is sent in
/// what order and pieces, when the driver sleeps and wakes, which system calls it makes, what a
/// latency is. Recorded baselines then become incomparable and are refused, so it is never changed
/// lightly, and always in the same commit as such a change.
inline constexpr const char* driver_version = "1";

}  // namespace loopbench::driver
