// main.cpp — the command line of brook_bench: what to measure, how often, where to write it.
#include <malloc.h>

#include <charconv>
#include <condition_variable>
#include <cstdio>
#include <exception>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include "cases.hpp"
#include "harness.hpp"

namespace {

constexpr std::string_view usage =
    "usage: brook_bench [OPTION]...\n"
    "\n"
    "  --list         name the cases and their peers\n"
    "  --case GLOB    only the cases whose names match, such as 'append/*'\n"
    "  --rounds N     measure each N times (7)\n"
    "  --quick        3 rounds of a tenth of the work\n"
    "  --no-pin       let the system choose processors\n"
    "  --csv FILE     write the results to FILE as well\n"
    "  --help         this\n"
    "\n"
    "Exits with 1 when something measured was wrong (lost, doubled, out of order), with 2 for a command line like "
    "that.\n";

std::optional<int> positive(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 1) return std::nullopt;
  return number;
}

std::optional<bench::Options> parse(std::span<char*> arguments) {
  bench::Options options;
  std::optional<int> rounds;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view option = arguments[i];
    const bool takes_value = option == "--case" || option == "--rounds" || option == "--csv";
    if (takes_value && ++i == arguments.size()) return std::nullopt;
    if (option == "--list") options.list = true;
    else if (option == "--quick") options.quick = true;
    else if (option == "--no-pin") options.pin = false;
    else if (option == "--help" || option == "-h") options.help = true;
    else if (option == "--case") options.only = arguments[i];
    else if (option == "--csv") options.csv = arguments[i];
    else if (option == "--rounds" && (rounds = positive(arguments[i]))) continue;
    else return std::nullopt;
  }
  options.rounds = rounds.value_or(options.quick ? 3 : 7);
  return options;
}

/// glibc does without atomics in a mutex while there is one thread. No program that needs a broker is like that.
class SecondThread {
 public:
  SecondThread() = default;
  ~SecondThread() {
    {
      const std::lock_guard held(mutex_);
      over_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }
  SecondThread(const SecondThread&) = delete;
  SecondThread& operator=(const SecondThread&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_{[this] {
    std::unique_lock held(mutex_);
    changed_.wait(held, [this] { return over_; });
  }};
};

// Memory that one round has freed is there for the next: what is measured is the peer, not the system's page faults.
void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
#endif
}

}  // namespace

int main(int count, char** arguments) try {
  const std::optional<bench::Options> options = parse({arguments + 1, static_cast<std::size_t>(count - 1)});
  if (!options || options->help) {
    std::fputs(usage.data(), options ? stdout : stderr);
    return options ? 0 : 2;
  }
  keep_freed_memory();
  const SecondThread second;
  bench::allow_pinning(options->pin);
  bench::Suite suite(*options);
  bench::add_all(suite);
  if (options->list) {
    suite.list();
    return 0;
  }
  const bool done = suite.run();
  if (bench::failures() > 0) std::fprintf(stderr, "brook_bench: %d checks failed\n", bench::failures());
  return bench::failures() > 0 ? 1 : done ? 0 : 2;
} catch (const std::exception& error) {
  std::fprintf(stderr, "brook_bench: %s\n", error.what());
  return 1;
}
