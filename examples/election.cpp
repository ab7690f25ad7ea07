// election HOSTS: of all processes that run this at the same time, one at a time leads and works.
#include <chrono>
#include <iostream>
#include <zkrecipes/recipes/leader_election.hpp>

using namespace std::chrono_literals;

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::cerr << "usage: election HOST:PORT[,HOST:PORT...]\n";
    return 2;
  }

  // README: from here
  auto client = zkr::client::connect({.hosts = argv[1], .session_timeout = 10s}).value();
  const auto state = client.create("/example-state");
  if (!state && state.error().code() != zkr::errc::node_exists) {
    std::cerr << state.error().message() << '\n';
    return 1;
  }

  zkr::leader_election election(client, {.path = "/example-election", .id = "example"});
  zkr::leadership lead = election.campaign({.timeout = 1min}).value();  // waits for its turn
  std::cout << "leading, fencing token " << lead.fencing_token() << '\n';

  // In small steps: held() is one clock read, and false before anybody else can lead.
  for (int step = 1; step <= 3 && lead.held(); ++step) {
    // Between that check and the write this process may be stopped for an hour. only_while() makes the server refuse a
    // former leader; other storage must refuse a fencing token smaller than the largest that it has seen.
    zkr::transaction write;
    write.only_while(lead).set("/example-state", "step " + std::to_string(step));
    const auto written = client.commit(std::move(write));
    if (!written) {
      std::cerr << written.error().message() << '\n';
      return 1;
    }
  }
  lead.resign().value();  // so does the destructor, without waiting
  std::cout << "done\n";
  // README: to here
} catch (const std::exception& problem) {
  std::cerr << problem.what() << '\n';
  return 1;
}
