"""scripts/performance-check, on results that were made up."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "performance-check"


def cell(value, interval, claimed, **traits):
    return {"figure": "CPU", "traits": traits or {"arm": "epoll"}, "value": value,
            "ci95": interval, "claimed": claimed}


class PerformanceCheck(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    def write(self, name, row, cells):
        path = pathlib.Path(self.directory.name) / name
        path.write_text(json.dumps({
            "loopbench": {}, "created": "", "environment": {},
            "claims": [{"id": row, "cells": cells, "beside": []}]}), encoding="utf-8")
        return path

    def check(self, row, cells, published=None, *more):
        """The exit status, and what was printed."""
        new = self.write("new.json", row, cells)
        old = pathlib.Path(self.directory.name) / "old.json"
        if published is not None:
            self.write("old.json", row, published)
        done = subprocess.run([sys.executable, SCRIPT, f"--from={new}", f"--published={old}", *more],
                              capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def test_a_row_is_met_when_all_its_figures_are(self):
        status, text = self.check("own-floor", [cell(1.02, [1.0, 1.04], [None, 1.03]),
                                                cell(0.9, [0.8, 1.0], [None, 1.03], arm="uring")])
        self.assertEqual(status, 0, text)
        self.assertIn(" 4  own-floor        met, 2 of 2 figures", text)
        self.assertIn("CPU: 1.02 [1, 1.04], at most 1.03; arm=epoll", text)

    def test_a_value_or_an_interval_beyond_is_short(self):
        for value, interval in ((1.04, [1.03, 1.05]), (1.02, [0.9, 1.06]), (None, None)):
            status, text = self.check("own-floor", [cell(value, interval, [None, 1.03])])
            self.assertEqual(status, 0, "short alone is no failure")
            self.assertIn("short, 0 of 1 figures", text)

    def test_what_is_surely_worse_than_published_has_regressed(self):
        old = [cell(10, [9.8, 10.2], [4, None])]
        for value, interval, regressed in ((9, [8.8, 9.2], True), (9.6, [9.5, 9.7], False),
                                           (20, [19, 21], False)):
            status, text = self.check("own-switch", [cell(value, interval, [4, None])], old)
            self.assertEqual(status, 1 if regressed else 0, text)
            self.assertEqual("REGRESSED" in text, regressed)

    def test_one_allocation_more_than_none_has_regressed(self):
        status, _ = self.check("own-allocations", [cell(0.01, [0.01, 0.01], [None, 0])],
                               [cell(0, [0, 0], [None, 0])])
        self.assertEqual(status, 1)

    def test_within_a_range_nothing_is_worse(self):
        old = [cell(1, [0.999, 1.001], [0.97, 1.03])]
        inside = self.check("own-adapters", [cell(0.98, [0.979, 0.981], [0.97, 1.03])], old)
        outside = self.check("own-adapters", [cell(1.1, [1.09, 1.11], [0.97, 1.03])], old)
        self.assertEqual((inside[0], outside[0]), (0, 1))

    def test_figures_are_published_and_a_row_must_exist(self):
        self.check("own-floor", [cell(1, [0.9, 1.1], [None, 1.03])], None, "--record")
        published = json.loads((pathlib.Path(self.directory.name) / "old.json").read_text())
        self.assertEqual(published["claims"][0]["cells"][0]["value"], 1)
        done = subprocess.run([sys.executable, SCRIPT, "--only=13"], capture_output=True, text=True,
                              check=False)
        self.assertIn("no such row; 1 to 12", done.stderr)
        self.assertEqual(done.returncode, 2)

    def test_what_is_no_result_is_refused(self):
        path = pathlib.Path(self.directory.name) / "no.json"
        for content in (None, "{", "{}", "[]"):
            if content is not None:
                path.write_text(content, encoding="utf-8")
            done = subprocess.run([sys.executable, SCRIPT, f"--from={path}"], capture_output=True,
                                  text=True, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn("no result of loopbench claims", done.stderr)


if __name__ == "__main__":
    unittest.main()
