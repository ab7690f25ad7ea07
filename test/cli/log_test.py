#!/usr/bin/env python3
"""Tests of the log of `zkr server`. Usage: log_test.py ZKR"""

import contextlib
import fcntl
import os
import socket
import struct
import subprocess
import time
import unittest

from server_test import call, create, greet, received, text
from tool import FACTOR, TOOL, log_lines, signal, tool_test, wait_until


class logs(tool_test):
    def serve(self, *words):
        self.server = self.start(TOOL, "server", "--port", "0", "--tick-time", f"{100 * FACTOR}ms", *words)
        line = wait_until(lambda: self.server.out().endswith("\n") and self.server.out(), "the server's address")
        host, port = line.split()[-1].rsplit(":", 1)
        self.address = (host, int(port))

    def dial(self):
        dialled = socket.create_connection(self.address, timeout=20 * FACTOR)
        self.addCleanup(dialled.close)
        return dialled

    def said(self, event, **members):
        """The lines of that event with these members."""
        whole = self.server.err().rpartition("\n")[0]
        return [line for line in log_lines(whole)
                if line["event"] == event and all(line.get(key) == value for key, value in members.items())]

    def waits_for(self, event, **members):
        return wait_until(lambda: self.said(event, **members), (event, members))[0]

    def closed(self, sent, reason, greeted=True):
        """What is sent ends its connection, and the log says why."""
        dialled = self.dial()
        if greeted:
            greet(dialled)
        dialled.sendall(sent)
        received(dialled)
        line = self.waits_for("connection_closed", reason=f'"{reason}"')
        self.assertEqual((line["level"], line["client"]), ("warn", "127.0.0.1:%d" % dialled.getsockname()[1]))

    def ends(self, number=signal.SIGTERM):
        self.server.send(number)
        self.assertEqual(self.server.wait(), 0)

    def test_start_and_stop(self):
        folder = self.folder / "a folder"
        self.serve("--data", str(folder))
        started = self.waits_for("started", level="info", address="127.0.0.1", port=str(self.address[1]))
        self.assertEqual(started["data"], f'"{folder}"')
        self.assertRegex(started["version"], r"^3\.8\.0-zkrecipes$")
        self.waits_for("recovered", level="info", transactions="0", sessions="0")
        dialled = self.dial()
        greet(dialled)
        call(dialled, 1, create("/a"))
        self.ends()
        self.waits_for("signal", name="SIGTERM")
        stopped = self.waits_for("stopped", requests="1", sessions="1")
        self.assertGreater(int(stopped["uptime_ms"]), 0)
        self.assertEqual(self.server.out().count("\n"), 1)
        self.serve("--data", str(folder))
        self.waits_for("recovered", transactions="2", nodes="5", sessions="1")

    def test_a_repair_is_told(self):
        folder = self.folder / "data"
        self.serve("--data", str(folder))
        dialled = self.dial()
        greet(dialled)
        call(dialled, 1, create("/a"))
        self.server.send(signal.SIGKILL)
        self.server.wait()
        (log,) = folder.glob("version-2/log.*")
        with log.open("r+b") as file:
            file.truncate(log.stat().st_size - 1)
        self.serve("--data", str(folder))
        self.assertIn(log.name, self.waits_for("repaired", level="warn")["note"])

    def test_sessions(self):
        self.serve("--log-level", "debug")
        dialled = self.dial()
        greet(dialled, 200 * FACTOR)
        client = "127.0.0.1:%d" % dialled.getsockname()[1]
        created = self.waits_for("session_created", level="debug", client=client)
        self.waits_for("session_expired", session=created["session"], level="debug")
        dialled = self.dial()
        greet(dialled)
        call(dialled, -11, b"")
        self.waits_for("session_closed", level="debug", client="127.0.0.1:%d" % dialled.getsockname()[1])

    def test_levels(self):
        for level, events in [("info", ["started"]), ("warn", []), ("error", [])]:
            self.serve("--log-level", level)
            greet(self.dial())
            dialled = self.dial()
            dialled.sendall(struct.pack(">i", -1))
            received(dialled)
            self.ends()
            found = [line["event"] for line in log_lines(self.server.err())]
            self.assertEqual([one for one in found if one in ("started", "session_created")], events, level)
            self.assertEqual("connection_closed" in found, level != "error", level)
        self.fails(2, "--log-level", "server", "--log-level", "loud")

    def test_why_connections_are_closed(self):
        self.serve("--data", str(self.folder / "data"))
        self.closed(struct.pack(">i", -1), "frame of a bad length")
        self.closed(struct.pack(">i", 3) + b"abc", "malformed request")
        self.closed(struct.pack(">iii", 8, 1, 77), "unknown type of request")
        self.closed(struct.pack(">ii", 4, 0), "malformed handshake", greeted=False)
        hello = struct.pack(">iqiqi", 0, 1 << 40, 10000, 0, 16) + bytes(17)
        self.closed(struct.pack(">i", len(hello)) + hello, "it has seen transactions that this server has not",
                    greeted=False)
        login = struct.pack(">iii", -4, 100, 0) + text("nobody") + text("x")
        self.closed(struct.pack(">i", len(login)) + login, "authentication failed")

    def test_what_clients_do_often_is_told_seldom(self):
        self.serve("--max-client-connections", "1")
        held = self.dial()
        greet(held)
        for _ in range(50):
            with contextlib.suppress(OSError):
                received(self.dial())
        first = self.waits_for("connection_refused", level="warn", client="127.0.0.1")
        self.assertEqual(first["reason"], '"too many connections"')
        self.ends()
        lines = self.said("connection_refused")
        suppressed = sum(int(line.get("suppressed", 0)) for line in lines)
        self.assertEqual(suppressed + sum("client" in line for line in lines), 50)
        self.assertLess(len(lines), 15)

    def test_quotas(self):
        self.serve("--enforce-quota")
        dialled = self.dial()
        greet(dialled)
        path = '/a" 2026-01-01T00:00:00.000Z error event=forged x="1" \\ \u00fc'
        for node, data in [(path, b""), ("/zookeeper/quota" + path, b""),
                           ("/zookeeper/quota" + path + "/zookeeper_limits", b"count=-1,bytes=3"),
                           ("/zookeeper/quota" + path + "/zookeeper_stats", b"")]:
            self.assertEqual(call(dialled, 1, create(node, data))[0], 0)
        self.assertEqual(call(dialled, 1, create(path + "/b", b"1234"))[0], 0)
        line = self.waits_for("quota_exceeded", level="warn", limit="soft", of="bytes", used="4", allowed="3")
        self.assertIn("event=forged", line["path"])
        self.assertEqual(self.said("forged"), [])

    def test_snapshots(self):
        self.serve("--data", str(self.folder / "data"), "--snap-count", "2")
        dialled = self.dial()
        greet(dialled)
        for number in range(4):
            call(dialled, 1, create(f"/n{number}"))
        line = self.waits_for("snapshot", level="info")
        self.assertTrue(line["zxid"].startswith("0x") and int(line["took_ms"]) >= 0)

    def test_a_disk_that_fails(self):
        folder = self.folder / "data"
        limited = ["sh", "-c", 'ulimit -f 1; trap "" XFSZ; exec "$@"', "sh", TOOL, "server", "--port", "0",
                   "--data", str(folder)]
        self.server = self.start(*limited)
        line = wait_until(lambda: self.server.out().endswith("\n") and self.server.out(), "the server's address")
        host, port = line.split()[-1].rsplit(":", 1)
        self.address = (host, int(port))
        dialled = self.dial()
        greet(dialled)
        with contextlib.suppress(OSError, struct.error):
            for number in range(100):
                call(dialled, 1, create(f"/n{number}", b"x" * 200))
        self.assertEqual(self.server.wait(), 1)
        self.assertIn("log.1", self.waits_for("data_failed", level="error")["error"])
        self.assertEqual(self.said("signal"), [])

    def test_a_slow_disk(self):
        config = self.folder / "zoo.cfg"
        config.write_text("fsync.warningthresholdms=0\n", encoding="ascii")
        self.serve(str(config), "--data", str(self.folder / "data"))
        greet(self.dial())
        line = self.waits_for("slow_fsync", level="warn", limit_ms="0")
        self.assertGreaterEqual(int(line["took_ms"]), 0)

    def test_a_log_that_nobody_reads_stops_nothing(self):
        reads, writes = os.pipe()
        self.addCleanup(os.close, reads)
        fcntl.fcntl(writes, fcntl.F_SETPIPE_SZ, 4096)
        server = subprocess.Popen([TOOL, "server", "--port", "0", "--log-level", "debug"], stdout=subprocess.PIPE,
                                  stderr=writes)
        self.addCleanup(server.communicate)
        self.addCleanup(server.kill)
        os.close(writes)
        host, port = server.stdout.readline().decode().split()[-1].rsplit(":", 1)
        self.address = (host, int(port))
        for _ in range(200):  # more lines than the pipe takes
            with socket.create_connection(self.address, timeout=20 * FACTOR) as dialled:
                greet(dialled)
        os.read(reads, 1 << 16)
        greet(self.dial())
        (lost,) = [line for line in log_lines(os.read(reads, 1 << 16).decode()) if line["event"] == "log_lines_lost"]
        self.assertEqual(lost["level"], "warn")
        self.assertGreater(int(lost["count"]), 50)

    def test_the_end_does_not_wait_for_clients(self):
        self.serve("--data", str(self.folder / "data"))
        dialled = self.dial()
        greet(dialled, 60000)
        self.assertEqual(call(dialled, 1, create("/a", b"x" * 1000000))[0], 0)
        # Answers that nobody takes: far more than the system buffers.
        read = struct.pack(">ii", 2, 4) + text("/a") + b"\0"
        dialled.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            for _ in range(200):
                dialled.send(struct.pack(">i", len(read)) + read)
        before = time.monotonic()
        self.server.send(signal.SIGTERM)
        self.server.send(signal.SIGTERM)
        self.server.send(signal.SIGINT)
        self.assertEqual(self.server.wait(), 0)
        self.assertLess(time.monotonic() - before, 5 * FACTOR)
        self.assertEqual(len(self.said("stopped")), 1)
        self.serve("--data", str(self.folder / "data"))
        again = self.dial()
        greet(again)
        self.assertEqual(call(again, 3, text("/a") + b"\0")[0], 0)


if __name__ == "__main__":
    unittest.main()
