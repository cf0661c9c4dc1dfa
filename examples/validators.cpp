// SPDX-License-Identifier: MIT

#include "validators.hpp"

#include "frostline/core/errors.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>
#include <utility>

namespace {

std::string expected(const std::string& what, const std::string& found) {
    return "expected " + what + ", found \"" + found + '"';
}

}  // namespace

CLI::Validator whole_number(std::uint64_t lowest, std::uint64_t highest) {
    return {[=](std::string& text) -> std::string {
                std::uint64_t number = 0;
                const char* end = text.data() + text.size();
                const auto [rest, problem] = std::from_chars(text.data(), end, number);
                const bool is_whole = rest == end && problem != std::errc::invalid_argument;
                if (is_whole && (problem == std::errc::result_out_of_range || number > highest))
                    return expected("a whole number of at most " + std::to_string(highest), text);
                if (!is_whole || number < lowest)
                    return expected("a whole number of at least " + std::to_string(lowest), text);
                text = std::to_string(number);
                return {};
            },
            ""};
}

CLI::Validator number(double lowest, double highest, const char* range) {
    return {[=](std::string& text) -> std::string {
                double value = 0;
                const char* end = text.data() + text.size();
                const auto [rest, problem] = std::from_chars(text.data(), end, value);
                const bool is_number = rest == end && problem == std::errc();
                if (is_number && value >= lowest && value <= highest) return {};
                return expected(range, text);
            },
            ""};
}

CLI::Validator size() {
    return {[](std::string& text) -> std::string {
                constexpr std::array<std::pair<std::string_view, std::uint64_t>, 10> units = {{
                    {"", 1},
                    {"B", 1},
                    {"kB", 1'000},
                    {"KB", 1'000},
                    {"MB", 1'000'000},
                    {"GB", 1'000'000'000},
                    {"KiB", std::uint64_t{1} << 10},
                    {"MiB", std::uint64_t{1} << 20},
                    {"GiB", std::uint64_t{1} << 30},
                    {"TiB", std::uint64_t{1} << 40},
                }};
                std::uint64_t count = 0;
                const char* end = text.data() + text.size();
                const auto [rest, problem] = std::from_chars(text.data(), end, count);
                const std::string_view name(rest, static_cast<std::size_t>(end - rest));
                const auto unit = std::find_if(units.begin(), units.end(),
                                               [&](const auto& each) { return each.first == name; });
                if (problem != std::errc() || unit == units.end() ||
                    count > std::numeric_limits<std::uint64_t>::max() / unit->second)
                    return expected("a whole number with a unit, as 4GiB or 500MB", text);
                text = std::to_string(count * unit->second);
                return {};
            },
            ""};
}

CLI::Validator checkpoint_interval() {
    return {[](std::string& text) -> std::string {
                std::uint64_t count = 0;
                const char* end = text.data() + text.size();
                const auto [rest, problem] = std::from_chars(text.data(), end, count);
                const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
                const bool known = unit.empty() || unit == "epochs" || unit == "steps" || unit == "minutes";
                if (problem != std::errc() || count == 0 || !known)
                    return expected(
                        "a whole number of at least 1 with a unit, as 2epochs, 500steps or 10minutes", text);
                if (unit.empty()) text += "epochs";
                return {};
            },
            ""};
}

std::optional<std::vector<std::size_t>> classes_in(std::string_view text) {
    constexpr std::size_t most = 100'000;
    std::vector<std::size_t> classes;
    const char *at = text.data(), *const end = at + text.size();
    const auto read = [&](std::size_t& number) {
        const auto [rest, problem] = std::from_chars(at, end, number);
        if (problem != std::errc() || number > most) return false;
        at = rest;
        return true;
    };
    while (true) {
        std::size_t first = 0;
        if (!read(first)) return std::nullopt;
        std::size_t last = first;
        if (at != end && *at == '-' && (++at, !read(last) || last < first)) return std::nullopt;
        for (std::size_t label = first; label <= last; ++label) classes.push_back(label);
        if (at == end) return classes;
        if (*at++ != ',') return std::nullopt;
    }
}

CLI::Validator class_list() {
    return {[](std::string& text) -> std::string {
                return classes_in(text) ? std::string()
                                        : expected("numbers of classes, as 0-4 or 0,2,5-9", text);
            },
            ""};
}

CLI::Validator name(const char* what) {
    return {[=](std::string& text) -> std::string {
                return text.empty() || text.front() == '-' ? expected(what, text) : std::string();
            },
            ""};
}

CLI::Validator store_name() {
    return {[](std::string& text) -> std::string {
                const bool known = text == "memory" || text == "disk" || text == "auto" || text == "none" ||
                                   (text.starts_with("disk:") && text.size() > 5);
                return known ? std::string() : expected("memory, disk, disk:DIR, auto or none", text);
            },
            ""};
}

CLI::Validator encoding_name() {
    return {[](std::string& text) -> std::string {
                const bool known = text == "float32" || text == "bfloat16" || text == "uint8";
                return known ? std::string() : expected("float32, bfloat16 or uint8", text);
            },
            ""};
}
