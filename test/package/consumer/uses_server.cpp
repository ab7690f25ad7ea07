#include <zkrecipes/error.hpp>

int main() {}
