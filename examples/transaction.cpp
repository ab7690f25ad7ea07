// transaction HOSTS: moves an amount from one node to another, both changes or none, whoever else does so meanwhile.
#include <iostream>
#include <string>
#include <zkrecipes/client.hpp>

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::cerr << "usage: transaction HOST:PORT[,HOST:PORT...]\n";
    return 2;
  }

  // README: from here
  auto client = zkr::client::connect({.hosts = argv[1]}).value();
  for (const auto* account : {"/example-anna", "/example-bert"}) {
    const auto created = client.create(account, "100");
    if (!created && created.error().code() != zkr::errc::node_exists) {
      std::cerr << created.error().message() << '\n';
      return 1;
    }
  }

  for (;;) {
    const auto from = client.get("/example-anna").value();
    const auto to = client.get("/example-bert").value();

    zkr::transaction move;
    move.set("/example-anna", std::to_string(std::stoi(from.data) - 10), from.stat.version)
        .set("/example-bert", std::to_string(std::stoi(to.data) + 10), to.stat.version);
    const auto moved = client.commit(std::move(move));

    if (moved) {
      std::cout << "moved 10\n";
      return 0;
    }
    // Somebody was faster, and nothing was changed: read again.
    if (moved.error().code() == zkr::errc::bad_version) continue;

    // A lost connection can leave it open whether the transaction was applied (error::outcome() is unknown then): the
    // library does not repeat such a write by itself, nor should this program before it has looked.
    std::cerr << moved.error().message() << '\n';
    return 1;
  }
  // README: to here
} catch (const std::exception& problem) {
  std::cerr << problem.what() << '\n';
  return 1;
}
