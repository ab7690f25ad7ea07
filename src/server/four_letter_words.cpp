#include "server/four_letter_words.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <filesystem>
#include <iterator>
#include <map>

#include "server/figures.hpp"

namespace zkr::backend {

namespace {

constexpr std::string_view known_words[] = {"ruok", "isro", "srvr", "stat", "cons", "conf", "mntr", "envi", "dump",
                                            "wchs", "wchc", "wchp", "dirs", "crst", "srst", "gtmk", "stmk"};

template <typename... Args>
void add(std::string& to, fmt::format_string<Args...> text, Args&&... args) {
  fmt::format_to(std::back_inserter(to), text, std::forward<Args>(args)...);
}

std::size_t connections_except(const processor& server, connection_id asker) {
  return server.connections().size() - server.connections().count(asker);
}

// The average whole, too: go-zookeeper cannot parse another.
std::string common(const processor& server, connection_id asker) {
  std::string text;
  const timing& latency = server.statistics().latency;
  add(text, "Latency min/avg/max: {}/{}/{}\n", whole_ms(latency.shortest),
      whole_ms(latency.count == 0 ? duration() : latency.sum / static_cast<duration::rep>(latency.count)),
      whole_ms(latency.longest));
  add(text, "Received: {}\n", server.statistics().received);
  add(text, "Sent: {}\n", server.statistics().sent);
  add(text, "Connections: {}\n", connections_except(server, asker));
  add(text, "Outstanding: {}\n", server.outstanding());
  add(text, "Zxid: {:#x}\n", static_cast<std::uint64_t>(server.state().last_zxid()));
  add(text, "Mode: standalone\n");
  add(text, "Node count: {}\n", server.state().nodes().size());
  return text;
}

std::string name_of(const connection& one) { return fmt::format("/{}:{}", one.peer.address, one.peer.port); }

std::string stat(const processor& server, connection_id asker) {
  std::string text = fmt::format("Zookeeper version: {}\nClients:\n", server_version);
  for (const connection* one : by_age(server)) {
    if (one->id == asker) continue;
    add(text, " {}[{}](queued={},recved={},sent={})\n", name_of(*one), one->session != nullptr ? 1 : 0,
        one->outstanding, one->received, one->sent);
  }
  return text + "\n" + common(server, asker);
}

std::string cons(const processor& server, connection_id asker) {
  std::string text;
  for (const connection* one : by_age(server)) {
    if (one->id == asker || one->session == nullptr) continue;
    add(text,
        " {}[1](queued={},recved={},sent={},sid={:#x},lop={},est={},to={},lcxid={:#x},lzxid={:#x},lresp={},llat={},"
        "minlat={},avglat={},maxlat={})\n",
        name_of(*one), one->outstanding, one->received, one->sent, static_cast<std::uint64_t>(one->last_session),
        short_name(one->last_operation), one->established_ms, whole_ms(one->session->timeout),
        static_cast<std::uint32_t>(one->last_cxid), static_cast<std::uint64_t>(one->last_zxid), one->last_response_ms,
        whole_ms(one->latency.last), whole_ms(one->latency.shortest),
        static_cast<std::int64_t>(one->latency.average_ms()), whole_ms(one->latency.longest));
  }
  return text + "\n";
}

std::string conf(const processor& server, const server_facts& facts) {
  const processor_options& options = server.options();
  std::string text;
  add(text, "clientPort={}\nsecureClientPort=-1\n", facts.port);
  add(text, "dataDir={}\ndataDirSize={}\n", facts.data_dir, bytes_below(facts.data_dir));
  add(text, "dataLogDir={}\ndataLogSize={}\n", facts.data_log_dir, bytes_below(facts.data_log_dir));
  add(text, "tickTime={}\nmaxClientCnxns={}\n", options.tick_time.count(), facts.max_connections_per_address);
  add(text, "minSessionTimeout={}\nmaxSessionTimeout={}\n", options.min_session_timeout.count(),
      options.max_session_timeout.count());
  add(text, "clientPortListenBacklog=-1\nserverId=0\n");
  return text;
}

std::string mntr(const processor& server, const server_facts& facts, connection_id asker, instant at) {
  std::string text;
  const nlohmann::ordered_json shown = monitor(server, facts, asker, at);
  for (const auto& [name, value] : shown.items()) {
    add(text, "zk_{}\t{}\n", name, value.is_string() ? value.get<std::string>() : value.dump());
  }
  return text;
}

std::string envi() {
  std::string text = "Environment:\n";
  for (const auto& [name, value] : environment_of_server()) add(text, "{}={}\n", name, value);
  return text;
}

std::string dump(const processor& server, instant at) {
  std::map<time_point, std::vector<session_id>> sets;
  for (const auto& [id, one] : server.sessions().all()) sets[one.deadline].push_back(id);
  std::string text = "SessionTracker dump:\n";
  add(text, "Session Sets ({})/({}):\n", sets.size(), server.sessions().size());
  for (auto& [deadline, ids] : sets) {
    const auto in_ms = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - at.now).count();
    const auto seconds = static_cast<std::time_t>((at.wall_ms + in_ms) / 1000);
    std::tm when{};
    gmtime_r(&seconds, &when);
    std::array<char, 64> date{};
    std::strftime(date.data(), date.size(), "%a %b %d %H:%M:%S UTC %Y", &when);
    add(text, "{} expire at {}:\n", ids.size(), date.data());
    std::sort(ids.begin(), ids.end());
    for (const session_id id : ids) add(text, "\t{:#x}\n", static_cast<std::uint64_t>(id));
  }
  const auto& owners = server.state().nodes().ephemerals_by_session();
  add(text, "ephemeral nodes dump:\nSessions with Ephemerals ({}):\n", owners.size());
  for (const auto& [id, nodes] : owners) {
    add(text, "{:#x}:\n", static_cast<std::uint64_t>(id));
    for (const auto& [zxid, one] : nodes) add(text, "\t{}\n", one->path);
  }
  add(text, "Connections dump:\nConnections Sets (1)/({}):\n", server.connections().size());
  return text;
}

std::string sid_of(const processor& server, connection_id id) {
  const auto found = server.connections().find(id);
  const session_id session = found == server.connections().end() ? 0 : found->second.last_session;
  return fmt::format("{:#x}", static_cast<std::uint64_t>(session));
}

// Apache's words about watches show its data table only.
std::string wchs(const processor& server) {
  const watch_table& table = server.watched().data();
  return fmt::format("{} connections watching {} paths\nTotal watches:{}\n", table.watching_connections(),
                     table.watched_paths(), table.size());
}

std::string wchc(const processor& server) {
  std::map<connection_id, std::vector<std::string_view>> by_connection;
  for (const auto& [path, who] : server.watched().data().listing()) {
    for (const connection_id id : who) by_connection[id].push_back(path);
  }
  std::string text;
  for (const auto& [id, paths] : by_connection) {
    add(text, "{}\n", sid_of(server, id));
    for (const std::string_view path : paths) add(text, "\t{}\n", path);
  }
  return text + "\n";
}

std::string wchp(const processor& server) {
  std::string text;
  for (const auto& [path, who] : server.watched().data().listing()) {
    add(text, "{}\n", path);
    for (const connection_id id : who) add(text, "\t{}\n", sid_of(server, id));
  }
  return text + "\n";
}

}  // namespace

