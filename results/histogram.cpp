#include "results/histogram.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string_view>

namespace loopbench {
namespace {

constexpr unsigned bits = Histogram::sub_bits;

/// By how far the values of a bucket are shifted: its width is 2^shift.
unsigned shift_of_value(std::uint64_t value) {
    const auto width = static_cast<unsigned>(std::bit_width(value));
    return width <= bits + 1 ? 0 : width - bits - 1;
}

std::size_t bucket_of(std::uint64_t value) {
    const unsigned shift = shift_of_value(value);
    // The shifted value keeps its leading one, which is why each octave starts where the one
    // before it ended.
    return (static_cast<std::size_t>(shift) << bits) + static_cast<std::size_t>(value >> shift);
}

unsigned shift_of_bucket(std::size_t bucket) {
    const auto octave = static_cast<unsigned>(bucket >> bits);
    return octave == 0 ? 0 : octave - 1;
}

std::uint64_t lowest_in(std::size_t bucket) {
    const unsigned shift = shift_of_bucket(bucket);
    return static_cast<std::uint64_t>(bucket - (static_cast<std::size_t>(shift) << bits)) << shift;
}

std::uint64_t highest_in(std::size_t bucket) {
    return lowest_in(bucket) + ((std::uint64_t{1} << shift_of_bucket(bucket)) - 1);
}

[[noreturn]] void reject(std::string_view why) {
    throw std::invalid_argument(fmt::format("histogram: {}", why));
}

std::uint64_t unsigned_field(const nlohmann::json& json, const char* key) {
    const auto field = json.find(key);
    if (field == json.end() || !field->is_number_unsigned()) {
        reject(fmt::format("\"{}\" must be an integer of at least 0", key));
    }
    return field->get<std::uint64_t>();
}

/// One `[bucket, count]` of the sparse array, checked by itself.
std::pair<std::size_t, std::uint64_t> sparse_entry(const nlohmann::json& entry) {
    if (!entry.is_array() || entry.size() != 2 || !entry[0].is_number_unsigned() ||
        !entry[1].is_number_unsigned()) {
        reject("each of \"counts\" must be [bucket, count], integers of at least 0");
    }
    const auto bucket = entry[0].get<std::uint64_t>();
    const auto count = entry[1].get<std::uint64_t>();
    if (bucket >= Histogram::bucket_count) {
        reject(
            fmt::format("bucket {} is beyond the last, {}", bucket, Histogram::bucket_count - 1));
    }
    if (count == 0) reject(fmt::format("bucket {} is listed with a count of 0", bucket));
    return {static_cast<std::size_t>(bucket), count};
}

}  // namespace

Histogram::Histogram() : counts_(bucket_count, 0) {}

void Histogram::record(std::uint64_t value, std::uint64_t count) {
    if (count == 0) return;
    counts_[bucket_of(value)] += count;
    total_ += count;
    min_ = std::min(min_, value);
    max_ = std::max(max_, value);
}

void Histogram::merge(const Histogram& other) {
    if (other.total_ > std::numeric_limits<std::uint64_t>::max() - total_) {
        throw std::overflow_error("histogram: the merged count exceeds 64 bits");
    }
    std::transform(counts_.begin(), counts_.end(), other.counts_.begin(), counts_.begin(),
                   std::plus<>{});
    total_ += other.total_;
    min_ = std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
}

void Histogram::clear() {
    std::fill(counts_.begin(), counts_.end(), 0);
    total_ = 0;
    min_ = std::numeric_limits<std::uint64_t>::max();
    max_ = 0;
}

std::uint64_t Histogram::min() const {
    assert(total_ > 0);
    return min_;
}

std::uint64_t Histogram::max() const {
    assert(total_ > 0);
    return max_;
}

double Histogram::mean() const {
    assert(total_ > 0);
    double sum = 0;
    for (std::size_t bucket = bucket_of(min_); bucket <= bucket_of(max_); ++bucket) {
        if (counts_[bucket] == 0) continue;
        const double low = static_cast<double>(std::max(lowest_in(bucket), min_));
        const double high = static_cast<double>(std::min(highest_in(bucket), max_));
        sum += static_cast<double>(counts_[bucket]) * (low + (high - low) / 2);
    }
    return sum / static_cast<double>(total_);
}

std::uint64_t Histogram::value_at_quantile(double q) const {
    assert(total_ > 0 && q >= 0 && q <= 1);
    if (q == 1) return max_;
    // q * total may come out one unit in the last place above an exact integer, and rounding that
    // up would skip a whole rank. HdrHistogram steps back by the same unit.
    const double exact = q * static_cast<double>(total_);
    const double rank = std::ceil(std::nextafter(exact, 0.0));
    const std::uint64_t wanted = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(rank));
    std::uint64_t reached = 0;
    const std::size_t last = bucket_of(max_);
    for (std::size_t bucket = bucket_of(min_); bucket < last; ++bucket) {
        reached += counts_[bucket];
        if (reached >= wanted) return highest_in(bucket);
    }
    return max_;
}

std::optional<double> Histogram::percentile(double q) const {
    assert(q >= 0 && q <= 1);
    if (q >= 1 || total_ < samples_needed(q)) return std::nullopt;
    return static_cast<double>(value_at_quantile(q));
}

std::uint64_t Histogram::samples_needed(double q) {
    assert(q >= 0 && q < 1);
    // 1 - 0.9 is not 0.1 in binary: without the slack the 90th percentile would need 101 samples.
    return static_cast<std::uint64_t>(std::ceil(10.0 / (1.0 - q) * (1 - 1e-9)));
}

nlohmann::json Histogram::to_json() const {
    nlohmann::json counts = nlohmann::json::array();
    for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
        if (counts_[bucket] != 0) counts.push_back({bucket, counts_[bucket]});
    }
    nlohmann::json json = {{"sub_bits", sub_bits}, {"counts", std::move(counts)}};
    if (total_ > 0) {
        json["min"] = min_;
        json["max"] = max_;
    }
    return json;
}

Histogram Histogram::from_json(const nlohmann::json& json) {
    if (!json.is_object()) reject("must be an object");
    if (unsigned_field(json, "sub_bits") != sub_bits) {
        reject(fmt::format("\"sub_bits\" must be {}", sub_bits));
    }
    const auto counts = json.find("counts");
    if (counts == json.end() || !counts->is_array()) reject("\"counts\" must be an array");

    Histogram histogram;
    std::optional<std::size_t> last;
    for (const auto& element : *counts) {
        const auto [bucket, count] = sparse_entry(element);
        if (last && bucket <= *last) reject("\"counts\" must be in ascending order of bucket");
        if (count > std::numeric_limits<std::uint64_t>::max() - histogram.total_) {
            reject("the total count exceeds 64 bits");
        }
        histogram.counts_[bucket] = count;
        histogram.total_ += count;
        last = bucket;
    }
    if (!last) {
        if (json.contains("min") || json.contains("max")) {
            reject("\"min\" and \"max\" must be absent when there are no values");
        }
        return histogram;
    }
    const std::size_t first = counts->front()[0].get<std::size_t>();
    histogram.min_ = json.contains("min") ? unsigned_field(json, "min") : lowest_in(first);
    histogram.max_ = json.contains("max") ? unsigned_field(json, "max") : highest_in(*last);
    if (bucket_of(histogram.min_) != first || bucket_of(histogram.max_) != *last ||
        histogram.min_ > histogram.max_) {
        reject("\"min\" and \"max\" must lie in the first and the last bucket");
    }
    return histogram;
}

}  // namespace loopbench
