#include "zkrecipes/tree.hpp"

#include <algorithm>
#include <list>

#include "client/compound.hpp"
#include "zkrecipes/path.hpp"

namespace zkr {
namespace {

using detail::compound;

/// Creates all nodes of a path back to back; those that exist say so.
class path_maker final : public compound<void> {
 public:
  path_maker(const operations& client, std::string path, directory_options how, call_options wait)
      : compound(client, "ensure_path", std::move(path), std::move(wait)), how_(std::move(how)) {}

 private:
  void begin() override {
    if (how_.mode != create_mode::persistent && how_.mode != create_mode::container) {
      return fail(error(errc::invalid_argument, name(), path(), "mode: must be persistent or container"));
    }
    look();
  }

  // A read costs the ensemble less than creates that fail, and mostly the path is there.
  void look() {
    steps().async_exists(path(), step<stat_t>([this](result<stat_t> answer) {
                           // no_auth: from 3.9.2 on exists needs READ; there is a node
                           if (answer || answer.error().code() == errc::no_auth) return succeed({});
                           if (answer.error().code() == errc::no_node) return make();
                           fail(answer.error());
                         }),
                         {}, rest());
  }

  void make() {
    problems_.clear();
    lost_ = false;
    std::vector<std::string> paths;
    for (std::string_view at = path(); at.size() > 1; at = parent_path(at)) paths.emplace_back(at);
    if (paths.empty()) return fail(error(errc::no_node, name(), path(), "the chroot does not exist"));
    expected_ = paths.size();
    for (auto one = paths.rbegin(); one != paths.rend(); ++one) {
      steps().async_create(*one, {}, {.mode = how_.mode, .acl = how_.acl},
                           write_step<created>([this](const result<created>& answer) { on_created(answer); }), rest());
    }
  }

  void on_created(const result<created>& answer) {
    if (!answer && worth_repeating(answer.error())) lost_ = true;
    const bool there = answer || answer.error().code() == errc::node_exists;
    problems_.push_back(there ? std::optional<error>() : answer.error());
    if (problems_.size() == expected_) conclude();
  }

  // An ancestor that exists may refuse with no_auth before it says node_exists (Apache checks the ACL first). So the path's
  // own answer counts, and its ancestors' only where that is no_node.
  void conclude() {
    if (!problems_.back()) return succeed({});
    if (lost_) return look();
    for (auto one = problems_.rbegin(); one != problems_.rend(); ++one) {
      if (!*one) return look();  // removed between its creation and its child's: once more
      if ((*one)->code() != errc::no_node) return fail(**one);
    }
    fail(error(errc::no_node, name(), path(), "the chroot does not exist"));
  }

  const directory_options how_;
  std::size_t expected_ = 0;
  std::vector<std::optional<error>> problems_;  // of the nodes from the top down; unset: it is there
  bool lost_ = false;
};

class create_maker final : public compound<created> {
 public:
  create_maker(const operations& client, std::string path, std::string data, create_options options,
               directory_options parents, call_options wait)
      : compound(client, "create_with_parents", std::move(path), std::move(wait)),
        data_(std::move(data)),
        options_(std::move(options)),
        parents_(std::move(parents)) {}

 private:
  void begin() override {
    steps().async_create(path(), data_, options_, write_step<created>([this](result<created> answer) {
                           if (answer) return succeed(*std::move(answer));
                           const auto parent = parent_path(path());
                           if (answer.error().code() != errc::no_node || parent.size() <= 1)
                             return fail(answer.error());
                           make_parents(std::string(parent));
                         }),
                         rest());
  }

  void make_parents(std::string parent) {
    std::make_shared<path_maker>(steps(), std::move(parent), parents_, rest())
        ->run(write_step<void>([this](const result<void>& made) {
          if (!made) return fail(made.error());
          begin();  // a container may be gone again: then once more
        }));
  }

  const std::string data_;
  const create_options options_;
  const directory_options parents_;
};

/// Removes each node at once; where it is not empty, its children first, and then the node again.
class tree_remover final : public compound<void> {
 public:
  tree_remover(const operations& client, std::string path, tree_options how, call_options wait)
      : compound(client, "remove_tree", std::move(path), std::move(wait)), how_(how) {}

