// wake_cost.cpp — what it costs producers that somebody could be waiting when nobody is: an append to the log alone,
// and with the look at the gate that every append ends with. The one bench that reaches below the public headers.
#include <cstddef>
#include <cstdint>

#include <brook/log/timeline.hpp>
#include <brook/wait/gate.hpp>

#include "cases.hpp"
#include "harness.hpp"

namespace bench {
namespace {

enum class Look { none, at_gate };

template <Look look>
double append(std::size_t producers, std::size_t each) {
  brook::log::Timeline<std::uint64_t> timeline;
  brook::wait::Gate gate;
  const double ns = together(producers, [&](std::size_t) {
    for (std::uint64_t i = 0; i < each; ++i) {
      std::uint64_t value = i;
      const auto appended = timeline.append({&value, 1}, brook::log::Request::at_time(1));
      if (!appended) expect(false, "an append failed");
      if constexpr (look == Look::at_gate) gate.announce();
    }
  });
  expect(timeline.look().length() == producers * each, "entries were lost");
  return ns / static_cast<double>(producers * each);
}

}  // namespace

void add_wake_cost(Suite& suite) {
  const std::size_t count = suite.work(1'000'000);
  suite.add("wake_cost/1")
      .peer("brook", [=] { return append<Look::at_gate>(1, count); })
      .peer("log without the gate", [=] { return append<Look::none>(1, count); });
  suite.add("wake_cost/2")
      .peer("brook", [=] { return append<Look::at_gate>(2, count / 2); })
      .peer("log without the gate", [=] { return append<Look::none>(2, count / 2); });
}

}  // namespace bench
