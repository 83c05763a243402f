// looked_list.hpp — the elements of a list at one instant, as bytes: encoded under its lock, some at a time
// (blocking_list/cut.hpp), by who saves them or by whoever takes them away.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include <brook/blocking_list.hpp>
#include <brook/blocking_list/restore.hpp>
#include <brook/core/config.hpp>
#include <brook/core/sync.hpp>
#include <brook/error.hpp>
#include <brook/log/payload.hpp>
#include <brook/options.hpp>
#include <brook/snapshot/bytes.hpp>
#include <brook/snapshot/error.hpp>

namespace brook::snapshot {

/// `Base` is a Looking. `Out` encodes: out.write(encoder, element).
template <class Base, class T, class Out>
class LookedList : public Base, private blocking_list::Cut<log::PayloadOf<T>> {
 public:
  using State = blocking_list::State<T>;
  using Payload = log::PayloadOf<T>;

  ~LookedList() override {
    unlock_list();
    blocking_list::end_cut(*list_, cut());
  }

  [[nodiscard]] const void* list() const noexcept override { return list_.get(); }
  void lock_list() override { held_ = sync::unique_lock<sync::mutex>(list_->mutex()); }
  void look() override { closed_ = blocking_list::begin_cut(*list_, cut()); }
  void unlock_list() noexcept override {
    if (held_.owns_lock()) held_.unlock();
  }

 protected:
  template <class... Arguments>
  explicit LookedList(std::shared_ptr<State> list, Arguments&&... arguments)
      : Base(std::forward<Arguments>(arguments)...), list_(std::move(list)) {}

  [[nodiscard]] const ListOptions& options() const noexcept { return list_->options; }
  // After look().
  [[nodiscard]] bool closed() const noexcept { return closed_; }
  using blocking_list::Cut<Payload>::from_right;

  /// Calls `write(bytes)` for some elements at a time, in the order in which the cut passes them; what it says that failed ends
  /// it. Errors: codec_error.
  template <class Write>
  [[nodiscard]] Result write_elements(Write&& write) {
    Encoder taken;
    for (bool more = true; more;) {
      if (!take_some(taken, more))
        return unexpected(SnapshotError(Errc::codec_error, "an element could not be encoded"));
      if (Result failed = write(taken.written()); !failed) return failed;
    }
    for (; !behind_.empty(); behind_.pop_back()) {
      if (Result failed = write(behind_.back()); !failed) return failed;
    }
    return {};
  }

 private:
  // At a time, so that nobody waits for long: so many elements, or bytes.
  static constexpr std::size_t some = 64;
  static constexpr std::size_t some_bytes = 4096;

  [[nodiscard]] blocking_list::Cut<Payload>& cut() noexcept { return *this; }

  // What was passed since the last time. Nothing when that failed; `more` says whether there is more to come.
  [[nodiscard]] bool take_some(Encoder& taken, bool& more) {
    taken.clear();
    bool failed = false;
    std::size_t passed = 0;
    const auto go_on = [&] { return passed++ < some && passed_.written_size() < some_bytes && !failed_; };
    more = blocking_list::pass_some(*list_, cut(), go_on, [&] {
      std::swap(passed_, taken);
      failed = failed_;
    });
    return !failed;
  }

  // With the list's lock.
  void pass(const Payload& element) noexcept override { encode(element, passed_); }
  void pass_from_behind(const Payload& element) noexcept override {
    BROOK_TRY {
      Encoder alone;
      if (!encode(element, alone)) return;
      behind_.emplace_back(alone.written().begin(), alone.written().end());
    }
    BROOK_CATCH_ALL { give_up(); }
  }
  void give_up() noexcept override { failed_ = true; }
  bool encode(const Payload& element, Encoder& to) noexcept {
    BROOK_TRY {
      values_.write(to, log::value_of<T>(element));
      if (to.failed()) give_up();
    }
    BROOK_CATCH_ALL { give_up(); }
    return !failed_;
  }

  const std::shared_ptr<State> list_;
  sync::unique_lock<sync::mutex> held_;
  bool closed_ = false;
  // With the list's lock.
  Out values_;
  Encoder passed_;
  std::vector<std::vector<std::byte>> behind_;
  bool failed_ = false;
};

}  // namespace brook::snapshot