std::vector<const connection*> by_age(const processor& server) {
  std::vector<const connection*> list;
  for (const auto& [id, one] : server.connections()) list.push_back(&one);
  std::sort(list.begin(), list.end(), [](const connection* a, const connection* b) { return a->id < b->id; });
  return list;
}

std::string_view short_name(wire::opcode type) noexcept {
  using wire::opcode;
  switch (type) {
    case opcode::notification: return "NA";
    case opcode::create: return "CREA";
    case opcode::remove: return "DELE";
    case opcode::exists: return "EXIS";
    case opcode::get_data: return "GETD";
    case opcode::set_data: return "SETD";
    case opcode::get_acl: return "GETA";
    case opcode::set_acl: return "SETA";
    case opcode::get_children: return "GETC";
    case opcode::sync: return "SYNC";
    case opcode::ping: return "PING";
    case opcode::get_children2: return "GETC2";
    case opcode::multi: return "MULT";
    case opcode::create2: return "CRE2";
    case opcode::create_session: return "SESS";
    case opcode::close_session: return "CLOS";
    case opcode::set_watches: return "SETW";
    case opcode::set_watches2: return "STW2";
    default: return "OTHR";
  }
}

std::vector<std::pair<std::string, std::string>> environment_of_server() {
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  return {{"zookeeper.version", std::string(server_version)},
          {"host.name", host.data()},
          {"java.version", "none"},
          {"java.vendor", "none"},
          {"java.home", ""},
          {"java.class.path", ""},
          {"java.library.path", ""},
          {"java.io.tmpdir", ""},
          {"java.compiler", "<NA>"},
          {"os.name", "Linux"},
          {"os.arch", "amd64"},
          {"os.version", ""},
          {"user.name", ""},
          {"user.home", ""},
          {"user.dir", ""},
          {"os.memory.free", "0MB"},
          {"os.memory.max", "0MB"},
          {"os.memory.total", "0MB"}};
}

std::uint64_t bytes_below(const std::string& directory) {
  std::uint64_t sum = 0;
  std::error_code failed;
  std::filesystem::directory_iterator one(directory, failed);
  // A file may go while we look.
  for (; !failed && one != std::filesystem::directory_iterator(); one.increment(failed)) {
    std::error_code gone;
    const std::uint64_t size = one->file_size(gone);
    if (!gone) sum += size;
  }
  return sum;
}

bool is_four_letter_word(std::string_view word) noexcept {
  return std::find(std::begin(known_words), std::end(known_words), word) != std::end(known_words);
}

bool word_list::allows(std::string_view word) const noexcept {
  return std::any_of(allowed_.begin(), allowed_.end(),
                     [word](const std::string& one) { return one == "*" || one == word; });
}

std::string refusal(std::string_view word) {
  return fmt::format("{} is not executed because it is not in the whitelist.\n", word);
}

std::string answer(std::string_view word, processor& server, const server_facts& facts, connection_id asker,
                   instant at) {
  if (word == "ruok") return "imok";
  if (word == "isro") return "rw";
  if (word == "srvr") return fmt::format("Zookeeper version: {}\n", server_version) + common(server, asker);
  if (word == "stat") return stat(server, asker);
  if (word == "cons") return cons(server, asker);
  if (word == "conf") return conf(server, facts);
  if (word == "mntr") return mntr(server, facts, asker, at);
  if (word == "envi") return envi();
  if (word == "dump") return dump(server, at);
  if (word == "wchs") return wchs(server);
  if (word == "wchc") return wchc(server);
  if (word == "wchp") return wchp(server);
  if (word == "dirs") {
    return fmt::format("datadir_size: {}\nlogdir_size: {}\n", bytes_below(facts.data_dir),
                       bytes_below(facts.data_log_dir));
  }
  if (word == "gtmk" || word == "stmk") return std::to_string(facts.trace_mask);
  if (word == "crst") {
    server.reset_connection_statistics();
    return "Connection stats reset.\n";
  }
  if (word == "srst") {
    server.reset_statistics();
    return "Server stats reset.\n";
  }
  return {};
}

}  // namespace zkr::backend
