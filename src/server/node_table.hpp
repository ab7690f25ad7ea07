#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace zkr::backend {

struct node;

/// The nodes by path. A lookup among very many nodes costs what it touches in memory, hence: hashes stand in one array,
/// next to each other where they collide, and a node has its path behind it in the same block.
class node_table {
 public:
  node_table() = default;
  node_table(node_table&& other) noexcept;
  node_table& operator=(node_table&& other) noexcept;
  ~node_table();

  [[nodiscard]] node* find(std::string_view path) const noexcept;
  /// Brings what a search will look at nearer, without waiting for it: of many paths first `expect_slot` for each, then
  /// `expect_node` with what that gave. Changes nothing.
  [[nodiscard]] std::size_t expect_slot(std::string_view path) const noexcept;
  void expect_node(std::size_t hash) const noexcept;
  /// Makes a node; its path must be free. It stays where it is until it is erased.
  node& insert(std::string_view path);
  void erase(node& which) noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  template <typename F>
  void for_each(F look) const {
    for (const slot& one : slots_) {
      if (one.at != nullptr) look(*one.at);
    }
  }

 private:
  struct slot {
    std::size_t hash = 0;
    node* at = nullptr;
  };

  /// The slot at which the search for a hash begins, and the one behind another.
  [[nodiscard]] std::size_t first(std::size_t hash) const noexcept { return hash & (slots_.size() - 1); }
  [[nodiscard]] std::size_t after(std::size_t index) const noexcept { return (index + 1) & (slots_.size() - 1); }
  void put(slot added) noexcept;
  void grow();

  std::vector<slot> slots_;  ///< A power of two, at least a quarter of them free; or none.
  std::size_t size_ = 0;
};

}  // namespace zkr::backend
