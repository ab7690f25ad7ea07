"""What our server and Apache ZooKeeper make of the same damaged, cut or bare data folder: the tool is the first argument.

Only where ZKR_TEST_APACHE=1 asks for it. Needs Debian's zookeeper."""

import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from apache import INSTALLED, WANTED, apache_server, refusal
from durable import EVERYBODY, acl, connection, durable_server, missing, string
from tool import FACTOR, TOOL, wait_until

if not WANTED or not INSTALLED:
    print("skipped: only with scripts/test --apache, and where Apache ZooKeeper is")
    sys.exit(77)

NODES = 12
# At how many places an entry is cut; many: at all.
CUTS = int(os.environ.get("ZKR_TEST_CUTS", "30"))
LOG_HEADER, ENTRY_HEAD = 16, 12


def create(path, kind=1, flags=0, ttl_ms=None):
    body = string(path) + string("data") + acl(EVERYBODY) + struct.pack(">i", flags)
    return kind, body if ttl_ms is None else body + struct.pack(">q", ttl_ms)


def entries(path):
    """Offsets of a log's entries, and of its end."""
    data = Path(path).read_bytes()
    found = [LOG_HEADER]
    while found[-1] + ENTRY_HEAD < len(data):
        length = struct.unpack_from(">i", data, found[-1] + 8)[0]
        if length == 0:
            break
        found.append(found[-1] + ENTRY_HEAD + length + 1)
    return found


def names(session, count=NODES):
    return [number for number in range(count) if not missing(session, [f"/node-{number}"])]


class folder_test(unittest.TestCase):
    def setUp(self):
        self.top = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def written(self, *options, count=NODES, snapshots=1):
        """A folder in which our server created so many nodes, one by one, and was killed; with so many snapshots at least."""
        folder = self.top / "written"
        server = durable_server(str(folder), *options)
        session = connection(server.address)
        for number in range(count):
            session.call_all([create(f"/node-{number}")])
        wait_until(lambda: len(list((folder / "version-2").glob("snapshot.*"))) >= snapshots, "snapshots")
        server.kill()
        return folder

    def copy(self, folder):
        made = Path(tempfile.mkdtemp(dir=self.top))
        shutil.copytree(folder / "version-2", made / "version-2")
        return made

    def refused(self, folder):
        done = subprocess.run([TOOL, "server", "--port", "0", "--data", folder], capture_output=True, text=True, check=False,
                              timeout=20 * FACTOR)
        self.assertEqual(done.returncode, 1)
        return done.stderr

    def found_by_ours(self, folder):
        server = durable_server(str(folder))
        self.addCleanup(server.process.end)
        found = names(connection(server.address))
        server.kill()
        return found

    def found_by_apache(self, folder):
        server = apache_server(folder)
        try:
            return names(connection(server.address))
        finally:
            server.process.kill()


class logs(folder_test):
    def flipped(self, folder, entry):
        made = self.copy(folder)
        log = made / "version-2" / "log.1"
        data = bytearray(log.read_bytes())
        data[entries(log)[entry] + ENTRY_HEAD + 40] ^= 1
        log.write_bytes(data)
        return made

    def test_a_flipped_bit(self):
        folder = self.written()
        middle = self.flipped(folder, 5)
        self.assertIn("CRC check failed", refusal(self.copy(middle)))
        self.assertRegex(self.refused(middle), r"version-2/log\.1.*at byte \d+")
        # In the last entry: Apache refuses, we take what stands before it, and then Apache does too.
        last = self.flipped(folder, -2)
        self.assertIn("CRC check failed", refusal(self.copy(last)))
        self.assertEqual(self.found_by_ours(last), list(range(NODES - 1)))
        self.assertEqual(self.found_by_apache(last), list(range(NODES - 1)))

    def test_an_end_that_is_cut(self):
        """Anywhere in the last entry, with and without the zeros of room made in advance behind it."""
        folder = self.written()
        log = folder / "version-2" / "log.1"
        start, end = entries(log)[-2:]
        whole = log.read_bytes()[:end]
        cuts = [(size, zeros) for size in range(start, end) for zeros in (0, end - size + 100)] + [(end, 0), (end, 100)]
        # Where not all: those next to the bounds of its parts, and some in between.
        bounds = [at for at, (size, zeros) in enumerate(cuts) if size in (start, start + ENTRY_HEAD, end - 1, end)]
        others = [at for at in range(len(cuts)) if at not in bounds]
        chosen = sorted(bounds + random.sample(others, min(max(CUTS - len(bounds), 0), len(others))))
        for size, zeros in (cuts[at] for at in chosen):
            left = NODES if size == end else NODES - 1
            cut = self.copy(folder)
            (cut / "version-2" / "log.1").write_bytes(whole[:size] + bytes(zeros))
            self.assertEqual(self.found_by_apache(self.copy(cut)), list(range(left)), (size - start, zeros))
            self.assertEqual(self.found_by_ours(cut), list(range(left)), (size - start, zeros))
        print(f"{len(chosen)} of {len(cuts)} cuts of an entry of {end - start} bytes")


