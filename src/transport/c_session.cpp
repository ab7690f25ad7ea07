#include "transport/c_session.hpp"

#include <cerrno>
#include <climits>
#include <cstring>
#include <system_error>
#include <utility>

#include "core/thread.hpp"
#include "zkrecipes/path.hpp"

namespace zkr::transport {
namespace {

/// The library's process-wide settings.
void set_up_library() {
  static std::once_flag once;
  std::call_once(once, [] {
    // Our order of servers holds, and random() is not seeded again at each attempt.
    zoo_deterministic_conn_order(1);
    zoo_set_debug_level(ZOO_LOG_LEVEL_WARN);
  });
}

}  // namespace

c_session::c_session(transport_options options, sink& reports_to, scheduler& clock, resolver names)
    : options_(std::move(options)),
      sink_(reports_to),
      clock_(clock),
      names_(std::move(names)),
      process_(detail::process_number()),
      log_(std::make_shared<log_queue>(clock)),
      calls_(*this) {}

c_session::~c_session() = default;

bool c_session::is_own_process() const noexcept { return detail::process_number() == process_; }

// ---- life -----------------------------------------------------------------------------------------------------------

result<void> c_session::open() {
  const auto timeout = std::chrono::duration_cast<std::chrono::milliseconds>(options_.session_timeout);
  // The library takes zero and less, and spins.
  if (timeout.count() < 1 || timeout.count() > INT_MAX) {
    return error(errc::invalid_argument, "connect", {}, "the session time-out is not positive, or too long");
  }
  if (!options_.chroot.empty() && (!check_path(options_.chroot) || options_.chroot == "/")) {
    return error(errc::invalid_path, "connect", options_.chroot, "not a chroot");
  }
  auto servers = parse_hosts(options_.hosts);
  if (!servers) return std::move(servers).error();
  log_->on_first([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->post_drain();
  });
  auto found = resolve(*servers, names_);
  if (!found) return std::move(found).error();
  {
    const std::scoped_lock lock(mutex_);
    if (opened_ || closing_) return error(errc::invalid_state, "connect", {}, "opened twice, or closed already");
    opened_ = busy_ = true;
    servers_ = *std::move(servers);
    addresses_ = std::move(found->addresses);
    if (options_.session_id != 0) arm_lookup();  // else every fresh attempt looks them up
  }
  log_problems(found->problems);
  auto started = start_handle();
  if (started) arm_deadline();
  return started;
}

void c_session::log_problems(const std::vector<std::string>& problems) {
  for (const auto& problem : problems) log_->push({4, "not resolved: " + problem});
}

// With busy_ set, which it resets. From then on close() may return at any moment, and nothing but this object is left.
result<void> c_session::start_handle() {
  set_up_library();
  auto made = std::make_unique<c_handle>();
  auto* const handle = made.get();
  handle->session.store(this, std::memory_order_release);
  handle->log = log_channel(log_);
  const auto timeout = std::chrono::duration_cast<std::chrono::milliseconds>(options_.session_timeout);
  clientid_t identity{};
  identity.client_id = options_.session_id;
  std::memcpy(identity.passwd, options_.password.data(), sizeof identity.passwd);
  std::string hosts;
  {
    const std::scoped_lock lock(mutex_);
    hosts = connect_string(addresses_, first_address_++) + options_.chroot;
    addresses_changed_ = false;
    current_ = std::move(made);  // before events come
    started_ = clock_.now();
  }

  zhandle_t* zh = nullptr;
  int why = 0;
  {
    const detail::signals_blocked for_its_threads;
    zh = zookeeper_init2(hosts.c_str(), on_session, static_cast<int>(timeout.count()),
                         options_.session_id != 0 ? &identity : nullptr, handle, ZOO_NO_LOG_CLIENTENV,
                         handle->log.callback());
    why = errno;
  }
  // The default resolves every host again for each request.
  if (zh != nullptr) zoo_set_servers_resolution_delay(zh, -1);

  result<void> done;
  std::unique_ptr<c_handle> failed;
  if (zh == nullptr) {
    done = error(errc::io_error, "connect", {}, "zookeeper_init: " + std::generic_category().message(why));
    log_->push({3, done.error().message()});
  }
  const std::scoped_lock lock(mutex_);
  handle->zh = zh;
  if (zh == nullptr) failed = std::move(current_);
  busy_ = false;
  idle_.notify_all();
  return done;
}

void c_session::end_handle(std::unique_ptr<c_handle> handle, errc leftovers) {
  zhandle_t* zh = nullptr;
  {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [&] { return handle->users == 0; });
    zh = handle->zh;
  }
  if (zh != nullptr) zookeeper_close(zh);
  // Its threads are gone. Now the calls that it forgot, and those that were never given to it.
  const std::scoped_lock delivering(delivery_);
  std::vector<pending_call*> left;
  {
    const std::scoped_lock lock(mutex_);
    connected_ = false;
    held_.clear();
    left = calls_.of(*handle);
  }
  fail(left, leftovers);
}

