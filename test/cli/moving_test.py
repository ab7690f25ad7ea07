"""A data folder moves from our server to Apache ZooKeeper and back, several times: the tool is the first argument.

Only where ZKR_TEST_APACHE=1 asks for it. Needs Debian's zookeeper, slf4j and kazoo, hence Debian's python3."""

import gzip
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

from apache import INSTALLED, SERVER_JARS, WANTED, apache_server
from durable import EVERYBODY, acl, connection, missing, string, write_until_the_end
from tool import FACTOR, TOOL, background, wait_until, warnings

if not WANTED:
    print("skipped: only with scripts/test --apache")
    sys.exit(77)
try:
    from kazoo.client import KazooClient
    from kazoo.exceptions import KazooException
    from kazoo.security import make_digest_acl
except ImportError:
    print("skipped: no kazoo")
    sys.exit(77)

# How often our server is killed under load and Apache boots from what it left.
BOOTS = int(os.environ.get("ZKR_TEST_BOOTS", "4"))


def number_of(path):
    """The transaction that a file of a data folder is named by."""
    return int(path.name.split(".")[1], 16)


class our_server:
    def __init__(self, folder, snap_count=40):
        self.process = background(TOOL, "server", "--port", "0", "--data", folder, "--snap-count", str(snap_count))
        self.address = wait_until(self.process.out, "our server").split()[-1]

    def stop(self):
        self.process.process.send_signal(signal.SIGKILL)
        self.process.process.wait()
        assert warnings(self.process.err()) == [], self.process.err()


def apache_packing(how):
    """Apache's server, with snapshots compressed."""
    return lambda folder: apache_server(folder, f"zookeeper.snapshot.compression.method={how}", "zookeeper.snapCount=40")


def connected(server):
    client = KazooClient(hosts=server.address, timeout=20 * FACTOR)
    client.start(timeout=20 * FACTOR)
    client.add_auth("digest", "u:p")
    return client


def contents(client):
    """Everything that stays: path to data, stat, lists."""
    found = {}

    def visit(path):
        data, stat = client.get(path)
        found[path] = (data, tuple(stat), sorted(map(str, client.get_acls(path)[0])))
        for name in client.get_children(path):
            visit(path.rstrip("/") + "/" + name)

    visit("/")
    return found


def write(client, name):
    for i in range(60):
        client.create(f"/{name}/node-{i}", b"x" * i, makepath=True)
    client.create(f"/{name}/listed", acl=[make_digest_acl("u", "p", all=True)])
    client.create(f"/{name}/numbered-", sequence=True)
    client.set(f"/{name}/node-1", b"changed")
    client.delete(f"/{name}/node-2")
    good = client.transaction()
    good.create(f"/{name}/in-multi")
    good.set_data(f"/{name}/in-multi", b"2")
    good.check(f"/{name}/in-multi", 1)
    good.delete(f"/{name}/node-3")
    good.commit()
    bad = client.transaction()
    bad.create(f"/{name}/never")
    bad.delete("/nowhere")
    bad.commit()
    try:
        client.create(f"/{name}/node-1")
    except KazooException:
        pass
    client.create(f"/{name}/ephemeral", ephemeral=True)
    assert client.delete(f"/{name}/ephemeral")


CREATE, DELETE, SET_DATA, SET_ACL, GET_DATA, GET_ACL, GET_CHILDREN, CHECK = 1, 2, 5, 7, 4, 6, 8, 13
MULTI, CREATE_CONTAINER, CREATE_TTL = 14, 19, 21
LISTED = [(31, b"world", b"anyone"), (1, b"ip", b"127.0.0.1")]


def create(path, data="", kind=CREATE, flags=0, who=None):
    body = string(path) + string(data) + acl(who or EVERYBODY) + struct.pack(">i", flags)
    return (kind, body + struct.pack(">q", 3_600_000) if kind == CREATE_TTL else body)


def multi(operations):
    parts = [struct.pack(">ibi", kind, 0, -1) + body for kind, body in operations]
    return (MULTI, b"".join(parts) + struct.pack(">ibi", -1, 1, -1))


