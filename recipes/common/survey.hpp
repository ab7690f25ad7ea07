#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "recipes/common/survey_machine.hpp"

namespace zkr::recipes {

/// Who stands in a directory, in the order of their turn: the blocking call around a survey_machine. Of `what`, for
/// errors.
result<std::vector<participant>> survey(const operations& client, std::string_view what, const std::string& path,
                                        std::vector<std::string> markers, survey_scope scope, call_options wait);

}  // namespace zkr::recipes
