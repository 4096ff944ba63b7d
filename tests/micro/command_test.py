"""loopbench micro, with made-up programs in place of the loops' own: turns, output, failures."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

LOOPBENCH = sys.argv.pop(1)

# A program as Google Benchmark would make it, of one benchmark. What else it does is said in FAKE.
FAKE = """#!/bin/sh
name=${0##*loopbench-micro-}
case "$* " in
*"--benchmark_list_tests=true "*)
    if [ "$FAKE" = unavailable-"$name" ]; then echo 'no such system call; get one' >&2; exit 69; fi
    if [ "$FAKE" = refuse ]; then echo '--benchmark_foo=1: there is no such flag' >&2; exit 2; fi
    if [ "$FAKE" != empty ]; then echo "$name/post"; fi
    exit 0 ;;
esac
echo "$name $*" >>"$FAKE_LOG"
case "$FAKE" in
crash) echo 'about to crash' >&2; kill -ABRT $$ ;;
nonsense) echo 'hello'; exit 0 ;;
wait) echo $$ >"$FAKE_LOG.pipe"; exec sleep 600 ;;
error) outcome='"error_occurred": true, "error_message": "no luck",' ;;
esac
cat <<JSON
{"context": {"host_name": "here", "load_avg": []},
 "benchmarks": [{"name": "$name/post", "family_index": 0, "per_family_instance_index": 0,
   "run_name": "$name/post", "run_type": "iteration", "repetitions": 1, "repetition_index": 0,
   "threads": 1, $outcome "iterations": 10, "real_time": 12.5, "cpu_time": 1.25e+01,
   "time_unit": "ns", "items_per_second": Infinity}]}