 private:
  struct job;
  using place = std::list<job>::iterator;
  struct job {
    std::string path;
    std::optional<place> parent;
    std::size_t below = 0;  ///< Children that are not gone yet.
    bool seen = false;      ///< It was there, or may have been.
  };

  void begin() override {
    if (path() == "/" || (path() == "/zookeeper" && core().chroot().empty())) {
      return fail(error(errc::invalid_argument, name(), path(), "it cannot be removed"));
    }
    if (how_.max_in_flight == 0) {
      return fail(error(errc::invalid_argument, name(), path(), "max_in_flight: must be at least 1"));
    }
    ready_.push_back(jobs_.insert(jobs_.end(), {path(), std::nullopt}));
    go_on();
  }

  // The last first, and so depth first: what waits is then a path's siblings, not a level of the tree.
  void go_on() {
    while (!ended() && !ready_.empty() && outstanding() < how_.max_in_flight) {
      const auto next = ready_.back();
      ready_.pop_back();
      remove(next);
    }
  }

  void remove(place which) {
    steps().async_remove(which->path, any_version, write_step<void>([this, which](const result<void>& answer) {
                           on_removed(which, answer);
                           go_on();
                         }),
                         rest());
  }

  void on_removed(place which, const result<void>& answer) {
    if (answer) return gone(which);
    const auto& why = answer.error();
    if (why.code() == errc::no_node && (which->parent || which->seen)) return gone(which);
    if (why.code() == errc::not_empty) return list(which);
    if (!worth_repeating(why)) return fail(why);
    which->seen = true;
    ready_.push_back(which);
  }

  void list(place which) {
    which->seen = true;
    steps().async_children(which->path, step<child_list>([this, which](result<child_list> answer) {
                             on_listed(which, std::move(answer));
                             go_on();
                           }),
                           {}, rest());
  }

  void on_listed(place which, result<child_list> answer) {
    if (!answer) {
      if (answer.error().code() == errc::no_node) return gone(which);
      return fail(answer.error());
    }
    which->below = answer->names.size();
    if (which->below == 0) ready_.push_back(which);  // others were faster
    for (const auto& name : answer->names) {
      ready_.push_back(jobs_.insert(jobs_.end(), {join_path(which->path, name), which}));
    }
  }

  void gone(place which) {
    const auto parent = which->parent;
    jobs_.erase(which);
    if (!parent) return succeed({});
    if (--(*parent)->below == 0) ready_.push_back(*parent);
  }

  const tree_options how_;
  std::list<job> jobs_;
  std::vector<place> ready_;
};

/// Parents before their children, siblings bytewise: '/' sorts before all other characters.
bool path_before(const tree_node& a, const tree_node& b) noexcept {
  const auto rank = [](char c) { return c == '/' ? -1 : static_cast<int>(static_cast<unsigned char>(c)); };
  return std::lexicographical_compare(a.path.begin(), a.path.end(), b.path.begin(), b.path.end(),
                                      [&](char one, char other) { return rank(one) < rank(other); });
}

class tree_reader final : public compound<std::vector<tree_node>> {
 public:
  tree_reader(const operations& client, std::string path, read_tree_options how, call_options wait)
      : compound(client, "read_tree", std::move(path), std::move(wait)), how_(how) {}

 private:
  void begin() override {
    if (how_.max_in_flight == 0) {
      return fail(error(errc::invalid_argument, name(), path(), "max_in_flight: must be at least 1"));
    }
    known_ = 1;
    ready_.push_back(path());
    go_on();
  }

  void go_on() {
    while (!ended() && !ready_.empty() && outstanding() < how_.max_in_flight) {
      tree_node next{.path = std::move(ready_.back()), .data = {}, .stat = {}};
      ready_.pop_back();
      if (how_.read == read_tree_options::content::data) {
        read(std::move(next));
      } else {
        list(std::move(next));
      }
    }
    if (outstanding() == 0 && ready_.empty() && !ended()) succeed(std::move(found_));
  }

  void read(tree_node one) {
    const auto which = one.path;
    steps().async_get(which, step<node>([this, one = std::move(one)](result<node> answer) mutable {
                        if (!answer) return skip(one, answer.error());
                        one.data = std::move(answer->data);
                        one.stat = answer->stat;
                        if (one.stat.num_children > 0) return list(std::move(one));
                        found_.push_back(std::move(one));
                        go_on();
                      }),
                      {}, rest());
  }

