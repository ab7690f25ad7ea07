#!/usr/bin/env python3
"""Runs the examples. Usage: examples_test.py ZKR FOLDER_OF_THE_EXAMPLES"""

import sys
import unittest
from pathlib import Path

from tool import signal, tool_test, wait_until

FOLDER = Path(sys.argv.pop(1))


class examples(tool_test):
    def run_example(self, name, *words):
        example = self.start(str(FOLDER / f"example_{name}"), *words)
        return example.wait(), example.out(), example.err()

    def test_election(self):
        for _ in range(2):
            status, out, err = self.run_example("election", self.servers)
            self.assertEqual((status, err), (0, ""))
            self.assertRegex(out, r"^leading, fencing token \d+\ndone\n$")
            self.assertEqual(self.succeeds("get", "/example-state"), "step 3")
            self.assertEqual(self.succeeds("ls", "/example-election"), "")

    def test_election_waits_for_its_turn(self):
        holder = self.elect("/example-election", "--events")
        wait_until(lambda: holder.events("granted"), "a leader")
        example = self.start(str(FOLDER / "example_election"), self.servers)
        wait_until(lambda: self.succeeds("ls", "/example-election").count("\n") == 2, "a second candidate")
        self.assertEqual(example.out(), "")
        holder.send(signal.SIGTERM)
        self.assertEqual(example.wait(), 0)

    def test_claim_election(self):
        for number in range(2):
            status, out, err = self.run_example("claim_election", self.servers)
            self.assertEqual((status, err), (0, ""))
            self.assertRegex(out, rf"^leading, fencing token \d+\nwrote /example-plan-000000000\d\n$")

    def test_claim_election_with_a_leader(self):
        holder = self.elect("/example-controller", "--claim", "--events", "--id", "other")
        wait_until(lambda: holder.events("granted"), "a leader")
        self.assertEqual(self.run_example("claim_election", self.servers), (0, "other leads already\n", ""))

    def test_mutex(self):
        for _ in range(2):
            status, out, err = self.run_example("mutex", self.servers)
            self.assertEqual((status, err), (0, ""))
            self.assertRegex(out, r"^locked, fencing token \d+\nstep 1\nstep 2\nstep 3\n$")
        self.assertEqual(self.succeeds("ls", "/example-lock"), "")

    def test_watch(self):
        status, out, err = self.run_example("watch", self.servers)
        self.assertEqual((status, err), (0, ""))
        self.assertIn("version 1: colour=green\n", out)

    def test_transaction(self):
        for expected in ["90", "80"]:
            self.assertEqual(self.run_example("transaction", self.servers), (0, "moved 10\n", ""))
            self.assertEqual(self.succeeds("get", "/example-anna"), expected)
        self.assertEqual(self.succeeds("get", "/example-bert"), "120")

    @unittest.skipUnless((FOLDER / "example_coroutine").exists(), "this compiler has no coroutines")
    def test_coroutine(self):
        for number in (1, 2):
            self.assertEqual(self.run_example("coroutine", self.servers), (0, f"counted to {number}\n", ""))

    @unittest.skipUnless((FOLDER / "example_coroutine_watch").exists(), "this compiler has no coroutines")
    def test_coroutine_watch(self):
        example = self.start(str(FOLDER / "example_coroutine_watch"), self.servers)
        wait_until(lambda: example.out() == "there is none\n", "the present state")
        self.succeeds("create", "/example-word", "go")
        wait_until(lambda: example.out() == "there is none\ngo\n", "the node")
        self.succeeds("set", "/example-word", "stop")
        self.assertEqual((example.wait(), example.out(), example.err()), (0, "there is none\ngo\nstop\n", ""))

    def test_usage(self):
        for name in ["election", "claim_election", "mutex", "watch", "transaction"]:
            status, out, err = self.run_example(name)
            self.assertEqual((status, out), (2, ""))
            self.assertIn("usage: ", err)


if __name__ == "__main__":
    unittest.main()
