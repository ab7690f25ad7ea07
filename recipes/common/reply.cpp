#include "recipes/common/reply.hpp"

namespace zkr::recipes {

trouble classify(const error& problem) noexcept {
  switch (problem.code()) {
    case errc::session_expired:
    case errc::session_lost:
    case errc::session_closed_require_auth:
    case errc::closing:
    case errc::closed: return trouble::over;
    default: break;
  }
  if (problem.outcome() == outcome::unknown) return trouble::in_doubt;
  switch (problem.code()) {
    case errc::connection_loss:
    case errc::session_moved:
    case errc::operation_timeout:
    case errc::request_timeout:
    case errc::throttled: return trouble::again;
    default: return trouble::refused;
  }
}

bool is_refusal(const error& problem, errc code) noexcept {
  return problem.code() == code && classify(problem) == trouble::refused;
}

bool worth_another_try(const error& grant_ended) noexcept {
  switch (grant_ended.code()) {
    case errc::ownership_lost:
    case errc::no_node:
    case errc::bad_version: return true;
    default: return classify(grant_ended) != trouble::refused;
  }
}

}  // namespace zkr::recipes
