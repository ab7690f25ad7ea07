#include "server/quotas.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "server/paths.hpp"

namespace zkr::backend {

namespace {

constexpr std::string_view quota_root = "/zookeeper/quota";
constexpr std::string_view limits_name = "/zookeeper_limits";
constexpr std::string_view usage_name = "/zookeeper_stats";

std::string path_of(std::string_view limited, std::string_view name) {
  std::string path(quota_root);
  return path.append(limited).append(name);
}

// The longest prefix of the path, itself included, for which there are limits; "": none. Goes down from the top, so
// that a path costs no more than the quotas on its way are deep.
std::string_view limited_prefix(const tree& nodes, std::string_view path) {
  const node* root = nodes.find(quota_root);
  if (root == nullptr || root->num_children == 0) return {};
  const std::string whole = std::string(quota_root).append(path);
  std::size_t longest = 0;
  for (std::size_t end = 0; end < path.size();) {
    end = std::min(path.find('/', end + 1), path.size());
    if (nodes.find(std::string_view(whole).substr(0, quota_root.size() + end)) == nullptr) break;
    if (nodes.find(path_of(path.substr(0, end), limits_name)) != nullptr) longest = end;
  }
  return path.substr(0, longest);
}

std::string format_usage(std::int64_t count, std::int64_t bytes) {
  return fmt::format("count={},bytes={}", count, bytes);
}

// Counters come from clients' texts: they wrap as Java's do.
std::int64_t sum(std::int64_t a, std::int64_t b) noexcept {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

void write(node& usage, std::int64_t count, std::int64_t bytes) {
  usage.data = format_usage(count, bytes);
  usage.null_data = false;
}

// Of a node and all below it; by links, since trees may be deep.
void recount(tree& nodes, std::string_view of, node& usage) {
  std::int64_t count = 0;
  std::int64_t bytes = 0;
  const node* const top = nodes.find(of);
  for (const node* at = top; at != nullptr;) {
    ++count;
    bytes += static_cast<std::int64_t>(at->data.size());
    if (at->first_child != nullptr) {
      at = at->first_child;
      continue;
    }
    while (at != top && at->next_sibling == nullptr) at = at->parent;
    at = at == top ? nullptr : at->next_sibling;
  }
  write(usage, count, bytes);
}

}  // namespace

quota_figures parse_quota(std::string_view text) noexcept {
  quota_figures figures;
  while (!text.empty()) {
    const std::size_t end = text.find_first_of(",;");
    const std::string_view pair = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    // Apache's own texts have a stray '=' behind a value.
    const std::string_view value = pair.substr(equals + 1, pair.find('=', equals + 1) - equals - 1);
    std::int64_t number = -1;
    const auto read = std::from_chars(value.data(), value.data() + value.size(), number);
    if (read.ec != std::errc() || read.ptr != value.data() + value.size()) continue;
    const std::string_view key = pair.substr(0, equals);
    if (key == "count") figures.count = number;
    if (key == "bytes") figures.bytes = number;
    if (key == "countHardLimit") figures.count_hard_limit = number;
    if (key == "byteHardLimit") figures.byte_hard_limit = number;
  }
  return figures;
}

std::optional<quota_excess> exceeded_quota(const tree& nodes, std::string_view path, std::int64_t more_bytes,
                                           std::int64_t more_nodes) {
  const std::string_view limited = limited_prefix(nodes, path);
  if (limited.empty()) return std::nullopt;
  const node* usage = nodes.find(path_of(limited, usage_name));
  if (usage == nullptr) return std::nullopt;
  const quota_figures limit = parse_quota(nodes.find(path_of(limited, limits_name))->data);
  const quota_figures used = parse_quota(usage->data);
  std::optional<quota_excess> found;
  const auto look = [&](const char* of, std::int64_t hard, std::int64_t soft, std::int64_t now, std::int64_t more) {
    const bool is_hard = hard > -1;
    const std::int64_t allowed = is_hard ? hard : soft;
    if (more == 0 || allowed < 0 || sum(now, more) <= allowed || (found && found->hard)) return;
    found = quota_excess{is_hard, std::string(limited), of, sum(now, more), allowed};
  };
  look("bytes", limit.byte_hard_limit, limit.bytes, used.bytes, more_bytes);
  look("count", limit.count_hard_limit, limit.count, used.count, more_nodes);
  return found;
}

void count_usage(tree& nodes, std::string_view path, std::int64_t more_bytes, std::int64_t more_nodes) {
  const std::string_view limited = limited_prefix(nodes, path);
  if (limited.empty()) return;
  node* usage = nodes.find(path_of(limited, usage_name));
  if (usage == nullptr) return;
  const quota_figures used = parse_quota(usage->data);
  write(*usage, sum(used.count, more_nodes), sum(used.bytes, more_bytes));
}

void count_created(tree& nodes, node& made) {
  const std::string_view path = made.path;
  const auto bytes = static_cast<std::int64_t>(made.data.size());
  if (path.ends_with(usage_name) && path.substr(0, quota_root.size() + 1) == "/zookeeper/quota/") {
    const std::string_view owner = parent_of(path).substr(quota_root.size());
    recount(nodes, owner.empty() ? "/" : owner, made);
  }
  count_usage(nodes, path, bytes, 1);
}

}  // namespace zkr::backend
