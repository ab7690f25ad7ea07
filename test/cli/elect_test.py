#!/usr/bin/env python3
"""Tests of `zkr elect` and `zkr lock` with real processes. Usage: elect_test.py ZKR"""

import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from tool import FACTOR, SESSION_MS, TOOL, alive, boot_ns, signal, stopped, tool_test, wait_until

CHECK_TERMS = Path(__file__).resolve().parents[2] / "scripts" / "check-terms"


class elect_test(tool_test):
    verb = "elect"
    kind = ()
    session_ms = SESSION_MS

    def candidate(self, id, *words, session_ms=None, **more):
        if self.verb == "lock" and "--" not in words:
            words += ("--", "sleep", "1000")
        return self.elect("/e/x", "--id", id, "--events", *self.kind, *words, verb=self.verb,
                          session_ms=session_ms or self.session_ms, **more)

    def leads(self, candidate):
        wait_until(lambda: candidate.events() and candidate.events()[-1]["event"] != "ended", "a leader")
        return candidate.events("granted")[-1]

    def command(self, script, *options, **more):
        """A candidate with a shell script as its command, and the pid of that once it runs (the script says `begin`)."""
        file = self.folder / "pid"
        file.unlink(missing_ok=True)
        begin = f"begin() {{ echo $$ >{file}.tmp; mv {file}.tmp {file}; }}\n"
        candidate = self.candidate("worker", *options, "--", "/bin/sh", "-c", begin + script, **more)
        wait_until(lambda: file.exists() or not candidate.running(), "the command")
        self.assertTrue(file.exists(), candidate.err())
        return candidate, int(file.read_text(encoding="ascii"))

    def check_terms(self, *logs):
        names = []
        for log in logs:
            with tempfile.NamedTemporaryFile(dir=self.folder, delete=False) as file:
                file.write(log.out().encode())
                names += [file.name]
        run = subprocess.run([str(CHECK_TERMS), *names], capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 0, run.stderr)


