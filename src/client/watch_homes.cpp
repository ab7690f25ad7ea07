#include "client/watch_homes.hpp"

#include <algorithm>

#include "client/client_core.hpp"

namespace zkr::detail {
namespace {

/// Passes on what concerns users of the client, and nothing of its sessions and requests.
class discreet_observer final : public zkr::observer {
 public:
  explicit discreet_observer(std::shared_ptr<zkr::observer> to) : to_(std::move(to)) {}
  void on_log(log_level level, std::string_view line) override { to_->on_log(level, line); }
  void on_background_error(const error& problem) override { to_->on_background_error(problem); }
  void on_callback_exception(std::string_view what) override { to_->on_callback_exception(what); }

 private:
  const std::shared_ptr<zkr::observer> to_;
};

std::size_t cost(const client_core& client, const std::string& path) {
  return watch_homes::overhead_bytes + client.chroot().size() + path.size();
}

result<std::shared_ptr<client_core>> open_another(const client_core& client) {
  auto observer = std::make_shared<discreet_observer>(client.options().observer);
  auto made = client_core::create(client.options_of_another(std::move(observer)), client.transports());
  if (!made) return made;
  // Looking up names and making a handle may take a while: not here.
  client.runtime().reaper().execute([core = *made] {
    if (auto started = core->start(); !started && started.error().code() != errc::closed) {
      core->observer().on_log(log_level::error, started.error().message());
    }
  });
  return made;
}

}  // namespace

result<std::shared_ptr<client_core>> watch_homes::find_room(const std::shared_ptr<client_core>& client,
                                                            const std::string& path) {
  const auto bytes = cost(*client, path);
  const auto most = client->options().max_watch_bytes;
  if (bytes > most_bytes || total_bytes_ + bytes > most) {
    return error(errc::overloaded, "watch", path,
                 "max_watch_bytes: " + std::to_string(total_bytes_ + bytes) +
                     " bytes of watched paths would be more than " + std::to_string(std::min(most, most_bytes)));
  }
  if (bytes_at_home_ + bytes <= most_bytes_at_home) {
    total_bytes_ += bytes;
    bytes_at_home_ += bytes;
    return client;
  }
  auto found = std::find_if(others_.begin(), others_.end(),
                            [bytes](const place& one) { return one.bytes + bytes <= most_bytes; });
  if (found == others_.end()) {
    auto opened = open_another(*client);
    if (!opened) return std::move(opened).error();
    found = others_.insert(others_.end(), {*std::move(opened), 0});
  }
  total_bytes_ += bytes;
  found->bytes += bytes;
  return found->core;
}

result<std::shared_ptr<client_core>> watch_homes::move_in(const std::shared_ptr<client_core>& client,
                                                          const std::string& path, std::weak_ptr<lodger> who) {
  const std::scoped_lock lock(mutex_);
  if (closed_) return client;  // which tells of its end
  auto found = find_room(client, path);
  if (!found) {
    std::erase_if(waiting_, [](const waiting& one) { return one.who.expired(); });
    waiting_.push_back({std::move(who), path});
  }
  return found;
}

std::vector<watch_homes::admitted> watch_homes::admit(const std::shared_ptr<client_core>& client) {
  std::vector<admitted> all;
  std::erase_if(waiting_, [&](const waiting& one) {
    auto who = one.who.lock();
    if (!who) return true;
    auto home = find_room(client, one.path);
    if (!home) return false;
    all.push_back({std::move(who), *std::move(home)});
    return true;
  });
  return all;
}

void watch_homes::move_out(const std::shared_ptr<client_core>& client, const client_core* home,
                           const std::string& path) {
  const auto bytes = cost(*client, path);
  std::vector<admitted> successors;
  std::shared_ptr<client_core> empty;
  {
    const std::scoped_lock lock(mutex_);
    if (closed_) return;
    total_bytes_ -= bytes;
    const auto found =
        std::find_if(others_.begin(), others_.end(), [home](const place& one) { return one.core.get() == home; });
    if (home == client.get()) {
      bytes_at_home_ -= bytes;
    } else if (found != others_.end()) {
      found->bytes -= bytes;
    }
    successors = admit(client);
    const auto unused = std::find_if(others_.begin(), others_.end(), [](const place& one) { return one.bytes == 0; });
    if (unused != others_.end()) {
      empty = std::move(unused->core);
      others_.erase(unused);
    }
  }
  if (empty) (void)empty->begin_close();
  for (const auto& one : successors) one.who->move_into(one.home);
}

std::vector<std::shared_ptr<client_core>> watch_homes::others() const {
  std::vector<std::shared_ptr<client_core>> all;
  const std::scoped_lock lock(mutex_);
  for (const auto& one : others_) all.push_back(one.core);
  return all;
}

void watch_homes::close() noexcept {
  std::vector<place> all;
  std::vector<waiting> in_vain;
  {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    all.swap(others_);
    in_vain.swap(waiting_);
  }
  for (const auto& one : all) (void)one.core->begin_close();
  for (const auto& one : in_vain) {
    if (const auto who = one.who.lock()) who->move_into(nullptr);
  }
}

}  // namespace zkr::detail
