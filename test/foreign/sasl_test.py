"""SASL DIGEST-MD5 on both servers: with kazoo, with zkCli, and with tokens made by hand.

usage: sasl_test.py ZKR
"""

import hashlib
import pathlib
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading

from kazoo.client import KazooClient, KazooState
from kazoo.exceptions import KazooException
from kazoo.security import make_acl
from servers import apache, bundled, compare, java

MODULE = "org.apache.zookeeper.server.auth.DigestLoginModule required"
USERS = 'user_ann="secret"\nuser_bob="a \\"quoted\\" one"\nuser_zoë="größe"\nuser_super="top";\n'
PROVIDER = "zookeeper.authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider"
PING, WHO_AM_I, SASL = 11, 107, 102


# ---- kazoo ----------------------------------------------------------------------------------------------------------


def kazoo_client(port, user=None, password=None):
    options = {"mechanism": "DIGEST-MD5", "username": user, "password": password}
    return KazooClient(f"127.0.0.1:{port}", timeout=8, sasl_options=options if user else None)


def attempt(action):
    try:
        return action()
    except KazooException as error:
        return type(error).__name__


def with_kazoo(port, say):
    ann, bob, root, nobody = clients = [kazoo_client(port, "ann", "secret"), kazoo_client(port, "bob", 'a "quoted" one'),
                                        kazoo_client(port, "super", "top"), kazoo_client(port)]
    for client in clients:
        client.start(timeout=20)
    say(ann.create("/ann", b"x", acl=[make_acl("sasl", "ann", all=True)]))
    say(ann.create("/mine", b"x", acl=[make_acl("auth", "", all=True)]), ann.get_acls("/mine")[0])
    say(attempt(lambda: nobody.create("/odd", acl=[make_acl("auth", "", all=True)])))
    say(attempt(lambda: nobody.create("/odd", acl=[make_acl("sasl", "a@b@c", all=True)])))
    for client in clients:
        say(attempt(lambda: client.get("/ann")[0]), attempt(lambda: client.get_acls("/mine")[0]))
    # Identities belong to a connection: the next one proves them again.
    ann.restart()
    say(ann.get("/ann")[0])
    for client in clients:
        client.stop()
        client.close()
    for user, password in (("ann", "wrong"), ("carl", "wrong")):
        client = kazoo_client(port, user, password)
        refused = threading.Event()
        client.add_listener(lambda state, refused=refused: refused.set() if state == KazooState.LOST else None)
        # kazoo counts as connected before it proves who it is; start() would fail where the refusal comes first.
        client.start_async()
        say("refused" if refused.wait(20) else "let in")
        client.stop()
        client.close()


# ---- Java -----------------------------------------------------------------------------------------------------------


def with_zkcli(port, say):
    with tempfile.TemporaryDirectory() as folder:
        jaas = pathlib.Path(folder, "jaas.conf")
        jaas.write_text(f'Client {{ {MODULE} username="zoë" password="größe"; }};', encoding="utf-8")
        commands = ("whoami\ncreate /zoe x sasl:zoë:cdrwa\nget /zoe\ngetAcl /zoe\nget /ann\n"
                    "create /zoe/own x auth::r\ngetAcl /zoe/own\n")
        shell = java("org.apache.zookeeper.ZooKeeperMain", "-server", f"127.0.0.1:{port}", properties=(
            f"java.security.auth.login.config={jaas}", "file.encoding=UTF-8"))
        end = subprocess.run(shell, input=commands, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
                             timeout=120, check=False)
    text = re.sub(r"(?:^(?:ip|sasl): .*\n)+", lambda all: "".join(sorted(all[0].splitlines(True))), end.stdout,
                  flags=re.MULTILINE)
    # Events are printed by a thread of their own, anywhere.
    events = re.findall(r"^WatchedEvent state:(\w+)", text, re.MULTILINE)
    text = re.sub(r"^(?:WatchedEvent .*|WATCHER::|SLF4J.*|)\n", "", text, flags=re.MULTILINE).replace(str(port), "PORT")
    for line in text.splitlines():
        say(line)
    say(sorted(events), end.returncode)


# ---- by hand --------------------------------------------------------------------------------------------------------


