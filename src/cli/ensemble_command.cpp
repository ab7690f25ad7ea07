#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <future>
#include <memory>
#include <thread>

#include "cli/command_line.hpp"
#include "cli/exit_status.hpp"
#include "cli/member_table.hpp"
#include "cli/stat_text.hpp"
#include "cli/text.hpp"
#include "testing/ensemble_member.hpp"
#include "transport/resolver.hpp"

// `zkr ensemble`: Apache ZooKeeper servers of this machine; `zkr status`: any servers.
namespace zkr::cli {
namespace {

using namespace std::chrono_literals;
using testing::ensemble_member;
using testing::member_status;

constexpr const char* ensemble_footer =
    R"(The servers are Apache ZooKeeper's, from Debian's packages zookeeper and default-jre-headless. Each has a folder:
member-1/zoo.cfg (written with explanations, to be edited), member-1/data, member-1/log.

Examples:
  zkr ensemble init 3                     folders and files for three members, here
  zkr ensemble start                      starts them in the background, waits until they serve
  zkr ensemble status                     who leads, who follows, who lags
  zkr ensemble stop --member 2            ends one; start starts it again)";

constexpr const char* status_footer =
    R"(Asks each server that --servers, or HOSTS, names (its four-letter word srvr), and says what they are together.
Exit status 0 where there is a leader, or a standalone server; else 1.)";

/// All at once: one that does not answer delays nobody.
template <typename Members, typename Ask>
std::vector<member_status> ask_all(const Members& members, Ask ask) {
  std::vector<std::future<member_status>> asked;
  asked.reserve(members.size());
  for (const auto& one : members) asked.push_back(std::async(std::launch::async, [&ask, &one] { return ask(one); }));
  std::vector<member_status> answers;
  answers.reserve(asked.size());
  for (auto& one : asked) answers.push_back(one.get());
  return answers;
}

std::vector<member_status> ask_all(const std::vector<ensemble_member>& members) {
  return ask_all(members, [](const ensemble_member& one) { return one.status(); });
}

int print_status(const std::vector<member_status>& members, bool json) {
  const int printed = json ? print_json(member_json(members)) : print_raw(member_table(members));
  if (printed != exit_status::ok) return printed;
  return testing::judge(members).leader ? exit_status::ok : exit_status::failure;
}

int usage(const std::string& problem, const char* command) {
  fmt::print(stderr, "zkr: {}; see zkr {} --help\n", printable(problem), command);
  return exit_status::usage;
}

int status(const connection_settings& with, const std::string& hosts, bool json) {
  const std::string list = hosts.empty() ? with.servers : hosts;
  const auto servers = transport::parse_hosts(std::string_view(list).substr(0, list.find('/')));
  if (!servers) return usage(servers.error().detail(), "status");
  const auto patience = std::chrono::ceil<std::chrono::milliseconds>(with.timeout.value_or(2s));
  return print_status(
      ask_all(*servers, [&](const auto& one) { return testing::ask_member(one.host, one.port, patience); }), json);
}

/// What the command line says of an ensemble.
struct ensemble_request {
  std::string folder = ".";
  std::size_t members = 3;
  int client_port = 2181;
  int quorum_port = 2888;
  int election_port = 3888;
  duration tick_time = 2s;
  std::size_t member = 0;  ///< 0: all of them.
  bool json = false;
};

int init(const ensemble_request& asked) {
  const int last = static_cast<int>(asked.members) - 1;
  for (const int port : {asked.client_port, asked.quorum_port, asked.election_port}) {
    if (port + last > 65535) return usage("the ports end at 65535", "ensemble");
  }
  testing::ensemble_plan plan;
  plan.tick_time = std::chrono::duration_cast<std::chrono::milliseconds>(asked.tick_time);
  for (int i = 0; i <= last; ++i) {
    plan.members.push_back({"127.0.0.1", static_cast<std::uint16_t>(asked.client_port + i),
                            static_cast<std::uint16_t>(asked.quorum_port + i),
                            static_cast<std::uint16_t>(asked.election_port + i)});
  }
  if (const auto written = testing::write_ensemble(asked.folder, plan); !written) return complain(written.error());
  std::string text;
  std::string servers;
  for (int i = 0; i <= last; ++i) {
    const auto& place = plan.members[static_cast<std::size_t>(i)];
    text += fmt::format("member-{}: clients {}:{}, quorum {}, elections {}\n", i + 1, place.address, place.client_port,
                        place.quorum_port, place.election_port);
    servers += fmt::format("{}{}:{}", i == 0 ? "" : ",", place.address, place.client_port);
  }
  text += fmt::format("servers: {}\n", servers);
  if (asked.members % 2 == 0) {
    text += fmt::format("{} members bear no more failures than {}: a majority of them is {}\n", asked.members,
                        asked.members - 1, asked.members / 2 + 1);
  }
  return print_raw(text);
}

/// The members that are meant. Unset: standard error says why.
std::optional<std::vector<ensemble_member>> members_of(const ensemble_request& asked) {
  auto members = testing::open_ensemble(asked.folder);
  if (!members) {
    complain(members.error());
    return std::nullopt;
  }
  return *std::move(members);
}

bool is_meant(const ensemble_request& asked, std::size_t index) {
  return asked.member == 0 || asked.member == index + 1;
}

