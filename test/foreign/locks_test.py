"""Locks that `zkr lock` shares with Curator and with kazoo, on both servers: each gets its turns, and never two at once.

usage: locks_test.py ZKR
"""

import pathlib
import subprocess
import sys
import tempfile
import threading
import time

from kazoo.client import KazooClient
from servers import FAST_JVM, JARS, apache, bundled, jars

PROGRAM = pathlib.Path(__file__).with_name("CuratorLocks.java")
CURATOR = jars("curator-recipes", "curator-framework", "curator-client", "guava", "jackson-core", "jackson-databind",
               "jackson-annotations", "metrics-core", "snappy-java")
CYCLES = 15
WORK = 10  # questions to the server while a lock is held, so that others have the time to come in
LIMIT_S = 150


def write(journal, word, way, who):
    with journal.open("a", encoding="ascii") as file:
        file.write(f"{word} {way} {who}\n")


def contend_by_tool(tool, port, journal, way, options):
    work = "for i in 1 2 3 4 5; do /bin/true; done"
    script = f"echo enter {way} ours >>{journal}; {work}; echo leave {way} ours >>{journal}"
    for _ in range(CYCLES):
        subprocess.run([tool, "--servers", f"127.0.0.1:{port}", "lock", "/lock", *options, "--", "/bin/sh", "-c", script],
                       check=True, timeout=LIMIT_S)


def contend_by_kazoo(port, journal):
    client = KazooClient(f"127.0.0.1:{port}")
    client.start()
    lock = client.Lock("/lock", "kazoo", extra_lock_patterns=["-lock-"])
    for _ in range(CYCLES):
        with lock:
            write(journal, "enter", "mutex", "kazoo")
            for _ in range(WORK):
                client.get("/lock")
            write(journal, "leave", "mutex", "kazoo")
    client.stop()
    client.close()


def check(journal, turns):
    """Whether nobody was inside together with one who may not share."""
    inside = []  # (way, who)
    entered = {}
    for line in journal.read_text(encoding="ascii").splitlines():
        word, way, who = line.split()
        if word == "leave":
            inside.remove((way, who))
            continue
        entered[way, who] = entered.get((way, who), 0) + 1
        inside.append((way, who))
        if len(inside) > 1 and {one for one, _ in inside} != {"read"}:
            raise AssertionError(f"together: {inside}, at turn {sum(entered.values())}")
    if inside or entered != turns:
        raise AssertionError(f"turns: {entered}, expected {turns}; still inside: {inside}")
    return sum(entered.values())


def play(tool, port, folder, curators, ours, kazoos):
    """`ours`: an options list a contender."""
    journal = pathlib.Path(folder, "journal")
    journal.touch()
    problems = []

    def run(work, *arguments):
        try:
            work(*arguments)
        except Exception as problem:  # of a thread: for the one that waits for it
            problems.append(problem)

    turns = {}
    for way in curators:
        turns[way, "curator"] = turns.get((way, "curator"), 0) + CYCLES
    threads = []
    for options in ours:
        way = "read" if options else "mutex"
        turns[way, "ours"] = turns.get((way, "ours"), 0) + CYCLES
        threads.append(threading.Thread(target=run, args=(contend_by_tool, tool, port, journal, way, options)))
    for _ in range(kazoos):
        turns["mutex", "kazoo"] = turns.get(("mutex", "kazoo"), 0) + CYCLES
        threads.append(threading.Thread(target=run, args=(contend_by_kazoo, port, journal)))
    if curators:
        command = ["java", *FAST_JVM, "-cp", f"{JARS}:{CURATOR}", str(PROGRAM), f"127.0.0.1:{port}", str(journal),
                   str(CYCLES), str(WORK), *curators]
        program = threading.Thread(target=run, args=(lambda: subprocess.run(command, check=True, timeout=LIMIT_S),))
        program.start()
        deadline = time.monotonic() + LIMIT_S
        while journal.stat().st_size == 0 and not problems and time.monotonic() < deadline:  # a JVM takes its time
            time.sleep(0.01)
    for thread in threads:
        thread.start()
    if curators:
        threads.append(program)
    for thread in threads:
        thread.join(LIMIT_S)
    if problems:
        raise problems[0]
    return check(journal, turns)


def main(tool):
    for name, server in (("apache", apache()), ("bundled", bundled(tool))):
        with server as port:
            with tempfile.TemporaryDirectory() as folder:
                turns = play(tool, port, folder, ["mutex", "mutex"], [[], []], 0)
                print(f"{name}: a mutex, ours and Curator's, {turns} turns, never two at once")
            with tempfile.TemporaryDirectory() as folder:  # not with Curator's, which do not wait for kazoo's
                turns = play(tool, port, folder, [], [[], []], 2)
                print(f"{name}: a mutex, ours and kazoo's, {turns} turns, never two at once")
            with tempfile.TemporaryDirectory() as folder:
                turns = play(tool, port, folder, ["write", "read"], [["--shared"], ["--shared"]], 0)
                print(f"{name}: a shared mutex, {turns} turns, no writer together with another")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
