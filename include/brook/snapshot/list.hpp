// list.hpp — a list in a snapshot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <brook/blocking_list.hpp>
#include <brook/blocking_list/restore.hpp>
#include <brook/core/config.hpp>
#include <brook/core/sync.hpp>
#include <brook/log/payload.hpp>
#include <brook/options.hpp>
#include <brook/snapshot/codec.hpp>
#include <brook/snapshot/object.hpp>
#include <brook/snapshot/values.hpp>

namespace brook::snapshot {

inline void write_list_options(Encoder& out, const ListOptions& options) {
  out.size(options.capacity == no_limit ? unlimited : options.capacity);
  out.number(static_cast<std::uint8_t>(options.overflow));
  out.signed_size(options.spin.count());
}

/// A list that is being saved: its elements are encoded under its lock, some at a time (blocking_list/cut.hpp), by the saver or
/// by whoever takes them away.
template <class T>
class SavingList final : public Saving, private blocking_list::Cut<log::PayloadOf<T>> {
 public:
  using State = blocking_list::State<T>;
  using Payload = log::PayloadOf<T>;

  SavingList(ObjectHead its_head, std::shared_ptr<State> list) : Saving(std::move(its_head)), list_(std::move(list)) {}
  ~SavingList() override {
    unlock_list();
    blocking_list::end_cut(*list_, cut());
  }

  [[nodiscard]] const void* list() const noexcept override { return list_.get(); }
  void lock_list() override { held_ = sync::unique_lock<sync::mutex>(list_->mutex); }
  void look() override { closed_ = blocking_list::begin_cut(*list_, cut()); }
  void unlock_list() noexcept override {
    if (held_.owns_lock()) held_.unlock();
  }

  [[nodiscard]] Result write(Writer& to) override {
    write_options(to.out(), to);
    if (auto failed = to.end(); !failed) return failed;
    to.begin(elements_section);
    std::vector<std::byte> taken;
    for (bool more = true; more;) {
      if (!take_some(taken, more))
        return unexpected(SnapshotError(Errc::codec_error, "an element could not be encoded"));
      if (auto failed = to.append(taken); !failed) return failed;
    }
    for (; !behind_.empty(); behind_.pop_back()) {
      if (auto failed = to.append(behind_.back()); !failed) return failed;
    }
    return to.end();
  }

 private:
  // At a time, so that nobody waits for long: so many elements, or bytes.
  static constexpr std::size_t some = 64;
  static constexpr std::size_t some_bytes = 4096;

  [[nodiscard]] blocking_list::Cut<Payload>& cut() noexcept { return *this; }

  void write_options(Encoder& out, Writer& to) {
    to.begin(list_section);
    write_list_options(out, list_->options);
    out.number(static_cast<std::uint8_t>(closed_));
    out.number(static_cast<std::uint8_t>(this->from_right()));
  }

  // What was passed since the last time. Nothing when that failed; `more` says whether there is more to come.
  [[nodiscard]] bool take_some(std::vector<std::byte>& taken, bool& more) {
    taken.clear();
    bool failed = false;
    std::size_t passed = 0;
    const auto go_on = [&] { return passed++ < some && passed_.written_size() < some_bytes && !failed_; };
    more = blocking_list::pass_some(*list_, cut(), go_on, [&] {
      passed_.swap(taken);
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
  Values<T> values_;
  Encoder passed_;
  std::vector<std::vector<std::byte>> behind_;
  bool failed_ = false;
};

/// Reads what write_list_options() has written.
inline void read_list_options(Reader& from, ListOptions& options) {
  const std::uint64_t capacity = from.size();
  options.capacity = capacity < no_limit ? static_cast<std::size_t>(capacity) : no_limit;
  const auto overflow = from.number<std::uint8_t>();
  if (overflow > static_cast<std::uint8_t>(Overflow::disconnect)) from.fail("there is no such overflow");
  options.overflow = static_cast<Overflow>(overflow);
  options.spin = std::chrono::microseconds(from.signed_size());
}

/// Reads what a SavingList has written, for a list that nobody else knows yet. Null when that failed.
template <class T>
[[nodiscard]] std::shared_ptr<blocking_list::State<T>> read_list(Reader& from, Clock* clock, bool reopen = false) {
  ListOptions options{.clock = clock};
  if (from.next() != list_section) from.fail("the list is missing");
  read_list_options(from, options);
  const bool closed = from.flag() && !reopen;
  const Side side = from.flag() ? Side::left : Side::right;
  from.end();
  if (from.next() != elements_section) from.fail("the elements are missing");
  auto list = std::make_shared<blocking_list::State<T>>(options);
  while (!from.at_end()) {
    auto value = read_value<T>(from);
    if (value && !blocking_list::restore_element<T>(*list, side, log::make_payload<T>(*std::move(value))))
      from.fail("the list has more elements than it can have");
  }
  if (from.failed()) return nullptr;
  const blocking_list::Locked<T> locked(*list);
  if (closed) list->close();
  return list;
}

}  // namespace brook::snapshot
