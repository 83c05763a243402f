// Many short-lived threads: what a thread leaves behind when it ends is used by the next one, and grows nothing.
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <brook/stream.hpp>

#include "stress.hpp"

namespace {

using namespace brook;
using namespace brook::stress;

// Every thread adds, reads, trims, is gone.
void one_stream(std::uint64_t threads) {
  Stream<std::string> stream({.max_len = 100});
  constexpr std::size_t at_once = 8;
  for (std::uint64_t done = 0; done < threads; done += at_once) {
    Threads few;
    few.start(at_once, [&](std::size_t i) {
      const std::uint64_t number = done + i;
      const auto id = stream.add(Made<std::string>::make(1, number));
      expect(id.has_value(), "an add succeeds");
      for (const auto& [at, value] : stream.range()) expect(Made<std::string>::intact(value), "a value is whole");
      if (number % 10 == 0) expect(stream.trim({.max_len = 50}).has_value(), "a trim succeeds");
      if (number % 7 == 0 && id) stream.erase(*id);
    });
  }
  expect(stream.size() <= 100, "the bound holds");
  expect(stream.info().segments <= 4, "memory does not grow with the number of threads");
  expect(stream.info().entries_added == (threads + at_once - 1) / at_once * at_once, "every entry counts");
}

// Every thread has streams of its own, which others read.
void many_streams(std::uint64_t threads) {
  constexpr std::size_t at_once = 4;
  for (std::uint64_t done = 0; done < threads; done += at_once) {
    std::vector<std::unique_ptr<Stream<std::uint64_t>>> streams;
    for (std::size_t i = 0; i < 3; ++i) streams.push_back(std::make_unique<Stream<std::uint64_t>>());
    std::vector<Entries<std::uint64_t>> kept(at_once);
    Threads few;
    few.start(at_once, [&](std::size_t i) {
      for (std::uint64_t n = 0; n < 50; ++n) {
        Stream<std::uint64_t>& stream = *streams[(n + i) % streams.size()];
        expect(stream.add(Made<std::uint64_t>::make(i, n)).has_value(), "an add succeeds");
        kept[i] = stream.range();
      }
    });
    few.join();
    streams.clear();
    for (const auto& entries : kept) {  // read by a thread that is gone, of a stream that is gone
      Order<std::uint64_t> order(at_once, true);
      for (const auto& [id, value] : entries) order.see(id, value);
      expect(order.seen() >= 16, "what was read stays");
    }
  }
}

// A thread that waits, for every entry.
void waiting(std::uint64_t threads) {
  Stream<std::uint64_t> stream;
  const auto group = stream.create_group("group", earliest);
  if (!group) return expect(false, "a group is made");
  std::atomic<std::uint64_t> delivered{0};
  for (std::uint64_t number = 0; number < threads; ++number) {
    Threads few;
    few.start([&, after = stream.last_id()] {
      const auto batch = stream.read(after, {.block = forever});
      expect(batch && batch->size() == 1 && batch->front().value == number, "a reader gets the entry it waits for");
    });
    few.start([&] {
      const auto batch = group->consumer("consumer").read({.block = forever});
      expect(batch && batch->size() == 1 && batch->front().ack(), "a consumer gets the entry it waits for");
      if (batch) delivered += batch->size();
    });
    few.start([&] { expect(stream.add(number).has_value(), "an add succeeds"); });
  }
  expect(delivered.load() == threads, "each entry is delivered once");
  expect(group->pending()->count == 0, "each entry is acknowledged");
}

// Entries that go from thread to thread, and die in another one than that which read them.
void handed_on(std::uint64_t threads) {
  auto stream = std::make_unique<Stream<std::string>>();
  Entries<std::string> baton;
  for (std::uint64_t number = 0; number < threads; ++number) {
    std::thread([&] {
      expect(stream->add(Made<std::string>::make(0, number)).has_value(), "an add succeeds");
      for (const auto& [id, value] : baton) expect(Made<std::string>::intact(value), "a value is whole");
      Entries<std::string> mine = stream->rev_range(Id::max(), Id::min(), 5);
      std::swap(baton, mine);
      expect(stream->trim({.max_len = 3}).has_value(), "a trim succeeds");
    }).join();
  }
  stream.reset();
  expect(!baton.empty() && Made<std::string>::intact(baton.front().value), "what was read stays");
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t work = factor(argc, argv);
  one_stream(10'000 * work);
  many_streams(4'000 * work);
  waiting(2'000 * work);
  handed_on(4'000 * work);
  return verdict("threads_come_and_go");
}
