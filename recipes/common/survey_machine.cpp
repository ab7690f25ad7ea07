#include "recipes/common/survey_machine.hpp"

#include <algorithm>

#include "zkrecipes/path.hpp"

namespace zkr::recipes {

survey_machine::survey_machine(std::string directory, std::vector<std::string> markers, survey_scope scope,
                               std::shared_ptr<std::vector<participant>> found)
    : directory_(std::move(directory)), markers_(std::move(markers)), scope_(scope), found_(std::move(found)) {}

void survey_machine::on(const event& what, context&, actions& out) {
  if (ended_) return;
  if (std::holds_alternative<start>(what) || std::holds_alternative<session_begun>(what)) {
    if (idle_) list(out);
  } else if (const auto* answer = std::get_if<reply>(&what)) {
    if (!idle_) on_reply(*answer, out);
  } else if (std::holds_alternative<session_over>(what)) {
    idle_ = true;
  } else if (const auto* stop = std::get_if<cancel>(&what)) {
    fail(error(stop->why, "survey", directory_), out);
  } else if (std::holds_alternative<shut_down>(what)) {
    fail(error(errc::closed, "survey", directory_), out);
  }
}

void survey_machine::list(actions& out) {
  idle_ = false;
  reads_.clear();
  list_ = tags_.next();
  out.emplace_back(request{list_, list_children{directory_}});
}

void survey_machine::on_reply(const reply& answer, actions& out) {
  const bool repeat = !answer.value && (classify(answer.value.error()) == trouble::again ||
                                        classify(answer.value.error()) == trouble::in_doubt);
  const bool over = !answer.value && classify(answer.value.error()) == trouble::over;
  if (over) return;  // session_over or shut_down follows
  if (answer.tag == list_) {
    if (repeat) return list(out);
    return on_listed(answer, out);
  }
  const auto found =
      std::find_if(reads_.begin(), reads_.end(), [&](const reading& r) { return r.which == answer.tag; });
  if (found == reads_.end()) return;
  if (repeat) {
    out.emplace_back(request{found->which, read_node{found->path}});
    return;
  }
  on_read(answer, out);
}

void survey_machine::on_listed(const reply& answer, actions& out) {
  if (!answer.value) {
    if (answer.value.error().code() != errc::no_node) return fail(answer.value.error(), out);
    return finish_with({}, out);
  }
  auto candidates = sort_contenders(value_of<child_list>(answer).names, markers_).ordered;
  others_ = candidates.size() > 1 && scope_ == survey_scope::leader;
  if (scope_ == survey_scope::leader && others_) candidates.resize(1);
  if (candidates.empty()) return finish_with({}, out);
  for (const auto& candidate : candidates) {
    auto& one = reads_.emplace_back(reading{tags_.next(), join_path(directory_, candidate.name), std::nullopt});
    out.emplace_back(request{one.which, read_node{one.path}});
  }
}

void survey_machine::on_read(const reply& answer, actions& out) {
  const auto found =
      std::find_if(reads_.begin(), reads_.end(), [&](const reading& r) { return r.which == answer.tag; });
  found->answered = true;
  if (answer.value) {
    found->seen = value_of<node>(answer);
  } else if (answer.value.error().code() != errc::no_node) {
    return fail(answer.value.error(), out);
  }
  if (!std::all_of(reads_.begin(), reads_.end(), [](const reading& r) { return r.answered; })) return;
  std::vector<participant> all;
  for (auto& one : reads_) {
    if (!one.seen) continue;
    all.push_back({std::move(one.seen->data), std::move(one.path), one.seen->stat.czxid, all.empty()});
  }
  if (all.empty() && others_) return list(out);
  finish_with(std::move(all), out);
}

void survey_machine::fail(error why, actions& out) {
  ended_ = true;
  out.emplace_back(emit{.what = emit_failed, .problem = std::move(why)});
  out.emplace_back(finish{});
}

void survey_machine::finish_with(std::vector<participant> found, actions& out) {
  ended_ = true;
  *found_ = std::move(found);
  out.emplace_back(emit{.what = emit_found});
  out.emplace_back(finish{});
}

}  // namespace zkr::recipes
