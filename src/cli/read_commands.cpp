#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "cli/command_line.hpp"
#include "cli/exit_status.hpp"
#include "cli/stat_text.hpp"
#include "cli/text.hpp"
#include "zkrecipes/path.hpp"
#include "zkrecipes/tree.hpp"

namespace zkr::cli {
namespace {

using json = nlohmann::ordered_json;

enum class form { plain, json_text };

int list(client& with, const std::string& path, form how) {
  auto children = with.children(path);
  if (!children) return complain(children.error());
  std::sort(children->names.begin(), children->names.end());
  if (how == form::json_text) return print_json(children->names);
  std::string lines;
  for (const auto& name : children->names) lines.append(name).push_back('\n');
  return print_raw(lines);
}

int get(client& with, const std::string& path, form how) {
  const auto node = with.get(path);
  if (!node) return complain(node.error());
  if (how == form::plain) return print_raw(node->data);
  json object{{"path", path}};
  put_data(object, node->data);
  object["stat"] = stat_json(node->stat);
  return print_json(object);
}

int stat(client& with, const std::string& path, form how) {
  const auto found = with.exists(path);
  if (!found) return complain(found.error());
  return how == form::json_text ? print_json({{"path", path}, {"stat", stat_json(*found)}})
                                : print_raw(stat_lines(*found));
}

std::ptrdiff_t depth_of(std::string_view path) { return path == "/" ? 0 : std::count(path.begin(), path.end(), '/'); }

int tree(client& with, const std::string& path, form how) {
  // However long it takes: the session's end ends it.
  const auto entries =
      read_tree(with, path, {.max_nodes = std::numeric_limits<std::size_t>::max()}, {.timeout = duration::max()});
  if (!entries) return complain(entries.error());
  if (how == form::json_text) {
    json nodes = json::array();
    for (const auto& entry : *entries) nodes.push_back({{"path", entry.path}, {"stat", stat_json(entry.stat)}});
    return print_json(nodes);
  }
  std::string lines;
  for (const auto& entry : *entries) {
    const auto depth = depth_of(entry.path) - depth_of(path);
    const auto name = depth == 0 ? std::string_view(entry.path) : node_name(entry.path);
    lines += fmt::format("{:{}}{}", "", 2 * depth, name);
    if (entry.stat.data_length > 0) lines += fmt::format("  {} B", entry.stat.data_length);
    if (entry.stat.ephemeral_owner > 0) {
      lines += fmt::format("  ephemeral of {:#x}", static_cast<std::uint64_t>(entry.stat.ephemeral_owner));
    }
    lines += '\n';
  }
  return print_raw(lines);
}

using action = int (*)(client&, const std::string&, form);

void add(CLI::App& app, command_line& line, const char* name, const char* meaning, action what) {
  struct arguments {
    std::string path;
    bool json = false;
  };
  auto* command = app.add_subcommand(name, meaning);
  const auto given = std::make_shared<arguments>();
  add_path(*command, given->path);
  command->add_flag("--json", given->json, "One JSON text instead");
  command->callback([&line, given, what] {
    line.run = [&line, given, what] {
      auto with = connect_or_complain(line.with);
      if (!with) return exit_status::failure;
      return what(*with, given->path, given->json ? form::json_text : form::plain);
    };
  });
}

}  // namespace

void add_read_commands(CLI::App& app, command_line& line) {
  add(app, line, "ls", "Lists a node's children, by name", list);
  add(app, line, "get", "Prints a node's data, byte for byte", get);
  add(app, line, "stat", "Prints a node's metadata", stat);
  add(app, line, "tree", "Prints a node and all below it", tree);
}

}  // namespace zkr::cli
