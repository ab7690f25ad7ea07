#!/usr/bin/env python3
"""Tests of `zkr server --admin`. Usage: admin_test.py ZKR [CLASS]"""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

from tool import FACTOR, TOOL, signal, tool_test, wait_until

NAMES = """configuration connection_stat_reset connections dirs dump environment get_trace_mask hash initial_configuration
is_read_only last_snapshot leader monitor observer_connection_stat_reset observers ruok server_stats set_trace_mask
stat_reset stats system_properties voting_view watch_summary watches watches_by_path zabstate""".split()

# What each answer of Apache 3.8.0 has beside "command" and "error", less what this server does not measure; with another
# name of the command.
MEMBERS = {
    "conf": ("configuration", """client_port data_dir data_log_dir tick_time max_client_cnxns min_session_timeout
             max_session_timeout server_id client_port_listen_backlog"""),
    "crst": ("connection_stat_reset", ""),
    "cons": ("connections", "connections secure_connections"),
    "dirs": ("dirs", "datadir_size logdir_size"),
    "dump": ("dump", "expiry_time_to_session_ids session_id_to_ephemeral_paths"),
    "gtmk": ("get_trace_mask", "tracemask"),
    "hash": ("hash", "digests"),
    "icfg": ("initial_configuration", "initial_configuration"),
    "isro": ("is_read_only", "read_only"),
    "lsnp": ("last_snapshot", "zxid timestamp"),
    "orst": ("observer_connection_stat_reset", ""),
    "obsr": ("observers", "synced_observers observers"),
    "ruok": ("ruok", ""),
    "srvr": ("server_stats", "version read_only server_stats node_count"),
    "srst": ("stat_reset", ""),
    "stat": ("stats", "version read_only server_stats node_count connections secure_connections"),
    "voting_view": ("voting_view", "current_config"),
    "wchs": ("watch_summary", "num_connections num_paths num_total_watches"),
    "wchc": ("watches", "session_id_to_watched_paths"),
    "wchp": ("watches_by_path", "path_to_session_ids"),
    "zabstate": ("zabstate", "voting zabstate"),
}

SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{le="([^"]+)"\})? (-?[0-9.e+-]+)')


def parse_metrics(text):
    """Prometheus' text format, strictly: each metric has help and type before its samples. @return samples, types."""
    samples, types, current = {}, {}, None
    lines = text.split("\n")
    assert lines.pop() == "", "no line end at the end"
    for line in lines:
        if line.startswith("# HELP "):
            current, words = line[7:].split(" ", 1)
            assert current not in types and words, line
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            assert name == current and kind in ("counter", "gauge", "summary", "histogram"), line
            types[name] = kind
        else:
            name, bound, value = SAMPLE.fullmatch(line).groups()
            ends = {"summary": ["_sum", "_count"], "histogram": ["_bucket", "_sum", "_count"]}
            assert name in [current + end for end in ends.get(types[current], [""])], line
            assert (name, bound) not in samples, line
            samples[name, bound] = float(value)
    return samples, types


class admin_test(tool_test):
    def serve(self, *words, lines=2):
        """@return the process, its HTTP address or None."""
        server = self.start(TOOL, "server", "--port", "0", "--tick-time", f"{200 * FACTOR}ms", *words)
        said = wait_until(lambda: server.out().count("\n") == lines and server.out(), "its addresses").splitlines()
        self.env = {"ZKR_SERVERS": said[0].split()[-1]}
        self.url = said[1].removeprefix("administration on ") if lines == 2 else None
        return server

    def get(self, url, method="GET"):
        """The status and the text."""
        request = urllib.request.Request(url, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30 * FACTOR) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.read().decode()

    def command(self, name):
        status, answer = self.get(f"{self.url}/{name}")
        self.assertEqual(status, 200)
        return json.loads(answer)

    def metrics(self):
        status, text = self.get(self.url.removesuffix("/commands") + "/metrics")
        self.assertEqual(status, 200)
        return parse_metrics(text)

    def word(self, word):
        host, port = self.env["ZKR_SERVERS"].split(":")
        with socket.create_connection((host, int(port)), timeout=20 * FACTOR) as dialled:
            dialled.sendall(word.encode())
            return b"".join(iter(lambda: dialled.recv(1 << 16), b"")).decode()

    def dial(self):
        host, port = re.fullmatch(r"http://([^:]+):(\d+)/commands", self.url).groups()
        dialled = socket.create_connection((host, int(port)), timeout=30 * FACTOR)
        self.addCleanup(dialled.close)
        return dialled


