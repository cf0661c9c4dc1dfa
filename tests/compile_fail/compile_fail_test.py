#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles one file and compares the outcome with the expectations written in it.

Usage: compile_fail_test.py COMPILER ARGUMENTS_FILE SOURCE
"""

import os
import pathlib
import re
import subprocess
import sys


def problem(compiler, arguments_file, source):
    text = pathlib.Path(source).read_text()
    expected = re.findall(r"^// expect: (.+)$", text, re.MULTILINE)
    must_compile = re.search(r"^// expect-success$", text, re.MULTILINE) is not None
    if must_compile == bool(expected):
        return "the file must hold either lines `// expect: <regular expression>` or one line `// expect-success`"
    # In the C locale the compilers quote with plain ASCII, so that expectations hold for both and everywhere.
    run = subprocess.run(
        [compiler, f"@{arguments_file}", source],
        env={**os.environ, "LC_ALL": "C"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )
    print(run.stdout)
    if must_compile:
        return "the file must compile, but does not" if run.returncode else None
    if run.returncode == 0:
        return "the file compiles, but must not"
    # A compiler that echoes the source would match its own expectations.
    output = "\n".join(line for line in run.stdout.splitlines() if "// expect" not in line)
    missed = [pattern for pattern in expected if not re.search(pattern, output)]
    return "the compiler's output does not match: " + "; ".join(missed) if missed else None


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    found = problem(*sys.argv[1:])
    sys.exit(f"{sys.argv[3]}: {found}" if found else 0)


main()
