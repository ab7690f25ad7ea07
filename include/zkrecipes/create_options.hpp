#pragma once

#include "zkrecipes/acl.hpp"
#include "zkrecipes/clock.hpp"

namespace zkr {

enum class create_mode {
  persistent,
  ephemeral,  ///< Gone when the session ends. Cannot have children.
  persistent_sequential,
  ephemeral_sequential,  ///< The server appends ten digits that grow under one parent.
  container,             ///< Removed by the server some time after its last child.
  ttl,                   ///< Removed by the server when childless and unchanged for `ttl`; see `extendedTypesEnabled`.
  ttl_sequential,
};

struct create_options {
  create_mode mode = create_mode::persistent;
  /// Who may do what. Empty: everybody everything.
  acl_list acl = {};
  /// Of the two TTL modes, and only there: 1 ms to 2^40-1 ms, whole milliseconds.
  duration ttl = duration::zero();
};

}  // namespace zkr
