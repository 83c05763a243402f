// late.hpp — types that a compiler looks into only where they are needed.
//
// What does not depend on the parameters of a template is worked out where the template is defined: so whoever includes the
// header pays for each container and each result in it, be they used or not. Made late, they cost who uses them.
#pragma once

#include <brook/core/config.hpp>

namespace brook::core {

template <class T, class Type>
struct LateType {
  using type = Type;
};

/// `Type`, in a template whose parameter is T.
template <class T, class Type>
using Late = typename LateType<T, Type>::type;

}  // namespace brook::core
