// deadlines.hpp — what is to be done when, the earliest first. It takes no memory: the links lie in what it holds.
//
// A pairing heap: a tree in which nothing is earlier than what it hangs from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <brook/core/config.hpp>

namespace brook::core {

/// T derives from Deadlines<T>::Node and has a `deadline`, which stays as it is while it is held. Not thread-safe.
template <class T>
class Deadlines {
 public:
  class Node {
   public:
    Node() = default;
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

   private:
    friend class Deadlines;
    const Deadlines* held_by_ = nullptr;
    Node* first_ = nullptr;  // of those that hang from it
    Node* next_ = nullptr;   // beside it
    Node** at_ = nullptr;    // what points to it
    std::uint64_t order_ = 0;
  };

  Deadlines() = default;
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;

  [[nodiscard]] bool empty() const noexcept { return root_ == nullptr; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool holds(const T& what) const noexcept { return static_cast<const Node&>(what).held_by_ == this; }

  /// The earliest, and of several that are as early the one with the smallest order. O(1).
  [[nodiscard]] T& first() const noexcept { return static_cast<T&>(*root_); }
  [[nodiscard]] static std::uint64_t order(const T& what) noexcept { return static_cast<const Node&>(what).order_; }

  /// O(1).
  void add(T& what, std::uint64_t order) noexcept {
    Node& node = what;
    node.held_by_ = this;
    node.first_ = nullptr;
    node.order_ = order;
    take_in(node);
    ++size_;
  }

  /// Of what is held. O(log n), on average over all calls.
  void remove(T& what) noexcept {
    Node& node = what;
    node.held_by_ = nullptr;
    *node.at_ = node.next_;
    if (node.next_ != nullptr) node.next_->at_ = node.at_;
    if (Node* const rest = joined(node.first_)) take_in(*rest);
    --size_;
  }

 private:
  void take_in(Node& tree) noexcept {
    root_ = root_ != nullptr ? &joined(*root_, tree) : &tree;
    root_->next_ = nullptr;
    root_->at_ = &root_;
  }

  [[nodiscard]] static bool earlier(const Node& a, const Node& b) noexcept {
    const auto& one = static_cast<const T&>(a).deadline;
    const auto& other = static_cast<const T&>(b).deadline;
    return one != other ? one < other : a.order_ < b.order_;
  }

  /// Two trees as one.
  [[nodiscard]] static Node& joined(Node& a, Node& b) noexcept {
    Node& upper = earlier(b, a) ? b : a;
    Node& lower = &upper == &a ? b : a;
    lower.next_ = upper.first_;
    if (lower.next_ != nullptr) lower.next_->at_ = &lower.next_;
    lower.at_ = &upper.first_;
    upper.first_ = &lower;
    return upper;
  }

  /// Those from `first` on as one: in pairs, and these from the last on, which is what keeps the tree flat.
  [[nodiscard]] static Node* joined(Node* first) noexcept {
    Node* pairs = nullptr;
    while (first != nullptr) {
      Node* const second = first->next_;
      Node* const third = second != nullptr ? second->next_ : nullptr;
      Node* const pair = second != nullptr ? &joined(*first, *second) : first;
      pair->next_ = std::exchange(pairs, pair);
      first = third;
    }
    Node* all = nullptr;
    while (pairs != nullptr) {
      Node* const pair = std::exchange(pairs, pairs->next_);
      all = all != nullptr ? &joined(*all, *pair) : pair;
    }
    return all;
  }

  Node* root_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace brook::core