def fill(session, top):
    """100,000 nodes of all kinds, most of them by multis, some changed and some gone again."""
    requests = [create(top)]
    for folder in range(100):
        path = f"{top}/{folder:02}"
        requests.append(create(path))
        for start in range(0, 1000, 100):
            group = [create(f"{path}/{i}", "x" * (i % 50), who=LISTED if i % 7 == 0 else None)
                     for i in range(start, start + 96)]
            group += [create(f"{path}/mine-{start}", flags=1), create(f"{path}/{start}-", flags=2),
                      create(f"{path}/box-{start}", kind=CREATE_CONTAINER, flags=4),
                      create(f"{path}/brief-{start}", kind=CREATE_TTL, flags=5)]
            requests.append(multi(group))
        requests += [create(f"{path}/box-0/in"), (SET_DATA, string(f"{path}/1") + string("new") + struct.pack(">i", -1)),
                     (SET_ACL, string(f"{path}/2") + acl(LISTED) + struct.pack(">i", 0)),
                     (DELETE, string(f"{path}/3") + struct.pack(">i", -1)),
                     (DELETE, string(f"{path}/mine-100") + struct.pack(">i", -1)),
                     create(f"{path}/4"),  # which exists
                     multi([create(f"{path}/never"), (CHECK, string(path) + struct.pack(">i", 77))])]
    codes = [code for code, _ in session.call_all(requests)]
    assert codes.count(-110) == 100 and set(codes) == {0, -110}, set(codes)


def everything(session):
    """Path to the replies about data, stat and lists, byte for byte."""
    found = {}
    todo = ["/"]
    while todo:
        asked = [one for path in todo for one in ((GET_DATA, string(path) + b"\0"), (GET_ACL, string(path)))]
        replies = session.call_all(asked)
        found |= {path: (replies[2 * i], replies[2 * i + 1]) for i, path in enumerate(todo)}
        # Of the stat at the end of the data: the number of children.
        parents = [path for path in todo if struct.unpack_from(">i", found[path][0][1], len(found[path][0][1]) - 12)[0]]
        todo = []
        for path, (code, names) in zip(parents, session.call_all([(GET_CHILDREN, string(one) + b"\0") for one in parents])):
            assert code == 0
            at = 4
            while at < len(names):
                length = struct.unpack_from(">i", names, at)[0]
                todo.append(path.rstrip("/") + "/" + names[at + 4:at + 4 + length].decode())
                at += 4 + length
    return found


