#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

namespace loopbench {

/// A log-linear histogram of unsigned 64-bit values, nanoseconds in this project.
///
/// Values below 256 have a bucket each; from there every power of two is divided into 128 buckets
/// of equal width. A bucket's width is therefore at most 1/128 of its lowest value: every quantile
/// is at least the true order statistic and exceeds it by at most 0.79%. The whole range of
/// `std::uint64_t` is covered, so nothing is clipped. Recording is O(1) and allocates nothing;
/// histograms merge without loss, because the geometry is fixed.
///
/// An object takes 58 KiB, of which recording touches only the lines in use. It is not
/// synchronised: one thread at a time.
class Histogram {
  public:
    /// Each power of two is divided into 2^sub_bits buckets.
    static constexpr unsigned sub_bits = 7;
    /// The largest excess of a reported quantile over the true value, as a fraction of it.
    static constexpr double max_relative_error = 1.0 / (1U << sub_bits);
    /// Number of buckets that cover all of `std::uint64_t`.
    static constexpr std::size_t bucket_count = (64 - sub_bits + 1) << sub_bits;

    Histogram();

    /// Adds `value` `count` times.
    void record(std::uint64_t value, std::uint64_t count = 1);

    /// Adds everything in `other`. Throws `std::overflow_error`, leaving this one as it was, if the
    /// total would exceed 64 bits (possible only with a foreign histogram).
    void merge(const Histogram& other);

    /// Forgets everything; keeps the memory.
    void clear();

    std::uint64_t count() const { return total_; }
    /// The smallest and the largest value, exact. Only with `count() > 0`.
    std::uint64_t min() const;
    std::uint64_t max() const;
    /// The mean, each value taken as the middle of its bucket: within 0.4% of the true mean.
    /// Only with `count() > 0`.
    double mean() const;

    /// The quantile at `q` in [0, 1]: HdrHistogram's definition. It is the highest value equivalent
    /// to (in the bucket of) the order statistic of rank ceil(q * count), at least rank 1, but
    /// never above the exact maximum. Only with `count() > 0`; see `percentile` for figures that
    /// are reported.
    std::uint64_t value_at_quantile(double q) const;

    /// The quantile at `q`, or nothing with fewer than 10/(1-q) samples: with fewer, less than ten
    /// values are expected beyond it, and it is a statement about those few.
    std::optional<double> percentile(double q) const;

    /// How many samples `percentile(q)` needs, for `q` in [0, 1).
    static std::uint64_t samples_needed(double q);

    /// `{"sub_bits": 7, "counts": [[bucket, count], …], "min", "max"}` with the buckets in
    /// ascending order and none that is empty; no `min` and `max` when there are no values.
    ///
    /// The bucket of a value below 256 is the value. Otherwise, with s = floor(log2(value)) - 7, it
    /// is 128 * s + (value >> s).
    nlohmann::json to_json() const;

    /// Reads what `to_json` or a foreign SUT wrote. Without `min` or `max` the bounds of the first
    /// and the last bucket stand in for them. Throws `std::invalid_argument`, saying what is wrong,
    /// for another geometry, a bucket out of range or order, a count that is not a positive
    /// integer, a total beyond 64 bits, or a minimum or maximum outside its bucket.
    static Histogram from_json(const nlohmann::json& json);

    bool operator==(const Histogram&) const = default;

  private:
    std::vector<std::uint64_t> counts_;
    std::uint64_t total_ = 0;
    std::uint64_t min_ = UINT64_MAX;
    std::uint64_t max_ = 0;
};

}  // namespace loopbench
