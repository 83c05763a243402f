// damage.hpp — bytes that are not what they were: for tests of what reads them, a snapshot or anything else. The same seed
// does the same damage.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ios>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <brook/error.hpp>

namespace brook {

/// What to do to bytes.
enum class Damage : unsigned char {
  flip,       ///< one bit each time
  overwrite,  ///< a byte with another one
  truncate,   ///< all from there on is gone; done once
  insert,     ///< a byte is added
  remove,     ///< a byte is taken away
};

/// How to spoil bytes.
struct DamageOptions {
  Damage how = Damage::flip;  ///< what is done to each
  std::size_t times = 1;      ///< to so many
  std::uint64_t seed = 0;     ///< which ones: the same for the same seed
  /// Only bytes from `first` on, and before `end`.
  std::size_t first = 0;
  std::size_t end = static_cast<std::size_t>(-1);
};

namespace testing {

/// Numbers that depend on nothing but the seed, by SplitMix64 (Steele, Lea, Flood 2014).
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) noexcept : state_(seed) {}
  /// From 0 on, and below `bound`, which is above 0.
  [[nodiscard]] std::size_t below(std::size_t bound) noexcept {
    std::uint64_t x = state_ += 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return static_cast<std::size_t>((x ^ (x >> 31)) % bound);
  }

 private:
  std::uint64_t state_;
};

/// One piece of damage; how it is told. `Bytes` holds objects of the size of a byte, at least one of them at `at`.
template <class Bytes>
[[nodiscard]] std::string damage_at(Bytes& bytes, Damage how, std::size_t at, Numbers& numbers) {
  using Byte = typename Bytes::value_type;
  static_assert(sizeof(Byte) == 1, "damage() takes a container of bytes or chars");
  const auto where = bytes.begin() + static_cast<std::ptrdiff_t>(at);
  const auto value = static_cast<unsigned char>(*where);
  const std::string place = " byte " + std::to_string(at) + " of " + std::to_string(bytes.size());
  switch (how) {
    case Damage::flip: {
      const std::size_t bit = numbers.below(8);
      *where = static_cast<Byte>(value ^ (1U << bit));
      return "flipped bit " + std::to_string(bit) + " of" + place;
    }
    case Damage::overwrite:
      *where = static_cast<Byte>((value + 1 + numbers.below(255)) % 256);
      return "overwrote" + place;
    case Damage::truncate: bytes.erase(where, bytes.end()); return "truncated before" + place;
    case Damage::insert:
      bytes.insert(where, static_cast<Byte>(numbers.below(256)));
      return "inserted one before" + place;
    case Damage::remove: bytes.erase(where); return "removed" + place;
  }
  return "did nothing";
}

}  // namespace testing

/// Damages bytes; what was done, for people: "flipped bit 3 of byte 17 of 512". Nothing when there are none where it may. Where
/// one piece of damage undoes another, so that all is as it was, there is one more.
/// `Bytes` is a std::string, a std::vector<std::byte>, or the like.
template <class Bytes>
requires requires(Bytes& bytes) { bytes.erase(bytes.begin(), bytes.end()); }
std::string damage(Bytes& bytes, const DamageOptions& options = {}) {
  testing::Numbers numbers(options.seed);
  std::string done;
  const Bytes before = bytes;
  const std::size_t times = options.how == Damage::truncate ? std::min<std::size_t>(options.times, 1) : options.times;
  const auto undone = [&] { return options.how <= Damage::overwrite && std::ranges::equal(bytes, before); };
  for (std::size_t i = 0; i < times || (i > 0 && undone()); ++i) {
    const std::size_t end = std::min(options.end, bytes.size());
    if (options.first >= end) break;
    const std::size_t at = options.first + numbers.below(end - options.first);
    done += (done.empty() ? "" : ", ") + testing::damage_at(bytes, options.how, at, numbers);
  }
  return done;
}

/// The same with a file. Errors: io_error.
inline expected<std::string, Errc> damage(const std::filesystem::path& path, const DamageOptions& options = {}) {
  std::string bytes;
  std::error_code failed;
  if (!std::filesystem::is_regular_file(path, failed)) return unexpected(Errc::io_error);
  {
    std::ifstream file(path, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(file), {});
    if (!file.is_open() || file.bad()) return unexpected(Errc::io_error);
  }
  std::string done = damage(bytes, options);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) return unexpected(Errc::io_error);
  return done;
}

}  // namespace brook
