#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "server/four_letter_words.hpp"

// The commands of Apache's AdminServer.
namespace zkr::backend {

/// Their long names, sorted.
[[nodiscard]] std::vector<std::string> admin_command_names();

/// The answer to a command, by one of its names: a JSON object with Apache's members where this server has what they
/// mean, and always "command" and "error", which is null or says why there is no answer.
[[nodiscard]] std::string admin_answer(std::string_view command, const std::map<std::string, std::string>& parameters,
                                       processor& server, server_facts& facts, instant at);

}  // namespace zkr::backend
