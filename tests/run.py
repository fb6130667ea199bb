#!/usr/bin/env python3
"""Runs black-box suites: `run.py conformance hostile ... [--only TEXT] [--strict] [--report FILE]`.

Prints one line per test and at the end `N passed, N failed, N skipped`. `--strict`: a skipped test is a failure.
"""

import argparse
import json
import os
import sys
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


class Result(unittest.TestResult):
    def __init__(self, strict):
        super().__init__()
        self.strict, self.rows, self.began, self.broken = strict, [], 0.0, []

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def _note(self, test, outcome, detail=""):
        seconds = time.monotonic() - self.began
        self.rows.append({"test": test.id(), "outcome": outcome, "seconds": round(seconds, 3), "detail": detail})
        mark = {"passed": "ok", "failed": "FAILED", "skipped": "skipped"}[outcome]
        print(f"{mark:8}{seconds:7.2f}s  {test.id()}", flush=True)
        if detail:
            detail = "\n".join(line[:500] for line in detail.strip().splitlines())
            print("            " + detail.strip().replace("\n", "\n            "), flush=True)

    def addSuccess(self, test):
        self._note(test, "passed")

    def addFailure(self, test, err):
        last = str(err[1]) if str(err[1]) else self._exc_info_to_string(err, test)
        where = self._exc_info_to_string(err, test).strip().splitlines()
        lines = [l.strip() for l in where if ", line " in l]
        self._note(test, "failed", f"{lines[-1] if lines else ''}\n{err[0].__name__}: {last}"[:2000])

    addError = addFailure

    def addSkip(self, test, reason):
        self._note(test, "failed" if self.strict else "skipped", f"skipped: {reason}")

    def addSubTest(self, test, subtest, err):
        """Failed subtests are gathered: a test counts once, however many of its cases fail."""
        if err is not None:
            self.broken.append(f"{subtest._subDescription()}: {err[0].__name__}: {str(err[1])[:400]}")

    def stopTest(self, test):
        super().stopTest(test)
        if self.broken:
            shown = self.broken[:6] + ([f"... and {len(self.broken) - 6} more"] if len(self.broken) > 6 else [])
            self._note(test, "failed", "\n".join(shown))
            self.broken = []


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suites", nargs="+")
    parser.add_argument("--only", default="")
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--report")
    given = parser.parse_args()
    # a machine's own trust store must not override what a test tells the client to trust
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        os.environ.pop(name, None)
    loader, chosen = unittest.TestLoader(), unittest.TestSuite()
    for name in given.suites:
        folder = HERE / name
        for file in sorted(folder.glob("test_*.py")):
            loaded = loader.loadTestsFromName(f"{name}.{file.stem}")
            for test in flatten(loaded):
                if given.only in test.id():
                    chosen.addTest(test)
    result = Result(given.strict)
    chosen.run(result)
    counts = {kind: sum(r["outcome"] == kind for r in result.rows) for kind in ("passed", "failed", "skipped")}
    if given.report:
        Path(given.report).parent.mkdir(parents=True, exist_ok=True)
        Path(given.report).write_text(json.dumps({"counts": counts, "rows": result.rows}, indent=1))
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    sys.exit(1 if counts["failed"] or not result.rows else 0)


def flatten(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from flatten(test)
        else:
            yield test


if __name__ == "__main__":
    main()
