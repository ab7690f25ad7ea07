"""What a server with --data has acknowledged, or shown, is there after kill -9: the tool is the first argument."""

import os
import random
import re
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import unittest

from tool import FACTOR, TOOL, background, wait_until


class connection:
    """A session, as raw frames."""

    def __init__(self, address, session=0, password=b"\0" * 16):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=20 * FACTOR)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.send(struct.pack(">iqiqi", 0, 0, 30000, session, 16) + password)
        reply = self.receive()
        self.session, length = struct.unpack_from(">qi", reply, 8)
        self.password = reply[20:20 + length]

    def send(self, payload):
        self.socket.sendall(struct.pack(">i", len(payload)) + payload)

    def read(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise ConnectionError
            data += more
        return data

    def receive(self):
        return self.read(struct.unpack(">i", self.read(4))[0])

    def create(self, xid, path, ephemeral=False):
        name = path.encode()
        acl = struct.pack(">ii", 1, 31) + struct.pack(">i5s", 5, b"world") + struct.pack(">i6s", 6, b"anyone")
        self.send(struct.pack(">iii", xid, 1, len(name)) + name + struct.pack(">i4s", 4, b"data") + acl +
                  struct.pack(">i", 1 if ephemeral else 0))

    def exists(self, path):
        name = path.encode()
        self.send(struct.pack(">iii", 1, 3, len(name)) + name + b"\0")
        return struct.unpack_from(">i", self.receive(), 12)[0] == 0


class durable_server:
    def __init__(self, folder, *options):
        self.process = background(TOOL, "server", "--port", "0", "--data", folder, *options)
        text = wait_until(lambda: self.process.out().endswith("\n") and self.process.out() or
                          (self.process.process.poll() is not None and "ended\n"), "a server")
        self.address = text.split()[-1]

    def kill(self):
        self.process.process.send_signal(signal.SIGKILL)
        self.process.process.wait()


class killing(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = os.path.join(folder.name, "data")

    def start(self, *options):
        server = durable_server(self.folder, *options)
        self.addCleanup(server.kill)
        return server

    def write_until_the_end(self, address, prefix, acknowledged):
        """Keeps eight creates on their way."""
        one = connection(address)
        try:
            for xid in range(1, 9):
                one.create(xid, f"{prefix}-{xid}")
            for xid in range(9, 1 << 30):
                done, _, code = struct.unpack_from(">iqi", one.receive())
                if code == 0:
                    acknowledged.append(f"{prefix}-{done}")
                one.create(xid, f"{prefix}-{xid}")
        except OSError:
            pass

    def test_loses_nothing_that_was_acknowledged(self):
        acknowledged = []
        for life in range(12):
            server = self.start("--snap-count", "200", "--snapshots-kept", "2")
            check = connection(server.address)
            missing = [path for path in acknowledged if not check.exists(path)]
            self.assertEqual(missing, [], f"in life {life}; {server.process.err()}")
            before = len(acknowledged)
            enough = before + random.randint(1, 300)
            writers = [threading.Thread(target=self.write_until_the_end,
                                        args=(server.address, f"/{life}-{number}", acknowledged))
                       for number in range(3)]
            for writer in writers:
                writer.start()
            wait_until(lambda: len(acknowledged) >= enough, "acknowledgements")
            server.kill()
            for writer in writers:
                writer.join()

    def test_sessions_live_on(self):
        server = self.start()
        one = connection(server.address)
        one.create(1, "/mine", ephemeral=True)
        one.receive()
        server.kill()
        server = self.start()
        again = connection(server.address, one.session, one.password)
        self.assertEqual(again.session, one.session)
        self.assertTrue(again.exists("/mine"))

    def test_a_folder_has_one_server(self):
        self.start()
        second = subprocess.run([TOOL, "server", "--port", "0", "--data", self.folder], capture_output=True, text=True,
                                timeout=20 * FACTOR)
        self.assertEqual(second.returncode, 1)
        self.assertRegex(second.stderr, "another server uses this folder")

    def test_a_damaged_folder_is_refused(self):
        server = self.start()
        one = connection(server.address)
        for xid in range(1, 20):
            one.create(xid, f"/node-{xid}")
            one.receive()
        server.kill()
        path = os.path.join(self.folder, "version-2", "log.1")
        with open(path, "r+b") as log:
            log.seek(200)
            byte = log.read(1)
            log.seek(200)
            log.write(bytes([byte[0] ^ 1]))
        refused = subprocess.run([TOOL, "server", "--port", "0", "--data", self.folder], capture_output=True, text=True,
                                 timeout=20 * FACTOR)
        self.assertEqual(refused.returncode, 1)
        self.assertTrue(re.search(re.escape(path) + ".*at byte [0-9]+", refused.stderr), refused.stderr)


if __name__ == "__main__":
    unittest.main()
