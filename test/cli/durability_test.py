"""What a server with --data has acknowledged, or shown, is there after kill -9: the tool is the first argument."""

import os
import random
import re
import subprocess
import tempfile
import threading
import unittest

from durable import connection, durable_server, missing, write_until_the_end
from tool import FACTOR, TOOL, wait_until

# How often the server is killed under load.
KILLS = int(os.environ.get("ZKR_TEST_KILLS", "12"))


class killing(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = os.path.join(folder.name, "data")

    def start(self, *options):
        server = durable_server(self.folder, *options)
        self.addCleanup(server.kill)
        return server

    def test_loses_nothing_that_was_acknowledged(self):
        acknowledged = []
        for life in range(KILLS):
            server = self.start("--snap-count", "200", "--snapshots-kept", "2")
            check = connection(server.address)
            self.assertEqual(missing(check, acknowledged), [], f"in life {life}; {server.process.err()}")
            check.close()
            before = len(acknowledged)
            enough = before + random.randint(1, 300)
            writers = [threading.Thread(target=write_until_the_end,
                                        args=(server.address, f"/{life}-{number}", acknowledged))
                       for number in range(3)]
            for writer in writers:
                writer.start()
            wait_until(lambda: len(acknowledged) >= enough, "acknowledgements")
            server.kill()
            for writer in writers:
                writer.join()
        last = self.start()
        self.assertEqual(missing(connection(last.address), acknowledged), [], f"at the end; {last.process.err()}")
        print(f"{len(acknowledged)} acknowledged in {KILLS} lives, none missing")

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
