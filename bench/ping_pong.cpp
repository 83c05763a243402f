// ping_pong.cpp — how long until a reader of a stream has what was added, awake and asleep.
#include <chrono>
#include <cstddef>
#include <cstdint>

#include <brook/stream.hpp>

#include "cases.hpp"
#include "harness.hpp"
#include "ping_pong.hpp"

namespace bench {
namespace {

class StreamBox {
 public:
  explicit StreamBox(std::chrono::microseconds spin)
      : stream_({.max_len = 1000, .approximate = true, .clock = &clock_, .spin = spin}) {}
  void send(std::uint64_t number) { expect(stream_.add(number).has_value(), "an add failed"); }
  [[nodiscard]] std::uint64_t receive() {
    const auto entries = stream_.read(after_, {.count = 1, .block = std::chrono::seconds(10)});
    if (!entries || entries->empty()) {
      expect(false, "a blocked reader was not woken for 10 s");
      return 0;
    }
    after_ = entries->front().id;
    return entries->front().value;
  }

 private:
  FixedClock clock_;
  brook::Stream<std::uint64_t> stream_;
  brook::Id after_{};
};

}  // namespace

void add_ping_pong(Suite& suite) { add_hand_off<StreamBox>(suite, "ping_pong/", suite.work(20'000)); }

}  // namespace bench