int start(const connection_settings& with, const ensemble_request& asked) {
  const auto members = members_of(asked);
  if (!members) return exit_status::failure;
  if (asked.member > members->size()) return usage(fmt::format("there is no member {}", asked.member), "ensemble");
  for (std::size_t i = 0; i < members->size(); ++i) {
    if (!is_meant(asked, i)) continue;
    if (const auto started = (*members)[i].start(); !started) return complain(started.error());
  }
  // Those that run: one that was stopped on purpose is not waited for.
  std::vector<ensemble_member> running;
  std::copy_if(members->begin(), members->end(), std::back_inserter(running),
               [](const ensemble_member& one) { return one.process().has_value(); });
  if (running.size() <= members->size() / 2) return print_raw(member_table(ask_all(*members)));
  const auto until = std::chrono::steady_clock::now() + with.timeout.value_or(60s);
  while (true) {
    const auto answers = ask_all(running);
    if (testing::judge(answers).complete(answers.size())) break;
    const bool ended = std::any_of(running.begin(), running.end(), [](const auto& one) { return !one.process(); });
    if (ended || std::chrono::steady_clock::now() > until) {
      print_raw(member_table(answers));
      fmt::print(stderr, "zkr: ensemble: {}; see {}/member-*/log\n",
                 ended ? "a member has ended" : "not all members serve", printable(asked.folder));
      return exit_status::failure;
    }
    std::this_thread::sleep_for(100ms);
  }
  return print_raw(member_table(ask_all(*members)));
}

int stop(const ensemble_request& asked) {
  const auto members = members_of(asked);
  if (!members) return exit_status::failure;
  if (asked.member > members->size()) return usage(fmt::format("there is no member {}", asked.member), "ensemble");
  for (std::size_t i = 0; i < members->size(); ++i) {
    if (is_meant(asked, i)) (*members)[i].signal(SIGTERM);
  }
  for (std::size_t i = 0; i < members->size(); ++i) {
    if (is_meant(asked, i)) (*members)[i].stop(10s);
  }
  return exit_status::ok;
}

int show(const ensemble_request& asked) {
  const auto members = members_of(asked);
  if (!members) return exit_status::failure;
  return print_status(ask_all(*members), asked.json);
}

CLI::App* add_action(CLI::App& ensemble, const char* name, const char* meaning,
                     const std::shared_ptr<ensemble_request>& asked) {
  auto* action = ensemble.add_subcommand(name, meaning);
  action->add_option("--dir", asked->folder, "The folder of the members' folders (default: this one)")
      ->type_name("DIR");
  return action;
}

}  // namespace

void add_ensemble_command(CLI::App& app, command_line& line) {
  auto* ensemble =
      app.add_subcommand("ensemble", "Apache ZooKeeper servers on this machine: init, start, stop, status");
  ensemble->require_subcommand(1);
  ensemble->footer(ensemble_footer);
  const auto asked = std::make_shared<ensemble_request>();

  auto* making = add_action(*ensemble, "init", "Writes the members' files; changes nothing that is there", asked);
  making->add_option("N", asked->members, "How many members (default: 3)")->check(CLI::Range(1, 9))->type_name("");
  const auto port = [&](const char* name, int& into, const std::string& meaning) {
    making->add_option(name, into, meaning)->check(CLI::Range(1, 65535))->type_name("PORT");
  };
  port("--client-port", asked->client_port, "Member 1's, the next has the next (default: 2181)");
  port("--quorum-port", asked->quorum_port, "The same for followers at the leader (default: 2888)");
  port("--election-port", asked->election_port, "The same for elections (default: 3888)");
  add_duration(
      *making, "--tick-time", [asked](duration span) { asked->tick_time = span; },
      "Clients get time-outs of 2 to 20 ticks (default: 2s)");
  making->callback([&line, asked] { line.run = [asked] { return init(*asked); }; });

  const auto one_member = [&](CLI::App* action) {
    action->add_option("--member", asked->member, "Only this one")->check(CLI::Range(1, 9))->type_name("K");
  };
  auto* starting = add_action(*ensemble, "start", "Starts them in the background; waits until they serve", asked);
  one_member(starting);
  starting->callback([&line, asked] { line.run = [&line, asked] { return start(line.with, *asked); }; });
  auto* stopping = add_action(*ensemble, "stop", "Ends them; their data stay", asked);
  one_member(stopping);
  stopping->callback([&line, asked] { line.run = [asked] { return stop(*asked); }; });
  auto* showing = add_action(*ensemble, "status", "Who leads, who follows, who lags; as zkr status", asked);
  showing->add_flag("--json", asked->json, "One JSON text instead");
  showing->callback([&line, asked] { line.run = [asked] { return show(*asked); }; });
}

void add_status_command(CLI::App& app, command_line& line) {
  struct arguments {
    std::string hosts;
    bool json = false;
  };
  auto* command = app.add_subcommand("status", "What servers say of themselves: who leads, who follows, who lags");
  const auto given = std::make_shared<arguments>();
  command->add_option("HOSTS", given->hosts, "HOST[:PORT],... (default: those of --servers)")->type_name("");
  command->add_flag("--json", given->json, "One JSON text instead");
  command->footer(status_footer);
  command->callback(
      [&line, given] { line.run = [&line, given] { return status(line.with, given->hosts, given->json); }; });
}

}  // namespace zkr::cli
