#!/usr/bin/env python3
"""Checks that the includes of the tree point only where the layers allow.

Usage: check_layers.py [PROJECT_ROOT]. Prints `file:line: rule` for each breach; exit status 1 if there is one.

The layers, an arrow from the included to the includer:

    core <- wire <- transport <- client <- recipes <- cli        core <- wire <- server
    client, server, recipes <- testing <- cli, test
"""

import re
import sys
from pathlib import Path

# What each layer may include; `public` marks those of which it may include the public headers only.
PUBLIC_ONLY = "public"
MAY_INCLUDE = {
    "core": {"core": ""},
    "wire": {"core": "", "wire": ""},
    "transport": {"core": "", "wire": "", "transport": ""},
    "client": {"core": "", "wire": "", "transport": "", "client": ""},
    "recipes": {"core": PUBLIC_ONLY, "client": PUBLIC_ONLY, "recipes": ""},
    "server": {"core": "", "wire": "", "server": ""},
    "prometheus": {"core": PUBLIC_ONLY, "client": PUBLIC_ONLY, "prometheus": ""},
}
EVERYTHING = ["core", "wire", "transport", "client", "recipes", "server", "prometheus", "testing"]
MAY_INCLUDE["testing"] = {layer: "" for layer in EVERYTHING}
MAY_INCLUDE["cli"] = {layer: "" for layer in [*EVERYTHING, "cli"]}
MAY_INCLUDE["test"] = {layer: "" for layer in [*EVERYTHING, "cli", "test"]}
MAY_INCLUDE["examples"] = {layer: PUBLIC_ONLY for layer in EVERYTHING} | {"examples": ""}
MAY_INCLUDE["bench"] = {layer: "" for layer in [*EVERYTHING, "bench"]}

# The layer of each public header, below include/zkrecipes: a folder's, or its own.
PUBLIC_FOLDERS = {"recipes/": "recipes", "testing/": "testing", "server/": "server"}
PUBLIC_HEADERS = {
    "acl.hpp": "core",
    "call_options.hpp": "core",
    "clock.hpp": "core",
    "errc.hpp": "core",
    "error.hpp": "core",
    "executor.hpp": "core",
    "log_level.hpp": "core",
    "path.hpp": "core",
    "result.hpp": "core",
    "scheduler.hpp": "core",
    "stat.hpp": "core",
    "unique_function.hpp": "core",
    "capabilities.hpp": "client",
    "prometheus.hpp": "prometheus",
    "client.hpp": "client",
    "client_options.hpp": "client",
    "create_options.hpp": "client",
    "grant.hpp": "client",
    "idempotent.hpp": "client",
    "node.hpp": "client",
    "observer.hpp": "client",
    "operations.hpp": "client",
    "runtime.hpp": "client",
    "session.hpp": "client",
    "session_ticket.hpp": "client",
    "stderr_observer.hpp": "client",
    "subscription.hpp": "client",
    "transaction.hpp": "client",
    "tree.hpp": "client",
    "watch_stream.hpp": "client",
    # Its form of the elections needs what they give.
    "asio.hpp": "recipes",
    # The kit that recipes are made of: its driver stands in src/client.
    "recipes/machine.hpp": "client",
    "faults.hpp": "server",
    "server.hpp": "server",
}

# The one file that includes the header of ZooKeeper's C client; itself included in src/transport only.
ZOOKEEPER_FILE = "src/transport/c_library.hpp"
# And what that client is measured beside.
BARE_FILE = "bench/calls.cpp"
# asio costs seconds a file: it stands in few, and in no private header.
ASIO_FILES = {
    "examples/coroutine.cpp",
    "examples/coroutine_watch.cpp",
    "include/zkrecipes/asio.hpp",
    "src/core/boot_scheduler.cpp",
    "src/server/io_loop.cpp",
    "test/faults/asio_stream_test.cpp",
    "test/faults/asio_test.cpp",
    "test/package/consumer/uses_asio.cpp",
}

SOURCE_FOLDERS = ["include", "src", "recipes", "test", "examples", "bench"]
SOURCE_SUFFIXES = {".hpp", ".cpp", ".h", ".cc", ".ipp"}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
RECIPE_FILE = re.compile(r"recipes/(\w+)/")


