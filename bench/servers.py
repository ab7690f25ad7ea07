"""The two servers that are compared, as processes: the bundled one, and Apache ZooKeeper from Debian's package."""

import contextlib
import json
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / "build/release"
JARS = [f"/usr/share/java/{name}.jar" for name in ("zookeeper", "slf4j-api")]
PATIENCE_S = 60
# What both read; the bundled server keeps its nodes in memory unless it is told a folder. Forced syncs are what makes
# Apache durable; without a folder to be compared in, it does without.
CONFIGURATION = """tickTime=2000
maxSessionTimeout=600000
clientPort={port}
clientPortAddress=127.0.0.1
maxClientCnxns=0
admin.enableServer=false
4lw.commands.whitelist=*
"""


def session(port, timeout=PATIENCE_S):
    """A socket with a session of ten minutes, or None where nobody gives one."""
    try:
        to = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        to.sendall(struct.pack(">iiqiqi16s?", 45, 0, 0, 600_000, 0, 16, bytes(16), False))
        reply = b""
        while len(reply) < 41:
            part = to.recv(41 - len(reply))
            if not part:
                return None
            reply += part
        return to if struct.unpack_from(">q", reply, 12)[0] else None
    except OSError:
        return None


def is_alive(session_socket):
    """Whether a ping is answered."""
    try:
        session_socket.sendall(struct.pack(">iii", 8, -2, 11))
        return len(session_socket.recv(20)) == 20
    except OSError:
        return False


class server:
    """A server that was started, until its first session; how long that took is `start_s`."""

    def __init__(self, name, command, port):
        self.name = name
        self.port = port
        began = time.monotonic()
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.pid = self.process.pid
        while (first := session(port, 0.2)) is None:
            if self.process.poll() is not None or time.monotonic() - began > PATIENCE_S:
                sys.exit(f"{name} does not serve")
            time.sleep(0.0005)
        self.start_s = time.monotonic() - began
        first.close()

    def resident(self, collected=True):
        """Resident memory in bytes; of Java, what is left of it after a collection."""
        if collected and self.name == "Apache":
            subprocess.run(["jcmd", str(self.pid), "GC.run"], check=True, stdout=subprocess.DEVNULL)
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0

    def load(self, *words):
        """Runs the load program against this server; gives what it measured."""
        return load(words[0], "--port", str(self.port), "--pid", str(self.pid), *words[1:])

    def end(self):
        self.process.kill()
        self.process.wait()


def load(*words):
    done = subprocess.run([BUILD / "bench/bench_load", *map(str, words)], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"bench_load {' '.join(map(str, words))}: {done.stderr}")
    return json.loads(done.stdout) if done.stdout else None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def check_installed(apache=True):
    if not (BUILD / "zkr").exists() or not (BUILD / "bench/bench_load").exists():
        sys.exit("build it first: cmake --preset release && cmake --build --preset release --target zkr bench_load")
    if apache and not (shutil.which("jcmd") and all(pathlib.Path(jar).exists() for jar in JARS)):
        sys.exit("Apache ZooKeeper or Java is not installed: scripts/setup --apache --foreign")


@contextlib.contextmanager
def bundled(data=None, more=""):
    """The bundled server; with a folder for its data it is durable. `more`: further lines of zoo.cfg."""
    port = free_port()
    with tempfile.NamedTemporaryFile("w", suffix=".cfg") as config:
        config.write(CONFIGURATION.format(port=port) + more + (f"dataDir={data}\n" if data else ""))
        config.flush()
        running = server("bundled", [BUILD / "zkr", "server", config.name], port)
        try:
            yield running
        finally:
            running.end()


@contextlib.contextmanager
def apache(data=None):
    """Apache ZooKeeper, with the heap that its own scripts give it (1000 MB)."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="zkr-bench-") as folder:
        config = pathlib.Path(folder, "zoo.cfg")
        config.write_text(CONFIGURATION.format(port=port) +
                          (f"dataDir={data}\n" if data else f"dataDir={folder}/data\nforceSync=no\n"), encoding="ascii")
        running = server("Apache", ["java", "-Xmx1000m", "-cp", ":".join(JARS),
                                    "org.apache.zookeeper.server.ZooKeeperServerMain", str(config)], port)
        try:
            yield running
        finally:
            running.end()
