# SPDX-License-Identifier: MIT
"""What a test script found wrong, and a command line tool that is run from outside."""

import subprocess
from pathlib import Path


class Checks:
    def __init__(self):
        self.failures = []

    def check(self, condition, what, *details):
        if not condition:
            self.failures.append(what)
            print("FAILED:", what, *details, sep="\n  ")

    def exit_code(self):
        print(f"{len(self.failures)} failures")
        return 1 if self.failures else 0


class ToolUnderTest(Checks):
    def __init__(self, path):
        super().__init__()
        self.path = Path(path).resolve()

    def run(self, *arguments):
        """Exit code, standard output and standard error."""
        finished = subprocess.run([self.path, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True,
                                  text=True, timeout=300, check=False)
        return finished.returncode, finished.stdout, finished.stderr

    def refused(self, what, phrase, *arguments, code=1):
        """Whether it ends with this exit code and one line, which begins with its name and has the phrase."""
        status, _, errors = self.run(*arguments)
        self.check(status == code, f"{what}: exit code", status, errors)
        self.check(errors.startswith(f"{self.path.name}: ") and errors.count("\n") == 1, f"{what}: one line", errors)
        self.check(phrase in errors, f"{what}: says {phrase!r}", errors)
