// SPDX-License-Identifier: MIT

#include "page.hpp"

#include "frostline/core/errors.hpp"
#include "frostline/report/units.hpp"
#include "plots.hpp"
#include "style.hpp"
#include "svg.hpp"
#include "write_file.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iomanip>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using frostline::format_fixed;
using frostline::format_percent;
using frostline::sentence;
using svg::escaped;

constexpr std::string_view page_start = R"html(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">)html";

constexpr std::string_view introduction = R"html(
<p>Convolutional networks, trained in full and with blocks that are frozen and dropped as they converge. A block is
<em>frozen</em> when it no longer learns, and <em>dropped</em> when its output comes from the feature store: training
executes it once more for each view, and then no longer; maps show it as dropped from then on. The <em>frost line</em>
moves from the input towards the output; maps show where it lies as an epoch begins.</p>
<p>Means over seeds have 95% intervals (Student's t); a single seed has none. Differences are paired by seed. How many
times faster training was is a median over seeds; plots show mean times. <em>Never with as many FLOPs</em> trains in full for fewer epochs, its schedule compressed: interpolated
between the two whole numbers of epochs around the method's training FLOPs. The front is that of accuracy against
training FLOPs, among lines that have all seeds. FLOPs of scoring are not among those of training: their column tells
what share of the training FLOPs of never they come to. In plots, thin lines are seeds and thick ones their means;
intervals that are wider than the plot are cut off. Commands are to be typed in the folder of this page, where
FROSTLINE_DATA is an absolute path; the same bits need the same threads and OpenBLAS kernels, which
OPENBLAS_CORETYPE chooses.</p>
)html";

// A workload of which something is finished.
struct chapter {
    const workload* work = nullptr;
    std::string id;
    std::vector<series> all;
};

std::vector<chapter> chapters_of(const matrix& wanted, const results& finished,
                                 const std::filesystem::path& folder) {
    std::vector<chapter> found;
    for (const auto& work : wanted.workloads) {
        chapter next{.work = &work, .id = sentence("workload-", found.size() + 1), .all = {}};
        for (auto& line : rows_of(work, finished)) {
            const auto place = std::find(wanted.methods.begin(), wanted.methods.end(), line.name);
            // The fewer epochs of `never` are all drawn alike.
            const auto index =
                line.fewer_epochs ? 0 : static_cast<std::size_t>(place - wanted.methods.begin());
            series drawn{.of = std::move(line), .index = index, .histories = {}};
            for (const auto& each : drawn.of.runs) {
                auto history = read_history(folder / each.what.record, wanted.accuracy);
                if (!each.timed)
                    for (auto& epoch : history.epochs) epoch.seconds.reset();
                drawn.histories.push_back(std::move(history));
            }
            next.all.push_back(std::move(drawn));
        }
        if (!next.all.empty()) found.push_back(std::move(next));
    }
    return found;
}

std::string cell_text(std::string_view text) { return sentence("<td>", text, "</td>"); }

// The head of a table that may be wider than the page.
std::string table_start(std::string_view label, const std::vector<std::string>& columns) {
    std::string text = sentence("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"",
                                escaped(label), "\"><table><thead><tr>");
    for (const auto& column : columns) text += sentence("<th scope=\"col\">", escaped(column), "</th>");
    return text + "</tr></thead><tbody>\n";
}

constexpr std::string_view table_end = "</tbody></table></div>\n";

std::string figure(std::string_view title, std::string_view drawing) {
    return sentence("<figure><figcaption>", escaped(title), "</figcaption>", drawing, "</figure>\n");
}

std::string legend(const std::vector<series>& all) {
    std::string text = "<ul class=\"legend\">";
    bool has_less = false;
    for (const auto& each : all) {
        if (each.of.fewer_epochs && std::exchange(has_less, true)) continue;
        text += sentence("<li>", svg::sample_of(each.index, each.style()),
                         each.of.fewer_epochs ? "never, fewer epochs" : escaped(each.of.name), "</li>");
    }
    return text + "</ul>\n";
}

