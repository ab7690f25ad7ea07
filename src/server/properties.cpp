#include "server/properties.hpp"

#include <charconv>
#include <cstdint>

namespace zkr::backend {

namespace {

constexpr bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\f'; }

std::string_view without_leading(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  return text;
}

// Java's String.trim takes everything up to the space.
std::string trimmed(const std::string& text) {
  const auto is_blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  std::size_t from = 0;
  std::size_t to = text.size();
  while (from < to && is_blank(text[from])) ++from;
  while (to > from && is_blank(text[to - 1])) --to;
  return text.substr(from, to - from);
}

/// Lines that end with \n, \r or \r\n.
class lines {
 public:
  explicit lines(std::string_view text) : rest_(text) {}

  bool take(std::string_view& line) {
    if (rest_.empty()) return false;
    const std::size_t end = rest_.find_first_of("\r\n");
    line = rest_.substr(0, end);
    ++number_;
    if (end == std::string_view::npos) {
      rest_ = {};
    } else {
      rest_.remove_prefix(end + (rest_.substr(end, 2) == "\r\n" ? 2 : 1));
    }
    return true;
  }
  [[nodiscard]] int number() const noexcept { return number_; }

 private:
  std::string_view rest_;
  int number_ = 0;
};

bool is_continued(std::string_view line) {
  std::size_t backslashes = 0;
  while (backslashes < line.size() && line[line.size() - 1 - backslashes] == '\\') ++backslashes;
  return backslashes % 2 == 1;
}

void append_utf8(std::string& to, std::uint32_t point) {
  const auto tail = [&](unsigned shift) { to.push_back(static_cast<char>(0x80U | ((point >> shift) & 0x3fU))); };
  if (point < 0x80) {
    to.push_back(static_cast<char>(point));
  } else if (point < 0x800) {
    to.push_back(static_cast<char>(0xc0U | (point >> 6U)));
    tail(0);
  } else if (point < 0x10000) {
    to.push_back(static_cast<char>(0xe0U | (point >> 12U)));
    tail(6);
    tail(0);
  } else {
    to.push_back(static_cast<char>(0xf0U | (point >> 18U)));
    tail(12);
    tail(6);
    tail(0);
  }
}

// The four digits behind "\u"; they are taken off `text`.
std::optional<std::uint32_t> take_hex4(std::string_view& text) {
  std::uint32_t value = 0;
  if (text.size() < 4) return std::nullopt;
  const char* const end = text.data() + 4;
  if (std::from_chars(text.data(), end, value, 16).ptr != end) return std::nullopt;
  text.remove_prefix(4);
  return value;
}

// What stands behind "\u", a surrogate pair as its one character.
std::optional<std::uint32_t> take_character(std::string_view& text) {
  const auto first = take_hex4(text);
  if (!first || *first < 0xd800 || *first > 0xdfff) return first;
  if (*first > 0xdbff || text.substr(0, 2) != "\\u") return std::nullopt;
  text.remove_prefix(2);
  const auto second = take_hex4(text);
  if (!second || *second < 0xdc00 || *second > 0xdfff) return std::nullopt;
  return 0x10000 + ((*first - 0xd800) << 10U) + (*second - 0xdc00);
}

/// @return what is wrong with it, or "".
std::string unescape(std::string_view text, std::string& into) {
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c == '\0') return "there is a NUL character";
    if (c != '\\') {
      into.push_back(c);
      continue;
    }
    if (text.empty()) break;  // a backslash at the end of the file
    const char escaped = text.front();
    text.remove_prefix(1);
    switch (escaped) {
      case 't': into.push_back('\t'); break;
      case 'n': into.push_back('\n'); break;
      case 'r': into.push_back('\r'); break;
      case 'f': into.push_back('\f'); break;
      case 'u': {
        const auto point = take_character(text);
        if (!point) return "\\u is not followed by the four hexadecimal digits of a character";
        if (*point == 0) return "there is a NUL character";
        append_utf8(into, *point);
        break;
      }
      case '\0': return "there is a NUL character";
      default: into.push_back(escaped);
    }
  }
  return {};
}

// Where the key ends: at the first separator without a backslash before it.
std::size_t end_of_key(std::string_view line) {
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (line[at] == '\\') {
      ++at;
    } else if (line[at] == '=' || line[at] == ':' || is_space(line[at])) {
      return at;
    }
  }
  return line.size();
}

std::string split(std::string_view line, property& into) {
  const std::size_t end = end_of_key(line);
  std::string_view value = without_leading(line.substr(end));
  if (!value.empty() && (value.front() == '=' || value.front() == ':')) value = without_leading(value.substr(1));
  std::string bad = unescape(line.substr(0, end), into.key);
  std::string text;
  if (bad.empty()) bad = unescape(value, text);
  into.key = trimmed(into.key);
  into.value = trimmed(text);
  return bad;
}

}  // namespace

properties parse_properties(std::string_view text) {
  properties read;
  lines from(text);
  std::string_view line;
  while (from.take(line)) {
    line = without_leading(line);
    if (line.empty() || line.front() == '#' || line.front() == '!') continue;
    property one;
    one.line = from.number();
    std::string whole(line);
    while (is_continued(whole)) {
      whole.pop_back();
      if (!from.take(line)) break;
      whole.append(without_leading(line));
    }
    if (whole.empty()) continue;
    if (std::string bad = split(whole, one); !bad.empty()) {
      read.bad = {one.line, std::move(bad)};
      break;
    }
    read.list.push_back(std::move(one));
  }
  return read;
}

std::string format_property(std::string_view key, std::string_view value) {
  std::string line(key);
  line.push_back('=');
  for (const char c : value) {
    switch (c) {
      case '\\': line.append("\\\\"); break;
      case '\n': line.append("\\n"); break;
      case '\r': line.append("\\r"); break;
      case '\t': line.append("\\t"); break;
      case '\f': line.append("\\f"); break;
      default: line.push_back(c);
    }
  }
  return line;
}

}  // namespace zkr::backend
