// SPDX-License-Identifier: MIT
#include "frostline/core/named_options.hpp"

#include "support/catch.hpp"

#include <array>
#include <string_view>

using namespace frostline;

TEST_CASE("named_options takes a name alone") {
    named_options options("cosine");
    CHECK(options.name() == "cosine");
    CHECK(options.number("final", 0.5) == 0.5);
    CHECK(options.count("every", 3) == 3);
    CHECK_NOTHROW(options.require_all_used());
}

TEST_CASE("named_options reads its numbers in any order") {
    named_options options("threshold:ratio=-0.25,patience=4,rate=1e-3");
    CHECK(options.name() == "threshold");
    CHECK(options.count("patience", 1) == 4);
    CHECK(options.number("rate", 1) == 1e-3);
    CHECK(options.number("ratio", 1) == -0.25);
    CHECK_NOTHROW(options.require_all_used());
}

TEST_CASE("named_options names the known options when one is unknown") {
    named_options options("threshold:patience=2,ration=0.5");
    options.number("ratio", 1);
    options.count("patience", 1);
    CHECK_THROWS_AS(options.require_all_used(), argument_error);
    CHECK_THROWS_WITH(options.require_all_used(),
                      "threshold has no option \"ration\", known are ratio, patience");
    CHECK_THROWS_WITH(named_options("never:a=1").require_all_used(),
                      "never has no option \"a\", it takes none");
}

TEST_CASE("named_options keeps numbers in their range") {
    named_options options("x:a=2,b=1.5,c=-3");
    CHECK(options.number("a", 0, 2, 2) == 2);
    CHECK_THROWS_WITH(options.number("a", 0, 0, 1), "x: a must be a number from 0 to 1, found 2");
    CHECK_THROWS_WITH(options.number("a", 0, 3), "x: a must be a number of at least 3, found 2");
    CHECK_THROWS_WITH(options.count("b", 0), "x: b must be a whole number, found 1.5");
    CHECK_THROWS_AS(options.count("c", 0), argument_error);
    CHECK_THROWS_AS(options.count("a", 0, 3), argument_error);
    CHECK(options.count("missing", 1, 3) == 1);
}

TEST_CASE("named_options rejects text of another form") {
    for (const char* text :
         {"", ":", ":a=1", "x:", "x:a", "x:=1", "x:a=", "x:a=1,", "x:a=1,,b=2", "x:a=1,a=2"})
        CHECK_THROWS_AS(named_options(text), argument_error);
    CHECK_THROWS_WITH(named_options("x:a=1,a=2"), "x: the option \"a\" stands twice");
    CHECK_THROWS_WITH(named_options("x:a"), "x: found \"a\", expected KEY=VALUE");
}

TEST_CASE("named_options takes no word for a number") {
    for (const char* text :
         {"x:a=one", "x:a=1x", "x:a=1 ", "x:a=nan", "x:a=inf", "x:a=-inf", "x:a=1e999", "x:a=b=1"}) {
        CHECK_THROWS_AS(named_options(text).number("a", 0), argument_error);
        CHECK_THROWS_AS(named_options(text).count("a", 0), argument_error);
    }
    CHECK_THROWS_WITH(named_options("x:a=one").number("a", 0), "x: a must be a finite number, found \"one\"");
}

TEST_CASE("named_options finds the place of a word among those that are known") {
    constexpr std::array<std::string_view, 3> words{"low", "high", "2"};
    CHECK(named_options("x:level=high").choice("level", words, 0) == 1);
    CHECK(named_options("x:level=2").choice("level", words, 0) == 2);
    CHECK(named_options("x").choice("level", words, 2) == 2);
    CHECK_THROWS_AS(named_options("x:level=higher").choice("level", words, 0), argument_error);
    CHECK_THROWS_WITH(named_options("x:level=higher").choice("level", words, 0),
                      "x: level must be low or high or 2, found \"higher\"");
    named_options options("x:levels=low");
    options.choice("level", words, 0);
    CHECK_THROWS_WITH(options.require_all_used(), "x has no option \"levels\", known are level");
}
