// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// A choice written as one word: "name" or "name:key=value,key=value", a value being a number or a word. Who
/// makes the chosen thing asks for each of its keys and then calls `require_all_used`.
class named_options {
public:
    /// @throws argument_error for text of another form and for a key that stands twice
    explicit named_options(std::string_view text) {
        const auto colon = text.find(':');
        name_ = text.substr(0, colon);
        require<argument_error>(!name_.empty(), "\"", text,
                                "\" has no name, expected NAME or NAME:KEY=VALUE,...");
        if (colon == std::string_view::npos) return;
        for (std::string_view rest = text.substr(colon + 1);;) {
            const auto comma = rest.find(',');
            add(rest.substr(0, comma));
            if (comma == std::string_view::npos) break;
            rest.remove_prefix(comma + 1);
        }
    }

    const std::string& name() const { return name_; }

    /// The number under `key`, or `fallback`. @throws argument_error unless it lies in [lowest, highest]
    double number(std::string_view key, double fallback,
                  double lowest = std::numeric_limits<double>::lowest(),
                  double highest = std::numeric_limits<double>::max()) {
        known_.emplace_back(key);
        for (auto& item : entries_) {
            if (item.key != key) continue;
            item.used = true;
            require<argument_error>(std::isfinite(item.value), name_, ": ", key,
                                    " must be a finite number, found \"", item.text, "\"");
            require<argument_error>(item.value >= lowest && item.value <= highest, name_, ": ", key,
                                    " must be a number", range(lowest, highest), ", found ", item.value);
            return item.value;
        }
        return fallback;
    }

    /// The whole number under `key`, or `fallback`. @throws argument_error unless it is whole and at least
    /// `lowest`
    std::size_t count(std::string_view key, std::size_t fallback, std::size_t lowest = 0) {
        const double value = number(key, static_cast<double>(fallback), static_cast<double>(lowest), 1e15);
        require<argument_error>(value == std::floor(value), name_, ": ", key,
                                " must be a whole number, found ", value);
        return static_cast<std::size_t>(value);
    }

    /// The place in `words` of the word under `key`, or `fallback`. @throws argument_error for any other word
    std::size_t choice(std::string_view key, std::span<const std::string_view> words, std::size_t fallback) {
        known_.emplace_back(key);
        for (auto& item : entries_) {
            if (item.key != key) continue;
            item.used = true;
            const auto found = std::find(words.begin(), words.end(), item.text);
            if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
            std::string expected;
            for (const auto word : words) expected += (expected.empty() ? "" : " or ") + std::string(word);
            throw argument_error(
                sentence(name_, ": ", key, " must be ", expected, ", found \"", item.text, '"'));
        }
        return fallback;
    }

    /// @throws argument_error for a key that nobody asked for, naming those that were
    void require_all_used() const {
        for (const auto& item : entries_) {
            if (item.used) continue;
            std::string known;
            for (const auto& key : known_) known += (known.empty() ? "" : ", ") + key;
            throw argument_error(sentence(name_, " has no option \"", item.key, "\", ",
                                          known.empty() ? "it takes none" : "known are ", known));
        }
    }

private:
    struct entry {
        std::string key;
        std::string text;
        double value;  // not finite where the text is no number
        bool used;
    };

    void add(std::string_view option) {
        const auto equals = option.find('=');
        require<argument_error>(equals != std::string_view::npos && equals > 0 && equals + 1 < option.size(),
                                name_, ": found \"", option, "\", expected KEY=VALUE");
        const std::string_view key = option.substr(0, equals), text = option.substr(equals + 1);
        for (const auto& other : entries_)
            require<argument_error>(other.key != key, name_, ": the option \"", key, "\" stands twice");
        double value = 0;
        const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (failure != std::errc{} || end != text.data() + text.size())
            value = std::numeric_limits<double>::quiet_NaN();
        entries_.push_back({std::string(key), std::string(text), value, false});
    }

    static std::string range(double lowest, double highest) {
        const bool from = lowest > std::numeric_limits<double>::lowest();
        const bool to = highest < std::numeric_limits<double>::max();
        return from && to ? sentence(" from ", lowest, " to ", highest)
               : from     ? sentence(" of at least ", lowest)
               : to       ? sentence(" of at most ", highest)
                          : std::string();
    }

    std::string name_;
    std::vector<entry> entries_;
    std::vector<std::string> known_;
};

}  // namespace frostline
