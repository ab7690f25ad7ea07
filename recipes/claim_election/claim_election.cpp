#include "zkrecipes/recipes/claim_election.hpp"

#include <map>
#include <mutex>

#include "recipes/claim_election/claim_election_machine.hpp"
#include "recipes/common/campaign.hpp"
#include "recipes/common/machine_outcome.hpp"
#include "zkrecipes/path.hpp"

namespace zkr {
namespace {

using recipes::claim_election_machine;
using recipes::claim_patience;

/// Tells clients apart: copies of one client's operations have one identity.
class identity : private operations {
 public:
  explicit identity(const operations& client) : operations(client) {}
  [[nodiscard]] const void* get() const noexcept { return core_.get(); }
};

/// The register that all campaigns of one client share: they need not be of one claim_election.
std::shared_ptr<recipes::claim_register> claims_of(const operations& client) {
  static std::mutex mutex;
  static std::map<const void*, std::weak_ptr<recipes::claim_register>> all;
  const std::scoped_lock lock(mutex);
  std::erase_if(all, [](const auto& one) { return one.second.expired(); });
  auto& known = all[identity(client).get()];
  auto claims = known.lock();
  if (!claims) known = claims = std::make_shared<recipes::claim_register>();
  return claims;
}

std::optional<error> refuse(const operations& client, const claim_election_options& options) {
  for (const auto& path : {options.path, options.epoch_path}) {
    if (auto valid = check_path(path); !valid) return std::move(valid).error();
    if (path == "/") return error(errc::invalid_path, "campaign", path, "the root cannot be claimed");
  }
  if (options.path == options.epoch_path) {
    return error(errc::invalid_argument, "campaign", options.path, "epoch_path: must differ from path");
  }
  if (client.session().state == session_state::closed) return error(errc::closed, "campaign", options.path);
  return std::nullopt;
}

std::unique_ptr<claim_election_machine> make_machine(const operations& client, const claim_election_options& options,
                                                     claim_patience patience) {
  return std::make_unique<claim_election_machine>(options, patience, claims_of(client));
}

/// `done` on the scheduler thread.
void start_campaign(const operations& client, const claim_election_options& options, handler<leadership> done,
                    call_options wait) {
  if (auto why = refuse(client, options)) return done(*std::move(why));
  recipes::start_campaign(client, make_machine(client, options, claim_patience::wait), std::move(done),
                          std::move(wait));
}

participant leader_of(const claim_election_options& options, std::string id, std::int64_t token) {
  return {std::move(id), options.path, token, true};
}

class claim_outcome final : public recipes::machine_outcome<claim_election::claim> {
 public:
  claim_outcome(handler<claim_election::claim> done, const claim_election_options& options)
      : machine_outcome(std::move(done)), options_(options) {}

  void on_emit(const recipes::emit& what) override {
    machine_outcome::on_emit(what);
    if (what.what != claim_election_machine::emit_other) return;
    complete(claim_election::claim{std::nullopt, leader_of(options_, what.text, what.number)});
  }
  void on_grant(std::shared_ptr<detail::grant_state> state) override {
    complete(claim_election::claim{leadership(std::move(state)), std::nullopt});
  }

 private:
  const claim_election_options options_;
};

}  // namespace

claim_election::claim_election(operations client, claim_election_options options)
    : client_(std::move(client)), options_(std::move(options)) {
  if (options_.epoch_path.empty()) options_.epoch_path = options_.path + "_epoch";
}

result<leadership> claim_election::campaign(call_options wait) {
  return recipes::block_on<leadership>(client_, "campaign", [&](handler<leadership> done) {
    start_campaign(client_, options_, std::move(done), std::move(wait));
  });
}

void claim_election::async_campaign(handler<leadership> done, call_options wait) {
  start_campaign(client_, options_, recipes::on_handlers(client_, std::move(done)), std::move(wait));
}

result<void> claim_election::run(unique_function<void(leadership&)> lead, call_options wait) {
  return recipes::campaign_and_lead([this](call_options left) { return campaign(std::move(left)); }, lead, wait);
}

result<claim_election::claim> claim_election::get_or_become_leader(call_options wait) {
  return recipes::block_on<claim>(client_, "get_or_become_leader", [&](handler<claim> done) {
    if (auto why = refuse(client_, options_)) return done(*std::move(why));
    if (!wait.timeout) wait.timeout = recipes::default_timeout;
    recipes::driver::run(client_, make_machine(client_, options_, claim_patience::once),
                         std::make_shared<claim_outcome>(std::move(done), options_), wait);
  });
}

result<participant> claim_election::leader(call_options wait) {
  auto found = client_.get(options_.path, {}, std::move(wait));
  if (!found) return std::move(found).error();
  return leader_of(options_, std::move(found->data), found->stat.czxid);
}

result<std::vector<participant>> claim_election::participants(call_options wait) {
  auto found = leader(std::move(wait));
  if (!found && found.error().code() == errc::no_node) return std::vector<participant>{};
  if (!found) return std::move(found).error();
  return std::vector<participant>{*std::move(found)};
}

subscription claim_election::observe(unique_function<void(const leader_change&)> handler) {
  return client_.watch(options_.path,
                       [options = options_, handler = std::move(handler)](const node_change& now) mutable {
                         leader_change change;
                         if (now.node) change.leader = leader_of(options, now.node->data, now.node->stat.czxid);
                         change.problem = now.problem;
                         handler(change);
                       });
}

}  // namespace zkr