class candidates(elect_test):
    def test_one_leads_at_a_time(self):
        first = self.candidate("a")
        granted = self.leads(first)
        self.assertEqual((granted["path"], granted["id"], granted["pid"]), ("/e/x", "a", first.pid))
        self.assertGreater(granted["valid_until_ns"], granted["at_ns"])
        second = self.candidate("b")
        wait_until(lambda: len(first.events("renewed")) >= 3, "renewals")
        self.assertEqual(second.events(), [])
        first.send(signal.SIGTERM)
        self.assertEqual(first.wait(), 0)
        self.assertEqual(first.events()[-1]["reason"], "resigned")
        self.assertGreater(self.leads(second)["token"], granted["token"])
        second.send(signal.SIGINT)
        self.assertEqual(second.wait(), 0)
        self.check_terms(first, second)
        self.assertEqual((first.err(), second.err()), ("", ""))

    def test_renewals_are_announced_at_a_bounded_rate(self):
        leader = self.candidate("a")
        self.leads(leader)
        wait_until(lambda: len(leader.events("renewed")) >= 12, "renewals")
        ends = [event["valid_until_ns"] for event in leader.events("renewed")]
        self.assertEqual(ends, sorted(set(ends)))
        times = [event["at_ns"] for event in leader.events("renewed")[2:]]
        self.assertGreater((times[-1] - times[0]) / (len(times) - 1), SESSION_MS * 1e6 / 40)

    def test_not_elected_in_time(self):
        self.leads(self.candidate("a"))
        late = self.candidate("b", "--timeout", "300ms")
        self.assertEqual(late.wait(), 110)
        self.assertEqual(late.err(), "zkr: not elected at /e/x within 300ms\n")

    def test_not_elected_before_a_signal(self):
        self.leads(self.candidate("a"))
        for number in [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT]:
            late = self.elect("/e/x", "--id", "b", *self.kind)
            wait_until(late.out, "the candidacy")
            late.send(number)
            self.assertEqual((late.wait(), late.out(), late.err()), (110, "b is a candidate at /e/x\n", ""))
        self.assertEqual(self.nodes(), 1)

    def nodes(self):
        return self.succeeds("ls", "/e/x").count("\n")

    def test_no_server(self):
        late = self.start(TOOL, "--timeout", "300ms", "--servers", "127.0.0.1:1", "elect", "/e/x", *self.kind)
        self.assertEqual(late.wait(), 110)
        self.assertIn("no server answered at 127.0.0.1:1 within 300ms", late.err())
        late = self.start(TOOL, "--servers", "127.0.0.1:1", "elect", "/e/x", *self.kind, "--", "true")
        self.assertRaises(subprocess.TimeoutExpired, late.process.wait, 0.3)
        late.send(signal.SIGTERM)
        self.assertEqual(late.wait(), 110)

    def test_a_stopped_leader_finds_itself_demoted(self):
        first = self.candidate("a")
        token = self.leads(first)["token"]
        first.send(signal.SIGSTOP)
        second = self.candidate("b")
        self.assertGreater(self.leads(second)["token"], token)
        first.send(signal.SIGCONT)
        ended = wait_until(lambda: first.events("ended"), "the demotion")[0]
        self.assertEqual(ended["reason"], "expired")
        second.send(signal.SIGTERM)
        second.wait()
        self.leads(first)  # it was a candidate again
        first.send(signal.SIGTERM)
        self.assertEqual(first.wait(), 0)
        self.check_terms(first, second)

    def test_once(self):
        leader = self.candidate("a", "--once")
        self.leads(leader)
        leader.send(signal.SIGSTOP)
        other = self.candidate("b")
        self.leads(other)
        leader.send(signal.SIGCONT)
        self.assertEqual(leader.wait(), 111)
        self.assertEqual(leader.err(), "zkr: the leadership of /e/x is lost\n")

    def test_output_that_nobody_reads(self):
        read, write = os.pipe()
        leader = self.candidate("a", stdout=write)
        os.close(write)
        self.assertIn(b"granted", os.read(read, 1000))
        os.close(read)
        self.assertEqual(leader.wait(), 1)
        self.assertIn("standard output", leader.err())
        self.leads(self.candidate("b"))

    def test_for_people(self):
        leader = self.elect("/e/x", "--id", "a\x1bb", *self.kind)
        wait_until(lambda: "leads" in leader.out(), "a leader")
        leader.send(signal.SIGTERM)
        leader.wait()
        self.assertRegex(leader.out(), r"^a\\x1bb is a candidate at /e/x\n"
                                       r"a\\x1bb leads, fencing token \d+\na\\x1bb leads no more: resigned\n$")

    def test_observe(self):
        watcher = self.candidate_observer("--events")
        wait_until(lambda: watcher.events("no_leader"), "the state at first")
        people = self.candidate_observer()
        wait_until(people.out, "the state at first")
        token = self.leads(first := self.candidate("a"))["token"]
        seen = wait_until(lambda: watcher.events("leader"), "the leader")[0]
        self.assertEqual((seen["path"], seen["id"], seen["token"]), ("/e/x", "a", token))
        # A leader that nobody looks at in its time is not seen.
        wait_until(lambda: people.out().endswith(f"a leads, fencing token {token}\n"), "the leader, for people")
        first.send(signal.SIGTERM)
        wait_until(lambda: watcher.events()[-1]["event"] == "no_leader", "the end")
        wait_until(lambda: people.out().endswith("nobody leads\n"), "the end")
        for one in [watcher, people]:
            one.send(signal.SIGTERM)
            self.assertEqual((one.wait(), one.err()), (0, ""))

    def candidate_observer(self, *words):
        return self.elect("/e/x", "--observe", *self.kind, *words)


class claiming_candidates(candidates):
    kind = ("--claim",)

    def nodes(self):
        return self.succeeds("ls", "/e").splitlines().count("x")


