#include "server/storage_workload.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "server/processor.hpp"
#include "server/storage/checksum.hpp"
#include "server/storage/log_file.hpp"
#include "server/storage/record_codec.hpp"
#include "wire/codec.hpp"

namespace zkr::testing {

using namespace backend;

void recording::append(const transaction& what) {
  payloads.emplace_back();
  append_payload(payloads.back(), what);
}

namespace {

std::string random_path(const chance& pick) {
  std::string path;
  for (std::size_t depth = 1 + pick(3); depth > 0; --depth)
    path += "/" + std::string(1, static_cast<char>('a' + pick(4)));
  return path;
}

class players {
 public:
  players(const chance& pick, recording& log) : pick_(pick), core_(fast(), now_, database(), &log) {}

  void play(std::size_t requests) {
    for (std::size_t i = 0; i < requests; ++i) {
      if (connections_.size() < 2) {
        join();
      } else if (pick_(12) == 0) {
        leave();
      } else {
        ask();
      }
      now_.now += std::chrono::milliseconds(1);
      now_.wall_ms += 1;
      core_.tick(now_);
    }
  }

 private:
  static processor_options fast() {
    processor_options options;
    options.tick_time = std::chrono::milliseconds(100);
    return options;
  }

  void join() {
    const connection_id id = core_.open({}, now_);
    std::string frame;
    wire::connect_request hello;
    hello.timeout_ms = 10'000;
    wire::append_connect_request_frame(frame, hello);
    core_.receive(id, std::string_view(frame).substr(4), now_);
    connections_.push_back(id);
  }

  void leave() {
    const connection_id id = connections_[pick_(connections_.size())];
    if (pick_(2) == 0) {
      send(id, wire::close_session_request{});
    } else {
      core_.disconnect(id);
      now_.now += std::chrono::seconds(30);
      core_.tick(now_);
      connections_.clear();
      return;
    }
    connections_.erase(std::find(connections_.begin(), connections_.end(), id));
  }

  wire::create_request create(std::size_t kinds) {
    wire::create_request request;
    path_ = random_path(pick_);
    data_.assign(pick_(200), 'x');
    request.path = path_;
    if (pick_(4) != 0) request.data = data_;
    request.acl =
        pick_(3) == 0 ? acl_list{{perms::all, "world", "anyone"}, {perms::read, "ip", "127.0.0.1"}} : open_acl();
    request.flags = static_cast<std::int32_t>(pick_(kinds));
    if (request.flags == 4) request.type = wire::opcode::create_container;
    if (request.flags > 4) {
      request.type = wire::opcode::create_ttl;
      request.ttl_ms = 1000 + static_cast<std::int64_t>(pick_(1000));
    } else if (request.flags < 4 && pick_(2) == 0) {
      request.type = wire::opcode::create;
    }
    return request;
  }

  void ask() {
    const connection_id id = connections_[pick_(connections_.size())];
    switch (pick_(8)) {
      case 0:
      case 1:
      case 2: return send(id, create(7));
      case 3: path_ = random_path(pick_); return send(id, wire::remove_request{path_});
      case 4: path_ = random_path(pick_); return send(id, wire::set_data_request{path_, wire::buffer("new")});
      case 5: path_ = random_path(pick_); return send(id, wire::set_acl_request{path_, read_acl()});
      case 6: {
        wire::multi_request multi;
        multi.operations.emplace_back(create(4));
        multi.operations.emplace_back(wire::set_data_request{path_, wire::buffer()});
        multi.operations.emplace_back(wire::check_request{"/", static_cast<std::int32_t>(pick_(5) == 0 ? 7 : 0)});
        if (pick_(2) == 0) multi.operations.emplace_back(wire::remove_request{path_});
        return send(id, multi);
      }
      default: return send(id, wire::sync_request{"/"});
    }
  }

  void send(connection_id id, const wire::request& request) {
    std::string frame;
    wire::append_request_frame(frame, ++xid_, request);
    core_.receive(id, std::string_view(frame).substr(4), now_);
  }

  const chance& pick_;
  instant now_{time_point(std::chrono::hours(1)), 1'700'000'000'000};
  processor core_;
  std::vector<connection_id> connections_;
  std::int32_t xid_ = 0;
  std::string path_;
  std::string data_;
};

class nobody final : public change_sink {
  void created(std::string_view, acl_id, std::string_view, acl_id) override {}
  void removed(std::string_view, acl_id, std::string_view, acl_id) override {}
  void data_changed(std::string_view, acl_id) override {}
};

}  // namespace

std::vector<std::string> random_history(std::size_t requests, const chance& pick) {
  recording log;
  players(pick, log).play(requests);
  return log.payloads;
}

std::string entries_of(const std::vector<std::string>& payloads) {
  std::string entries;
  for (const std::string& one : payloads) {
    const std::size_t start = entries.size();
    entries.append(entry_head_bytes, '\0');
    entries += one;
    finish_entry(entries, start);
  }
  return entries;
}

std::string fingerprint(const database& of) {
  std::vector<std::pair<std::int64_t, std::int32_t>> sessions(of.sessions().begin(), of.sessions().end());
  std::sort(sessions.begin(), sessions.end());
  std::string text = fmt::format("zxid {:#x}, {} nodes, digest {:#x}, sessions:", of.last_zxid(), of.nodes().size(),
                                 digest_of(of.nodes()));
  for (const auto& [id, timeout] : sessions) text += fmt::format(" {:#x}/{}", static_cast<std::uint64_t>(id), timeout);
  std::vector<std::string> lists;
  walk(of.nodes(), [&](const node& one) {
    std::string line = "\n" + std::string(one.path) + (one.null_data ? " null" : "");
    for (const acl_entry& entry : of.acl_of(one)) line += fmt::format(" {}:{}:{}", entry.perms, entry.scheme, entry.id);
    lists.push_back(std::move(line));
  });
  std::sort(lists.begin(), lists.end());
  for (const std::string& line : lists) text += line;
  return text;
}

database replayed(const std::vector<std::string>& payloads) {
  database state;
  nobody quiet;
  for (const std::string& one : payloads) state.apply(decode_payload(one)->what, quiet);
  return state;
}

disk_in_memory::disk_in_memory() : folder(data_folder::open(files, "/d", "").value()) {}

void disk_in_memory::write(const std::string& path, std::string_view bytes) {
  if (files.open(path, open_mode::read)) files.remove(path).value();
  files.open(path, open_mode::create).value()->write(0, bytes).value();
}

std::string disk_in_memory::read(const std::string& path) {
  return files.open(path, open_mode::read).value()->read(0, std::size_t{1} << 30U).value();
}

}  // namespace zkr::testing
