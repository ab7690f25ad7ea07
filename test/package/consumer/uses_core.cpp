#include <zkrecipes/path.hpp>
#include <zkrecipes/result.hpp>

int main() {
  const zkr::result<int> good = 42;
  return good.value() == 42 ? 0 : 1;
}
