// witnesses.hpp — what is noted of streams, groups and lists.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <brook/blocking_list/witness.hpp>
#include <brook/clock.hpp>
#include <brook/group/witness.hpp>
#include <brook/id.hpp>
#include <brook/journal/codes.hpp>
#include <brook/journal/scribe.hpp>
#include <brook/log/payload.hpp>
#include <brook/options.hpp>
#include <brook/redelivery.hpp>
#include <brook/snapshot/bytes.hpp>
#include <brook/snapshot/group.hpp>
#include <brook/snapshot/values.hpp>
#include <brook/stream/witness.hpp>

namespace brook::journal {

/// Notes changes of one object, or of one group.
class Noting {
 public:
  Noting(std::shared_ptr<Scribe> scribe, Number number) noexcept : scribe_(std::move(scribe)), number_(number) {}

 protected:
  ~Noting() = default;

  template <class Write>
  void note(Change change, Write&& write) noexcept {
    scribe_->note(change, number_, write);
  }

  const std::shared_ptr<Scribe> scribe_;
  const Number number_;
};

class GroupWitness final : public group::Witness, private Noting {
 public:
  GroupWitness(std::shared_ptr<Scribe> scribe, Number number, Clock& clock) noexcept
      : Noting(std::move(scribe), number), clock_(clock) {}

  [[nodiscard]] core::Recorder& recorder() noexcept override { return *scribe_; }

  void pending(std::span<const Id> ids, const Hands& hands) noexcept override {
    using std::chrono::floor;
    using std::chrono::milliseconds;
    const auto write = [&](Encoder& to) {
      to.text(hands.consumer);
      to.size(hands.deliveries);
      to.signed_size((floor<milliseconds>(clock_.now()) - floor<milliseconds>(hands.since)).count());
      to.size(ids.size());
      snapshot::IdsOut out;
      for (const Id id : ids) out.write(to, id);
    };
    note(Change::pending, write);
    // An empty name has always been nobody's. Who does not know the second change passes it, and has them with nobody.
    if (hands.consumer.empty() && hands.consumer.data() != nullptr) note(Change::pending_unnamed, write);
  }
  void finished(Id id) noexcept override {
    note(Change::finished, [id](Encoder& to) { to.value(id); });
  }
  void progressed(const group::ProgressImage& image) noexcept override {
    note(Change::progressed, [&](Encoder& to) { snapshot::write_progress(to, image); });
  }
  void moved(const group::ProgressImage& image) noexcept override {
    note(Change::moved, [&](Encoder& to) { snapshot::write_progress(to, image); });
  }
  void admitted(Id id, std::uint64_t key) noexcept override {
    note(Change::admitted, [id, key](Encoder& to) {
      to.value(id);
      to.number(key);
    });
  }
  void dropped(Id id) noexcept override {
    note(Change::dropped, [id](Encoder& to) { to.value(id); });
  }
  void joined(std::string_view consumer) noexcept override {
    note(Change::joined, [consumer](Encoder& to) { to.text(consumer); });
  }
  void left(std::string_view consumer) noexcept override {
    note(Change::left, [consumer](Encoder& to) { to.text(consumer); });
  }
  void destroyed() noexcept override {
    const core::RecordingInOrder in_order(*scribe_);
    note(Change::group_destroyed, [](Encoder&) {});
    scribe_->catalog().erase_group(number_);
  }

 private:
  Clock& clock_;
};

template <class T>
class StreamWitness final : public stream::Witness<T>, private Noting {
 public:
  using Values = typename stream::Witness<T>::Values;

  StreamWitness(std::shared_ptr<Scribe> scribe, Number number, Clock& clock) noexcept
      : Noting(std::move(scribe), number), clock_(clock) {}

  [[nodiscard]] core::Recorder& recorder() noexcept override { return *scribe_; }

