// SPDX-License-Identifier: MIT

#include "svg.hpp"

#include "frostline/core/errors.hpp"
#include "frostline/report/units.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

namespace svg {
namespace {

using frostline::sentence;

constexpr double width = 400, left = 48, right = 12, top = 24, bottom = 40;
constexpr double plot_width = width - left - right, plot_height = 200;

// Drawn from the middle, relative to it.
constexpr std::array<std::string_view, shapes> outlines{
    "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",                                     // circle
    "m-3.7-3.7h7.4v7.4h-7.4z",                                                // square
    "m0-5l5 5-5 5-5-5z",                                                      // diamond
    "m0-5l4.8 8.4h-9.6z",                                                     // triangle
    "m0 5l4.8-8.4h-9.6z",                                                     // upside down
    "m-4.6-2l2.6-2.6 2 2 2-2 2.6 2.6-2 2 2 2-2.6 2.6-2-2-2 2-2.6-2.6 2-2z"};  // cross

// To a tenth of a pixel.
std::string number(double value) {
    auto text = frostline::format_fixed(value, 1);
    if (text.ends_with(".0")) text.resize(text.size() - 2);
    return text == "-0" ? "0" : text;
}

std::string at(const point& place) { return number(place.x) + ' ' + number(place.y); }

std::string label(const point& place, std::string_view classes, std::string_view text) {
    return sentence("<text x=\"", number(place.x), "\" y=\"", number(place.y), "\" class=\"", classes, "\">",
                    escaped(text), "</text>");
}

std::string path(std::string_view classes, std::string_view way) {
    return sentence("<path class=\"", classes, "\" d=\"", way, "\"/>");
}

std::string drawing(const caption& about, double height, std::string_view content) {
    return sentence("<svg role=\"img\" viewBox=\"0 0 ", number(width), ' ', number(height), "\"><title>",
                    escaped(about.title), "</title><desc>", escaped(about.description), "</desc>", content,
                    "</svg>");
}

// Bytes of the UTF-8 sequence at the start of a text; 0 where there is none that XML may hold.
std::size_t letter_size(std::string_view text) {
    const auto byte = [&](std::size_t index) { return static_cast<std::uint8_t>(text[index]); };
    if (byte(0) < 0x80) return byte(0) >= ' ' || text[0] == '\n' || text[0] == '\t' ? 1 : 0;
    const std::size_t size = byte(0) >= 0xF0 ? 4 : byte(0) >= 0xE0 ? 3 : 2;
    if (byte(0) < 0xC2 || byte(0) > 0xF4 || text.size() < size) return 0;
    std::uint32_t code = byte(0) & (0x7FU >> size);
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte(i) & 0xC0U) != 0x80) return 0;
        code = code << 6U | (byte(i) & 0x3FU);
    }
    const bool is_long = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
    const bool is_none = (code >= 0xD800 && code < 0xE000) || (code & 0xFFFEU) == 0xFFFE || code > 0x10FFFF;
    return is_long || is_none ? 0 : size;
}

}  // namespace

std::string escaped(std::string_view text) {
    std::string safe;
    while (!text.empty()) {
        const std::size_t size = letter_size(text);
        switch (size == 1 ? text[0] : ' ') {
            case '&':
                safe += "&amp;";
                break;
            case '<':
                safe += "&lt;";
                break;
            case '>':
                safe += "&gt;";
                break;
            case '"':
                safe += "&quot;";
                break;
            case '\'':
                safe += "&#39;";
                break;
            default:
                safe += size == 0 ? "\uFFFD" : text.substr(0, size);
        }
        text.remove_prefix(std::max<std::size_t>(size, 1));
    }
    return safe;
}

double axis::step() const {
    const double rough = (high - low) / 6;
    const double power = std::pow(10, std::floor(std::log10(rough)));
    const double step = power * (rough <= power ? 1 : rough <= 2 * power ? 2 : rough <= 5 * power ? 5 : 10);
    return whole ? std::max(1.0, step) : step;
}

std::vector<double> axis::ticks() const {
    std::vector<double> found;
    const double apart = step();
    for (double index = std::ceil(low / apart); index * apart <= high + apart * 1e-9; ++index)
        found.push_back(index * apart);
    return found;
}

std::string axis::text_of(double tick) const {
    const auto digits = static_cast<int>(std::max(0.0, -std::floor(std::log10(step()) + 1e-9)));
    const auto text = frostline::format_fixed(tick, digits);
    return tick == 0 ? "0" : text;
}

axis axis_around(std::string label, std::span<const double> values, bool from_zero) {
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (const double value : values) {
        if (!std::isfinite(value)) continue;
        low = std::min(low, value);
        high = std::max(high, value);
    }
    if (low > high) low = high = 0;
    if (from_zero) low = std::min(low, 0.0);
    // Values that differ by rounding alone have no span: ticks a rounding error apart would never end.
    const double size = std::max({std::abs(low), std::abs(high), 1.0});
    const double span = high - low > 1e-9 * size ? high - low : size;
    const bool rests = from_zero && low == 0;
    return {.label = std::move(label), .low = rests ? 0 : low - span * 0.06, .high = high + span * 0.06};
}

std::string style_of(std::size_t series) {
    return sentence('c', series % colours, " d", series / colours % 3);
}

chart::chart(caption about, axis x, axis y) : about_(std::move(about)), x_(std::move(x)), y_(std::move(y)) {}

double chart::x_of(double value) const { return (value - x_.low) / (x_.high - x_.low) * plot_width; }
double chart::y_of(double value) const { return (y_.high - value) / (y_.high - y_.low) * plot_height; }

