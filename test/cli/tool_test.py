#!/usr/bin/env python3
"""Tests of the commands that read and write nodes, of the server command, and of wrong usage. Usage: tool_test.py ZKR"""

import base64
import json
import re
import unittest
import urllib.error
import urllib.request

from tool import FACTOR, TICK_MS, TOOL, signal, tool_test, wait_until, warnings


class reading_and_writing(tool_test):
    def test_create_get_set_stat_ls_rm(self):
        self.assertEqual(self.succeeds("create", "/a", "one"), "/a\n")
        self.assertEqual(self.succeeds("get", "/a"), "one")
        self.assertEqual(self.succeeds("set", "/a", "two"), "1\n")
        self.assertEqual(self.succeeds("set", "/a", "three", "--version", "1"), "2\n")
        self.fails(1, "bad_version", "set", "/a", "four", "--version", "1")
        self.assertEqual(self.succeeds("get", "/a"), "three")
        self.succeeds("create", "/a/y")
        self.succeeds("create", "/a/x")
        self.assertEqual(self.succeeds("ls", "/a"), "x\ny\n")
        self.assertEqual(json.loads(self.succeeds("ls", "/a", "--json")), ["x", "y"])
        stat = dict(line.split() for line in self.succeeds("stat", "/a").splitlines())
        self.assertEqual((stat["version"], stat["data_length"], stat["num_children"]), ("2", "5", "2"))
        self.assertRegex(stat["ctime"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertRegex(stat["czxid"], r"^0x[0-9a-f]+$")
        self.fails(1, "not_empty", "rm", "/a")
        self.fails(1, "bad_version", "rm", "/a/x", "--version", "7")
        self.assertEqual(self.succeeds("rm", "/a/x", "--version", "0"), "")
        self.fails(1, "get /a/x: no_node", "get", "/a/x")

    def test_data_is_bytes(self):
        data = bytes(range(256)) * 3
        path = self.folder / "data"
        path.write_bytes(data)
        self.succeeds("create", "/a", "--file", str(path))
        self.assertEqual(self.zkr("get", "/a").stdout, data)
        self.succeeds("set", "/a", "--file", "-", data=b"\0\n")
        self.assertEqual(self.zkr("get", "/a").stdout, b"\0\n")
        self.succeeds("set", "/a", "--", "--json")
        self.assertEqual(self.succeeds("get", "/a"), "--json")
        self.succeeds("set", "/a", "")
        self.assertEqual(self.succeeds("get", "/a"), "")

    def test_json_of_data(self):
        self.succeeds("create", "/a", 'grün "\n')
        node = json.loads(self.succeeds("get", "/a", "--json"))
        self.assertEqual((node["path"], node["data"], node["stat"]["version"]), ("/a", 'grün "\n', 0))
        for data in [b"\xff", b"\xff\0", b"\xff\0a", b"\xff\0ab"]:
            self.succeeds("set", "/a", "--file", "-", data=data)
            node = json.loads(self.succeeds("get", "/a", "--json"))
            self.assertEqual(base64.b64decode(node["data_base64"]), data)
        self.assertEqual(json.loads(self.succeeds("stat", "/a", "--json"))["stat"]["data_length"], 4)

    def test_modes(self):
        self.assertEqual(self.succeeds("create", "/s-", "--mode", "sequential"), "/s-0000000000\n")
        self.assertEqual(self.succeeds("create", "/s-", "--mode", "sequential"), "/s-0000000001\n")
        self.succeeds("create", "/c", "--mode", "container")
        self.succeeds("create", "/t", "--mode", "ttl", "--ttl", "10m")
        self.fails(2, "--ttl", "create", "/t2", "--mode", "ttl")
        self.fails(2, "--ttl", "create", "/t2", "--ttl", "10m")
        self.fails(2, "--mode", "create", "/t2", "--mode", "ephemeral")

    def test_parents(self):
        self.fails(1, "no_node", "create", "/p/q/r", "x")
        self.succeeds("create", "-p", "/p/q/r", "x")
        self.succeeds("create", "-p", "/p/q/s", "x")
        self.fails(1, "node_exists", "create", "-p", "/p/q/s", "x")

    def test_tree_and_recursive_removal(self):
        for path in ["/r/b/d", "/r/a", "/r/b/c"]:
            self.succeeds("create", "-p", path, "12345")
        self.assertEqual(self.succeeds("tree", "/r"), "/r\n  a  5 B\n  b\n    c  5 B\n    d  5 B\n")
        self.assertEqual([node["path"] for node in json.loads(self.succeeds("tree", "/r", "--json"))],
                         ["/r", "/r/a", "/r/b", "/r/b/c", "/r/b/d"])
        self.succeeds("rm", "-r", "/r")
        self.fails(1, "no_node", "tree", "/r")
        self.fails(1, "no_node", "rm", "-r", "/r")
        self.fails(2, "root", "rm", "-r", "/")

    def test_chroot(self):
        self.succeeds("create", "-p", "/app/x", "in")
        self.assertEqual(self.succeeds("--servers", self.servers + "/app", "get", "/x"), "in")
        self.assertEqual(self.succeeds("get", "/x", "--servers", self.servers + "/app"), "in")
        self.assertEqual(self.succeeds("ls", "/", env={"ZKR_SERVERS": self.servers + "/app"}), "x\n")
        self.fails(1, "no_chroot", "ls", "/", env={"ZKR_SERVERS": self.servers + "/nothing"})

    def test_a_closed_output(self):
        self.succeeds("create", "/a", "--file", "-", data=b"x" * 500000)
        reader = self.start("/bin/sh", "-c", f"{TOOL} get /a | head -c 1; wait", env=self.env)
        self.assertEqual(reader.wait(), 0)
        self.assertEqual(reader.err(), "")


class wrong_usage(tool_test):
    def test_says_what_is_wrong_on_one_line(self):
        for says, *words in [
            ("subcommand", ),
            ("frobnicate", "frobnicate"),
            ("frobnicate", "--servers", "x", "-v", "frobnicate", "ls", "/"),
            ("PATH", "get"),
            ("/b", "get", "/a", "/b"),
            ("--frobnicate", "get", "/a", "--frobnicate"),
            ("PATH", "get", "a"),
            ("PATH", "get", "/a/"),
            ("PATH", "create", "/a//b"),
            ("DATA", "set", "/a"),
            ("--file", "set", "/a", "b", "--file", "c"),
            ("--version", "set", "/a", "b", "--version", "-7"),
            ("--version", "set", "/a", "b", "--version", "x"),
            ("--timeout", "--timeout", "10", "get", "/a"),
            ("--timeout", "--timeout", "0s", "get", "/a"),
            ("like 500ms", "--session-timeout", "1.5s", "get", "/a"),
            ("--port", "server", "--port", "70000"),
            ("--tick-time", "server", "--tick-time", "1"),
            ("--tick-time", "server", "--tick-time", "1500us"),
            ("PATH", "elect"),
            ("PATH", "elect", "x"),
            ("root", "elect", "/"),
            ("--observe", "elect", "/e", "--observe", "--", "true"),
            ("--observe", "elect", "/e", "--observe", "--id", "x"),
            ("--restart", "elect", "/e", "--restart"),
            ("--once", "elect", "/e", "--once", "--", "true"),
            ("--warn-before", "elect", "/e", "--warn-before", "1s"),
        ]:
            with self.subTest(words):
                self.fails(2, says, *words)

    def test_terminal_escapes_do_not_come_back(self):
        self.fails(2, "\\x1b", "get", "\x1b[2J")
        self.fails(2, "\\x1b", "--timeout", "\x1b[2J", "get", "/a")

    def test_files_that_cannot_be_read(self):
        self.fails(1, "/no/such/file", "set", "/a", "--file", "/no/such/file")
        self.fails(1, "/: ", "set", "/a", "--file", "/")

    def test_help_and_version(self):
        for words in [[], ["get"], ["create"], ["set"], ["rm"], ["ls"], ["tree"], ["stat"], ["server"], ["elect"]]:
            self.assertIn("--help", self.succeeds(*words, "--help"))
        self.assertIn("110", self.succeeds("elect", "--help"))
        self.assertIn("Examples", self.succeeds("--help"))
        self.assertRegex(self.succeeds("--version"), r"^zkr \d+\.\d+\.\d+\n$")


class no_server(tool_test):
    def test_says_where_it_looked(self):
        self.server.send(signal.SIGTERM)
        self.assertEqual(self.server.wait(), 0)
        self.fails(1, self.servers, "--timeout", "300ms", "get", "/a")
        self.fails(1, "no.such.host.invalid", "--servers", "no.such.host.invalid", "--timeout", "20s", "get", "/a")
        self.fails(1, "port", "--servers", "127.0.0.1:99999", "get", "/a")


class serving(tool_test):
    def test_ends_cleanly(self):
        for number in [signal.SIGTERM, signal.SIGINT]:
            server = self.start(TOOL, "server", "--port", "0")
            wait_until(server.out, "its address")
            server.send(number)
            self.assertEqual((server.wait(), warnings(server.err())), (0, []))

    def test_a_port_that_is_taken(self):
        self.fails(1, "--port", "server", "--port", self.servers.split(":")[1])

    def test_an_address_that_is_none(self):
        self.fails(2, "--address", "server", "--port", "0", "--address", "nowhere")

    def test_tick_time_bounds_sessions(self):
        server = self.start(TOOL, "server", "--port", "0", "--tick-time", f"{50 * FACTOR}ms")
        servers = wait_until(server.out, "its address").split()[-1]
        holder = self.start(TOOL, "--servers", servers, "--session-timeout", "60s", "elect", "/e", "--events")
        wait_until(lambda: holder.events("granted"), "the grant")
        granted = holder.events("granted")[0]
        self.assertLess(granted["valid_until_ns"] - granted["at_ns"], 1e9 * FACTOR)  # 20 ticks


class faults(tool_test):
    def setUp(self):
        super().setUp()
        server = self.start(TOOL, "server", "--port", "0", "--tick-time", f"{TICK_MS * FACTOR}ms", "--faults")
        lines = wait_until(lambda: server.out().count("\n") == 2 and server.out(), "both addresses").splitlines()
        self.env = {"ZKR_SERVERS": lines[0].split()[-1]}
        found = re.fullmatch(r"faults on (http://127\.0\.0\.1:\d+) token ([0-9a-f]{32})", lines[1])
        self.url, self.token = found.groups()
        self.process = server

    def ask(self, method, path, body=None, token=None):
        """The status and the answer."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, method=method,
                                         headers={"Authorization": f"Bearer {token or self.token}"})
        try:
            with urllib.request.urlopen(request, timeout=60 * FACTOR) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, json.load(refusal)

    def test_a_reply_is_lost(self):
        self.succeeds("create", "/a", "0")
        rule = {"at": "set", "action": "close_after", "path": "/a"}
        self.assertEqual(self.ask("POST", "/faults", rule), (200, {"id": 1}))
        self.assertNotEqual(self.zkr("set", "/a", "1").returncode, 0)
        self.assertEqual(self.ask("GET", "/faults/1/wait"), (200, {"fired": True}))
        self.assertEqual(self.succeeds("get", "/a"), "1")
        self.assertEqual(self.ask("GET", "/faults"),
                         (200, [rule | {"id": 1, "skip": 0, "times": 1, "matched": 1, "fired": 1}]))
        self.assertEqual(self.ask("DELETE", "/faults/1"), (200, {}))
        self.assertEqual(self.ask("DELETE", "/faults/1")[0], 404)
        self.ask("POST", "/faults", {"at": "connection", "action": "close_before", "times": "always"})
        self.assertNotEqual(self.zkr("--timeout", "200ms", "get", "/a").returncode, 0)
        self.assertEqual(self.ask("DELETE", "/faults"), (200, {}))
        self.assertEqual(self.succeeds("get", "/a"), "1")
        self.assertEqual(self.ask("POST", "/begin_lag"), (200, {}))
        self.assertEqual(self.ask("POST", "/end_lag"), (200, {}))

    def test_the_server_as_a_whole(self):
        holder = self.elect("/e", "--events")
        wait_until(lambda: holder.events("granted"), "the grant")
        self.assertEqual(self.ask("POST", "/pause"), (200, {}))
        self.assertEqual(self.ask("POST", "/resume"), (200, {}))
        self.assertEqual(self.ask("POST", "/drop_connections"), (200, {}))
        (session,) = self.ask("GET", "/sessions")[1]
        self.assertEqual(self.ask("GET", "/statistics")[1]["sessions"], 1)
        self.assertEqual(self.ask("POST", "/expire_session", {"session_id": session}), (200, {}))
        self.assertEqual(self.ask("POST", "/expire_session", {"session_id": session})[0], 404)
        self.assertEqual(self.ask("POST", "/step_clock", {"ms": 3_600_000}), (200, {}))
        wait_until(lambda: holder.events("ended"), "the end of the term")

    def test_sequence_numbers_at_their_end(self):
        """As Apache: the last number comes again, and behind it nothing can be created."""
        self.succeeds("create", "/q")
        self.assertEqual(self.ask("POST", "/set_next_sequence", {"path": "/nothing", "number": 1})[0], 404)
        self.assertEqual(self.ask("POST", "/set_next_sequence", {"path": "/q", "number": 2147483646}), (200, {}))
        for number in ["2147483646", "2147483647"]:
            self.assertEqual(self.succeeds("create", "--mode", "sequential", "/q/n-"), f"/q/n-{number}\n")
        self.fails(1, "node_exists", "create", "--mode", "sequential", "/q/n-")
        self.assertEqual(self.ask("POST", "/set_next_sequence", {"path": "/q", "number": -2147483648}), (200, {}))
        self.assertEqual(self.succeeds("create", "--mode", "sequential", "/q/n-"), "/q/n--2147483648\n")
        self.assertEqual(self.succeeds("create", "--mode", "sequential", "/q/n-"), "/q/n--2147483647\n")

    def test_bad_requests_get_one_clear_error(self):
        for status, says, method, path, body in [
            (404, "no such request", "GET", "/nothing", None),
            (400, "JSON object", "POST", "/faults", b"{"),
            (400, "pth: no such member", "POST", "/faults", {"pth": "/a"}),
            (400, "at: no such point", "POST", "/faults", {"at": "sett"}),
            (400, "action: no such action", "POST", "/faults", {"action": 3}),
            (400, "times: must be 1 or more", "POST", "/faults", {"times": 0}),
            (400, "skip", "POST", "/faults", {"skip": -1}),
            (400, "session_id", "POST", "/faults", {"session_id": 1 << 63}),
            (400, "ms", "POST", "/step_clock", {"ms": "1"}),
            (400, "ms", "POST", "/step_clock", {"ms": -1}),
            (400, "session_id", "POST", "/expire_session", {}),
            (400, "number", "POST", "/set_next_sequence", {"path": "/"}),
            (400, "number", "POST", "/set_next_sequence", {"path": "/", "number": 2147483648}),
            (400, "number", "POST", "/set_next_sequence", {"path": "/", "number": 1.5}),
            (400, "path", "POST", "/set_next_sequence", {"path": 1, "number": 1}),
            (400, "path", "POST", "/set_next_sequence", [1, 2]),
            (400, "within_ms", "GET", "/faults/1/wait?within_ms=60001", None),
        ]:
            answer = self.ask(method, path, body)
            self.assertEqual(answer[0], status, (path, body, answer))
            self.assertIn(says, answer[1]["error"])
        self.assertEqual(self.ask("GET", "/faults", token="0" * 32)[0], 401)
        self.assertEqual(self.ask("GET", "/faults"), (200, []))

    def test_the_port_ends_with_the_server(self):
        self.process.send(signal.SIGTERM)
        self.assertEqual((self.process.wait(), warnings(self.process.err())), (0, []))


if __name__ == "__main__":
    unittest.main()
