#include "transport/zk_log.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace zkr::transport {
namespace {

struct registered {
  std::mutex mutex;
  std::shared_ptr<log_queue> queue;  // guarded by mutex
};

constexpr std::size_t channels = 128;

// Never destroyed: a thread of the library may log while the process exits.
std::array<registered, channels>& registry() {
  static auto* const all = new std::array<registered, channels>;
  return *all;
}

template <std::size_t Number>
void receive(const char* line) {
  auto& entry = registry()[Number];
  std::shared_ptr<log_queue> queue;
  {
    const std::scoped_lock lock(entry.mutex);
    queue = entry.queue;
  }
  if (queue && line != nullptr) queue->push(line);
}

template <std::size_t... Numbers>
constexpr std::array<log_channel::function, sizeof...(Numbers)> make_callbacks(std::index_sequence<Numbers...>) {
  return {&receive<Numbers>...};
}
constexpr auto callbacks = make_callbacks(std::make_index_sequence<channels>());

int level_of(std::string_view name) noexcept {
  if (name == "ERROR") return 3;
  if (name == "WARN") return 4;
  return name == "DEBUG" ? 7 : 6;
}

}  // namespace

log_line parse_log_line(std::string_view line) {
  constexpr std::string_view mark = ":ZOO_";
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  const auto level = line.find(mark);
  const auto function = level == std::string_view::npos ? level : line.find('@', level);
  const auto text = function == std::string_view::npos ? function : line.find(": ", function);
  if (text == std::string_view::npos) return {6, std::string(line)};
  const auto from = level + mark.size();
  return {level_of(line.substr(from, function - from)), std::string(line.substr(text + 2))};
}

void log_queue::on_first(unique_function<void()> notify) {
  const std::scoped_lock lock(mutex_);
  notify_ = std::move(notify);
}

void log_queue::push(std::string_view line) { push(parse_log_line(line)); }

void log_queue::push(log_line line) {
  const std::scoped_lock lock(mutex_);
  const auto now = clock_.now();
  if (now - refilled_ >= refill) {
    const auto more = (now - refilled_) / refill;
    tokens_ = std::min<std::size_t>(burst, tokens_ + static_cast<std::size_t>(std::min<decltype(more)>(more, burst)));
    refilled_ = now;
  }
  if (tokens_ == 0) {
    ++dropped_;
    return;
  }
  --tokens_;
  const bool first = waiting_.empty();
  waiting_.push_back(std::move(line));
  if (first && notify_) notify_();
}

std::vector<log_line> log_queue::take() {
  const std::scoped_lock lock(mutex_);
  if (dropped_ > 0) {
    waiting_.push_back({4, "lines of the C library's log that were dropped: " + std::to_string(dropped_)});
    dropped_ = 0;
  }
  return std::exchange(waiting_, {});
}

log_channel::log_channel(std::shared_ptr<log_queue> to) {
  for (std::size_t number = 0; number < channels; ++number) {
    auto& entry = registry()[number];
    const std::scoped_lock lock(entry.mutex);
    if (entry.queue) continue;
    entry.queue = std::move(to);
    number_ = number;
    callback_ = callbacks[number];
    return;
  }
}

log_channel::~log_channel() {
  if (!number_) return;
  std::shared_ptr<log_queue> last;  // destroyed after the lock is released
  auto& entry = registry()[*number_];
  const std::scoped_lock lock(entry.mutex);
  last = std::exchange(entry.queue, nullptr);
}

log_channel::log_channel(log_channel&& other) noexcept
    : number_(std::exchange(other.number_, std::nullopt)), callback_(other.callback_) {}

log_channel& log_channel::operator=(log_channel&& other) noexcept {
  std::swap(number_, other.number_);
  std::swap(callback_, other.callback_);
  return *this;
}

}  // namespace zkr::transport
