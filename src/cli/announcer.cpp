#include "cli/announcer.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "cli/text.hpp"

namespace zkr::cli {
namespace {

using json = nlohmann::ordered_json;

std::string dump(const json& event) { return event.dump(-1, ' ', false, json::error_handler_t::replace); }

std::string_view name(end_reason why) {
  switch (why) {
    case end_reason::resigned: return "resigned";
    case end_reason::expired: return "expired";
    case end_reason::lost: break;
  }
  return "lost";
}

}  // namespace

void announcer::waiting() {
  if (style_ == style::people) line(fmt::format("{} {} {}", printable(id_), takes_part_, printable(path_)));
}

void announcer::granted(std::int64_t token, time_point at, time_point valid_until) {
  if (style_ == style::people) line(fmt::format("{} {}, fencing token {}", printable(id_), wins_, token));
  if (style_ == style::events) {
    line(dump({{"event", "granted"},
               {"path", path_},
               {"id", id_},
               {"token", token},
               {"at_ns", nanoseconds(at)},
               {"valid_until_ns", nanoseconds(valid_until)},
               {"pid", getpid()}}));
  }
}

void announcer::renewed(std::int64_t token, time_point at, time_point valid_until) {
  if (style_ == style::events) {
    line(dump({{"event", "renewed"},
               {"token", token},
               {"at_ns", nanoseconds(at)},
               {"valid_until_ns", nanoseconds(valid_until)}}));
  }
}

void announcer::ended(std::int64_t token, time_point at, end_reason why) {
  if (style_ == style::people) {
    line(fmt::format("{} {} no more: {}", printable(id_), wins_,
                     why == end_reason::resigned  ? "resigned"
                     : why == end_reason::expired ? "the lease ran out"
                                                  : "it was taken away"));
  }
  if (style_ == style::events) {
    line(dump({{"event", "ended"}, {"token", token}, {"at_ns", nanoseconds(at)}, {"reason", name(why)}}));
  }
}

void announcer::leads(const std::optional<participant>& leader, time_point at) {
  if (style_ == style::people) {
    line(leader ? fmt::format("{} leads, fencing token {}", printable(leader->id), leader->fencing_token)
                : "nobody leads");
  }
  if (style_ == style::events) {
    line(leader ? dump({{"event", "leader"},
                        {"path", path_},
                        {"id", leader->id},
                        {"token", leader->fencing_token},
                        {"at_ns", nanoseconds(at)}})
                : dump({{"event", "no_leader"}, {"path", path_}, {"at_ns", nanoseconds(at)}}));
  }
}

void announcer::line(std::string text) {
  text += '\n';
  const int to = style_ == style::people && where_ == output::error ? STDERR_FILENO : STDOUT_FILENO;
  std::string_view rest = text;
  while (works_ && !rest.empty()) {  // one write() a line, so that lines of several writers do not mix
    const auto written = ::write(to, rest.data(), rest.size());
    if (written > 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      works_ = false;
    }
  }
}

}  // namespace zkr::cli
