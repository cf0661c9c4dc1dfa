// SPDX-License-Identifier: MIT
// Compares whole networks with PyTorch: tests/golden/README.md says what the files hold.
#include "frostline/models/resnet.hpp"
#include "frostline/models/vgg.hpp"
#include "support/catch.hpp"
#include "support/golden_gradients.hpp"

#include <cmath>
#include <string>

using namespace frostline;

namespace {

sample_shape input_of(const golden::json& file) {
    const auto batch = file.at("batch").get<golden::shape>();
    return {batch[2], batch[3], batch[1]};
}

// Each makes a network in the type of its second argument.
constexpr auto make_resnet18 = []<class T>(const sample_shape& input, T) {
    return resnet18<T>(input, 10, {.stem = resnet_stem::cifar});
};
constexpr auto make_resnet50 = []<class T>(const sample_shape& input, T) { return resnet50<T>(input, 10); };
constexpr auto make_resnet101 = []<class T>(const sample_shape& input, T) { return resnet101<T>(input, 10); };
constexpr auto make_resnet152 = []<class T>(const sample_shape& input, T) { return resnet152<T>(input, 10); };
constexpr auto make_vgg16 = []<class T>(const sample_shape& input, T) { return vgg16<T>(input, 10); };

template <class T, class Make>
void check_logits(const std::string& name, const Make& make, double tolerance) {
    const auto file = golden::load(name);
    INFO(name);
    auto network = make(input_of(file), T{});
    const auto errors =
        golden::logits_errors_of(network, file, file.at("number"), golden::relative_logits_error<T>);
    CHECK(errors.inference < tolerance);
    CHECK(errors.training < tolerance);
}

// What gradients in float may err, as a multiple of what PyTorch's float errs: of a network as a whole and of
// one parameter. docs/convolutions.md says what was measured.
constexpr double whole_limit = 3;
constexpr double parameter_limit = 8;

template <class Make>
void check_gradients(const std::string& name, const Make& make) {
    const auto file = golden::load(name);
    auto doubles = make(input_of(file), double{});
    auto floats = make(input_of(file), float{});
    const double loss = file.at("loss");
    CHECK(golden::find_gradients(doubles, file) == Catch::Approx(loss).epsilon(1e-12));
    CHECK(golden::find_gradients(floats, file) == Catch::Approx(loss).epsilon(1e-5));
    double ours = 0, theirs = 0;
    for (const auto& errors : golden::compare_gradients(doubles, floats, file)) {
        INFO(errors.name);
        CHECK(errors.of_double < 1e-8);
        CHECK(errors.of_float <= parameter_limit * errors.of_pytorch_float);
        ours += std::pow(errors.of_float * errors.norm, 2);
        theirs += std::pow(errors.of_pytorch_float * errors.norm, 2);
    }
    CHECK(std::sqrt(ours) <= whole_limit * std::sqrt(theirs));
}

}  // namespace

TEST_CASE("ResNet-18, ResNet-50 and VGG-16 give PyTorch's logits, in float", "[slow]") {
    check_logits<float>("resnet18_gradients", make_resnet18, 1e-4);
    check_logits<float>("resnet50_gradients", make_resnet50, 1e-4);
    check_logits<float>("vgg16_gradients", make_vgg16, 1e-4);
}

TEST_CASE("ResNet-18, ResNet-50 and VGG-16 give PyTorch's logits, in double", "[slow]") {
    check_logits<double>("resnet18_gradients", make_resnet18, 1e-10);
    check_logits<double>("resnet50_gradients", make_resnet50, 1e-10);
    check_logits<double>("vgg16_gradients", make_vgg16, 1e-10);
}

TEST_CASE("ResNet-101 gives PyTorch's logits, in float", "[slow]") {
    check_logits<float>("resnet101", make_resnet101, 1e-4);
}

TEST_CASE("ResNet-152 gives PyTorch's logits, in float", "[slow]") {
    check_logits<float>("resnet152", make_resnet152, 1e-4);
}

TEST_CASE("ResNet-18's gradients are PyTorch's, and in float err a few times what PyTorch's do", "[slow]") {
    check_gradients("resnet18_gradients", make_resnet18);
}

TEST_CASE("ResNet-50's gradients are PyTorch's, and in float err a few times what PyTorch's do", "[slow]") {
    check_gradients("resnet50_gradients", make_resnet50);
}

TEST_CASE("VGG-16's gradients are PyTorch's, and in float err a few times what PyTorch's do", "[slow]") {
    check_gradients("vgg16_gradients", make_vgg16);
}
