#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "results/result.hpp"

namespace loopbench {

/// Columns that `text` takes on a terminal: one for each character, which holds for all that tables
/// here use (µ, ±, –, —, ×, ¹ …). UTF-8.
std::size_t display_width(std::string_view text);

/// Remarks that cells refer to by a number, each kept once. They may be shared by several tables.
class Footnotes {
  public:
    /// The mark of `remark`: "¹" for the first, "²" for the second.
    std::string mark(const std::string& remark);

    /// "¹ first remark\n² second remark\n"; empty when there is none.
    std::string render() const;

  private:
    std::vector<std::string> remarks_;
};

/// A metric in one cell: "5.12 µs ±1.2%"; without an interval "5.12 µs ¹", without a figure "—¹",
/// with the reason as a footnote.
std::string format_cell(const MetricValue& value, Footnotes& footnotes);

/// A ratio in one cell: "1.152 [1.131, 1.170]", as rounded as its interval allows, otherwise as
/// above.
std::string format_cell(const Comparison& comparison, Footnotes& footnotes);

/// A table for people: a head, a rule, rows; the columns aligned, two spaces apart, no spaces at
/// the ends of lines.
class Table {
  public:
    enum class Align : std::uint8_t { left, right };
    struct Column {
        std::string head;
        Align align = Align::right;
    };

    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

    /// Cells from the left; those that are missing at the end stay empty. No more than columns.
    void add_row(std::vector<std::string> cells);

    std::string render() const;

  private:
    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace loopbench