// Fields of a block map side by side.
std::string fields(std::string_view palette, int first, int count, std::string_view slant = {}) {
    std::string text = sentence("<svg class=\"fields\" aria-hidden=\"true\" viewBox=\"0 0 ", 14 * count,
                                " 14\" width=\"", 14 * count, "\" height=\"14\">");
    for (int level = 0; level < count; ++level)
        text += sentence("<rect class=\"", palette, first + level, "\" x=\"", 14 * level,
                         "\" width=\"14\" height=\"14\"/>");
    if (!slant.empty()) text += sentence("<path class=\"", slant, "\" d=\"M0 14L14 0\"/>");
    return text + "</svg>";
}

std::string compared(const std::string& difference, const std::optional<double>& time_ratio, double saved) {
    return cell_text(sentence(difference, "<span class=\"second\">", text_of(time_ratio),
                              time_ratio ? " ×, " : "", format_percent(saved, 0), "</span>"));
}

std::string overview(const matrix& wanted, const std::vector<chapter>& chapters) {
    std::vector<std::string> columns{"model and data", "cells", wanted.methods.front() + ": accuracy, %"};
    columns.insert(columns.end(), wanted.methods.begin() + 1, wanted.methods.end());
    std::ostringstream out;
    out << "<h2 id=\"overview\">Overview</h2>\n<p>Points of accuracy against the same seeds trained without "
           "freezing, and below how many times faster training was (median) and the share of training FLOPs "
           "saved. Each row leads to its plots.</p>\n"
        << table_start("Overview", columns);
    std::vector<all_workloads> together(wanted.methods.size());
    for (const auto& each : chapters) {
        std::size_t runs = 0;
        for (const auto& line : each.all)
            if (!line.of.fewer_epochs) runs += line.of.runs.size();
        out << "<tr><th scope=\"row\"><a href=\"#" << each.id << "\">" << escaped(each.work->name)
            << "</a></th>"
            << cell_text(sentence(runs, " of ", each.work->seeds.size() * each.work->methods.size()));
        for (std::size_t index = 0; index < wanted.methods.size(); ++index) {
            const auto found = std::find_if(each.all.begin(), each.all.end(), [&](const series& other) {
                return other.index == index && !other.of.fewer_epochs;
            });
            if (found == each.all.end()) {
                out << cell_text("–");
            } else if (index == 0) {
                out << cell_text(text_of(interval_of(found->of.accuracies), false));
            } else {
                out << compared(text_of(interval_of(found->of.differences), true), found->of.time_ratio,
                                found->of.training_saved);
                together[index].add(found->of);
            }
        }
        out << "</tr>\n";
    }
    out << "<tr><th scope=\"row\">median</th><td></td><td></td>";
    for (std::size_t index = 1; index < together.size(); ++index)
        out << (together[index].differences.empty()
                    ? cell_text("–")
                    : compared(text_of({.mean = median_of(together[index].differences)}, true),
                               together[index].time_ratio(), median_of(together[index].training_saved)));
    out << "</tr>\n<tr><th scope=\"row\">mean, against never with as many FLOPs</th><td></td><td></td>";
    for (std::size_t index = 1; index < together.size(); ++index)
        out << cell_text(together[index].against_less.empty() ? "–" : together[index].text_against_less());
    out << "</tr>\n" << table_end;
    return out.str();
}

// Accuracies of the last epoch alone are no curve.
bool has_curve(const std::vector<series>& all) {
    return std::any_of(all.begin(), all.end(), [](const series& each) {
        return std::any_of(each.histories.begin(), each.histories.end(), [](const run_history& history) {
            return std::count_if(history.epochs.begin(), history.epochs.end(),
                                 [](const auto& epoch) { return epoch.accuracy.has_value(); }) > 1;
        });
    });
}

