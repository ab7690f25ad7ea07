#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/four_letter_words.hpp"
#include "server/timing.hpp"

namespace zkr::backend {

/// One of the numbers by which a server is watched. The word mntr, the command monitor and the metrics show the same.
struct figure {
  enum class kind { gauge, counter };
  std::string_view name;  ///< Apache's, where it has that number; else it begins with zkrecipes_.
  kind type;
  std::string_view help;
  std::variant<std::int64_t, double, timing> value;
};

/// @param asker  a connection that is not counted; 0: none.
[[nodiscard]] std::vector<figure> figures_of(const processor& server, const server_facts& facts, connection_id asker,
                                             instant at);

/// By Apache's names; a timing becomes its avg_, min_, max_, cnt_ and sum_, in ms.
[[nodiscard]] nlohmann::ordered_json monitor(const processor& server, const server_facts& facts, connection_id asker,
                                             instant at);

/// In Prometheus' text format. Timings are summaries, in ms as Apache's; latencies are also a histogram, in seconds.
[[nodiscard]] std::string metrics(const processor& server, const server_facts& facts, instant at);

/// In ms, with four digits, as Apache shows averages.
[[nodiscard]] double average_ms(const timing& of);
/// Whole ms.
[[nodiscard]] std::int64_t whole_ms(duration of) noexcept;

}  // namespace zkr::backend
