#!/usr/bin/env python3
"""The self-test of check_layers.py: a forged tree that is right, then each rule broken once."""

import tempfile
import unittest
from pathlib import Path

import check_layers

GOOD_TREE = {
    "include/zkrecipes/error.hpp": "#pragma once\n#include <string>\n",
    "include/zkrecipes/client.hpp": '#include "zkrecipes/error.hpp"\n',
    "include/zkrecipes/server.hpp": "#include <zkrecipes/error.hpp>\n",
    "include/zkrecipes/asio.hpp": "#include <asio/async_result.hpp>\n#include <zkrecipes/client.hpp>\n",
    "include/zkrecipes/recipes/mutex.hpp": '#include "zkrecipes/client.hpp"\n',
    "include/zkrecipes/testing/faults.hpp": '#include "zkrecipes/server.hpp"\n#include "zkrecipes/client.hpp"\n',
    "src/core/timer.hpp": "",
    "src/core/boot_scheduler.cpp": '#include <asio/io_context.hpp>\n#include "core/timer.hpp"\n',
    "src/core/error.cpp": '#include "zkrecipes/error.hpp"\n'
                          "namespace zkr {\n"
                          "// Others must not throw.\n"
                          "struct family { int number; };\n"
                          "template <class T> void raise(T why) {\n"
                          "  if (why) { throw 1; }\n"
                          "  throw 2;\n"
                          "}\n"
                          'const char* text = "never throw { here";\n'
                          "}  // namespace zkr\n",
    "src/wire/codec.hpp": '#include "core/timer.hpp"\n',
    "src/transport/c_transport.hpp": '#include "wire/codec.hpp"\n',
    "src/transport/c_library.hpp": "#include <zookeeper/zookeeper.h>\n",
    "src/transport/c_transport.cpp": '#include "transport/c_transport.hpp"\n#include "transport/c_library.hpp"\n',
    "src/client/session.hpp": '#include "transport/c_transport.hpp"\n#include "wire/codec.hpp"\n',
    "src/server/database.hpp": '#include "wire/codec.hpp"\n#include <fmt/core.h>\n#include <sys/socket.h>\n',
    "src/testing/faults.cpp": '#include "client/session.hpp"\n#include "server/database.hpp"\n',
    "src/cli/main.cpp": '#include "zkrecipes/recipes/mutex.hpp"\n#include "zkrecipes/testing/faults.hpp"\n',
    "recipes/common/path.hpp": "",
    "recipes/mutex/mutex_machine.hpp": '#include "recipes/common/path.hpp"\n#include "zkrecipes/error.hpp"\n',
    "recipes/latch/latch_machine.hpp": '#include "zkrecipes/recipes/mutex.hpp"\n',
    "test/support/poll.hpp": "",
    "test/unit/mutex_test.cpp": '#include "support/poll.hpp"\n#include "recipes/mutex/mutex_machine.hpp"\n'
                                "#include <gtest/gtest.h>\nvoid f() { throw 1; }\n",
    "examples/lock.cpp": "#include <zkrecipes/recipes/mutex.hpp>\n",
}

