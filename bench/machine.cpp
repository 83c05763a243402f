#include "machine.hpp"

#include <sys/utsname.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <memory>
#include <thread>

#include <brook/core/config.hpp>

#ifdef BROOK_BENCH_COMMIT_FILE
#include "brook_bench_commit.hpp"
#endif

namespace bench {
namespace {

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown processor";
}

std::string system_name() {
  utsname name{};
  if (uname(&name) != 0) return "unknown system";
  return std::string(name.sysname) + ' ' + name.release + ' ' + name.machine;
}

[[maybe_unused]] std::string first_line_of(const std::string& command) {
  const auto close = [](std::FILE* pipe) { pclose(pipe); };
  const std::unique_ptr<std::FILE, decltype(close)> pipe(popen(command.c_str(), "r"), close);
  std::array<char, 256> line{};
  if (!pipe || std::fgets(line.data(), line.size(), pipe.get()) == nullptr) return "unknown";
  std::string text = line.data();
  return text.substr(0, text.find('\n'));
}

// As of the build, or else that of the sources that it was built from, as they are now.
std::string commit() {
#ifdef BROOK_BENCH_COMMIT
  return BROOK_BENCH_COMMIT;
#else
  const std::string file = __FILE__;
  const std::string folder = file.find('/') == file.npos ? "." : file.substr(0, file.rfind('/'));
  return first_line_of("git -C '" + folder + "' describe --always --dirty --tags 2>/dev/null");
#endif
}

std::string compiler() {
#ifdef __clang__
  return "clang " __clang_version__;
#elif defined(__GNUC__)
  return "g++ " __VERSION__;
#else
  return "unknown compiler";
#endif
}

std::string flags() {
#ifdef BROOK_BENCH_FLAGS
  return BROOK_BENCH_FLAGS;
#else
  std::string text;
#ifdef __OPTIMIZE__
  text += "optimised";
#else
  text += "NOT OPTIMISED";
#endif
#ifdef NDEBUG
  text += ", NDEBUG";
#else
  text += ", assertions on";
#endif
  return text;
#endif
}

// Nanoseconds for a cache line to go to the other core and back.
double hand_off(int turns) {
  alignas(64) std::atomic<int> ball{0};
  const double ns = together(2, [&](std::size_t side) {
    for (int turn = 0; turn < turns; ++turn) {
      const int mine = 2 * turn + static_cast<int>(side);
      while (ball.load(std::memory_order_acquire) != mine) {}
      ball.store(mine + 1, std::memory_order_release);
    }
  });
  return ns / turns;
}

std::string load(unsigned cores) {
  std::ifstream file("/proc/loadavg");
  double one = 0;
  if (!(file >> one)) return "unknown";
  std::array<char, 128> text{};
  std::snprintf(text.data(), text.size(), "%.2f%s", one,
                one > cores / 4.0 ? " (OTHERS USE THE PROCESSORS TOO: what takes several threads is noise)" : "");
  return text.data();
}

}  // namespace

std::vector<std::string> machine(const Options& options) {
  std::vector<std::string> facts;
  const unsigned cores = std::thread::hardware_concurrency();
  facts.push_back("machine: " + processor() + ", " + std::to_string(cores) + " processors, " + system_name());
  facts.push_back("load average when the run began: " + load(cores));
  if (cores >= 2) {
    std::array<char, 80> text{};
    const int turns = options.quick ? 20'000 : 200'000;
    hand_off(turns / 10);
    std::snprintf(text.data(), text.size(), "cache line to another core and back: %.0f ns", hand_off(turns));
    facts.emplace_back(text.data());
  } else {
    facts.emplace_back("cache line to another core and back: there is one core only");
  }
  facts.push_back("compiler: " + compiler() + "; flags: " + flags());
  facts.push_back("brook: " + std::to_string(BROOK_VERSION_MAJOR) + '.' + std::to_string(BROOK_VERSION_MINOR) + '.' +
                  std::to_string(BROOK_VERSION_PATCH) + ", commit " + commit());
  facts.push_back(std::to_string(options.rounds) + " rounds" + (options.quick ? " of a tenth of the work" : "") +
                  ", threads " + (options.pin ? "pinned" : "not pinned") +
                  "; less is better; a ratio below 1 means that brook does better");
  return facts;
}

}  // namespace bench
