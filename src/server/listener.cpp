#include "server/listener.hpp"

#include <algorithm>
#include <utility>

namespace zkr::backend {

namespace {

constexpr std::size_t read_bytes = std::size_t{64} << 10U;
// What one of those that send without end may send before others have their turn.
constexpr std::size_t bulky_read_bytes = std::size_t{16} << 10U;
constexpr std::size_t kept_capacity = std::size_t{16} << 10U;
constexpr duration accept_pause = std::chrono::milliseconds(100);

// A buffer that was large once does not stay large for every idle connection.
void clear(std::string& buffer) {
  if (buffer.capacity() > kept_capacity) {
    buffer = {};
  } else {
    buffer.clear();
  }
}

// What an unfinished frame keeps busy: a buffer that grows is up to twice as large as what it holds.
std::size_t busy_bytes(const std::string& input) { return input.empty() ? 0 : input.capacity(); }

}  // namespace

listener::listener(processor& server, scheduler& time, std::unique_ptr<wire::acceptor> from, listener_options options,
                   std::int64_t (*wall_ms)(), journal* log, std::shared_ptr<fault_board> faults)
    : server_(server),
      time_(time),
      acceptor_(std::move(from)),
      options_(std::move(options)),
      words_(options_.four_letter_words),
      wall_ms_(wall_ms),
      log_(log),
      faults_(server, std::move(faults)),
      buffer_(read_bytes) {
  const wire::endpoint at = acceptor_->local();
  facts_ = {at.address, at.port, options_.max_connections_per_address, wall_ms_()};
  facts_.data_dir = options_.data_dir;
  facts_.data_log_dir = options_.data_log_dir;
}

listener::~listener() {
  if (timer_ != 0) time_.cancel(timer_);
}

instant listener::now() const {
  return {time_.now() + step_, wall_ms_() + std::chrono::duration_cast<std::chrono::milliseconds>(step_).count()};
}

void listener::start() { accept(); }

// ---- connections come and go ----------------------------------------------------------------------------------------

void listener::accept() {
  if (acceptor_ == nullptr) return;
  acceptor_->accept([this](std::unique_ptr<wire::stream> bytes, wire::endpoint from) {
    if (bytes == nullptr) {
      // Out of descriptors, most likely: as soon as one is free again is soon enough.
      time_.schedule(time_.now() + accept_pause, [this] { accept(); });
      return;
    }
    accepted(std::move(bytes), std::move(from));
    accept();
  });
}

void listener::accepted(std::unique_ptr<wire::stream> bytes, wire::endpoint from) {
  std::size_t& from_there = per_address_[from.address];
  const bool too_many =
      (options_.max_connections != 0 && links_.size() >= options_.max_connections) ||
      (options_.max_connections_per_address != 0 && from_there >= options_.max_connections_per_address);
  if (too_many || faults_.refuses_connection()) {
    if (from_there == 0) per_address_.erase(from.address);
    if (!too_many) return;
    ++server_.statistics().rejected_connections;
    server_.events().warn_seldom("connection_refused", {{"reason", "too many connections"}, {"client", from.address}});
    return;  // the stream closes as it goes
  }
  ++from_there;
  const instant at = now();
  auto added = std::make_unique<link>();
  added->id = server_.open({from.address, from.port}, at);
  added->bytes = std::move(bytes);
  added->address = std::move(from.address);
  handshakes_.emplace_back(at.now + options_.handshake_timeout, added->id);
  wait_to_read(*added);
  links_.emplace(added->id, std::move(added));
  arm();
}

void listener::drop(connection_id id) {
  const auto found = links_.find(id);
  if (found == links_.end()) return;
  const auto count = per_address_.find(found->second->address);
  if (--count->second == 0) per_address_.erase(count);
  input_bytes_ -= busy_bytes(found->second->input);
  found->second->bytes->close();
  links_.erase(found);
  server_.disconnect(id);
}

void listener::drop_connections() {
  std::vector<connection_id> all;
  for (const auto& [id, one] : links_) all.push_back(id);
  for (const connection_id id : all) drop(id);
}

void listener::shut() {
  acceptor_.reset();
  drop_connections();
}

void listener::drop_silent(time_point now, std::size_t most) {
  for (; most > 0 && !handshakes_.empty() && handshakes_.front().first <= now; --most) {
    const connection_id id = handshakes_.front().second;
    handshakes_.pop_front();
    const auto found = server_.connections().find(id);
    if (found != server_.connections().end() && found->second.session == nullptr) {
      server_.give_up(id, "no handshake in time");
      drop(id);
    }
  }
}

// ---- bytes in -------------------------------------------------------------------------------------------------------

void listener::wait_to_read(link& on) {
  if (on.waiting_to_read || on.closing) return;
  on.waiting_to_read = true;
  on.bytes->when_readable([this, id = on.id] { readable(id); });
}

void listener::readable(connection_id id) {
  const auto found = links_.find(id);
  if (found == links_.end()) return;
  link& on = *found->second;
  on.waiting_to_read = false;
  if (!on.bulky) return read(on);
  bulky_.push_back(id);
  if (bulky_.size() == 1) time_.post([this] { read_bulky(); });
}

// One at a time, and whoever else became readable comes in between: a hundred connections that send without end cost
// the others one read, not a hundred.
void listener::read_bulky() {
  const connection_id id = bulky_.front();
  bulky_.pop_front();
  if (!bulky_.empty()) time_.post([this] { read_bulky(); });
  if (const auto found = links_.find(id); found != links_.end()) read(*found->second);
}

void listener::read(link& on) {
  if (on.closing) return;
  const connection_id id = on.id;
  const std::size_t most = on.bulky ? bulky_read_bytes : buffer_.size();
  const wire::stream::progress got = on.bytes->read(buffer_.data(), most);
  if (got.over && got.bytes == 0) {
    drop(id);
    return arm();
  }
  on.bulky = got.bytes == most;
  take_input(on, {buffer_.data(), got.bytes});
  bound_input();
  flush();
  go_on_later(id);
}

// A connection that was stopped because too much was unsent: on as soon as there is room, in turn with the others.
void listener::go_on_later(connection_id id) {
  const auto stopped = [this](connection_id which) -> link* {
    const auto found = links_.find(which);
    if (found == links_.end()) return nullptr;
    link& on = *found->second;
    const bool waits = on.waiting_to_read || on.waiting_to_write || on.held || on.faults.holds();
    return waits || on.closing ? nullptr : &on;
  };
  if (stopped(id) == nullptr) return;
  time_.post([this, id, stopped] {
    link* on = stopped(id);
    if (on == nullptr) return;
    take_input(*on, {});
    flush();
    go_on_later(id);
  });
}

// Frames are handed over where they were received; only what is left of the last one is copied.
void listener::take_input(link& on, std::string_view received) {
  const std::size_t before = busy_bytes(on.input);
  if (on.input.empty()) {
    const std::size_t consumed = consume(on, received);
    if (!on.closing) on.input.assign(received.substr(consumed));
  } else {
    on.input.append(received);
    const std::size_t consumed = consume(on, on.input);
    if (consumed == on.input.size()) {
      clear(on.input);
    } else {
      on.input.erase(0, consumed);
    }
  }
  input_bytes_ += busy_bytes(on.input) - before;
  if (on.faults.wake_at) delayed_.emplace(*std::exchange(on.faults.wake_at, std::nullopt), on.id);
  if (on.closing || on.faults.input_held_until || unsent(on) > options_.max_unsent_bytes) return;
  if (log_ != nullptr) {
    log_->submit();  // the disk begins while the rest is done
    if (log_->is_behind()) return hold(on);
  }
  wait_to_read(on);
}

// Whoever holds back the end of a frame keeps memory busy. Among honest clients there are no such sums.
void listener::bound_input() {
  while (input_bytes_ > options_.max_input_bytes) {
    const auto largest = std::max_element(links_.begin(), links_.end(), [](const auto& a, const auto& b) {
      return busy_bytes(a.second->input) < busy_bytes(b.second->input);
    });
    drop(largest->first);
  }
}

std::size_t listener::consume(link& on, std::string_view input) {
  std::size_t consumed = 0;
  if (on.first) {
    if (input.size() < wire::frame_length_bytes) return 0;
    if (take_word(on, input)) return input.size();
    if (on.first) return 0;
  }
  const instant at = now();
  const std::string& output = server_.output(on.id);
  std::uint32_t taken = 0;
  const std::size_t unsent_before = on.sending.size() - on.sent;
  std::size_t expected = 0;
  while (!on.closing && unsent_before + output.size() <= options_.max_unsent_bytes) {
    if (consumed >= expected) expected = consumed + server_.expect(input.substr(consumed));
    const wire::frame_split split = wire::split_frame(input.substr(consumed), options_.max_frame_bytes);
    if (split.status == wire::frame_status::need_more) break;
    if (split.status == wire::frame_status::bad_length) {
      server_.give_up(on.id, "frame of a bad length");
      on.closing = true;
      break;
    }
    const fault_gate::outcome result = faults_.receive(on.id, on.faults, split.frame, at);
    if (result == fault_gate::outcome::held) break;
    on.closing = result == fault_gate::outcome::closing;
    consumed += split.consumed;
    ++taken;
  }
  if (taken != 0) on.asked.add(at.now, taken);
  return consumed;
}

bool listener::take_word(link& on, std::string_view input) {
  const std::string_view word = input.substr(0, 4);
  if (!is_four_letter_word(word)) {
    on.first = false;
    return false;
  }
  // The one word with an argument.
  if (word == "stmk") {
    constexpr std::size_t mask_bytes = 8;
    if (input.size() < word.size() + mask_bytes) return false;
    if (words_.allows(word)) facts_.trace_mask = wire::reader(input.substr(word.size())).int64();
  }
  on.first = false;
  on.closing = true;
  const std::string text = words_.allows(word) ? answer(word, server_, facts_, on.id, now()) : refusal(word);
  server_.close(on.id);
  server_.output(on.id) = text;
  return true;
}

// ---- bytes out ------------------------------------------------------------------------------------------------------

std::size_t listener::unsent(const link& on) { return on.sending.size() - on.sent + server_.output(on.id).size(); }

void listener::flush() {
  server_.take_ready(ready_);
  for (const connection_id id : ready_) {
    const auto found = links_.find(id);
    if (found == links_.end()) continue;
    if (server_.is_closing(id)) found->second->closing = true;
    found->second->output_zxid = server_.state().last_zxid();
    send(*found->second);
  }
  if (log_ != nullptr) log_->submit();
  arm();
}

void listener::release() {
  std::swap(held_, released_);
  for (const connection_id id : released_) {
    const auto found = links_.find(id);
    if (found == links_.end()) continue;
    found->second->held = false;
    send(*found->second);
    go_on_later(id);
  }
  released_.clear();
}

void listener::hold(link& on) {
  if (on.held) return;
  on.held = true;
  held_.push_back(on.id);
}

void listener::send(link& on) {
  if (on.waiting_to_write || on.held) return;
  while (true) {
    if (on.sent == on.sending.size()) {
      clear(on.sending);
      on.sent = 0;
      if (!take_output(on)) break;
    }
    // Whatever a connection is told may follow from the last transaction of that moment, its own or another's.
    if (log_ != nullptr && on.sending_zxid > log_->durable()) return hold(on);
    const wire::stream::progress done = on.bytes->write(std::string_view(on.sending).substr(on.sent));
    if (done.over) return drop(on.id);
    on.sent += done.bytes;
    server_.statistics().sent_bytes += done.bytes;
    if (on.sent < on.sending.size()) {
      on.waiting_to_write = true;
      on.bytes->when_writable([this, id = on.id] { writable(id); });
      return;
    }
    left(on);
  }
  if (on.closing && server_.output(on.id).empty()) drop(on.id);
}

// All of `sending`.
void listener::left(link& on) {
  if (on.answering.count != 0) server_.answered(on.id, std::exchange(on.answering, {}), time_.now() + step_);
}

// Into `sending`, which is empty, as much as may be sent.
bool listener::take_output(link& on) {
  std::string& output = server_.output(on.id);
  on.sending_zxid = on.output_zxid;
  if (on.faults.output.empty()) {
    std::swap(on.sending, output);
    on.answering = std::exchange(on.asked, {});
    return !on.sending.empty();
  }
  const std::size_t open = on.faults.output.open(output.size(), now().now);
  on.sending.assign(output, 0, open);
  output.erase(0, open);
  on.faults.output.taken(open);
  if (output.empty()) on.answering = std::exchange(on.asked, {});
  return open != 0;
}

void listener::writable(connection_id id) {
  const auto found = links_.find(id);
  if (found == links_.end()) return;
  link& on = *found->second;
  on.waiting_to_write = false;
  send(on);
  go_on_later(id);
}

// ---- time -----------------------------------------------------------------------------------------------------------

void listener::tick(std::size_t most) {
  const instant at = now();
  server_.tick(at, most);
  drop_silent(at.now, most);
  wake_delayed(at.now);
  flush();
}

void listener::step_clock(duration by) {
  step_ += by;
  tick();
}

// Connections whose delay is over: what waits to be sent is, what waits to be read is handed over.
void listener::wake_delayed(time_point now) {
  while (!delayed_.empty() && delayed_.begin()->first <= now) {
    const connection_id id = delayed_.extract(delayed_.begin()).mapped();
    if (const auto found = links_.find(id); found != links_.end()) send(*found->second);
    if (const auto found = links_.find(id); found != links_.end() && !found->second->closing) {
      take_input(*found->second, {});
      flush();
      go_on_later(id);
    }
  }
}

void listener::arm() {
  time_point next = server_.next_tick().value_or(no_deadline);
  if (!handshakes_.empty()) next = std::min(next, handshakes_.front().first);
  if (!delayed_.empty()) next = std::min(next, delayed_.begin()->first);
  if (next != no_deadline) next -= step_;  // the scheduler's clock is not moved
  // A timer that comes too early finds nothing to do and asks again: cheaper than moving it with every request.
  if (next >= timer_at_) return;
  if (timer_ != 0) time_.cancel(timer_);
  timer_at_ = next;
  timer_ = time_.schedule(next, [this] {
    timer_ = 0;
    timer_at_ = no_deadline;
    tick(most_ends_at_once);
  });
}

}  // namespace zkr::backend
