// SPDX-License-Identifier: MIT
// A training step allocates nothing on the heap once its shapes have been seen. The file replaces malloc and
// its kin and every operator new for its executable, and counts the calls on all threads while asked to. What
// oneTBB and OpenBLAS allocate for themselves, and the dynamic linker for a new thread of theirs, is left
// out.
#include "frostline/train/trainer.hpp"

#include "frostline/data/augmentations/horizontal_flip.hpp"
#include "frostline/data/augmentations/random_crop.hpp"
#include "frostline/data/augmentations/random_resized_crop.hpp"
#include "frostline/data/transforms/augmented.hpp"
#include "frostline/features/disk_feature_store.hpp"
#include "frostline/features/tiered_feature_store.hpp"
#include "frostline/freeze/scorers/gradient_delta.hpp"
#include "frostline/freeze/scorers/gradient_norm.hpp"
#include "frostline/freeze/scorers/linear_cka.hpp"
#include "frostline/freeze/scorers/path_ratio.hpp"
#include "frostline/models/lenet.hpp"
#include "frostline/models/vgg.hpp"
#include "frostline/train/online_learner.hpp"
#include "small_run.hpp"
#include "support/catch.hpp"
#include "support/with_threads.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <new>
#include <string_view>
#include <thread>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FROSTLINE_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define FROSTLINE_TEST_SANITIZED 1
#endif
#endif

#if defined(__GLIBC__) && !defined(FROSTLINE_TEST_SANITIZED)
#define FROSTLINE_TEST_COUNTS_ALLOCATIONS 1

#include <link.h>
#include <malloc.h>

