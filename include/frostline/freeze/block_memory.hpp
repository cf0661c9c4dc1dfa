// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/scorer.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// What a scorer remembers of each block from one decision to the next, as a value: copies share nothing.
class block_memory {
public:
    struct entry {
        std::span<double> values;  ///< valid until the next call of at
        bool fresh;                ///< nothing is remembered, and all values are zero
    };

    /// The `size` numbers that this block left at the decision before; to be asked for once a decision. A
    /// block starts anew with the run, and where it was not scored at the decision before, being frozen then.
    template <class T>
    entry at(const block_view<T>& view, std::size_t size) {
        if (view.block * fields >= table_.size()) table_.resize((view.block + 1) * fields, 0);
        double* const row = table_.data() + view.block * fields;
        const bool fresh =
            row[length] != static_cast<double>(size) || row[next] != static_cast<double>(view.decision);
        if (row[length] != static_cast<double>(size)) {
            row[offset] = static_cast<double>(values_.size());
            row[length] = static_cast<double>(size);
            values_.resize(values_.size() + size);
        }
        row[next] = static_cast<double>(view.decision + 1);
        const auto values = std::span(values_).subspan(static_cast<std::size_t>(row[offset]), size);
        if (fresh) std::fill(values.begin(), values.end(), 0.0);
        return {values, fresh};
    }

    template <class Visitor>
    void for_each_state(const Visitor& visit) {
        visit("blocks", table_);
        visit("values", values_);
    }

private:
    // A row for each block: where its values are, and the decision that may go on with them.
    enum : std::size_t { offset, length, next, fields };

    std::vector<double> table_;
    std::vector<double> values_;
};

}  // namespace frostline
