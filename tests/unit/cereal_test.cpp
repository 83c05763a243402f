// Values in snapshots by cereal: what comes back, and what bytes are refused without much memory.
#include <brook/adapters/cereal.hpp>
#include <brook/snapshot.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <cereal/types/map.hpp>
#include <cereal/types/memory.hpp>
#include <cereal/types/polymorphic.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>

#include "../catch.hpp"

namespace cereal_test {

struct Nothing {
  Nothing() { ++made; }
  static inline std::size_t made = 0;
  template <class Archive>
  void serialize(Archive&) {}
};

struct Animal {
  virtual ~Animal() = default;
  [[nodiscard]] virtual std::string name() const = 0;
};
struct Dog : Animal {
  int age = 0;
  [[nodiscard]] std::string name() const override { return "dog of " + std::to_string(age); }
  template <class Archive>
  void serialize(Archive& archive) {
    archive(age);
  }
};

struct Order {
  int id = 0;
  double price = 0;
  std::vector<std::string> lines;
  std::map<std::string, std::vector<std::uint16_t>> counts;
  std::unique_ptr<Order> next;
  std::shared_ptr<Animal> animal;
  std::vector<Nothing> nothing;
  bool refuses = false;

  template <class Archive>
  void serialize(Archive& archive) {
    if (refuses) throw std::runtime_error("no");
    archive(CEREAL_NVP(id), price, lines, counts, next, animal, nothing);
  }
};

}  // namespace cereal_test

CEREAL_REGISTER_TYPE(cereal_test::Dog)
CEREAL_REGISTER_POLYMORPHIC_RELATION(cereal_test::Animal, cereal_test::Dog)

template <>
struct brook::Codec<cereal_test::Order> : brook::CerealCodec<cereal_test::Order> {};

namespace cereal_test {

namespace {

using namespace brook;
using Bytes = std::vector<std::byte>;

Order some_order() {
  Order order;
  order.id = 7;
  order.price = 1.5;
  order.lines = {"tea", ""};
  order.counts = {{"a", {1, 2, 65535}}};
  order.next = std::make_unique<Order>();
  order.next->id = 8;
  auto dog = std::make_shared<cereal_test::Dog>();
  dog->age = 3;
  order.animal = dog;
  order.nothing.resize(5);
  return order;
}
Bytes encoded(const Order& order, bool fails = false) {
  Encoder to;
  to.value(order);
  CHECK(to.failed() == fails);
  return {to.written().begin(), to.written().end()};
}
expected<Order, Errc> decoded(const Bytes& bytes) {
  Decoder from(bytes);
  return from.value<Order>();
}

TEST_CASE("a type that cereal knows is saved and loaded") {
  Stream<Order> stream;
  REQUIRE(stream.add(some_order()));
  Bytes bytes;
  REQUIRE(save(bytes, stream));
  Stream<Order> other;
  REQUIRE(load(std::span<const std::byte>(bytes), other));
  const auto entries = other.range();
  REQUIRE(entries.size() == 1);
  const Order& order = entries.front().value;
  CHECK(order.id == 7);
  CHECK(order.price == 1.5);
  CHECK(order.lines == std::vector<std::string>{"tea", ""});
  CHECK(order.counts.at("a") == std::vector<std::uint16_t>{1, 2, 65535});
  REQUIRE(order.next != nullptr);
  CHECK(order.next->id == 8);
  REQUIRE(order.animal != nullptr);
  CHECK(order.animal->name() == "dog of 3");
  CHECK(order.nothing.size() == 5);
  CHECK(Codec<Order>::type() == "cereal_test::Order by cereal");
}

TEST_CASE("what throws when it is saved is a codec_error") {
  Stream<Order> stream;
  Order order;
  order.refuses = true;
  REQUIRE(stream.add(std::move(order)));
  Bytes bytes;
  CHECK(save(bytes, stream).error().code() == Errc::codec_error);
}

TEST_CASE("what could not be loaded is not saved") {
  Order empty_ones;
  empty_ones.nothing.resize(100'000);
  CHECK_FALSE(encoded(empty_ones, true).empty());
  Order deep;
  Order* last = &deep;
  for (int i = 0; i < 150; ++i) last = (last->next = std::make_unique<Order>()).get();
  static_cast<void>(encoded(deep, true));
}

TEST_CASE("bytes that end early or say too much are corrupt") {
  const Bytes whole = encoded(some_order());
  REQUIRE(decoded(whole));
  for (std::size_t size = 0; size < whole.size(); ++size)
    CHECK(decoded(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))).error() == Errc::corrupt);
  for (std::size_t at = 12; at + 8 <= whole.size(); ++at) {  // behind the two numbers, over every count in turn
    Bytes bytes = whole;
    for (std::size_t i = 0; i < 7; ++i) bytes[at + i] = std::byte{0xff};
    static_cast<void>(decoded(bytes));
  }
  Bytes many = whole;
  many[whole.size() - 6] = std::byte{0x7f};  // of the last count: some 8 million
  cereal_test::Nothing::made = 0;
  CHECK(decoded(many).error() == Errc::corrupt);
  CHECK(cereal_test::Nothing::made == 0);
  Bytes lines = whole;
  lines[19] = std::byte{0x7f};  // the most significant byte of how many lines there are
  CHECK(decoded(lines).error() == Errc::corrupt);
}

TEST_CASE("pointers that go ever deeper are corrupt") {
  Bytes deep;
  Bytes one = encoded(Order{});
  one.resize(4 + 8 + 8 + 8);  // up to the pointer
  for (int i = 0; i < 100'000; ++i) {
    deep.insert(deep.end(), one.begin(), one.end());
    deep.push_back(std::byte{1});
  }
  CHECK(decoded(deep).error() == Errc::corrupt);
}

}  // namespace

}  // namespace cereal_test
