// mutex HOSTS: of all processes that run this at the same time, one at a time works.
#include <chrono>
#include <iostream>
#include <zkrecipes/recipes/mutex.hpp>

using namespace std::chrono_literals;

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::cerr << "usage: mutex HOST:PORT[,HOST:PORT...]\n";
    return 2;
  }

  // README: from here
  auto client = zkr::client::connect({.hosts = argv[1]}).value();
  zkr::mutex mutex(client, {.path = "/example-lock"});
  zkr::held_lock lock = mutex.acquire({.timeout = 1min}).value();  // waits for its turn
  std::cout << "locked, fencing token " << lock.fencing_token() << '\n';

  // In small steps: held() is one clock read, and false before anybody else can have the lock.
  for (int step = 1; step <= 3 && lock.held(); ++step) std::cout << "step " << step << '\n';
  // README: to here
} catch (const std::exception& problem) {
  std::cerr << problem.what() << '\n';
  return 1;
}
