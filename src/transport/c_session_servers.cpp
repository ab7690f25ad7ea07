#include <algorithm>
#include <system_error>
#include <utility>

#include "core/thread.hpp"
#include "transport/c_session.hpp"

// Which servers a session goes to: lists that the user changes, and names that come to mean other addresses.
//
// The library's zoo_set_servers() compares addresses without ports, so that a list that differs by these alone changes
// nothing; it keeps a list that cannot be resolved; and where it leaves a server it closes the socket on the calling
// thread, without an event, with requests half sent and replies to come, which then meet those of the next connection.
// So it is given addresses only, all of them new to it, and only while nothing is under way: without a connection, or
// when all is answered.
namespace zkr::transport {
namespace {

using namespace std::chrono_literals;

bool contains(const std::vector<server_address>& all, const server_address& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

bool same_set(const std::vector<server_address>& a, const std::vector<server_address>& b) {
  return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&](const auto& one) { return contains(b, one); });
}

}  // namespace

result<void> c_session::set_servers(const std::string& hosts) {
  auto servers = parse_hosts(hosts);
  if (!servers) return std::move(servers).error();
  auto found = resolve(*servers, names_);
  if (!found) return std::move(found).error();
  c_handle* handle = nullptr;
  zhandle_t* zh = nullptr;
  {
    const std::scoped_lock lock(mutex_);
    if (closing_) return error(errc::closed, "set_servers");
    servers_ = *std::move(servers);
    addresses_ = std::move(found->addresses);
    addresses_changed_ = true;
    if (connected_ && current_) {
      handle = current_.get();
      zh = handle->zh;
      ++handle->users;
    }
  }
  log_problems(found->problems);
  if (handle != nullptr) {
    const auto at = peer_of(zh);
    const std::scoped_lock lock(mutex_);
    // A connection that has ended meanwhile has given the list to the library, or will.
    if (connected_ && addresses_changed_ && (!at || !contains(addresses_, *at))) leaving_ = true;
    if (--handle->users == 0) idle_.notify_all();
  }
  pump();
  return {};
}

// Gives the library the list that it does not have yet, if this is the moment.
void c_session::change_servers() {
  c_handle* handle = nullptr;
  zhandle_t* zh = nullptr;
  pending_call* call = nullptr;
  std::string list;
  {
    const std::scoped_lock lock(mutex_);
    if (!addresses_changed_ || pumping_ || closing_ || over_ || !current_ || current_->zh == nullptr) return;
    if (connected_ && (!leaving_ || outstanding_ > 0 || !held_.empty())) return;
    // After a reconnect the library's own packets may be half sent still: then the reply to the probe leads here again.
    if (!connected_ || flushed_) {
      list = connect_string(addresses_, 0);
      left_ = connected_;
      addresses_changed_ = leaving_ = false;
    }
    handle = current_.get();
    zh = handle->zh;
    call = &calls_.acquire();
    call->what = pending_call::kind::probe;
    call->handle = handle;
    call->submitted = clock_.now();
    pumping_ = true;
    give(*call);
  }
  if (!list.empty()) {
    // One warning of the library prints the list that is being freed.
    zoo_set_debug_level(ZOO_LOG_LEVEL_ERROR);
    // Nobody's address: the socket, if there is one, is closed, and whatever follows is a change.
    zoo_set_servers(zh, "127.255.255.254:1");
    zoo_set_servers(zh, list.c_str());
  }
  const auto code = to_errc(send_probe(zh, *call));  // also wakes the I/O thread, which waits on a closed socket
  const std::scoped_lock lock(mutex_);
  pumping_ = false;
  if (code != errc::ok) refuse(*call, code);
  if (left_) post_drain();
  if (--handle->users == 0) idle_.notify_all();
}

// With delivery_ held.
void c_session::report_left() {
  session_event event;
  std::vector<pending_call*> given_up;
  {
    const std::scoped_lock lock(mutex_);
    if (!std::exchange(left_, false)) return;
    connected_ = false;
    event.connection = connection_;
    given_up = give_up_held(true);
  }
  event.at = clock_.now();
  sink_.on_session_event(event);
  fail(given_up, errc::connection_loss);
}

// ---- names ----------------------------------------------------------------------------------------------------------
//
// A connection that works is not left for what a name server says; once it is lost, names are looked up again and again
// until there is another.

void c_session::look_names_up() {
  std::vector<server_name> servers;
  {
    const std::scoped_lock lock(mutex_);
    if (looking_up_ || closing_ || over_ || connected_) return;
    if (std::none_of(servers_.begin(), servers_.end(), needs_lookup)) return;
    looking_up_ = true;
    servers = servers_;
  }
  try {
    detail::start_thread("zkr-resolve", [self = shared_from_this(), servers = std::move(servers)] {
      self->on_lookup(servers, resolve(servers, {self->names_.find, [](auto&) {}}));
    }).detach();
  } catch (const std::system_error&) {  // no thread to be had
    const std::scoped_lock lock(mutex_);
    looking_up_ = false;
    arm_lookup();
  }
}

void c_session::on_lookup(const std::vector<server_name>& servers, result<resolved_servers> found) {
  {
    const std::scoped_lock lock(mutex_);
    looking_up_ = false;
    if (closing_ || over_) return;
    if (found && servers == servers_ && !same_set(addresses_, found->addresses)) {
      addresses_ = in_order_of(addresses_, std::move(found->addresses));
      addresses_changed_ = true;
    }
    arm_lookup();
  }
  log_problems(found ? found->problems : std::vector{found.error().detail()});  // the old ones then, as good as none
  pump();
}

// With mutex_ held. The scheduler takes the work and does not run it here.
void c_session::arm_lookup() {
  if (connected_ || closing_ || lookup_ != 0) return;
  const auto pause = std::clamp<duration>(options_.session_timeout / 6, 100ms, 10s);
  lookup_ = clock_.schedule(clock_.now() + pause, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    {
      const std::scoped_lock lock(self->mutex_);
      self->lookup_ = 0;
    }
    self->look_names_up();
  });
}

}  // namespace zkr::transport
