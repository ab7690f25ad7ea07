#include "cli/fault_port.hpp"

#include <random>

#include "cli/fault_json.hpp"
#include "cli/http_server.hpp"

namespace zkr::cli {

namespace {

using httplib::Request;
using httplib::Response;
using nlohmann::json;

constexpr std::uint64_t longest_wait_ms = 60'000;

std::string random_token() {
  std::random_device source;
  std::string token;
  for (int i = 0; i < 32; ++i) token += "0123456789abcdef"[source() % 16U];
  return token;
}

// Takes as long for any wrong token.
bool same(const std::string& one, const std::string& other) {
  unsigned differs = one.size() == other.size() ? 0 : 1;
  for (std::size_t i = 0; i < one.size() && i < other.size(); ++i) {
    differs |= static_cast<unsigned char>(one[i] ^ other[i]);
  }
  return differs == 0;
}

/// One whole number as the only member of the body.
std::optional<std::int64_t> number_of(const Request& from, const char* member) {
  const json body = json::parse(from.body, nullptr, false);
  if (!body.is_object() || body.size() != 1 || !body.contains(member) || !body[member].is_number_integer()) return {};
  if (body[member].is_number_unsigned() && body[member].get<std::uint64_t>() > INT64_MAX) return {};
  return body[member].get<std::int64_t>();
}

/// Decimal digits that fit; else nothing.
std::optional<std::uint64_t> count_of(const std::string& text) {
  if (text.empty() || text.size() > 18 || text.find_first_not_of("0123456789") != std::string::npos) return {};
  return std::stoull(text);
}

}  // namespace

struct fault_port::impl {
  explicit impl(server& of) : zookeeper(of), faults(of.faults()) {
    http.set_pre_routing_handler([this](const Request& from, Response& to) {
      if (same(from.get_header_value("Authorization"), "Bearer " + token)) {
        return httplib::Server::HandlerResponse::Unhandled;
      }
      refuse(to, 401, "the header 'Authorization: Bearer TOKEN' must have the token that the server printed");
      return httplib::Server::HandlerResponse::Handled;
    });
    http.set_error_handler([](const Request&, Response& to) {
      if (to.body.empty()) refuse(to, to.status, "no such request; see docs/tool.md");
    });
    rules();
    server_functions();
  }

  void rules() {
    http.Get("/faults", [this](const Request&, Response& to) {
      json all = json::array();
      for (const fault_report& one : faults.rules()) all.push_back(to_json(one));
      say(to, all);
    });
    http.Post("/faults", [this](const Request& from, Response& to) {
      const auto rule = rule_from(json::parse(from.body, nullptr, false));
      const auto id = rule ? faults.add(*rule) : result<fault_id>(rule.error());
      if (!id) return refuse(to, 400, id.error().message());
      say(to, {{"id", *id}});
    });
    http.Delete("/faults", [this](const Request&, Response& to) {
      faults.clear();
      say(to, json::object());
    });
    http.Delete(R"(/faults/(\d+))", [this](const Request& from, Response& to) {
      if (!faults.remove(count_of(from.matches[1]).value_or(0))) return refuse(to, 404, "there is no such rule");
      say(to, json::object());
    });
    http.Get(R"(/faults/(\d+)/wait)", [this](const Request& from, Response& to) {
      const auto number = [&](const char* name, const char* otherwise) {
        return count_of(from.has_param(name) ? from.get_param_value(name) : std::string(otherwise));
      };
      const auto times = number("times", "1");
      const auto within = number("within_ms", "10000");
      if (!times || !within || *within > longest_wait_ms) {
        return refuse(to, 400, "times must be a whole number, within_ms one up to 60000");
      }
      const fault_id id = count_of(from.matches[1]).value_or(0);
      say(to, {{"fired", faults.wait(id, *times, std::chrono::milliseconds(*within))}});
    });
  }

  void server_functions() {
    const auto plain = [this](const char* path, void (server::*function)()) {
      http.Post(path, [this, function](const Request&, Response& to) {
        (zookeeper.*function)();
        say(to, json::object());
      });
    };
    plain("/pause", &server::pause);
    plain("/resume", &server::resume);
    plain("/drop_connections", &server::drop_connections);
    plain("/begin_lag", &server::begin_lag);
    plain("/end_lag", &server::end_lag);
    http.Post("/expire_session", [this](const Request& from, Response& to) {
      const auto session = number_of(from, "session_id");
      if (!session) return refuse(to, 400, "the body must be {\"session_id\": NUMBER}");
      if (!zookeeper.expire_session(*session)) return refuse(to, 404, "there is no such session");
      say(to, json::object());
    });
    http.Post("/set_next_sequence", [this](const Request& from, Response& to) {
      const json body = json::parse(from.body, nullptr, false);
      const bool fits = body.is_object() && body.size() == 2 && body.contains("path") && body["path"].is_string() &&
                        body.contains("number") && body["number"].is_number_integer() && body["number"] >= INT32_MIN &&
                        body["number"] <= INT32_MAX;
      if (!fits) return refuse(to, 400, "the body must be {\"path\": PATH, \"number\": NUMBER}, a number of 32 bits");
      if (!zookeeper.set_next_sequence(body["path"], body["number"].get<std::int32_t>())) {
        return refuse(to, 404, "there is no such node");
      }
      say(to, json::object());
    });
    http.Post("/step_clock", [this](const Request& from, Response& to) {
      const auto ms = number_of(from, "ms");
      if (!ms || *ms < 0) return refuse(to, 400, "the body must be {\"ms\": NUMBER}, 0 or more");
      zookeeper.step_clock(std::chrono::milliseconds(*ms));
      say(to, json::object());
    });
    http.Get("/sessions", [this](const Request&, Response& to) { say(to, zookeeper.sessions()); });
    http.Get("/statistics", [this](const Request&, Response& to) { say(to, to_json(zookeeper.statistics())); });
  }

  ~impl() {
    faults.clear();  // ends waits
    http.close();
  }

  server& zookeeper;
  fault_injector faults;
  const std::string token = random_token();
  http_server http;
  int port = -1;
};

result<fault_port> fault_port::open(server& of) {
  auto state = std::make_unique<impl>(of);
  const auto bound = state->http.open("127.0.0.1", 0);
  if (!bound) return bound.error();
  state->port = *bound;
  return fault_port(std::move(state));
}

fault_port::fault_port(std::unique_ptr<impl> state) noexcept : impl_(std::move(state)) {}
fault_port::fault_port(fault_port&& other) noexcept = default;
fault_port& fault_port::operator=(fault_port&& other) noexcept = default;
fault_port::~fault_port() = default;

int fault_port::port() const noexcept { return impl_->port; }
const std::string& fault_port::token() const noexcept { return impl_->token; }

}  // namespace zkr::cli
