#pragma once

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "zkrecipes/result.hpp"

namespace zkr::cli {

struct http_request {
  std::string method;
  std::string path;                               // decoded
  std::map<std::string, std::string> parameters;  // of the query; the first of each name
  std::string authorization;                      // the header
  std::string body;                               // of a POST only
};

struct http_answer {
  int status = 200;
  std::string type = "application/json";
  std::string body;
};

/// Called from several threads.
using http_handler = std::function<http_answer(const http_request&)>;

/// Serves until its end, which ends at once what is being received or sent; handlers that wait must be ended before.
/// Whoever talks to it, however slowly or however often, neither keeps the process from ending nor takes the descriptors
/// that others need: few connections are taken in at a time, the others wait in the kernel; each has one request, and a
/// few seconds to send it and to take the answer. Two servers on one port are an error.
///
/// @par Threads  its own.
class http_server {
 public:
  virtual ~http_server() = default;
  [[nodiscard]] virtual int port() const noexcept = 0;

 protected:
  http_server() = default;
  http_server(const http_server&) = default;
  http_server& operator=(const http_server&) = default;
};

/// @param port  0: a free one.
/// @par Errors  io_error: the address or the port cannot be had. unsupported: the module zkr_http.so, in which the server
///              is, cannot be loaded.
[[nodiscard]] result<std::unique_ptr<http_server>> open_http(const std::string& address, int port,
                                                             const http_handler& answer);

[[nodiscard]] http_answer say(const nlohmann::json& what);
/// `why` comes from anywhere.
[[nodiscard]] http_answer refuse(int status, const std::string& why);

}  // namespace zkr::cli

/// The one function of the module. The result, which the caller deletes, is null where it cannot listen.
extern "C" zkr::cli::http_server* zkr_open_http(const std::string& address, int port,
                                                const zkr::cli::http_handler& answer);
