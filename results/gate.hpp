#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace loopbench {

// The rule by which `gate` decides, without any measuring. A cell is a metric of a case on a loop.
// For each there are two one-sided signed-rank tests at the margin: that it has become worse by
// more (REGRESSION) and that it has not (PASS). Blocks are looked at a few times, at numbers
// planned beforehand; p_k of look k has a weight w_k with Σw = 1, and a cell's p-value is min p_k /
// w_k, which holds whenever one stops (Bonferroni over the looks, weighted: Genovese, Roeder,
// Wasserman 2006, Biometrika 93, 509–524). Over the cells: Holm, at the end. Before the end a cell
// is settled only at the level that Bonferroni over all cells would ask.

enum class Decision : std::uint8_t { pass, regression, inconclusive };

/// "PASS", "REGRESSION", "INCONCLUSIVE".
std::string_view to_string(Decision decision);

/// The chance of any false REGRESSION, and of any false PASS, over all cells and looks of a gate.
inline constexpr double regression_alpha = 0.01;
inline constexpr double pass_alpha = 0.05;

/// When a gate looks.
struct Looks {
    std::vector<int> blocks;      ///< ascending; the last is all there will be
    std::vector<double> weights;  ///< of each, together 1
};

/// The looks of a gate of `cells` cells that can afford `most` blocks. The first comes no sooner
/// than it could find a regression; with too few blocks there is one look, at the end.
Looks plan_looks(int most, std::size_t cells);

/// The least number of blocks at which a look of this weight can call a regression in the first of
/// `cells` cells: n signs, all alike, have the one-sided p-value 2^-n.
int blocks_for_regression(std::size_t cells, double weight);

/// What the looks have told of one cell.
class GateCell {
  public:
    /// `log_margin` >= 0.
    explicit GateCell(double log_margin) : log_margin_(log_margin) {}

    /// A look at the log-ratios so far, above 0 is worse. Each look once, with its own weight.
    void look(std::span<const double> log_ratios, double weight);

    /// Takes p-values that were found otherwise, with all the weight: one look.
    void look_once(double regression_p, double pass_p);

    double log_margin() const noexcept { return log_margin_; }
    double regression_p() const noexcept { return regression_p_; }  ///< of all looks together
    double pass_p() const noexcept { return pass_p_; }

    /// Whether `decide` says the same of this cell whatever the other `cells - 1` are. A settled
    /// cell is not looked at again.
    bool settled(std::size_t cells) const;

  private:
    double log_margin_;
    double regression_p_ = 1;
    double pass_p_ = 1;
};

/// The decision of each cell, by Holm over all of them, each side at its own level. When both sides
/// reject (which needs contradicting looks), the cell is inconclusive.
std::vector<Decision> decide(std::span<const GateCell> cells);

/// One new sitting against those of a baseline, all as ln(loop / frozen normaliser): the p-values
/// that it is worse by more than the margin, and that it is not. A new observation x beside n old
/// ones of mean m and standard deviation s: where it is worse by just the margin,
/// (x - m - margin) / (s sqrt(1 + 1/n)) is Student's t with n - 1 degrees of freedom (Hahn, Meeker,
/// Escobar: Statistical Intervals, chapter 4: prediction of one future observation). Sittings are
/// taken as normally distributed, and s as at least `least_scatter`.
struct SittingTest {
    double regression_p = 1;
    double pass_p = 1;
};

/// Fewer sittings than this cannot answer.
inline constexpr std::size_t least_sittings = 5;

/// No measured cost repeats better than to a tenth of a percent; what is counted (system calls) can
/// be the same in every sitting, and then must not call any difference a sure one.
inline constexpr double least_scatter = 0.001;

/// Both p-values are 1 with fewer than `least_sittings`.
SittingTest test_sitting(std::span<const double> old_sittings, double now, double log_margin);

/// The smallest true slowdown, as a ratio above 1, that a gate of `cells` cells finds with
/// probability `power` in `blocks` blocks looked at once at weight `weight`, when block log-ratios
/// are normally distributed with standard deviation `sd`, z being the standard normal quantile:
/// margin + (z(1-α) + z(power)) sd / sqrt((n - z(1-α)²/2) 3/π) with α = 0.01 weight / cells.
/// Infinite with fewer blocks than `blocks_for_regression`; with hardly more it is a little too
/// small, since the p-values of few blocks are far apart.
double detectable_slowdown(double sd, int blocks, std::size_t cells, double weight,
                           double log_margin, double power = 0.95);

/// The least number of blocks for which a slowdown twice the margin is found, and an unchanged cell
/// passes, each with probability `power`. Nothing when no number will do: a margin of 0.
std::optional<int> blocks_for_margin(double sd, std::size_t cells, double weight, double log_margin,
                                     double power = 0.95);

}  // namespace loopbench
