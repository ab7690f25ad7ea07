#!/usr/bin/env python3
"""Tests of `zkr server` with a zoo.cfg and with options. Usage: server_test.py ZKR"""

import base64
import hashlib
import socket
import struct
import unittest

from tool import FACTOR, TOOL, log_lines, tool_test, wait_until, warnings

SAMPLE = """
# The number of milliseconds of each tick
tickTime=2000
initLimit=10
syncLimit=5
clientPort=2181
"""


def settings(printed):
    """What --print-config printed: key -> (value, origin)."""
    lines = printed.splitlines()
    return {line.split("=", 1)[0]: (line.split("=", 1)[1], before.removeprefix("# "))
            for before, line in zip(lines, lines[1:]) if not line.startswith("#")}


class config_test(tool_test):
    def config(self, text, name="zoo.cfg"):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def serve(self, *words):
        """Starts a server on a free port. @return (host, port)."""
        server = self.start(TOOL, "server", *words, "--port", "0")
        line = wait_until(lambda: server.out().endswith("\n") and server.out(), "the server's address")
        host, port = line.split()[-1].rsplit(":", 1)
        self.assertEqual(warnings(server.err()), [])
        return host, int(port)

    def dial(self, address):
        dialled = socket.create_connection(address, timeout=20 * FACTOR)
        self.addCleanup(dialled.close)
        return dialled

    def ask(self, address, word):
        dialled = self.dial(address)
        dialled.sendall(word.encode())
        return received(dialled)


def received(dialled, at_most=1 << 20):
    """What comes until the connection ends, or that many bytes."""
    got = b""
    while len(got) < at_most:
        try:
            part = dialled.recv(at_most - len(got))
        except ConnectionResetError:
            break
        if not part:
            break
        got += part
    return got


def greet(dialled, timeout_ms=10000):
    """Starts a session. @return the time-out that the server grants."""
    request = struct.pack(">iqiqi", 0, 0, timeout_ms, 0, 16) + bytes(17)
    dialled.sendall(struct.pack(">i", len(request)) + request)
    reply = received(dialled, 41)
    return struct.unpack(">i", reply[8:12])[0] if len(reply) == 41 else None


def call(dialled, kind, body):
    """One request. @return the error code and the body of its reply."""
    request = struct.pack(">ii", 1, kind) + body
    dialled.sendall(struct.pack(">i", len(request)) + request)
    reply = received(dialled, struct.unpack(">i", received(dialled, 4))[0])
    return struct.unpack(">i", reply[12:16])[0], reply[16:]


def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return struct.pack(">i", len(data)) + data


def create(path, data=b"", flags=0, acl=("world", "anyone"), perms=31):
    return text(path) + text(data) + struct.pack(">ii", 1, perms) + text(acl[0]) + text(acl[1]) + struct.pack(">i", flags)


