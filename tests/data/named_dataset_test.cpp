// SPDX-License-Identifier: MIT
#include "frostline/data/named_dataset.hpp"

#include "frostline/data/batches.hpp"
#include "idx_files.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <cmath>
#include <cstdlib>
#include <optional>

using namespace frostline;
using Catch::Matchers::ContainsSubstring;

namespace {

/// Sets FROSTLINE_DATA, or unsets it, for the length of a test.
class data_environment {
public:
    explicit data_environment(const char* value) {
        if (const char* before = std::getenv("FROSTLINE_DATA")) before_ = before;
        set(value);
    }
    ~data_environment() { set(before_ ? before_->c_str() : nullptr); }

private:
    static void set(const char* value) {
        value ? ::setenv("FROSTLINE_DATA", value, 1) : ::unsetenv("FROSTLINE_DATA");
    }
    std::optional<std::string> before_;
};

/// A training set of one sample whose label tells the folders apart.
void write_set(const std::filesystem::path& folder, std::uint8_t label, bool compressed = true) {
    const auto write = compressed ? idx_files::write_compressed : idx_files::write;
    const std::string ending = compressed ? ".gz" : "";
    write(folder / ("train-images-idx3-ubyte" + ending), idx_files::images(1, 2, 2));
    write(folder / ("train-labels-idx1-ubyte" + ending), idx_files::labels({label}));
}

std::int32_t found_label(std::string_view name, const std::filesystem::path& data_dir) {
    return load_named(name, data_dir, dataset_part::train).target(0);
}

bool have_fashion_mnist() {
    const bool have = std::filesystem::exists(debian_fashion_mnist);
    if (!have) WARN("SKIPPED: Fashion-MNIST is not installed (Debian: dataset-fashion-mnist)");
    return have;
}

}  // namespace

TEST_CASE("a named set is found in every accepted layout") {
    const data_environment none(nullptr);
    const std::vector<std::pair<std::string, std::string>> layouts = {
        {"mnist", "mnist"},     {"mnist", "MNIST/raw"},
        {"mnist", "."},         {"fashion-mnist", "fashion-mnist"},
        {"fashion-mnist", "."}, {"fashion-mnist", "FashionMNIST/raw"},
    };
    for (const auto& [name, layout] : layouts) {
        for (const bool compressed : {false, true}) {
            const temporary_folder folder;
            write_set(folder / layout, 3, compressed);
            CHECK(found_label(name, folder.path()) == 3);
        }
    }
}

TEST_CASE("a set's own folder comes before the directory, and FROSTLINE_DATA serves where none is given") {
    const temporary_folder given;
    const temporary_folder environment;
    const data_environment set(environment.path().c_str());
    write_set(environment / "mnist", 1);
    CHECK(found_label("mnist", "") == 1);
    write_set(given.path(), 2);
    CHECK(found_label("mnist", given.path()) == 2);
    write_set(given / "MNIST/raw", 3);
    CHECK(found_label("mnist", given.path()) == 3);
    CHECK(folder_of("mnist", given.path()) == given / "MNIST/raw");
}

TEST_CASE("a data directory without the set is an error, whatever lies elsewhere") {
    const temporary_folder given;
    const temporary_folder environment;
    const data_environment set(environment.path().c_str());
    write_set(environment / "fashion-mnist", 1);
    CHECK_THROWS_WITH(found_label("fashion-mnist", given.path()),
                      ContainsSubstring((given / "FashionMNIST/raw").string()) &&
                          !ContainsSubstring(environment.path().string()) &&
                          !ContainsSubstring(std::string(debian_fashion_mnist)));
}

TEST_CASE("both parts come from the folder with the training images") {
    const data_environment none(nullptr);
    const temporary_folder folder;
    write_set(folder / "mnist", 1);
    idx_files::write(folder / "MNIST/raw/t10k-images-idx3-ubyte", idx_files::images(1, 2, 2));
    idx_files::write(folder / "MNIST/raw/t10k-labels-idx1-ubyte", idx_files::labels({2}));
    CHECK_THROWS_WITH(load_named("mnist", folder.path(), dataset_part::test),
                      "the data set mnist in " + (folder / "mnist").string() +
                          " is not complete: expected the file t10k-images-idx3-ubyte or the same with .gz");
}

