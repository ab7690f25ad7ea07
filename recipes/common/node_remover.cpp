#include "recipes/common/node_remover.hpp"

namespace zkr::recipes {

void node_remover::remove(std::string path, actions& out) {
  const auto which = tags_.next();
  out.emplace_back(request{which, remove_node{path}});
  jobs_.emplace(which, job{std::move(path)});
}

std::optional<node_remover::removal> node_remover::on_reply(const reply& answer, actions& out) {
  const auto found = jobs_.find(answer.tag);
  auto& [which, work] = *found;
  const bool missing = !answer.value && is_refusal(answer.value.error(), errc::no_node);
  if (answer.value || missing) {
    removal done{std::move(work.path), missing && !work.in_doubt};
    jobs_.erase(found);
    return done;
  }
  switch (classify(answer.value.error())) {
    case trouble::in_doubt: work.in_doubt = true; [[fallthrough]];
    case trouble::again: out.emplace_back(request{which, remove_node{work.path}}); break;
    case trouble::over: break;
    case trouble::refused:
      if (!work.reported) out.emplace_back(emit{.what = emit_report, .problem = answer.value.error()});
      work.reported = true;
      out.emplace_back(start_timer{which, pause});
      break;
  }
  return std::nullopt;
}

void node_remover::on_timer(tag which, actions& out) {
  out.emplace_back(request{which, remove_node{jobs_.at(which).path}});
}

}  // namespace zkr::recipes
