// refused.hpp — a value that a list gives back. Part of blocking_list.hpp, which includes it.
#pragma once

#include <concepts>
#include <exception>

#include <brook/error.hpp>

namespace brook {

/// A value that a list had no room for, or that came after the list was closed, given back.
template <class T>
struct Refused {
  Errc error;
  T value;
};

}  // namespace brook

/// What value() throws of a push that was refused, where the value that it gives back cannot be copied into an
/// exception: the reason only. The value stays where it is. Without it value() would not compile.
template <class T>
requires(!std::copy_constructible<T>) class tl::bad_expected_access<brook::Refused<T>> : public std::exception {
 public:
  explicit bad_expected_access(const brook::Refused<T>& refused) noexcept : error_(refused.error) {}

  [[nodiscard]] const char* what() const noexcept override { return brook::message(error_).data(); }
  [[nodiscard]] brook::Errc error() const noexcept { return error_; }

 private:
  brook::Errc error_;
};
