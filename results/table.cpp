#include "results/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "results/quantity.hpp"

namespace loopbench {
namespace {

std::string superscript(std::size_t number) {
    constexpr std::string_view digits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    std::string text;
    for (const char digit : std::to_string(number)) text += digits[digit - '0'];
    return text;
}

}  // namespace

std::size_t display_width(std::string_view text) {
    // All bytes but those that continue a character begin with something else than 10.
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
        return (static_cast<unsigned char>(byte) & 0xc0U) != 0x80U;
    }));
}

std::string Footnotes::mark(const std::string& remark) {
    const auto found = std::find(remarks_.begin(), remarks_.end(), remark);
    const auto index = static_cast<std::size_t>(found - remarks_.begin());
    if (found == remarks_.end()) remarks_.push_back(remark);
    return superscript(index + 1);
}

std::string Footnotes::render() const {
    std::string text;
    for (std::size_t i = 0; i < remarks_.size(); ++i) {
        text += fmt::format("{} {}\n", superscript(i + 1), remarks_[i]);
    }
    return text;
}

std::string format_cell(const MetricValue& value, Footnotes& footnotes) {
    if (!value.median) return "—" + footnotes.mark(value.reason);
    const std::string figure = format_quantity(*value.median, value.unit, value.ci95);
    if (!value.ci95) return figure + " " + footnotes.mark(value.reason);
    return figure + " " + format_uncertainty(*value.median, *value.ci95);
}

std::string format_cell(const Comparison& comparison, Footnotes& footnotes) {
    if (!comparison.ratio) return "—" + footnotes.mark(comparison.reason);
    if (!comparison.ci95) {
        return fmt::format("{:.3f} {}", *comparison.ratio, footnotes.mark(comparison.reason));
    }
    // Three decimals tell 0.5% from a tie; an interval as wide as a tenth needs no more than two.
    const int decimals = comparison.ci95->high - comparison.ci95->low < 0.1 ? 3 : 2;
    return fmt::format("{1:.{0}f} [{2:.{0}f}, {3:.{0}f}]", decimals, *comparison.ratio,
                       comparison.ci95->low, comparison.ci95->high);
}

void Table::add_row(std::vector<std::string> cells) {
    assert(cells.size() <= columns_.size());
    cells.resize(columns_.size());
    rows_.push_back(std::move(cells));
}

std::string Table::render() const {
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        widths.push_back(display_width(columns_[i].head));
        for (const auto& row : rows_) widths[i] = std::max(widths[i], display_width(row[i]));
    }
    const auto line = [&](const auto& cell_at) {
        std::string text;
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            const std::string& cell = cell_at(i);
            const std::string gap(widths[i] - display_width(cell), ' ');
            if (i > 0) text += "  ";
            text += columns_[i].align == Align::left ? cell + gap : gap + cell;
        }
        return text.substr(0, text.find_last_not_of(' ') + 1) + "\n";
    };
    std::string text = line([&](std::size_t i) -> const std::string& { return columns_[i].head; });
    for (std::size_t i = 0; i < widths.size(); ++i) {
        if (i > 0) text += "  ";
        for (std::size_t j = 0; j < widths[i]; ++j) text += "─";
    }
    text += "\n";
    for (const auto& row : rows_) {
        text += line([&](std::size_t i) -> const std::string& { return row[i]; });
    }
    return text;
}

}  // namespace loopbench
