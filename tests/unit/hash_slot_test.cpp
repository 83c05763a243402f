#include <brook/hash_slot.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "../catch.hpp"

namespace hash_slot_test {

namespace {

using brook::hash_slot;
using brook::hash_slots;
using namespace std::string_view_literals;

/// The same CRC one bit at a time, as its definition reads.
constexpr unsigned crc16_by_bits(std::string_view bytes) {
  unsigned crc = 0;
  for (const char c : bytes) {
    for (unsigned bit = 8; bit-- > 0;) {
      const unsigned in = (static_cast<unsigned char>(c) >> bit) & 1U;
      const unsigned out = (crc >> 15U) & 1U;
      crc = (crc << 1U) & 0xffffU;
      if (in != out) crc ^= 0x1021U;
    }
  }
  return crc;
}

constexpr bool is_whole(std::string_view name) { return hash_slot(name) == crc16_by_bits(name) % hash_slots; }

static_assert(crc16_by_bits("123456789") == 0x31c3);
static_assert(hash_slots == 16384);
static_assert(hash_slot("123456789") == 12739 && hash_slot("123456789") == 0x31c3);
static_assert(hash_slot("{user1000}.following") == hash_slot("{user1000}.followers"));
static_assert(hash_slot("{user1000}.following") == hash_slot("user1000"));
static_assert(is_whole("foo{}{bar}"));
static_assert(hash_slot("foo{{bar}}zap") == hash_slot("{bar"));
static_assert(hash_slot("foo{bar}{zap}") == hash_slot("bar"));
static_assert(noexcept(hash_slot(std::string_view())));
static_assert(std::is_same_v<decltype(hash_slot("")), std::uint16_t>);

}  // namespace

TEST_CASE("hash_slot: what CLUSTER KEYSLOT of redis-server 7.0 answers") {
  const std::vector<std::pair<std::string_view, unsigned>> answers = {
      {"", 0},
      {"a", 15495},
      {"foo", 12182},
      {"bar", 5061},
      {"hello", 866},
      {"123456789", 12739},
      {"user1000", 3443},
      {"{user1000}.following", 3443},
      {"{user1000}.followers", 3443},
      {"orders:eu", 10555},
      {"foo{bar}{zap}", 5061},
      {"foo{{bar}}zap", 4015},
      {"{bar", 4015},
      {"foo{}{bar}", 8363},
      {"{", 4092},
      {"}", 12090},
      {"{}", 15257},
      {"{}a", 10875},
      {"{}{}x", 9193},
      {"a{b", 13340},
      {"{a}", 15495},
      {"}{a}", 15495},
      {"}a{", 11710},
      {"\xff\x80\0"sv, 5371},
      {"{\0}"sv, 0},
  };
  for (const auto& [name, slot] : answers) {
    INFO('"' << name << '"');
    CHECK(hash_slot(name) == slot);
  }
}

TEST_CASE("hash_slot: names without a tag count whole") {
  for (const std::string_view name :
       {"foo{}{bar}", "{}{bar}", "{", "}", "{}", "a{", "a{b", "}{", "}a{b", "a}b", "{{"}) {
    INFO(name);
    CHECK(is_whole(name));
  }
}

TEST_CASE("hash_slot: a name's tag is from the first opening brace to the first closing one after it") {
  const std::vector<std::pair<std::string_view, std::string_view>> tags = {
      {"{a}", "a"}, {"x{a}", "a"},   {"{a}x", "a"},    {"x{a}y", "a"}, {"}{a}", "a"}, {"a}{b}", "b"}, {"{a}{b}", "a"},
      {"{{}", "{"}, {"{{a}}", "{a"}, {"{a{b}", "a{b"}, {"{ }", " "},   {"{a}}", "a"}, {"{a}{}", "a"}, {"x{{a}y}", "{a"},
  };
  for (const auto& [name, tag] : tags) {
    INFO(name);
    CHECK(hash_slot(name) == crc16_by_bits(tag) % hash_slots);
  }
}

TEST_CASE("hash_slot: every byte counts, wherever it stands") {
  for (unsigned byte = 0; byte < 256; ++byte) {
    const std::string alone(1, static_cast<char>(byte));
    const std::string all[] = {alone, "ab" + alone, alone + "ab", alone + alone, "\xff" + alone + "\x80"};
    for (const std::string& name : all) {
      INFO("byte " << byte << ", name of " << name.size());
      CHECK(is_whole(name));
    }
  }
}

TEST_CASE("hash_slot: a name is read no further than its end") {
  const std::array<char, 5> name = {'{', 'a', '}', 'b', '{'};
  CHECK(hash_slot({name.data(), 2}) == crc16_by_bits("{a") % hash_slots);
  CHECK(hash_slot({name.data(), 3}) == hash_slot("a"));
  CHECK(hash_slot({name.data() + 4, 1}) == crc16_by_bits("{") % hash_slots);
  CHECK(hash_slot(std::string_view()) == 0);
}

TEST_CASE("hash_slot: names spread over all slots") {
  std::set<std::uint16_t> slots;
  for (int i = 0; i < 200'000; ++i) slots.insert(hash_slot("orders:" + std::to_string(i)));
  CHECK(slots.size() == hash_slots);
  CHECK(*slots.rbegin() == hash_slots - 1);
}

}  // namespace hash_slot_test
