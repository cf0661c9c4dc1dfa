// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/isa.hpp"

#include <sstream>
#include <stdexcept>
#include <string>

namespace frostline::inline FROSTLINE_ISA {

/// Base of everything the library throws: `what()` is one sentence for a person.
class error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// A file or array that does not hold what it should.
class data_error : public error {
public:
    using error::error;
};

/// An argument outside its range, or a name that does not exist.
class argument_error : public error {
public:
    using error::error;
};

/// Shapes that do not fit together.
class shape_error : public error {
public:
    using error::error;
};

/// Training that left the finite numbers.
class divergence_error : public error {
public:
    using error::error;
};

/// Processes that train one network together, and do not fit together.
class process_error : public error {
public:
    using error::error;
};

/// Joins its parts to one sentence.
template <class... Parts>
std::string sentence(const Parts&... parts) {
    std::ostringstream text;
    (text << ... << parts);
    return text.str();
}

/// Throws `Error` with the joined parts unless `condition` holds.
template <class Error, class... Parts>
void require(bool condition, const Parts&... parts) {
    if (!condition) throw Error(sentence(parts...));
}

}  // namespace frostline
