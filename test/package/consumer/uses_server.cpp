#include <zkrecipes/server.hpp>

int main() {
  const auto server = zkr::server::start();
  return server && server->port() != 0 ? 0 : 1;
}
