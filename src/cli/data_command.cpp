#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <limits>
#include <memory>
#include <optional>

#include "cli/command_line.hpp"
#include "cli/data_text.hpp"
#include "cli/exit_status.hpp"
#include "cli/read_file.hpp"
#include "cli/stat_text.hpp"
#include "cli/text.hpp"
#include "server/storage/checksum.hpp"
#include "server/storage/inspection.hpp"

namespace zkr::cli {
namespace {

using namespace backend;
using json = nlohmann::ordered_json;

constexpr const char* footer =
    R"(DIR is what a server calls its dataDir, of this server or of Apache ZooKeeper. Nothing in it is changed, and no
server is kept from starting. While a server works on it, what is shown is the state of one moment.

Examples:
  zkr data check /var/lib/zk                  is it sound, and what would a start find
  zkr data dump /var/lib/zk --data            every session and node that a start would find
  zkr data log /var/lib/zk --path /app        what happened to /app and below)";

struct folder_request {
  std::string data_dir;
  std::string log_dir;
  bool json_text = false;
  bool with_data = false;
  std::int64_t from = 0;
  std::int64_t to = std::numeric_limits<std::int64_t>::max();
  std::string path = "/";
};

/// Lines that leave in pieces.
class output {
 public:
  explicit output(bool json_text) : json_text_(json_text) {}

  void add(const json& object) {
    if (status_ != exit_status::ok) return;
    text_ += json_text_ ? object.dump(-1, ' ', false, json::error_handler_t::replace) : line_of(object);
    text_ += '\n';
    if (text_.size() >= piece_bytes) flush();
  }
  int flush() {
    if (status_ == exit_status::ok && !text_.empty()) status_ = print_raw(text_);
    text_.clear();
    return status_;
  }

 private:
  static constexpr std::size_t piece_bytes = 1U << 16U;
  bool json_text_;
  std::string text_;
  int status_ = exit_status::ok;
};

/// A folder, and what the kernel says of its lock: to take it would keep a server from starting.
class looked_at {
 public:
  explicit looked_at(const folder_request& asked)
      : files_(make_posix_file_system()), folder_(data_folder::at(*files_, asked.data_dir, asked.log_dir)) {
    if (!is_in_use()) return;
    fmt::print(stderr, "zkr: data: a server is using {}; it may be ahead of what is shown\n",
               printable(asked.data_dir));
  }
  [[nodiscard]] const data_folder& folder() const noexcept { return folder_; }

 private:
  [[nodiscard]] bool is_in_use() const {
    struct ::stat lock {};
    if (::stat(folder_.lock_path().c_str(), &lock) != 0) return false;
    const std::string inode = fmt::format(" {:02x}:{:02x}:{} ", major(lock.st_dev), minor(lock.st_dev), lock.st_ino);
    const auto locks = read_file("/proc/locks");
    return locks && locks->find(inode) != std::string::npos;
  }

