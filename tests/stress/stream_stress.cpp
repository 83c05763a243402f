// Streams under real threads: producers of every kind, readers, consumers of groups, trims and erasures at once.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include <brook/stream.hpp>

#include "stress.hpp"

namespace {

using namespace brook;
using namespace brook::stress;

// Adds `count` values in every way there is, and reads each back at once where nothing removes it.
template <class T>
void produce(Stream<T>& stream, std::size_t me, std::uint64_t count, bool kept) {
  const auto added = [&](Id id, std::uint64_t sequence) {
    if (!kept) return;
    const Entries<T> own = stream.range(id, id);
    expect(own.size() == 1 && own.front().value == Made<T>::make(me, sequence), "a producer reads what it has added");
    expect(stream.last_id() >= id, "last_id has reached what was added");
  };
  for (std::uint64_t next = 0; next < count;) {
    switch (next % 7) {
      case 0:
      case 1:
      case 2: {
        const auto id = stream.add(Made<T>::make(me, next));
        expect(id.has_value(), "an add succeeds");
        if (id) added(*id, next);
        ++next;
        break;
      }
      case 3: {  // several
        std::vector<T> values;
        for (std::uint64_t i = next; i < std::min(count, next + 5 + me); ++i) values.push_back(Made<T>::make(me, i));
        const auto ids = stream.add_range(values);
        expect(ids.has_value() && ids->size() == values.size(), "add_range succeeds");
        if (ids) {
          added(ids->front(), next);
          added(ids->back(), next + values.size() - 1);
          if (kept) {
            const Entries<T> own = stream.range(ids->front(), ids->back());
            expect(own.size() == values.size(), "nothing lies between the entries of a range");
          }
        }
        next += values.size();
        break;
      }
      case 4: {  // an explicit id, which another producer may have overtaken
        const T value = Made<T>::make(me, next);
        for (;;) {
          const Id wish = stream.last_id().next();
          const auto id = stream.add(wish, value);
          if (id) {
            expect(*id == wish, "an explicit id is kept");
            added(*id, next);
            break;
          }
          expect(id.error() == Errc::id_too_small, "an explicit id is refused only when it is too small");
        }
        ++next;
        break;
      }
      default: {  // a sequence number
        const T value = Made<T>::make(me, next);
        for (;;) {
          const std::uint64_t ms = stream.last_id().ms + next % 2;
          const auto id = stream.add(AutoSeq{ms}, value);
          if (id) {
            expect(id->ms == ms, "an entry is in the millisecond asked for");
            added(*id, next);
            break;
          }
          expect(id.error() == Errc::id_too_small, "a millisecond is refused only when it is past");
        }
        ++next;
      }
    }
  }
}

template <class T>
void follow(const Stream<T>& stream, std::size_t producers, std::size_t count, bool gaps, std::uint64_t expected) {
  Order<T> order(producers, gaps);
  Id after = Id::min();
  for (;;) {
    const auto batch = stream.read(after, {.count = count, .block = forever});
    if (!batch) {
      expect(batch.error() == Errc::closed, "a reader ends when the stream is closed");
      break;
    }
    expect(!batch->empty() && batch->size() <= count, "a blocked read gets something, and no more than it asked for");
    for (const auto& [id, value] : *batch) order.see(id, value);
    after = batch->back().id;
  }
  expect(gaps || order.seen() == expected, "a reader from the start sees every entry");
}

// Nothing is removed: everyone sees everything.
template <class T>
void complete(std::size_t threads, std::uint64_t each, const StreamOptions& options) {
  Stream<T> stream(options);
  const std::uint64_t total = threads * each;
  Threads readers;
  readers.start(threads,
                [&](std::size_t i) { follow(stream, threads, i % 2 == 0 ? 1 + 16 * i : no_limit, false, total); });
  std::atomic<bool> done{false};
  readers.start([&] {  // looks at everything again and again, both ways
    while (!done.load()) {
      const auto before = stream.size();
      const Entries<T> all = stream.range();
      const auto after = stream.size();
      expect(before <= all.size() && all.size() <= after, "a range sees all that was there before");
      const Entries<T> last = stream.rev_range(Id::max(), Id::min(), 100);
      for (std::size_t i = 1; i < last.size(); ++i) expect(last[i].id < last[i - 1].id, "rev_range goes backwards");
      Order<T> order(threads, false);
      for (const auto& [id, value] : all) order.see(id, value);
      const StreamInfo info = stream.info();
      expect(info.length == info.entries_added, "what was added is there");
      expect(info.max_deleted_id == Id::min(), "nothing was erased");
    }
  });
  Threads producers;
  producers.start(threads, [&](std::size_t i) { produce(stream, i, each, true); });
  producers.join();
  done = true;
  stream.close();
  readers.join();
  expect(stream.size() == total && stream.info().entries_added == total, "all is there in the end");
  Order<T> order(threads, false);
  for (const auto& [id, value] : stream.range()) order.see(id, value);
  expect(order.seen() == total, "all is read in the end");
}

// Trims and erasures go on meanwhile: readers miss entries, but see no wrong one.
template <class T>
void thinned(std::size_t threads, std::uint64_t each, const StreamOptions& options) {
  Stream<T> stream(options);
  const std::uint64_t total = threads * each;
  std::atomic<std::uint64_t> removed{0};
  std::atomic<bool> done{false};
  Threads others;
  others.start(threads, [&](std::size_t i) { follow(stream, threads, 10 + i, true, 0); });
  others.start([&] {
    for (std::uint64_t round = 0; !done.load(); ++round) {
      TrimOptions trim{.approximate = round % 4 == 3};
      if (round % 2 == 0) {
        trim.max_len = 100 + round % 500;
      } else {
        const Entries<T> some = stream.rev_range(Id::max(), Id::min(), 300);
        trim.min_id = some.empty() ? Id::min() : some.back().id;
      }
      const auto gone = stream.trim(trim);
      expect(gone.has_value(), "a trim succeeds");
      if (gone) removed += *gone;
      std::this_thread::yield();
    }
  });
  others.start(2, [&](std::size_t i) {
    while (!done.load()) {
      std::vector<Id> some;
      const Entries<T> newest = stream.rev_range(Id::max(), Id::min(), 64);
      for (std::size_t at = i; at < newest.size(); at += 2 + i) some.push_back(newest[at].id);
      some.insert(some.end(), some.begin(), some.end());
      removed += stream.erase(some);
      for (const Id id : some) expect(stream.range(id, id).empty(), "what was erased is gone");
      std::this_thread::yield();
    }
  });
  others.start([&] {  // keeps what it has read, while it goes
    std::vector<Entries<T>> kept(8);
    for (std::uint64_t round = 0; !done.load(); ++round) {
      kept[round % kept.size()] = stream.range(Id::min(), Id::max(), 50);
      for (const Entries<T>& entries : kept) {
        Order<T> order(threads, true);
        for (const auto& [id, value] : entries) order.see(id, value);
        expect(order.seen() == entries.size(), "what was read stays");
      }
    }
  });
  Threads producers;
  producers.start(threads, [&](std::size_t i) { produce(stream, i, each, false); });
  producers.join();
  done = true;
  stream.close();
  others.join();
  const StreamInfo info = stream.info();
  expect(info.entries_added == total, "every entry counts");
  if (options.max_len == unlimited) expect(info.length + removed.load() == total, "nothing goes but what was removed");
  else if (!options.approximate) expect(info.length <= options.max_len, "the bound holds");
  expect(info.length == stream.range().size(), "the length is the number of entries");
}

// Groups: each entry once in every group.
template <class T>
void grouped(std::size_t threads, std::uint64_t each) {
  Stream<T> stream;
  const std::uint64_t total = threads * each;
  constexpr std::size_t groups = 3;
  std::vector<std::vector<std::vector<std::uint64_t>>> seen(groups, std::vector<std::vector<std::uint64_t>>(threads));
  Threads consumers;
  for (std::size_t g = 0; g < groups; ++g) {
    const auto group = stream.create_group("group " + std::to_string(g), earliest);
    if (!group) return expect(false, "a group is made");
    consumers.start(threads, [&, g, consumer = std::make_shared<std::vector<Consumer<T>>>([&] {
                                      std::vector<Consumer<T>> made;
                                      for (std::size_t i = 0; i < threads; ++i)
                                        made.push_back(group->consumer("consumer " + std::to_string(i)));
                                      return made;
                                    }())](std::size_t i) {
      const Consumer<T>& me = (*consumer)[i];
      Order<T> order(threads, true);
      for (std::uint64_t round = 0;; ++round) {
        ReadOptions how{.count = 1 + i, .block = forever, .no_ack = g == 2};
        if (round % 5 == 0) how.block = std::chrono::microseconds(20);
        const auto batch = me.read(how);
        if (!batch) {
          expect(batch.error() == Errc::closed, "a consumer ends when all is delivered");
          break;
        }
        for (const auto& delivery : *batch) {
          order.see(delivery.id(), *delivery);
          expect(delivery.count() == 1, "each entry is delivered once");
          seen[g][i].push_back(Made<std::uint64_t>::make(Made<T>::producer(*delivery), Made<T>::sequence(*delivery)));
          if (g == 0) expect(delivery.ack(), "what was delivered is pending");
        }
        if (g == 1) expect(batch->ack() == batch->size(), "a whole batch is pending");
      }
    });
  }
  Threads producers;
  producers.start(threads, [&](std::size_t i) { produce(stream, i, each, true); });
  producers.join();
  stream.close();
  consumers.join();
  for (std::size_t g = 0; g < groups; ++g) {
    std::vector<std::uint64_t> all;
    for (const auto& some : seen[g]) all.insert(all.end(), some.begin(), some.end());
    std::sort(all.begin(), all.end());
    expect(all.size() == total, "each group gets every entry");
    expect(std::adjacent_find(all.begin(), all.end()) == all.end(), "no entry goes to two consumers of a group");
    const auto group = stream.group("group " + std::to_string(g));
    expect(group && group->pending()->count == 0 && group->info()->lag == 0, "nothing is left");
  }
}

template <class T>
void all(std::uint64_t work) {
  const std::uint64_t unit = std::is_same_v<T, std::uint64_t> ? 36'000 : 18'000;
  for (const std::size_t threads : {2U, 4U, 8U}) {
    const std::uint64_t each = work * unit / threads;
    complete<T>(threads, each, {});
    complete<T>(threads, each, {.spin = std::chrono::microseconds(0)});
    thinned<T>(threads, each, {});
    thinned<T>(threads, each, {.max_len = 50, .spin = std::chrono::microseconds(0)});
    thinned<T>(threads, each, {.max_len = 200, .approximate = true});
    grouped<T>(threads, each);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t work = factor(argc, argv);
  all<std::uint64_t>(work);
  all<std::string>(work);
  return verdict("stream_stress");
}
