// SPDX-License-Identifier: MIT
// Calls what each of frostline's components is needed for; where one is not linked, neither is this program.
#include <cstdio>
#include <frostline/data/idx.hpp>
#include <frostline/data/image_file.hpp>
#include <frostline/io/safetensors_file.hpp>
#include <frostline/report/record.hpp>

template <class Action>
bool refuses(const Action& action) {
    try {
        action();
    } catch (const frostline::data_error& failure) {
        std::puts(failure.what());
        return true;
    }
    return false;
}

int main() {
    const bool all = refuses([] { frostline::read_idx_images("missing"); }) &&
                     refuses([] { frostline::read_image("missing.png", 1, {}); }) &&
                     refuses([] { frostline::safetensors_file("missing.safetensors"); }) &&
                     refuses([] { frostline::record("missing/run.jsonl", "never", "none"); });
    return all ? 0 : 1;
}
