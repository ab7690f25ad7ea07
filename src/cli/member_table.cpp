#include "cli/member_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "cli/text.hpp"

namespace zkr::cli {
namespace {

using json = nlohmann::ordered_json;
using testing::member_role;
using testing::member_status;
using testing::quorum_status;

constexpr std::int64_t counter_mask = 0xffff'ffff;

bool serves(const member_status& member) {
  return member.role == member_role::leader || member.role == member_role::follower ||
         member.role == member_role::observer || member.role == member_role::standalone;
}

/// Transactions that a member has to apply yet; unset where nobody leads it.
std::optional<std::int64_t> lag_of(const member_status& member, const std::vector<member_status>& all,
                                   const quorum_status& together) {
  if (!together.leader || !serves(member) || &member == &all[*together.leader]) return std::nullopt;
  const member_status& leader = all[*together.leader];
  // Who follows has all of the epochs before.
  const bool same_epoch = member.zxid >> 32U == leader.zxid >> 32U;
  const std::int64_t applied = same_epoch ? member.zxid & counter_mask : 0;
  return std::max<std::int64_t>(0, (leader.zxid & counter_mask) - applied);
}

std::string verdict(const std::vector<member_status>& members, const quorum_status& together) {
  const auto needed = members.size() / 2 + 1;
  if (together.leaders > 1) {
    return fmt::format("{} leaders: one of them was cut off and has not noticed yet; ask again", together.leaders);
  }
  if (!together.leader && together.serving == 0) {
    return fmt::format("no quorum: none of {} serves; {} must be up and reach each other", members.size(), needed);
  }
  if (!together.leader) return fmt::format("no leader among these {}; are all members named?", members.size());
  const member_status& leader = members[*together.leader];
  if (leader.role == member_role::standalone) {
    return members.size() == 1 ? "a standalone server" : "a standalone server among others: no ensemble";
  }
  if (together.serving == members.size()) {
    return fmt::format("quorum: all {} serve; {} leads", members.size(), leader.address);
  }
  const auto spare = together.serving - needed;
  return fmt::format(
      "quorum: {} of {} serve; {} leads; {}", together.serving, members.size(), leader.address,
      together.serving <= needed ? "one more failure stops the service" : fmt::format("{} more may fail", spare));
}

}  // namespace

std::string member_table(const std::vector<member_status>& members) {
  const quorum_status together = testing::judge(members);
  std::size_t width = 6;
  for (const auto& one : members) width = std::max(width, one.address.size());
  std::string text = fmt::format("{:{}}  {:11}  {:>18}  {:>6}  {:>11}  {:>8}\n", "MEMBER", width, "ROLE", "ZXID", "LAG",
                                 "CONNECTIONS", "NODES");
  for (const auto& one : members) {
    text += fmt::format("{:{}}  {:11}", one.address, width, to_string(one.role));
    if (serves(one)) {
      const auto lag = lag_of(one, members, together);
      text += fmt::format("  {:>18}  {:>6}  {:>11}  {:>8}", fmt::format("{:#x}", static_cast<std::uint64_t>(one.zxid)),
                          lag ? std::to_string(*lag) : "-", one.connections, one.nodes);
    } else if (!one.problem.empty()) {
      text += "  " + printable(one.problem);
    }
    text += '\n';
  }
  return text + verdict(members, together) + '\n';
}

json member_json(const std::vector<member_status>& members) {
  const quorum_status together = testing::judge(members);
  json list = json::array();
  for (const auto& one : members) {
    json entry{{"address", one.address}, {"role", to_string(one.role)}};
    if (!one.problem.empty()) entry["problem"] = printable(one.problem);
    if (serves(one)) {
      entry["version"] = one.version;
      entry["zxid"] = one.zxid;
      if (const auto lag = lag_of(one, members, together)) entry["lag"] = *lag;
      entry["connections"] = one.connections;
      entry["nodes"] = one.nodes;
    }
    list.push_back(std::move(entry));
  }
  json all{{"members", std::move(list)}, {"serving", together.serving}};
  all["leader"] = together.leader ? json(members[*together.leader].address) : json();
  all["verdict"] = verdict(members, together);
  return all;
}

}  // namespace zkr::cli
