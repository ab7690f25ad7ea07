#include <fuzzer/FuzzedDataProvider.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "server/setting_rules.hpp"
#include "server/zoo_cfg.hpp"

// A zoo.cfg of any bytes. What is accepted is printed as one that says the same.
namespace {

using namespace zkr::backend;

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::abort();
}

/// Keys that exist, with values of all kinds; or just bytes.
std::string text_of(FuzzedDataProvider& input) {
  if (input.ConsumeBool()) return input.ConsumeRemainingBytesAsString();
  std::string text;
  while (input.remaining_bytes() > 0) {
    const auto rules = setting_rules();
    const setting_rule& rule = rules[input.ConsumeIntegralInRange<std::size_t>(0, rules.size() - 1)];
    if (rule.form == key_form::property && input.ConsumeBool()) text += "zookeeper.";
    text += std::string(rule.key) + "=" + input.ConsumeRandomLengthString(64) + "\n";
  }
  return text;
}

/// Comments say where a value came from, and that differs.
std::string without_comments(const std::string& text) {
  std::string rest;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at) + 1;
    if (end == 0) give_up("the last line has no end");
    if (text[at] != '#') rest.append(text, at, end - at);
    at = end;
  }
  return rest;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  const std::string text = text_of(input);
  configuration first;
  if (const std::string bad = first.read(text, "zoo.cfg"); !bad.empty()) {
    if (bad.substr(0, 8) != "zoo.cfg:") give_up("not said where: " + bad);
    return 0;
  }
  if (!first.check().empty()) return 0;
  const std::string printed = first.print();
  configuration second;
  if (const std::string bad = second.read(printed, "printed"); !bad.empty()) give_up(bad + " in\n" + printed);
  if (const std::string bad = second.check(); !bad.empty()) give_up(bad + " in\n" + printed);
  if (without_comments(second.print()) != without_comments(printed)) {
    give_up(printed + "was read as\n" + second.print());
  }
  return 0;
}
