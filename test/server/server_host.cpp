#include <cstdio>

#include "zkrecipes/server.hpp"

// A server for tests in other languages: prints its address, and ends with its standard input.
int main() {
  auto server = zkr::server::start({.tick_time = std::chrono::milliseconds(100)});
  if (!server) {
    std::fprintf(stderr, "%s\n", server.error().message().c_str());
    return 1;
  }
  std::printf("%s\n", server->connect_string().c_str());
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  return 0;
}
