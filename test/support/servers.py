"""The two servers that tests in Python compare: the bundled one, and Apache ZooKeeper from Debian's package."""

import contextlib
import difflib
import os
import pathlib
import socket
import subprocess
import tempfile
import time


def jars(*names):
    return ":".join(f"/usr/share/java/{name}.jar" for name in names)


JARS = jars("zookeeper", "slf4j-api", "commons-cli")
SERVER_JARS = jars("zookeeper", "slf4j-api", "slf4j-simple")
FAST_JVM = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
PATIENCE_S = 60


def apache_installed():
    return all(map(os.path.exists, ["/usr/bin/java", *SERVER_JARS.split(":")]))


def java(main, *arguments, properties=(), jvm=FAST_JVM, class_path=JARS):
    """The command line of a Java program; with a JVM that starts fast, unless told otherwise."""
    return ["java", *jvm, *[f"-D{one}" for one in properties], "-cp", class_path, main, *arguments]


def ask(port, word):
    """The answer to a four-letter word; "" where nobody serves."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as to:
            to.sendall(word.encode())
            answer = b""
            while part := to.recv(4096):
                answer += part
            return answer.decode()
    except OSError:
        return ""


class apache_process:
    """Apache ZooKeeper, started on a free port with its data in a folder; `wait` until it serves."""

    def __init__(self, folder, settings=(), properties=(), jvm=FAST_JVM):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        config = pathlib.Path(folder, "zoo.cfg")
        lines = ["tickTime=500", f"clientPort={self.port}", "clientPortAddress=127.0.0.1", f"dataDir={folder}",
                 "admin.enableServer=false", "maxClientCnxns=0", "4lw.commands.whitelist=*", *settings]
        config.write_text("\n".join(lines), encoding="ascii")
        self.log_file = tempfile.TemporaryFile()
        self.process = subprocess.Popen(java("org.apache.zookeeper.server.ZooKeeperServerMain", str(config), jvm=jvm,
                                             class_path=SERVER_JARS,
                                             properties=("zookeeper.extendedTypesEnabled=true", *properties)),
                                        stdout=self.log_file, stderr=self.log_file)

    def wait(self):
        deadline = time.monotonic() + PATIENCE_S
        while "Mode: standalone" not in ask(self.port, "srvr"):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("Apache ZooKeeper does not serve:\n" + self.log()[-4000:])
            time.sleep(0.05)

    def log(self):
        return os.pread(self.log_file.fileno(), 1 << 24, 0).decode()

    def kill(self):
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def apache(settings=(), properties=()):
    """Runs Apache ZooKeeper, forgetful and hence fast; gives its port."""
    with tempfile.TemporaryDirectory(prefix="zkr-apache-") as folder:
        server = apache_process(folder, ("forceSync=no", *settings), properties)
        try:
            server.wait()
            yield server.port
        finally:
            server.kill()


@contextlib.contextmanager
def bundled(tool, *options):
    """Runs the bundled server; gives its port."""
    with subprocess.Popen([tool, "server", "--port", "0", "--tick-time", "500ms", "--max-client-connections", "0", *options],
                          stdout=subprocess.PIPE, text=True) as server:
        try:
            yield int(server.stdout.readline().rsplit(":", 1)[1])
        finally:
            server.kill()


def compare(expected, seen):
    """Says what differs, or what both said. Gives the test's exit status."""
    problems = list(difflib.unified_diff(expected, seen, "apache", "bundled", lineterm=""))
    print("\n".join(problems or expected))
    return 1 if problems else 0


def compare_stories(tool, play):
    """Has a story played on both servers, play(port) gives its lines; the test's exit status."""
    with apache() as port:
        expected = play(port)
    with bundled(tool) as port:
        seen = play(port)
    return compare(expected, seen)


def run_story(command, **more):
    """The lines of a story that is a program of its own."""
    end = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=200, check=False,
                         **more)
    if end.returncode != 0:
        raise RuntimeError(f"exit status {end.returncode}\n{end.stdout[-4000:]}\n{end.stderr[-4000:]}")
    return end.stdout.splitlines()
