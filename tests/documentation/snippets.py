# SPDX-License-Identifier: MIT
"""Writes one C++ file with every ```cpp block of the given Markdown pages, to be compiled.

Blocks stand at namespace scope, in a namespace for each page; blocks marked ```cpp body stand in a function.
#include lines are moved to the top. #line directives make the compiler name the page and its line.

    snippets.py OUTPUT PAGE...
"""
import pathlib
import re
import sys


def blocks_of(page):
    """(number of the first line, whether it is a function body, lines) of each block."""
    lines, found, start = page.read_text(encoding="utf-8").splitlines(), [], None
    for number, line in enumerate(lines, 1):
        if start is None and re.match(r"```cpp\b", line):
            start, body = number + 1, line.split()[1:] == ["body"]
        elif start is not None and line.startswith("```"):
            found.append((start, body, lines[start - 1:number - 1]))
            start = None
    if start is not None:
        sys.exit(f"{page}: the block at line {start} has no end")
    return found


def main(output, *pages):
    includes, text = ["#include <frostline/frostline.hpp>"], []
    for page in map(pathlib.Path, pages):
        blocks = blocks_of(page)
        if not blocks:
            sys.exit(f"{page}: there is no ```cpp block, so it need not be checked")
        text.append(f"namespace page_{re.sub('[^a-z0-9]', '_', page.stem.lower())} {{")
        for number, (start, body, lines) in enumerate(blocks):
            includes += [line for line in lines if line.startswith("#include")]
            if body:
                text.append(f"[[maybe_unused]] void snippet_{number}() {{")
            text.append(f'#line {start} "{page}"')
            text += ["" if line.startswith("#include") else line for line in lines]
            if body:
                text.append("}")
        text.append("}")
    pathlib.Path(output).write_text("\n".join(dict.fromkeys(includes)) + "\n" + "\n".join(text) + "\n",
                                    encoding="utf-8")


main(*sys.argv[1:])
