// Many threads log to one stream that keeps the newest 10,000 lines. A collector picks the errors out as they come; whoever
// wants to know what led to one looks at the lines before it.
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include <brook/stream.hpp>

namespace {

struct Line {
  enum class Level { info, error } level;
  std::string text;
};

constexpr int services = 4;
constexpr int lines_of_each = 6'000;

void run_service(brook::Stream<Line>& log, int service) {
  for (int i = 1; i <= lines_of_each; ++i) {
    const bool fails = i % 2'000 == 0;
    log.add({fails ? Line::Level::error : Line::Level::info,
             "service " + std::to_string(service) + (fails ? " failed at step " : " did step ") + std::to_string(i)});
  }
}

}  // namespace

int main() {
  brook::Stream<Line> log({.max_len = 10'000});
  brook::Stream<std::string> errors;
  const auto group = log.create_group("errors", brook::earliest).value();

  std::thread collector([&errors, me = group.consumer("collector")] {
    while (const auto batch = me.read({.count = 256, .block = brook::forever})) {
      for (const auto& line : *batch) {
        if (line->level == Line::Level::error) line.forward(errors, line->text);
        else line.ack();
      }
    }
  });
  std::vector<std::thread> threads;
  for (int service = 1; service <= services; ++service) threads.emplace_back(run_service, std::ref(log), service);
  for (auto& thread : threads) thread.join();
  log.close();
  collector.join();

  // Lines may come faster than they are collected. What was trimmed before is not lost in silence.
  const auto info = *group.info();
  const auto all = static_cast<std::uint64_t>(services) * lines_of_each;
  std::cout << log.info().entries_added << " lines logged, " << log.size() << " kept\n";
  std::cout << (errors.size() <= 12 && (info.lost > 0 || errors.size() == 12) ? "every error that was not lost is there"
                                                                              : "AN ERROR IS MISSING")
            << '\n';
  std::cout << (info.lag == 0 && info.entries_read == all ? "every line is accounted for" : "LINES ARE MISSING")
            << '\n';

  const auto newest = log.rev_range(brook::Id::max(), brook::Id::min(), 1);
  std::cout << "the newest line is a step "
            << newest.front().value.text.substr(newest.front().value.text.rfind(' ') + 1) << '\n';
}
