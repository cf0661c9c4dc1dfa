// SPDX-License-Identifier: MIT
// Every distinct convolution of VGG-16 and ResNet-50 in frostline and in oneDNN: effective GFLOP/s (those of
// direct convolution, whatever algorithm runs). Started by run.sh.

#include "layers.hpp"
#include "onednn_convolution.hpp"

#include "frostline/core/errors.hpp"
#include "frostline/core/openblas.hpp"
#include "frostline/core/parallel.hpp"
#include "frostline/core/random.hpp"
#include "frostline/kernels/convolution.hpp"
#include "frostline/version.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using namespace frostline;
using nlohmann::json;

constexpr double tolerance = 1e-3;  // of results, relative to the largest

struct settings {
    std::vector<std::string> cases;
    bool quick = false;
    int rounds = 0;
    std::string output;
};

const char* name_of(kernels::convolution_pass pass) {
    switch (pass) {
        case kernels::convolution_pass::forward:
            return "forward";
        case kernels::convolution_pass::backward_input:
            return "backward_input";
        case kernels::convolution_pass::backward_weights:
            return "backward_weights";
    }
    return "";
}

aligned_vector<float> draw(std::size_t size, std::string_view name) {
    const random_stream draws(1, purpose::user, hash_of(name));
    aligned_vector<float> values(size);
    for (std::size_t i = 0; i < size; ++i) values[i] = static_cast<float>(2 * draws.uniform(i) - 1);
    return values;
}

class frostline_convolution {
public:
    frostline_convolution(const kernels::convolution_geometry& geometry, kernels::convolution_pass pass,
                          const operands& given)
        : geometry_(geometry), pass_(pass), given_(given), result_(result_size(geometry, pass)) {}

    void run() {
        switch (pass_) {
            case kernels::convolution_pass::forward:
                kernels::convolution_forward<float>(geometry_, given_.x.data(), given_.w.data(), {},
                                                    result_.data(), phase::training, scratch_);
                break;
            case kernels::convolution_pass::backward_input:
                kernels::convolution_backward_input<float>(geometry_, given_.dy.data(), given_.w.data(),
                                                           result_.data(), scratch_);
                break;
            case kernels::convolution_pass::backward_weights:
                kernels::convolution_backward_weights<float>(geometry_, given_.x.data(), given_.dy.data(),
                                                             result_.data(), scratch_);
                break;
        }
    }
    const aligned_vector<float>& result() const { return result_; }

private:
    kernels::convolution_geometry geometry_;
    kernels::convolution_pass pass_;
    const operands& given_;
    aligned_vector<float> result_;
    workspace<float> scratch_;
};

// Seconds a run, over runs that take at least `seconds` together.
template <class Convolution>
double time_of(Convolution& convolution, double seconds) {
    using clock = std::chrono::steady_clock;
    // The threads of the other side spin for some milliseconds after their last loop.
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    convolution.run();
    const auto start = clock::now();
    double elapsed = 0;
    for (std::size_t runs = 1;; ++runs) {
        convolution.run();
        elapsed = std::chrono::duration<double>(clock::now() - start).count();
        if (elapsed >= seconds) return elapsed / static_cast<double>(runs);
    }
}

// The fastest of oneDNN's algorithms and layouts.
onednn_convolution fastest(const kernels::convolution_geometry& geometry, kernels::convolution_pass pass,
                           const operands& given, double seconds) {
    std::unique_ptr<onednn_convolution> best;
    double best_time = 0;
    for (const auto algorithm : {dnnl::algorithm::convolution_direct, dnnl::algorithm::convolution_winograd,
                                 dnnl::algorithm::convolution_auto})
        for (const auto layout : {dnnl::memory::format_tag::any, dnnl::memory::format_tag::nhwc}) {
            auto tried = onednn_convolution::make(geometry, pass, algorithm, layout, given);
            if (!tried) continue;
            const double time = time_of(*tried, seconds);
            if (!best || time < best_time) {
                best = std::move(tried);
                best_time = time;
            }
        }
    require<error>(best != nullptr, "oneDNN has no implementation of this convolution");
    return std::move(*best);
}