std::string means(const chapter& of) {
    std::ostringstream out;
    out << table_start(
        "Means of " + of.work->name,
        {"method", "accuracy, %", "against never, points", "against never with as many FLOPs, points",
         "forward FLOPs saved", "backward FLOPs saved", "training FLOPs saved", "times faster",
         "scoring FLOPs", "on the front", "seeds"});
    for (const auto& each : of.all) {
        const auto& line = each.of;
        out << "<tr><th scope=\"row\">" << escaped(line.name) << "</th>"
            << cell_text(text_of(interval_of(line.accuracies), false))
            << cell_text(&each == &of.all.front() ? "" : text_of(interval_of(line.differences), true))
            << cell_text(line.against_less.empty() ? "" : text_of(interval_of(line.against_less), true))
            << cell_text(format_percent(line.forward_saved)) << cell_text(format_percent(line.backward_saved))
            << cell_text(format_percent(line.training_saved)) << cell_text(text_of(line.time_ratio))
            << cell_text(format_percent(line.scoring))
            << cell_text(line.on_front ? "<span class=\"front\">yes</span>" : "")
            << cell_text(std::to_string(line.runs.size())) << "</tr>\n";
    }
    out << table_end;
    return out.str();
}

std::string digits(double score) {
    std::ostringstream text;
    text << std::setprecision(3) << score;
    return text.str();
}

std::string maps(const chapter& of) {
    std::ostringstream out;
    std::set<std::string> scorers;
    for (const auto& each : of.all) {
        if (each.of.fewer_epochs) continue;
        std::ostringstream lines, scores;
        for (std::size_t i = 0; i < each.histories.size(); ++i) {
            const auto& history = each.histories[i];
            if (history.blocks == 0 || history.epochs.empty()) continue;
            const auto seed = sentence("seed ", each.of.runs[i].seed);
            const auto title = sentence(of.work->name, ", ", each.of.name, ", ", seed);
            const bool freezes = std::any_of(
                history.epochs.begin(), history.epochs.end(),
                [](const auto& epoch) { return epoch.frozen > 0 || !epoch.frozen_behind.empty(); });
            if (freezes) lines << figure("Frost line, " + seed, frost_map(title, history));
            const auto scale = scale_of(of.all, history.scorer);
            if (history.scorer.empty() || !(scale.low <= scale.high)) continue;
            scorers.insert(history.scorer);
            scores << figure("Scores by " + history.scorer + ", " + seed, score_map(title, history, scale));
        }
        out << "<h3>" << escaped(each.of.name) << "</h3>\n<div class=\"plots\">" << lines.str()
            << scores.str() << "</div>\n";
    }
    std::string keys = "<ul class=\"legend\"><li>" + fields("f", 0, 1) + "learning</li><li>" +
                       fields("f", 1, 1, "slant") + "frozen</li><li>" + fields("f", 2, 1) + "dropped</li>";
    for (const auto& scorer : scorers) {
        const auto scale = scale_of(of.all, scorer);
        if (!(scale.low <= scale.high)) continue;
        keys += sentence("<li>", escaped(scorer), ": ", digits(scale.low), fields("h", 0, score_levels),
                         digits(scale.high), scale.logarithmic ? ", logarithmic" : "", "</li>");
    }
    return keys + "<li>" + fields("none", 0, 1, "gap") + "no score</li></ul>\n" + out.str();
}

std::string commands(const chapter& of) {
    std::ostringstream out;
    out << table_start("Cells of " + of.work->name, {"method", "seed", "epochs", "accuracy", "training time",
                                                     "training FLOPs", "record", "command"});
    for (const auto& each : of.all)
        for (const auto& one : each.of.runs)
            out << "<tr><th scope=\"row\">" << escaped(each.of.name) << "</th>"
                << cell_text(std::to_string(one.seed)) << cell_text(std::to_string(one.what.epochs))
                << cell_text(format_percent(one.result.accuracy))
                << cell_text(frostline::format_duration(one.result.seconds))
                << cell_text(frostline::format_flops(static_cast<std::uint64_t>(one.result.training_flops)))
                << cell_text(sentence("<a href=\"", escaped(one.what.record), "\">record</a>"))
                << "<td class=\"text\"><code>" << escaped(command_of(one.what, one.result))
                << "</code></td></tr>\n";
    out << table_end;
    return out.str();
}

