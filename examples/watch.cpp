// watch HOSTS: follows a node's data, over lost connections and lost sessions too.
#include <chrono>
#include <future>
#include <iostream>
#include <string>
#include <utility>
#include <zkrecipes/client.hpp>

using namespace std::chrono_literals;

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::cerr << "usage: watch HOST:PORT[,HOST:PORT...]\n";
    return 2;
  }

  // README: from here
  auto client = zkr::client::connect({.hosts = argv[1]}).value();
  const auto node = client.create("/example-config", "colour=blue");
  if (!node && node.error().code() != zkr::errc::node_exists) {
    std::cerr << node.error().message() << '\n';
    return 1;
  }

  // The handler runs on a thread of the library, first with the node as it is now. It may miss changes that follow each
  // other quickly; it never misses the last one. It must not wait for the client: use the async_ functions there.
  std::promise<void> seen_green;
  bool done = false;
  const zkr::subscription watching = client.watch("/example-config", [&](const zkr::node_change& change) {
    if (change.problem) {
      std::cout << "cannot be read: " << change.problem->message() << '\n';
    } else if (!change.node) {
      std::cout << "there is no such node\n";
    } else {
      std::cout << "version " + std::to_string(change.node->stat.version) + ": " + change.node->data + '\n';
      if (change.node->data == "colour=green" && !std::exchange(done, true)) seen_green.set_value();
    }
  });

  const auto set = client.set("/example-config", "colour=green").value();
  std::cout << "set version " + std::to_string(set.version) + '\n';
  return seen_green.get_future().wait_for(30s) == std::future_status::ready ? 0 : 1;
  // README: to here
} catch (const std::exception& problem) {  // `watching` has ended: its handler neither runs nor will run
  std::cerr << problem.what() << '\n';
  return 1;
}