double difference(const aligned_vector<float>& left, const aligned_vector<float>& right) {
    double worst = 0, largest = 0;
    for (std::size_t i = 0; i < left.size(); ++i) {
        const double apart = std::abs(static_cast<double>(left[i]) - static_cast<double>(right[i]));
        worst = std::max(worst, std::isnan(apart) ? INFINITY : apart);
        largest = std::max(largest, std::abs(static_cast<double>(right[i])));
    }
    return worst / largest;
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

json compare(const layer& measured, kernels::convolution_pass pass, int rounds, double seconds) {
    const auto& geometry = measured.geometry;
    const operands given{.x = draw(geometry.samples * geometry.input_size(), "x"),
                         .w = draw(geometry.weight_size(), "w"),
                         .dy = draw(geometry.samples * geometry.output_size(), "dy")};
    const std::string name = measured.name + "/" + name_of(pass);
    frostline_convolution ours(geometry, pass, given);
    auto theirs = fastest(geometry, pass, given, seconds / 2);
    ours.run();
    const double apart = difference(ours.result(), theirs.result());
    require<error>(apart <= tolerance, name, ": the results differ by ", apart,
                   ", relative to the largest, at most ", tolerance, " was expected");

    const double operations =
        2e-9 * static_cast<double>(geometry.multiply_accumulates()) * static_cast<double>(geometry.samples);
    std::vector<double> our_rates, their_rates;
    for (int round = 0; round < rounds; ++round) {
        our_rates.push_back(operations / time_of(ours, seconds));
        their_rates.push_back(operations / time_of(theirs, seconds));
    }
    json row{
        {"case", name}, {"onednn_implementation", theirs.name()}, {"difference", apart}, {"rounds", rounds}};
    for (const auto& [side, rates] : {std::pair{"frostline", our_rates}, {"onednn", their_rates}}) {
        const auto [low, high] = std::minmax_element(rates.begin(), rates.end());
        row[std::string(side) + "_gflops"] = median(rates);
        row[std::string(side) + "_gflops_min"] = *low;
        row[std::string(side) + "_gflops_max"] = *high;
    }
    row["ratio"] = median(our_rates) / median(their_rates);
    return row;
}

void print_header() {
    const auto* version = dnnl::version();
    std::printf("frostline %s, OpenBLAS %s, %d threads\noneDNN %d.%d.%d\n\n%-62s%31s%31s%7s\n%-62s%31s%31s\n",
                std::string(version_string).c_str(), openblas_get_corename(), threads(), version->major,
                version->minor, version->patch, "", "frostline GFLOP/s", "oneDNN GFLOP/s", "ratio", "case",
                "median      (min .. max)", "median      (min .. max)");
}

void print_row(const json& row) {
    const auto number = [&](const char* field) { return row.at(field).get<double>(); };
    std::printf("%-62s%9.1f (%8.1f .. %8.1f)%9.1f (%8.1f .. %8.1f)%7.2f  %s\n",
                row.at("case").get<std::string>().c_str(), number("frostline_gflops"),
                number("frostline_gflops_min"), number("frostline_gflops_max"), number("onednn_gflops"),
                number("onednn_gflops_min"), number("onednn_gflops_max"), number("ratio"),
                row.at("onednn_implementation").get<std::string>().c_str());
    std::fflush(stdout);
}

bool is_wanted(const settings& chosen, const std::string& name) {
    return chosen.cases.empty() ||
           std::any_of(chosen.cases.begin(), chosen.cases.end(),
                       [&](const auto& part) { return name.find(part) != std::string::npos; });
}

void run(const settings& chosen) {
    std::ofstream output;
    if (!chosen.output.empty()) {
        output.open(chosen.output);
        require<error>(output.good(), "cannot write to ", chosen.output);
    }
    const int rounds = chosen.rounds > 0 ? chosen.rounds : chosen.quick ? 1 : 3;
    const double seconds = chosen.quick ? 0.02 : 0.5;
    std::vector<json> rows;
    print_header();
    for (const layer& each : all_layers())
        for (const auto pass : {kernels::convolution_pass::forward, kernels::convolution_pass::backward_input,
                                kernels::convolution_pass::backward_weights}) {
            // No step needs the gradient of the images.
            const bool of_images =
                each.geometry.input_channels == 3 && pass == kernels::convolution_pass::backward_input;
            if (of_images || !is_wanted(chosen, each.name + "/" + name_of(pass))) continue;
            rows.push_back(compare(each, pass, rounds, seconds));
            print_row(rows.back());
            if (output.is_open()) output << rows.back() << std::endl;
        }
    require<argument_error>(!rows.empty(), "--case: there is no convolution with such a name");
    std::cout << '\n';
    for (const json& row : rows) std::cout << row << '\n';
}

}  // namespace

int main(int argc, char** argv) {
    settings chosen;
    CLI::App app{"Compares single convolutions of frostline and of oneDNN.", "frostline-versus-onednn"};
    app.add_flag("--quick", chosen.quick, "One round of 20 ms: for a first look");
    app.add_option("--case", chosen.cases,
                   "Run only the cases whose name contains this text; may be repeated")
        ->type_name("TEXT")
        ->allow_extra_args(false);
    app.add_option("--rounds", chosen.rounds, "Measurements of each side (default: 3)")
        ->type_name("N")
        ->check(CLI::PositiveNumber);
    app.add_option("--output", chosen.output, "Write the JSON lines there, too")->type_name("FILE");
    CLI11_PARSE(app, argc, argv);
    try {
        run(chosen);
    } catch (const std::exception& failure) {
        std::cout.flush();
        std::cerr << "frostline-versus-onednn: " << failure.what() << '\n';
        return 1;
    }
}
