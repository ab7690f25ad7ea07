#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "support/eventually.hpp"
#include "transport/transport.hpp"

namespace zkr::transport {

/// How long a test waits for what must happen.
inline std::chrono::seconds patience() { return std::chrono::seconds(20) * testing::time_factor(); }

/// A reply that owns its texts.
struct kept_reply {
  std::uint64_t id = 0;
  errc code = errc::ok;
  reply_info info;
  wire::reply body;
  std::shared_ptr<std::deque<std::string>> texts = std::make_shared<std::deque<std::string>>();

  kept_reply(std::uint64_t of, errc with, const wire::reply& what, const reply_info& how)
      : id(of), code(with), info(how), body(what) {
    std::visit([this](auto& one) { keep(one); }, body);
  }

  template <typename Body>
  [[nodiscard]] const Body& as() const {
    return std::get<Body>(body);
  }

 private:
  void keep(std::string_view& text) { text = texts->emplace_back(text); }
  void keep(wire::create_reply& of) { keep(of.path); }
  void keep(wire::sync_reply& of) { keep(of.path); }
  void keep(wire::get_data_reply& of) {
    if (of.data) keep(*of.data);
  }
  void keep(wire::get_children_reply& of) {
    for (auto& child : of.children) keep(child);
  }
  void keep(wire::multi_reply& of) {
    for (auto& one : of.results) std::visit([this](auto& result) { keep(result); }, one);
  }
  template <typename Other>
  void keep(Other&) {}
};

struct kept_watch {
  wire::event_type type;
  std::string path;
  std::uint64_t connection;
};

/// Keeps what a transport reports, checks that reports come one at a time, and lets a test wait for them.
class recording_sink final : public sink {
 public:
  void on_session_event(const session_event& event) override {
    const one_at_a_time check(*this);
    {
      const std::scoped_lock lock(mutex_);
      sessions_.push_back(event);
      changed_.notify_all();
    }
    const auto react = locked(during_session_);
    if (react) react(event);
  }
  void on_watch_event(const watch_event& event) override {
    const one_at_a_time check(*this);
    const std::scoped_lock lock(mutex_);
    watches_.push_back({event.type, std::string(event.path), event.connection});
    changed_.notify_all();
  }
  void on_reply(std::uint64_t id, errc code, const wire::reply& body, const reply_info& info) override {
    const one_at_a_time check(*this);
    {
      const std::scoped_lock lock(mutex_);
      replies_.emplace(id, kept_reply(id, code, body, info));
      order_.push_back(id);
      changed_.notify_all();
    }
    const auto react = locked(during_reply_);
    if (react) react(id, code);
  }
  void on_log(int level, std::string_view line) override {
    const one_at_a_time check(*this);
    const std::scoped_lock lock(mutex_);
    lines_.emplace_back(level, line);
    changed_.notify_all();
  }

  /// What a sink does inside a report.
  void during_session(std::function<void(const session_event&)> react) {
    const std::scoped_lock lock(mutex_);
    during_session_ = std::move(react);
  }
  void during_reply(std::function<void(std::uint64_t, errc)> react) {
    const std::scoped_lock lock(mutex_);
    during_reply_ = std::move(react);
  }

  /// Waits until `done(*this)`, which sees a consistent state. @return false where it did not come.
  template <typename Predicate>
  [[nodiscard]] bool wait(Predicate done) {
    std::unique_lock lock(mutex_);  // the predicate takes it once more
    return changed_.wait_for(lock, patience(), [&] { return done(*this); });
  }
  [[nodiscard]] bool wait_connected(std::size_t times = 1) {
    return wait([&](auto& all) { return all.count(session_event::kind::connected) >= times; });
  }
  /// The reply to a request, waited for.
  [[nodiscard]] std::optional<kept_reply> reply(std::uint64_t id) {
    if (!wait([&](auto& all) { return all.replies_.count(id) > 0; })) return std::nullopt;
    const std::scoped_lock lock(mutex_);
    return replies_.find(id)->second;
  }

  // What was reported so far.
  [[nodiscard]] std::size_t count(session_event::kind what) const {
    const std::scoped_lock lock(mutex_);
    std::size_t found = 0;
    for (const auto& one : sessions_) found += one.what == what ? 1 : 0;
    return found;
  }
  [[nodiscard]] std::vector<session_event> sessions() const { return locked(sessions_); }
  [[nodiscard]] std::vector<kept_watch> watches() const { return locked(watches_); }
  [[nodiscard]] std::multimap<std::uint64_t, kept_reply> replies() const { return locked(replies_); }
  [[nodiscard]] std::vector<std::uint64_t> order() const { return locked(order_); }
  [[nodiscard]] std::vector<std::pair<int, std::string>> lines() const { return locked(lines_); }
  [[nodiscard]] std::size_t reply_count() const {
    const std::scoped_lock lock(mutex_);
    return replies_.size();
  }
  [[nodiscard]] bool overlapped() const { return overlapped_; }

 private:
  template <typename T>
  [[nodiscard]] T locked(const T& what) const {
    const std::scoped_lock lock(mutex_);
    return what;
  }
  struct one_at_a_time {
    explicit one_at_a_time(recording_sink& in) : sink(in) {
      if (sink.inside_.exchange(true)) sink.overlapped_ = true;
    }
    ~one_at_a_time() { sink.inside_ = false; }
    recording_sink& sink;
  };

  std::atomic<bool> inside_{false};
  std::atomic<bool> overlapped_{false};
  mutable std::recursive_mutex mutex_;
  std::condition_variable_any changed_;
  std::function<void(const session_event&)> during_session_;
  std::function<void(std::uint64_t, errc)> during_reply_;
  std::vector<session_event> sessions_;
  std::vector<kept_watch> watches_;
  std::multimap<std::uint64_t, kept_reply> replies_;
  std::vector<std::uint64_t> order_;
  std::vector<std::pair<int, std::string>> lines_;
};

}  // namespace zkr::transport
