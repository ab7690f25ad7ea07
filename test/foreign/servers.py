"""The two servers that foreign clients are run against: the bundled one, and Apache ZooKeeper from Debian's package."""

import contextlib
import difflib
import pathlib
import socket
import subprocess
import tempfile
import time

JARS = ":".join(f"/usr/share/java/{name}.jar" for name in ("zookeeper", "slf4j-api", "commons-cli"))
PATIENCE_S = 60


def java(main, *arguments, properties=()):
    """The command line of a Java program, with a JVM that starts fast."""
    return ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", *[f"-D{one}" for one in properties],
            "-cp", JARS, main, *arguments]


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


@contextlib.contextmanager
def apache():
    """Runs Apache ZooKeeper; gives its port."""
    with tempfile.TemporaryDirectory(prefix="zkr-foreign-") as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        config = pathlib.Path(folder, "zoo.cfg")
        config.write_text(f"tickTime=500\nclientPort={port}\nclientPortAddress=127.0.0.1\ndataDir={folder}/data\n"
                          "admin.enableServer=false\nmaxClientCnxns=0\n4lw.commands.whitelist=*\nforceSync=no\n",
                          encoding="ascii")
        command = java("org.apache.zookeeper.server.ZooKeeperServerMain", str(config),
                       properties=("zookeeper.extendedTypesEnabled=true",))
        with open(pathlib.Path(folder, "log"), "wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as server:
            try:
                deadline = time.monotonic() + PATIENCE_S
                while "Mode: standalone" not in ask(port, "srvr"):
                    if server.poll() is not None or time.monotonic() > deadline:
                        raise RuntimeError("Apache ZooKeeper does not serve")
                    time.sleep(0.05)
                yield port
            finally:
                server.kill()


@contextlib.contextmanager
def bundled(tool):
    """Runs the bundled server; gives its port."""
    with subprocess.Popen([tool, "server", "--port", "0", "--tick-time", "500ms"], stdout=subprocess.PIPE, text=True) as server:
        try:
            yield int(server.stdout.readline().rsplit(":", 1)[1])
        finally:
            server.kill()


def compare(expected, seen):
    """Says what differs, or what both said. Gives the test's exit status."""
    problems = list(difflib.unified_diff(expected, seen, "apache", "bundled", lineterm=""))
    print("\n".join(problems or expected))
    return 1 if problems else 0
