#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the layering of the headers, what none of them may hold, and that every source file names its licence.

Usage: include_direction_test.py ROOT | --self-test
"""

import pathlib
import re
import sys
import tempfile

BELOW_TRAIN = {
    "core", "concepts", "kernels", "data", "layers", "compose", "models", "freeze", "features", "optim", "io", "distributed",
}
# A folder may include itself and these.
MAY_INCLUDE = {
    "core": set(),
    "concepts": {"core"},
    "kernels": {"core"},
    "data": {"core", "concepts"},
    "io": {"core", "concepts"},
    "layers": {"core", "concepts", "kernels"},
    "compose": {"core", "concepts"},
    "freeze": {"core", "concepts", "kernels"},
    "features": {"core", "concepts"},
    "optim": {"core", "concepts"},
    "distributed": {"core", "concepts"},
    "models": {"core", "concepts", "layers", "compose"},
    "train": BELOW_TRAIN,
    "report": {"core", "concepts", "features"},  # a replay plans; and train's plain data: see may_include
    "testing": BELOW_TRAIN,
}
# Libraries that have one place where they are included.
ONLY_IN_CORE = re.compile(r"(xtensor|xtl|tbb|oneapi)/")
EVERYWHERE = "version.hpp"
SOURCES = {".hpp", ".cpp", ".cmake", ".sh", ".py"}
OURS = re.compile(r'^\s*#\s*include\s*["<]frostline/([^">]+)[">]', re.MULTILINE)
THEIRS = re.compile(r'^\s*#\s*include\s*["<](?!frostline/)([^">]+)[">]', re.MULTILINE)


NOWHERE = (
    (re.compile(r"^namespace frostline\b(?!::inline FROSTLINE_ISA)", re.MULTILINE),
     "opens namespace frostline without its instruction set, on which layouts depend"),
    (re.compile(r"\bstd::(cout|cerr|clog)\b|\b[fv]*printf\s*\(|\bf?puts\s*\(|\b(perror|putchar)\s*\(|\bstd(out|err)\b"), "prints, but the library says nothing"),
    (re.compile(r"^\s*#\s*define\s+XTENSOR_", re.MULTILINE), "sets an option of xtensor for all who include it"),
)


def includes(headers, name):
    path = headers / name
    return OURS.findall(path.read_text()) if path.is_file() else []


def is_plain_data(headers, name, seen=frozenset()):
    """A header of train that leans on nothing but core, concepts and other plain data."""
    return all(
        target == EVERYWHERE
        or target.split("/")[0] in ("core", "concepts")
        or target in seen
        or (target.startswith("train/") and is_plain_data(headers, target, seen | {name}))
        for target in includes(headers, name)
    )


def may_include(headers, folder, target):
    if target == EVERYWHERE:
        return True
    target_folder = target.split("/")[0] if "/" in target else ""
    if folder == "report" and target_folder == "train":
        return is_plain_data(headers, target)
    return target_folder == folder or target_folder in MAY_INCLUDE[folder]


def wrong_includes(root):
    headers = root / "include" / "frostline"
    for path in sorted(headers.rglob("*.hpp")):
        name = path.relative_to(headers).as_posix()
        if "/" not in name:  # frostline.hpp includes everything
            continue
        folder = name.split("/")[0]
        if folder not in MAY_INCLUDE:
            yield f"{name}: the folder {folder} has no place in the layering (MAY_INCLUDE in {__file__})"
            continue
        for target in includes(headers, name):
            if not may_include(headers, folder, target):
                allowed = ", ".join(sorted(MAY_INCLUDE[folder])) or "nothing of ours"
                yield f"{name}: includes {target}, but {folder} may include only itself and {allowed}"
        if folder != "core":
            for target in THEIRS.findall(path.read_text()):
                if ONLY_IN_CORE.match(target):
                    yield f"{name}: includes {target}, which only core may include"


def what_no_header_may_hold(root):
    headers = root / "include" / "frostline"
    for path in sorted(headers.rglob("*.hpp")):
        text = re.sub("//.*", "", path.read_text())
        for pattern, what in NOWHERE:
            if pattern.search(text):
                yield f"{path.relative_to(headers).as_posix()}: {what}"


def missing_licences(root):
    built = root / "build"
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if built in path.parents or relative.parts[0] == ".git":
            continue
        if not path.is_file() or not (path.suffix in SOURCES or path.name == "CMakeLists.txt"):
            continue
        lines = path.read_text().splitlines()[:2]
        first = lines[1:] if lines and lines[0].startswith("#!") else lines[:1]
        if not first or not re.fullmatch(r"(//|#) SPDX-License-Identifier: MIT", first[0]):
            yield f"{relative.as_posix()}: the first line is not the SPDX licence line"


def problems(root):
    return [*wrong_includes(root), *what_no_header_may_hold(root), *missing_licences(root)]


def self_test():
    licence = "// SPDX-License-Identifier: MIT\n"
    good = {
        "version.hpp": licence,
        "frostline.hpp": licence + '#include "frostline/train/trainer.hpp"\n',
        "core/tensor.hpp": licence + "#include <xtensor/xtensor.hpp>\n"
                           "namespace frostline::inline FROSTLINE_ISA {}  // no std::cout\n",
        "layers/linear.hpp": licence + '#include "frostline/kernels/gemm.hpp"\n#include "frostline/version.hpp"\n',
        "train/epoch.hpp": licence + '#include "frostline/core/tensor.hpp"\n',
        "train/trainer.hpp": licence + '#include "frostline/layers/linear.hpp"\n',
        "report/record.hpp": licence + '#include "frostline/train/epoch.hpp"\n',
    }
    bad = {
        "core/upwards.hpp": (licence + '#include "frostline/concepts/layer.hpp"\n', "core may include only"),
        "core/umbrella.hpp": (licence + '#include "frostline/frostline.hpp"\n', "core may include only"),
        "layers/upwards.hpp": (licence + "  #  include <frostline/compose/network.hpp>\n", "layers may include only"),
        "report/upwards.hpp": (licence + '#include "frostline/train/trainer.hpp"\n', "report may include only"),
        "freeze/tensor.hpp": (licence + "#include <xtensor/xarray.hpp>\n", "only core may include"),
        "attic/old.hpp": (licence, "has no place in the layering"),
        "core/unlicensed.hpp": ("#pragma once\n", "SPDX"),
        "core/plain.hpp": (licence + "namespace frostline {}\n", "without its instruction set"),
        "core/loud.hpp": (licence + "inline void f() { std::cerr << 1; }\n", "prints"),
        "core/louder.hpp": (licence + "inline void f() { std::fprintf(stderr, \"1\"); }\n", "prints"),
        "core/options.hpp": (licence + "#define XTENSOR_USE_TBB\n", "an option of xtensor"),
    }

    def found_in(files):
        with tempfile.TemporaryDirectory() as directory:
            for name, text in files.items():
                path = pathlib.Path(directory, "include", "frostline", name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return problems(pathlib.Path(directory))

    failures = [f"a good tree is rejected: {problem}" for problem in found_in(good)]
    for name, (text, sentence) in bad.items():
        found = found_in({**good, name: text})
        if len(found) != 1 or name not in found[0] or sentence not in found[0]:
            failures.append(f"{name} should give one sentence with '{sentence}', but gives {found}")
    return failures


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    found = self_test() if sys.argv[1] == "--self-test" else problems(pathlib.Path(sys.argv[1]).resolve())
    print("\n".join(found) or "no problem found")
    sys.exit(1 if found else 0)


main()