void c_session::close(unique_function<void()> done) {
  if (is_own_process()) shut_down();
  done();
}

void c_session::abandon() {
  {
    const std::scoped_lock delivering(delivery_);
    muted_ = true;
  }
  shut_down();
}

void c_session::shut_down() {
  std::unique_ptr<c_handle> last;
  scheduler::timer deadline = 0;
  scheduler::timer next_lookup = 0;
  {
    std::unique_lock lock(mutex_);
    if (closing_) {
      idle_.wait(lock, [this] { return closed_; });
      return;
    }
    closing_ = true;
    deadline = std::exchange(deadline_, 0);
    next_lookup = std::exchange(lookup_, 0);
    idle_.wait(lock, [this] { return !busy_; });
    last = std::move(current_);
  }
  if (deadline != 0) clock_.cancel(deadline);
  if (next_lookup != 0) clock_.cancel(next_lookup);
  if (last) end_handle(std::move(last), errc::closing);
  report_noted();
  const std::scoped_lock delivering(delivery_);
  muted_ = true;
  const std::scoped_lock lock(mutex_);
  closed_ = true;
  idle_.notify_all();
}

// ---- the first connection of a new session --------------------------------------------------------------------------
//
// The library gives a silent server 2/3 of the session time-out before it tries the next one, and counts neither the
// time in a listen queue nor that of a handshake apart. As long as there is no session to lose, a fresh handle that
// begins with the next server is quicker. A session that exists stays with its handle, which alone knows its watches
// and last zxid.

void c_session::arm_deadline() {
  if (options_.session_id != 0 || options_.handshake_timeout <= duration::zero()) return;
  const std::scoped_lock lock(mutex_);
  if (closing_ || settled_ || over_) return;
  // The scheduler takes the work and does not run it here.
  deadline_ = clock_.schedule(deadline_after(clock_.now(), options_.handshake_timeout), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->on_deadline();
  });
}

void c_session::on_deadline() {
  std::unique_ptr<c_handle> old;
  {
    const std::scoped_lock lock(mutex_);
    deadline_ = 0;
    if (closing_ || settled_ || over_) return;
    busy_ = true;
    if (current_) current_->retired = true;
    old = std::move(current_);
  }
  // Closing a handle waits for its threads, and looking up names for the network: not on the scheduler.
  auto* const handle = old.release();
  try {
    detail::start_thread("zkr-connect", [self = shared_from_this(), handle] {
      self->replace(std::unique_ptr<c_handle>(handle));
    }).detach();
  } catch (const std::system_error&) {  // no thread to be had: the old handle goes on, until the next deadline
    {
      const std::scoped_lock lock(mutex_);
      current_.reset(handle);
      if (handle != nullptr) handle->retired = false;
      busy_ = false;
      idle_.notify_all();
    }
    arm_deadline();
  }
}

void c_session::replace(std::unique_ptr<c_handle> old) {
  if (old) {
    log_->push({4, "no answer to the handshake in time: trying the next server"});
    end_handle(std::move(old), errc::connection_loss);
  }
  std::vector<server_name> servers;
  {
    const std::scoped_lock lock(mutex_);
    busy_ = false;  // a close() need not wait for the lookup
    idle_.notify_all();
    if (closing_) return;
    servers = servers_;
  }
  auto found = resolve(servers, {names_.find, [](auto&) {}});
  log_problems(found ? found->problems : std::vector{found.error().detail()});  // better the old addresses than none
  {
    const std::scoped_lock lock(mutex_);
    if (closing_) return;
    busy_ = true;
    if (found && servers == servers_) addresses_ = in_order_of(addresses_, std::move(found->addresses));
  }
  (void)start_handle();  // it has logged what went wrong; another deadline, another attempt
  arm_deadline();
}

}  // namespace zkr::transport
