// claim_election HOSTS: becomes the leader unless there is one, as Kafka's controllers do.
#include <iostream>
#include <zkrecipes/recipes/claim_election.hpp>

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::cerr << "usage: claim_election HOST:PORT[,HOST:PORT...]\n";
    return 2;
  }

  // README: from here
  auto client = zkr::client::connect({.hosts = argv[1]}).value();
  zkr::claim_election election(client, {.path = "/example-controller", .id = "broker-1"});

  auto claim = election.get_or_become_leader().value();
  if (!claim.ours) {
    std::cout << claim.other->id << " leads already\n";
    return 0;
  }
  std::cout << "leading, fencing token " << claim.ours->fencing_token() << '\n';

  // Applied only if we lead at that moment: the transaction checks the epoch that our election has raised.
  zkr::transaction write;
  write.only_while(*claim.ours).create("/example-plan-", "...", {.mode = zkr::create_mode::persistent_sequential});
  const auto written = client.commit(std::move(write));
  if (written) {
    std::cout << "wrote " << written->back().path << '\n';
  } else if (written.error().code() == zkr::errc::ownership_lost) {
    std::cout << "somebody else leads by now; nothing was written\n";
  } else {  // its outcome() says whether it may have been written nevertheless
    std::cerr << written.error().message() << '\n';
    return 1;
  }
  claim.ours->resign().value();
  // README: to here
} catch (const std::exception& problem) {
  std::cerr << problem.what() << '\n';
  return 1;
}
