// load.cpp — an entry for libFuzzer (./dev fuzz): bytes that begin with '*' or '#' are imported as commands of Redis, those that
// begin with '*', '%', '+', '-' or '>' as a reply, all others are loaded as a snapshot whose checksums were made right, into a
// stream, a list and a broker. With BROOK_SEEDS=FOLDER in the environment it writes something to begin with to that folder, and ends.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <span>
#include <string>
#include <string_view>

#include "../counted_new.hpp"
#include "../export_scene.hpp"
#include "../reply_scene.hpp"

namespace {

using namespace fuzz;

constexpr auto all_types = brook::types<std::string, brook::DeadLetter<std::string>, std::uint32_t, int>;

brook::ManualClock& the_clock() {
  static brook::ManualClock clock{std::chrono::seconds(1'700'000'000)};
  return clock;
}

void import_commands(const Bytes& bytes) {
  brook::RedisImportOptions options;
  options.stream.clock = &the_clock();
  Text target;
  if (import_from(bytes, target, options) == "done") static_cast<void>(seen(target));
  brook::Broker broker({.clock = &the_clock()});
  static_cast<void>(
      brook::import_from_redis(std::span<const std::byte>(bytes), broker, brook::types<brook::RedisFields, int>));
}

void import_replies(const Bytes& bytes) {
  brook::RedisImportOptions options;
  options.stream.clock = &the_clock();
  Text target;
  if (import_reply(bytes, target, options) == "done") static_cast<void>(seen(target));
  brook::Stream<brook::RedisFields> rows;
  if (import_reply(bytes, rows, options) == "done") static_cast<void>(rows.range());
  Texts list;
  if (import_reply(bytes, list, options) == "done") static_cast<void>(list.lrange(0, -1));
}

/// Ends the program when it is left and more memory was taken meanwhile than the bytes justify.
class Justified {
 public:
  explicit Justified(const Bytes& bytes) noexcept : limit_(static_cast<std::int64_t>(bytes.size() * 200 + 1'000'000)) {}
  ~Justified() {
    if (allocations_.most() <= limit_) return;
    std::fprintf(stderr, "a load took %lld bytes\n", static_cast<long long>(allocations_.most()));
    std::abort();
  }
  Justified(const Justified&) = delete;
  Justified& operator=(const Justified&) = delete;

 private:
  const Allocations allocations_;
  const std::int64_t limit_;
};

void load_snapshot(Bytes& bytes) {
  mend(bytes);
  const Justified justified(bytes);
  brook::LoadOptions options;
  options.clock = &the_clock();
  for (const char* stream : {"", "orders"}) {
    for (const char* group : {"ordered", "by length"})
      options.policies.group<std::string>(stream, group, Scene::options("ordered"));
  }
  Text target;
  if (load_from(bytes, target, options) == "done") static_cast<void>(seen(target));
  Texts list;
  if (load_from(bytes, list, {}) == "done") static_cast<void>(list.lrange(0, -1));
  brook::Broker broker({.clock = &the_clock()});
  if (brook::load(std::span<const std::byte>(bytes), broker, all_types, options)) static_cast<void>(broker.info());
}

void write_seed(const std::string& folder, const char* kind, std::uint64_t number, const Bytes& bytes) {
  std::ofstream out(folder + '/' + kind + std::to_string(number), std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

void write_seeds(const std::string& folder) {
  for (std::uint64_t number = 0; number < 20; ++number) {
    Random random(number);
    Scene scene(random, the_clock());
    for (std::uint64_t steps = number; steps > 0; --steps) scene.step();
    Bytes bytes;
    static_cast<void>(brook::save(bytes, scene.stream));
    write_seed(folder, "stream", number, bytes);
    write_seed(folder, "commands", number, exported(scene.stream));
    write_seed(folder, "reply", number, replied(scene.stream, the_clock(), number % 2 == 0));
    write_seed(folder, "entries", number, replied_entries(scene.stream));
    Texts list;
    fill(random, list);
    bytes.clear();
    static_cast<void>(brook::save(bytes, list));
    write_seed(folder, "list", number, bytes);
    write_seed(folder, "elements", number, replied(list));
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  if (const char* const folder = std::getenv("BROOK_SEEDS")) {
    write_seeds(folder);
    std::exit(0);
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes bytes(size);
  if (size > 0) std::memcpy(bytes.data(), data, size);
  const char first = size > 0 ? static_cast<char>(data[0]) : '\0';
  const auto is_one_of = [&](std::string_view some) { return some.find(first) != some.npos; };
  if (is_one_of("*#")) import_commands(bytes);
  if (is_one_of("*%+->")) import_replies(bytes);
  if (!is_one_of("*#%+->")) load_snapshot(bytes);
  return 0;
}
