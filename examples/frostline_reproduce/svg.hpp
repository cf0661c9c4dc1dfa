// SPDX-License-Identifier: MIT
// Drawings for an HTML page: inline SVG that takes its colours from the classes of the page's style.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace svg {

/// For HTML and XML, in text and in quotes. Letters that neither may hold become U+FFFD.
std::string escaped(std::string_view text);

/// What a drawing is called, and what it shows for those who do not see it.
struct caption {
    std::string title;
    std::string description;
};

/// A range of numbers, with ticks at multiples of 1, 2 or 5 times a power of ten.
struct axis {
    std::string label;
    double low = 0, high = 1;
    bool whole = false;  ///< ticks at whole numbers only

    double step() const;
    std::vector<double> ticks() const;
    std::string text_of(double tick) const;
};

/// Bounds that leave a little air around the values; from 0 where that is wanted. Infinite ones do not count.
axis axis_around(std::string label, std::span<const double> values, bool from_zero);

struct point {
    double x = 0, y = 0;
};

/// The number of shapes and of colours by which series differ; the dash pattern changes after each round.
inline constexpr std::size_t shapes = 6, colours = 7;

/// The classes of a series' lines, and of its marks.
std::string style_of(std::size_t series);

/// Axes with lines, marks and error bars on them, in the coordinates of the axes. What is outside is cut off.
class chart {
public:
    chart(caption about, axis x, axis y);

    void line(std::span<const point> points, std::string_view classes);
    void mark(const point& at, std::size_t series, std::string_view classes, std::string_view tip = {});
    /// An interval of `half` to each side; a half that is not finite has no bar, and an end that is outside
    /// the axes has no cap.
    void error_bars(const point& at, const point& half, std::string_view classes);

    std::string text() const;

private:
    double x_of(double value) const;
    double y_of(double value) const;

    caption about_;
    axis x_, y_;
    std::string drawn_;
};

/// A level for each block and epoch, -1 where there is none.
struct level_map {
    std::size_t blocks = 0, epochs = 0;
    std::vector<int> levels = std::vector<int>(blocks * epochs, -1);

    int& at(std::size_t block, std::size_t epoch) { return levels[block * epochs + epoch]; }
    int at(std::size_t block, std::size_t epoch) const { return levels[block * epochs + epoch]; }
};

/// Blocks upwards from the input, epochs to the right; level n has the class `palette` + n. Where there is no
/// level, and where it is `hatched`, each field has a slanted line.
std::string block_map(const caption& about, const level_map& map, std::string_view palette, int hatched);

/// A short piece of a series' line with its mark, for a legend.
std::string sample_of(std::size_t series, std::string_view classes);

}  // namespace svg
