// registry_model.cpp — channel/registry.hpp under the C++ memory model: is everything dropped that nobody needs any more, and
// nothing else; and is a subscriber seen by who publishes after it came?
#include <array>
#include <memory>
#include <optional>

#include "relacy_model.hpp"

#include <brook/channel/registry.hpp>

#include "number.hpp"

namespace {

using namespace brook;
using model::Number;

// A log, and readers that have come before the first message.
template <class Self, int threads, std::uint32_t slots = 1>
struct RegistryClaim : model::Claim<Self, threads> {
  using Payload = Number<slots>;
  using Registry = channel::Registry<Payload>;
  using Reader = channel::Reader<Payload>;
  using Log = typename Registry::Log;
  using Locked = typename Registry::Locked;

  static constexpr int most_readers = 3;

  std::optional<Log> log;
  std::optional<Registry> registry;
  // What lives as long as the claim: the counts of std::shared_ptr are not seen by Relacy.
  std::array<std::shared_ptr<Reader>, most_readers> readers;
  std::array<int, most_readers> received{};

  void begin(int count, int messages) {
    log.emplace();
    registry.emplace(*log);
    for (int i = 0; i < count; ++i) enter(i);
    for (int i = 0; i < messages; ++i) publish();
  }
  void end() {
    for (auto& reader : readers) reader.reset();
    registry.reset();
    log.reset();
  }

  void enter(int i) {
    const Locked locked(*registry);
    auto end = log->end();
    received[i] = static_cast<int>(end.added());
    readers[i] = std::make_shared<Reader>(std::move(end), unlimited, Overflow::drop_oldest);
    registry->enter(readers[i], false);
  }
  void leave(int i) {
    const Locked locked(*registry);
    registry->leave(*readers[i]);
    readers[i]->stop(Reader::Ended::unsubscribed);
  }

  void publish() {
    Payload payload(published_.fetch_add(1, sync::relaxed));
    const auto appended = log->append({&payload, 1}, log::Request::at_time(0));
    model::demand(appended.has_value(), "an append fails for no reason");
    if (appended->rolled) registry->sweep();
  }
  // As channel/state.hpp does it.
  void receive(int i, int count) {
    const auto use = [&](const auto& hold, std::uint32_t slot, std::uint32_t found) {
      for (std::uint32_t at = slot; at < slot + found; ++at)
        model::demand(hold->slot(at).payload().value() == received[i]++, "a message is lost or twice");
      return true;
    };
    model::demand(readers[i]->take(*log, count, use) == Reader::Found::some, "a message that is there is not seen");
    if (readers[i]->left_segment()) registry->sweep();
  }

  // The last message is in the tail, which stays.
  void all_but_the_last_is_dropped() {
    model::demand(log->head().life().added_before + 1 == log->end().added(), "what nobody needs is kept");
  }

 private:
  sync::atomic<int> published_{0};
};

// Both go past what was kept for them alone; the last who does drops it, or has it dropped.
struct WhatNobodyNeedsIsDropped : RegistryClaim<WhatNobodyNeedsIsDropped, 2> {
  void before() { begin(2, 3); }
  void thread(unsigned id) { receive(id, 3); }
  void after() {
    all_but_the_last_is_dropped();
    end();
  }
};

struct WhoeverHasTheLockDrops : RegistryClaim<WhoeverHasTheLockDrops, 3> {
  void before() { begin(2, 3); }
  void thread(unsigned id) {
    if (id < 2) return receive(id, 3);
    const Locked locked(*registry);
  }
  void after() {
    all_but_the_last_is_dropped();
    end();
  }
};

struct WhoLeavesNeedsNothing : RegistryClaim<WhoLeavesNeedsNothing, 3> {
  void before() { begin(3, 3); }
  void thread(unsigned id) {
    if (id < 2) return receive(id, 3);
    leave(2);
  }
  void after() {
    all_but_the_last_is_dropped();
    end();
  }
};

// One reads while the other's leaving, and new messages, have the log dropped up to it.
struct WhatIsNeededIsKept : RegistryClaim<WhatIsNeededIsKept, 3> {
  void before() { begin(2, 3); }
  void thread(unsigned id) {
    if (id == 0) {
      for (int i = 0; i < 3; ++i) receive(0, 1);
    } else if (id == 1) {
      leave(1);
    } else {
      publish();
      publish();
    }
  }
  void after() {
    receive(0, 2);
    end();
  }
};

// It gets everything that is published after it came.
struct WhoComesMissesNothing : RegistryClaim<WhoComesMissesNothing, 3> {
  void before() { begin(1, 2); }
  void thread(unsigned id) {
    if (id == 0) receive(0, 2);
    if (id == 1) publish();
    if (id == 2) enter(1);
  }
  void after() {
    if (received[1] < 3) receive(1, 3 - received[1]);
    all_but_the_last_is_dropped();
    end();
  }
};

// Who was told, by whatever means, that somebody has subscribed, publishes to them.
struct WhoCameBeforeIsSeen : RegistryClaim<WhoCameBeforeIsSeen, 3> {
  sync::atomic<int> come{0};

  void before() { begin(0, 0); }
  void thread(unsigned id) {
    if (id < 2) {
      enter(id);
      come.fetch_add(1, sync::release);
    } else {
      const int there = come.load(sync::acquire);
      model::demand(static_cast<int>(registry->audience().size()) >= there, "who subscribed before is not seen");
    }
  }
  void after() { end(); }
};

}  // namespace

int main(int argc, char** argv) {
  model::Claims claims(argc, argv);
  claims.random<WhatNobodyNeedsIsDropped>(30'000);
  claims.random<WhoeverHasTheLockDrops>(30'000);
  claims.random<WhoLeavesNeedsNothing>(30'000);
  claims.random<WhatIsNeededIsKept>(30'000);
  claims.random<WhoComesMissesNothing>(30'000);
  claims.random<WhoCameBeforeIsSeen>(10'000);
  claims.result();
}
