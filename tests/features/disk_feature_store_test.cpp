// SPDX-License-Identifier: MIT
#include "frostline/features/disk_feature_store.hpp"

#include "store_rows.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

using namespace store_rows;
using Catch::Matchers::ContainsSubstring;
namespace fs = std::filesystem;

static_assert(feature_store<disk_feature_store<float>, float>);
static_assert(feature_store<disk_feature_store<double>, double>);

namespace {

constexpr std::size_t row_bytes = 24 * sizeof(float);

bool is_empty(const temporary_folder& folder) { return folder.files() == 0; }

/// The descriptor of an unnamed file in the folder, opened anew.
int open_unnamed(const temporary_folder& folder) {
    for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
        std::error_code gone;
        if (fs::read_symlink(entry.path(), gone).string().starts_with(folder.path().string()))
            return ::open(entry.path().c_str(), O_RDWR);
    }
    return -1;
}

/// Files of this process may grow to so many bytes while it lives.
struct file_limit {
    rlimit before{};

    explicit file_limit(std::size_t bytes) {
        ::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &before);
        rlimit now = before;
        now.rlim_cur = bytes;
        ::setrlimit(RLIMIT_FSIZE, &now);
    }
    ~file_limit() { ::setrlimit(RLIMIT_FSIZE, &before); }
};

}  // namespace

TEST_CASE("a disk_feature_store gives rows back bit for bit, in any order, read ahead or not") {
    const temporary_folder folder;
    disk_feature_store<float> store(folder.path(), plenty);
    put(store, keys_from(0, 50));
    put(store, keys_from(50, 7));
    std::vector<feature_key> mixed;
    for (const std::uint64_t sample : {56u, 3u, 99u, 0u, 50u, 49u, 3u})
        mixed.push_back({.sample = sample, .cut = 2});
    CHECK(rows_of(store, mixed) == 6);
    for (int again = 0; again < 3; ++again) {
        store.prefetch(mixed);
        CHECK(rows_of(store, mixed) == 6);
        store.prefetch(keys_from(5, 20));
        CHECK(rows_of(store, mixed) == 6);  // others than were announced
        CHECK(rows_of(store, keys_from(0, 60)) == 57);
    }
    CHECK(store.problem().empty());
    CHECK(is_empty(folder));
    store.clear();
    CHECK(store.bytes() == 0);
    CHECK(rows_of(store, mixed) == 0);
}

TEST_CASE("a disk_feature_store gives what was put last, also where it was read ahead before") {
    const temporary_folder folder;
    disk_feature_store<float> store(folder.path(), plenty);
    const auto keys = keys_from(0, 4);
    store.put(keys, rows_for(keys_from(100, 4)));
    store.prefetch(keys);
    put(store, keys);
    CHECK(rows_of(store, keys) == 4);
    store.prefetch(keys);
    store.clear();
    CHECK(rows_of(store, keys) == 0);
}

TEST_CASE("a disk_feature_store keeps to its budget, and holds rows of several cuts") {
    const temporary_folder folder;
    disk_feature_store<float> store(folder.path(), 10 * (row_bytes + feature_index_bytes));
    put(store, keys_from(0, 12));
    CHECK(rows_of(store, keys_from(0, 12)) == 10);
    CHECK(store.bytes() <= store.budget());
    store.forget(keys_from(2, 6));
    CHECK(rows_of(store, keys_from(0, 12)) == 4);
    constexpr sample_shape small{1, 1, 4};
    put(store, keys_from(0, 6, 3), small);
    CHECK(rows_of(store, keys_from(0, 6, 3), small) == 6);
    CHECK(rows_of(store, keys_from(0, 12)) == 4);
    CHECK(store.bytes() <= store.budget());
    store.forget(keys_from(0, 12));
    CHECK(rows_of(store, keys_from(0, 6, 3), small) == 6);
    CHECK_THROWS_AS(put(store, keys_from(0, 1, 3), shape), shape_error);
    CHECK_NOTHROW(put(store, keys_from(0, 1, 2), {1, 1, 7}));
}

TEST_CASE("rows that find no room on the disk are missed, wherever it ends") {
    const temporary_folder folder;
    for (std::size_t limit = 0; limit <= 5 * row_bytes; limit += 7) {
        INFO("files of at most " << limit << " bytes");
        disk_feature_store<float> store(folder.path(), plenty);
        const file_limit limited(limit);
        for (std::uint64_t sample = 0; sample < 6; sample += 2) put(store, keys_from(sample, 2));
        CHECK(rows_of(store, keys_from(0, 6)) == static_cast<int>(limit / (2 * row_bytes) * 2));
        CHECK_THAT(store.problem(), ContainsSubstring("lost rows, which are computed again: File too large"));
        CHECK_THAT(store.problem(), ContainsSubstring(folder.path().string()));
    }
}