class printing(config_test):
    def test_defaults(self):
        found = settings(self.succeeds("server", "--print-config"))
        self.assertEqual(found["clientPort"], ("2181", "default"))
        self.assertEqual(found["clientPortAddress"], ("127.0.0.1", "default"))
        self.assertEqual(found["maxSessionTimeout"], ("40000", "default"))
        self.assertNotIn("dataDir", found)

    def test_options_win_over_the_file(self):
        path = self.config(SAMPLE)
        found = settings(self.succeeds("server", path, "--print-config"))
        self.assertEqual(found["tickTime"], ("2000", f"{path}:3"))
        self.assertEqual(found["maxClientCnxns"], ("60", "default"))
        for words in [(path, "--tick-time", "1s"), ("--tick-time", "1s", path)]:
            found = settings(self.succeeds("server", "--print-config", *words))
            self.assertEqual(found["tickTime"], ("1000", "--tick-time"))
            self.assertEqual(found["clientPort"], ("2181", f"{path}:6"))
            self.assertEqual(found["maxSessionTimeout"], ("20000", "default"))

    def test_every_option(self):
        for key, value, option, *words in [
            ("clientPort", "0", "--port", "0"),
            ("clientPortAddress", "::1", "--address", "::1"),
            ("tickTime", "120000", "--tick-time", "2m"),
            ("minSessionTimeout", "5", "--min-session-timeout", "5ms"),
            ("maxSessionTimeout", "3600000", "--max-session-timeout", "1h"),
            ("maxClientCnxns", "3", "--max-client-connections", "3"),
            ("maxCnxns", "4", "--max-connections", "4"),
            ("4lw.commands.whitelist", "srvr, ruok", "--four-letter-words", "srvr,ruok"),
            ("znode.container.checkIntervalMs", "50", "--container-check-interval", "50ms"),
            ("enforceQuota", "true", "--enforce-quota"),
            ("zkrecipes.compatibility", "3.9", "--compat", "3.9"),
            ("zkrecipes.saslUsers", "/some/users", "--sasl-users", "/some/users"),
            ("sessionRequireClientSASLAuth", "true", "--require-sasl"),
        ]:
            found = settings(self.succeeds("server", "--print-config", option, *words))
            self.assertEqual(found[key], (value, option))

    def test_what_is_printed_can_be_read(self):
        printed = self.succeeds("server", self.config(SAMPLE + "dataDir=/a b\\\\c"), "--print-config")
        again = self.succeeds("server", self.config(printed, "again.cfg"), "--print-config")
        values = [{key: value for key, (value, _) in settings(one).items()} for one in (printed, again)]
        self.assertEqual(*values)
        self.assertEqual(values[0]["dataDir"], "/a b\\\\c")

    def test_secrets_are_not_printed(self):
        printed = self.succeeds("server", "--super-digest", "super:secret", "--print-config")
        self.assertNotIn("secret", printed)
        self.assertIn("# --super-digest\n# DigestAuthenticationProvider.superDigest is set", printed)

    def test_bad_files_stop_the_start(self):
        for line, says in [
            ("tickTime=0", "tickTime: '0' is no whole number"),
            ("server.1=a:2888:3888", "server.1: this server is a single one"),
            ("tickTmie=2000", "tickTmie: there is no such key"),
            ("secureClientPort=2182", "TLS"),
            ("minSessionTimeout=90000", "minSessionTimeout: 90000 ms is more than maxSessionTimeout"),
        ]:
            path = self.config("# first\n" + line)
            self.fails(2, f"{path}:2: ", "server", path)
            self.fails(2, says, "server", path)
        self.fails(2, "\\x1b", "server", self.config("a\x1b[2J=1"))
        self.fails(1, "/no/such/zoo.cfg", "server", "/no/such/zoo.cfg")
        self.fails(1, str(self.folder), "server", str(self.folder))

    def test_bad_options_stop_the_start(self):
        self.fails(2, "--super-digest", "server", "--super-digest", "super")
        self.fails(2, "--compat", "server", "--compat", "3.5")
        self.fails(1, "/no/such/users", "server", "--port", "0", "--sasl-users", "/no/such/users")
        self.fails(1, "require_sasl", "server", "--port", "0", "--require-sasl")
        self.fails(2, "--four-letter-words", "server", "--four-letter-words", "srvr,help!")
        self.fails(2, "--max-connections", "server", "--max-connections", "-1")
        self.fails(2, "--container-check-interval", "server", "--container-check-interval", "0s")

    def test_unneeded_keys_are_named_once(self):
        server = self.start(TOOL, "server", self.config(SAMPLE), "--port", "0")
        wait_until(server.out, "the server's address")
        (unneeded,) = (line for line in log_lines(server.err()) if line["event"] == "keys_not_needed")
        self.assertEqual(unneeded["keys"], '"initLimit, syncLimit"')
        self.assertTrue(unneeded["file"].endswith("zoo.cfg"))


