// list.hpp — a list in a snapshot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include <brook/blocking_list.hpp>
#include <brook/blocking_list/restore.hpp>
#include <brook/log/payload.hpp>
#include <brook/options.hpp>
#include <brook/snapshot/codec.hpp>
#include <brook/snapshot/looked_list.hpp>
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
class SavingList final : public LookedList<Saving, T, Values<T>> {
 public:
  using Base = LookedList<Saving, T, Values<T>>;

  SavingList(ObjectHead its_head, std::shared_ptr<blocking_list::State<T>> list)
      : Base(std::move(list), std::move(its_head)) {}

  [[nodiscard]] Result write(Writer& to) override {
    write_options(to.out(), to);
    if (auto failed = to.end(); !failed) return failed;
    to.begin(elements_section);
    if (auto failed = this->write_elements([&](const auto& bytes) { return to.append(bytes); }); !failed) return failed;
    return to.end();
  }

 private:
  void write_options(Encoder& out, Writer& to) {
    to.begin(list_section);
    write_list_options(out, this->options());
    out.number(static_cast<std::uint8_t>(this->closed()));
    out.number(static_cast<std::uint8_t>(this->from_right()));
  }
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

/// Reads what a SavingList has written, for a list that nobody else knows yet; its options but for clock and probe, too. Null when
/// that failed.
template <class T>
[[nodiscard]] std::shared_ptr<blocking_list::State<T>> read_list(Reader& from, ListOptions options,
                                                                 bool reopen = false) {
  if (from.next() != list_section) from.fail("the list is missing");
  read_list_options(from, options);
  const bool closed = from.flag() && !reopen;
  const Side side = from.flag() ? Side::left : Side::right;
  from.end();
  if (from.next() != elements_section) from.fail("the elements are missing");
  auto list = std::make_shared<blocking_list::State<T>>(options);
  while (!from.at_end()) {
    if (auto value = read_value<T>(from))
      static_cast<void>(blocking_list::restore_element<T>(*list, side, log::make_payload<T>(*std::move(value)), true));
  }
  if (from.failed()) return nullptr;
  const blocking_list::Locked<T> locked(*list);
  if (closed) list->close();
  return list;
}

}  // namespace brook::snapshot