void chart::line(std::span<const point> points, std::string_view classes) {
    std::string way;
    for (const auto& each : points) way += (way.empty() ? 'M' : 'L') + at({x_of(each.x), y_of(each.y)});
    if (!way.empty()) drawn_ += path(sentence("line ", classes), way);
}

void chart::mark(const point& place, std::size_t series, std::string_view classes, std::string_view tip) {
    drawn_ += sentence("<path class=\"mark ", classes, "\" d=\"M", at({x_of(place.x), y_of(place.y)}),
                       outlines[series % shapes]);
    drawn_ += tip.empty() ? "\"/>" : sentence("\"><title>", escaped(tip), "</title></path>");
}

void chart::error_bars(const point& place, const point& half, std::string_view classes) {
    constexpr double cap = 4;
    const double x = x_of(place.x), y = y_of(place.y);
    std::string way;
    if (std::isfinite(half.y)) {
        way += sentence('M', at({x, y_of(place.y - half.y)}), 'V', number(y_of(place.y + half.y)));
        for (const double side : {-half.y, half.y})
            way += sentence('M', at({x - cap, y_of(place.y + side)}), 'h', number(2 * cap));
    }
    if (std::isfinite(half.x)) {
        way += sentence('M', at({x_of(place.x - half.x), y}), 'H', number(x_of(place.x + half.x)));
        for (const double side : {-half.x, half.x})
            way += sentence('M', at({x_of(place.x + side), y - cap}), 'v', number(2 * cap));
    }
    if (!way.empty()) drawn_ += path(sentence("bar ", classes), way);
}

std::string chart::text() const {
    std::string content, grid;
    for (const double tick : y_.ticks()) {
        const double y = top + y_of(tick);
        grid += sentence('M', at({left, y}), 'h', number(plot_width));
        content += label({left - 6, y + 4}, "end", y_.text_of(tick));
    }
    for (const double tick : x_.ticks()) {
        const double x = left + x_of(tick);
        grid += sentence('M', at({x, top + plot_height}), "v4");
        content += label({x, top + plot_height + 17}, "mid", x_.text_of(tick));
    }
    content += label({4, 12}, "axis", y_.label);
    content += label({width - right, top + plot_height + 34}, "axis end", x_.label);
    // An svg within an svg cuts off what is outside.
    content += sentence(path("grid", grid), "<svg x=\"", number(left), "\" y=\"", number(top), "\" width=\"",
                        number(plot_width), "\" height=\"", number(plot_height), "\">", drawn_, "</svg>");
    return drawing(about_, top + plot_height + bottom, content);
}

std::string block_map(const caption& about, const level_map& map, std::string_view palette, int hatched) {
    const double height = std::clamp(8.0 * static_cast<double>(map.blocks), 88.0, 264.0);
    const double wide = plot_width / static_cast<double>(map.epochs),
                 high = height / static_cast<double>(map.blocks);
    // One path a level, in units of fields: neighbours of one level are one piece.
    const int levels = 1 + *std::max_element(map.levels.begin(), map.levels.end());
    std::vector<std::string> ways(static_cast<std::size_t>(levels));
    std::string slants, gaps;
    for (std::size_t block = 0; block < map.blocks; ++block) {
        const std::size_t y = map.blocks - 1 - block;
        for (std::size_t first = 0, end = 0; first < map.epochs; first = end) {
            const int level = map.at(block, first);
            for (end = first; end < map.epochs && map.at(block, end) == level; ++end)
                if (level < 0 || level == hatched)
                    (level < 0 ? gaps : slants) += sentence('M', end, ' ', y + 1, "l1-1");
            if (level >= 0)
                ways[static_cast<std::size_t>(level)] +=
                    sentence('M', first, ' ', y, 'h', end - first, "v1H", first, 'z');
        }
    }
    std::string content =
        sentence("<g transform=\"translate(", number(left), ' ', number(top), ") scale(",
                 frostline::format_fixed(wide, 4), ' ', frostline::format_fixed(high, 4), ")\">");
    for (std::size_t level = 0; level < ways.size(); ++level)
        if (!ways[level].empty()) content += path(sentence("field ", palette, level), ways[level]);
    if (!slants.empty()) content += path("slant", slants);
    if (!gaps.empty()) content += path("gap", gaps);
    content += "</g>";
    content += sentence("<rect class=\"frame\" x=\"", number(left), "\" y=\"", number(top), "\" width=\"",
                        number(plot_width), "\" height=\"", number(height), "\"/>");
    const axis x{.label = {}, .low = 1, .high = static_cast<double>(map.epochs) + 0.01, .whole = true};
    const axis y{.label = {}, .low = 0, .high = static_cast<double>(map.blocks) - 0.99, .whole = true};
    for (const double tick : x.ticks())
        content += label({left + (tick - 0.5) * wide, top + height + 16}, "mid", x.text_of(tick));
    for (const double tick : y.ticks())
        content += label({left - 6, top + height - (tick + 0.5) * high + 4}, "end", y.text_of(tick));
    content += label({4, 12}, "axis", "block (0 at the input)");
    content += label({width - right, top + height + 33}, "axis end", "epoch");
    return drawing(about, top + height + bottom, content);
}

std::string sample_of(std::size_t series, std::string_view classes) {
    return sentence("<svg class=\"sample\" aria-hidden=\"true\" viewBox=\"0 0 36 14\"><path class=\"line ",
                    classes, "\" d=\"M1 7H35\"/><path class=\"mark ", classes, "\" d=\"M18 7",
                    outlines[series % shapes], "\"/></svg>");
}

}  // namespace svg
