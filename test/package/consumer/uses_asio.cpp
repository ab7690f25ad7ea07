#include <zkrecipes/asio.hpp>

// Behind the standard library: see docs/asio.md.
#include <asio/use_future.hpp>

int main() {
  const auto nobody = zkr::async(zkr::operations());
  return nobody.get("/", asio::use_future).get().error().code() == zkr::errc::closed ? 0 : 1;
}
