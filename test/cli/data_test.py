"""`zkr data` explains folders, sound and damaged ones, and leaves them as they are: the tool is the first argument."""

import json
import os
import signal
import subprocess
import tempfile
import unittest

from apache import INSTALLED, WANTED, apache_server
from durable import connection, durable_server
from tool import FACTOR, TOOL


def zkr(*words):
    return subprocess.run([TOOL, *words], capture_output=True, text=True, check=False, timeout=60 * FACTOR)


def files_of(folder):
    """Every file with its contents."""
    found = {}
    for where, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(where, name), "rb") as one:
                found[name] = one.read()
    return found


def write_some(address):
    """Nodes of several kinds; the session stays."""
    for words in (["create", "/app", "some data"], ["create", "-p", "/app/deep/down", "x"], ["create", "/apple"],
                  ["set", "/app", "changed"], ["rm", "/app/deep/down"], ["create", "/bytes", "é\x1b"]):
        done = zkr("--servers", address, *words)
        assert done.returncode == 0, done.stderr
    one = connection(address)
    one.create(1, "/app/mine", ephemeral=True)
    one.receive()
    return one


class folder_test(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = os.path.join(folder.name, "data")
        self.server = None

    def write(self):
        self.server = durable_server(self.folder)
        self.addCleanup(self.server.kill)
        self.session = write_some(self.server.address)

    def path(self, name):
        return os.path.join(self.folder, "version-2", name)

    def data(self, *words):
        """Runs `zkr data`, which must change nothing."""
        before = files_of(self.folder)
        done = zkr("data", words[0], self.folder, *words[1:])
        self.assertEqual(files_of(self.folder), before)
        return done

    def objects(self, *words):
        done = self.data(*words, "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return [json.loads(line) for line in done.stdout.splitlines()]

    def flip(self, name, offset):
        with open(self.path(name), "r+b") as one:
            one.seek(offset)
            byte = one.read(1)
            one.seek(offset)
            one.write(bytes([byte[0] ^ 1]))


class explaining(folder_test):
    def setUp(self):
        super().setUp()
        self.write()

    def test_a_sound_folder(self):
        self.server.kill()
        done = self.data("check")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = done.stdout.splitlines()
        self.assertRegex(lines[0], r"^file +first zxid +last zxid +records +sessions +nodes +bytes +state$")
        self.assertRegex(lines[1], r"^snapshot\.0 +0x0 +0 +4 +457 +good$")
        self.assertRegex(lines[2], r"^log\.1 +0x1 +0x[0-9a-f]+ +\d+ +\d+ +good$")
        self.assertRegex(lines[-1], r"^a start loads snapshot\.0 and \d+ transactions, up to 0x[0-9a-f]+: 1 sessions, 9 nodes$")

    def test_the_state_is_that_of_the_server(self):
        tree = zkr("--servers", self.server.address, "tree", "/", "--json")
        served = {node["path"]: node["stat"] for node in json.loads(tree.stdout)}
        self.server.kill()
        found = self.objects("dump", "--data")
        nodes = {one["path"]: one for one in found if "path" in one}
        self.assertEqual({path: one["stat"] for path, one in nodes.items()}, served)
        self.assertEqual(nodes["/app"]["data"], "changed")
        self.assertEqual(nodes["/app"]["acl"], ["world:anyone:cdrwa"])
        self.assertEqual(nodes["/app/mine"]["kind"], "ephemeral")
        mine = {"session": self.session.session, "timeout_ms": 30000, "ephemerals": ["/app/mine"]}
        self.assertIn(mine, [one for one in found if "session" in one])
        self.assertNotIn("data", next(one for one in self.objects("dump") if one.get("path") == "/app"))
        text = self.data("dump", "--data").stdout
        self.assertRegex(text, r"(?m)^/app czxid=0x\d mzxid=0x\w+ pzxid=0x\w+ ctime=20\S+Z .* data_length=7 num_children=2 acl=\[world:anyone:cdrwa\] data=changed$")
        self.assertIn("data=é\\x1b\n", text)

    def test_the_log(self):
        self.server.kill()
        everything = self.objects("log")
        self.assertEqual([one["zxid"] for one in everything], list(range(1, len(everything) + 1)))
        created = next(one for one in everything if one.get("path") == "/app/mine")
        self.assertEqual((created["type"], created["kind"], created["session"], created["data_length"]),
                         ("create", "ephemeral", self.session.session, 4))
        self.assertEqual([one["zxid"] for one in self.objects("log", "--from", "3", "--to", "0x5")], [3, 4, 5])
        about = {one["path"] for one in self.objects("log", "--path", "/app") if "path" in one}
        self.assertEqual(about, {"/app", "/app/deep", "/app/deep/down", "/app/mine"})
        self.assertRegex(self.data("log", "--path", "/apple").stdout,
                         r"^0x[0-9a-f]+ time=20\S+Z session=0x[0-9a-f]+ cxid=\d+ create path=/apple data_length=0 "
                         r"acl=\[world:anyone:cdrwa\]\n$")

    def test_while_a_server_works_on_it(self):
        for command in ("check", "dump", "log"):
            done = self.data(command)
            self.assertEqual(done.returncode, 0)
            self.assertRegex(done.stderr, r"^zkr: data: a server is using \S+; [^\n]*\n$")
        self.session.create(2, "/still-writing")
        self.session.receive()

    def test_a_torn_end(self):
        self.server.kill()
        with open(self.path("log.1"), "r+b") as one:
            one.truncate(os.path.getsize(self.path("log.1")) - 3)
        done = self.data("check")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"(?m)^log\.1 .* torn end at byte \d+: the entry is not complete$")
        self.assertRegex(done.stdout, r"(?m)^it will say: cut off \d+ bytes at byte \d+ of \S+log\.1")
        self.assertNotIn("/app/mine", self.data("dump").stdout)
        self.server = durable_server(self.folder)
        self.addCleanup(self.server.kill)

    def test_a_damaged_log(self):
        self.server.kill()
        self.flip("log.1", 200)
        done = self.data("check")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"(?m)^log\.1 .* damaged at byte \d+: ")
        self.assertRegex(done.stdout, r"(?m)^a start is refused: \S* ?\S+log\.1: .*at byte \d+")
        self.assertEqual(self.data("dump").returncode, 1)
        done = self.data("log")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^zkr: data: \S+log\.1: damaged at byte \d+: [^\n]*\n$")
        self.assertTrue(done.stdout.startswith("0x1 "))

    def test_a_damaged_snapshot(self):
        self.server.kill()
        self.flip("snapshot.0", 100)
        done = self.data("check")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"(?m)^snapshot\.0 .* damaged at byte \d+: ")

    def test_wrong_usage(self):
        for words, says in (([], "subcommand"), (["check"], "DIR"), (["log", "x", "--from", "soon"], "no zxid")):
            done = zkr("data", *words)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(says, done.stderr)
        done = zkr("data", "check", os.path.join(self.folder, "nowhere"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("nowhere", done.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "nowhere")))


@unittest.skipUnless(WANTED and INSTALLED, "only with scripts/test --apache")
class explaining_apaches(folder_test):
    def test_what_apache_wrote(self):
        os.mkdir(self.folder)
        server = apache_server(self.folder)
        try:
            one = write_some(server.address)
            tree = zkr("--servers", server.address, "tree", "/", "--json")
        finally:
            server.process.process.send_signal(signal.SIGKILL)
            server.process.process.wait()
        served = {node["path"]: node["stat"] for node in json.loads(tree.stdout)}
        done = self.data("check")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"(?m)^log\.1 .* good$")
        found = self.objects("dump", "--data")
        self.assertEqual({one["path"]: one["stat"] for one in found if "path" in one}, served)
        self.assertIn(one.session, [one["session"] for one in found if "session" in one])
        types = [one["type"] for one in self.objects("log", "--path", "/app")]
        self.assertEqual(types, ["create", "create", "create", "set", "delete", "create"])


if __name__ == "__main__":
    unittest.main()
