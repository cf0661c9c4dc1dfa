// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/data/rgb_image.hpp"

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdio>  // jpeglib.h needs it and does not include it
#include <span>
#include <string_view>
#include <vector>

#include <jerror.h>
#include <jpeglib.h>

namespace frostline::inline FROSTLINE_ISA {

namespace detail {

/// libjpeg's state for one image. It leaves its own code by longjmp, which passes no destructor here.
class jpeg_decoder {
public:
    explicit jpeg_decoder(std::string_view name) : name_(name) {
        info.err = jpeg_std_error(&errors_.manager);
        errors_.manager.error_exit = fail;
        errors_.manager.emit_message = warn;
        progress_.progress_monitor = count_scans;
    }
    jpeg_decoder(const jpeg_decoder&) = delete;
    jpeg_decoder& operator=(const jpeg_decoder&) = delete;
    ~jpeg_decoder() { jpeg_destroy_decompress(&info); }

    /// Runs a step of which nothing has to be destroyed. @throws data_error when libjpeg fails in it
    template <class Step>
    void run(const Step& step) {
        if (setjmp(errors_.back) != 0)
            throw data_error(sentence(name_, ": is no readable JPEG image (", errors_.message.data(), ")"));
        step();
    }

    /// Before anything of the image is read, behind jpeg_create_decompress.
    void limit_scans() { info.progress = &progress_; }

    jpeg_decompress_struct info{};

private:
    // A progressive image of a few megabytes may hold ten thousands of scans, each a pass over all its
    // blocks; those of real encoders have about ten.
    static constexpr int most_scans = 500;

    static void count_scans(j_common_ptr of) {
        if (reinterpret_cast<j_decompress_ptr>(of)->input_scan_number <= most_scans) return;
        auto& errors = *reinterpret_cast<error_state*>(of->err);
        std::snprintf(errors.message.data(), errors.message.size(), "more than %d scans", most_scans);
        std::longjmp(errors.back, 1);
    }

    struct error_state {
        jpeg_error_mgr manager{};  // the first member: libjpeg hands it back
        std::jmp_buf back{};
        std::array<char, JMSG_LENGTH_MAX> message{};
    };

    [[noreturn]] static void fail(j_common_ptr failed) {
        auto& errors = *reinterpret_cast<error_state*>(failed->err);
        errors.manager.format_message(failed, errors.message.data());
        std::longjmp(errors.back, 1);
    }

    // A warning means pixels that were made up, but for these few.
    static void warn(j_common_ptr warned, int level) {
        constexpr std::array harmless = {JWRN_EXTRANEOUS_DATA, JWRN_JFIF_MAJOR, JWRN_ADOBE_XFORM,
                                         JWRN_BOGUS_ICC};
        if (level >= 0 ||
            std::find(harmless.begin(), harmless.end(), warned->err->msg_code) != harmless.end())
            return;
        fail(warned);
    }

    std::string_view name_;
    error_state errors_;
    jpeg_progress_mgr progress_{};
};

}  // namespace detail

/// Decodes a JPEG image of any kind: grey becomes RGB, and so does CMYK, without a colour profile. Where the
/// shorter side is still at least four times `shorter_side`, the image is decoded at 1/2, 1/4 or 1/8 of its
/// size; 0 asks for the whole size. (With three times, images that are then resized were off by more than a
/// level.)
/// @param name stands for the file in messages
/// @throws data_error when the bytes are no JPEG image, are cut off or damaged, or are too many pixels
inline void decode_jpeg(std::span<const std::uint8_t> bytes, std::string_view name, std::size_t shorter_side,
                        rgb_image& image) {
    detail::jpeg_decoder decoder(name);
    auto& info = decoder.info;
    decoder.run([&] {
        jpeg_create_decompress(&info);
        decoder.limit_scans();
        jpeg_mem_src(&info, bytes.data(), static_cast<unsigned long>(bytes.size()));
        jpeg_read_header(&info, TRUE);
    });
    check_image_size(name, info.image_height, info.image_width);

    const std::size_t shorter = std::min(info.image_height, info.image_width);
    info.scale_num = 1;
    info.scale_denom = 1;
    while (shorter_side > 0 && info.scale_denom < 8 && shorter / (2 * info.scale_denom) >= 4 * shorter_side)
        info.scale_denom *= 2;
    const bool four_inks = info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK;
    info.out_color_space = four_inks ? JCS_CMYK : JCS_RGB;
    decoder.run([&] { jpeg_start_decompress(&info); });

    image.resize(info.output_height, info.output_width);
    std::vector<std::uint8_t> inks(four_inks ? 4 * image.width : 0);
    decoder.run([&] {
        while (info.output_scanline < info.output_height) {
            std::uint8_t* const row = image.pixels.data() + 3 * image.width * info.output_scanline;
            JSAMPROW target = four_inks ? inks.data() : row;
            jpeg_read_scanlines(&info, &target, 1);
            if (!four_inks) continue;
            for (std::size_t pixel = 0; pixel < image.width; ++pixel) {
                for (std::size_t channel = 0; channel < 3; ++channel) {
                    // Adobe stores how much of each ink is missing.
                    const auto white = [&](std::size_t ink) {
                        const int value = inks[4 * pixel + ink];
                        return info.saw_Adobe_marker ? value : 255 - value;
                    };
                    row[3 * pixel + channel] =
                        static_cast<std::uint8_t>((white(channel) * white(3) + 127) / 255);
                }
            }
        }
        jpeg_finish_decompress(&info);
    });
}

}  // namespace frostline::inline FROSTLINE_ISA
