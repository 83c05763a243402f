// fiber.hpp — a function with a stack of its own, which runs when resumed and stops where it suspends.
#pragma once

#include <ucontext.h>

#include <cxxabi.h>
#include <cstddef>
#include <cstring>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace brook::model {

/// Stacks are kept for the next fiber: a checker makes millions of them.
class Stack {
 public:
  static constexpr std::size_t size = 256 * 1024;

  Stack() {
    if (spares().empty()) {
      memory_ = std::make_unique_for_overwrite<std::byte[]>(size);
    } else {
      memory_ = std::move(spares().back());
      spares().pop_back();
    }
  }
  ~Stack() { spares().push_back(std::move(memory_)); }

  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  [[nodiscard]] std::byte* bottom() const { return memory_.get(); }

 private:
  static std::vector<std::unique_ptr<std::byte[]>>& spares() {
    static std::vector<std::unique_ptr<std::byte[]>> stacks;
    return stacks;
  }

  std::unique_ptr<std::byte[]> memory_;
};

/// What the C++ runtime keeps per thread about exceptions in flight. Every fiber must have its own, or a fiber that
/// suspends inside a catch block mixes up another's.
class ExceptionState {
 public:
  /// Exchanges the kept state with the running one.
  void swap() {
    void* const running = abi::__cxa_get_globals();
    Bytes other;
    std::memcpy(&other, running, sizeof other);
    std::memcpy(running, &kept_, sizeof kept_);
    kept_ = other;
  }

 private:
  struct Bytes {  // the layout that the Itanium C++ ABI gives __cxa_eh_globals
    void* caught = nullptr;
    unsigned uncaught = 0;
  };
  Bytes kept_;
};

class Fiber {
 public:
  explicit Fiber(std::function<void()> body) : body_(std::move(body)) {
    getcontext(&own_);
    own_.uc_stack.ss_sp = stack_.bottom();
    own_.uc_stack.ss_size = Stack::size;
    own_.uc_link = &resumer_;
    makecontext(&own_, &Fiber::enter, 0);
  }

  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Runs the body until it suspends or ends. Called from outside any fiber.
  void resume() {
    entering_ = this;
    exceptions_.swap();
    swapcontext(&resumer_, &own_);
    exceptions_.swap();
  }

  /// Called by the body: returns to where resume() was called.
  void suspend() { swapcontext(&own_, &resumer_); }

  [[nodiscard]] bool ended() const { return ended_; }

 private:
  // makecontext passes nothing but ints, so the fiber that is being entered is left here.
  static void enter() {
    Fiber* const self = entering_;
    self->body_();
    self->ended_ = true;
  }

  static inline Fiber* entering_ = nullptr;

  std::function<void()> body_;
  Stack stack_;
  ExceptionState exceptions_;
  ucontext_t own_{};
  ucontext_t resumer_{};
  bool ended_ = false;
};

}  // namespace brook::model
