#include "server/admin_commands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <map>

#include "server/figures.hpp"

namespace zkr::backend {

namespace {

using json = nlohmann::ordered_json;

struct question {
  processor& server;
  server_facts& facts;
  instant at;
  const std::map<std::string, std::string>& parameters;
};

json refused(const std::string& why) { return {{"error", why}}; }

// ---- the server -----------------------------------------------------------------------------------------------------

json ruok(const question&) { return json::object(); }
json is_read_only(const question&) { return {{"read_only", false}}; }

json configuration(const question& of) {
  const processor_options& options = of.server.options();
  return {{"client_port", of.facts.port},
          {"data_dir", of.facts.data_dir},
          {"data_log_dir", of.facts.data_log_dir},
          {"tick_time", options.tick_time.count()},
          {"max_client_cnxns", of.facts.max_connections_per_address},
          {"min_session_timeout", options.min_session_timeout.count()},
          {"max_session_timeout", options.max_session_timeout.count()},
          {"server_id", 0},
          {"client_port_listen_backlog", -1}};
}

json environment(const question&) {
  json shown = json::object();
  for (const auto& [name, value] : environment_of_server()) shown[name] = value;
  return shown;
}

json dirs(const question& of) {
  return {{"datadir_size", bytes_below(of.facts.data_dir)}, {"logdir_size", bytes_below(of.facts.data_log_dir)}};
}

json server_stats(const question& of) {
  const processor_statistics& counted = of.server.statistics();
  const journal_figures disk = of.server.log() != nullptr ? of.server.log()->figures() : journal_figures();
  return {{"version", server_version},
          {"read_only", false},
          {"server_stats",
           {{"packets_sent", counted.sent},
            {"packets_received", counted.received},
            {"fsync_threshold_exceed_count", disk.slow_syncs},
            {"data_dir_size", bytes_below(of.facts.data_dir)},
            {"log_dir_size", bytes_below(of.facts.data_log_dir)},
            {"provider_null", false},
            {"server_state", "standalone"},
            {"last_processed_zxid", of.server.state().last_zxid()},
            {"outstanding_requests", of.server.outstanding()},
            {"avg_latency", average_ms(counted.latency)},
            {"max_latency", whole_ms(counted.latency.longest)},
            {"min_latency", whole_ms(counted.latency.shortest)},
            {"num_alive_client_connections", of.server.connections().size()},
            {"uptime", of.at.wall_ms - of.facts.started_ms},
            {"auth_failed_count", counted.failed_auths}}},
          {"node_count", of.server.state().nodes().size()}};
}

json monitor_all(const question& of) { return monitor(of.server, of.facts, 0, of.at); }

json last_snapshot(const question& of) {
  if (of.server.log() == nullptr) return refused("nothing is kept on a disk");
  const std::string zxid = fmt::format("{:x}", of.server.log()->figures().snapshot_zxid);
  std::error_code failed;
  const auto written = std::filesystem::last_write_time(of.facts.data_dir + "/snapshot." + zxid, failed);
  // Ticks of the file clock, which C++20 lets nobody convert in g++ 12 and clang 14 alike: by its age.
  const auto age = std::filesystem::file_time_type::clock::now() - written;
  json shown = {{"zxid", zxid}};
  if (!failed)
    shown["timestamp"] = of.at.wall_ms / 1000 - std::chrono::duration_cast<std::chrono::seconds>(age).count();
  return shown;
}

// ---- connections and sessions ---------------------------------------------------------------------------------------

json connection_basics(const connection& one) {
  return {{"remote_socket_address", fmt::format("{}:{}", one.peer.address, one.peer.port)},
          {"interest_ops", 1},
          {"outstanding_requests", one.outstanding},
          {"packets_received", one.received},
          {"packets_sent", one.sent}};
}

json stats(const question& of) {
  json shown = server_stats(of);
  json list = json::array();
  for (const connection* one : by_age(of.server)) list.push_back(connection_basics(*one));
  shown["connections"] = std::move(list);
  shown["secure_connections"] = json::array();
  return shown;
}

json connections(const question& of) {
  json list = json::array();
  for (const connection* one : by_age(of.server)) {
    json shown = connection_basics(*one);
    if (one->session != nullptr) {
      shown["session_id"] = one->last_session;
      shown["last_operation"] = short_name(one->last_operation);
      shown["established"] = one->established_ms;
      shown["session_timeout"] = whole_ms(one->session->timeout);
      shown["last_cxid"] = one->last_cxid;
      shown["last_zxid"] = one->last_zxid;
      shown["last_response_time"] = one->last_response_ms;
      shown["last_latency"] = whole_ms(one->latency.last);
      shown["min_latency"] = whole_ms(one->latency.shortest);
      shown["avg_latency"] = static_cast<std::int64_t>(one->latency.average_ms());
      shown["max_latency"] = whole_ms(one->latency.longest);
    }
    list.push_back(std::move(shown));
  }
  return {{"connections", std::move(list)}, {"secure_connections", json::array()}};
}

json dump(const question& of) {
  std::map<std::int64_t, std::vector<session_id>> sets;
  for (const auto& [id, one] : of.server.sessions().all()) {
    sets[whole_ms(one.deadline.time_since_epoch())].push_back(id);
  }
  json expiries = json::object();
  for (auto& [deadline, ids] : sets) {
    std::sort(ids.begin(), ids.end());
    expiries[std::to_string(deadline)] = ids;
  }
  json ephemerals = json::object();
  for (const auto& [id, nodes] : of.server.state().nodes().ephemerals_by_session()) {
    json& paths = ephemerals[std::to_string(id)] = json::array();
    for (const auto& [zxid, one] : nodes) paths.push_back(one->path);
  }
  return {{"expiry_time_to_session_ids", std::move(expiries)},
          {"session_id_to_ephemeral_paths", std::move(ephemerals)}};
}

json connection_stat_reset(const question& of) {
  of.server.reset_connection_statistics();
  return json::object();
}

json stat_reset(const question& of) {
  of.server.reset_statistics();
  return json::object();
}

// ---- watches: of Apache's two tables, the one of data, as its words have them -----------------------------------------

session_id session_of(const processor& server, connection_id id) {
  const auto found = server.connections().find(id);
  return found == server.connections().end() ? 0 : found->second.last_session;
}

json watches(const question& of) {
  std::map<session_id, json> by_session;
  for (const auto& [path, who] : of.server.watched().data().listing()) {
    for (const connection_id id : who) by_session[session_of(of.server, id)].push_back(path);
  }
  json shown = json::object();
  for (auto& [id, paths] : by_session) shown[std::to_string(id)] = std::move(paths);
  return {{"session_id_to_watched_paths", std::move(shown)}};
}

json watches_by_path(const question& of) {
  json shown = json::object();
  for (const auto& [path, who] : of.server.watched().data().listing()) {
    json& ids = shown[std::string(path)] = json::array();
    for (const connection_id id : who) ids.push_back(session_of(of.server, id));
  }
  return {{"path_to_session_ids", std::move(shown)}};
}

json watch_summary(const question& of) {
  const watch_table& table = of.server.watched().data();
  return {{"num_connections", table.watching_connections()},
          {"num_paths", table.watched_paths()},
          {"num_total_watches", table.size()}};
}

// ---- what a single server without Java has not: Apache's answers of a standalone one, or a reason ---------------------

json hash(const question&) { return {{"digests", json::array()}}; }
json leader(const question&) { return refused("this server is a single one: nobody leads"); }
json observers(const question&) { return {{"synced_observers", 0}, {"observers", json::array()}}; }
json voting_view(const question&) { return {{"current_config", json::object()}}; }
json zab_state(const question&) { return {{"voting", false}, {"zabstate", ""}}; }
json get_trace_mask(const question& of) { return {{"tracemask", of.facts.trace_mask}}; }
// It has no more effect than the word stmk, and is remembered as with that.
json set_trace_mask(const question& of) {
  const auto given = of.parameters.find("traceMask");
  if (given == of.parameters.end()) return refused("setTraceMask requires long traceMask argument");
  const std::string& text = given->second;
  std::int64_t mask = 0;
  const auto read = std::from_chars(text.data() + (text.starts_with('+') ? 1 : 0), text.data() + text.size(), mask);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) {
    return refused("setTraceMask requires long traceMask argument, got " + text);
  }
  of.facts.trace_mask = mask;
  return get_trace_mask(of);
}
json system_properties(const question&) { return refused("this server is no Java program"); }
json initial_configuration(const question&) { return refused("this server was started without a file"); }

struct command {
  std::array<std::string_view, 3> names;  ///< The long one first; "": none.
  json (*answer)(const question&);
};

constexpr std::array commands{
    command{{"configuration", "conf", "config"}, configuration},
    command{{"connection_stat_reset", "crst"}, connection_stat_reset},
    command{{"connections", "cons"}, connections},
    command{{"dirs"}, dirs},
    command{{"dump"}, dump},
    command{{"environment", "env", "envi"}, environment},
    command{{"get_trace_mask", "gtmk"}, get_trace_mask},
    command{{"hash"}, hash},
    command{{"initial_configuration", "icfg"}, initial_configuration},
    command{{"is_read_only", "isro"}, is_read_only},
    command{{"last_snapshot", "lsnp"}, last_snapshot},
    command{{"leader", "lead"}, leader},
    command{{"monitor", "mntr"}, monitor_all},
    command{{"observer_connection_stat_reset", "orst"}, ruok},
    command{{"observers", "obsr"}, observers},
    command{{"ruok"}, ruok},
    command{{"server_stats", "srvr"}, server_stats},
    command{{"set_trace_mask", "stmk"}, set_trace_mask},
    command{{"stat_reset", "srst"}, stat_reset},
    command{{"stats", "stat"}, stats},
    command{{"system_properties", "sysp"}, system_properties},
    command{{"voting_view"}, voting_view},
    command{{"watch_summary", "wchs"}, watch_summary},
    command{{"watches", "wchc"}, watches},
    command{{"watches_by_path", "wchp"}, watches_by_path},
    command{{"zabstate"}, zab_state},
};

}  // namespace

std::vector<std::string> admin_command_names() {
  std::vector<std::string> names;
  names.reserve(commands.size());
  for (const command& one : commands) names.emplace_back(one.names.front());
  return names;
}

std::string admin_answer(std::string_view name, const std::map<std::string, std::string>& parameters, processor& server,
                         server_facts& facts, instant at) {
  const auto* const found = std::find_if(commands.begin(), commands.end(), [name](const command& one) {
    return !name.empty() && std::find(one.names.begin(), one.names.end(), name) != one.names.end();
  });
  json shown;
  if (found == commands.end()) {
    shown["command"] = name;
    shown["error"] = fmt::format("Unknown command: {}", name);
  } else {
    shown = found->answer({server, facts, at, parameters});
    shown["command"] = found->names.front();
    if (!shown.contains("error")) shown["error"] = nullptr;
  }
  // Paths and names may be no UTF-8.
  return shown.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace zkr::backend
