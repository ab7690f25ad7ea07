"""kazoo's recipes on both servers: the same story must have the same course.

usage: kazoo_test.py ZKR
"""

import sys
import threading
import time

from kazoo.client import KazooClient
from kazoo.exceptions import BadVersionError, NoNodeError, NodeExistsError
from kazoo.recipe.cache import TreeCache
from kazoo.recipe.watchers import ChildrenWatch, DataWatch
from servers import compare_stories

PATIENCE_S = 20


def wait_until(holds, what):
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain: {what}")
        time.sleep(0.01)


def operations(one, other, say):
    say(one.create("/app/data", b"first", makepath=True))
    say(one.create("/app/s-", b"", sequence=True), one.create("/app/s-", b"", sequence=True, ephemeral=True))
    say(sorted(other.get_children("/app")), other.get("/app/data")[0], other.get("/app/data")[1].version)
    for attempt in (lambda: one.create("/app/data"), lambda: one.set("/app/data", b"", version=7),
                    lambda: one.get("/app/none"), lambda: one.delete("/app/none")):
        try:
            attempt()
        except (NodeExistsError, BadVersionError, NoNodeError) as error:
            say(type(error).__name__)
    change = one.transaction()
    change.check("/app/data", 0)
    change.create("/app/t", b"x")
    change.set_data("/app/data", b"second")
    say([type(result).__name__ for result in change.commit()])
    change = one.transaction()
    change.create("/app/u")
    change.check("/app/data", 0)
    change.delete("/app/t")
    say([type(result).__name__ for result in change.commit()], one.exists("/app/u"))


def locks(one, other, say):
    first, second = one.Lock("/lock", "one"), other.Lock("/lock", "two")
    say(first.acquire(), second.acquire(blocking=False), first.contenders())
    waiting = threading.Thread(target=second.acquire)
    waiting.start()
    wait_until(lambda: len(first.contenders()) == 2, "the second contender")
    say(first.contenders())
    first.release()
    waiting.join(PATIENCE_S)
    say(second.is_acquired, second.contenders())
    second.release()
    reader, writer = one.ReadLock("/rw", "reader"), other.WriteLock("/rw", "writer")
    say(reader.acquire(), writer.acquire(blocking=False))
    reader.release()
    say(writer.acquire(timeout=PATIENCE_S))
    writer.release()
    semaphore, full = one.Semaphore("/semaphore", "one", max_leases=1), other.Semaphore("/semaphore", "two", max_leases=1)
    say(semaphore.acquire(), full.acquire(blocking=False), sorted(semaphore.lease_holders()))
    semaphore.release()
    say(full.acquire(timeout=PATIENCE_S))
    full.release()


def elections(one, other, say):
    order = []
    for client, name in ((one, "one"), (other, "two")):
        client.Election("/election", name).run(order.append, name)
    say(order)


def groups(one, other, say):
    one.Party("/party", "one").join()
    party = other.Party("/party", "two")
    party.join()
    say(sorted(party), len(party))
    party.leave()
    say(sorted(party))
    counter = one.Counter("/counter")
    counter += 5
    again = other.Counter("/counter")
    again -= 2
    say(counter.value, again.value)
    queue = one.Queue("/queue")
    for item in (b"a", b"b", b"c"):
        queue.put(item)
    say(other.Queue("/queue").get(), len(queue), other.Queue("/queue").get())
    barrier = one.Barrier("/barrier")
    barrier.create()
    say(other.Barrier("/barrier").wait(0.1))
    barrier.remove()
    say(other.Barrier("/barrier").wait(PATIENCE_S))


def watches(one, other, say):
    seen, names = [], []
    one.ensure_path("/watched")
    DataWatch(one, "/watched", lambda data, stat: seen.append(data))
    ChildrenWatch(one, "/watched", lambda children: names.append(sorted(children)))
    for step in range(3):
        wait_until(lambda: len(seen) > step and len(names) > step, "the last change")
        other.set("/watched", b"%d" % step)
        other.create(f"/watched/{step}")
    wait_until(lambda: len(seen) == 4 and len(names) == 4, "the changes")
    say(seen, names)
    cache = TreeCache(one, "/watched")
    cache.start()
    wait_until(lambda: (cache.get_children("/watched") or ()) and len(cache.get_children("/watched")) == 3, "the cache")
    other.create("/watched/0/deep", b"x")
    wait_until(lambda: cache.get_data("/watched/0/deep") is not None, "the new node")
    other.delete("/watched/0/deep")
    wait_until(lambda: cache.get_data("/watched/0/deep") is None, "its end")
    say(sorted(cache.get_children("/watched")), cache.get_data("/watched").data)
    cache.close()


def sessions(one, other, say):
    one.create("/session", b"", ephemeral=True)
    say(other.exists("/session") is not None)
    one.restart()
    say(other.exists("/session"), one.client_id is not None)
    say(sorted(one.get_children("/")))


def play(port):
    """Every story, with what was said."""
    lines = []
    one, other = (KazooClient(f"127.0.0.1:{port}", timeout=8) for _ in range(2))
    one.start()
    other.start()
    for story in (operations, locks, elections, groups, watches, sessions):
        story(one, other, lambda *what, name=story.__name__: lines.append(f"{name}: {' '.join(map(repr, what))}"))
    for client in (one, other):
        client.stop()
        client.close()
    return lines


def main(tool):
    return compare_stories(tool, play)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
