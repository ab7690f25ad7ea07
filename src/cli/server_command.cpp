#include <fmt/format.h>
#include <signal.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <memory>

#include "cli/admin_port.hpp"
#include "cli/command_line.hpp"
#include "cli/exit_status.hpp"
#include "cli/fault_port.hpp"
#include "cli/read_file.hpp"
#include "cli/stat_text.hpp"
#include "cli/text.hpp"
#include "core/log_line.hpp"
#include "server/event_log.hpp"
#include "server/zoo_cfg.hpp"

namespace zkr::cli {
namespace {

constexpr const char* footer =
    R"(Prints "listening on ADDRESS:PORT" and serves until SIGTERM or SIGINT. Nothing survives its end, unless
--data names a folder: then everything does, in the formats of Apache ZooKeeper.
CONFIG is a zoo.cfg as Apache ZooKeeper reads it; options win over what it says.

Examples:
  zkr server --port 0                     on a free port
  zkr server --data /var/lib/zk           durable: what was acknowledged is never lost
  zkr server --tick-time 200ms            short sessions, for tests
  zkr server zoo.cfg --print-config       what would be in force, and who said so)";

/// What the command line says about the server.
struct server_request {
  struct setting {
    std::string key;
    std::string value;
    std::string option;
  };
  std::string file;
  std::vector<setting> settings;
  bool print = false;
  bool faults = false;
  log_level log_from = log_level::info;
};

int usage(std::string_view problem) {
  fmt::print(stderr, "zkr: {}; see zkr server --help\n", printable(problem));
  return exit_status::usage;
}

int serve(const backend::configuration& from, const server_request& asked) {
  server_options options = from.settings().server;
  options.log = detail::write_log_line;
  options.log_from = asked.log_from;
  // Blocked before the server starts its thread, so that they come to us.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  options.on_failure = [](const error&) { ::kill(::getpid(), SIGTERM); };
  auto started = server::start(options);
  if (!started) {
    const bool listening = started.error().operation() == "listen";
    fmt::print(stderr, "zkr: server: {}{}\n", printable(started.error().message()),
               listening ? "; see --port and --address" : "");
    return exit_status::failure;
  }
  std::string says = fmt::format("listening on {}\n", started->connect_string());
  std::optional<fault_port> faults;
  if (asked.faults) {
    auto opened = fault_port::open(*started);
    if (!opened) {
      fmt::print(stderr, "zkr: server: {}\n", printable(opened.error().message()));
      return exit_status::failure;
    }
    faults = *std::move(opened);
    says += fmt::format("faults on http://127.0.0.1:{} token {}\n", faults->port(), faults->token());
  }
  std::optional<admin_port> admin;
  if (from.settings().admin.on()) {
    auto opened = admin_port::open(*started, from.settings().admin, from.print());
    if (!opened) {
      fmt::print(stderr, "zkr: server: {}; see --admin and admin.serverPort\n", printable(opened.error().message()));
      return exit_status::failure;
    }
    admin = *std::move(opened);
    says += fmt::format("administration on {}\n", admin->url());
  }
  const auto printed = print_raw(says);
  if (printed != exit_status::ok) return printed;
  int signal = 0;
  sigwait(&ends, &signal);
  if (!started->failure()) {
    backend::event_log(detail::write_log_line, asked.log_from)
        .write(log_level::info, "signal", {{"name", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
  }
  faults.reset();
  admin.reset();
  started->stop();
  return started->failure() ? exit_status::failure : exit_status::ok;
}

// What was asked for and is not done is said once, before the server starts.
void tell_unneeded(const backend::configuration& from, const server_request& asked) {
  std::string names;
  for (const std::string& key : from.unneeded()) names.append(names.empty() ? "" : ", ").append(key);
  if (names.empty()) return;
  backend::event_log(detail::write_log_line, asked.log_from)
      .write(log_level::info, "keys_not_needed", {{"file", asked.file}, {"keys", names}});
}

int run(const server_request& asked) {
  backend::configuration from;
  std::string bad = from.set("clientPort", "2181", "default");
  if (!asked.file.empty()) {
    const auto text = read_file(asked.file);
    if (!text) return exit_status::failure;
    bad = from.read(*text, asked.file);
    if (!bad.empty()) return usage(bad);
  }
  for (const auto& [key, value, option] : asked.settings) {
    bad = from.set(key, value, option);
    if (!bad.empty()) return usage(bad);
  }
  bad = from.check();
  if (!bad.empty()) return usage(bad);
  if (asked.print) return print_raw(from.print());
  tell_unneeded(from, asked);
  return serve(from, asked);
}

/// Adds options that stand for a key of zoo.cfg.
class setting_options {
 public:
  setting_options(CLI::App& command, std::shared_ptr<server_request> into)
      : command_(command), into_(std::move(into)) {}

  CLI::Option* text(const char* option, const char* key, const std::string& meaning, const char* type) {
    return command_
        .add_option_function<std::string>(
            option,
            [into = into_, option, key](const std::string& value) {
              into->settings.push_back({key, value, option});
            },
            meaning)
        ->type_name(type);
  }

  CLI::Option* number(const char* option, const char* key, const std::string& meaning, int most) {
    return text(option, key, meaning, "N")->check(CLI::Range(0, most));
  }

  void span(const char* option, const char* key, const std::string& meaning) {
    using std::chrono::milliseconds;
    const CLI::Validator whole_only(
        [](const std::string& text) {
          return parse_duration(text).value_or(duration()) % milliseconds(1) == duration::zero()
                     ? std::string()
                     : std::string("must be whole milliseconds");
        },
        "");
    const auto take = [into = into_, option, key](duration given) {
      const auto ms = std::chrono::duration_cast<milliseconds>(given).count();
      into->settings.push_back({key, std::to_string(ms), option});
    };
    add_duration(command_, option, take, meaning)->check(whole_only);
  }

  void flag(const char* option, const char* key, const std::string& meaning) {
    command_.add_flag_callback(
        option,
        [into = into_, option, key] {
          into->settings.push_back({key, "true", option});
        },
        meaning);
  }

 private:
  CLI::App& command_;
  std::shared_ptr<server_request> into_;
};

constexpr int largest = 0x7fff'ffff;

}  // namespace

void add_server_command(CLI::App& app, command_line& line) {
  auto* command = app.add_subcommand("server", "A ZooKeeper server, for development, tests and small set-ups");
  const auto asked = std::make_shared<server_request>();
  command->add_option("CONFIG", asked->file, "A zoo.cfg; -: from standard input")->type_name("");
  command->add_flag("--print-config", asked->print, "Prints what would be in force as a zoo.cfg, and ends");
  command->add_flag("--faults", asked->faults, "Also take faults, by HTTP on a loopback port, with the token printed");
  const std::map<std::string, log_level> levels{{"debug", log_level::debug},
                                                {"info", log_level::info},
                                                {"warn", log_level::warning},
                                                {"error", log_level::error}};
  command->add_option("--log-level", asked->log_from, "What is said on standard error: debug, info, warn, error (info)")
      ->transform(CLI::CheckedTransformer(levels))
      ->type_name("LEVEL");
  setting_options add(*command, asked);
  add.number("--port", "clientPort", "0: a free one (default: 2181)", 65535);
  add.text("--address", "clientPortAddress", "Numeric address to listen on (default: 127.0.0.1)", "ADDRESS");
  add.text("--data", "dataDir", "Folder for the data (default: none is kept)", "DIR");
  add.text("--data-log", "dataLogDir", "Folder for the transaction logs (default: that of --data)", "DIR");
  add.number("--snap-count", "snapCount", "Transactions from snapshot to snapshot (default: 100000)", largest);
  add.number("--snapshots-kept", "autopurge.snapRetainCount", "Older ones are removed (default: 3)", largest);
  add.span("--tick-time", "tickTime", "Unit of session time-outs (default: 2s)");
  add.span("--min-session-timeout", "minSessionTimeout", "Least that clients get (default: 2 ticks)");
  add.span("--max-session-timeout", "maxSessionTimeout", "Most that clients get (default: 20 ticks)");
  add.number("--max-client-connections", "maxClientCnxns", "From one address (default: 60; 0: any number)", largest);
  add.number("--max-connections", "maxCnxns", "Altogether (default: 0, any number)", largest);
  add.text("--four-letter-words", "4lw.commands.whitelist", "Those that are answered: WORD,... or * (default: *)",
           "WORDS");
  add.span("--container-check-interval", "znode.container.checkIntervalMs",
           "How often empty containers and old TTL nodes go (default: 1m)");
  add.text("--super-digest", "DigestAuthenticationProvider.superDigest",
           "Digest id of the super user, who passes every ACL (default: none)", "USER:HASH");
  add.text("--sasl-users", "zkrecipes.saslUsers",
           "Lines user_NAME=\"PASSWORD\" for SASL DIGEST-MD5; keep it at mode 0600 (default: no SASL)", "FILE");
  add.flag("--require-sasl", "sessionRequireClientSASLAuth",
           "Ends connections that ask before they have proved who they are");
  add.flag("--enforce-quota", "enforceQuota", "Refuses writes beyond the hard limits of quotas");
  // Also where the file says that there is to be none.
  add.number("--admin", "admin.serverPort", "Also administration by HTTP; 0: on a free port (default: none)", 65535)
      ->each([asked](const std::string&) {
        asked->settings.push_back({"admin.enableServer", "true", "--admin"});
      });
  add.text("--compat", "zkrecipes.compatibility", "Whose answers, where Apache's versions differ: 3.8 or 3.9 (3.8)",
           "VERSION");
  command->footer(footer);
  command->callback([&line, asked] { line.run = [asked] { return run(*asked); }; });
}

}  // namespace zkr::cli
