// SPDX-License-Identifier: MIT
#include "frostline/data/regular_file.hpp"

#include "frostline/data/cifar10.hpp"
#include "frostline/data/idx.hpp"
#include "frostline/data/image_folder.hpp"
#include "idx_files.hpp"
#include "image_files.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <sys/stat.h>

using namespace frostline;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr const char* refusal = ": is a pipe, a socket or a device, expected a regular file";

std::filesystem::path pipe_at(const std::filesystem::path& path) {
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    return path;
}

}  // namespace

TEST_CASE("a pipe and a device are refused, also behind a link, and what readers can judge is not") {
    const temporary_folder folder;
    const auto pipe = pipe_at(folder / "pipe");
    CHECK_THROWS_AS(require_regular_file(pipe), data_error);
    CHECK_THROWS_WITH(require_regular_file(pipe), pipe.string() + refusal);
    for (const auto& target : {pipe, std::filesystem::path("/dev/zero")}) {
        const auto link = folder / ("link to " + target.filename().string());
        std::filesystem::create_symlink(target, link);
        CHECK_THROWS_WITH(require_regular_file(link), link.string() + refusal);
    }
    idx_files::write(folder / "file", {'x'});
    std::filesystem::create_symlink("file", folder / "link");
    std::filesystem::create_symlink("nothing", folder / "nowhere");
    for (const char* name : {"file", "link", "nowhere", "nothing", "."})
        CHECK_NOTHROW(require_regular_file(folder / name));
}

TEST_CASE("no reader waits for a pipe among its files") {
    const temporary_folder folder;
    const auto pipe = pipe_at(folder / "pipe.jpg");
    std::vector<std::uint8_t> pixels(3 * 4 * 4);
    CHECK_THROWS_WITH(read_idx_images(pipe), ContainsSubstring(refusal));
    CHECK_THROWS_WITH(read_idx_labels(pipe), ContainsSubstring(refusal));
    CHECK_THROWS_WITH(load_cifar10(std::vector{pipe}), ContainsSubstring(refusal));
    CHECK_THROWS_WITH(read_cifar10_class_names(pipe), ContainsSubstring(refusal));
    CHECK_THROWS_WITH(read_image(pipe, 4, pixels), ContainsSubstring(refusal));

    for (const char* name : {"apple", "cat"})
        idx_files::write(folder / name / "x.png", image_files::bytes_of("rgb.png"));
    std::filesystem::rename(pipe, folder / "cat/pipe.jpg");
    CHECK_THROWS_WITH(image_folder(folder.path(), {.size = 4}), ContainsSubstring(refusal));
    CHECK(image_folder(folder.path(), {.size = 4, .skip_unreadable = true}).size() == 2);
}