namespace {

struct address_range {
    std::uintptr_t begin, end;
};
std::array<address_range, 64> foreign{};  // the libraries that are left out
std::size_t foreign_ranges = 0;
std::atomic<bool> counting{false};
std::atomic<std::size_t> counted{0};

void find_foreign_libraries() {
    foreign_ranges = 0;
    dl_iterate_phdr(
        [](dl_phdr_info* library, std::size_t, void*) {
            const std::string_view path = library->dlpi_name ? library->dlpi_name : "";
            const std::string_view name = path.substr(path.rfind('/') + 1);
            if (!name.starts_with("libtbb") && !name.starts_with("libopenblas") &&
                !name.starts_with("ld-linux"))
                return 0;
            for (int segment = 0; segment < library->dlpi_phnum; ++segment) {
                const auto& header = library->dlpi_phdr[segment];
                if (header.p_type != PT_LOAD || foreign_ranges == foreign.size()) continue;
                const std::uintptr_t begin = library->dlpi_addr + header.p_vaddr;
                foreign[foreign_ranges++] = {begin, begin + header.p_memsz};
            }
            return 0;
        },
        nullptr);
}

void count(const void* caller) {
    if (!counting.load(std::memory_order_relaxed)) return;
    const auto address = reinterpret_cast<std::uintptr_t>(caller);
    for (std::size_t i = 0; i < foreign_ranges; ++i)
        if (address >= foreign[i].begin && address < foreign[i].end) return;
    counted.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);

void* malloc(std::size_t size) {
    count(__builtin_return_address(0));
    return __libc_malloc(size);
}
void* calloc(std::size_t items, std::size_t size) {
    count(__builtin_return_address(0));
    return __libc_calloc(items, size);
}
void* realloc(void* pointer, std::size_t size) {
    count(__builtin_return_address(0));
    return __libc_realloc(pointer, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
    count(__builtin_return_address(0));
    return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
    count(__builtin_return_address(0));
    return __libc_memalign(alignment, size);
}
int posix_memalign(void** pointer, std::size_t alignment, std::size_t size) {
    count(__builtin_return_address(0));
    *pointer = __libc_memalign(alignment, size);
    return *pointer ? 0 : ENOMEM;
}
}

namespace {

void* checked(void* pointer) {
    if (!pointer) throw std::bad_alloc();
    return pointer;
}

}  // namespace

void* operator new(std::size_t size) {
    count(__builtin_return_address(0));
    return checked(__libc_malloc(size));
}
void* operator new[](std::size_t size) {
    count(__builtin_return_address(0));
    return checked(__libc_malloc(size));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    count(__builtin_return_address(0));
    return checked(__libc_memalign(static_cast<std::size_t>(alignment), size));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
    count(__builtin_return_address(0));
    return checked(__libc_memalign(static_cast<std::size_t>(alignment), size));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    count(__builtin_return_address(0));
    return __libc_malloc(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
    count(__builtin_return_address(0));
    return __libc_malloc(size);
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    count(__builtin_return_address(0));
    return __libc_memalign(static_cast<std::size_t>(alignment), size);
}
void* operator new[](std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    count(__builtin_return_address(0));
    return __libc_memalign(static_cast<std::size_t>(alignment), size);
}
void operator delete(void* pointer) noexcept { __libc_free(pointer); }
void operator delete[](void* pointer) noexcept { __libc_free(pointer); }
void operator delete(void* pointer, std::size_t) noexcept { __libc_free(pointer); }
void operator delete[](void* pointer, std::size_t) noexcept { __libc_free(pointer); }
void operator delete(void* pointer, std::align_val_t) noexcept { __libc_free(pointer); }
void operator delete[](void* pointer, std::align_val_t) noexcept { __libc_free(pointer); }
void operator delete(void* pointer, std::size_t, std::align_val_t) noexcept { __libc_free(pointer); }
void operator delete[](void* pointer, std::size_t, std::align_val_t) noexcept { __libc_free(pointer); }

namespace {

using namespace small_run;

template <class Body>
std::size_t allocations_of(const Body& body) {
    find_foreign_libraries();
    counted = 0;
    counting = true;
    body();
    counting = false;
    return counted;
}

// The compiler may not leave out an allocation whose result comes by here.
void* kept(void* pointer) {
    asm volatile("" : "+r"(pointer) : : "memory");
    return pointer;
}

/// Trains, and counts each whole step, from the moment its learning rate is asked for until it is reported,
/// of every epoch that froze and dropped as the epoch before it did. @return the counted allocations by step;
/// -1 for the rest
template <class Network, dataset Data>
std::vector<int> allocations_by_step(test_run<Network>& run, training_options options, const Data& data) {
    const std::size_t steps_per_epoch = (data.size() + options.batch_size - 1) / options.batch_size;
    std::vector<int> by_step(options.epochs * steps_per_epoch, -1);
    bool steady = false;
    options.schedule = [&](const schedule_point& point) {
        const auto& epochs = run.events.epochs;
        if (point.step % steps_per_epoch == 0) {
            const auto& moves = run.events.moves;
            steady = !epochs.empty() && (moves.empty() || moves.back().epoch < point.epoch());
            find_foreign_libraries();
        }
        counted = 0;
        counting = steady;
        return 0.01;
    };
    run.events.on_step = [&](const step_finished& step) {
        counting = false;
        if (steady) by_step[step.step] = static_cast<int>(counted);
    };
    run.trains.run(options, data);
    counting = false;
    return by_step;
}

/// Active, frozen and dropped phases; each is entered, and then looked at in its second epoch.
template <class Network, dataset Data>
void check_steps_allocate_nothing(const Network& network, const Data& data, std::size_t batch_size,
                                  std::vector<std::size_t> wanted, any_feature_store<float> store, bool drops,
                                  any_scorer<float> scorer = {"weight_change", weight_change{}}) {
    REQUIRE(data.size() % batch_size != 0);
    const std::size_t epochs = wanted.size() + 1, tiers = store.tiers().size();
    test_run<Network> run(network, answers(std::move(wanted)), std::move(store), std::move(scorer));
    auto options = options_for(epochs, batch_size);
    options.costs = fixed_costs(network, tiers);
    const auto by_step = allocations_by_step(run, options, data);
    std::size_t active = 0, frozen = 0, dropped = 0, partial = 0;
    for (const auto& step : run.events.steps) {
        if (by_step[step.step] < 0) continue;
        INFO("step " << step.step << " with " << step.frozen << " frozen and " << step.dropped
                     << " dropped blocks");
        CHECK(by_step[step.step] == 0);
        ++(step.dropped > 0 ? dropped : step.frozen > 0 ? frozen : active);
        partial += step.samples < batch_size;
    }
    CHECK(active > 0);
    CHECK(partial > 0);
    CHECK((drops ? dropped : frozen) > 0);
}

}  // namespace

TEST_CASE("the counter sees every way to allocate, on every thread") {
    CHECK(allocations_of([] {}) == 0);
    CHECK(allocations_of([] { std::free(kept(std::malloc(8))); }) == 1);
    CHECK(allocations_of([] { std::free(kept(std::calloc(2, 8))); }) == 1);
    CHECK(allocations_of([] { std::free(kept(std::realloc(nullptr, 8))); }) == 1);
    CHECK(allocations_of([] { std::free(kept(std::aligned_alloc(64, 64))); }) == 1);
    CHECK(allocations_of([] { std::free(kept(memalign(64, 64))); }) == 1);
    CHECK(allocations_of([] {
              void* found = nullptr;
              if (posix_memalign(&found, 64, 64) == 0) std::free(kept(found));
          }) == 1);
    constexpr std::align_val_t line{64};
    CHECK(allocations_of([] { ::operator delete(kept(::operator new(8))); }) == 1);
    CHECK(allocations_of([] { ::operator delete[](kept(::operator new[](8))); }) == 1);
    CHECK(allocations_of([] { ::operator delete(kept(::operator new(8, line)), line); }) == 1);
    CHECK(allocations_of([] { ::operator delete[](kept(::operator new[](8, line)), line); }) == 1);
    CHECK(allocations_of([] { ::operator delete(kept(::operator new(8, std::nothrow))); }) == 1);
    CHECK(allocations_of([] { ::operator delete[](kept(::operator new[](8, std::nothrow))); }) == 1);
    CHECK(allocations_of([] { ::operator delete(kept(::operator new(8, line, std::nothrow)), line); }) == 1);
    CHECK(allocations_of([] { ::operator delete[](kept(::operator new[](8, line, std::nothrow)), line); }) ==
          1);

    const auto allocate_in_parallel = [] {
        parallel_for(100, [](std::size_t) { ::operator delete(kept(::operator new(8))); });
    };
    allocate_in_parallel();  // starts the threads
    CHECK(allocations_of(allocate_in_parallel) >= 100);
    CHECK(allocations_of([] { parallel_for(100, [](std::size_t) { kept(nullptr); }); }) == 0);
}

TEST_CASE("the counter sees a step that allocates") {
    const auto data = images(40);
    test_run run(make_network(), {"allocates", [](const training_view&) { return 0; }});
    auto options = options_for(2, 16);
    struct allocating_observer {
        void operator()(const step_finished&) { ::operator delete(kept(::operator new(8))); }
    } allocating;
    trainer trains(run.trained, softmax_cross_entropy<float>{}, sgd<float>{}, weight_change{}, never{},
                   no_feature_store{}, allocating, run.events);
    std::size_t seen = 0;
    run.events.on_step = [&](const step_finished& step) {
        counting = false;
        if (step.epoch == 1) seen += counted;
    };
    options.schedule = [&](const schedule_point&) {
        counted = 0;
        counting = true;
        return 0.01;
    };
    find_foreign_libraries();
    trains.run(options, data);
    CHECK(seen == 3);  // one for each step of the second epoch
}

TEST_CASE("the steps of LeNet-5 allocate nothing") {
    auto network = lenet5<float>({28, 28, 1}, 10);
    network.initialise(1);
    SECTION("frozen") {
        check_steps_allocate_nothing(network, images(70), 16, {0, 2, 2}, no_feature_store{}, false);
    }
    SECTION("dropped") {
        check_steps_allocate_nothing(network, images(70), 16, {0, 2, 2, 3, 3},
                                     memory_feature_store<float>(plenty), true);
    }
    SECTION("partly stored") {
        check_steps_allocate_nothing(network, images(70), 16, {0, 2, 2, 2}, small_store(60'000), true);
    }
}

TEST_CASE("the steps of a small network with residual blocks allocate nothing") {
    const int count = GENERATE(1, 2);
    const with_threads guard(count);
    SECTION("frozen") {
        check_steps_allocate_nothing(make_network(), images(70), 16, {0, 1, 1, 4, 4}, no_feature_store{},
                                     false);
    }
    SECTION("dropped and thawed") {
        check_steps_allocate_nothing(make_network(), images(70), 16, {0, 2, 2, 4, 4, 1, 1, 2, 2},
                                     memory_feature_store<float>(plenty), true);
    }
    SECTION("dropped to the disk, and partly there") {
        const auto folder = std::filesystem::temp_directory_path();
        check_steps_allocate_nothing(make_network(), images(70), 16, {0, 2, 2, 4, 4, 4},
                                     disk_feature_store<float>(folder, plenty), true);
        check_steps_allocate_nothing(make_network(), images(70), 16, {0, 3, 3, 3},
                                     disk_feature_store<float>(folder, 100'000), true);
    }
    SECTION("partly stored") {
        check_steps_allocate_nothing(make_network(), images(70), 16, {0, 3, 3, 3}, small_store(100'000),
                                     true);
    }
}

TEST_CASE("the steps allocate nothing where features lie in memory, and the rest of them on the disk") {
    using tiers = tiered_feature_store<float, memory_feature_store<float>, disk_feature_store<float>>;
    check_steps_allocate_nothing(
        make_network(), images(70), 16, {0, 3, 3, 3},
        tiers(memory_feature_store<float>(100'000),
              disk_feature_store<float>(std::filesystem::temp_directory_path(), plenty)),
        true);
}

TEST_CASE("the steps that a scorer observes allocate nothing") {
    SECTION("gradients") {
        check_steps_allocate_nothing(make_network(), images(70), 16, {0, 1, 1}, no_feature_store{}, false,
                                     {"gradient_norm", gradient_norm{}});
    }
    SECTION("the last two gradients") {
        check_steps_allocate_nothing(make_network(), images(70), 16, {0, 1, 1}, no_feature_store{}, false,
                                     {"gradient_delta", gradient_delta{}});
    }
    SECTION("the path") {
        check_steps_allocate_nothing(make_network(), images(70), 16, {0, 1, 1}, no_feature_store{}, false,
                                     {"path_ratio", path_ratio(2)});
    }
    SECTION("outputs") {
        check_steps_allocate_nothing(make_network(), images(70), 16, {0, 1, 1}, no_feature_store{}, false,
                                     {"linear_cka", linear_cka()});
    }
}

TEST_CASE("what a scorer does not observe allocates nothing, and what it does is one copy of the weights") {
    auto network = make_network();
    const auto allocated_by = [&](const observations& observed) {
        return allocations_of([&] {
            block_observations<small_network> watched(network, observed);
            watched.start({});
            for (std::size_t decision = 0; decision < 2; ++decision) {
                for (std::size_t step = 0; step < 2; ++step) {
                    watched.before_step(step == 1);
                    watched.before_update(0, {}, step);
                    watched.after_update();
                }
                watched.decide(0, 2);
                for (std::size_t block = 0; block < network.blocks(); ++block) watched.view(block);
                watched.next_interval();
            }
        });
    };
    CHECK(allocated_by({}) == 0);
    CHECK(allocated_by({.previous_weights = true}) == 1);
    CHECK(allocated_by({.initial_weights = true}) == 1);
    CHECK(allocated_by({.gradient_sum = true}) == 1);
    CHECK(allocated_by({.gradient_pair = true}) == 1);
    CHECK(allocated_by({.path_every = 1}) == 2);  // and a length for each block
}

TEST_CASE("the steps of a run on augmented images allocate nothing") {
    const int count = GENERATE(1, 2);
    const with_threads guard(count);
    const augmented data(images(70), 1, random_crop{2}, random_resized_crop{.size = 28}, horizontal_flip{});
    // Every thread keeps scratch from its first read on.
    std::atomic<int> readers{0};
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    parallel_for(static_cast<std::size_t>(count), [&](std::size_t index) {
        std::vector<float> pixels(28 * 28);
        for (const std::uint32_t view : {0, 1, 2, 3}) data.read(index, view, std::span(pixels));
        ++readers;
        while (readers < count && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    });
    check_steps_allocate_nothing(make_network(), data, 16, {0, 2, 2}, memory_feature_store<float>(plenty),
                                 false);
}

namespace {

/// Lets the buffer fill up and each of its places change hands, then counts over steps between decisions.
template <class Buffer>
void check_online_steps_allocate_nothing(Buffer buffer, std::size_t wanted, std::size_t batch_size,
                                         bool keep_pixels = true) {
    auto network = make_network();
    const auto data = images(200);
    const any_policy freezes{"freezes", [=](const training_view&) { return wanted; }};
    online_learner learner{
        network,           softmax_cross_entropy<float>{},
        sgd<float>{},      weight_change{},
        freezes,           memory_feature_store<float>(plenty),
        std::move(buffer), {.replayed = 5, .keep_pixels = keep_pixels, .decide_every = 300, .horizon = 600}};
    tensor<float> batch = batch_of(data, 0, batch_size);
    std::vector<std::int32_t> targets(batch_size);
    const auto fit = [&](std::size_t step) {
        for (std::size_t row = 0; row < batch_size; ++row) {
            const std::size_t index = (step * batch_size + row) % data.size();
            data.read(index, std::span<float>(batch.data() + row * 784, 784));
            targets[row] = data.target(index);
        }
        learner.partial_fit(batch, targets);
    };
    for (std::size_t step = 0; step < 450; ++step) fit(step);
    CHECK((learner.dropped() > 0) == (wanted > 0));
    CHECK(learner.buffer().has_pixels() == (keep_pixels || wanted == 0));
    std::size_t taken_over = 0;
    const auto places = [&] {
        std::vector<std::uint64_t> numbers;
        for (std::size_t i = 0; i < learner.buffer().size(); ++i)
            numbers.push_back(learner.buffer().number(i));
        return numbers;
    };
    const auto before = places();
    CHECK(allocations_of([&] {
              for (std::size_t step = 450; step < 590; ++step) fit(step);
          }) == 0);
    const auto after = places();
    for (std::size_t i = 0; i < before.size(); ++i) taken_over += before[i] != after[i];
    CHECK(taken_over > 0);
    CHECK(allocations_of([&] { learner.predict(batch); }) == 0);
}

}  // namespace

TEST_CASE("the steps of an online learner allocate nothing", "[slow]") {
    SECTION("nothing frozen") { check_online_steps_allocate_nothing(replay_buffer<float>(50), 0, 1); }
    SECTION("dropped") { check_online_steps_allocate_nothing(replay_buffer<float>(50), 3, 1); }
    SECTION("dropped, several samples at a time") {
        check_online_steps_allocate_nothing(replay_buffer<float>(50), 2, 3);
    }
    SECTION("pixels of a byte") {
        check_online_steps_allocate_nothing(replay_buffer<float, uint8_encoding>(50), 3, 1);
    }
    SECTION("without pixels") { check_online_steps_allocate_nothing(replay_buffer<float>(50), 4, 1, false); }
}

TEST_CASE("the steps of VGG-11 allocate nothing", "[slow]") {
    auto network = vgg11<float>({32, 32, 1}, 10);
    network.initialise(1);
    SECTION("frozen") {
        check_steps_allocate_nothing(network, images(20, 32), 8, {0, 4, 4}, no_feature_store{}, false);
    }
    SECTION("dropped") {
        check_steps_allocate_nothing(network, images(20, 32), 8, {0, 4, 4, 4},
                                     memory_feature_store<float>(plenty), true);
    }
}

#else

TEST_CASE("the steps of a run allocate nothing") {
    WARN("skipped: malloc cannot be replaced under this sanitizer or C library");
}

#endif
