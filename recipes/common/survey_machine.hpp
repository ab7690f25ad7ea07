#pragma once

#include <string>
#include <vector>

#include "recipes/common/reply.hpp"
#include "zkrecipes/recipes/leadership.hpp"

namespace zkr::recipes {

/// Who is looked for: the first (who leads or holds) alone, or every contender.
enum class survey_scope { leader, everybody };

/// Lists a directory of contenders and reads them, all in one flight. Changes nothing.
///
/// | state   | event                              | actions                                                    |
/// |---------|------------------------------------|------------------------------------------------------------|
/// | idle    | start, session_begun               | list; listing                                              |
/// | listing | reply ok                           | a read of each that is looked for; reading; none: found    |
/// | listing | reply no_node                      | found (nobody)                                             |
/// | reading | reply ok, no_node                  | kept, left out; the last of them: found                    |
/// | reading | the leader alone was looked for and is gone, and there were others | list; listing              |
/// | any     | reply that is lost                 | the same request again                                     |
/// | any     | reply that is refused, cancel, shut_down | emit failed, finish                                  |
/// | any     | session_over                       | idle                                                       |
///
/// "found": emit emit_found, finish.
class survey_machine final : public machine {
 public:
  static constexpr int emit_found = 1;

  /// @param found  where the result is written, in the order of their turn, before emit_found.
  survey_machine(std::string directory, std::vector<std::string> markers, survey_scope scope,
                 std::shared_ptr<std::vector<participant>> found);

  void on(const event& what, context& with, actions& out) override;

 private:
  void list(actions& out);
  void on_reply(const reply& answer, actions& out);
  void on_listed(const reply& answer, actions& out);
  void on_read(const reply& answer, actions& out);
  void fail(error why, actions& out);
  void finish_with(std::vector<participant> found, actions& out);

  struct reading {
    tag which = 0;
    std::string path;
    std::optional<node> seen;
    bool answered = false;
  };

  const std::string directory_;
  const std::vector<std::string> markers_;
  const survey_scope scope_;
  const std::shared_ptr<std::vector<participant>> found_;
  tag_source tags_;
  bool idle_ = true;
  bool ended_ = false;
  tag list_ = 0;
  std::vector<reading> reads_;
  bool others_ = false;  // the leader is read, and somebody stands behind it
};

}  // namespace zkr::recipes