TEST_CASE("a path that cannot be followed is an error with its reason") {
    const data_environment none(nullptr);
    const temporary_folder folder;
    std::filesystem::create_directory_symlink("mnist", folder / "mnist");
    CHECK_THROWS_WITH(found_label("mnist", folder.path()),
                      ContainsSubstring("mnist/train-images-idx3-ubyte: cannot be read (Too many levels"));
}

TEST_CASE("a folder named after one set is never read as the other") {
    const data_environment none(nullptr);
    const temporary_folder folder;
    write_set(folder / "fashion-mnist", 1);
    write_set(folder / "FashionMNIST/raw", 1);
    CHECK_THROWS_AS(found_label("mnist", folder / "fashion-mnist"), data_error);
    CHECK_THROWS_AS(found_label("mnist", folder / "fashion-mnist/"), data_error);
    CHECK_THROWS_AS(found_label("mnist", folder / "FashionMNIST/raw"), data_error);
    CHECK(found_label("fashion-mnist", folder / "fashion-mnist") == 1);
    std::filesystem::create_directory_symlink("fashion-mnist", folder / "clothes");
    CHECK_THROWS_AS(found_label("mnist", folder / "clothes"), data_error);
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(folder / "fashion-mnist");
    CHECK_THROWS_AS(found_label("mnist", "."), data_error);
    CHECK(found_label("fashion-mnist", ".") == 1);
    std::filesystem::current_path(before);
    write_set(folder / "mnist", 2);
    CHECK(found_label("mnist", folder / "mnist") == 2);
}

TEST_CASE("a set that is not there gives the list of the places that were searched") {
    const temporary_folder given;
    const temporary_folder environment;
    const data_environment set(environment.path().c_str());
    for (const auto& data_dir : {given.path(), std::filesystem::path()}) {
        const auto& place = data_dir.empty() ? environment : given;
        CHECK_THROWS_AS(found_label("mnist", data_dir), data_error);
        CHECK_THROWS_WITH(found_label("mnist", data_dir),
                          ContainsSubstring("train-images-idx3-ubyte or the same with .gz") &&
                              ContainsSubstring((place / "mnist").string() + ", ") &&
                              ContainsSubstring((place / "MNIST/raw").string()));
    }
    const data_environment none(nullptr);
    CHECK_THROWS_WITH(load_named("mnist", "", dataset_part::test), ContainsSubstring("FROSTLINE_DATA"));
}

TEST_CASE("images without their labels are an error that names the missing file") {
    const temporary_folder folder;
    write_set(folder / "mnist", 1);
    std::filesystem::remove(folder / "mnist/train-labels-idx1-ubyte.gz");
    CHECK_THROWS_WITH(found_label("mnist", folder.path()),
                      ContainsSubstring("train-labels-idx1-ubyte or the same with .gz"));
}

TEST_CASE("an unknown name gives the list of the known ones") {
    CHECK_THROWS_AS(load_named("kmnist", "", dataset_part::train), argument_error);
    CHECK_THROWS_WITH(load_named("kmnist", "", dataset_part::train),
                      "there is no data set named \"kmnist\", "
                      "expected one of: mnist, fashion-mnist, cifar10, imagenette");
}

