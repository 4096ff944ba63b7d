#include "results/statistics.hpp"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/normal.hpp>
#include <cassert>
#include <cmath>
#include <map>
#include <mutex>
#include <numeric>

namespace loopbench {
namespace {

double median_in_place(std::vector<double>& values) {
    assert(!values.empty());
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    if (values.size() % 2 == 1) return *middle;
    const double below = *std::max_element(values.begin(), middle);
    return below + (*middle - below) / 2;
}

std::vector<double> walsh_averages(std::span<const double> values) {
    std::vector<double> averages;
    averages.reserve(values.size() * (values.size() + 1) / 2);
    for (std::size_t i = 0; i < values.size(); ++i) {
        for (std::size_t j = i; j < values.size(); ++j) {
            averages.push_back(values[i] + (values[j] - values[i]) / 2);
        }
    }
    return averages;
}

/// P(S <= s) for s = 0, 1, …, where S sums those of the `weights` whose fair coin shows heads.
/// With the weights 1…n it is the signed-rank statistic W without ties.
std::vector<double> cumulative_sum_distribution(const std::vector<std::size_t>& weights) {
    std::vector<double> probability(1, 1.0);
    for (const std::size_t weight : weights) {
        std::vector<double> next(probability.size() + weight, 0.0);
        for (std::size_t s = 0; s < probability.size(); ++s) {
            next[s] += probability[s] / 2;
            next[s + weight] += probability[s] / 2;
        }
        probability = std::move(next);
    }
    std::partial_sum(probability.begin(), probability.end(), probability.begin());
    return probability;
}

/// P(W <= w) for w = 0, 1, … of n ranks without ties, computed once for each n: a gate asks for few
/// n, and often. Valid for ever.
const std::vector<double>& signed_rank_distribution(std::size_t n) {
    static std::mutex mutex;
    static std::map<std::size_t, std::vector<double>> known;
    const std::lock_guard lock(mutex);
    const auto [entry, is_new] = known.try_emplace(n);
    if (is_new) {
        std::vector<std::size_t> ranks(n);
        std::iota(ranks.begin(), ranks.end(), 1);
        entry->second = cumulative_sum_distribution(ranks);
    }
    return entry->second;
}

/// The k of `signed_rank_interval`, 0 when there is none, and P(W <= k-1).
struct Tail {
    std::size_t k = 0;
    double probability = 0;
};

Tail exact_signed_rank_tail(std::size_t n, double limit) {
    const std::vector<double>& cumulative = signed_rank_distribution(n);
    const auto beyond = std::upper_bound(cumulative.begin(), cumulative.end(), limit);
    const auto k = static_cast<std::size_t>(beyond - cumulative.begin());
    return {k, k == 0 ? 0 : cumulative[k - 1]};
}

Tail normal_signed_rank_tail(std::size_t n, double limit) {
    // W with n ranks has mean n(n+1)/4 and variance n(n+1)(2n+1)/24 ([HW] 3.1).
    const auto count = static_cast<double>(n);
    const boost::math::normal w(count * (count + 1) / 4,
                                std::sqrt(count * (count + 1) * (2 * count + 1) / 24));
    // P(W <= k-1) is the normal probability below k - 1/2.
    const double k = std::floor(quantile(w, limit) + 0.5);
    if (k < 1) return {};
    return {static_cast<std::size_t>(k), cdf(w, k - 0.5)};
}

/// The k-th smallest and the k-th largest value, k from 1.
Interval order_statistics(std::vector<double> values, std::size_t k) {
    const auto low = values.begin() + static_cast<std::ptrdiff_t>(k - 1);
    const auto high = values.end() - static_cast<std::ptrdiff_t>(k);
    std::nth_element(values.begin(), low, values.end());
    if (high > low) std::nth_element(low + 1, high, values.end());
    return {*low, *high};
}

/// The differences from the shift that are not zero, and twice the rank of each one's size among
/// them: twice, since tied ones share a mean rank that may end in one half.
struct SignedRanks {
    std::vector<double> differences;
    std::vector<std::size_t> doubled_ranks;
    bool tied = false;
};

SignedRanks signed_ranks(std::span<const double> values, double shift) {
    SignedRanks result;
    for (const double value : values) {
        if (value != shift) result.differences.push_back(value - shift);
    }
    auto& differences = result.differences;
    const auto by_size = [](double a, double b) { return std::abs(a) < std::abs(b); };
    std::sort(differences.begin(), differences.end(), by_size);
    for (auto first = differences.begin(); first != differences.end();) {
        const auto last = std::upper_bound(first, differences.end(), *first, by_size);
        // Ranks first+1 … last, counted from 0: twice their mean is the sum of the two ends.
        const auto doubled = static_cast<std::size_t>((first - differences.begin()) + 1 +
                                                      (last - differences.begin()));
        result.doubled_ranks.insert(result.doubled_ranks.end(),
                                    static_cast<std::size_t>(last - first), doubled);
        result.tied = result.tied || last - first > 1;
        first = last;
    }
    return result;
}

/// P(S <= sum), S the sum of the doubled ranks that have one given sign.
double lower_tail(const SignedRanks& ranks, std::size_t sum) {
    const std::size_t n = ranks.differences.size();
    if (n <= exact_signed_rank_limit) {
        if (!ranks.tied) return signed_rank_distribution(n)[sum / 2];
        return cumulative_sum_distribution(ranks.doubled_ranks)[sum];
    }
    // Half the sum has mean Σr/2 and variance Σr²/4 over the shared ranks, which is the usual
    // correction of the variance for ties; neighbouring values are 1 apart without ties.
    double mean = 0;
    double variance = 0;
    for (const std::size_t doubled : ranks.doubled_ranks) {
        const double rank = static_cast<double>(doubled) / 2;
        mean += rank / 2;
        variance += rank * rank / 4;
    }
    return cdf(boost::math::normal(mean, std::sqrt(variance)), static_cast<double>(sum) / 2 + 0.5);
}

}  // namespace

double median(std::span<const double> values) {
    std::vector<double> copy(values.begin(), values.end());
    return median_in_place(copy);
}

double standard_deviation(std::span<const double> values) {
    assert(values.size() >= 2);
    const auto n = static_cast<double>(values.size());
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
    double squares = 0;
    for (const double value : values) squares += (value - mean) * (value - mean);
    return std::sqrt(squares / (n - 1));
}

std::optional<ConfidenceInterval> median_interval(std::span<const double> values,
                                                  double confidence) {
    const double limit = (1 - confidence) / 2;
    if (values.empty()) return std::nullopt;
    const boost::math::binomial below(static_cast<double>(values.size()), 0.5);
    Tail tail;
    for (std::size_t k = 1; k <= values.size() / 2; ++k) {
        const double probability = cdf(below, static_cast<double>(k - 1));
        if (probability > limit) break;
        tail = {k, probability};
    }
    if (tail.k == 0) return std::nullopt;
    return ConfidenceInterval{order_statistics({values.begin(), values.end()}, tail.k),
                              1 - 2 * tail.probability};
}

double hodges_lehmann(std::span<const double> values) {
    std::vector<double> averages = walsh_averages(values);
    return median_in_place(averages);
}

std::optional<ConfidenceInterval> signed_rank_interval(std::span<const double> values,
                                                       double confidence) {
    const double limit = (1 - confidence) / 2;
    const Tail tail = values.size() <= exact_signed_rank_limit
                          ? exact_signed_rank_tail(values.size(), limit)
                          : normal_signed_rank_tail(values.size(), limit);
    if (tail.k == 0) return std::nullopt;
    return ConfidenceInterval{order_statistics(walsh_averages(values), tail.k),
                              1 - 2 * tail.probability};
}

std::size_t signed_rank_values_needed(double confidence) {
    assert(confidence > 0 && confidence < 1);
    std::size_t n = 1;
    while (std::ldexp(1.0, -static_cast<int>(n)) > (1 - confidence) / 2) ++n;
    return n;
}

double signed_rank_p_value(std::span<const double> values, double shift, Alternative alternative) {
    const SignedRanks ranks = signed_ranks(values, shift);
    std::size_t positive = 0;
    std::size_t negative = 0;
    for (std::size_t i = 0; i < ranks.differences.size(); ++i) {
        (ranks.differences[i] > 0 ? positive : negative) += ranks.doubled_ranks[i];
    }
    if (positive + negative == 0) return 1;
    // By symmetry the chance of at least so large a positive sum is that of at most so small a
    // negative one; taken as a lower tail it keeps its digits when it is tiny.
    switch (alternative) {
        case Alternative::less:
            return std::min(1.0, lower_tail(ranks, positive));
        case Alternative::greater:
            return std::min(1.0, lower_tail(ranks, negative));
        case Alternative::two_sided:
            break;
    }
    return std::min(1.0, 2 * lower_tail(ranks, std::min(positive, negative)));
}

std::vector<double> holm(std::span<const double> p_values) {
    std::vector<std::size_t> order(p_values.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return p_values[a] < p_values[b]; });
    std::vector<double> adjusted(p_values.size());
    double largest = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
        const auto remaining = static_cast<double>(order.size() - i);
        largest = std::max(largest, std::min(1.0, remaining * p_values[order[i]]));
        adjusted[order[i]] = largest;
    }
    return adjusted;
}

