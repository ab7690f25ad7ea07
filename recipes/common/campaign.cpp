#include "recipes/common/campaign.hpp"

#include "recipes/common/machine_outcome.hpp"

namespace zkr::recipes {
namespace {

class campaign_outcome final : public machine_outcome<leadership> {
 public:
  using machine_outcome::machine_outcome;
  void on_grant(std::shared_ptr<zkr::detail::grant_state> state) override { complete(leadership(std::move(state))); }
};

}  // namespace

void start_campaign(const operations& client, std::unique_ptr<machine> algorithm, handler<leadership> done,
                    call_options wait) {
  driver::run(client, std::move(algorithm), std::make_shared<campaign_outcome>(std::move(done)), std::move(wait));
}

result<void> campaign_and_lead(unique_function<result<leadership>(call_options)> campaign,
                               unique_function<void(leadership&)>& lead, const call_options& wait) {
  const auto deadline = wait.timeout ? deadline_after(boot_clock::now(), *wait.timeout) : no_deadline;
  for (;;) {
    auto left = wait;
    if (wait.timeout) left.timeout = deadline - boot_clock::now();
    auto won = campaign(std::move(left));
    if (!won) return std::move(won).error();
    lead(*won);
  }
}

}  // namespace zkr::recipes