class tree:
    def __init__(self, root):
        self.root = Path(root)
        self.breaches = []

    def check(self):
        throws = []
        files = [p for folder in SOURCE_FOLDERS for p in sorted((self.root / folder).rglob("*"))]
        for path in files:
            if path.suffix in SOURCE_SUFFIXES and path.is_file():
                file = path.relative_to(self.root).as_posix()
                text = path.read_text(encoding="utf-8")
                self.check_includes(file, text)
                if file.startswith(("include/", "src/", "recipes/")):
                    throws += [(file, *throw) for throw in find_throws(text)]
        self.check_throws(throws)
        return self.breaches

    def report(self, file, line, rule):
        self.breaches.append(f"{file}:{line}: {rule}")

    def check_includes(self, file, text):
        layer = self.layer_of_file(file)
        if layer is None:
            self.report(file, 1, "belongs to no layer: name it in check_layers.py")
            return
        public = file.startswith("include/")
        for match in INCLUDE.finditer(blank(text, literals=False)):
            line = text.count("\n", 0, match.start(2)) + 1
            name = match[2]
            quoted = match[1] == '"'
            if name.startswith("zkrecipes/") or quoted:
                self.check_own(file, line, layer, public, name)
            else:
                self.check_foreign(file, line, public, name)

    def check_own(self, file, line, layer, public, name):
        """An include of one of our own headers."""
        if name.startswith("zkrecipes/"):
            target = public_layer(name.removeprefix("zkrecipes/"))
            if target is None:
                self.report(file, line, f"{name} belongs to no layer: name it in check_layers.py")
                return
            target_is_public = True
        else:
            if public:
                self.report(file, line, f"a public header includes the private {name}")
                return
            target = self.private_layer(file, name)
            if target is None:
                self.report(file, line, f'"{name}" is no header of ours: write its path from src/ ("core/x.hpp"), '
                                        'from the project ("recipes/x/y.hpp") or from test/ ("support/x.hpp")')
                return
            target_is_public = False

        allowed = MAY_INCLUDE[layer].get(target)
        if allowed is None:
            self.report(file, line, f"{layer} may not include {target} ({name})")
        elif allowed == PUBLIC_ONLY and not target_is_public:
            self.report(file, line, f"{layer} may include only the public headers of {target}, not {name}")

        if f"src/{name}" == ZOOKEEPER_FILE and not file.startswith("src/transport/"):
            self.report(file, line, f"{name} shows ZooKeeper's C client: it is for src/transport only")

        own, other = RECIPE_FILE.match(file), RECIPE_FILE.match(name)
        if own and other and other[1] not in (own[1], "common"):
            self.report(file, line, f"the recipe {own[1]} may not include private parts of {other[1]} ({name})")

    def check_foreign(self, file, line, public, name):
        """An include of the standard library, the system's or another library's."""
        if name.startswith("zookeeper/") and file not in (ZOOKEEPER_FILE, BARE_FILE):
            self.report(file, line, f"only {ZOOKEEPER_FILE} may include <{name}>")
        elif name == "asio.hpp" or name.startswith("asio/"):
            if file not in ASIO_FILES:
                self.report(file, line, f"<{name}> may be included only by the files listed in check_layers.py")
        elif public and not re.fullmatch(r"[a-z_]+", name):
            self.report(file, line, f"public headers include std and zkrecipes/ only, not <{name}>")

    def check_throws(self, throws):
        the_one = None
        for file, line, function in throws:
            if file.startswith("include/"):
                self.report(file, line, "a public header throws: it must build with -fno-exceptions")
            elif function is None:
                self.report(file, line, "`throw` stands outside of a function")
            elif the_one is None:
                the_one = (file, line, function)
            elif (file, function) != (the_one[0], the_one[2]):
                self.report(file, line, f"`throw` stands in one function only: it is at {the_one[0]}:{the_one[1]} too")

    def layer_of_file(self, file):
        parts = file.split("/")
        if parts[0] == "include":
            return public_layer("/".join(parts[2:])) if parts[1] == "zkrecipes" else None
        layer = parts[1] if parts[0] == "src" else parts[0]
        return layer if layer in MAY_INCLUDE else None

    def private_layer(self, file, name):
        """The layer of a header that is included by its path, or None where there is no such header."""
        first = name.split("/")[0]
        if first == "recipes" and (self.root / name).is_file():
            return "recipes"
        if first in MAY_INCLUDE and (self.root / "src" / name).is_file():
            return first
        top = file.split("/")[0]
        if top in ("test", "examples", "bench") and (self.root / top / name).is_file():
            return top
        return None


def public_layer(header):
    if header in PUBLIC_HEADERS:
        return PUBLIC_HEADERS[header]
    for folder, layer in PUBLIC_FOLDERS.items():
        if header.startswith(folder):
            return layer
    return None


COMMENT = r"//(?:[^\\\n]|\\.|\\\n)*|/\*.*?\*/"
LITERAL = r'R"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)"|"(?:[^"\\\n]|\\.)*"|(?<![0-9a-zA-Z_])\'(?:[^\'\\\n]|\\.)+\''
COMMENT_OR_LITERAL = re.compile(f"(?P<comment>{COMMENT})|(?P<literal>{LITERAL})", re.DOTALL)


def blank(text, literals=True):
    """The text with its comments (and literals) replaced by as many spaces; lines keep their numbers."""
    def replace(match):
        if match["literal"] is not None and not literals:
            return match[0]
        return re.sub(r"[^\n]", " ", match[0])
    return COMMENT_OR_LITERAL.sub(replace, text)


def find_throws(text):
    """(line, where the body of the outermost enclosing function starts or None) of each `throw`."""
    code = blank(text)
    open_braces = []  # (position, whether it opens a function's body or something inside of one)
    head = 0  # where the text that leads to the next brace starts
    for token in re.finditer(r"[{};]|\bthrow\b", code):
        position = token.start()
        if token[0] == "throw":
            function = next((start for start, is_body in open_braces if is_body), None)
            yield code.count("\n", 0, position) + 1, function
            continue
        if token[0] == "{":
            is_scope = re.search(r"\b(namespace|class|struct|union|enum|extern)\b[^()=]*$", code[head:position])
            open_braces.append((position, not is_scope))
        elif token[0] == "}" and open_braces:
            open_braces.pop()
        head = token.end()


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
    breaches = tree(root).check()
    for breach in breaches:
        print(breach)
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