class commands(elect_test):
    session_ms = 10000 * FACTOR  # nothing here is about losing it

    def test_environment_status_and_resignation(self):
        worker, _ = self.command('begin; echo "$ZKR_PATH|$ZKR_ID|$ZKR_NODE|$ZKR_FENCING_TOKEN"; exit 7')
        self.assertEqual(worker.wait(), 7)
        granted, = worker.events("granted")
        path, id, node, token = next(line for line in worker.out().splitlines() if "|" in line).split("|")
        self.assertEqual((path, id, int(token)), ("/e/x", "worker", granted["token"]))
        self.assertTrue(node.startswith("/e/x"))
        self.assertEqual(worker.events()[-1]["reason"], "resigned")
        self.leads(self.candidate("next"))

    def test_without_events_output_is_the_commands(self):
        run = self.zkr(self.verb, "/e/x", *self.kind, "--", "echo", "ls", "/", "--help", "--")
        self.assertEqual((run.returncode, run.stdout, run.stderr), (0, b"ls / --help --\n", b""))

    def test_input_is_handed_on(self):
        run = self.zkr(self.verb, "/e/x", *self.kind, "--", "tr", "a-z", "A-Z", data=b"hello")
        self.assertEqual((run.returncode, run.stdout), (0, b"HELLO"))

    def test_death_by_a_signal(self):
        worker, _ = self.command("begin; kill -SEGV $$")
        self.assertEqual(worker.wait(), 128 + signal.SIGSEGV)

    def test_no_descriptor_of_ours(self):
        worker = self.candidate("worker", "--", "ls", "-l", "/proc/self/fd")
        self.assertEqual(worker.wait(), 0)
        opened = re.findall(r" (\d+) -> (\S+)", worker.out())
        self.assertEqual([number for number, _ in opened], ["0", "1", "2", "3"])
        self.assertRegex(opened[3][1], "^/proc/")  # what ls itself reads

    def test_a_command_that_does_not_exist(self):
        self.fails(127, "/no/such/command", self.verb, "/e/x", *self.kind, "--", "/no/such/command")
        self.fails(127, "no-such-command", self.verb, "/e/x", *self.kind, "--", "no-such-command")
        self.fails(126, "/etc/passwd", self.verb, "/e/x", *self.kind, "--", "/etc/passwd")

    def test_signals_are_handed_on(self):
        for number in [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2]:
            worker, _ = self.command(f"trap 'exit {number + 20}' {number}; begin; while :; do sleep 0.02; done")
            worker.send(number)
            self.assertEqual(worker.wait(), number + 20)
            self.assertEqual(worker.events()[-1]["reason"], "resigned")

    def test_no_command_without_leadership(self):
        self.leads(leader := self.candidate("a"))
        worker = self.candidate("worker", "--timeout", "300ms", "--", "touch", str(self.folder / "ran"))
        self.assertEqual(worker.wait(), 110)
        self.assertFalse((self.folder / "ran").exists())
        self.assertTrue(leader.running())

    def test_ctrl_z_stops_the_command_too(self):
        worker, pid = self.command("begin; while :; do sleep 0.02; done", session_ms=30000 * FACTOR)
        worker.send(signal.SIGTSTP)
        wait_until(lambda: stopped(worker.pid) and stopped(pid), "both to stop")
        worker.send(signal.SIGCONT)
        wait_until(lambda: not stopped(worker.pid) and not stopped(pid), "both to go on")
        worker.send(signal.SIGTERM)
        self.assertEqual(worker.wait(), 128 + signal.SIGTERM)

    def test_long_ctrl_z_ends_the_command(self):
        worker, pid = self.command("trap '' TERM; begin; while :; do sleep 0.02; done", session_ms=SESSION_MS)
        worker.send(signal.SIGTSTP)
        other = self.candidate("other")
        granted = self.leads(other)
        self.assertFalse(alive(pid))
        self.assertGreater(granted["at_ns"], worker.events()[-1]["valid_until_ns"])
        worker.send(signal.SIGCONT)
        self.assertEqual(worker.wait(), 111)
        self.assertEqual(worker.events()[-1]["reason"], "expired")


class claiming_commands(commands):
    kind = ("--claim",)


