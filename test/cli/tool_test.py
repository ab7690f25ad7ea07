#!/usr/bin/env python3
"""Tests of the commands that read and write nodes, of the server command, and of wrong usage. Usage: tool_test.py ZKR"""

import base64
import json
import unittest

from tool import FACTOR, TOOL, signal, tool_test, wait_until


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
            self.assertEqual((server.wait(), server.err()), (0, ""))

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


if __name__ == "__main__":
    unittest.main()