class commands(admin_test):
    def test_the_list_names_every_command(self):
        self.serve("--admin", "0")
        for page in [self.url, self.url + "/"]:
            found = re.findall(r'<a href="/commands/(\w+)">(\w+)</a>', self.get(page)[1])
            self.assertEqual(found, [(name, name) for name in NAMES])

    def test_every_command_has_the_members_of_apache(self):
        self.serve("--admin", "0", "--data", str(self.folder / "data"))
        self.succeeds("create", "/a", "1")
        for short, (name, members) in MEMBERS.items():
            for asked in [short, name]:
                answer = self.command(asked)
                self.assertEqual(sorted(answer), sorted([*members.split(), "command", "error"]), asked)
                self.assertEqual((answer["command"], answer["error"]), (name, None))

    def test_what_there_is_not_is_an_error(self):
        self.serve("--admin", "0")
        for name, says in [("lead", "single"), ("stmk", "requires"), ("set_trace_mask?traceMask=x", "got x"),
                           ("sysp", "Java"), ("lsnp", "disk"), ("nosuch", "Unknown command: nosuch"),
                           ("ruok/x", "Unknown command: ruok/x"), ("%22%0a", 'Unknown command: "\n')]:
            answer = self.command(name)
            self.assertIn(says, answer["error"], name)
            self.assertEqual(sorted(answer), ["command", "error"], name)

    def test_they_tell_the_truth(self):
        self.serve("--admin", "0", "--data", str(self.folder / "data"), "--max-client-connections", "7")
        candidate = self.elect("/e")
        wait_until(lambda: self.command("dump")["session_id_to_ephemeral_paths"], "its node")
        (one,) = self.command("cons")["connections"]
        self.assertRegex(one["remote_socket_address"], r"^127\.0\.0\.1:\d+$")
        session = one["session_id"]
        (path,) = self.command("dump")["session_id_to_ephemeral_paths"][str(session)]
        self.assertTrue(path.startswith("/e/"))
        self.assertEqual([*self.command("dump")["expiry_time_to_session_ids"].values()], [[session]])
        # The next in line watches the one before.
        follower = self.elect("/e")
        wait_until(lambda: self.command("wchs")["num_total_watches"] == 1, "a watch")
        (watcher,) = (one["session_id"] for one in self.command("cons")["connections"] if one["session_id"] != session)
        self.assertEqual(self.command("wchs")["num_connections"], 1)
        self.assertEqual(self.command("wchc")["session_id_to_watched_paths"], {str(watcher): [path]})
        self.assertEqual(self.command("wchp")["path_to_session_ids"], {path: [watcher]})
        for process in [candidate, follower]:
            process.send(signal.SIGTERM)
            process.wait()
        conf = self.command("conf")
        self.assertEqual((conf["max_client_cnxns"], conf["tick_time"]), (7, 200 * FACTOR))
        self.assertEqual(conf["data_dir"], str(self.folder / "data" / "version-2"))
        written = sum(file.stat().st_size for file in (self.folder / "data" / "version-2").iterdir())
        self.assertEqual(self.command("dirs")["datadir_size"], written)
        self.assertEqual(self.command("srvr")["node_count"], int(re.search(r"Node count: (\d+)", self.word("srvr"))[1]))
        self.assertIn("# --max-client-connections\nmaxClientCnxns=7\n", self.command("icfg")["initial_configuration"])
        snapshot = self.command("lsnp")
        self.assertEqual(snapshot["zxid"], "0")
        self.assertLess(abs(snapshot["timestamp"] - time.time()), 60 * FACTOR)

    def test_the_trace_mask_can_be_set(self):
        self.serve("--admin", "0")
        for asked, mask in [("set_trace_mask?traceMask=-3", -3), ("stmk?traceMask=%2B7&x=y", 7), ("gtmk", 7)]:
            self.assertEqual(self.command(asked)["tracemask"], mask)
        self.assertEqual(self.word("gtmk"), "7")

    def test_numbers_are_reset(self):
        self.serve("--admin", "0", "--data", str(self.folder / "data"))
        self.succeeds("create", "/a")
        stats = self.command("stats")["server_stats"]
        self.assertGreater(stats["packets_received"], 2)
        self.assertGreater(stats["avg_latency"], 0)
        self.command("srst")
        stats = self.command("stats")["server_stats"]
        self.assertEqual((stats["packets_received"], stats["avg_latency"]), (0, 0.0))

    def test_bad_requests(self):
        self.serve("--admin", "0")
        base = self.url.removesuffix("/commands")
        for status, says, method, url in [(404, "nothing here", "GET", base + "/"), (404, "nothing", "GET", base + "/metricsx"),
                                          (404, "nothing", "GET", base + "/commandsx"), (405, "GET", "POST", self.url + "/srst"),
                                          (405, "GET", "DELETE", self.url), (405, "GET", "POST", base + "/metrics")]:
            answer = self.get(url, method)
            self.assertEqual(answer[0], status, url)
            self.assertIn(says, json.loads(answer[1])["error"])
        self.assertEqual(self.get(self.url + "/ruok", "HEAD"), (200, ""))