std::string details(std::string_view summary, bool open, std::string_view content) {
    return sentence("<details", open ? " open" : "", "><summary>", summary, "</summary>\n", content,
                    "</details>\n");
}

std::string text_of_chapter(const chapter& of, bool open) {
    const auto& name = of.work->name;
    return sentence(
        "<section aria-labelledby=\"", of.id, "\"><h2 id=\"", of.id, "\">", escaped(name),
        "</h2>\n<p class=\"soft\">", of.work->seeds.size(),
        of.work->seeds.size() == 1 ? " seed, " : " seeds, ", of.work->epochs,
        " epochs. <a href=\"#overview\">Back to the overview</a></p>\n", means(of), legend(of.all),
        "<div class=\"plots wide\">",
        figure("Accuracy against training FLOPs", cost_plot(name, of.all, cost::flops)),
        figure("Accuracy against training time", cost_plot(name, of.all, cost::seconds)), "</div>\n",
        details(
            "Accuracy, FLOPs and seconds, epoch by epoch", open,
            sentence(
                legend(of.all), "<div class=\"plots\">",
                has_curve(of.all) ? figure("Accuracy", epoch_plot(name, of.all, epoch_value::accuracy)) : "",
                figure("Accuracy in training", epoch_plot(name, of.all, epoch_value::training_accuracy)),
                figure("Training FLOPs", epoch_plot(name, of.all, epoch_value::flops)),
                figure("Training time", epoch_plot(name, of.all, epoch_value::seconds)), "</div>\n")),
        details("Frost line and scores, block by block", open, maps(of)),
        details("Every cell, and the command that trains it again", false, commands(of)), "</section>\n");
}

}  // namespace

void write_page(const matrix& wanted, const results& finished, const std::filesystem::path& folder) {
    const auto chapters = chapters_of(wanted, finished, folder);
    std::set<std::string> machines;
    for (const auto& each : chapters)
        for (const auto& line : each.all)
            for (const auto& history : line.histories) machines.insert(history.machine);
    constexpr std::size_t few = 2;

    std::ostringstream file;
    const bool tested = wanted.accuracy == "test_accuracy";
    file << page_start << "<title>" << escaped(wanted.name) << "</title>\n<style>" << page_style
         << "</style></head>\n<body>\n<header><h1>" << escaped(wanted.name)
         << "</h1>\n<div class=\"columns\">" << introduction << "<p>Accuracy is that "
         << (tested ? "of the test set" : "of samples held out for validation")
         << " after the last epoch. FLOPs are those of direct convolution, forward and backward.</p></div>\n";
    for (const auto& machine : machines)
        file << "<p class=\"soft\">Trained on " << escaped(machine) << "</p>\n";
    file << "</header>\n<main>\n";
    if (chapters.empty())
        file << "<p>No cell is finished.</p>\n";
    else
        file << overview(wanted, chapters);
    std::string missing;
    for (const auto& work : wanted.workloads)
        if (std::none_of(chapters.begin(), chapters.end(),
                         [&](const chapter& each) { return each.work == &work; }))
            missing += sentence(missing.empty() ? "" : ", ", escaped(work.name));
    if (!missing.empty()) file << "<p>Without a finished run of never: " << missing << ".</p>\n";
    for (const auto& each : chapters) file << text_of_chapter(each, chapters.size() <= few);
    file << "</main>\n</body></html>\n";
    write_file(folder / "index.html", file.str());
}
