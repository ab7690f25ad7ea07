#include "server/node_table.hpp"

#include <algorithm>
#include <functional>
#include <new>
#include <utility>

#include "server/tree.hpp"

namespace zkr::backend {

namespace {

constexpr std::size_t fewest_slots = 16;

node* make_node(std::string_view path) {
  void* const block = ::operator new(sizeof(node) + path.size());
  char* const text = static_cast<char*>(block) + sizeof(node);
  std::copy(path.begin(), path.end(), text);
  node* const made = new (block) node;
  made->path = {text, path.size()};
  return made;
}

void destroy(node* which) noexcept {
  which->~node();
  ::operator delete(which);
}

// Whoever finds a node reads its fields next: they come while the path is compared.
void fetch(const node* which) noexcept {
  constexpr std::size_t cache_line_bytes = 64;
  for (std::size_t at = 0; at < sizeof(node); at += cache_line_bytes) {
    __builtin_prefetch(reinterpret_cast<const char*>(which) + at);
  }
}

}  // namespace

node_table::node_table(node_table&& other) noexcept
    : slots_(std::move(other.slots_)), size_(std::exchange(other.size_, 0)) {}

node_table& node_table::operator=(node_table&& other) noexcept {
  std::swap(slots_, other.slots_);
  std::swap(size_, other.size_);
  return *this;
}

node_table::~node_table() {
  for (const slot& one : slots_) {
    if (one.at != nullptr) destroy(one.at);
  }
}

node* node_table::find(std::string_view path) const noexcept {
  if (slots_.empty()) return nullptr;
  const std::size_t hash = std::hash<std::string_view>()(path);
  for (std::size_t i = first(hash); slots_[i].at != nullptr; i = after(i)) {
    if (slots_[i].hash != hash) continue;
    fetch(slots_[i].at);
    if (slots_[i].at->path == path) return slots_[i].at;
  }
  return nullptr;
}

std::size_t node_table::expect_slot(std::string_view path) const noexcept {
  const std::size_t hash = std::hash<std::string_view>()(path);
  if (!slots_.empty()) __builtin_prefetch(&slots_[first(hash)]);
  return hash;
}

void node_table::expect_node(std::size_t hash) const noexcept {
  if (slots_.empty()) return;
  const slot& one = slots_[first(hash)];
  if (one.hash == hash && one.at != nullptr) fetch(one.at);
}

void node_table::put(slot added) noexcept {
  std::size_t i = first(added.hash);
  while (slots_[i].at != nullptr) i = after(i);
  slots_[i] = added;
}

void node_table::grow() {
  std::vector<slot> before(std::max(fewest_slots, slots_.size() * 2));
  std::swap(before, slots_);
  for (const slot& one : before) {
    if (one.at != nullptr) put(one);
  }
}

node& node_table::insert(std::string_view path) {
  if ((size_ + 1) * 4 > slots_.size() * 3) grow();
  node* const made = make_node(path);
  put({std::hash<std::string_view>()(path), made});
  ++size_;
  return *made;
}

void node_table::erase(node& which) noexcept {
  std::size_t gap = first(std::hash<std::string_view>()(which.path));
  while (slots_[gap].at != &which) gap = after(gap);
  slots_[gap] = {};
  // Whoever was put behind the gap because of it moves up: a search ends at a free slot.
  for (std::size_t i = after(gap); slots_[i].at != nullptr; i = after(i)) {
    const std::size_t mask = slots_.size() - 1;
    const std::size_t wanted_to_here = (i - first(slots_[i].hash)) & mask;
    const std::size_t gap_to_here = (i - gap) & mask;
    if (wanted_to_here < gap_to_here) continue;
    std::swap(slots_[gap], slots_[i]);
    gap = i;
  }
  --size_;
  destroy(&which);
}

}  // namespace zkr::backend
