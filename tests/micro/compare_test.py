"""Google Benchmark's own compare.py takes what two runs of loopbench micro wrote.

Usage: compare_test.py LOOPBENCH DIRECTORY-OF-SCIPY
"""

import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile

COMPARE = pathlib.Path("/usr/share/benchmark/compare.py")


def check(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")


def main():
    loopbench, scipy = sys.argv[1:]
    sys.path.append(scipy)
    if not COMPARE.exists() or importlib.util.find_spec("scipy") is None:
        print("skipped: compare.py or scipy is missing; scripts/setup --tests gets them")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as directory:
        results = [pathlib.Path(directory, name) for name in ("A", "B")]
        for path in results:
            with path.open("w", encoding="utf-8") as file:
                subprocess.run(
                    [loopbench, "micro", "--loops=epoll,uv", "--benchmark_filter=post",
                     "--benchmark_format=json", "--benchmark_min_time=0.001",
                     "--benchmark_repetitions=2"], stdout=file, check=True)
        report = pathlib.Path(directory, "report.json")
        compared = subprocess.run(
            [sys.executable, COMPARE, "--no-color", "--dump_to_json", report, "benchmarks",
             *results],
            env=dict(os.environ, PYTHONPATH=scipy), capture_output=True, text=True, check=False)
        check(compared.returncode == 0, compared.stderr)
        rows = {row["name"]: row for row in json.loads(report.read_text(encoding="utf-8"))}
    for name in ("epoll/post", "uv/post", "epoll/post_from_thread", "uv/post_from_thread"):
        check(name in rows, f"{name} was not compared: {sorted(rows)}")
        check(len(rows[name]["measurements"]) == 2, f"{name}: not every repetition was compared")
        check(rows[name]["measurements"][0]["real_time"] > 0, f"{name} took no time")
        check(f"{name}_median" in rows, f"{name}: no aggregates were compared")
        check(rows[name]["utest"] != {}, f"{name}: no U test was made")
    check("OVERALL_GEOMEAN" in rows, "no geometric mean over all")
    print("all checks passed")


if __name__ == "__main__":
    main()