class losses(elect_test):
    """The leadership goes while the command runs: what it has started goes before anybody else can lead."""

    script = ("(trap '' TERM; echo $(exec sh -c 'echo $PPID') >child.tmp; mv child.tmp child; while :; do sleep 0.02; done) &\n"
              "trap 'date +%s%N >term' TERM; while [ ! -e child ]; do sleep 0.01; done; begin; echo $ZKR_NODE >node\n"
              "while :; do sleep 0.02; done")

    def work(self, *options):
        worker, pid = self.command(f"cd {self.folder}\n{self.script}", *options)
        child = int((self.folder / "child").read_text(encoding="ascii"))
        wait_until(lambda: (self.folder / "node").exists() and (self.folder / "node").read_text().endswith("\n"), "node")
        self.assertTrue(alive(child))
        return worker, pid, child

    @staticmethod
    def lease_end(worker):
        return max(event["valid_until_ns"] for event in worker.events() if event["event"] != "ended")

    def lost(self, worker, pid, child):
        self.assertEqual(worker.wait(), 111)
        self.assertFalse(alive(pid) or alive(child))
        self.assertIn("the command was ended", worker.err())

    def test_node_removed(self):
        worker, pid, child = self.work()
        self.succeeds("rm", (self.folder / "node").read_text().strip())
        self.lost(worker, pid, child)
        self.assertEqual(worker.events()[-1]["reason"], "lost")

    def test_server_stopped(self):
        worker, pid, child = self.work()
        self.server.send(signal.SIGSTOP)
        wait_until(lambda: not alive(pid) and not alive(child), "the end of the command")
        now = boot_ns()
        self.assertLess(now, self.lease_end(worker))
        self.lost(worker, pid, child)
        self.assertTrue((self.folder / "term").exists())

    def test_tool_stopped(self):
        worker, pid, child = self.work()
        worker.send(signal.SIGSTOP)
        wait_until(lambda: not alive(pid) and not alive(child), "the end of the command")
        self.assertLess(boot_ns(), self.lease_end(worker))
        self.leads(self.candidate("other"))
        worker.send(signal.SIGCONT)
        self.lost(worker, pid, child)
        self.assertEqual(worker.events()[-1]["reason"], "expired")

    def test_tool_killed(self):
        worker, pid, child = self.work()
        worker.send(signal.SIGKILL)
        wait_until(lambda: not alive(pid) and not alive(child), "the end of the command", limit=2)
        self.leads(self.candidate("other"))

    def test_restart(self):
        worker, pid, child = self.work("--restart")
        node = (self.folder / "node").read_text().strip()
        for name in ["pid", "child", "node"]:
            (self.folder / name).unlink()
        self.succeeds("rm", node)
        wait_until(lambda: (self.folder / "pid").exists(), "the next command")
        self.assertFalse(alive(pid) or alive(child))
        first, second = worker.events("granted")
        self.assertGreater(second["token"], first["token"])
        worker.send(signal.SIGTERM)  # which it does not obey
        worker.send(signal.SIGKILL)
        worker.wait()


class claiming_losses(losses):
    kind = ("--claim",)


class locking_commands(commands):
    verb = "lock"


class locking_losses(losses):
    verb = "lock"


class locks(elect_test):
    verb = "lock"

    def waits(self, contender, contenders):
        """That this one waits as the last of so many."""
        wait_until(lambda: len(self.succeeds("ls", "/e/x").splitlines()) == contenders, "the contender")
        self.assertEqual(contender.events(), [])

    def test_one_holds_at_a_time(self):
        first = self.candidate("a")
        granted = self.leads(first)
        second = self.candidate("b")
        self.waits(second, 2)
        first.send(signal.SIGTERM)
        self.assertEqual(first.wait(), 128 + signal.SIGTERM)
        self.assertEqual(first.events()[-1]["reason"], "resigned")
        self.assertGreater(self.leads(second)["token"], granted["token"])

    def test_shared_and_exclusive_wait_for_each_other(self):
        readers = [self.candidate(id, "--shared") for id in "ab"]
        for reader in readers:
            self.leads(reader)
        writer = self.candidate("c")
        self.waits(writer, 3)
        late = self.candidate("d", "--shared")
        self.waits(late, 4)
        for reader in readers:
            reader.send(signal.SIGTERM)
            reader.wait()
        self.leads(writer)
        self.waits(late, 2)
        writer.send(signal.SIGTERM)
        self.leads(late)

    def test_no_lock_in_time(self):
        self.leads(self.candidate("a"))
        late = self.candidate("b", "--timeout", "300ms")
        self.assertEqual((late.wait(), late.err()), (110, "zkr: no lock of /e/x within 300ms\n"))

    def test_usage(self):
        self.fails(2, "there is no COMMAND", "lock", "/e/x")
        self.fails(2, "the root cannot be a lock", "lock", "/", "--", "true")

    def test_verbose(self):
        run = self.zkr("-v", "lock", "/e/x", "--id", "me", "--", "true")
        self.assertEqual(run.returncode, 0)
        for line in [r"me waits for the lock of /e/x", r"me holds the lock, fencing token \d+",
                     r"me holds the lock no more: resigned"]:
            self.assertRegex(run.stderr.decode(), line)


if __name__ == "__main__":
    unittest.main()
