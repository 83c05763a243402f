// stress.hpp — what the stress programs share: values that say who made them, faults that are counted, threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace brook::stress {

inline std::atomic<std::uint64_t> faults{0};

inline void expect(bool holds, const char* what) {
  if (holds) return;
  if (faults.fetch_add(1) < 20) std::fprintf(stderr, "fault: %s\n", what);
}

/// How much work: the first argument, 1 without one.
inline std::uint64_t factor(int argc, char** argv) {
  const unsigned long long given = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1;
  return given > 0 ? given : 1;
}

/// Threads that are joined all together.
class Threads {
 public:
  Threads() = default;
  ~Threads() { join(); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  void start(std::function<void()> body) { threads_.emplace_back(std::move(body)); }
  void start(std::size_t count, const std::function<void(std::size_t)>& body) {
    for (std::size_t i = 0; i < count; ++i) threads_.emplace_back(body, i);
  }
  void join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  std::vector<std::thread> threads_;
};

/// The sequence-th value of a producer, as a T, and back.
template <class T>
struct Made;

template <>
struct Made<std::uint64_t> {
  static std::uint64_t make(std::size_t producer, std::uint64_t sequence) { return producer << 40 | sequence; }
  static bool intact(std::uint64_t) { return true; }
  static std::size_t producer(std::uint64_t value) { return static_cast<std::size_t>(value >> 40); }
  static std::uint64_t sequence(std::uint64_t value) { return value & ((std::uint64_t{1} << 40) - 1); }
};

template <>
struct Made<std::string> {
  static std::string make(std::size_t producer, std::uint64_t sequence) {
    const std::string number = std::to_string(Made<std::uint64_t>::make(producer, sequence));
    return number + std::string(40, '.') + number;  // longer than what lies in a string itself
  }
  static bool intact(const std::string& value) {
    const std::size_t digits = value.find('.');
    return digits != value.npos && value.compare(0, digits, value, digits + 40) == 0;
  }
  static std::uint64_t number(const std::string& value) { return std::strtoull(value.c_str(), nullptr, 10); }
  static std::size_t producer(const std::string& value) { return Made<std::uint64_t>::producer(number(value)); }
  static std::uint64_t sequence(const std::string& value) { return Made<std::uint64_t>::sequence(number(value)); }
};

/// Checks the order in which one reader sees entries.
template <class T>
class Order {
 public:
  /// `gaps` says whether entries may be missing.
  Order(std::size_t producers, bool gaps) : next_(producers, 0), gaps_(gaps) {}

  template <class Id>
  void see(const Id& id, const T& value) {
    const std::pair<std::uint64_t, std::uint64_t> at(id.ms, id.seq);
    expect(seen_ == 0 || last_ < at, "ids increase for every reader");
    last_ = at;
    ++seen_;
    expect(Made<T>::intact(value), "a value is whole");
    const std::size_t producer = Made<T>::producer(value);
    if (producer >= next_.size()) return expect(false, "a value is one that was added");
    const std::uint64_t sequence = Made<T>::sequence(value);
    if (gaps_) expect(sequence >= next_[producer], "a producer's entries stay in its order");
    else expect(sequence == next_[producer], "a producer's entries are complete and in its order");
    next_[producer] = sequence + 1;
  }

  [[nodiscard]] std::uint64_t seen() const { return seen_; }

 private:
  std::vector<std::uint64_t> next_;
  std::pair<std::uint64_t, std::uint64_t> last_{};
  std::uint64_t seen_ = 0;
  bool gaps_;
};

inline int verdict(const char* program) {
  const std::uint64_t found = faults.load();
  if (found == 0) std::printf("%s: no faults\n", program);
  else std::printf("%s: %llu faults\n", program, static_cast<unsigned long long>(found));
  return found == 0 ? 0 : 1;
}

}  // namespace brook::stress