class effects(config_test):
    def test_data_folder(self):
        folder = self.folder / "data"
        self.serve(self.config(f"dataDir={folder}\n"))
        wait_until(lambda: list(folder.glob("version-2/snapshot.*")), "the first snapshot")

    def test_bounds_of_sessions(self):
        address = self.serve(self.config("tickTime=500\nmaxSessionTimeout=7000\n"), "--min-session-timeout", "3s")
        self.assertEqual([greet(self.dial(address), ms) for ms in (1, 5000, 90000)], [3000, 5000, 7000])

    def test_connections_from_one_address_and_altogether(self):
        for limit in ["maxClientCnxns=2", "maxCnxns=2"]:
            address = self.serve(self.config(limit))
            held = [self.dial(address) for _ in range(2)]
            for one in held:
                self.assertIsNotNone(greet(one))
            self.assertIsNone(greet_or_none(self.dial(address)))
            held[0].close()
            wait_until(lambda: greet_or_none(self.dial(address)), "room for another")

    def test_four_letter_words(self):
        address = self.serve(self.config("4lw.commands.whitelist=ruok"))
        self.assertEqual(self.ask(address, "ruok"), b"imok")
        self.assertEqual(self.ask(address, "srvr"), b"srvr is not executed because it is not in the whitelist.\n")

    def test_words_tell_the_settings(self):
        address = self.serve(self.config("tickTime=500\nmaxClientCnxns=9\n"))
        said = self.ask(address, "conf").decode()
        for line in ["tickTime=500", "maxClientCnxns=9", "minSessionTimeout=1000", "maxSessionTimeout=10000"]:
            self.assertIn(line + "\n", said)

    def test_size_of_requests(self):
        address = self.serve(self.config("jute.maxbuffer=1000"))
        dialled = self.dial(address)
        greet(dialled)
        self.assertEqual(call(dialled, 1, create("/a", b"x" * 900))[0], 0)
        dialled.sendall(struct.pack(">i", 1001))
        self.assertEqual(received(dialled), b"")

    def test_ttl_nodes(self):
        for value, code in [("true", 0), ("false", -6)]:
            dialled = self.dial(self.serve(self.config(f"extendedTypesEnabled={value}")))
            greet(dialled)
            self.assertEqual(call(dialled, 21, create("/t", flags=5) + struct.pack(">q", 1000))[0], code)

    def test_containers_go(self):
        address = self.serve("--container-check-interval", "50ms")
        dialled = self.dial(address)
        greet(dialled)
        for kind, path, flags in [(19, "/c", 4), (1, "/c/x", 0)]:
            self.assertEqual(call(dialled, kind, create(path, flags=flags))[0], 0)
        self.assertEqual(call(dialled, 2, text("/c/x") + struct.pack(">i", -1))[0], 0)
        wait_until(lambda: call(dialled, 3, text("/c") + b"\0")[0] == -101, "the container's end")

    def test_super_user(self):
        digest = "super:" + base64.b64encode(hashlib.sha1(b"super:secret").digest()).decode()
        dialled = self.dial(self.serve("--super-digest", digest))
        greet(dialled)
        self.assertEqual(call(dialled, 1, create("/a", b"x", acl=("digest", "ann:x"), perms=1))[0], 0)
        read = text("/a") + b"\0"
        self.assertEqual(call(dialled, 4, read)[0], -102)
        self.assertEqual(call(dialled, 100, struct.pack(">i", 0) + text("digest") + text("super:secret"))[0], 0)
        self.assertEqual(call(dialled, 4, read)[0], 0)

    def test_versions_differ(self):
        one_create2 = struct.pack(">i?i", 15, False, -1) + create("/a") + struct.pack(">i?i", -1, True, -1)
        for version, kind in [("3.8", 1), ("3.9", 15)]:
            dialled = self.dial(self.serve("--compat", version))
            greet(dialled)
            code, body = call(dialled, 14, one_create2)
            self.assertEqual((code, struct.unpack(">i", body[:4])[0]), (0, kind))

    def test_quotas(self):
        for words, code in [((), 0), (("--enforce-quota",), -125), ((self.config("enforceQuota=true"),), -125)]:
            dialled = self.dial(self.serve(*words))
            greet(dialled)
            for path, data in [("/a", b""), ("/zookeeper/quota/a", b""),
                               ("/zookeeper/quota/a/zookeeper_limits", b"count=-1,bytes=-1=;byteHardLimit=3"),
                               ("/zookeeper/quota/a/zookeeper_stats", b"")]:
                self.assertEqual(call(dialled, 1, create(path, data))[0], 0)
            self.assertEqual(call(dialled, 1, create("/a/b", b"1234"))[0], code)


def greet_or_none(dialled):
    try:
        return greet(dialled)
    except OSError:
        return None


if __name__ == "__main__":
    unittest.main()
