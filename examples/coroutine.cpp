// coroutine HOSTS: counts in a node, in a coroutine of asio.
#include <iostream>
#include <string>
#include <zkrecipes/asio.hpp>
#include <zkrecipes/client.hpp>

// Behind the standard library: see docs/asio.md.
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>

// README: from here
asio::awaitable<int> count_on(zkr::async_operations zookeeper) {
  for (;;) {
    const auto node = co_await zookeeper.get("/example-count", asio::use_awaitable);
    if (!node && node.error().code() == zkr::errc::no_node) {
      const auto created = co_await zookeeper.create("/example-count", "0", {}, asio::use_awaitable);
      if (!created && created.error().code() != zkr::errc::node_exists) created.value();  // throws
      continue;
    }
    const int next = std::stoi(node.value().data) + 1;
    const auto set =
        co_await zookeeper.set("/example-count", std::to_string(next), node->stat.version, asio::use_awaitable);
    if (set) co_return next;
    if (set.error().code() != zkr::errc::bad_version) set.value();  // somebody was faster: read again; else throw
  }
}

int run(const char* hosts) {
  auto client = zkr::client::connect({.hosts = hosts}).value();
  asio::io_context io;
  auto counted = asio::co_spawn(io, count_on(zkr::async(client)), asio::use_future);
  io.run();
  std::cout << "counted to " << counted.get() << '\n';
  return 0;
}
// README: to here

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::cerr << "usage: coroutine HOST:PORT[,HOST:PORT...]\n";
    return 2;
  }
  return run(argv[1]);
} catch (const std::exception& problem) {
  std::cerr << problem.what() << '\n';
  return 1;
}
