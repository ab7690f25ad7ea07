#include "cli/command_line.hpp"

#include "cli/text.hpp"
#include "zkrecipes/path.hpp"

namespace zkr::cli {

CLI::Option* add_path(CLI::App& app, std::string& path) {
  const auto valid = [](const std::string& text) {
    const auto checked = check_path(text);
    return checked ? std::string() : printable(checked.error().message());
  };
  return app.add_option("PATH", path, "Path of the node")->required()->check(CLI::Validator(valid, ""))->type_name("");
}

CLI::Option* add_duration(CLI::App& app, const std::string& name, std::function<void(duration)> take,
                          const std::string& meaning, zero what_of_zero) {
  const auto valid = [what_of_zero](const std::string& text) -> std::string {
    const auto parsed = parse_duration(text);
    if (!parsed)
      return "'" + printable(text) + "' is no duration: write a whole number with its unit, like 500ms, 10s or 2m";
    if (*parsed == duration::zero() && what_of_zero == zero::refused) return "must be more than 0";
    return {};
  };
  return app
      .add_option_function<std::string>(
          name,
          [take = std::move(take)](const std::string& text) { take(parse_duration(text).value_or(duration::zero())); },
          meaning)
      ->check(CLI::Validator(valid, ""))
      ->type_name("DURATION");
}

}  // namespace zkr::cli
