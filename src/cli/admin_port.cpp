#include "cli/admin_port.hpp"

#include <fmt/format.h>

#include "cli/http_server.hpp"

namespace zkr::cli {

using httplib::Request;
using httplib::Response;

struct admin_port::impl {
  impl(server& of, backend::admin_settings options, std::string configured)
      : zookeeper(of), where(std::move(options)), configuration(std::move(configured)) {
    // All of it before the library's own routes, whose regular expressions are no match for hostile paths.
    http.set_pre_routing_handler([this](const Request& from, Response& to) {
      answer(from, to);
      return httplib::Server::HandlerResponse::Handled;
    });
    http.set_error_handler([](const Request&, Response& to) {
      if (to.body.empty()) refuse(to, to.status, "this is no request that can be answered");
    });
  }

  void answer(const Request& from, Response& to) {
    const std::string& root = where.command_url;
    if (from.method != "GET" && from.method != "HEAD") return refuse(to, 405, "only GET is answered");
    if (from.path == "/metrics") return to.set_content(zookeeper.metrics(), "text/plain; version=0.0.4");
    if (from.path == root || from.path == root + "/") return to.set_content(list(), "text/html");
    if (!from.path.starts_with(root + "/")) {
      return refuse(to, 404, fmt::format("there is nothing here but {} and /metrics", root));
    }
    command(from.path.substr(root.size() + 1), to);
  }

  void command(const std::string& name, Response& to) {
    std::string text;
    if (name == "initial_configuration" || name == "icfg") {
      text =
          nlohmann::ordered_json{
              {"initial_configuration", configuration}, {"command", "initial_configuration"}, {"error", nullptr}}
              .dump(2, ' ', false, nlohmann::json::error_handler_t::replace) +
          "\n";
    } else {
      text = zookeeper.admin(name);
    }
    to.set_content(text, "application/json");
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
  int port = 0;
  http_server http;
};

result<admin_port> admin_port::open(server& of, const backend::admin_settings& where, std::string configuration) {
  auto state = std::make_unique<impl>(of, where, std::move(configuration));
  const auto bound = state->http.open(where.address, where.port);
  if (!bound) return bound.error();
  state->port = *bound;
  return admin_port(std::move(state));
}

admin_port::admin_port(std::unique_ptr<impl> state) noexcept : impl_(std::move(state)) {}
admin_port::admin_port(admin_port&& other) noexcept = default;
admin_port& admin_port::operator=(admin_port&& other) noexcept = default;
admin_port::~admin_port() = default;

std::string admin_port::url() const {
  const backend::admin_settings& at = impl_->where;
  const bool six = at.address.find(':') != std::string::npos;
  return fmt::format("http://{}{}{}:{}{}", six ? "[" : "", at.address, six ? "]" : "", impl_->port, at.command_url);
}

}  // namespace zkr::cli
