// delivery.hpp — what a consumer of a group gets: entries that it must acknowledge.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

#include <brook/core/config.hpp>
#include <brook/entries.hpp>
#include <brook/group/batch.hpp>
#include <brook/id.hpp>
#include <brook/into.hpp>
#include <brook/log/payload.hpp>
#include <brook/options.hpp>
#include <brook/probe.hpp>
#include <brook/probe/watching.hpp>

namespace brook {

template <class T>
class Consumer;
template <class T>
class Deliveries;
template <class T>
class Stream;

/// An entry in the hands of a consumer. Dropping it acknowledges nothing: the entry stays pending. Valid as long as the
/// Deliveries that it belongs to. One thread at a time.
template <class T>
class Delivery {
 public:
  /// The entry's id in the stream.
  [[nodiscard]] Id id() const noexcept { return share_->page().segment().id(slot().state()); }
  [[nodiscard]] const T& operator*() const noexcept { return log::value_of<T>(slot().payload()); }
  [[nodiscard]] const T* operator->() const noexcept { return std::addressof(**this); }

  /// How often the entry has been delivered, this time included; 1,023 stands for more.
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

  /// Acknowledges the entry: it is done with (XACK). False when it was not pending any more, or was delivered with no_ack.
  /// Idempotent. O(1). Lock-free, unless the entry has come back to the group meanwhile.
  bool ack() const noexcept {
    if (share_->plain()) [[likely]]
      return share_->acknowledge(within_, 1) == 1;
    return ack_watched(*share_, within_, to_);
  }

  /// Gives the entry back to the group: it was not processed, and is delivered again after the delay, to whoever reads
  /// then; or becomes a dead letter when it was delivered as often as the group allows, or is fatal (XNACK). False when it
  /// was acknowledged, or delivered to somebody else, in the meantime, or the stream is gone. O(log n).
  bool nack(const NackOptions& options = {}) const {
    const auto nack_now = [&] {
      const auto at = share_->first() + within_;
      return share_->told() && share_->page().owner().nack(share_->page(), at, {to_, count_}, options);
    };
    if (!share_->watched()) [[likely]]
      return nack_now();
    return watch<bool>(Operation::nack, [&](const Manner& manner) {
      probing::begin(manner);
      return nack_now();
    });
  }

  /// Acknowledges the entry here and adds a value there, both at one instant: whoever sees one of the two sees the other. So
  /// each entry has its effect exactly once, however often it was delivered and whoever died in between. Does not wait; with
  /// an error nothing has changed, and a value that was to be moved, of a type that moves without throwing, is as it was. The
  /// id of what was added. Errors: not_pending when the entry was acknowledged, or
  /// delivered to somebody else, in the meantime, or with no_ack; what adding there answers: closed, full, id_exhausted.
  /// Takes the group's mutex.
  template <class U, class Value>
  expected<Id, Errc> forward(Stream<U>& to, Value&& value) const;

  /// The same with several targets, `order.forward(into(invoices, invoice), into(audit, "paid"))`: the acknowledgement and
  /// all that is added take effect at one instant, for whoever looks at any of them in any order. What was added to each, in
  /// the order of the targets. With an error nothing has changed anywhere. Errors further: invalid_argument when two targets
  /// are one object. Takes the group's mutex; a thread that must pass a target's entry while it is on its way makes this
  /// begin anew.
  template <ForwardTarget... Targets>
  expected<std::tuple<typename Targets::Added...>, Errc> forward(Targets&&... targets) const;
  /// The same with one target that is not a stream: a BlockingList.
  template <class Target, class Value>
  requires(!ForwardTarget<Target>) auto forward(Target& to, Value&& value) const {
    return forward(into(to, std::forward<Value>(value))).map([](auto added) { return std::get<0>(added); });
  }

 private:
  friend class Deliveries<T>;
  using Share = group::Share<log::PayloadOf<T>>;

  // Acknowledges, if `add` adds; whether it was asked to.
  template <class Add>
  bool forward_by(Add add) const;

  template <class Run>
  std::optional<Errc> watch_forward(const Run& run) const;
  // Of an entry that is watched, or was never pending.
  static bool ack_watched(const Share& share, std::uint32_t within, group::Recipient to) noexcept;
  // Performs an operation on an entry that is watched, as the probe wants it.
  template <class Result, class Run>
  Result watch(Operation operation, const Run& run) const;
  struct Asked {
    const Delivery& delivery;
    Outcome ask(const Call& call, const Perform& perform) const {
      return delivery.share_->page().owner().watch(call.operation, delivery.to_, delivery.id(), perform);
    }
  };

  Delivery(const Share& share, std::uint32_t within, std::uint64_t count, group::Recipient to) noexcept
      : share_(&share), within_(within), to_(to), count_(count) {}

  [[nodiscard]] log::Slot<log::PayloadOf<T>>& slot() const noexcept {
    return share_->page().segment().slot(share_->first() + within_);
  }

  const Share* share_;
  std::uint32_t within_;
  group::Recipient to_;
  std::uint64_t count_;
};

/// The deliveries of one read, oldest first: `for (auto& order : batch)`. Keeps the entries and the group's state, as
/// Entries does, also when the stream is gone. Copies are cheap and mean the same deliveries.
template <class T>
class Deliveries {
  using Batch = group::Batch<log::PayloadOf<T>>;

