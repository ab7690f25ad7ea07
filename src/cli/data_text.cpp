#include "cli/data_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/stat_text.hpp"
#include "cli/text.hpp"
#include "zkrecipes/errc.hpp"

namespace zkr::cli {
namespace {

using namespace backend;
using json = nlohmann::ordered_json;

// As zkCli takes it: "world:anyone:cdrwa".
json acl_json(const acl_list& list) {
  json entries = json::array();
  for (const acl_entry& one : list) {
    std::string bits;
    const auto add = [&](std::int32_t perm, char letter) {
      if ((one.perms & perm) != 0) bits.push_back(letter);
    };
    add(perms::create, 'c');
    add(perms::remove, 'd');
    add(perms::read, 'r');
    add(perms::write, 'w');
    add(perms::admin, 'a');
    entries.push_back(fmt::format("{}:{}:{}", one.scheme, one.id, bits));
  }
  return entries;
}

void put_length(json& into, const wire::buffer& data) {
  if (data) into["data_length"] = data->size();
}

std::string_view name_of(node_kind kind) {
  switch (kind) {
    case node_kind::persistent: break;
    case node_kind::ephemeral: return "ephemeral";
    case node_kind::container: return "container";
    case node_kind::ttl: return "ttl";
  }
  return "persistent";
}

// Each puts in the type, and what the record says.

void put(json& into, const error_record& record) {
  into["type"] = "error";
  into["error"] = to_string(record.code);
}

void put(json& into, const create_record& record) {
  into["type"] = "create";
  into["path"] = record.path;
  if (record.kind != node_kind::persistent) into["kind"] = name_of(record.kind);
  if (record.kind == node_kind::ttl) into["ttl_ms"] = record.ttl_ms;
  put_length(into, record.data);
  into["acl"] = acl_json(record.acl);
}

void put(json& into, const remove_record& record) {
  into["type"] = record.reaped ? "reap" : "delete";
  into["path"] = record.path;
}

void put(json& into, const set_data_record& record) {
  into["type"] = "set";
  into["path"] = record.path;
  put_length(into, record.data);
  into["version"] = record.version;
}

void put(json& into, const set_acl_record& record) {
  into["type"] = "set_acl";
  into["path"] = record.path;
  into["acl"] = acl_json(record.acl);
  into["version"] = record.version;
}

void put(json& into, const check_record& record) {
  into["type"] = "check";
  into["path"] = record.path;
  into["version"] = record.version;
}

void put(json& into, const create_session_record& record) {
  into["type"] = "create_session";
  into["timeout_ms"] = record.timeout_ms;
}

void put(json& into, const close_session_record& record) {
  into["type"] = "close_session";
  into["paths"] = record.paths;
}

void put(json& into, const multi_record& record) {
  into["type"] = "multi";
  json operations = json::array();
  for (const operation_record& one : record.operations) {
    std::visit([&](const auto& what) { put(operations.emplace_back(json::object()), what); }, one);
  }
  into["operations"] = std::move(operations);
}

bool is_below(std::string_view path, std::string_view top) {
  if (top == "/") return true;
  return path.substr(0, top.size()) == top && (path.size() == top.size() || path[top.size()] == '/');
}

struct path_finder {
  std::string_view top;

  bool operator()(const error_record&) const { return false; }
  bool operator()(const create_session_record&) const { return false; }
  bool operator()(const close_session_record& record) const {
    return std::any_of(record.paths.begin(), record.paths.end(),
                       [this](const std::string& one) { return is_below(one, top); });
  }
  bool operator()(const multi_record& record) const {
    return std::any_of(record.operations.begin(), record.operations.end(),
                       [this](const operation_record& one) { return std::visit(*this, one); });
  }
  template <typename Record>
  bool operator()(const Record& record) const {
    return is_below(record.path, top);
  }
};

std::string value_text(const std::string& name, const json& value) {
  const auto ends = [&](std::string_view end) { return std::string_view(name).ends_with(end); };
  if (value.is_string()) return printable(value.get<std::string>());
  if (value.is_array()) {
    std::string list;
    for (const json& one : value) {
      list += list.empty() ? "" : one.is_object() ? "; " : ",";
      list += one.is_object() ? line_of(one) : value_text("", one);
    }
    return "[" + list + "]";
  }
  if (value.is_number() && (ends("zxid") || name == "session" || name == "ephemeral_owner")) {
    return hex(value.get<std::int64_t>());
  }
  return value.dump();
}

}  // namespace

json transaction_json(const transaction& what) {
  json object{{"zxid", what.header.zxid},
              {"time_ms", what.header.time_ms},
              {"session", what.header.session},
              {"cxid", what.header.cxid}};
  std::visit([&](const auto& record) { put(object, record); }, what.record);
  return object;
}

json node_json(const database& of, const backend::node& which, data_of_nodes data) {
  json object{{"path", which.path}};
  const node_kind kind = kind_of(which.owner);
  if (kind != node_kind::persistent) object["kind"] = name_of(kind);
  if (kind == node_kind::ttl) object["ttl_ms"] = ttl_of(which.owner);
  object["stat"] = stat_json(client_stat(which));
  object["acl"] = acl_json(of.acl_of(which));
  if (data == data_of_nodes::shown) put_data(object, which.data);
  return object;
}

json session_json(const database& of, std::int64_t id) {
  json ephemerals = json::array();
  for (const auto& [zxid, one] : of.nodes().ephemerals_of(id)) ephemerals.push_back(one->path);
  return {{"session", id}, {"timeout_ms", of.sessions().at(id)}, {"ephemerals", std::move(ephemerals)}};
}

std::string line_of(const json& object) {
  std::string line;
  for (const auto& [name, value] : object.items()) {
    const bool begins = line.empty();
    if (!begins) line += ' ';
    const bool is_time = name == "time_ms" || name == "ctime_ms" || name == "mtime_ms";
    if (value.is_object()) {
      line += line_of(value);
    } else if (is_time) {
      line += fmt::format("{}={}", name.substr(0, name.size() - 3), utc(value.get<std::int64_t>()));
    } else if (name == "type" || (begins && (name == "path" || name == "zxid"))) {
      line += value_text(name, value);
    } else {
      line += fmt::format("{}={}", name, value_text(name, value));
    }
  }
  return line;
}

bool concerns(const transaction& what, std::string_view path) { return std::visit(path_finder{path}, what.record); }

}  // namespace zkr::cli