class snapshots(folder_test):
    def test_the_newest_is_damaged(self):
        """Both take the one before it, and reach the same tree by the logs."""
        folder = self.written("--snap-count", "4", snapshots=2)
        of = sorted((folder / "version-2").glob("snapshot.*"), key=lambda one: int(one.name[9:], 16))
        newest = of[-1]
        whole = newest.read_bytes()
        # In a name: /node-0 becomes /node-p, which nothing but the checksum tells.
        flipped = whole.index(b"/node-0") + 6
        for damaged in [b"", whole[:len(whole) // 2], whole[:-5] + b"\0\0\0\1x",
                        whole[:flipped] + bytes([whole[flipped] ^ 64]) + whole[flipped + 1:]]:
            made = self.copy(folder)
            (made / "version-2" / newest.name).write_bytes(damaged)
            self.assertEqual(self.found_by_apache(self.copy(made)), list(range(NODES)), len(damaged))
            self.assertEqual(self.found_by_ours(made), list(range(NODES)), len(damaged))

    def test_nothing_else(self):
        """One snapshot is enough, with nodes of all kinds."""
        folder = self.top / "written"
        server = durable_server(str(folder), "--snap-count", "2")
        session = connection(server.address)
        kinds = [create("/node-0"), create("/node-1", flags=1), create("/node-2", kind=19, flags=4),
                 create("/node-3", kind=21, flags=5, ttl_ms=3_600_000), create("/node-2/in")]
        parts = [struct.pack(">ibi", kind, 0, -1) + body for kind, body in kinds]
        session.call_all([(14, b"".join(parts) + struct.pack(">ibi", -1, 1, -1))])
        wait_until(lambda: (folder / "version-2" / "snapshot.2").exists(), "a snapshot of all of it")
        server.kill()
        for file in (folder / "version-2").iterdir():
            if file.name != "snapshot.2":
                file.unlink()
        self.assertEqual(self.found_by_apache(self.copy(folder)), [0, 1, 2, 3])
        self.assertEqual(self.found_by_ours(folder), [0, 1, 2, 3])


class lives(folder_test):
    def test_sessions_and_nodes_that_end_by_themselves_do_so_at_apache(self):
        folder = self.top / "written"
        server = durable_server(str(folder))
        silent = connection(server.address, timeout_ms=4000)
        silent.call_all([create("/silent", flags=1)])
        lively = connection(server.address)
        lively.call_all([create("/mine", flags=1), create("/box", kind=19, flags=4), create("/box/x"),
                         create("/brief", kind=21, flags=5, ttl_ms=100), (2, string("/box/x") + struct.pack(">i", -1))])
        server.kill()
        apache = apache_server(folder, "znode.container.checkIntervalMs=200")
        try:
            back = connection(apache.address, lively.session, lively.password)
            self.assertEqual(back.session, lively.session)
            self.assertEqual(missing(back, ["/mine"]), [])
            wait_until(lambda: missing(back, ["/silent", "/box", "/brief"]) == ["/silent", "/box", "/brief"], "their ends")
            self.assertEqual(missing(back, ["/mine"]), [])
        finally:
            apache.stop()

    def test_ttl_nodes_are_lost_where_apache_does_not_know_them(self):
        folder = self.top / "written"
        server = durable_server(str(folder))
        connection(server.address).call_all([create("/node-0", kind=21, flags=5, ttl_ms=3_600_000), create("/node-1")])
        server.kill()
        apache = apache_server(folder, "zookeeper.extendedTypesEnabled=false")
        try:
            wait_until(lambda: names(connection(apache.address)) == [1], "its end, as docs/server.md warns")
        finally:
            apache.process.kill()


if __name__ == "__main__":
    unittest.main()
