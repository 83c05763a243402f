// cut.hpp — the elements of a list at one instant, for who saves them bit by bit while others push and pop.
//
// While a list has a cut its pops take the lock; pushes go on as ever, behind what the cut is about. With the lock the saver
// passes some elements at a time, in the order in which a queue would pop them, from one end to the other. Whoever takes or
// changes an element that was not passed yet has it passed first: at the end where the saver is, all up to it; at the other
// end, that one alone, as one from behind; for anything else all that are left, and what does that is O(n) anyway. So each
// element is passed once, as it was at the instant, and what the saver keeps is no more than what has left the list.
//
// An element of the cut that is not passed yet lies in `front`, behind `before` other elements, or in the queue, where a Walk
// stands. Those before it were passed, or came later to that end.
#pragma once

#include <cstddef>
#include <cstdint>

#include <brook/blocking_list/fifo.hpp>
#include <brook/blocking_list/walk.hpp>

namespace brook::blocking_list {

/// Of one list; several may be about the same one. All with the list's lock.
template <class Payload>
class Cut {
 public:
  Cut(const Cut&) = delete;
  Cut& operator=(const Cut&) = delete;

  /// Whether all elements were passed.
  [[nodiscard]] bool done() const noexcept { return done_; }
  /// Whether the order is from right to left. From when it has begun.
  [[nodiscard]] bool from_right() const noexcept { return from_right_; }

 protected:
  Cut() = default;
  ~Cut() = default;

  /// The next element; or the last one of those that were not passed. A failure is the cut's own affair.
  virtual void pass(const Payload& element) noexcept = 0;
  virtual void pass_from_behind(const Payload& element) noexcept = 0;
  /// Not all elements can be passed, for want of memory.
  virtual void give_up() noexcept = 0;

 private:
  template <class P>
  friend class Cuts;

  Cut* next_ = nullptr;
  bool done_ = true;
  bool from_right_ = false;
  std::size_t before_ = 0;
  std::size_t in_front_ = 0;  // elements to be passed that lie in `front`
  Walk<Payload> in_queue_{};
};

/// The cuts of one list; told by the list of all that it does.
template <class Payload>
class Cuts {
 public:
  using Cut = blocking_list::Cut<Payload>;

  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }

  /// Begins one: `front` elements lie in front, and the queue, which is frozen, has the others.
  void begin(Cut& cut, std::size_t front, const Fifo<Payload>& queue, bool from_right) noexcept {
    cut.done_ = false;
    cut.from_right_ = from_right;
    cut.before_ = 0;
    cut.in_front_ = front;
    cut.in_queue_ = queue.walk();
    cut.next_ = first_;
    first_ = &cut;
    end_if_done(cut);
  }
  /// Ends one before it is done. Does nothing when it has ended.
  void end(Cut& cut) noexcept {
    if (cut.done_) return;
    Cut** link = &first_;
    while (*link != &cut) link = &(*link)->next_;
    *link = cut.next_;
    cut.done_ = true;
  }

  /// Passes the next element. `front` is what it was.
  template <class Front>
  void pass_next(Cut& cut, Front& front) noexcept {
    if (cut.in_front_ > 0) {
      if (cut.before_ >= front.size()) return fail(cut);  // gathering did not come to its end
      cut.pass(front[cut.before_]);
      --cut.in_front_;
    } else {
      cut.pass(cut.in_queue_.element());
      cut.in_queue_.advance();
    }
    ++cut.before_;
    end_if_done(cut);
  }

  // — what the list is about to do —

  /// So many elements go where the cuts pass them.
  template <class Front>
  void before_pops(std::size_t count, Front& front) noexcept {
    each([&](Cut& cut) {
      while (!cut.done_ && cut.before_ < count) pass_next(cut, front);
    });
  }
  /// So many go at the other end. All elements are in front.
  template <class Front>
  void before_pops_behind(std::size_t count, Front& front) noexcept {
    each([&](Cut& cut) {
      while (!cut.done_ && cut.before_ + cut.in_front_ + count > front.size()) {
        cut.pass_from_behind(front[cut.before_ + cut.in_front_ - 1]);
        --cut.in_front_;
        end_if_done(cut);
      }
    });
  }
  /// Any of them may change.
  template <class Front>
  void before_changes(Front& front) noexcept {
    each([&](Cut& cut) {
      while (!cut.done_) pass_next(cut, front);
    });
  }
  /// All that the queue has comes behind what is in front.
  void before_gathering() noexcept {
    each([](Cut& cut) {
      for (; !cut.in_queue_.at_end(); cut.in_queue_.advance()) ++cut.in_front_;
    });
  }

  // — what it has done —

  /// So many elements went, or came, where the cuts pass them.
  void popped(std::size_t count) noexcept {
    each([&](Cut& cut) { cut.before_ -= count; });
  }
  void pushed_before() noexcept {
    each([](Cut& cut) { ++cut.before_; });
  }

 private:
  void end_if_done(Cut& cut) noexcept {
    if (cut.in_front_ == 0 && cut.in_queue_.at_end()) end(cut);
  }
  void fail(Cut& cut) noexcept {
    cut.give_up();
    end(cut);
  }
  template <class Use>
  void each(Use&& use) noexcept {
    for (Cut *cut = first_, *next = nullptr; cut != nullptr; cut = next) {
      next = cut->next_;
      use(*cut);
    }
  }

  Cut* first_ = nullptr;
};

}  // namespace brook::blocking_list
