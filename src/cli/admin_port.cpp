#include "cli/admin_port.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/http.hpp"

namespace zkr::cli {

struct admin_port::impl {
  impl(server& of, backend::admin_settings options, std::string configured)
      : zookeeper(of), where(std::move(options)), configuration(std::move(configured)) {}

  http_answer answer(const http_request& from) {
    const std::string& root = where.command_url;
    if (from.method != "GET" && from.method != "HEAD") return refuse(405, "only GET is answered");
    if (from.path == "/metrics") return {.type = "text/plain; version=0.0.4", .body = zookeeper.metrics()};
    if (from.path == root || from.path == root + "/") return {.type = "text/html", .body = list()};
    if (!from.path.starts_with(root + "/")) {
      return refuse(404, fmt::format("there is nothing here but {} and /metrics", root));
    }
    return {.body = command(from.path.substr(root.size() + 1), from)};
  }

  std::string command(const std::string& name, const http_request& from) {
    if (name != "initial_configuration" && name != "icfg") return zookeeper.admin(name, from.parameters);
    return nlohmann::ordered_json{
               {"initial_configuration", configuration}, {"command", "initial_configuration"}, {"error", nullptr}}
               .dump(2, ' ', false, nlohmann::json::error_handler_t::replace) +
           "\n";
  }

  // As Apache's page.
  std::string list() const {
    std::string page;
    for (const std::string& name : server::admin_commands()) {
      page += fmt::format("<a href=\"{0}/{1}\">{1}</a>\n<br/>\n", where.command_url, name);
    }
    return page;
  }

  server& zookeeper;
  const backend::admin_settings where;
  const std::string configuration;
  std::unique_ptr<http_server> http;
};

result<admin_port> admin_port::open(server& of, const backend::admin_settings& where, std::string configuration) {
  auto state = std::make_unique<impl>(of, where, std::move(configuration));
  auto http =
      open_http(where.address, where.port, [at = state.get()](const http_request& from) { return at->answer(from); });
  if (!http) return http.error();
  state->http = *std::move(http);
  return admin_port(std::move(state));
}

admin_port::admin_port(std::unique_ptr<impl> state) noexcept : impl_(std::move(state)) {}
admin_port::admin_port(admin_port&& other) noexcept = default;
admin_port& admin_port::operator=(admin_port&& other) noexcept = default;
admin_port::~admin_port() = default;

std::string admin_port::url() const {
  const backend::admin_settings& at = impl_->where;
  const bool six = at.address.find(':') != std::string::npos;
  return fmt::format("http://{}{}{}:{}{}", six ? "[" : "", at.address, six ? "]" : "", impl_->http->port(),
                     at.command_url);
}

}  // namespace zkr::cli
