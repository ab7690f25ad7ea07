"""A durable server of ours, and sessions as raw frames."""

import signal
import socket
import struct

from tool import FACTOR, TOOL, background, wait_until


EVERYBODY = [(31, b"world", b"anyone")]


def string(value):
    """A string or buffer as jute has it."""
    value = value.encode() if isinstance(value, str) else value
    return struct.pack(">i", len(value)) + value


def acl(entries):
    return struct.pack(">i", len(entries)) + b"".join(
        struct.pack(">i", perms) + string(scheme) + string(who) for perms, scheme, who in entries)


class connection:
    """A session, as raw frames."""

    def __init__(self, address, session=0, password=b"\0" * 16, timeout_ms=30000):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=20 * FACTOR)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.replies = self.socket.makefile("rb", 1 << 16)
        self.send(struct.pack(">iqiqi", 0, 0, timeout_ms, session, 16) + password)
        reply = self.receive()
        self.session, length = struct.unpack_from(">qi", reply, 8)
        self.password = reply[20:20 + length]

    def close(self):
        self.replies.close()
        self.socket.close()

    def send(self, payload):
        self.socket.sendall(struct.pack(">i", len(payload)) + payload)

    def read(self, size):
        data = self.replies.read(size)
        if len(data) < size:
            raise ConnectionError
        return data

    def receive(self):
        return self.read(struct.unpack(">i", self.read(4))[0])

    def create(self, xid, path, ephemeral=False):
        self.send(struct.pack(">ii", xid, 1) + string(path) + string("data") + acl(EVERYBODY) +
                  struct.pack(">i", 1 if ephemeral else 0))

    def exists(self, path):
        self.send(struct.pack(">ii", 1, 3) + string(path) + b"\0")
        return struct.unpack_from(">i", self.receive(), 12)[0] == 0

    def call_all(self, requests):
        """Sends (type, body) pairs, many at a time. Gives (error, body) of each reply."""
        given = []
        for start in range(0, len(requests), 200):
            part = requests[start:start + 200]
            frames = [struct.pack(">ii", 1, kind) + body for kind, body in part]
            self.socket.sendall(b"".join(struct.pack(">i", len(one)) + one for one in frames))
            for _ in part:
                reply = self.receive()
                given.append((struct.unpack_from(">i", reply, 12)[0], reply[16:]))
        return given


def missing(session, paths):
    """Those of the paths that do not exist."""
    found = session.call_all([(3, string(path) + b"\0") for path in paths])
    return [path for path, (code, _) in zip(paths, found) if code != 0]


def write_until_the_end(address, prefix, acknowledged):
    """Keeps eight creates on their way, and adds the paths that were acknowledged to the list."""
    try:
        one = connection(address)
    except OSError:
        return
    try:
        for xid in range(1, 9):
            one.create(xid, f"{prefix}-{xid}")
        for xid in range(9, 1 << 30):
            done, _, code = struct.unpack_from(">iqi", one.receive())
            if code == 0:
                acknowledged.append(f"{prefix}-{done}")
            one.create(xid, f"{prefix}-{xid}")
    except OSError:
        one.close()


class durable_server:
    def __init__(self, folder, *options):
        self.process = background(TOOL, "server", "--port", "0", "--data", folder, *options)
        text = wait_until(lambda: self.process.out().endswith("\n") and self.process.out() or
                          (self.process.process.poll() is not None and "ended\n"), "a server")
        self.address = text.split()[-1]

    def kill(self):
        self.process.process.send_signal(signal.SIGKILL)
        self.process.process.wait()