JSON
"""


class MicroTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.path = pathlib.Path(self.directory.name)
        # The first found of a name wins: the loops' own programs are not run by these names.
        for name in ("one", "two"):
            program = self.path / f"loopbench-micro-{name}"
            program.write_text(FAKE)
            program.chmod(0o755)
        self.log = self.path / "log"

    def environment(self, fake):
        return dict(os.environ, LOOPBENCH_PATH=str(self.path), FAKE=fake, FAKE_LOG=str(self.log))

    def micro(self, *arguments, fake="", loops="one,two"):
        return subprocess.run(
            [LOOPBENCH, "micro", f"--loops={loops}", *arguments],
            env=self.environment(fake), capture_output=True, text=True, timeout=60, check=False)

    def turns(self):
        return [line.split()[0] for line in self.log.read_text().splitlines()]

    def assert_refused(self, outcome, *told):
        self.assertEqual(outcome.returncode, 2, outcome.stderr)
        self.assertEqual(outcome.stdout, "")
        self.assertEqual(outcome.stderr.count("\n"), 1, outcome.stderr)
        for text in told:
            self.assertIn(text, outcome.stderr)

    def test_the_programs_take_turns_one_repetition_at_a_time(self):
        outcome = self.micro("--benchmark_repetitions=6", "--benchmark_format=json", "--seed=1",
                             "--benchmark_min_time=0.5")
        self.assertEqual(outcome.returncode, 0, outcome.stderr)
        turns = self.turns()
        rounds = [turns[i:i + 2] for i in range(0, 12, 2)]
        self.assertTrue(all(sorted(pair) == ["one", "two"] for pair in rounds), turns)
        self.assertGreater(len({tuple(pair) for pair in rounds}), 1, "always in the same order")
        flags = self.log.read_text().splitlines()[0]
        self.assertIn("--benchmark_repetitions=1 ", flags)
        self.assertIn("--benchmark_min_time=0.5", flags)
        result = json.loads(outcome.stdout)
        self.assertEqual(result["context"]["loopbench_seed"], "1")
        names = [entry["name"] for entry in result["benchmarks"]]
        self.assertEqual(names[:7], 6 * ["one/post"] + ["one/post_mean"])
        self.assertEqual([entry["repetition_index"] for entry in result["benchmarks"][:6]],
                         list(range(6)))
        self.assertEqual(result["benchmarks"][0]["repetitions"], 6)

    def test_the_same_seed_gives_the_same_order(self):
        for _ in range(2):
            self.micro("--benchmark_repetitions=8", "--seed=3")
        turns = self.turns()
        self.assertEqual(turns[:16], turns[16:])

    def test_no_bare_infinity_is_printed(self):
        outcome = self.micro("--benchmark_format=json")
        def refuse(constant):
            self.fail(f"{constant} is no JSON")
        result = json.loads(outcome.stdout, parse_constant=refuse)
        self.assertIsNone(result["benchmarks"][0]["items_per_second"])

    def test_the_table_and_the_file(self):
        out = self.path / "out.json"
        outcome = self.micro("--benchmark_repetitions=2", "--benchmark_display_aggregates_only",
                             f"--benchmark_out={out}")
        self.assertEqual(outcome.returncode, 0, outcome.stderr)
        self.assertRegex(outcome.stdout, r"one/post_median +12\.5 ns +12\.5 ns +2\n")
        self.assertNotIn("one/post ", outcome.stdout)
        names = [entry["name"] for entry in json.loads(out.read_text())["benchmarks"]]
        self.assertIn("one/post", names)
        self.assertIn("two/post_cv", names)

    def test_names_are_listed(self):
        outcome = self.micro("--benchmark_list_tests")
        self.assertEqual(outcome.stdout, "one/post\ntwo/post\n")
        self.assertFalse(self.log.exists(), "something was measured")

    def test_bad_input_is_refused_in_one_line(self):
        self.assert_refused(self.micro("--frobnicate"), "--frobnicate", "micro --help")
        self.assert_refused(self.micro("--benchmark_foo=1", fake="refuse"), "--benchmark_foo=1")
        self.assert_refused(self.micro("--benchmark_format=csv"), "--benchmark_format=csv", "json")
        self.assert_refused(self.micro("--benchmark_repetitions=0"), "--benchmark_repetitions=0")
        self.assert_refused(self.micro("--benchmark_out=/nonexistent/x"), "--benchmark_out=")
        self.assert_refused(self.micro("--benchmark_filter=x", fake="empty"),
                            "--benchmark_filter=x")
        self.assert_refused(self.micro("--size=3"), "--size=3")
        self.assert_refused(self.micro(loops="on"), "--loops=on", "did you mean one?")
        self.assert_refused(self.micro(loops="one,one"), "--loops=one,one", "once")
        self.assert_refused(self.micro(fake="unavailable-one"), "one", "no such system call")

    def test_a_program_that_crashes_is_named(self):
        outcome = self.micro(fake="crash")
        self.assertEqual(outcome.returncode, 5)
        self.assertRegex(outcome.stderr, "loopbench-micro-(one|two): was killed by signal 6")
        self.assertIn("about to crash", outcome.stderr)
        self.assertEqual(outcome.stdout, "")

    def test_words_in_place_of_a_result_are_a_failure(self):
        outcome = self.micro(fake="nonsense")
        self.assertEqual(outcome.returncode, 5)
        self.assertRegex(outcome.stderr, "loopbench-micro-(one|two)")

    def test_a_benchmark_that_could_not_run_is_a_failure(self):
        outcome = self.micro(fake="error")
        self.assertEqual(outcome.returncode, 5)
        self.assertIn("one/post: no luck", outcome.stderr)
        self.assertIn("ERROR OCCURRED: 'no luck'", outcome.stdout)

    def test_ctrl_c_ends_the_program_that_runs(self):
        pipe = f"{self.log}.pipe"
        os.mkfifo(pipe)
        with subprocess.Popen([LOOPBENCH, "micro", "--loops=one"], env=self.environment("wait"),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
            with open(pipe, encoding="ascii") as opened:
                child = int(opened.readline())
            program.send_signal(signal.SIGINT)
            output, _ = program.communicate(timeout=60)
        self.assertEqual(program.returncode, 130)
        self.assertEqual(output, b"")
        with self.assertRaises(ProcessLookupError):
            os.kill(child, 0)


if __name__ == "__main__":
    unittest.main()
