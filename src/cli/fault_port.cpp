#include "cli/fault_port.hpp"

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>

#include "cli/fault_json.hpp"
#include "cli/http.hpp"

namespace zkr::cli {

namespace {

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
std::optional<std::int64_t> number_of(const http_request& from, const char* member) {
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
  using answerer = http_answer (impl::*)(const http_request&);

  explicit impl(server& of) : zookeeper(of), faults(of.faults()) {}
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;
  ~impl() {
    faults.clear();  // ends waits
  }

  http_answer answer(const http_request& from) {
    if (!same(from.authorization, "Bearer " + token)) {
      return refuse(401, "the header 'Authorization: Bearer TOKEN' must have the token that the server printed");
    }
    static const std::map<std::string, answerer> fixed{
        {"GET /faults", &impl::list_rules},
        {"POST /faults", &impl::add_rule},
        {"DELETE /faults", &impl::clear_rules},
        {"POST /pause", &impl::plain<&server::pause>},
        {"POST /resume", &impl::plain<&server::resume>},
        {"POST /drop_connections", &impl::plain<&server::drop_connections>},
        {"POST /begin_lag", &impl::plain<&server::begin_lag>},
        {"POST /end_lag", &impl::plain<&server::end_lag>},
        {"POST /expire_session", &impl::expire_session},
        {"POST /set_next_sequence", &impl::set_next_sequence},
        {"POST /step_clock", &impl::step_clock},
        {"GET /sessions", &impl::sessions},
        {"GET /statistics", &impl::statistics},
    };
    const auto found = fixed.find(from.method + " " + from.path);
    return found != fixed.end() ? (this->*found->second)(from) : answer_of_rule(from);
  }

  // /faults/ID and /faults/ID/wait
  http_answer answer_of_rule(const http_request& from) {
    constexpr std::string_view before = "/faults/";
    constexpr std::string_view behind = "/wait";
    if (from.path.starts_with(before)) {
      std::string id = from.path.substr(before.size());
      const bool wait = id.ends_with(behind);
      if (wait) id.resize(id.size() - behind.size());
      const auto rule = count_of(id);
      if (rule && wait && from.method == "GET") return wait_for(*rule, from);
      if (rule && !wait && from.method == "DELETE") {
        return faults.remove(*rule) ? say(json::object()) : refuse(404, "there is no such rule");
      }
    }
    return refuse(404, "no such request; see docs/tool.md");
  }

  http_answer wait_for(fault_id rule, const http_request& from) const {
    const auto number = [&](const char* name, const char* otherwise) {
      const auto given = from.parameters.find(name);
      return count_of(given == from.parameters.end() ? otherwise : given->second);
    };
    const auto times = number("times", "1");
    const auto within = number("within_ms", "10000");
    if (!times || !within || *within > longest_wait_ms) {
      return refuse(400, "times must be a whole number, within_ms one up to 60000");
    }
    return say({{"fired", faults.wait(rule, *times, std::chrono::milliseconds(*within))}});
  }

  // NOLINTNEXTLINE(readability-make-member-function-const): all of them stand in one table
  http_answer list_rules(const http_request&) {
    json all = json::array();
    for (const fault_report& one : faults.rules()) all.push_back(to_json(one));
    return say(all);
  }

  http_answer add_rule(const http_request& from) {
    const auto rule = rule_from(json::parse(from.body, nullptr, false));
    const auto id = rule ? faults.add(*rule) : result<fault_id>(rule.error());
    return id ? say({{"id", *id}}) : refuse(400, id.error().message());
  }

  http_answer clear_rules(const http_request&) {
    faults.clear();
    return say(json::object());
  }

  template <void (server::*Function)()>
  http_answer plain(const http_request&) {
    (zookeeper.*Function)();
    return say(json::object());
  }

  http_answer expire_session(const http_request& from) {
    const auto session = number_of(from, "session_id");
    if (!session) return refuse(400, "the body must be {\"session_id\": NUMBER}");
    if (!zookeeper.expire_session(*session)) return refuse(404, "there is no such session");
    return say(json::object());
  }

  http_answer set_next_sequence(const http_request& from) {
    const json body = json::parse(from.body, nullptr, false);
    const bool fits = body.is_object() && body.size() == 2 && body.contains("path") && body["path"].is_string() &&
                      body.contains("number") && body["number"].is_number_integer() && body["number"] >= INT32_MIN &&
                      body["number"] <= INT32_MAX;
    if (!fits) return refuse(400, "the body must be {\"path\": PATH, \"number\": NUMBER}, a number of 32 bits");
    if (!zookeeper.set_next_sequence(body["path"], body["number"].get<std::int32_t>())) {
      return refuse(404, "there is no such node");
    }
    return say(json::object());
  }

  http_answer step_clock(const http_request& from) {
    const auto ms = number_of(from, "ms");
    if (!ms || *ms < 0) return refuse(400, "the body must be {\"ms\": NUMBER}, 0 or more");
    zookeeper.step_clock(std::chrono::milliseconds(*ms));
    return say(json::object());
  }

  // NOLINTNEXTLINE(readability-make-member-function-const)
  http_answer sessions(const http_request&) { return say(zookeeper.sessions()); }
  // NOLINTNEXTLINE(readability-make-member-function-const)
  http_answer statistics(const http_request&) { return say(to_json(zookeeper.statistics())); }

  server& zookeeper;
  fault_injector faults;
  const std::string token = random_token();
  std::unique_ptr<http_server> http;
};

result<fault_port> fault_port::open(server& of) {
  auto state = std::make_unique<impl>(of);
  auto http = open_http("127.0.0.1", 0, [at = state.get()](const http_request& from) { return at->answer(from); });
  if (!http) return http.error();
  state->http = *std::move(http);
  return fault_port(std::move(state));
}

fault_port::fault_port(std::unique_ptr<impl> state) noexcept : impl_(std::move(state)) {}
fault_port::fault_port(fault_port&& other) noexcept = default;
fault_port& fault_port::operator=(fault_port&& other) noexcept = default;
fault_port::~fault_port() = default;

int fault_port::port() const noexcept { return impl_->http->port(); }
const std::string& fault_port::token() const noexcept { return impl_->token; }

}  // namespace zkr::cli
