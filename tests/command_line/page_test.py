#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the page of frostline-reproduce from small records, reads it, and opens it in a browser.
Usage: page_test.py FROSTLINE_REPRODUCE [CHROMIUM]: with a browser, only what that shows"""

import html.parser
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree
import zlib
from pathlib import Path

import page_records
from tool_under_test import ToolUnderTest

VOID = {"meta", "link", "br"}
EXPECTED = {"html", "head", "meta", "link", "title", "style", "body", "header", "main", "section", "h1", "h2", "h3", "p",
            "em", "a", "div", "table", "thead", "tbody", "tr", "th", "td", "span", "code", "figure", "figcaption",
            "details", "summary", "ul", "li", "svg", "desc", "g", "path", "rect", "text"}

tool = ToolUnderTest(sys.argv[1])
check = tool.check


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.problems, self.attributes, self.texts = [], [], [], {}
        self.feed(text)
        self.close()
        self.problems += [f"{tag} is not closed" for tag in self.open]

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, *pair) for pair in attrs]
        self.texts.setdefault(tag, []).append("")
        if tag not in EXPECTED:
            self.problems.append(f"{tag} is no tag of this page")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"{tag} is closed out of order")

    def handle_data(self, data):
        for tag in set(self.open):
            self.texts[tag][-1] += data

    def values(self, name, tag=None):
        return [value for where, key, value in self.attributes if key == name and tag in (None, where)]


def drawings(text):
    """The outer svg elements."""
    depth, start = 0, 0
    for found in re.finditer(r"<(/?)svg\b", text):
        if found[1] == "" and (depth := depth + 1) == 1:
            start = found.start()
        elif found[1] == "/" and (depth := depth - 1) == 0:
            yield text[start:text.index(">", found.start()) + 1]


def needs_nothing_else(text, page):
    for phrase in ("http:", "https:", "url(", "@import", "<script", "javascript:"):
        check(phrase not in text, f"nothing is fetched or run: {phrase}")
    check(not page.values("src") and not page.values("srcset") and page.values("href", "link") == ["data:,"],
          "no part of the page lies elsewhere")
    check(not [name for _, name, _ in page.attributes if name.startswith("on")], "no handlers", page.attributes[:5])
    for target in page.values("href", "a"):
        check(target[1:] in page.values("id") if target.startswith("#") else target.endswith(".jsonl"),
              "links lead to the page's own parts and to records", target)
    check(len(set(page.values("id"))) == len(page.values("id")), "ids are unique")


def draws_well(text):
    """@return the plots by their titles"""
    plots = {}
    for drawing in drawings(text):
        try:
            root = xml.etree.ElementTree.fromstring(drawing)
        except xml.etree.ElementTree.ParseError as problem:
            check(False, "every drawing is XML", problem, drawing[:300])
            continue
        if root.get("role") == "img":
            check(root.findtext("title") and root.findtext("desc"), "every plot says what it shows", drawing[:300])
            check(root.findtext("title") not in plots, "and no two say the same", drawing[:300])
            plots[root.findtext("title")] = root
        else:
            check(root.get("aria-hidden") == "true", "what is no plot is hidden from screen readers", drawing[:300])
        for element in root.iter("path"):
            way = element.get("d")
            check(way.startswith("M") and "nan" not in way and "inf" not in way, "every path has numbers", way[:300])
    return plots


def paths(plot, style):
    return [path.get("d") for path in plot.iter("path") if style in path.get("class").split()]


def shows_what_happened(plots):
    for title, plot in plots.items():
        if "accuracy against" in title:
            large = title.startswith("Large")
            check(len(paths(plot, "mark")) == (6 if large else 5), "every method is a mark", title)
            check(len(paths(plot, "bar")) == (0 if large else 5), "and has an interval where there are seeds", title)
        if "by epoch" in title and title.startswith("Large"):
            check(len(paths(plot, "line")) == 6 and not paths(plot, "thin"), "one line a method", title)
        if "by epoch" in title and title.startswith("Small"):
            check(len(paths(plot, "thin")) == 15 and len(paths(plot, "line")) == 20, "and one a seed", title)
        if title.endswith(", early, seed 1: frost line"):
            states = [paths(plot, state) for state in ("f0", "f1", "f2")]
            check(states == [["M0 4h2v1H0zM0 3h2v1H0zM0 2h6v1H0zM0 1h6v1H0zM0 0h6v1H0z"],
                             ["M2 4h1v1H2zM2 3h4v1H2z"], ["M3 4h3v1H3z"]], "the frost line is where it was", states)
        if title.endswith(": scores"):
            check(len(paths(plot, "gap")) == 1, "missing scores are shown", title)
            levels = {name for path in plot.iter("path") for name in path.get("class").split() if name[0] == "h"}
            check(len(levels) > 5, "high scores are not low ones", title, levels)


def shows_everything(text, page, plots):
    cells = list(page_records.cells())
    works = [work["name"] for work in page_records.MATRIX["workloads"]]
    check(page.texts["h1"] == [page_records.MATRIX["name"]], "the name is as it was given", page.texts["h1"])
    check(page.texts["h2"] == ["Overview", *works[:-1]], "every workload that was begun has its part", page.texts["h2"])
    check(f"Without a finished run of never: {works[-1]}." in page.texts["p"], "what was not begun is told")
    check("0.06 %" in page.texts["td"], "what scoring took is told", page.texts["td"])
    commands = page.texts["code"]
    for name, _, _, options, _ in cells:
        check(commands.count(page_records.command_of(options)) == 1, "every cell has its command", name, commands)
        check(name in page.values("href"), "and leads to its record", name)
    check(len(commands) == len(cells), "no other command", commands)
    heads = page.texts["th"]
    for how in page_records.MATRIX["methods"]:
        check(how["name"] in heads, "every method is in the tables", how["name"], heads)
    check("4 of 4" in page.texts["td"] and "9 of 9" in page.texts["td"], "the overview counts cells", page.texts["td"])
    for work in works[:-1]:
        whole = [cell for cell in cells if cell[1] == work and "epochs" not in cell[2]]
        dropping = [cell for cell in whole if cell[2] in page_records.DROPPING]
        for kind, count in (("accuracy against", 2), ("by epoch", 4)):
            found = [title for title in plots if title.startswith(f"{work}: ") and kind in title]
            check(len(found) == count, f"plots of {kind}", found)
        for kind, wanted in (("frost line", dropping), ("scores", whole)):
            found = [title for title in plots if title.startswith(f"{work}, ") and title.endswith(f": {kind}")]
            check(len(found) == len(wanted), f"maps of {kind}", found)
    check("in epoch 3, 2 frozen, 0 of them dropped; in epoch 4, 2 frozen, 1 of them dropped;" in text,
          "the frost line is told, too")
    check(page_records.HOSTILE not in text, "names are escaped")


def sums_up(page, table):
    """By hand: `early` trains for 71 of 90 parts, as many as 4.73 epochs of six, and ends where `never` does: 1.20
    points above the line between four epochs of `never` and five."""
    check("| early | 2 | +0.00 | +1.20 ± 0.00 | 21.11 % | 1.27 |" in table, "the table sums up the workloads", table)
    check("mean, against never with as many FLOPs" in page.texts["th"] and page.texts["td"].count("+1.20 ± 0.00") == 2,
          "and so does the overview", page.texts["td"])
    check(len(re.findall(r"\| never, [45] epochs \| [^|]+ \| [^|]+ \|  \|", table)) == 4,
          "never is not compared with itself", table)


def lacks_a_neighbour(results):
    (results / "Large/never-4-epochs-seed-1.jsonl").unlink()
    status, _, errors = tool.run(results.with_suffix(".json"), results, "--tables-only")
    small, large = (results / "table.md").read_text().split("## Large")
    check(status == 0 and "| early | 89.42 ± 0.25 | +0.00 ± 0.00 | +1.20 ± 0.00 |" in small and "| early | 89.32 | +0.00 |  |" in large,
          "nothing is read off a line with one end", large, errors)


def make_page(folder):
    results = folder / "results"
    matrix = page_records.write_results(results)
    status, output, errors = tool.run(matrix, results, "--tables-only")
    check(status == 0 and "index.html" in output, "a page is made", status, output, errors)
    return results / "index.html"


def opens_in(browser, folder, page):
    for scheme in ("light", "dark"):
        picture = folder / f"{scheme}.png"
        finished = subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr",
             f"--user-data-dir={folder / 'profile'}", "--window-size=1200,1600", f"--screenshot={picture}",
             f"--blink-settings=preferredColorScheme={0 if scheme == 'dark' else 1}", page.as_uri()],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240, check=False)
        check(finished.returncode == 0 and picture.exists(), "the browser opens the page", finished.stderr)
        console = [line for line in finished.stderr.splitlines() if "CONSOLE" in line]
        check(not console, "and has nothing to complain of", console)
        yield picture.read_bytes() if picture.exists() else b""


def pixels(picture):
    """The bytes of the picture's rows: differences to their neighbours, which are all alike on a blank page."""
    chunks, at = b"", 8
    while at < len(picture):
        size = int.from_bytes(picture[at:at + 4], "big")
        if picture[at + 4:at + 8] == b"IDAT":
            chunks += picture[at + 8:at + 8 + size]
        at += 12 + size
    return zlib.decompress(chunks) if chunks else b""


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = make_page(folder)
        if len(sys.argv) > 2:
            light, dark = (pixels(picture) for picture in opens_in(sys.argv[2], folder, path))
            check(len(set(light)) > 100 and len(set(dark)) > 100, "there is something to see",
                  len(set(light)), len(set(dark)))
            check(light != dark, "light is not dark")
            return tool.exit_code()
        text = path.read_text()
        page = Page(text)
        check(not page.problems, "the page is well-formed", page.problems[:10])
        needs_nothing_else(text, page)
        plots = draws_well(text)
        shows_everything(text, page, plots)
        shows_what_happened(plots)
        sums_up(page, (folder / "results/table.md").read_text())
        lacks_a_neighbour(folder / "results")

        empty = folder / "empty"
        status, _, errors = tool.run(folder / "results.json", empty, "--tables-only")
        check(status == 0 and "No cell is finished" in (empty / "index.html").read_text(), "no cells", errors)
    return tool.exit_code()


sys.exit(main())
