"""Apache ZooKeeper of Debian's packages, for tests of a data folder."""

import os
import re
import signal
import socket

from tool import background, wait_until

JARS = [f"/usr/share/java/{name}.jar" for name in ("zookeeper", "slf4j-api", "slf4j-simple")]
WANTED = os.environ.get("ZKR_TEST_APACHE", "0") == "1"
INSTALLED = all(map(os.path.exists, JARS))
PERSISTENCE = re.compile(r"(WARN|ERROR) \S*\.(persistence\.\S*|DataTree|ZKDatabase)\b")


class apache_server:
    def __init__(self, folder, *properties):
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
        self.address = f"127.0.0.1:{port}"
        config = os.path.join(folder, "zoo.cfg")
        with open(config, "w", encoding="ascii") as to:
            to.write(f"tickTime=1000\nclientPort={port}\nclientPortAddress=127.0.0.1\ndataDir={folder}\n"
                     "maxSessionTimeout=120000\nadmin.enableServer=false\n4lw.commands.whitelist=*\npreAllocSize=64\n")
        self.process = background("java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                                  "-Dzookeeper.extendedTypesEnabled=true", *properties, "-cp", ":".join(JARS),
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
        """Kills it. It must have had nothing to say against the data."""
        self.process.process.send_signal(signal.SIGKILL)
        self.process.process.wait()
        log = self.process.out() + self.process.err()
        said = [line for line in log.splitlines() if PERSISTENCE.search(line)]
        assert not said, said
