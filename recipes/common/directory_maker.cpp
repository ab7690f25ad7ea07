#include "recipes/common/directory_maker.hpp"

#include <algorithm>

#include "zkrecipes/path.hpp"

namespace zkr::recipes {

directory_maker::directory_maker(std::string_view directory, create_mode mode, acl_list acl, tag_source& tags)
    : mode_(mode), asked_(mode), acl_(std::move(acl)), tags_(tags) {
  for (auto path = directory; path.size() > 1; path = parent_path(path)) paths_.emplace_back(path);
  std::reverse(paths_.begin(), paths_.end());
}

void directory_maker::request_all(actions& out) {
  asked_ = mode_;
  outstanding_.clear();
  problems_.assign(paths_.size(), std::nullopt);
  for (const auto& path : paths_) {
    outstanding_.push_back(tags_.next());
    out.emplace_back(request{outstanding_.back(), create_node{path, {}, {.mode = mode_, .acl = acl_}}});
  }
}

bool directory_maker::on_reply(const reply& answer) {
  const auto found = std::find(outstanding_.begin(), outstanding_.end(), answer.tag);
  if (found == outstanding_.end()) return false;
  if (answer.value || is_refusal(answer.value.error(), errc::node_exists)) return true;
  const auto& problem = answer.value.error();
  const bool lacks_containers = asked_ == create_mode::container &&
                                (problem.code() == errc::unimplemented || problem.code() == errc::unsupported);
  if (lacks_containers) mode_ = create_mode::persistent;  // of the next request_all()
  if (!lacks_containers && classify(problem) == trouble::refused) {
    problems_[static_cast<std::size_t>(found - outstanding_.begin())] = problem;
  }
  return true;
}

std::optional<error> directory_maker::problem() const {
  for (auto at = problems_.rbegin(); at != problems_.rend(); ++at) {
    if (!*at) return std::nullopt;
    if ((*at)->code() != errc::no_node) return *at;
  }
  return error(errc::no_node, "create", "/", "the chroot does not exist");
}

}  // namespace zkr::recipes
