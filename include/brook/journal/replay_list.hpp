// replay_list.hpp — the changes of a list, made again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

#include <brook/blocking_list.hpp>
#include <brook/journal/keeper.hpp>
#include <brook/journal/replay.hpp>
#include <brook/log/payload.hpp>
#include <brook/snapshot/values.hpp>

namespace brook::journal {

template <class T>
class ReplayedList final : public Replayed {
 public:
  explicit ReplayedList(std::shared_ptr<broker::Named> what)
      : Replayed(std::move(what)), list_(shared_state_of(**object_in<BlockingList<T>>(*named))) {}

  void apply(Change change, Reader& from, const Scene&) override {
    auto& elements = list_->elements;
    switch (change) {
      case Change::pushed: {
        const Side side = read_side(from);
        if (auto value = snapshot::read_value<T>(from)) elements.push(side, log::make_payload<T>(*std::move(value)));
        return;
      }
      case Change::popped: {
        const Side side = read_side(from);
        if (elements.empty()) from.fail("an element is taken from an empty list");
        if (!from.failed()) static_cast<void>(elements.pop(side));
        return;
      }
      case Change::cleared: {
        std::deque<Payload> gone;
        elements.give_all(gone);
        return;
      }
      default: apply_at(change, from);
    }
  }
  [[nodiscard]] bool finish() override {
    list_->settle();
    return true;
  }

 private:
  using Payload = log::PayloadOf<T>;

  void apply_at(Change change, Reader& from) {
    auto& elements = list_->elements;
    const std::uint64_t position = from.size();
    if (position > elements.size() || (position == elements.size() && change != Change::inserted))
      return from.fail("a change behind the end of a list");
    const auto at = static_cast<std::size_t>(position);
    if (change == Change::removed)
      return elements.remove([at](std::size_t i) noexcept { return i == at; }, [](Payload&&) noexcept {});
    if (change != Change::inserted && change != Change::replaced) return from.fail("a list cannot have this change");
    auto value = snapshot::read_value<T>(from);
    if (!value) return;
    auto payload = log::make_payload<T>(*std::move(value));
    if (change == Change::inserted) elements.insert(at, std::move(payload));
    else elements.trade(at, payload);
  }

  [[nodiscard]] static Side read_side(Reader& from) { return from.flag() ? Side::right : Side::left; }

  const std::shared_ptr<blocking_list::State<T>> list_;
};

}  // namespace brook::journal
