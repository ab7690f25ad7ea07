#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/contest.hpp"

namespace zkr::cli {

/// Why a term of leadership, or of a lock, is over.
enum class end_reason {
  resigned,  ///< Given back, in time.
  expired,   ///< The lease ran out: no renewal got through, or this process was stopped.
  lost,      ///< Taken away before: the session ended on the server, or somebody removed the node.
};

/// Says what happens in an election, or with a lock: for people, for programs (docs/tool.md describes the lines), or not at all.
///
/// What is announced binds the tool: a renewal counts for it (and for the command that it runs) from its line on.
class announcer {
 public:
  enum class style { silent, people, events };

  /// Where lines for people go; events always go to standard output.
  enum class output { standard, error };

  announcer(style how, output where, const contest& words, std::string path, std::string id)
      : style_(how),
        where_(where),
        takes_part_(words.takes_part),
        wins_(words.wins),
        path_(std::move(path)),
        id_(std::move(id)) {}

  void waiting();
  void granted(std::int64_t token, time_point at, time_point valid_until);
  void renewed(std::int64_t token, time_point at, time_point valid_until);
  void ended(std::int64_t token, time_point at, end_reason why);
  /// What an observer sees.
  void leads(const std::optional<participant>& leader, time_point at);

  /// False once the output takes nothing any more.
  [[nodiscard]] bool works() const noexcept { return works_; }

 private:
  void line(std::string text);

  style style_;
  output where_;
  std::string_view takes_part_;
  std::string_view wins_;
  std::string path_;
  std::string id_;
  bool works_ = true;
};

}  // namespace zkr::cli
