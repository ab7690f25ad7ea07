#!/usr/bin/env python3
"""Tests of scripts/check-terms on forged logs. Usage: check_terms_test.py PATH_OF_CHECK_TERMS"""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = sys.argv.pop(1) if len(sys.argv) > 1 else str(Path(__file__).resolve().parents[2] / "scripts" / "check-terms")
S = 1_000_000_000


def granted(id, token, at, until, path="/e", **other):
    return {"event": "granted", "path": path, "id": id, "token": token, "at_ns": int(at * S),
            "valid_until_ns": int(until * S), "pid": 7} | other


def renewed(token, at, until):
    return {"event": "renewed", "token": token, "at_ns": int(at * S), "valid_until_ns": int(until * S)}


def ended(token, at, reason="resigned"):
    return {"event": "ended", "token": token, "at_ns": int(at * S), "reason": reason}


# a leads and is killed; b leads, is stopped, and wakes at 9; c leads and resigns.
A = [granted("a", 1, 1, 2), renewed(1, 1.5, 3)]
B = [granted("b", 2, 3.5, 5), renewed(2, 4, 6), ended(2, 9, "expired")]
C = [granted("c", 3, 7, 9), renewed(3, 8, 10), ended(3, 9.5)]


class check_terms(unittest.TestCase):
    def check(self, logs, *options, killed=("a",)):
        """logs: name -> events, or text. @return (exit status, standard error)"""
        with tempfile.TemporaryDirectory() as folder:
            names = []
            for name, events in logs.items():
                text = events if isinstance(events, str) else "".join(json.dumps(e) + "\n" for e in events)
                path = Path(folder) / name
                path.write_text(text, encoding="utf-8", errors="surrogateescape")
                names += ["--killed", str(path)] if name in killed else [str(path)]
            run = subprocess.run([SCRIPT, *options, *names], capture_output=True, text=True, check=False)
            return run.returncode, run.stderr

    def refuses(self, reason, logs, *options, **more):
        status, said = self.check(logs, *options, **more)
        self.assertEqual(status, 1, said)
        self.assertIn(reason, said)

    def accepts(self, logs, *options, **more):
        self.assertEqual(self.check(logs, *options, **more), (0, ""))

    def test_accepts_a_sound_history(self):
        self.accepts({"a": A, "b": B, "c": C}, "--leaders", "a,b,c", "--late", "b")

    def test_accepts_a_candidate_that_never_led(self):
        self.accepts({"a": A, "b": B, "c": C, "d": []})

    def test_accepts_two_terms_of_one_candidate(self):
        self.accepts({"a": [*A, ended(1, 2, "lost"), granted("a", 9, 3, 4), ended(9, 3.5)]})

    def test_a_late_end_does_not_prolong_a_term(self):
        self.accepts({"b": B, "c": C})  # b ended at 9, when c had led since 7

    def test_overlap(self):
        early = [granted("b", 2, 2.9, 5), ended(2, 4)]
        self.refuses("led at once", {"a": A, "b": early})

    def test_overlap_after_an_early_end_is_none(self):
        self.accepts({"a": [*A, ended(1, 2.5)], "b": [granted("b", 2, 2.9, 5), ended(2, 4)]})

    def test_overlap_with_a_term_before_the_last(self):
        long = [granted("a", 1, 1, 20), ended(1, 19)]
        short = [granted("b", 2, 2, 3), ended(2, 2.5)]
        self.refuses("a (token 1) and c (token 3) led at once", {"a": long, "b": short, "c": C}, killed=())

    def test_overlap_within_one_log(self):
        self.refuses("led at once", {"a": [granted("a", 1, 1, 5), ended(1, 2), granted("a", 2, 2, 3), ended(2, 2.5)]})

    def test_touching_terms_overlap(self):
        self.refuses("led at once", {"a": A, "b": [granted("b", 2, 3, 5), ended(2, 4)]})

    def test_same_token(self):
        self.refuses("not larger", {"a": A, "b": [granted("b", 1, 3.5, 5), ended(1, 4)]})

    def test_smaller_token(self):
        self.refuses("not larger", {"b": B, "c": [granted("c", 1, 7, 9), ended(1, 8)]})

    def test_missing_end_of_a_living_process(self):
        self.refuses("has no end", {"a": A}, killed=())

    def test_missing_end_before_another_grant(self):
        self.refuses("term before has no end", {"a": [*A, granted("a", 2, 4, 5)]})

    def test_garbage_line(self):
        for garbage in ["nonsense\n", "{\n", "[]\n", "7\n", "\n", '{"event":"crowned"}\n', "\udcff\n"]:
            with self.subTest(garbage):
                sound = "".join(json.dumps(e) + "\n" for e in A)
                self.assertEqual(self.check({"a": sound + garbage})[0], 1)
                self.assertEqual(self.check({"a": garbage + sound})[0], 1)

    def test_a_torn_last_line(self):
        text = "".join(json.dumps(e) + "\n" for e in C)
        self.refuses("not complete", {"c": text[:-1]})

    def test_nothing_at_all(self):
        self.refuses("nobody ever led", {"a": [], "b": ""})

    def test_a_missing_file(self):
        run = subprocess.run([SCRIPT, "/no/such/log"], capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 1)

    def test_fields(self):
        for field in ["path", "id", "token", "at_ns", "valid_until_ns", "pid"]:
            event = granted("c", 3, 7, 9)
            del event[field]
            self.refuses(field, {"c": [event, ended(3, 8)]})
        self.refuses("token", {"c": [granted("c", "3", 7, 9), ended(3, 8)]})
        self.refuses("token", {"c": [granted("c", True, 7, 9), ended(3, 8)]})
        self.refuses("at_ns", {"c": [granted("c", 3, 7, 9) | {"at_ns": 7.5}, ended(3, 8)]})

    def test_events_outside_of_a_term(self):
        self.refuses("outside of a term", {"c": [renewed(3, 8, 10)]})
        self.refuses("outside of a term", {"c": [*C, ended(3, 9.6)]})
        self.refuses("outside of a term", {"c": [*C, renewed(3, 9.6, 11)]})

    def test_events_of_another_term(self):
        self.refuses("token 4", {"c": [granted("c", 3, 7, 9), renewed(4, 8, 10), ended(3, 9)]})
        self.refuses("token 4", {"c": [granted("c", 3, 7, 9), ended(4, 8)]})

    def test_time_that_goes_back(self):
        self.refuses("earlier", {"c": [granted("c", 3, 7, 9), renewed(3, 6, 10), ended(3, 9)]})
        self.refuses("earlier", {"c": [granted("c", 3, 7, 9), ended(3, 8), granted("c", 4, 6, 9), ended(4, 8)]})
        self.refuses("not for longer", {"c": [granted("c", 3, 7, 9), renewed(3, 8, 8.5), ended(3, 9)]})
        self.refuses("run out already", {"c": [granted("c", 3, 7, 7), ended(3, 9)]})

    def test_two_elections(self):
        self.refuses("different elections", {"b": B, "c": [granted("c", 3, 7, 9, path="/f"), ended(3, 8)]})

    def test_expected_leaders(self):
        self.refuses("expected to lead", {"a": A, "b": B}, "--leaders", "a,b,c")
        self.refuses("expected to lead", {"a": A, "b": B}, "--leaders", "b,a")
        self.refuses("expected to lead", {"a": A, "b": B}, "--leaders", "a")

    def test_late(self):
        self.refuses("did not find itself demoted", {"c": C}, "--late", "c")
        self.refuses("did not find itself demoted", {"a": A}, "--late", "a")
        self.refuses("did not find itself demoted", {"c": C}, "--late", "x")

    def test_usage(self):
        for words in [[], ["--killed"], ["--frobnicate", "x"], ["--leaders", "a"]]:
            run = subprocess.run([SCRIPT, *words], capture_output=True, text=True, check=False)
            self.assertEqual(run.returncode, 2, words)


if __name__ == "__main__":
    unittest.main()
