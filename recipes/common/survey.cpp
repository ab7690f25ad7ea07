#include "recipes/common/survey.hpp"

#include "recipes/common/campaign.hpp"
#include "recipes/common/machine_outcome.hpp"
#include "zkrecipes/path.hpp"

namespace zkr::recipes {
namespace {

using participants_result = std::vector<participant>;

class survey_outcome final : public machine_outcome<participants_result> {
 public:
  survey_outcome(handler<participants_result> done, std::shared_ptr<participants_result> found)
      : machine_outcome(std::move(done)), found_(std::move(found)) {}
  void on_emit(const emit& what) override {
    if (what.what == survey_machine::emit_found) return complete(std::move(*found_));
    machine_outcome::on_emit(what);
  }
  void on_grant(std::shared_ptr<zkr::detail::grant_state>) override {}

 private:
  std::shared_ptr<participants_result> found_;
};

}  // namespace

result<participants_result> survey(const operations& client, std::string_view what, const std::string& path,
                                   std::vector<std::string> markers, survey_scope scope, call_options wait) {
  return block_on<participants_result>(client, what, [&](handler<participants_result> done) {
    if (auto valid = check_path(path); !valid) return done(std::move(valid).error());
    if (!wait.timeout) wait.timeout = default_timeout;
    auto found = std::make_shared<participants_result>();
    driver::run(client, std::make_unique<survey_machine>(path, std::move(markers), scope, found),
                std::make_shared<survey_outcome>(std::move(done), found), wait);
  });
}

}  // namespace zkr::recipes