class numbers(admin_test):
    def test_metrics_count(self):
        self.serve("--admin", "0", "--data", str(self.folder / "data"), "--snap-count", "2")
        for name in ["/a", "/b", "/c"]:
            self.succeeds("create", name, "1234")
        wait_until(lambda: self.metrics()[0]["snapshottime_count", None] >= 1, "a snapshot")
        samples, types = self.metrics()
        got = {name: value for (name, bound), value in samples.items() if bound is None}
        self.assertEqual((types["packets_received"], types["znode_count"]), ("counter", "gauge"))
        self.assertEqual((types["fsynctime"], types["zkrecipes_request_latency_seconds"]), ("summary", "histogram"))
        self.assertEqual(got["znode_count"], 7)
        self.assertEqual(got["zkrecipes_sessions_created"], 3)
        self.assertEqual((got["num_alive_connections"], got["outstanding_requests"]), (0, 0))
        self.assertGreaterEqual(got["fsynctime_count"], 3)
        self.assertGreater(got["fsynctime_sum"], 0)
        self.assertGreater(got["bytes_received_count"], 3 * 45)
        self.assertGreater(got["response_bytes"], 3 * 41)
        self.assertEqual(got["zkrecipes_request_latency_seconds_count"], got["packets_received"])
        buckets = [value for (name, bound), value in samples.items() if bound is not None]
        self.assertEqual(buckets, sorted(buckets))
        self.assertEqual(buckets[-1], got["zkrecipes_request_latency_seconds_count"])
        # The same numbers, by the same names, in the word and the command. They go on: only what stands still compares.
        shown = self.command("monitor")
        words = dict(line.split("\t") for line in self.word("mntr").splitlines())
        for name in ["znode_count", "watch_count", "packets_sent", "avg_latency", "max_latency", "stale_sessions_expired",
                     "bytes_received_count", "connection_rejected", "auth_failed_count"]:
            self.assertEqual(shown[name], got[name], name)
            self.assertEqual(float(words["zk_" + name]), got[name], name)
        for name in ["fsynctime", "snapshottime"]:
            self.assertEqual(shown["cnt_" + name], got[name + "_count"])
        self.assertRegex(self.word("srvr"), rf"(?m)^Latency min/avg/max: \d+/{int(shown['avg_latency'])}/\d+$")

    def test_expiries_and_refusals_count(self):
        self.serve("--admin", "0", "--max-client-connections", "1")
        held = self.start(TOOL, "--session-timeout", f"{400 * FACTOR}ms", "elect", "/e", env=self.env)
        wait_until(held.out, "a leader")
        self.fails(1, "", "--timeout", "300ms", "get", "/e")
        got = self.metrics()[0]
        self.assertGreaterEqual(got["connection_rejected", None], 1)
        held.send(signal.SIGKILL)
        wait_until(lambda: self.metrics()[0]["stale_sessions_expired", None] == 1, "the end of its session")
        self.assertEqual(self.metrics()[0]["global_sessions", None], 0)

    def test_a_request_that_waits_is_outstanding(self):
        server = self.start(TOOL, "server", "--port", "0", "--admin", "0", "--faults")
        said = wait_until(lambda: server.out().count("\n") == 3 and server.out(), "its addresses").split()
        self.env = {"ZKR_SERVERS": said[2]}
        self.url = said[-1]
        request = urllib.request.Request(said[5] + "/faults", b'{"at": "exists", "action": "delay_reply", "delay_ms": 200}',
                                         headers={"Authorization": f"Bearer {said[7]}"})
        urllib.request.urlopen(request, timeout=30 * FACTOR).close()
        reader = threading.Thread(target=self.zkr, args=("stat", "/"))
        reader.start()
        wait_until(lambda: self.metrics()[0]["outstanding_requests", None] == 1, "its request")
        reader.join()
        self.assertEqual(self.metrics()[0]["outstanding_requests", None], 0)
        self.assertGreaterEqual(self.command("mntr")["max_latency"], 200)


