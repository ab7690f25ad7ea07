#include <zkrecipes/testing/simulation.hpp>

int main() {
  zkr::testing::simulation world;
  auto client = world.add_process().connect();
  const auto connected = [&] { return client->session().state == zkr::session_state::connected; };
  return client && world.run_until(connected) ? 0 : 1;
}
