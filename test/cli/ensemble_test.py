"""zkr status, and zkr ensemble: files without Java, servers with scripts/test --apache."""

import json
import os
import shutil
import socket
import subprocess
import unittest

from tool import FACTOR, TICK_MS, TOOL, signal, tool_test, wait_until


def free_ports(count):
    """The first of `count` ports in a row that were free a moment ago."""
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
        if port + count > 65535:
            continue
        try:
            for i in range(count):
                with socket.socket() as one:
                    one.bind(("127.0.0.1", port + i))
            return port
        except OSError:
            continue


class ensemble_test(tool_test):
    def run_tool(self, *words):
        """Runs the tool to its end; its output as text."""
        return subprocess.run([TOOL, *map(str, words)], capture_output=True, check=False, timeout=120 * FACTOR, text=True,
                              env=os.environ | self.env)

    def ensemble(self, action, *words):
        return self.run_tool("ensemble", action, "--dir", self.folder, *words)


class status(ensemble_test):
    def test_a_standalone_server(self):
        done = self.run_tool("status")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("standalone", done.stdout)
        self.assertIn("a standalone server", done.stdout)

    def test_nobody_there(self):
        port = free_ports(2)
        done = self.run_tool("--timeout", "2s", "status", f"127.0.0.1:{port},127.0.0.1:{port + 1}")
        self.assertEqual(done.returncode, 1)
        self.assertIn("Connection refused", done.stdout)
        self.assertIn("no quorum: none of 2 serves; 2 must be up", done.stdout)

    def test_json(self):
        said = json.loads(self.succeeds("status", "--json"))
        self.assertEqual(said["members"][0]["role"], "standalone")
        self.assertEqual(said["serving"], 1)

    def test_one_that_may_not_be_asked(self):
        quiet = self.start(TOOL, "server", "--port", "0", "--four-letter-words", "ruok")
        line = wait_until(lambda: quiet.out().endswith("\n") and quiet.out(), "the server's address")
        done = self.run_tool("status", line.split()[-1])
        self.assertEqual(done.returncode, 1)
        self.assertIn("srvr is not executed because it is not in the whitelist", done.stdout)

    def test_one_that_accepts_and_says_nothing(self):
        with socket.create_server(("127.0.0.1", 0)) as mute:
            done = self.run_tool("--timeout", "200ms", "status", f"127.0.0.1:{mute.getsockname()[1]}")
        self.assertEqual(done.returncode, 1)
        self.assertIn("timed out", done.stdout)

    def test_bad_hosts(self):
        done = self.run_tool("status", "a:b")
        self.assertEqual(done.returncode, 2)
        self.assertIn("the port is not a number", done.stderr)


class files(ensemble_test):
    def test_init_writes_files_and_says_where_clients_go(self):
        done = self.ensemble("init", "3", "--client-port", "3181")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("servers: 127.0.0.1:3181,127.0.0.1:3182,127.0.0.1:3183\n", done.stdout)
        for number in (1, 2, 3):
            self.assertEqual((self.folder / f"member-{number}/data/myid").read_text(), f"{number}\n")
            text = (self.folder / f"member-{number}/zoo.cfg").read_text()
            self.assertIn(f"clientPort={3180 + number}\n", text)
            self.assertIn("server.2=127.0.0.1:2889:3889\n", text)
            self.assertIn("tickTime=2000\n", text)

    def test_what_is_there_stays(self):
        (self.folder / "member-3").mkdir()
        done = self.ensemble("init", "3")
        self.assertEqual(done.returncode, 1)
        self.assertIn("member-3", done.stderr)
        self.assertIn("is there already", done.stderr)
        self.assertFalse((self.folder / "member-1").exists())

    def test_even_numbers_are_no_gain(self):
        self.assertIn("4 members bear no more failures than 3", self.ensemble("init", "4").stdout)

    def test_wrong_usage(self):
        for words, says in [(("init", "0"), "not in range"), (("init", "3", "--client-port", "65535"), "65535"),
                            (("restart",), "subcommand")]:
            done = self.ensemble(*words)
            self.assertEqual(done.returncode, 2, words)
            self.assertIn(says, done.stderr)
        for action in ("start", "stop", "status"):
            done = self.ensemble(action)
            self.assertEqual(done.returncode, 1)
            self.assertIn("zkr ensemble init makes it", done.stderr)

    def test_a_broken_configuration_is_named(self):
        self.ensemble("init", "1")
        (self.folder / "member-1/zoo.cfg").write_text("tickTime=2000\n")
        done = self.ensemble("status")
        self.assertEqual(done.returncode, 1)
        self.assertIn("member-1/zoo.cfg", done.stderr)
        self.assertIn("it names no clientPort", done.stderr)

    def test_a_pid_that_is_somebody_elses_is_left_alone(self):
        self.ensemble("init", "1", "--client-port", str(free_ports(1)))
        bystander = self.start("sleep", "1000")
        (self.folder / "member-1/pid").write_text(f"{bystander.pid} 1\n")
        self.assertEqual(self.ensemble("stop").returncode, 0)
        self.assertIsNone(bystander.process.poll())


