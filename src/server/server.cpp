#include "zkrecipes/server.hpp"

#include <algorithm>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "core/thread.hpp"
#include "server/admin_commands.hpp"
#include "server/fault_board.hpp"
#include "server/figures.hpp"
#include "server/io_loop.hpp"
#include "server/listener.hpp"
#include "server/sasl_users.hpp"
#include "server/storage/store.hpp"

namespace zkr {

namespace {

using namespace backend;

std::int64_t wall_ms() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since_1970).count();
}

std::optional<error> wrong(const server_options& options) {
  const auto bad = [](const char* what) { return error(errc::invalid_argument, "start server", {}, what); };
  using std::chrono::milliseconds;
  // Session time-outs are 32-bit milliseconds on the wire; 20 ticks must fit.
  constexpr milliseconds longest{0x7fff'ffff};
  if (options.tick_time < milliseconds(1) || options.tick_time > longest / 20) return bad("tick_time is out of range");
  if (options.min_session_timeout &&
      (*options.min_session_timeout < milliseconds(1) || *options.min_session_timeout > longest)) {
    return bad("min_session_timeout is out of range");
  }
  if (options.max_session_timeout && *options.max_session_timeout > longest)
    return bad("max_session_timeout is out of range");
  const milliseconds least = options.min_session_timeout.value_or(2 * options.tick_time);
  if (options.max_session_timeout.value_or(20 * options.tick_time) < least) {
    return bad("max_session_timeout is less than min_session_timeout");
  }
  if (options.reap_interval < milliseconds(1)) return bad("reap_interval is not positive");
  if (options.handshake_timeout < milliseconds(1)) return bad("handshake_timeout is not positive");
  if (options.snap_count < 1) return bad("snap_count is not positive");
  if (options.slow_fsync < milliseconds(0) || options.slow_fsync > longest) return bad("slow_fsync is out of range");
  if (options.snapshots_kept < 1) return bad("snapshots_kept is not positive");
  if (options.data_dir.empty() && !options.data_log_dir.empty())
    return bad("data_log_dir is of no use without data_dir");
  if (options.max_frame_bytes < 64 || options.max_frame_bytes > 0x7fff'ffff)
    return bad("max_frame_bytes is out of range");
  constexpr std::int64_t most = std::int64_t{1} << 62U;
  if (options.first_session_id < 0 || options.first_session_id > most) return bad("first_session_id is out of range");
  if (options.last_zxid < 0 || options.last_zxid > most) return bad("last_zxid is out of range");
  if (options.last_zxid != 0 && !options.data_dir.empty()) return bad("last_zxid is no choice with data_dir");
  if (!options.super_digest.empty() && options.super_digest.find(':') == std::string::npos) {
    return bad("super_digest is no digest id: it has no colon");
  }
  if (options.require_sasl && options.sasl_users_file.empty()) return bad("require_sasl needs sasl_users_file");
  return std::nullopt;
}

processor_options to_processor(const server_options& options, sasl_secrets users) {
  processor_options to;
  to.tick_time = options.tick_time;
  if (options.min_session_timeout) to.min_session_timeout = *options.min_session_timeout;
  if (options.max_session_timeout) to.max_session_timeout = *options.max_session_timeout;
  to.reap_interval = options.reap_interval;
  to.ttl = options.allow_ttl_nodes ? ttl_nodes::enabled : ttl_nodes::disabled;
  to.quota = options.enforce_quota ? quota_limits::enforced : quota_limits::ignored;
  to.super_digest = options.super_digest;
  to.first_session_id = options.first_session_id;
  to.sasl_users = std::move(users);
  to.require_sasl = options.require_sasl;
  to.compat = options.compatibility == server_compatibility::apache_3_9 ? compatibility::v3_9 : compatibility::v3_8;
  return to;
}

listener_options to_listener(const server_options& options, const store* disk) {
  listener_options to;
  to.max_connections_per_address = options.max_connections_per_address;
  to.max_connections = options.max_connections;
  to.max_frame_bytes = options.max_frame_bytes;
  to.handshake_timeout = options.handshake_timeout;
  to.four_letter_words = options.four_letter_words;
  if (disk != nullptr) {
    to.data_dir = disk->folder().snapshots();
    to.data_log_dir = disk->folder().logs();
  }
  return to;
}

}  // namespace

struct server::impl {
  impl(const server_options& options, sasl_secrets users, std::unique_ptr<io_loop> with,
       std::unique_ptr<wire::acceptor> from, std::unique_ptr<store> on_disk, database state)
      : loop(std::move(with)),
        events(options.log, options.log_from),
        disk(std::move(on_disk)),
        core(to_processor(options, std::move(users)), {loop->now(), wall_ms()}, std::move(state), disk.get(), &events),
        door(std::make_unique<listener>(core, *loop, std::move(from), to_listener(options, disk.get()), wall_ms,
                                        disk.get(), faults)),
        on_failure(options.on_failure),
        slow_fsync(options.slow_fsync),
        facts(door->facts()) {
    core.remove_orphans(door->now());
    if (disk != nullptr) {
      const auto released = [this] {
        if (door != nullptr) door->release();
      };
      disk->start([this, released] { loop->post(released); },
                  [this](error why) { loop->post([this, why = std::move(why)] { fail(why); }); },
                  [this](store_event what) { loop->post([this, what] { tell(what); }); });
    }
    tell_start(options);
    door->flush();
    door->start();
    thread = detail::start_thread(options.thread_name, [this] { loop->run(); });
  }

  ~impl() { stop(); }

  // Where it has stopped, too.
  [[nodiscard]] instant now() const { return door != nullptr ? door->now() : instant{loop->now(), wall_ms()}; }

  [[nodiscard]] server_facts& facts_now() { return door != nullptr ? door->facts() : facts; }

  // Runs `work` on the server's thread, paused or not, and waits for it; here, once that thread has ended.
  template <typename F>
  auto call(F work) {
    std::packaged_task<decltype(work())()> task(std::move(work));
    auto done = task.get_future();
    {
      std::unique_lock lock(mutex);
      if (!stopping) {
        tasks.emplace_back([&task] { task(); });
        changed.notify_all();
        lock.unlock();
        loop->post([this] { run_tasks(); });
        return done.get();
      }
    }
    const std::lock_guard ended(end_mutex);
    task();
    return done.get();
  }

  // On the server's thread. A paused server stays in here, so that nothing else happens.
  void run_tasks() {
    std::unique_lock lock(mutex);
    while (true) {
      while (!tasks.empty()) {
        unique_function<void()> next = std::move(tasks.front());
        tasks.erase(tasks.begin());
        lock.unlock();
        next();
        next = nullptr;
        lock.lock();
      }
      if (!paused || stopping) break;
      changed.wait(lock, [this] { return !paused || stopping || !tasks.empty(); });
    }
  }

  // On the server's thread. Nobody is told anything from here on: what they would be told might be lost.
  void fail(const error& why) {
    {
      const std::lock_guard lock(mutex);
      failure = why;
    }
    events.write(log_level::error, "data_failed", {{"error", why.message()}});
    door->shut();
    if (on_failure) on_failure(why);
  }

  void stop() noexcept {
    const std::lock_guard once(end_mutex);
    {
      const std::lock_guard lock(mutex);
      stopping = true;
      changed.notify_all();
    }
    if (!thread.joinable()) return;
    // Posted, not stopped at once: calls that wait are answered first.
    loop->post([this] {
      run_tasks();
      loop->stop();
    });
    thread.join();
    door.reset();
    if (disk != nullptr) disk->stop();
    events.finish();
    std::uint64_t requests = 0;
    for (const std::uint64_t one : core.statistics().requests) requests += one;
    events.write(log_level::info, "stopped",
                 {{"uptime_ms", std::to_string(wall_ms() - facts.started_ms)},
                  {"requests", std::to_string(requests)},
                  {"sessions", std::to_string(core.sessions().size())}});
  }

  void tell_start(const server_options& options) {
    if (disk != nullptr) {
      const recovered& found = disk->report();
      events.write(log_level::info, "recovered",
                   {{"snapshot", found.snapshot},
                    {"transactions", std::to_string(found.transactions)},
                    {"nodes", std::to_string(core.state().nodes().size())},
                    {"sessions", std::to_string(core.sessions().size())}});
      for (const std::string& note : found.notes) events.write(log_level::warning, "repaired", {{"note", note}});
    }
    events.write(log_level::info, "started",
                 {{"version", std::string(server_version.substr(0, server_version.find(',')))},
                  {"address", facts.address},
                  {"port", std::to_string(facts.port)},
                  {"data", options.data_dir.empty() ? "none" : options.data_dir}});
  }

  void tell(const store_event& what) {
    const std::string ms = std::to_string(whole_ms(what.took));
    if (what.kind == store_event::what::disk_was_slow) {
      events.warn_seldom("slow_fsync", {{"limit_ms", std::to_string(slow_fsync.count())}, {"took_ms", ms}});
    } else {
      events.write(log_level::info, "snapshot", {{"zxid", hex(what.zxid)}, {"took_ms", ms}});
    }
  }

  std::mutex end_mutex;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<unique_function<void()>> tasks;  // guarded by mutex
  bool paused = false;                         // guarded by mutex
  bool stopping = false;                       // guarded by mutex
  std::optional<error> failure;                // guarded by mutex

  // Used by the server's thread alone while it runs.
  std::shared_ptr<fault_board> faults = std::make_shared<fault_board>();
  std::unique_ptr<io_loop> loop;
  event_log events;
  std::unique_ptr<store> disk;
  processor core;
  std::unique_ptr<listener> door;
  const std::function<void(const error&)> on_failure;

  const std::chrono::milliseconds slow_fsync;
  server_facts facts;
  std::thread thread;
};

result<server> server::start(const server_options& options) {
  if (std::optional<error> bad = wrong(options)) return *std::move(bad);
  sasl_secrets users;
  if (!options.sasl_users_file.empty()) {
    auto read = read_sasl_users(options.sasl_users_file);
    if (!read) return std::move(read).error();
    users = *std::move(read);
  }
  database state(options.last_zxid);
  std::unique_ptr<store> disk;
  if (!options.data_dir.empty()) {
    const store_options where{options.data_dir, options.data_log_dir, options.snap_count, options.snapshots_kept,
                              options.slow_fsync};
    auto opened = store::open(make_posix_file_system(), where, state);
    if (!opened) return std::move(opened).error();
    disk = *std::move(opened);
  }
  auto loop = std::make_unique<io_loop>();
  auto listening = loop->listen(options.address, options.port);
  if (!listening) return std::move(listening).error();
  return server(std::make_unique<impl>(options, std::move(users), std::move(loop), *std::move(listening),
                                       std::move(disk), std::move(state)));
}

server::server(std::unique_ptr<impl> state) noexcept : impl_(std::move(state)) {}
server::server(server&& other) noexcept = default;
server& server::operator=(server&& other) noexcept = default;
server::~server() = default;

std::uint16_t server::port() const noexcept { return impl_->facts.port; }

std::string server::connect_string() const {
  std::string address = impl_->facts.address;
  if (address == "0.0.0.0") address = "127.0.0.1";
  if (address == "::") address = "::1";
  if (address.find(':') != std::string::npos) address = "[" + address + "]";
  return address + ":" + std::to_string(port());
}

recovery_report server::recovery() const {
  recovery_report report;
  if (impl_->disk == nullptr) return report;
  const recovered& found = impl_->disk->report();
  report.snapshot = found.snapshot;
  report.transactions = found.transactions;
  report.notes = found.notes;
  return report;
}

std::optional<error> server::failure() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->failure;
}

