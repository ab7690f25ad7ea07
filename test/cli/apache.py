"""Apache ZooKeeper on a data folder, with which it must be content."""

import os
import re

from servers import SERVER_JARS, apache_installed, apache_process, ask

WANTED = os.environ.get("ZKR_TEST_APACHE", "0") == "1"
INSTALLED = apache_installed()
PERSISTENCE = re.compile(r"(WARN|ERROR) \S*\.(persistence\.\S*|DataTree|ZKDatabase)\b")


class apache_server:
    def __init__(self, folder, *properties):
        self.process = apache_process(folder, ("maxSessionTimeout=120000", "preAllocSize=64"), properties)
        self.address = f"127.0.0.1:{self.process.port}"
        self.process.wait()

    def stop(self):
        """Kills it. It must have had nothing to say against the data, and have come to the same digests."""
        figures = ask(self.process.port, "mntr")
        self.process.kill()
        assert "zk_digest_mismatches_count\t0\n" in figures, figures
        said = [line for line in self.process.log().splitlines() if PERSISTENCE.search(line)]
        assert not said, said


def refusal(folder):
    """What Apache says of a folder on which it must not start."""
    process = apache_process(folder)
    try:
        assert process.process.wait(60) == 1
        return process.log()
    finally:
        process.kill()


__all__ = ["INSTALLED", "SERVER_JARS", "WANTED", "apache_server", "refusal"]
