#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "recipes/common/reply.hpp"

namespace zkr::recipes {

/// The part of a machine that creates a directory with all its parents: one create each, back to back, those that exist
/// already answered by node_exists. Meant for after a no_node, in the same batch as what needed the directory.
class directory_maker {
 public:
  /// @param directory  "/" needs nothing.
  /// @param mode       container (persistent instead, once the server or transport turns out to lack containers) or
  ///                   persistent.
  directory_maker(std::string_view directory, create_mode mode, acl_list acl, tag_source& tags);

  /// Asks for all of them.
  void request_all(actions& out);
  /// Takes a reply; false where it does not belong here.
  bool on_reply(const reply& answer);
  void forget() { outstanding_.clear(); }

  /// Why the directory may be missing even now, after all replies; unset where it was there at one moment.
  ///
  /// An ancestor that exists may refuse with no_auth before it says node_exists (Apache checks the ACL first). So the
  /// directory's own reply counts, and its ancestors' only where that is no_node.
  [[nodiscard]] std::optional<error> problem() const;

 private:
  std::vector<std::string> paths_;  // from the top down
  create_mode mode_;
  create_mode asked_;  // the mode of the batch that is out
  acl_list acl_;
  tag_source& tags_;
  std::vector<tag> outstanding_;                // by path
  std::vector<std::optional<error>> problems_;  // by path
};

}  // namespace zkr::recipes
