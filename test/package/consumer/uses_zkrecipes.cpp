#include <zkrecipes/client.hpp>

int main() {
  zkr::client unconnected;
  unconnected.close();
}