TEST_CASE("Fashion-MNIST of the Debian package is what its authors published") {
    if (!have_fashion_mnist()) return;
    const data_environment none(nullptr);
    const auto train = load_named("fashion-mnist", "", dataset_part::train);
    const auto test = load_named("fashion-mnist", "", dataset_part::test);
    CHECK(train.size() == 60000);
    CHECK(test.size() == 10000);
    CHECK(train.shape() == sample_shape{28, 28, 1});
    CHECK(train.classes() == 10);
    std::vector<std::size_t> train_counts(10, 0);
    std::vector<std::size_t> test_counts(10, 0);
    for (std::size_t index = 0; index < train.size(); ++index)
        ++train_counts[static_cast<std::size_t>(train.target(index))];
    for (std::size_t index = 0; index < test.size(); ++index)
        ++test_counts[static_cast<std::size_t>(test.target(index))];
    CHECK(train_counts == std::vector<std::size_t>(10, 6000));
    CHECK(test_counts == std::vector<std::size_t>(10, 1000));
    const std::vector<std::int32_t> first_train = {9, 0, 0, 3, 0, 2, 7, 2, 5, 5};
    const std::vector<std::int32_t> first_test = {9, 2, 1, 1, 6, 1, 4, 6, 5, 7};
    for (std::size_t index = 0; index < 10; ++index) {
        CHECK(train.target(index) == first_train[index]);
        CHECK(test.target(index) == first_test[index]);
    }

    std::vector<double> pixels(784);
    double sum = 0;
    double squares = 0;
    for (std::size_t index = 0; index < train.size(); ++index) {
        train.read(index, std::span(pixels));
        for (const double pixel : pixels) {
            sum += pixel;
            squares += pixel * pixel;
        }
    }
    const double mean = sum / (60000.0 * 784);
    const auto usual = usual_statistics("fashion-mnist");
    CHECK(mean == Catch::Approx(usual.mean[0]).margin(5e-5));
    CHECK(std::sqrt(squares / (60000.0 * 784) - mean * mean) ==
          Catch::Approx(usual.deviation[0]).margin(5e-5));
}

TEST_CASE("CIFAR-10 is found below the data directory and in it, and a missing file is named") {
    const data_environment none(nullptr);
    const temporary_folder folder;
    const auto batches = folder / "cifar-10-batches-bin";
    idx_files::write(batches / "data_batch_1.bin", {});
    CHECK(folder_of("cifar10", folder.path()) == batches);
    CHECK(folder_of("cifar10", batches) == batches);
    CHECK_THROWS_WITH(load_named("cifar10", folder.path(), dataset_part::train),
                      "the data set cifar10 in " + batches.string() +
                          " is not complete: expected the file data_batch_2.bin or the same with .gz");
    CHECK_THROWS_WITH(load_named("cifar10", folder.path(), dataset_part::test),
                      ContainsSubstring("expected the file test_batch.bin or the same"));
    CHECK_THROWS_WITH(
        load_named("cifar10", folder / "nothing", dataset_part::test),
        ContainsSubstring("expected the file data_batch_1.bin or the same with .gz, looked in: "));
    CHECK(usual_statistics("cifar10").mean.size() == 3);
    CHECK(usual_statistics("mnist").deviation.size() == 1);
}

TEST_CASE("CIFAR-10 has 5,000 and 1,000 images a class and the usual statistics", "[slow]") {
    const char* directory = std::getenv("FROSTLINE_DATA");
    if (!directory || !std::filesystem::exists(std::filesystem::path(directory) / "cifar-10-batches-bin")) {
        WARN("SKIPPED: FROSTLINE_DATA names no folder with cifar-10-batches-bin");
        return;
    }
    const auto train = load_named("cifar10", "", dataset_part::train);
    const auto test = load_named("cifar10", "", dataset_part::test);
    const auto counts = [](const auto& data) {
        std::vector<std::size_t> found(10, 0);
        for (std::size_t index = 0; index < data.size(); ++index)
            ++found[static_cast<std::size_t>(data.target(index))];
        return found;
    };
    CHECK(counts(train) == std::vector<std::size_t>(10, 5000));
    CHECK(counts(test) == std::vector<std::size_t>(10, 1000));

    std::array<double, 3> sums{}, squares{};
    std::vector<double> pixels(train.shape().size());
    for (std::size_t index = 0; index < train.size(); ++index) {
        train.read(index, std::span(pixels));
        for (std::size_t element = 0; element < pixels.size(); ++element) {
            sums[element % 3] += pixels[element];
            squares[element % 3] += pixels[element] * pixels[element];
        }
    }
    // Loose enough for a copy that went through JPEG.
    const auto usual = usual_statistics("cifar10");
    for (std::size_t channel = 0; channel < 3; ++channel) {
        const double mean = sums[channel] / (50000.0 * 1024);
        CHECK(mean == Catch::Approx(usual.mean[channel]).margin(1e-3));
        CHECK(std::sqrt(squares[channel] / (50000.0 * 1024) - mean * mean) ==
              Catch::Approx(usual.deviation[channel]).margin(3e-3));
    }
    const auto names = read_cifar10_class_names(folder_of("cifar10", "") / "batches.meta.txt");
    CHECK(names.front() == "airplane");
    CHECK(names.back() == "truck");
}
