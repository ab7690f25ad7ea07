#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "cli/command_line.hpp"
#include "cli/exit_status.hpp"
#include "cli/read_file.hpp"
#include "cli/stat_text.hpp"
#include "cli/text.hpp"
#include "zkrecipes/path.hpp"
#include "zkrecipes/tree.hpp"

namespace zkr::cli {
namespace {

/// A node's data: from the command line, from a file, or none.
struct data_source {
  std::string text;
  std::string file;  ///< "-": standard input.
};

void add_data(CLI::App& command, data_source& into) {
  auto* text = command.add_option("DATA", into.text, "The data, as text")->type_name("");
  command.add_option("--file", into.file, "Takes the data from a file; -: from standard input")
      ->type_name("FILE")
      ->excludes(text);
}

std::optional<std::string> read_data(const data_source& from) {
  return from.file.empty() ? from.text : read_file(from.file);
}

struct create_arguments {
  std::string path;
  data_source data;
  std::string mode = "persistent";
  duration ttl{};
  bool parents = false;
};

std::optional<create_mode> parse_mode(const create_arguments& given) {
  if (given.mode == "persistent") return create_mode::persistent;
  if (given.mode == "sequential") return create_mode::persistent_sequential;
  if (given.mode == "container") return create_mode::container;
  if (given.mode == "ttl") return create_mode::ttl;
  return std::nullopt;
}

/// What is wrong with the arguments as a whole; empty where nothing is.
std::string check(const create_arguments& given) {
  const auto mode = parse_mode(given);
  if (!mode) return "--mode: must be persistent, sequential, container or ttl";
  const auto kind = mode == create_mode::persistent_sequential ? path_kind::sequential_stem : path_kind::node;
  if (const auto path = check_path(given.path, kind); !path) return "PATH: " + printable(path.error().message());
  if (given.path == "/") return "PATH: the root exists always; name a node to create";
  if ((mode == create_mode::ttl) != (given.ttl > duration::zero())) return "--mode ttl and --ttl DURATION go together";
  return {};
}

int create(client& with, const create_arguments& given, std::string data) {
  create_options options;
  options.mode = parse_mode(given).value_or(create_mode::persistent);
  options.ttl = given.ttl;
  const auto made = given.parents ? create_with_parents(with, given.path, std::move(data), std::move(options))
                                  : with.create(given.path, std::move(data), std::move(options));
  if (!made) return complain(made.error());
  return print_raw(made->path + "\n");
}

void add_create(CLI::App& app, command_line& line) {
  auto* command = app.add_subcommand("create", "Creates a node and prints its path");
  const auto given = std::make_shared<create_arguments>();
  command->add_option("PATH", given->path, "Path of the node, or the stem of a sequential one")
      ->required()
      ->type_name("");
  add_data(*command, given->data);
  command->add_option("--mode", given->mode, "persistent (the default), sequential, container or ttl")
      ->type_name("MODE");
  add_duration(
      *command, "--ttl", [given](duration ttl) { given->ttl = ttl; }, "Lifetime of a node of mode ttl");
  command->add_flag("-p,--parents", given->parents, "Creates missing parents too");
  command->callback([&line, given] {
    line.run = [&line, given] {
      if (const auto problem = check(*given); !problem.empty()) {
        fmt::print(stderr, "zkr: {}\n", problem);
        return exit_status::usage;
      }
      auto data = read_data(given->data);
      if (!data) return exit_status::failure;
      auto with = connect_or_complain(line.with);
      return with ? create(*with, *given, std::move(*data)) : exit_status::failure;
    };
  });
}

void add_set(CLI::App& app, command_line& line) {
  struct arguments {
    std::string path;
    data_source data;
    std::int32_t version = any_version;
    bool has_data = false;
  };
  auto* command = app.add_subcommand("set", "Replaces a node's data and prints its new version");
  const auto given = std::make_shared<arguments>();
  add_path(*command, given->path);
  add_data(*command, given->data);
  command->add_option("--version", given->version, "Only if the node still has this version")
      ->check(CLI::Range(0, 0x7FFFFFFF))
      ->type_name("N");
  command->callback([&line, given, command] {
    given->has_data = command->count("DATA") + command->count("--file") > 0;
    line.run = [&line, given] {
      if (!given->has_data) {  // a forgotten argument must not empty the node
        fmt::print(stderr, "zkr: set: give DATA (\"\" to empty the node) or --file FILE\n");
        return exit_status::usage;
      }
      auto data = read_data(given->data);
      if (!data) return exit_status::failure;
      auto with = connect_or_complain(line.with);
      if (!with) return exit_status::failure;
      const auto stat = with->set(given->path, std::move(*data), given->version);
      return stat ? print_raw(fmt::format("{}\n", stat->version)) : complain(stat.error());
    };
  });
}

void add_rm(CLI::App& app, command_line& line) {
  struct arguments {
    std::string path;
    std::int32_t version = any_version;
    bool recursive = false;
  };
  auto* command = app.add_subcommand("rm", "Removes a node");
  const auto given = std::make_shared<arguments>();
  add_path(*command, given->path);
  auto* version = command->add_option("--version", given->version, "Only if the node still has this version")
                      ->check(CLI::Range(0, 0x7FFFFFFF))
                      ->type_name("N");
  command->add_flag("-r,--recursive", given->recursive, "And all below it")->excludes(version);
  command->callback([&line, given] {
    line.run = [&line, given] {
      if (given->path == "/") {
        fmt::print(stderr, "zkr: rm: the root cannot be removed; name a node below it\n");
        return exit_status::usage;
      }
      auto with = connect_or_complain(line.with);
      if (!with) return exit_status::failure;
      // A subtree however long it takes: the session's end ends it.
      const auto removed = given->recursive ? remove_tree(*with, given->path, {}, {.timeout = duration::max()})
                                            : with->remove(given->path, given->version);
      return removed ? exit_status::ok : complain(removed.error());
    };
  });
}

}  // namespace

void add_write_commands(CLI::App& app, command_line& line) {
  add_create(app, line);
  add_set(app, line);
  add_rm(app, line);
}

}  // namespace zkr::cli