std::optional<double> lag1_autocorrelation(std::span<const double> values) {
    if (values.size() < 3) return std::nullopt;
    const auto [lowest, highest] = std::minmax_element(values.begin(), values.end());
    if (*lowest == *highest) return std::nullopt;
    const double mean =
        std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
    double products = 0;
    double squares = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double deviation = values[i] - mean;
        squares += deviation * deviation;
        if (i + 1 < values.size()) products += deviation * (values[i + 1] - mean);
    }
    return products / squares;
}

std::vector<BlockSum> merge_adjacent(std::span<const BlockSum> blocks) {
    std::vector<BlockSum> merged;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        const bool alone_at_the_end = i + 1 == blocks.size() && !merged.empty();
        if (i % 2 == 0 && !alone_at_the_end) {
            merged.push_back(blocks[i]);
        } else {
            merged.back().amount += blocks[i].amount;
            merged.back().operations += blocks[i].operations;
        }
    }
    return merged;
}

std::optional<std::vector<double>> log_ratios(std::span<const BlockSum> arm,
                                              std::span<const BlockSum> reference) {
    assert(arm.size() == reference.size());
    const auto positive = [](const BlockSum& totals) {
        return totals.amount > 0 && totals.operations > 0;
    };
    std::vector<double> ratios;
    ratios.reserve(arm.size());
    for (std::size_t i = 0; i < arm.size(); ++i) {
        if (!positive(arm[i]) || !positive(reference[i])) return std::nullopt;
        ratios.push_back(std::log(arm[i].amount / arm[i].operations) -
                         std::log(reference[i].amount / reference[i].operations));
    }
    return ratios;
}

std::optional<BlockRatios> independent_log_ratios(std::span<const BlockSum> arm,
                                                  std::span<const BlockSum> reference) {
    auto ratios = log_ratios(arm, reference);
    if (!ratios) return std::nullopt;
    if (lag1_autocorrelation(*ratios).value_or(0) <= merging_correlation) {
        return BlockRatios{*std::move(ratios), false};
    }
    // Sums of positive totals are positive, so that these ratios exist as well.
    return BlockRatios{log_ratios(merge_adjacent(arm), merge_adjacent(reference)).value(), true};
}

RatioEstimate ratio_interval(std::span<const double> log_ratios, double confidence) {
    RatioEstimate estimate{std::exp(hodges_lehmann(log_ratios)), std::nullopt, log_ratios.size()};
    if (const auto interval = signed_rank_interval(log_ratios, confidence)) {
        estimate.interval = ConfidenceInterval{{std::exp(interval->low), std::exp(interval->high)},
                                               interval->confidence};
    }
    return estimate;
}

}  // namespace loopbench