TEST_CASE("a row is there right after its put, while it is being written") {
    const temporary_folder folder;
    disk_feature_store<float> store(folder.path(), std::size_t{64} << 20);
    constexpr sample_shape large{64, 64, 16};
    const bool ahead = GENERATE(false, true);
    for (std::uint64_t first = 0; first < 64; first += 16) {
        put(store, keys_from(first, 16), large);
        if (ahead) store.prefetch(keys_from(first, 16));
        CHECK(rows_of(store, keys_from(first, 16), large) == 16);
        if (first > 0) CHECK(rows_of(store, keys_from(first - 16, 16), large) == 16);
    }
    put(store, keys_from(0, 16), large);
    store.forget(keys_from(8, 8));
    CHECK(rows_of(store, keys_from(0, 64), large) == 56);
    put(store, keys_from(8, 8), large);
    auto moved = std::move(store);
    CHECK(rows_of(moved, keys_from(0, 64), large) == 64);
    put(moved, keys_from(64, 8), large);
    moved.clear();
    CHECK(moved.bytes() == 0);
    CHECK(moved.problem().empty());
}

TEST_CASE("after the disk was full a store goes on with what it holds, and takes rows again once cleared") {
    const temporary_folder folder;
    disk_feature_store<float> store(folder.path(), plenty);
    {
        const file_limit limited(3 * row_bytes);
        put(store, keys_from(0, 2));
        put(store, keys_from(2, 4));
        CHECK(rows_of(store, keys_from(0, 6)) == 2);
    }
    put(store, keys_from(2, 4));
    CHECK(rows_of(store, keys_from(0, 6)) == 2);
    CHECK_FALSE(store.problem().empty());
    store.clear();
    CHECK(store.problem().empty());
    put(store, keys_from(0, 6));
    CHECK(rows_of(store, keys_from(0, 6)) == 6);
}

TEST_CASE("a flipped bit makes its row missed, and no other") {
    const temporary_folder folder;
    disk_feature_store<float> store(folder.path(), plenty);
    const auto keys = keys_from(0, 5);
    put(store, keys);
    CHECK(rows_of(store, keys) == 5);  // and so all is written
    const int file = open_unnamed(folder);
    REQUIRE(file >= 0);
    const bool ahead = GENERATE(false, true);
    for (std::size_t byte = 2 * row_bytes; byte < 3 * row_bytes; ++byte) {
        unsigned char value = 0;
        REQUIRE(::pread(file, &value, 1, static_cast<off_t>(byte)) == 1);
        value = static_cast<unsigned char>(value ^ (1u << byte % 8));
        REQUIRE(::pwrite(file, &value, 1, static_cast<off_t>(byte)) == 1);
        if (ahead) store.prefetch(keys);
        CHECK(rows_of(store, keys) == 4);
        CHECK_THAT(store.problem(), ContainsSubstring("a row is not what was written"));
        put(store, keys_from(2, 1));  // computed again
        CHECK(rows_of(store, keys) == 5);
    }
    CHECK(store.bytes() == 5 * (row_bytes + feature_index_bytes));
    ::close(file);
}

TEST_CASE("the rows behind the end of a truncated file are missed") {
    const temporary_folder folder;
    for (std::size_t end = 0; end <= 4 * row_bytes; end += 13) {
        disk_feature_store<float> store(folder.path(), plenty);
        put(store, keys_from(0, 4));
        CHECK(rows_of(store, keys_from(0, 4)) == 4);  // and so all is written
        const int file = open_unnamed(folder);
        REQUIRE(::ftruncate(file, static_cast<off_t>(end)) == 0);
        ::close(file);
        if (end % 2 == 0) store.prefetch(keys_from(0, 4));
        CHECK(rows_of(store, keys_from(0, 4)) == static_cast<int>(end / row_bytes));
        put(store, keys_from(0, 4));
        CHECK(rows_of(store, keys_from(0, 4)) == 4);
    }
}

TEST_CASE("a killed program leaves nothing on the disk") {
    const temporary_folder folder;
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        // Only what is safe after a fork from a process with threads: no parallel loop.
        const unnamed_file file(folder.path());
        std::vector<std::byte> bytes(1 << 20);
        const bool written = file.write(bytes.data(), bytes.size(), 0) == 0;
        if (written && ::write(ready[1], "x", 1) == 1) ::pause();
        ::_exit(1);
    }
    REQUIRE(child > 0);
    char letter = 0;
    REQUIRE(::read(ready[0], &letter, 1) == 1);
    CHECK(is_empty(folder));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status));
    CHECK(is_empty(folder));
    ::close(ready[0]);
    ::close(ready[1]);
}

TEST_CASE("a folder that takes no file is refused at once") {
    CHECK_THROWS_WITH(disk_feature_store<float>("/no/such/folder", plenty),
                      ContainsSubstring("cannot make a temporary file in the folder /no/such/folder: No such "
                                        "file or directory"));
}

TEST_CASE("a disk_feature_store measures itself and is empty afterwards") {
    const temporary_folder folder;
    disk_feature_store<float> store(folder.path(), std::size_t{1} << 20);
    const auto costs = store.measure({8, 8, 16});
    REQUIRE(costs.size() == 1);
    CHECK(costs[0].write_bytes_per_second > 1e4);
    CHECK(costs[0].read_bytes_per_second > 1e4);
    CHECK(store.bytes() == 0);
    put(store, keys_from(0, 3));
    CHECK(rows_of(store, keys_from(0, 3)) == 3);
}
