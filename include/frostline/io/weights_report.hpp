// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/io/element_type.hpp"

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// An array whose shape in the file is not the network's; both as PyTorch has them.
struct shape_mismatch {
    std::string name;
    std::vector<std::size_t> found;
    std::vector<std::size_t> expected;
};

/// What became of each array of a file and of a network when weights were loaded.
struct weights_report {
    std::string file;
    std::vector<std::string> loaded{};
    std::vector<std::string> missing{};     ///< the network has them, the file has not
    std::vector<std::string> unexpected{};  ///< the file has them, the network has not
    std::vector<shape_mismatch> mismatched{};
    std::vector<std::string> replaced{};  ///< of the head, left as they were because that was wanted

    /// Whether file and network have the same arrays, but for a head that is replaced.
    bool complete() const { return missing.empty() && unexpected.empty() && mismatched.empty(); }

    /// @throws data_error that names the first array of each kind unless the report is complete
    void require_complete() const { require<data_error>(complete(), *this); }

    /// One sentence.
    friend std::ostream& operator<<(std::ostream& out, const weights_report& report) {
        out << report.file << ": " << report.loaded.size() << " arrays were loaded";
        const auto list = [&](const char* what, const auto& items, const auto& print) {
            if (items.empty()) return;
            out << ", " << items.size() << ' ' << what << " (";
            print(items.front());
            if (items.size() > 1) out << ", ...";
            out << ')';
        };
        const auto print_name = [&](const std::string& name) { out << name; };
        list("are missing", report.missing, print_name);
        list("are unexpected", report.unexpected, print_name);
        list("have another shape", report.mismatched, [&](const shape_mismatch& item) {
            out << item.name << ": found " << shape_text(item.found) << ", expected "
                << shape_text(item.expected);
        });
        list("of the head are replaced", report.replaced, print_name);
        return out;
    }
};

}  // namespace frostline
