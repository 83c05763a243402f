// lazy_deque.hpp — a deque that takes no memory before there is something in it. (That of libstdc++ takes 576 bytes at once,
// which most lists never need.)
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include <brook/core/config.hpp>

namespace brook::blocking_list {

/// What it has of std::deque means the same.
template <class T>
class LazyDeque {
 public:
  [[nodiscard]] bool empty() const noexcept { return !there_ || there_->empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return !there_ ? 0 : there_->size(); }

  void push_front(T&& value) { make().push_front(std::move(value)); }
  void push_back(T&& value) { make().push_back(std::move(value)); }

  // Of one that is not empty.
  [[nodiscard]] T& front() noexcept { return there_->front(); }
  [[nodiscard]] T& back() noexcept { return there_->back(); }
  [[nodiscard]] T& operator[](std::size_t i) noexcept { return (*there_)[i]; }
  void pop_front() noexcept { there_->pop_front(); }
  void pop_back() noexcept { there_->pop_back(); }

  void swap(std::deque<T>& other) noexcept {
    if (there_) there_->swap(other);
  }

 private:
  [[nodiscard]] std::deque<T>& make() {
    if (!there_) there_.emplace();
    return *there_;
  }

  std::optional<std::deque<T>> there_;
};

}  // namespace brook::blocking_list
