#include "zkrecipes/recipes/leader_election.hpp"

#include "recipes/common/campaign.hpp"
#include "recipes/common/machine_outcome.hpp"
#include "recipes/common/survey.hpp"
#include "recipes/leader_election/leader_election_machine.hpp"
#include "recipes/leader_election/leader_observation.hpp"
#include "zkrecipes/path.hpp"

namespace zkr {
namespace {

using recipes::leader_election_machine;
using participants_result = std::vector<participant>;

/// `done` on the scheduler thread.
void start_campaign(const operations& client, const leader_election_options& options, handler<leadership> done,
                    call_options wait) {
  if (auto valid = check_path(options.path); !valid) return done(std::move(valid).error());
  if (client.session().state == session_state::closed) return done(error(errc::closed, "campaign", options.path));
  recipes::start_campaign(client, std::make_unique<leader_election_machine>(options), std::move(done), std::move(wait));
}

result<participants_result> survey(const operations& client, std::string_view what, const std::string& path,
                                   recipes::survey_scope scope, call_options wait) {
  return recipes::survey(client, what, path, {std::string(leader_election_machine::marker)}, scope, std::move(wait));
}

}  // namespace

leader_election::leader_election(operations client, leader_election_options options)
    : client_(std::move(client)), options_(std::move(options)) {}

result<leadership> leader_election::campaign(call_options wait) {
  return recipes::block_on<leadership>(client_, "campaign", [&](handler<leadership> done) {
    start_campaign(client_, options_, std::move(done), std::move(wait));
  });
}

void leader_election::async_campaign(handler<leadership> done, call_options wait) {
  start_campaign(client_, options_, recipes::on_handlers(client_, std::move(done)), std::move(wait));
}

result<void> leader_election::run(unique_function<void(leadership&)> lead, call_options wait) {
  return recipes::campaign_and_lead([this](call_options left) { return campaign(std::move(left)); }, lead, wait);
}

result<participant> leader_election::leader(call_options wait) {
  auto found = survey(client_, "leader", options_.path, recipes::survey_scope::leader, std::move(wait));
  if (!found) return std::move(found).error();
  if (found->empty()) return error(errc::no_node, "leader", options_.path, "nobody leads");
  return std::move(found->front());
}

result<std::vector<participant>> leader_election::participants(call_options wait) {
  return survey(client_, "participants", options_.path, recipes::survey_scope::everybody, std::move(wait));
}

subscription leader_election::observe(unique_function<void(const leader_change&)> handler) {
  return recipes::leader_observation::begin(client_, options_.path, std::string(leader_election_machine::marker),
                                            std::move(handler));
}

}  // namespace zkr
