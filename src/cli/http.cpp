#include "cli/http.hpp"

#include <dlfcn.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/text.hpp"

namespace zkr::cli {

namespace {

constexpr const char* module_name = "zkr_http.so";

/// Where the module is: beside the tool, as it was built, or where it is installed.
std::string module_file() {
  std::error_code none;
  const auto folder = std::filesystem::read_symlink("/proc/self/exe", none).parent_path();
  const auto beside = folder / module_name;
  if (std::filesystem::exists(beside, none)) return beside;
  return (folder / ZKRECIPES_MODULE_FOLDER / module_name).lexically_normal();
}

}  // namespace

// A server without these ports would pay for what the module brings along, TLS and compression among it: a third of its
// memory, and most of the time of its start.
result<std::unique_ptr<http_server>> open_http(const std::string& address, int port, const http_handler& answer) {
  const std::string file = module_file();
  // Never unloaded: its code may be needed until the end of the process.
  void* const module = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  void* const found = module == nullptr ? nullptr : ::dlsym(module, "zkr_open_http");
  if (found == nullptr) {
    const char* const why = ::dlerror();
    return error(errc::unsupported, "load the HTTP server", {},
                 "it cannot be loaded from " + file + ": " + (why == nullptr ? "no reason given" : why));
  }
  std::unique_ptr<http_server> made(reinterpret_cast<decltype(&zkr_open_http)>(found)(address, port, answer));
  if (made == nullptr) {
    return error(errc::io_error, "listen", {},
                 address + " port " + std::to_string(port) + " cannot be listened on: it is in use, or not to be had");
  }
  return made;
}

http_answer say(const nlohmann::json& what) {
  return {.body = what.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"};
}

http_answer refuse(int status, const std::string& why) {
  http_answer made = say({{"error", printable(why)}});
  made.status = status;
  return made;
}

}  // namespace zkr::cli