void server::stop() noexcept {
  if (impl_ != nullptr) impl_->stop();
}

void server::pause() {
  impl_->call([this] {
    const std::lock_guard lock(impl_->mutex);
    impl_->paused = true;
  });
}

void server::resume() {
  impl_->call([this] {
    if (impl_->door != nullptr) impl_->door->tick();
    const std::lock_guard lock(impl_->mutex);
    impl_->paused = false;
  });
}

void server::drop_connections() {
  impl_->call([this] {
    if (impl_->door != nullptr) impl_->door->drop_connections();
  });
}

void server::begin_lag() {
  impl_->call([this] { impl_->core.begin_lag(); });
}

void server::end_lag() {
  impl_->call([this] {
    impl_->core.end_lag();
    if (impl_->door != nullptr) impl_->door->flush();
  });
}

bool server::expire_session(std::int64_t session_id) {
  return impl_->call([this, session_id] {
    if (impl_->door == nullptr) return false;
    const bool found = impl_->core.expire(session_id, impl_->door->now());
    impl_->door->flush();
    return found;
  });
}

fault_injector server::faults() const { return fault_injector(impl_->faults); }

void server::step_clock(std::chrono::milliseconds by) {
  constexpr std::chrono::milliseconds most = std::chrono::hours(24 * 3650);
  impl_->call([this, by = std::clamp(by, std::chrono::milliseconds(0), most)] {
    if (impl_->door != nullptr) impl_->door->step_clock(by);
  });
}

