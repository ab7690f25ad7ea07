#pragma once

#include <string>

namespace zkr::testing {

/// "host:port" of the server that this run of the conformance tests is about: the bundled one, started in this process,
/// or with ZKR_TEST_SERVER=apache Apache ZooKeeper. One server for all tests of a process; each works below a folder of
/// its own (`own_folder`). Ticks of 250 ms, quotas are enforced, all four-letter words are answered,
/// the super user's password is "secret".
[[nodiscard]] const std::string& server_under_test();
[[nodiscard]] bool server_is_apache();
/// A path that no other test uses, of a node that exists.
[[nodiscard]] std::string own_folder();

}  // namespace zkr::testing
