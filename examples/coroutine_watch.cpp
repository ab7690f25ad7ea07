// coroutine_watch HOSTS: follows a node's data in a coroutine, over lost connections and lost sessions too, until it says stop.
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
asio::awaitable<void> follow(zkr::async_operations zookeeper) {
  auto states = zookeeper.watch("/example-word");
  for (;;) {
    // The present state first, then the latest one that was not given yet. States may be passed over, the last never is.
    const auto now = (co_await states.next(asio::use_awaitable)).value();  // throws once the client is closed
    if (now.problem) {
      std::cout << "cannot be read: " << now.problem->message() << std::endl;
    } else if (!now.node) {
      std::cout << "there is none" << std::endl;
    } else {
      std::cout << now.node->data << std::endl;
      if (now.node->data == "stop") co_return;
    }
  }
}
// README: to here

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::cerr << "usage: coroutine_watch HOST:PORT[,HOST:PORT...]\n";
    return 2;
  }
  auto client = zkr::client::connect({.hosts = argv[1]}).value();
  asio::io_context io;
  auto followed = asio::co_spawn(io, follow(zkr::async(client)), asio::use_future);
  io.run();
  followed.get();
  return 0;
} catch (const std::exception& problem) {
  std::cerr << problem.what() << '\n';
  return 1;
}