bool server::set_next_sequence(const std::string& path, std::int32_t number) {
  return impl_->call([&] { return impl_->core.set_next_sequence(path, number); });
}

std::vector<std::int64_t> server::sessions() const {
  return impl_->call([this] {
    std::vector<std::int64_t> ids;
    for (const auto& [id, one] : impl_->core.sessions().all()) ids.push_back(id);
    std::sort(ids.begin(), ids.end());
    return ids;
  });
}

server_statistics server::statistics() const {
  return impl_->call([this] {
    const processor& core = impl_->core;
    server_statistics now;
    const auto& counted = core.statistics().requests;
    for (std::size_t i = 1; i < counted.size(); ++i) {
      const auto opcode = static_cast<std::int32_t>(i) - static_cast<std::int32_t>(processor_statistics::opcode_offset);
      if (counted[i] != 0) now.requests[opcode] = counted[i];
    }
    now.packets_received = core.statistics().received;
    now.packets_sent = core.statistics().sent;
    now.expired_sessions = core.statistics().expired_sessions;
    now.connections = impl_->door != nullptr ? impl_->door->connections() : 0;
    now.sessions = core.sessions().size();
    now.nodes = core.state().nodes().size();
    now.watches = core.watch_count();
    now.last_zxid = core.state().last_zxid();
    return now;
  });
}

std::string server::admin(std::string_view command, const std::map<std::string, std::string>& parameters) {
  return impl_->call([&] { return admin_answer(command, parameters, impl_->core, impl_->facts_now(), impl_->now()); });
}

std::vector<std::string> server::admin_commands() { return admin_command_names(); }

std::string server::metrics() const {
  return impl_->call([this] { return backend::metrics(impl_->core, impl_->facts, impl_->now()); });
}

}  // namespace zkr
