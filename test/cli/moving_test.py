"""A data folder moves from our server to Apache ZooKeeper and back, several times: the tool is the first argument.

Only where ZKR_TEST_APACHE=1 asks for it. Needs Debian's zookeeper, slf4j and kazoo, hence Debian's python3."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

if os.environ.get("ZKR_TEST_APACHE", "0") != "1":
    print("skipped: only with scripts/test --apache")
    sys.exit(77)
try:
    from kazoo.client import KazooClient
    from kazoo.exceptions import KazooException
    from kazoo.security import make_digest_acl
except ImportError:
    print("skipped: no kazoo")
    sys.exit(77)

from tool import FACTOR, TOOL, background, wait_until, warnings

JARS = [f"/usr/share/java/{name}.jar" for name in ("zookeeper", "slf4j-api", "slf4j-simple")]
PERSISTENCE = re.compile(r"(WARN|ERROR) \S*\.(persistence\.\S*|DataTree|ZKDatabase)\b")


class our_server:
    def __init__(self, folder):
        self.process = background(TOOL, "server", "--port", "0", "--data", folder, "--snap-count", "40")
        self.address = wait_until(self.process.out, "our server").split()[-1]

    def stop(self):
        self.process.process.send_signal(signal.SIGKILL)
        self.process.process.wait()
        assert warnings(self.process.err()) == [], self.process.err()


class apache_server:
    def __init__(self, folder):
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
        self.address = f"127.0.0.1:{port}"
        config = os.path.join(folder, "zoo.cfg")
        with open(config, "w", encoding="ascii") as to:
            to.write(f"tickTime=1000\nclientPort={port}\nclientPortAddress=127.0.0.1\ndataDir={folder}\n"
                     "admin.enableServer=false\n4lw.commands.whitelist=*\npreAllocSize=64\n")
        self.process = background("java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                                  "-Dzookeeper.extendedTypesEnabled=true", "-cp", ":".join(JARS),
                                  "org.apache.zookeeper.server.ZooKeeperServerMain", config)
        wait_until(self.serves, "Apache ZooKeeper", 60)

    def serves(self):
        if self.process.process.poll() is not None:
            raise AssertionError(self.process.err())
        host, port = self.address.split(":")
        try:
            with socket.create_connection((host, int(port)), timeout=5) as one:
                one.sendall(b"srvr")
                return b"Mode: standalone" in one.recv(4096)
        except OSError:
            return False

    def stop(self):
        self.process.process.send_signal(signal.SIGKILL)
        self.process.process.wait()
        log = self.process.out() + self.process.err()
        said = [line for line in log.splitlines() if PERSISTENCE.search(line)]
        assert not said, said


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


@unittest.skipUnless(all(map(os.path.exists, JARS)), "no Apache ZooKeeper here")
class moving(unittest.TestCase):
    def test_there_and_back_again(self):
        with tempfile.TemporaryDirectory() as folder:
            before = None
            for number, kind in enumerate([our_server, apache_server, our_server, apache_server, our_server]):
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


if __name__ == "__main__":
    unittest.main()
