"""kazoo, a foreign client, against the bundled server: creates, watches, commits, locks, expires."""

import subprocess
import sys
import threading

try:
    from kazoo.client import KazooClient
    from kazoo.exceptions import BadVersionError, NoNodeError, RolledBackError
except ImportError as missing:
    print(f"skipped: {missing} (Debian: python3-kazoo, for /usr/bin/python3)")
    sys.exit(77)

WAIT = 20


def connect(hosts):
    client = KazooClient(hosts=hosts, timeout=1.0)
    client.start(timeout=WAIT)
    return client


def creates_and_reads(client):
    client.ensure_path("/app/deep")
    client.create("/app/node", b"data")
    data, stat = client.get("/app/node")
    assert (data, stat.version, stat.dataLength) == (b"data", 0, 4), (data, stat)
    assert sorted(client.get_children("/app")) == ["deep", "node"]
    assert client.create("/app/s-", sequence=True) == "/app/s-0000000002"
    try:
        client.set("/app/node", b"", version=7)
        raise AssertionError("a wrong version was accepted")
    except BadVersionError:
        pass


def watches(client, other):
    changed = threading.Event()
    client.get("/app/node", watch=lambda event: changed.set())
    other.set("/app/node", b"new")
    assert changed.wait(WAIT), "no event"


def commits(client):
    good = client.transaction()
    good.create("/app/t", b"1")
    good.check("/app/t", 0)
    good.set_data("/app/t", b"2")
    good.delete("/app/t")
    created, checked, stat, deleted = good.commit()
    assert (created, checked, stat.version, deleted) == ("/app/t", True, 1, True)
    bad = client.transaction()
    bad.create("/app/t", b"1")
    bad.check("/app/missing", 0)
    bad.delete("/app/t")
    results = bad.commit()
    assert isinstance(results[0], RolledBackError) and isinstance(results[1], NoNodeError), results
    assert client.exists("/app/t") is None


def locks(client, other):
    mine, theirs = client.Lock("/lock", "me"), other.Lock("/lock", "you")
    assert mine.acquire(timeout=WAIT)
    assert not theirs.acquire(blocking=False)
    mine.release()
    assert theirs.acquire(timeout=WAIT)
    theirs.release()


def authenticates(client):
    client.add_auth("digest", "u:p")
    acl, _ = client.get_acls("/app")
    assert acl[0].id.scheme == "world", acl


def speaks_four_letter_words(client):
    assert client.server_version()[:2] == (3, 8), client.server_version()
    assert "zk_znode_count" in client.command(b"mntr")


# Run by a process of its own, so that it can be killed.
HOLDER = """
import sys, time
from kazoo.client import KazooClient
client = KazooClient(hosts=sys.argv[1], timeout=1.0)
client.start()
client.create("/ephemeral", ephemeral=True)
print("ready", flush=True)
time.sleep(1000)
"""


def expires(client, hosts):
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, hosts], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "ready\n"
    gone = threading.Event()
    assert client.exists("/ephemeral", watch=lambda event: gone.set())
    holder.kill()
    holder.wait()
    assert gone.wait(WAIT), "the ephemeral node outlived its session"
    assert client.exists("/ephemeral") is None


def main(host):
    server = subprocess.Popen([host], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        hosts = server.stdout.readline().strip()
        client, other = connect(hosts), connect(hosts)
        creates_and_reads(client)
        watches(client, other)
        commits(client)
        locks(client, other)
        authenticates(client)
        speaks_four_letter_words(client)
        expires(client, hosts)
        for each in (client, other):
            each.stop()
            each.close()
        print("kazoo is content")
    finally:
        server.stdin.close()
        server.wait(WAIT)


if __name__ == "__main__":
    main(sys.argv[1])