 public:
  /// Makes each Delivery as it gets there, so a batch costs no memory of its own: a single-pass iterator.
  class iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using iterator_category = std::input_iterator_tag;
    using value_type = Delivery<T>;
    using difference_type = std::ptrdiff_t;
    using pointer = const Delivery<T>*;
    using reference = const Delivery<T>&;

    iterator() = default;
    [[nodiscard]] reference operator*() const noexcept { return *delivery_; }
    [[nodiscard]] pointer operator->() const noexcept { return &*delivery_; }
    iterator& operator++() noexcept {
      ++at_;
      if (++within_ == batch_->share(share_).count()) {
        ++share_;
        within_ = 0;
      }
      make();
      return *this;
    }
    void operator++(int) noexcept { ++*this; }
    friend bool operator==(const iterator& a, const iterator& b) noexcept { return a.at_ == b.at_; }

   private:
    friend class Deliveries;
    iterator(const Batch& batch, std::size_t at) noexcept : batch_(&batch), at_(at) { make(); }
    void make() noexcept {
      if (at_ >= batch_->size()) return;
      delivery_ = Delivery<T>(batch_->share(share_), within_, batch_->count(at_), batch_->to());
    }

    const Batch* batch_ = nullptr;
    std::size_t at_ = 0;
    std::size_t share_ = 0;
    std::uint32_t within_ = 0;
    std::optional<Delivery<T>> delivery_;
  };
  using const_iterator = iterator;
  using value_type = Delivery<T>;

  Deliveries() = default;

  [[nodiscard]] iterator begin() const noexcept { return {batch_, 0}; }
  [[nodiscard]] iterator end() const noexcept { return {batch_, size()}; }
  [[nodiscard]] std::size_t size() const noexcept { return batch_.size(); }
  [[nodiscard]] bool empty() const noexcept { return batch_.empty(); }

  /// Precondition: i < size(). O(1) in a read without gaps, else O(gaps).
  [[nodiscard]] Delivery<T> operator[](std::size_t i) const noexcept {
    BROOK_ASSERT(i < size());
    std::size_t share = 0;
    std::size_t within = i;
    while (within >= batch_.share(share).count()) within -= batch_.share(share++).count();
    return Delivery<T>(batch_.share(share), static_cast<std::uint32_t>(within), batch_.count(i), batch_.to());
  }
  [[nodiscard]] Delivery<T> front() const noexcept { return (*this)[0]; }
  [[nodiscard]] Delivery<T> back() const noexcept { return (*this)[size() - 1]; }

  /// The entries as such.
  [[nodiscard]] Entries<T> entries() const {
    typename Entries<T>::Runs runs;
    for (std::size_t i = 0; i < batch_.share_count(); ++i)
      runs.add(batch_.share(i).page().hold(), batch_.share(i).first(), batch_.share(i).count());
    return Entries<T>(std::move(runs));
  }

  /// Acknowledges all of them, up to 64 neighbours at a time; how many were still pending. Lock-free, unless some have come
  /// back to the group meanwhile.
  std::size_t ack() const noexcept {
    std::size_t pending = 0;
    for (std::size_t i = 0; i < batch_.share_count(); ++i) {
      const auto& share = batch_.share(i);
      pending += share.plain() ? share.acknowledge(0, share.count()) : ack_each(share);
    }
    return pending;
  }

 private:
  friend class Consumer<T>;

  explicit Deliveries(Batch batch) noexcept : batch_(std::move(batch)) {}

  [[gnu::noinline, gnu::cold]] std::size_t ack_each(const group::Share<log::PayloadOf<T>>& share) const noexcept {
    std::size_t pending = 0;
    for (std::uint32_t i = 0; i < share.count(); ++i) pending += Delivery<T>(share, i, 1, batch_.to()).ack() ? 1U : 0U;
    return pending;
  }

  Batch batch_;
};

template <class T>
[[gnu::noinline, gnu::cold]] bool Delivery<T>::ack_watched(const Share& share, std::uint32_t within,
                                                           group::Recipient to) noexcept {
  if (!share.told()) return false;
  auto& page = share.page();
  const auto ack_now = [&] { return page.owner().acknowledge(page, share.first() + within, 1) == 1; };
  bool done = false;
  bool pending = false;
  BROOK_TRY {
    pending = Delivery(share, within, 1, to).template watch<bool>(Operation::ack, [&](const Manner& manner) {
      probing::begin(manner);
      done = true;
      return pending = ack_now();
    });
    done = true;
  }
  BROOK_CATCH_ALL {}  // the probe's: it does not keep the entry from being acknowledged
  return done ? pending : ack_now();
}

template <class T>
template <class Result, class Run>
[[gnu::cold]] Result Delivery<T>::watch(Operation operation, const Run& run) const {
  Result result = probing::Answer<Result>::failed(Errc::not_pending);
  const auto lost = [] {
    if constexpr (std::is_same_v<Result, bool>) return true;
    else return probing::Answer<Result>::failed(Errc::not_pending);
  };
  const Asked asked{*this};
  probing::watch(
      result, asked, {.operation = operation}, run,
      [&](Outcome& outcome) { probing::Answer<Result>::tell(result, outcome); }, lost);
  return result;
}

}  // namespace brook