# name: (file, what to append to it, the line that is wrong, a part of the message)
BREACHES = {
    "core may not see wire": ("src/core/timer.hpp", '#include "wire/codec.hpp"\n', 1, "core may not include wire"),
    "wire may not see transport": (
        "src/wire/codec.hpp", '#include "transport/c_transport.hpp"\n', 2, "wire may not include transport"),
    "transport may not see the client": (
        "src/transport/c_transport.hpp", '#include "client/session.hpp"\n', 2, "transport may not include client"),
    "the client may not see recipes": (
        "src/client/session.hpp", '#include "zkrecipes/recipes/mutex.hpp"\n', 3, "client may not include recipes"),
    "the client may not see the server": (
        "src/client/session.hpp", "#include <zkrecipes/server.hpp>\n", 3, "client may not include server"),
    "the server may not see the client": (
        "src/server/database.hpp", '#include "zkrecipes/client.hpp"\n', 4, "server may not include client"),
    "the server may not see the transport": (
        "src/server/database.hpp", '#include "transport/c_transport.hpp"\n', 4, "server may not include transport"),
    "recipes may not see the server": (
        "recipes/mutex/mutex_machine.hpp", '#include "zkrecipes/server.hpp"\n', 3, "recipes may not include server"),
    "recipes may not see testing": (
        "recipes/mutex/mutex_machine.hpp", '#include "zkrecipes/testing/faults.hpp"\n', 3, "may not include testing"),
    "recipes use public headers of the client": (
        "recipes/mutex/mutex_machine.hpp", '#include "client/session.hpp"\n', 3, "only the public headers of client"),
    "recipes use public headers of the core": (
        "recipes/mutex/mutex_machine.hpp", '#include "core/timer.hpp"\n', 3, "only the public headers of core"),
    "recipes do not see each other's inside": (
        "recipes/latch/latch_machine.hpp", '#include "recipes/mutex/mutex_machine.hpp"\n', 2, "private parts of mutex"),
    "testing may not see the tool": (
        "src/testing/faults.cpp", '#include "cli/options.hpp"\n', 3, "testing may not include cli"),
    "nobody sees tests": ("src/cli/main.cpp", '#include "test/support/poll.hpp"\n', 3, "no header of ours"),
    "examples use public headers": (
        "examples/lock.cpp", '#include "client/session.hpp"\n', 2, "only the public headers of client"),
    "a public header is in the table": ("include/zkrecipes/new.hpp", "", 1, "belongs to no layer"),
    "an included public header is in the table": (
        "src/client/session.hpp", '#include "zkrecipes/unknown.hpp"\n', 3, "belongs to no layer"),
    "a folder is a layer": ("src/misc/things.hpp", "", 1, "belongs to no layer"),
    "a public header sees no private one": (
        "include/zkrecipes/client.hpp", '#include "client/session.hpp"\n', 2, "includes the private"),
    "a public header sees no other library": (
        "include/zkrecipes/client.hpp", "#include <fmt/core.h>\n", 2, "std and zkrecipes/ only"),
    "a public header sees no system header": (
        "include/zkrecipes/client.hpp", "#include <unistd.h>\n", 2, "std and zkrecipes/ only"),
    "private headers are named by their path": (
        "src/core/error.cpp", '#include "timer.hpp"\n', 11, "no header of ours"),
    "one file sees ZooKeeper's header": (
        "src/client/session.hpp", "  #  include <zookeeper/zookeeper.h>\n", 3, "only src/transport/c_library.hpp"),
    "also among tests": (
        "test/unit/mutex_test.cpp", "#include <zookeeper/zookeeper.h>\n", 5, "only src/transport/c_library.hpp"),
    "and no other layer sees it through that one": (
        "src/client/session.hpp", '#include "transport/c_library.hpp"\n', 3, "for src/transport only"),
    "asio stands in listed files": ("src/server/database.hpp", "#include <asio.hpp>\n", 4, "listed in check_layers.py"),
    "also parts of asio": ("src/cli/main.cpp", "#include <asio/post.hpp>\n", 3, "listed in check_layers.py"),
    "a second function throws": ("src/core/error.cpp", "void other() { throw 3; }\n", 11, "one function only"),
    "a second file throws": ("src/wire/codec.cpp", "void other() {\n  throw 3;\n}\n", 2, "one function only"),
    "a public header throws": (
        "include/zkrecipes/client.hpp", "inline void f() { throw 3; }\n", 2, "must build with -fno-exceptions"),
    "a throw outside of a function": (
        "src/core/error.cpp", "int x = true ? 1 : throw 3;\n", 11, "outside of a function"),
}

NOT_BREACHES = {
    "a commented include": ("src/core/timer.hpp", '// #include "wire/codec.hpp"\n/*\n#include "wire/codec.hpp"\n*/\n'),
    "throw in comments and literals": (
        "src/wire/codec.hpp", "/* throw */ auto s = \"throw \\\" throw\";  // throw\n"
        "auto r = R\"x(throw \" )x\"; int n = 1'0;\n"),
}


class check_layers_test(unittest.TestCase):
    def breaches_of(self, file=None, addition=""):
        with tempfile.TemporaryDirectory() as root:
            forged = dict(GOOD_TREE)
            if file:
                forged[file] = forged.get(file, "") + addition
            forged.setdefault("src/cli/options.hpp", "")
            for name, text in forged.items():
                path = Path(root) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            return check_layers.tree(root).check()

    def test_a_good_tree_passes(self):
        self.assertEqual(self.breaches_of(), [])

    def test_each_breach_is_reported_once_with_its_line(self):
        for name, (file, addition, line, message) in BREACHES.items():
            with self.subTest(name):
                found = self.breaches_of(file, addition)
                self.assertEqual(len(found), 1, found)
                self.assertTrue(found[0].startswith(f"{file}:{line}: "), found[0])
                self.assertIn(message, found[0])

    def test_what_only_looks_like_a_breach_passes(self):
        for name, (file, addition) in NOT_BREACHES.items():
            with self.subTest(name):
                self.assertEqual(self.breaches_of(file, addition), [])


if __name__ == "__main__":
    unittest.main()