@unittest.skipUnless(os.environ.get("ZKR_TEST_APACHE") == "1", "only with scripts/test --apache")
class servers(ensemble_test):
    def setUp(self):
        super().setUp()
        self.addCleanup(lambda: self.ensemble("stop"))
        client, quorum, election = free_ports(3), free_ports(3), free_ports(3)
        self.hosts = ",".join(f"127.0.0.1:{client + i}" for i in range(3))
        done = self.ensemble("init", "3", "--client-port", client, "--quorum-port", quorum, "--election-port", election,
                             "--tick-time", f"{TICK_MS * FACTOR}ms")
        self.assertEqual(done.returncode, 0, done.stderr)

    def members(self):
        return json.loads(self.run_tool("status", self.hosts, "--json").stdout)

    def test_from_an_empty_folder_to_a_quorum_and_its_loss(self):
        done = self.ensemble("start")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("quorum: all 3 serve", done.stdout)
        roles = sorted(one["role"] for one in self.members()["members"])
        self.assertEqual(roles, ["follower", "follower", "leader"])

        self.assertEqual(self.run_tool("--servers", self.hosts, "create", "/a", "x").returncode, 0)
        first = self.members()["leader"]
        number = self.hosts.split(",").index(first) + 1
        self.assertEqual(self.ensemble("stop", "--member", number).returncode, 0)
        second = wait_until(lambda: self.members()["leader"], "another leader", limit=60)
        self.assertNotEqual(second, first)
        self.assertIn("2 of 3 serve", self.run_tool("status", self.hosts).stdout)
        self.assertEqual(self.run_tool("--servers", self.hosts, "get", "/a").stdout, "x")

        other = self.hosts.split(",").index(second) + 1
        self.assertEqual(self.ensemble("stop", "--member", other).returncode, 0)
        wait_until(lambda: self.members()["serving"] == 0, "the loss of the quorum", limit=60)
        done = self.ensemble("status")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no quorum: none of 3 serves; 2 must be up", done.stdout)

        done = self.ensemble("start")
        self.assertIn("quorum: all 3 serve", done.stdout)
        self.assertEqual(self.run_tool("--servers", self.hosts, "get", "/a").stdout, "x")
        self.assertEqual(self.ensemble("stop").returncode, 0)
        self.assertEqual([one["role"] for one in self.members()["members"]], ["unreachable"] * 3)

    def test_from_one_server_to_three_with_its_data(self):
        data = self.folder / "single"
        single = self.start(TOOL, "server", "--port", "0", "--data", data)
        line = wait_until(lambda: single.out().endswith("\n") and single.out(), "the server's address")
        self.assertEqual(self.run_tool("--servers", line.split()[-1], "create", "/old", "kept").returncode, 0)
        single.send(signal.SIGTERM)
        self.assertEqual(single.wait(), 0)
        shutil.copytree(data / "version-2", self.folder / "member-1/data/version-2")
        self.assertIn("no quorum", self.ensemble("start", "--member", "1").stdout)
        self.assertIn("2 of 3 serve", self.ensemble("start", "--member", "2").stdout)
        self.assertIn("all 3 serve", self.ensemble("start").stdout)
        third = self.hosts.split(",")[2]
        self.assertEqual(self.run_tool("--servers", third, "get", "/old").stdout, "kept")

    def test_from_one_server_to_three_and_back_and_to_three_again(self):
        """Each ensemble begins a new epoch, which is the upper half of its transactions' ids."""
        version_2 = [self.folder / f"member-{number}/data/version-2" for number in (1, 2, 3)]

        def at_ours(name, before):
            folder = self.folder / "single"
            single = self.start(TOOL, "server", "--port", "0", "--data", folder)
            servers = wait_until(lambda: single.out().endswith("\n") and single.out(), "the server's address").split()[-1]
            epoch = self.create(servers, name, before)
            single.send(signal.SIGTERM)
            self.assertEqual(single.wait(), 0)
            for member in version_2:
                shutil.rmtree(member, ignore_errors=True)
                shutil.copytree(folder / "version-2", member)
            return epoch

        def at_apaches(name, before):
            self.assertIn("all 3 serve", self.ensemble("start").stdout)
            epoch = self.create(self.hosts, name, before)
            leader = self.hosts.split(",").index(self.members()["leader"])
            self.assertEqual(self.ensemble("stop").returncode, 0)
            for kind in ("currentEpoch", "acceptedEpoch"):
                self.assertEqual((version_2[leader] / kind).read_text(), str(epoch))
            shutil.rmtree(self.folder / "single")
            shutil.copytree(version_2[leader], self.folder / "single/version-2")
            return epoch

        self.assertEqual([at_ours("/a", []), at_apaches("/b", ["/a"]), at_ours("/c", ["/a", "/b"]),
                          at_apaches("/d", ["/a", "/b", "/c"]), at_ours("/e", ["/a", "/b", "/c", "/d"])], [0, 1, 1, 2, 2])

    def create(self, servers, name, before):
        """Creates a node where those must be. Gives the epoch in which it came."""
        for one in before:
            self.assertEqual(self.run_tool("--servers", servers, "get", one).stdout, one)
        self.assertEqual(self.run_tool("--servers", servers, "create", name, name).returncode, 0)
        return json.loads(self.run_tool("--servers", servers, "stat", "--json", name).stdout)["stat"]["czxid"] >> 32

    def test_a_member_that_cannot_run_is_reported_with_its_log(self):
        (self.folder / "member-2/data/myid").write_text("7\n")
        done = self.ensemble("start")
        self.assertEqual(done.returncode, 1)
        self.assertIn("a member has ended; see", done.stderr)
        self.assertIn("member-*/log", done.stderr)


if __name__ == "__main__":
    unittest.main()
