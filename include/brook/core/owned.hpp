// owned.hpp — an object, or an array, that has one owner: of std::unique_ptr what is needed here. Each std::unique_ptr brings a
// std::tuple, which every program that includes the header of whoever has it would have to compile.
#pragma once

#include <cstddef>
#include <utility>

#include <brook/core/config.hpp>

namespace brook::core {

/// Deletes it, if there is one.
template <class T>
class Owned {
 public:
  Owned() = default;
  /// Made by new; or null.
  explicit Owned(T* what) noexcept : what_(what) {}
  Owned(Owned&& other) noexcept : what_(other.release()) {}
  Owned& operator=(Owned&& other) noexcept {
    delete std::exchange(what_, other.release());
    return *this;
  }
  ~Owned() { delete what_; }

  [[nodiscard]] explicit operator bool() const noexcept { return what_ != nullptr; }
  [[nodiscard]] T* get() const noexcept { return what_; }
  [[nodiscard]] T* operator->() const noexcept { return what_; }
  [[nodiscard]] T& operator*() const noexcept { return *what_; }

  /// It has another owner now.
  [[nodiscard]] T* release() noexcept { return std::exchange(what_, nullptr); }

 private:
  T* what_ = nullptr;
};

template <class T>
class Owned<T[]> {
 public:
  Owned() = default;
  explicit Owned(T* first) noexcept : first_(first) {}
  Owned(Owned&& other) noexcept : first_(std::exchange(other.first_, nullptr)) {}
  Owned& operator=(Owned&& other) noexcept {
    delete[] std::exchange(first_, std::exchange(other.first_, nullptr));
    return *this;
  }
  ~Owned() { delete[] first_; }

  [[nodiscard]] explicit operator bool() const noexcept { return first_ != nullptr; }
  [[nodiscard]] T& operator[](std::size_t i) const noexcept { return first_[i]; }

 private:
  T* first_ = nullptr;
};

}  // namespace brook::core