  void list(tree_node one) {
    const auto which = one.path;
    steps().async_children(which, step<child_list>([this, one = std::move(one)](result<child_list> answer) mutable {
                             if (!answer) return skip(one, answer.error());
                             if (how_.read == read_tree_options::content::stat) one.stat = answer->stat;
                             known_ += answer->names.size();
                             if (known_ > how_.max_nodes) {
                               return fail(error(errc::too_large, name(), path(),
                                                 "more than " + std::to_string(how_.max_nodes) + " nodes"));
                             }
                             for (const auto& child : answer->names) ready_.push_back(join_path(one.path, child));
                             found_.push_back(std::move(one));
                             go_on();
                           }),
                           {}, rest());
  }

  void skip(const tree_node& one, const error& why) {
    if (why.code() != errc::no_node || one.path == path()) return fail(why);
    --known_;
    go_on();
  }

  const read_tree_options how_;
  std::vector<std::string> ready_;
  std::vector<tree_node> found_;
  std::size_t known_ = 0;  ///< Nodes that were heard of and have not vanished.
};

/// On the caller's thread: sorting many nodes would hold up the library's own.
result<std::vector<tree_node>> sorted(result<std::vector<tree_node>> nodes) {
  if (nodes) std::sort(nodes->begin(), nodes->end(), path_before);
  return nodes;
}

}  // namespace

result<void> ensure_path(const operations& client, std::string path, directory_options how, call_options wait) {
  return detail::block_on_compound<void>(client, "ensure_path", [&] {
    return std::make_shared<path_maker>(client, std::move(path), std::move(how), std::move(wait));
  });
}

void async_ensure_path(const operations& client, std::string path, directory_options how, handler<void> done,
                       call_options wait) {
  detail::start_compound<void>(client, "ensure_path", std::move(done), [&] {
    return std::make_shared<path_maker>(client, std::move(path), std::move(how), std::move(wait));
  });
}

result<created> create_with_parents(const operations& client, std::string path, std::string data,
                                    create_options options, directory_options parents, call_options wait) {
  return detail::block_on_compound<created>(client, "create_with_parents", [&] {
    return std::make_shared<create_maker>(client, std::move(path), std::move(data), std::move(options),
                                          std::move(parents), std::move(wait));
  });
}

void async_create_with_parents(const operations& client, std::string path, std::string data, create_options options,
                               directory_options parents, handler<created> done, call_options wait) {
  detail::start_compound<created>(client, "create_with_parents", std::move(done), [&] {
    return std::make_shared<create_maker>(client, std::move(path), std::move(data), std::move(options),
                                          std::move(parents), std::move(wait));
  });
}

result<void> remove_tree(const operations& client, std::string path, tree_options how, call_options wait) {
  return detail::block_on_compound<void>(client, "remove_tree", [&] {
    return std::make_shared<tree_remover>(client, std::move(path), how, std::move(wait));
  });
}

void async_remove_tree(const operations& client, std::string path, tree_options how, handler<void> done,
                       call_options wait) {
  detail::start_compound<void>(client, "remove_tree", std::move(done), [&] {
    return std::make_shared<tree_remover>(client, std::move(path), how, std::move(wait));
  });
}

result<std::vector<tree_node>> read_tree(const operations& client, std::string path, read_tree_options how,
                                         call_options wait) {
  return sorted(detail::block_on_compound<std::vector<tree_node>>(client, "read_tree", [&] {
    return std::make_shared<tree_reader>(client, std::move(path), how, std::move(wait));
  }));
}

void async_read_tree(const operations& client, std::string path, read_tree_options how,
                     handler<std::vector<tree_node>> done, call_options wait) {
  auto in_order = [done = std::move(done)](result<std::vector<tree_node>> nodes) mutable {
    if (done) done(sorted(std::move(nodes)));
  };
  detail::start_compound<std::vector<tree_node>>(
      client, "read_tree", handler<std::vector<tree_node>>(std::move(in_order)),
      [&] { return std::make_shared<tree_reader>(client, std::move(path), how, std::move(wait)); });
}

}  // namespace zkr