@unittest.skipUnless(INSTALLED, "no Apache ZooKeeper here")
class moving(unittest.TestCase):
    def test_there_and_back_again(self):
        with tempfile.TemporaryDirectory() as folder:
            before = None
            for number, kind in enumerate([our_server, apache_server] * 3 + [our_server]):
                server = kind(folder)
                try:
                    client = connected(server)
                    if before is not None:
                        self.assertEqual(contents(client), before)
                    write(client, f"life-{number}")
                    before = contents(client)
                    client.stop()
                finally:
                    server.stop()

    def test_what_was_acknowledged_under_load(self):
        """Killed while it writes, again and again; each time Apache boots from a copy, every other time with a part of an
        entry at the end of the last log."""
        with tempfile.TemporaryDirectory() as folder:
            acknowledged = []
            for life in range(BOOTS):
                ours = our_server(folder)
                enough = len(acknowledged) + random.randint(1, 300)
                writers = [threading.Thread(target=write_until_the_end, args=(ours.address, f"/{life}-{i}", acknowledged))
                           for i in range(3)]
                for one in writers:
                    one.start()
                wait_until(lambda: len(acknowledged) >= enough, "acknowledgements")
                ours.stop()
                for one in writers:
                    one.join()
                with tempfile.TemporaryDirectory() as copy:
                    shutil.copytree(Path(folder, "version-2"), Path(copy, "version-2"))
                    logs = sorted(Path(copy, "version-2").glob("log.*"), key=number_of)
                    if life % 2:
                        with open(logs[-1], "ab") as last:
                            last.write(b"\0\0\0\0\x12\x34\x56\x78\0\0\0\x40half of an entry")
                    apache = apache_server(copy)
                    try:
                        self.assertEqual(missing(connection(apache.address), acknowledged), [], f"in life {life}")
                    finally:
                        apache.stop()
            print(f"{len(acknowledged)} acknowledged in {BOOTS} lives, none missing at Apache's")

    def test_snapshots_that_apache_made_under_load(self):
        """They hold parts of what came later; we come to the same tree as Apache does."""
        def write(address, top):
            session = connection(address)
            session.call_all([create(top), *(request for i in range(300) for request in (
                create(f"{top}/{i}"), create(f"{top}/{i}/e", flags=1), create(f"{top}/{i // 2}/s-", flags=2),
                (SET_DATA, string(f"{top}/{i % 20}") + string(str(i)) + struct.pack(">i", -1)),
                (SET_ACL, string(f"{top}/{i % 10}") + acl(LISTED) + struct.pack(">i", -1)),
                (DELETE, string(f"{top}/{i // 2}/e") + struct.pack(">i", -1)),
                multi([create(f"{top}/{i}/m"), (DELETE, string(f"{top}/{i}/m") + struct.pack(">i", -1))])))])

        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as copy:
            apache = apache_server(folder, "zookeeper.snapCount=40")
            try:
                writers = [threading.Thread(target=write, args=(apache.address, f"/{i}")) for i in range(3)]
                for one in writers:
                    one.start()
                for one in writers:
                    one.join()
            finally:
                apache.stop()
            self.assertGreater(len(list(Path(folder, "version-2").glob("snapshot.*"))), 5)
            shutil.copytree(Path(folder, "version-2"), Path(copy, "version-2"))
            found = []
            for server in (apache_server(folder), our_server(copy)):
                try:
                    found.append(everything(connection(server.address)))
                finally:
                    server.stop()
            self.assertGreater(len(found[0]), 1500)
            self.assertEqual([path for path in found[0].keys() | found[1].keys()
                              if found[0].get(path) != found[1].get(path)][:10], [])

    def snapshots_of_ours(self, folder):
        """Makes a folder in which snapshots of ours stand, without the one of nothing. Gives its files."""
        ours = our_server(folder)
        session = connection(ours.address)
        session.call_all([create(f"/node-{i}") for i in range(100)])
        files = Path(folder, "version-2")
        wait_until(lambda: list(files.glob("snapshot.[1-9a-f]*")), "a snapshot")
        ours.stop()
        return sorted(files.glob("snapshot.[1-9a-f]*"), key=number_of), list(files.glob("log.*"))

    def test_apaches_tools_read_our_files(self):
        def tool(name, path):
            return subprocess.run(["java", "-cp", SERVER_JARS, f"org.apache.zookeeper.server.{name}", str(path)],
                                  capture_output=True, text=True, check=True, timeout=60).stdout

        with tempfile.TemporaryDirectory() as folder:
            snapshots, logs = self.snapshots_of_ours(folder)
            for path in logs:
                said = tool("persistence.TxnLogToolkit", path)
                self.assertRegex(said, r"EOF reached after \d+ txns")
                self.assertNotIn("CRC ERROR", said)
            packed = Path(f"{snapshots[-1]}.gz")
            packed.write_bytes(gzip.compress(snapshots[-1].read_bytes()))
            said = [tool("SnapshotFormatter", path) for path in (snapshots[-1], packed)]
            self.assertIn("/node-0", said[0])
            # Between them is the name of the file, and nothing else.
            self.assertEqual(said[1].replace(packed.name, snapshots[-1].name), said[0])

    def test_compressed_snapshots(self):
        """Apache boots from ours, packed by gzip; we from those that Apache packs so. Snappy we refuse by name."""
        with tempfile.TemporaryDirectory() as folder:
            for path in self.snapshots_of_ours(folder)[0]:
                Path(f"{path}.gz").write_bytes(gzip.compress(path.read_bytes()))
                path.unlink()
            Path(folder, "version-2", "snapshot.0").unlink(missing_ok=True)
            before = None
            for kind in (apache_packing("gz"), our_server, apache_packing("gz"), our_server):
                server = kind(folder)
                try:
                    client = connected(server)
                    if before is not None:
                        self.assertEqual(contents(client), before)
                    self.assertEqual(missing(connection(server.address), [f"/node-{i}" for i in range(100)]), [])
                    before = contents(client)
                    client.stop()
                finally:
                    server.stop()
                # Nothing but what is packed by then.
                for path in Path(folder, "version-2").glob("snapshot.*"):
                    if path.suffix != ".gz":
                        path.unlink()
            apache_packing("snappy")(folder).stop()
            for path in Path(folder, "version-2").glob("snapshot.*"):
                if path.suffix != ".snappy":
                    path.unlink()
            refused = subprocess.run([TOOL, "server", "--port", "0", "--data", folder], capture_output=True, text=True,
                                     check=False, timeout=20 * FACTOR)
            self.assertEqual(refused.returncode, 1)
            self.assertIn("compressed with snappy", refused.stderr)

    def move_100_000_nodes(self, first, second):
        with tempfile.TemporaryDirectory() as folder:
            one = first(folder)
            try:
                session = connection(one.address)
                fill(session, "/many")
                before = everything(session)
                self.assertGreater(len(before), 100_000)
            finally:
                one.stop()
            two = second(folder)
            try:
                again = connection(two.address, session.session, session.password)
                self.assertEqual(again.session, session.session)
                after = everything(again)
                different = [path for path in before.keys() | after.keys() if before.get(path) != after.get(path)]
                self.assertEqual(sorted(different)[:10], [])
            finally:
                two.stop()

    def test_100_000_nodes_of_ours(self):
        self.move_100_000_nodes(lambda folder: our_server(folder, 700), apache_server)

    def test_100_000_nodes_of_apaches(self):
        self.move_100_000_nodes(apache_server, lambda folder: our_server(folder, 700))


if __name__ == "__main__":
    unittest.main()
