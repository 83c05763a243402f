// halves.hpp — an append that can be stopped in the middle: its value has a slot, and is not there yet for anybody. For
// tests of what that means to others.
//
// The slot waits for a decision that nobody but the appender can make. Whoever must pass it calls that off, as he would
// make a slot void whose owner has stalled (log/joint.hpp, log/settle.hpp), and the append begins anew.
#pragma once

#include <functional>
#include <memory>

#include <brook/core/undo.hpp>
#include <brook/error.hpp>
#include <brook/log/joint.hpp>
#include <brook/log/part.hpp>
#include <brook/log/payload.hpp>
#include <brook/log/request.hpp>

namespace brook::log {

/// Appends one value with what `prepare(part)` does (AppendLog::prepare), and calls `midway` once, in the middle.
template <class Payload, class Prepare>
[[nodiscard]] expected<Appended, Errc> append_by_halves(const Values<Payload>& value, Prepare&& prepare,
                                                        const std::function<void()>& midway) {
  for (bool halted = false;; halted = true) {
    const auto decision = std::make_shared<Decision>();
    Part<Payload> part(decision);
    expected<Appended, Errc> appended = prepare(part);
    if (!appended) return appended;
    core::Undo undo([&] {
      decision->call_off();
      part.withdraw(value);
    });
    if (!halted) midway();
    if (!decision->make()) continue;
    undo.keep();
    part.finish();
    return appended;
  }
}

}  // namespace brook::log
