#pragma once
#include <string>
#include <cstdlib>
namespace zkr::transport {
struct peer { std::string address() const { return std::getenv("ZKR_DEV_PEER"); } };
}
