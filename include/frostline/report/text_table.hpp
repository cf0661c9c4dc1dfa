// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/isa.hpp"

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// Rows of cells, the first column to the left, the others to the right, two spaces apart.
class text_table {
public:
    void row(std::initializer_list<std::string> cells) { rows_.emplace_back(cells); }
    void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

    friend std::ostream& operator<<(std::ostream& out, const text_table& table) {
        std::vector<std::size_t> widths;
        for (const auto& row : table.rows_) {
            widths.resize(std::max(widths.size(), row.size()));
            for (std::size_t column = 0; column < row.size(); ++column)
                widths[column] = std::max(widths[column], row[column].size());
        }
        for (const auto& row : table.rows_) {
            std::string line;
            for (std::size_t column = 0; column < row.size(); ++column) {
                const std::string padding(widths[column] - row[column].size(), ' ');
                line += column == 0 ? row[column] + padding : "  " + padding + row[column];
            }
            out << line.substr(0, line.find_last_not_of(' ') + 1) << '\n';
        }
        return out;
    }

private:
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace frostline
