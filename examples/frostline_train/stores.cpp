// SPDX-License-Identifier: MIT

#include "stores.hpp"

#include "frostline/core/errors.hpp"
#include "frostline/features/disk_feature_store.hpp"
#include "frostline/features/encodings.hpp"
#include "frostline/features/memory_feature_store.hpp"
#include "frostline/features/no_feature_store.hpp"
#include "frostline/features/tiered_feature_store.hpp"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <filesystem>
#include <system_error>

namespace {

// Half of what is free in the folder, and nothing where its files lie in memory.
std::size_t room_on_disk(const std::filesystem::path& folder) {
    struct statfs status {};
    if (::statfs(folder.c_str(), &status) != 0 || status.f_type == TMPFS_MAGIC) return 0;
    return static_cast<std::size_t>(status.f_bavail) * static_cast<std::size_t>(status.f_bsize) / 2;
}

template <class Encoding>
frostline::any_feature_store<scalar> make_encoding_store(const settings& chosen, std::size_t sharers) {
    using memory = frostline::memory_feature_store<scalar, Encoding>;
    using disk = frostline::disk_feature_store<scalar, Encoding>;
    if (chosen.store.starts_with("disk:")) return disk(chosen.store.substr(5), chosen.store_budget);
    if (chosen.store == "disk") return disk(std::filesystem::temp_directory_path(), chosen.store_budget);
    std::error_code none;
    const auto folder = std::filesystem::temp_directory_path(none);
    const std::size_t room = none ? 0 : room_on_disk(folder) / sharers;
    if (chosen.store == "memory" || room == 0) return memory(chosen.store_budget);
    try {
        return frostline::tiered_feature_store<scalar, memory, disk>(memory(chosen.store_budget),
                                                                     disk(folder, room));
    } catch (const frostline::data_error&) {  // nothing can be written there, and nobody has asked for it
        return memory(chosen.store_budget);
    }
}

}  // namespace

frostline::any_feature_store<scalar> make_store(const settings& chosen, std::size_t sharers) {
    if (chosen.store == "none") return frostline::no_feature_store{};
    if (chosen.store_encoding == "bfloat16")
        return make_encoding_store<frostline::bfloat16_encoding>(chosen, sharers);
    if (chosen.store_encoding == "uint8")
        return make_encoding_store<frostline::uint8_encoding>(chosen, sharers);
    return make_encoding_store<frostline::exact_encoding>(chosen, sharers);
}
