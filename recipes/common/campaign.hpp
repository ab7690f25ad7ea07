#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "zkrecipes/recipes/leadership.hpp"
#include "zkrecipes/recipes/machine.hpp"

// What both elections' campaigns have in common beside their machines.
namespace zkr::recipes {

/// What a call with a deadline of its own gets where the caller names none (call_options::timeout).
inline constexpr duration default_timeout = std::chrono::seconds(15);

/// Runs a campaign's machine. `done` is called once, on the scheduler thread: with the leadership, or with the reason why
/// there is none. A leadership that comes after the wait's end is given back.
void start_campaign(const operations& client, std::unique_ptr<machine> algorithm, handler<leadership> done,
                    call_options wait);

/// Campaigns, leads, resigns, and again, until `wait` ends it. See leader_election::run.
result<void> campaign_and_lead(unique_function<result<leadership>(call_options)> campaign,
                               unique_function<void(leadership&)>& lead, const call_options& wait);

}  // namespace zkr::recipes