  [[nodiscard]] bool encode(const Values& values, std::vector<std::byte>& to) override {
    Encoder out;
    snapshot::Values<T>::write(out, values.size(),
                               [&](std::size_t i) -> const T& { return log::value_of<T>(std::as_const(values[i])); });
    if (out.failed()) return false;
    to.assign(out.written().begin(), out.written().end());
    return true;
  }
  void added(Id first, std::size_t count, std::span<const std::byte> encoded) noexcept override {
    note(Change::added, [&](Encoder& to) {
      to.value(first);
      to.size(count);
      to.bytes(encoded);
    });
  }
  void keyed(std::string_view producer, std::string_view key, Id id) noexcept override {
    note(Change::keyed, [&](Encoder& to) {
      to.text(producer);
      to.text(key);
      to.value(id);
    });
  }
  void erased(std::span<const Id> ids) noexcept override {
    note(Change::erased, [ids](Encoder& to) {
      to.size(ids.size());
      for (const Id id : ids) to.value(id);
    });
  }
  void released(Id id) noexcept override {
    note(Change::released, [id](Encoder& to) { to.value(id); });
  }
  void trimmed(Id last) noexcept override {
    note(Change::trimmed, [last](Encoder& to) { to.value(last); });
  }
  [[nodiscard]] core::Owned<group::Witness> group_made(std::string_view name, const GroupOptions<T>& options,
                                                       const group::ProgressImage& progress) override {
    const core::RecordingInOrder in_order(*scribe_);
    Catalog& catalog = scribe_->catalog();
    const Number number = catalog.next();
    core::Owned<group::Witness> witness(new GroupWitness(scribe_, number, clock_));
    catalog.add_group(number, number_, name);
    scribe_->note(Change::group_made, number, [&](Encoder& to) {
      to.size(number_);
      to.text(name);
      snapshot::write_progress(to, progress);
      snapshot::write_policies(to, options);
      to.text({});
      to.size(options.dead_letter ? catalog.find(options.dead_letter.stream()) : 0);
    });
    return witness;
  }

 private:
  Clock& clock_;
};

template <class T>
class ListWitness final : public blocking_list::Witness<log::PayloadOf<T>>, private Noting {
 public:
  using Payload = log::PayloadOf<T>;

  using Noting::Noting;

  [[nodiscard]] core::Recorder& recorder() noexcept override { return *scribe_; }

  [[nodiscard]] bool encode(const log::Values<Payload>& values, blocking_list::Told& told) override {
    if constexpr (snapshot::AsInMemory<T>) return true;
    Encoder out;
    told.ends.reserve(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      write(out, values[i], {});
      told.ends.push_back(out.written_size());
    }
    told.bytes.assign(out.written().begin(), out.written().end());
    return !out.failed();
  }

  void pushed(Side side, const Payload& element, std::span<const std::byte> told) noexcept override {
    note(Change::pushed, [&](Encoder& to) {
      to.number(static_cast<std::uint8_t>(side));
      write(to, element, told);
    });
  }
  void popped(Side side) noexcept override {
    note(Change::popped, [side](Encoder& to) { to.number(static_cast<std::uint8_t>(side)); });
  }
  void inserted(std::size_t at, const Payload& element, std::span<const std::byte> told) noexcept override {
    note(Change::inserted, [&](Encoder& to) {
      to.size(at);
      write(to, element, told);
    });
  }
  void replaced(std::size_t at, const Payload& element, std::span<const std::byte> told) noexcept override {
    note(Change::replaced, [&](Encoder& to) {
      to.size(at);
      write(to, element, told);
    });
  }
  void removed(std::size_t at) noexcept override {
    note(Change::removed, [at](Encoder& to) { to.size(at); });
  }
  void cleared() noexcept override {
    note(Change::cleared, [](Encoder&) {});
  }

 private:
  static void write(Encoder& to, const Payload& element, std::span<const std::byte> told) {
    if (told.empty()) snapshot::Values<T>::write(to, log::value_of<T>(element));
    else to.bytes(told);
  }
};

}  // namespace brook::journal
