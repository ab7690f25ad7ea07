#include "server/figures.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <cmath>
#include <iterator>

namespace zkr::backend {

namespace {

std::int64_t whole(std::uint64_t number) noexcept { return static_cast<std::int64_t>(number); }

std::int64_t open_descriptors_limit() {
  rlimit limit{};
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? whole(limit.rlim_cur) : -1;
}

template <typename... Args>
void add(std::string& to, fmt::format_string<Args...> text, Args&&... args) {
  fmt::format_to(std::back_inserter(to), text, std::forward<Args>(args)...);
}

void add_head(std::string& to, std::string_view name, std::string_view type, std::string_view help) {
  add(to, "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void add_latencies(std::string& to, const processor_statistics& counted) {
  constexpr std::string_view name = "zkrecipes_request_latency_seconds";
  add_head(to, name, "histogram", "Time from the receipt of a request until its reply left.");
  std::uint64_t so_far = 0;
  for (std::size_t i = 0; i < histogram::bounds.size(); ++i) {
    so_far += counted.latencies.in_slot(i);
    add(to, "{}_bucket{{le=\"{}\"}} {}\n", name, std::chrono::duration<double>(histogram::bounds.at(i)).count(),
        so_far);
  }
  add(to, "{}_bucket{{le=\"+Inf\"}} {}\n", name, counted.latency.count);
  add(to, "{}_sum {}\n{}_count {}\n", name, std::chrono::duration<double>(counted.latency.sum).count(), name,
      counted.latency.count);
}

}  // namespace

double average_ms(const timing& of) {
  constexpr double digits = 10'000;
  return std::round(of.average_ms() * digits) / digits;
}

std::int64_t whole_ms(duration of) noexcept {
  return std::chrono::duration_cast<std::chrono::milliseconds>(of).count();
}

std::vector<figure> figures_of(const processor& server, const server_facts& facts, connection_id asker, instant at) {
  using enum figure::kind;
  const processor_statistics& counted = server.statistics();
  const tree& nodes = server.state().nodes();
  const std::int64_t connections = whole(server.connections().size() - server.connections().count(asker));
  const journal_figures disk = server.log() != nullptr ? server.log()->figures() : journal_figures();
  return {
      {"ephemerals_count", gauge, "Ephemeral nodes.", whole(nodes.ephemerals())},
      {"num_alive_connections", gauge, "Open connections of clients.", connections},
      {"avg_latency", gauge, "Average time from the receipt of a request until its reply left, in ms.",
       average_ms(counted.latency)},
      {"min_latency", gauge, "The shortest of those times, in ms.", whole_ms(counted.latency.shortest)},
      {"max_latency", gauge, "The longest of those times, in ms.", whole_ms(counted.latency.longest)},
      {"packets_received", counter, "Requests received, handshakes included.", whole(counted.received)},
      {"packets_sent", counter, "Replies and events sent.", whole(counted.sent)},
      {"outstanding_requests", gauge, "Requests whose replies have not left.", whole(server.outstanding())},
      {"znode_count", gauge, "Nodes.", whole(nodes.size())},
      {"watch_count", gauge, "Watches.", whole(server.watch_count())},
      {"approximate_data_size", gauge, "Bytes of the nodes' data and paths.",
       whole(static_cast<std::uint64_t>(nodes.approximate_bytes()))},
      {"global_sessions", gauge, "Sessions.", whole(server.sessions().size())},
      {"local_sessions", gauge, "Always 0: there are no local sessions.", 0},
      {"open_file_descriptor_count", gauge, "Descriptors in use for clients and the port.", connections + 1},
      {"max_file_descriptor_count", gauge, "Descriptors that the process may have.", open_descriptors_limit()},
      {"stale_sessions_expired", counter, "Sessions that timed out.", whole(counted.expired_sessions)},
      {"uptime", gauge, "Time since the start, in ms.", at.wall_ms - facts.started_ms},
      {"auth_failed_count", counter, "Authentications that failed.", whole(counted.failed_auths)},
      {"connection_rejected", counter, "Connections closed at once because there were too many.",
       whole(counted.rejected_connections)},
      {"bytes_received_count", counter, "Bytes of the requests received.", whole(counted.received_bytes)},
      {"response_bytes", counter, "Bytes of the replies and events sent.", whole(counted.sent_bytes)},
      {"fsynctime", gauge, "Time that the disk took to have transactions safe, in ms.", disk.syncs},
      {"snapshottime", gauge, "Time to make a snapshot, in ms.", disk.snapshots},
      {"zkrecipes_slow_fsyncs", counter, "Of the fsyncs, those that took more than a second.", whole(disk.slow_syncs)},
      {"zkrecipes_sessions_created", counter, "Sessions that began.", whole(counted.created_sessions)},
      {"zkrecipes_last_zxid", gauge, "The last transaction's number.", server.state().last_zxid()},
  };
}

nlohmann::ordered_json monitor(const processor& server, const server_facts& facts, connection_id asker, instant at) {
  nlohmann::ordered_json shown = {{"version", server_version}, {"server_state", "standalone"}};
  for (const figure& one : figures_of(server, facts, asker, at)) {
    const std::string name(one.name);
    if (const auto* times = std::get_if<timing>(&one.value)) {
      shown["avg_" + name] = average_ms(*times);
      shown["min_" + name] = whole_ms(times->shortest);
      shown["max_" + name] = whole_ms(times->longest);
      shown["cnt_" + name] = times->count;
      shown["sum_" + name] = whole_ms(times->sum);
    } else if (const auto* real = std::get_if<double>(&one.value)) {
      shown[name] = *real;
    } else {
      shown[name] = std::get<std::int64_t>(one.value);
    }
  }
  return shown;
}

std::string metrics(const processor& server, const server_facts& facts, instant at) {
  std::string text;
  for (const figure& one : figures_of(server, facts, 0, at)) {
    if (const auto* times = std::get_if<timing>(&one.value)) {
      add_head(text, one.name, "summary", one.help);
      add(text, "{}_sum {}\n{}_count {}\n", one.name, timing::ms(times->sum), one.name, times->count);
      continue;
    }
    add_head(text, one.name, one.type == figure::kind::counter ? "counter" : "gauge", one.help);
    if (const auto* real = std::get_if<double>(&one.value)) {
      add(text, "{} {}\n", one.name, *real);
    } else {
      add(text, "{} {}\n", one.name, std::get<std::int64_t>(one.value));
    }
  }
  add_latencies(text, server.statistics());
  return text;
}

}  // namespace zkr::backend