class raw_session:
    """A session whose requests are numbered from 1; replies are (error, body), None where the connection has ended."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.xid = 0
        self.send(struct.pack(">iqiqi16s?", 0, 0, 8000, 0, 16, bytes(16), False))
        self.receive()

    def send(self, frame):
        self.socket.sendall(struct.pack(">i", len(frame)) + frame)

    def receive(self):
        def take(size):
            taken = b""
            while len(taken) < size:
                part = self.socket.recv(size - len(taken))
                if not part:
                    raise EOFError
                taken += part
            return taken

        return take(struct.unpack(">i", take(4))[0])

    def call(self, kind, body=b""):
        self.xid += 1
        try:
            self.send(struct.pack(">ii", self.xid, kind) + body)
            reply = self.receive()
        except (EOFError, ConnectionError):
            return None
        return struct.unpack(">i", reply[12:16])[0], reply[16:]

    def sasl(self, token):
        return self.call(SASL, struct.pack(">i", len(token)) + token)


def md5(text):
    return hashlib.md5(text).digest()


class response:
    """A right one to a challenge, unless told otherwise."""

    def __init__(self, challenge, user=b"ann", password=b"secret", qop=b"auth", uri=b"zookeeper/zk-sasl-md5", **more):
        nonce = more.get("nonce") or re.search(rb'nonce="([^"]*)"', challenge)[1]
        realm, count = more.get("realm", b"zk-sasl-md5"), more.get("nc", b"00000001")
        first = md5(b":".join((user, realm, password))) + b":" + nonce + b":abc"
        self.fields = {b"charset": b"utf-8", b"username": b'"%s"' % user, b"realm": b'"%s"' % realm,
                       b"nonce": b'"%s"' % nonce, b"nc": count, b"cnonce": b'"abc"', b"digest-uri": b'"%s"' % uri,
                       b"maxbuf": b"65536", b"qop": qop}
        if "authzid" in more:
            first += b":" + more["authzid"]
            self.fields[b"authzid"] = b'"%s"' % more["authzid"]

        def proof(verb):
            second = md5(verb + b":" + uri).hex().encode()
            middle = b":".join((nonce, count, b"abc", qop))
            return md5(b":".join((md5(first).hex().encode(), middle, second))).hex().encode()

        self.fields[b"response"] = proof(b"AUTHENTICATE")
        self.answer = b"rspauth=" + proof(b"")

    def text(self, without=None):
        return b",".join(name + b"=" + value for name, value in self.fields.items() if name != without)


def with_tokens(port, say):
    def outcome(token_for, first=b""):
        """What a response gets, and a ping behind it; token_for(challenge)."""
        session = raw_session(port)
        challenge = session.sasl(first)[1]
        reply = session.sasl(token_for(challenge))
        return None if reply is None else (reply[0], len(reply[1])), session.call(PING)

    session = raw_session(port)
    error, challenge = session.sasl(b"")
    say(error, re.sub(rb'nonce="[0-9A-Za-z+/=]{30,}"', b"nonce", challenge[4:]))
    right = response(challenge)
    error, answer = session.sasl(right.text())
    say(error, answer[4:] == right.answer, b"\4sasl\0\0\0\3ann" in session.call(WHO_AM_I)[1])
    say("a second time", session.sasl(b""), session.call(PING))
    say("replayed", outcome(lambda _: right.text()))
    say("no token", raw_session(port).call(SASL, struct.pack(">i", -1)))
    say("no room for a token", raw_session(port).call(SASL, b"\0\0"))
    say("an initial response", outcome(lambda challenge: response(challenge).text(), b"x"))
    for name in response(challenge).fields:
        say("without", name, outcome(lambda challenge: response(challenge).text(without=name)))
    for change in ({"password": b"wrong"}, {"nonce": b"abc"}, {"nc": b"00000002"}, {"qop": b"auth-int"},
                   {"uri": b"zookeeper/other"}, {"uri": b"ZooKeeper/zk-sasl-md5"}, {"realm": b"other"},
                   {"authzid": b"bob"}):
        say(change, outcome(lambda challenge: response(challenge, **change).text()))
    for old, new in ((b'"ann"', b"ann"), (b'"ann"', b'"a\\nn"'), (b'"ann"', b'"ann"x'), (b"username", b"UserName"),
                     (b"nc=00000001", b"nc=1"), (b"nc=00000001", b'nc="1"'), (b"utf-8", b"latin"), (b",", b" , "),
                     (b"=", b" = "), (b",nc", b",odd,nc"), (b",nc", b",odd=,nc"), (b",nc", b",=x,nc"), (b",nc", b",odd=x,nc"),
                     (b",nc", b',realm="x",nc')):
        say(old, new, outcome(lambda challenge: response(challenge).text().replace(old, new)))
    for end in (b",", b",odd", b",odd=", b',odd="x', b",odd=x" * 700):
        say(end[:8], outcome(lambda challenge: response(challenge).text() + end))
    for odd in (b"", b"garbage", b"\0", b'"', b"=", b",,,"):
        say(odd, outcome(lambda _: odd))


def play(port):
    lines = []
    for story in (with_kazoo, with_zkcli, with_tokens):
        story(port, lambda *what, name=story.__name__: lines.append(f"{name}: {' '.join(map(str, what))}"))
    return lines


def main(tool):
    with tempfile.TemporaryDirectory() as folder:
        jaas, users = pathlib.Path(folder, "jaas.conf"), pathlib.Path(folder, "users")
        jaas.write_text(f"Server {{ {MODULE}\n{USERS}}};", encoding="utf-8")
        users.write_text(USERS, encoding="utf-8")
        with apache(properties=(f"java.security.auth.login.config={jaas}", PROVIDER, "file.encoding=UTF-8")) as port:
            expected = play(port)
        with bundled(tool, "--sasl-users", str(users)) as port:
            seen = play(port)
    return compare(expected, seen)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
