#include "conformance/differences.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "conformance/any_server.hpp"

namespace zkr::testing {
namespace {

struct difference {
  std::string_view point;
  std::string_view reason;
};

// All that the conformance tests let the bundled server do otherwise. docs/server-fidelity.md tells users of each, under
// the same name (test/structure/check_differences.py compares).
constexpr std::array differences{
    difference{"auth-in-order", "every client accepts replies in order; Apache lets this one overtake by chance"},
    difference{"asker-unlisted", "go-zookeeper cannot parse the short line of the connection that asks"},
    difference{"expiry-order", "the order of creation can be relied on, that of a hash table cannot"},
    difference{"internal-types", "no client sends them, and Apache's answers are no replies that one could read"},
    difference{"lone-check",
               "3.8 never answers one that succeeds, and cannot read its own log again; 3.9.3 refuses it"},
    difference{"password-first", "a stranger who knows a session's number must not throw its client out"},
    difference{"srvr-parsable", "go-zookeeper cannot parse the new form of the date, nor a fraction"},
    difference{"watches-coexist", "a later watch must not take an earlier one away; so since 3.9 (ZOOKEEPER-4466)"},
};

}  // namespace

bool differs(std::string_view point) {
  const bool known = std::any_of(differences.begin(), differences.end(),
                                 [point](const difference& one) { return one.point == point; });
  EXPECT_TRUE(known) << point << " does not stand in differences.cpp";
  return known && !server_is_apache();
}

}  // namespace zkr::testing