class hostile(admin_test):
    def test_malformed_and_oversized_requests_end_alone(self):
        self.serve("--admin", "0")
        for sent in [b"GET /commands/ruok HTTP/1.1\r\nRange: bytes=" + b"0-0," * 2000 + b"0-0\r\n\r\n",
                     b"GET /" + b"a" * 8000 + b" HTTP/1.1\r\n\r\n",
                     b"GET /commands/ruok HTTP/1.1\r\nA: " + b"b" * 1000000 + b"\r\n\r\n",
                     b"GET /commands/ruok HTTP/1.1\r\n" + b"A: b\r\n" * 100000 + b"\r\n",
                     b"\0" * 100 + b"\r\n\r\n",
                     b"POST /commands/ruok HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\nx",
                     b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nabc"]:
            dialled = self.dial()
            with contextlib.suppress(ConnectionError):
                dialled.sendall(sent)
                with contextlib.suppress(OSError):  # it may have been cut off by now
                    dialled.shutdown(socket.SHUT_WR)
                while dialled.recv(1 << 16):
                    pass
            self.assertEqual(self.command("ruok")["error"], None)
        # A range is not followed: many of them would be a large answer.
        dialled = self.dial()
        dialled.sendall(b"GET /metrics HTTP/1.1\r\nRange: bytes=" + b"0-," * 2000 + b"0-\r\n\r\n")
        answer = b"".join(iter(lambda: dialled.recv(1 << 16), b""))
        self.assertLess(len(answer), 20000)
        self.succeeds("get", "/")

    def test_slow_and_many_clients_disturb_nobody_else(self):
        server = self.serve("--admin", "0", "--max-client-connections", "0")
        held = [self.dial_slowly() for _ in range(60)]
        for one in held:
            with contextlib.suppress(OSError):
                one.sendall(b"GET /comm")
        self.succeeds("create", "/a", "1")
        self.assertEqual(self.succeeds("get", "/a"), "1")
        # Few are taken in: the descriptors stay free.
        self.assertLess(len(os.listdir(f"/proc/{server.pid}/fd")), 40)
        # And neither they nor one that sends a byte from time to time keep the server from ending.
        before = time.monotonic()
        server.send(signal.SIGTERM)
        self.assertEqual(server.wait(), 0)
        self.assertLess(time.monotonic() - before, 3 * FACTOR)

    def dial_slowly(self):
        """A connection that need not be taken in yet."""
        host, port = re.fullmatch(r"http://([^:]+):(\d+)/commands", self.url).groups()
        dialled = socket.socket()
        self.addCleanup(dialled.close)
        dialled.setblocking(False)
        dialled.connect_ex((host, int(port)))
        return dialled

    def test_who_is_too_slow_is_cut_off(self):
        self.serve("--admin", "0")
        dialled = self.dial()
        stop = threading.Event()

        def drip():
            with contextlib.suppress(OSError):
                while not stop.wait(0.2):
                    dialled.sendall(b"A")

        dripping = threading.Thread(target=drip)
        dripping.start()
        with contextlib.suppress(ConnectionError):
            while dialled.recv(4096):
                pass
        stop.set()
        dripping.join()
        self.assertEqual(self.command("ruok")["error"], None)


class loading(admin_test):
    """HTTP is in a module, of which a server that does not need it knows nothing."""

    def test_only_who_asks_for_a_port_pays_for_it(self):
        heavy = re.compile(r"zkr_http|httplib|libssl|libcrypto|brotli")
        for words, lines, loaded in [([], 1, False), (["--admin", "0"], 2, True), (["--faults"], 2, True)]:
            server = self.serve(*words, lines=lines)
            maps = Path(f"/proc/{server.pid}/maps").read_text(encoding="utf-8")
            self.assertEqual(bool(heavy.search(maps)), loaded, words)

    def test_a_missing_module_is_named(self):
        alone = self.folder / "bin" / "zkr"
        alone.parent.mkdir()
        shutil.copy(TOOL, alone)
        for words in [["--faults"], ["--admin", "0"]]:
            run = subprocess.run([alone, "server", "--port", "0", "--log-level", "error", *words], capture_output=True,
                                 check=False, timeout=60 * FACTOR)
            self.assertEqual((run.returncode, run.stdout), (1, b""))
            self.assertRegex(run.stderr.decode(), r"^zkr: [^\n]*cannot be loaded from /[^\n]*/zkr_http\.so: [^\n]*\n$")


class settings(admin_test):
    def config(self, text):
        path = self.folder / "zoo.cfg"
        path.write_text(text, encoding="ascii")
        return str(path)

    def test_off_unless_asked_for(self):
        for text in ["", "admin.enableServer=false\nadmin.serverPort=0\n", "admin.serverAddress=127.0.0.1\n"]:
            server = self.serve(self.config(text), lines=1)
            # Both are printed at once.
            self.assertNotIn("administration", server.out())

    def test_keys_of_zoo_cfg(self):
        self.serve(self.config("zookeeper.admin.serverPort=0\nadmin.commandURL=/zk/c\nadmin.serverAddress=localhost\n"))
        self.assertRegex(self.url, r"^http://127\.0\.0\.1:\d+/zk/c$")
        self.assertEqual(self.command("ruok")["error"], None)
        self.assertIn('"/zk/c/ruok"', self.get(self.url)[1])
        self.serve(self.config("admin.enableServer=true\nadmin.serverPort=0\nadmin.serverAddress=::1\n"))
        self.assertRegex(self.url, r"^http://\[::1\]:\d+/commands$")
        self.assertEqual(self.command("ruok")["error"], None)

    def test_the_option_wins(self):
        self.serve(self.config("admin.enableServer=false\nadmin.serverPort=1\n"), "--admin", "0")
        self.assertEqual(self.command("ruok")["error"], None)

    def test_bad_values_stop_the_start(self):
        for text in ["admin.enableServer=yes", "admin.serverPort=65536", "admin.serverAddress=nowhere", "admin.commandURL=c",
                     "admin.commandURL=/", "admin.commandURL=/metrics", "admin.commandURL=/a\"b", "admin.forceHttps=true"]:
            self.fails(2, text.split("=")[0], "server", "--port", "0", self.config(text))

    def test_a_port_in_use_is_a_clear_error(self):
        self.serve("--admin", "0")
        port = re.search(r":(\d+)/", self.url)[1]
        self.fails(1, f"port {port} cannot be listened on", "server", "--log-level", "error", "--port", "0",
                   "--admin", port)
        zookeeper = self.env["ZKR_SERVERS"].split(":")[1]
        self.fails(1, "--admin", "server", "--log-level", "error", "--port", "0", "--admin", zookeeper)


if __name__ == "__main__":
    unittest.main()