  std::unique_ptr<file_system> files_;
  data_folder folder_;
};

// ---- check ----------------------------------------------------------------------------------------------------------

std::string condition_of(const file_report& one) {
  switch (one.state) {
    case file_report::condition::sound: break;
    case file_report::condition::torn: return "torn end " + one.problem;
    case file_report::condition::damaged: return "damaged " + one.problem;
  }
  return "good";
}

using row = std::vector<std::string>;

std::string table(const std::vector<row>& rows) {
  std::vector<std::size_t> widths;
  for (const row& one : rows) {
    widths.resize(std::max(widths.size(), one.size()));
    for (std::size_t i = 0; i < one.size(); ++i) widths[i] = std::max(widths[i], one[i].size());
  }
  std::string text;
  for (const row& one : rows) {
    std::string line;
    for (std::size_t i = 0; i < one.size(); ++i) {
      const bool is_text = i == 0 || i + 1 == one.size();
      line += is_text ? fmt::format("{:<{}}  ", one[i], widths[i]) : fmt::format("{:>{}}  ", one[i], widths[i]);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  }
  return text;
}

std::string name_of(const data_file& file) { return printable(file.path.substr(file.path.rfind('/') + 1)); }

int check(const folder_request& asked) {
  const looked_at at(asked);
  const auto report = inspect(at.folder());
  if (!report) return complain(report.error());
  std::vector<row> rows{{"file", "first zxid", "last zxid", "records", "sessions", "nodes", "bytes", "state"}};
  for (const file_report& one : report->snapshots) {
    const bool read = one.state == file_report::condition::sound;
    rows.push_back({name_of(one.file), "", hex(one.file.zxid), "", read ? std::to_string(one.sessions) : "",
                    read ? std::to_string(one.nodes) : "", std::to_string(one.bytes), condition_of(one)});
  }
  for (const file_report& one : report->logs) {
    const bool any = one.transactions > 0;
    rows.push_back({name_of(one.file), any ? hex(one.first_zxid) : "", any ? hex(one.last_zxid) : "",
                    std::to_string(one.transactions), "", "", std::to_string(one.bytes), condition_of(one)});
  }
  std::string text = table(rows) + '\n';
  if (!report->start) {
    text += fmt::format("a start is refused: {}\n", printable(report->start.error().message()));
  } else if (report->start->fresh) {
    text += "a start finds nothing, and begins with an empty tree\n";
  } else {
    const auto& start = *report->start;
    text += fmt::format("a start loads {} and {} transactions, up to {}: {} sessions, {} nodes\n",
                        name_of({0, start.snapshot}), start.transactions, hex(report->state.last_zxid()),
                        report->state.sessions().size(), report->state.nodes().size());
    for (const std::string& note : start.notes) text += fmt::format("it will say: {}\n", printable(note));
  }
  if (const int printed = print_raw(text); printed != exit_status::ok) return printed;
  return report->is_sound() ? exit_status::ok : exit_status::failure;
}

// ---- dump -----------------------------------------------------------------------------------------------------------

int dump(const folder_request& asked) {
  const looked_at at(asked);
  const auto report = inspect(at.folder());
  if (!report) return complain(report.error());
  if (!report->start) return complain(report->start.error());
  for (const std::string& note : report->start->notes) fmt::print(stderr, "zkr: data: {}\n", printable(note));
  const database& state = report->state;
  output out(asked.json_text);
  std::vector<std::int64_t> sessions;
  for (const auto& [id, timeout] : state.sessions()) sessions.push_back(id);
  std::sort(sessions.begin(), sessions.end());
  for (const std::int64_t id : sessions) out.add(session_json(state, id));
  std::vector<const backend::node*> nodes;
  walk(state.nodes(), [&](const backend::node& one) { nodes.push_back(&one); });
  std::sort(nodes.begin(), nodes.end(),
            [](const backend::node* a, const backend::node* b) { return a->path < b->path; });
  const auto data = asked.with_data ? data_of_nodes::shown : data_of_nodes::left_out;
  for (const backend::node* one : nodes) out.add(node_json(state, *one, data));
  return out.flush();
}

// ---- log ------------------------------------------------------------------------------------------------------------

int log(const folder_request& asked) {
  const looked_at at(asked);
  output out(asked.json_text);
  const auto logs = visit_log(at.folder(), [&](const backend::transaction& what) {
    if (what.header.zxid < asked.from || what.header.zxid > asked.to) return;
    if (asked.path == "/" || concerns(what, asked.path)) out.add(transaction_json(what));
  });
  if (!logs) return complain(logs.error());
  int status = out.flush();
  for (const file_report& one : *logs) {
    if (one.state == file_report::condition::sound) continue;
    fmt::print(stderr, "zkr: data: {}: {}\n", printable(one.file.path), printable(condition_of(one)));
    if (one.state == file_report::condition::damaged) status = exit_status::failure;
  }
  return status;
}

// ---- the command line -----------------------------------------------------------------------------------------------

std::optional<std::int64_t> parse_zxid(std::string_view text) {
  const bool is_hex = text.starts_with("0x");
  const char* const end = text.data() + text.size();
  std::int64_t zxid = 0;
  const auto read = std::from_chars(text.data() + (is_hex ? 2 : 0), end, zxid, is_hex ? 16 : 10);
  if (read.ec != std::errc() || read.ptr != end || zxid < 0) return std::nullopt;
  return zxid;
}

void add_zxid(CLI::App& command, const char* name, std::int64_t& into, const char* meaning) {
  const CLI::Validator is_zxid(
      [](const std::string& text) {
        return parse_zxid(text) ? std::string() : fmt::format("'{}' is no zxid, like 0x1f or 31", text);
      },
      "");
  command
      .add_option_function<std::string>(
          name, [&into](const std::string& text) { into = parse_zxid(text).value_or(0); }, meaning)
      ->type_name("ZXID")
      ->check(is_zxid);
}

using action = int (*)(const folder_request&);

CLI::App* add(CLI::App& to, command_line& line, const char* name, const char* meaning,
              const std::shared_ptr<folder_request>& asked, action what) {
  auto* command = to.add_subcommand(name, meaning);
  command->add_option("DIR", asked->data_dir, "The folder")->required()->type_name("");
  command->add_option("--data-log", asked->log_dir, "Folder of the transaction logs (default: DIR)")->type_name("DIR");
  command->callback([&line, asked, what] { line.run = [asked, what] { return what(*asked); }; });
  return command;
}

}  // namespace

void add_data_command(CLI::App& app, command_line& line) {
  auto* data = app.add_subcommand("data", "Explains a server's data folder, without changing it");
  data->require_subcommand(1);
  data->footer(footer);
  const auto asked = std::make_shared<folder_request>();
  add(*data, line, "check", "Lists snapshots and logs, says what is damaged and what a start would find", asked, check);
  auto* dumping = add(*data, line, "dump", "Prints the sessions and nodes that a start would find", asked, dump);
  dumping->add_flag("--json", asked->json_text, "A JSON object a line");
  dumping->add_flag("--data", asked->with_data, "The nodes' data too");
  auto* logging = add(*data, line, "log", "Prints the transactions of the logs", asked, log);
  logging->add_flag("--json", asked->json_text, "A JSON object a line");
  add_zxid(*logging, "--from", asked->from, "From this one on");
  add_zxid(*logging, "--to", asked->to, "Up to this one");
  logging->add_option("--path", asked->path, "What concerns this node or one below it")->type_name("PATH");
}

}  // namespace zkr::cli
