// Values as bytes, checksums, sections, and bytes that cannot be trusted.
#include <brook/snapshot/codec.hpp>
#include <brook/snapshot/containers.hpp>
#include <brook/snapshot/crc32c.hpp>
#include <brook/snapshot/reader.hpp>
#include <brook/snapshot/writer.hpp>

#include <array>
#include <chrono>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "../catch.hpp"

namespace codec_test {

namespace {

using namespace brook;
using namespace std::chrono_literals;

struct Point {
  std::int32_t x;
  std::int32_t y;
  bool operator==(const Point&) const = default;
};

enum class Colour : std::int16_t { red = -3 };

enum class Answer : bool { no, yes };

// Has no codec.
struct Opaque {
  std::string text;
};

struct Order {
  std::uint64_t number = 0;
  std::string customer;
  std::vector<Point> stops;
  std::map<std::string, std::optional<double>> prices;
  bool operator==(const Order&) const = default;
};

// A tree may be as deep as its bytes say.
struct Tree {
  std::vector<Tree> children;
};

// The same by maps.
struct Layers {
  std::map<int, Layers> below;
};

}  // namespace

}  // namespace codec_test

template <>
struct brook::Codec<codec_test::Layers> {
  using Layers = codec_test::Layers;
  static void encode(Encoder& to, const Layers& layers) { to.value(layers.below); }
  static expected<Layers, Errc> decode(Decoder& from) {
    auto below = from.value<std::map<int, Layers>>();
    if (!below) return unexpected(below.error());
    return Layers{*std::move(below)};
  }
  static std::string type() { return "Layers"; }
};
template <>
struct brook::Codec<codec_test::Order>
    : brook::MemberCodec<codec_test::Order, &codec_test::Order::number, &codec_test::Order::customer,
                         &codec_test::Order::stops, &codec_test::Order::prices> {};
template <>
struct brook::Codec<codec_test::Tree> {
  using Tree = codec_test::Tree;
  static void encode(Encoder& to, const Tree& tree) { to.value(tree.children); }
  static expected<Tree, Errc> decode(Decoder& from) {
    auto children = from.value<std::vector<Tree>>();
    if (!children) return unexpected(children.error());
    return Tree{*std::move(children)};
  }
  static std::string type() { return "Tree"; }
};

namespace codec_test {

namespace {

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

// Comes back whole, and no part of its bytes does.
template <class T>
bool survives(const T& value) {
  Encoder to;
  to.value(value);
  Decoder from(to.written());
  const auto read = from.value<T>();
  bool right = read && *read == value && from.left() == 0 && !to.failed();
  for (std::size_t size = 0; size < to.written_size(); ++size) {
    Decoder part(to.written().first(size));
    right = right && !part.value<T>() && part.failed();
  }
  return right;
}

}  // namespace

TEST_CASE("a codec gives back every value that it wrote, and nothing for a part of its bytes") {
  CHECK((survives(std::int8_t{-5}) && survives(std::uint64_t{1} << 63) && survives('a') && survives(L'b')));
  CHECK((survives(true) && survives(1.5F) && survives(-2.25) && survives(Colour::red) && survives(Answer::yes) &&
         survives(std::vector<Answer>{Answer::no, Answer::yes}) && survives(Point{1, -2})));
  CHECK((survives(std::string("text")) && survives(std::u16string(u"wide")) && survives(std::string())));
  CHECK((survives(std::vector<int>{1, 2, 3}) && survives(std::vector<std::string>{"a", ""}) &&
         survives(std::vector<bool>{true, false})));
  CHECK((survives(std::array<std::string, 2>{"a", "b"}) && survives(std::array<int, 3>{1, 2, 3})));
  CHECK(
      (survives(std::pair<int, std::string>{1, "a"}) && survives(std::tuple<bool, double, std::string>{true, 1, "c"})));
  CHECK((survives(std::map<int, std::string>{{1, "a"}, {2, "b"}}) && survives(std::set<std::string>{"x"})));
  CHECK((survives(std::optional<int>()) && survives(std::optional<std::string>("there"))));
  CHECK(survives(std::variant<std::monostate, int, std::string>("held")));
  CHECK((survives(5ms) && survives(std::chrono::system_clock::time_point(7s)) && survives(Id{5, 6})));
  CHECK(survives(Order{7, "ann", {{1, 2}, {3, 4}}, {{"tea", 1.5}, {"milk", std::nullopt}}}));
}

TEST_CASE("bytes mean the same on every machine") {
  Encoder to;
  to.value(std::uint32_t{0x01020304});
  to.size(300);
  to.signed_size(-2);
  to.value(std::string("ab"));
  const auto written = to.written();
  CHECK(std::vector(written.begin(), written.end()) ==
        bytes_of(std::string_view("\x04\x03\x02\x01\xac\x02\x03\x02\x61\x62", 10)));
}

TEST_CASE("a value behind its size is there as one that is written alone, however long its size is") {
  for (const std::size_t length : {0U, 1U, 125U, 126U, 127U, 128U, 16'381U, 16'382U, 16'383U, 70'000U}) {
    const std::string text(length, 'x');
    Encoder alone;
    alone.value(text);
    Encoder to;
    to.text("before");
    to.sized_value(text);
    to.text("behind");
    Decoder from(to.written());
    CHECK(*from.text() == "before");
    CHECK(*from.size() == alone.written_size());
    CHECK(*from.value<std::string>() == text);
    CHECK(*from.text() == "behind");
    CHECK(from.left() == 0);
  }
}

TEST_CASE("a type's text tells it from others") {
  CHECK(Codec<Order>::type() ==
        "codec_test::Order{u64,string,vector<codec_test::Point[8/4]>,map<string,optional<f64>>}");
  CHECK(Codec<std::variant<int, bool>>::type() == "variant<i32,bool>");
  CHECK(Codec<Colour>::type() == "codec_test::Colour:i16");
  CHECK(Codec<int>::type() != Codec<unsigned>::type());
}

TEST_CASE("what says something in one process only has no codec") {
  STATIC_REQUIRE(Encodable<std::vector<std::string>>);
  STATIC_REQUIRE_FALSE(Encodable<std::string_view>);
  STATIC_REQUIRE_FALSE(Encodable<const char*>);
  STATIC_REQUIRE_FALSE(Encodable<std::chrono::steady_clock::time_point>);
}

TEST_CASE("what holds something that has no codec has none") {
  STATIC_REQUIRE_FALSE(Encodable<Opaque>);
  STATIC_REQUIRE_FALSE(Encodable<std::unique_ptr<Opaque>>);
  STATIC_REQUIRE_FALSE(Encodable<std::vector<Opaque>>);
  STATIC_REQUIRE_FALSE(Encodable<std::array<std::string_view, 2>>);
  STATIC_REQUIRE_FALSE(Encodable<std::optional<int*>>);
  STATIC_REQUIRE_FALSE(Encodable<std::map<int, Opaque>>);
  STATIC_REQUIRE_FALSE(Encodable<std::tuple<int, Opaque>>);
  STATIC_REQUIRE_FALSE(Encodable<std::pair<Opaque, int>>);
  STATIC_REQUIRE_FALSE(Encodable<std::variant<int, std::vector<Opaque>>>);
  STATIC_REQUIRE_FALSE(Encodable<std::list<std::vector<Opaque>>>);
}

TEST_CASE("a decoder refuses what makes no sense, however large it says to be") {
  const auto refuses = []<class T>(const T*, std::string_view bytes) {
    const auto copy = bytes_of(bytes);
    Decoder from(copy);
    return !from.value<T>();
  };
  CHECK(refuses(static_cast<const bool*>(nullptr), "\x02"));
  CHECK(refuses(static_cast<const std::string*>(nullptr), "\xff\xff\xff\xff\xff\xff\xff\xff\x7f"));
  CHECK(refuses(static_cast<const std::vector<Point>*>(nullptr), "\xff\xff\xff\xff\xff\xff\xff\xff\x7f"));
  CHECK(refuses(static_cast<const std::uint64_t*>(nullptr), "1234567"));
  CHECK(refuses(static_cast<const std::optional<bool>*>(nullptr), "\x07"));
  CHECK(refuses(static_cast<const std::variant<bool, int>*>(nullptr), "\x02\x01"));
  CHECK(refuses(static_cast<const std::set<std::uint8_t>*>(nullptr), "\x02\x01\x01"));
  CHECK(refuses(static_cast<const Tree*>(nullptr), std::string(100'000, '\x01')));
}

TEST_CASE("what could not be read is not written") {
  const auto written = [](const auto& value) {
    Encoder to;
    to.value(value);
    return !to.failed();
  };
  CHECK(written(std::vector<std::tuple<>>()));
  CHECK_FALSE(written(std::vector<std::tuple<>>(1)));
  CHECK_FALSE(written(std::list<std::array<std::string, 0>>(3)));
  CHECK_FALSE(written(std::multimap<std::tuple<>, std::tuple<>>{{{}, {}}}));

  const auto nested = [](int depth) {
    Tree tree;
    for (int i = 0; i < depth; ++i) {
      Tree outer;
      outer.children.push_back(std::move(tree));
      tree = std::move(outer);
    }
    return tree;
  };
  CHECK_FALSE(written(nested(1000)));
  Encoder to;
  to.value(nested(99));
  REQUIRE_FALSE(to.failed());
  Decoder from(to.written());
  CHECK(from.value<Tree>());
  using Maps = std::map<int, Layers>;
  Layers layers;
  for (int i = 0; i < 90; ++i) layers = Layers{Maps{{i, std::move(layers)}}};
  to.clear();
  to.value(layers);
  REQUIRE_FALSE(to.failed());
  Decoder from_maps(to.written());
  CHECK(from_maps.value<Layers>());
}

TEST_CASE("the checksum is CRC-32C, in one go or in parts, by tables or by the processor") {
  const auto nine = bytes_of("123456789");
  CHECK(snapshot::crc32c(nine) == 0xe3069283);
  const std::span<const std::byte> all(nine);
  for (std::size_t at = 0; at <= nine.size(); ++at)
    CHECK(snapshot::crc32c(all.subspan(at), snapshot::crc32c(all.first(at))) == 0xe3069283);
  std::vector<std::byte> long_one;
  for (int i = 0; i < 1000; ++i) long_one.push_back(static_cast<std::byte>(i * 7));
  const auto* const first = reinterpret_cast<const unsigned char*>(long_one.data());
  CHECK(~snapshot::crc::by_tables(~0U, first, 1000) == snapshot::crc32c(long_one));
  // The processor's way, which takes large ones in three neighbouring parts.
  std::vector<unsigned char> bytes(70'000);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<unsigned char>(i * i >> 3 ^ i);
  constexpr std::size_t thrice = 3 * 1024;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{7}, thrice - 1, thrice, thrice + 1, 2 * thrice + 9, std::size_t{65'536}}) {
    for (std::size_t from = 0; from < 9; ++from) {
      const auto before = static_cast<std::uint32_t>(size * 77 + from);
      CHECK(snapshot::crc::by_processor(before, &bytes[from], size) ==
            snapshot::crc::by_tables(before, &bytes[from], size));
    }
  }
}

namespace {

using snapshot::Reader;
using snapshot::Writer;

// Numbers over several pieces, and a section without anything.
std::vector<std::byte> written_file() {
  std::vector<std::byte> bytes;
  snapshot::MemorySink sink(bytes);
  Writer to(sink);
  bool good = to.begin_file(snapshot::Contents::object, 5).has_value();
  to.begin(snapshot::stream_section);
  for (std::uint64_t i = 0; i < 40'000; ++i) {
    to.out().size(i * 9);
    good = good && to.more();
  }
  good = good && to.end();
  to.begin(snapshot::entries_section);
  good = good && to.end() && to.end_file(0);
  REQUIRE(good);
  return bytes;
}

std::string read_file(std::span<const std::byte> bytes) {
  snapshot::MemorySource source(bytes);
  Reader from(source);
  from.begin_file(snapshot::Contents::object);
  if (!from.failed() && from.next() != snapshot::stream_section) from.fail("another section");
  for (std::uint64_t i = 0; i < 40'000; ++i) {
    if (from.size() != i * 9) from.fail("another number");
  }
  from.end();
  if (!from.failed() && from.next() != snapshot::entries_section) from.fail("another section");
  from.end();
  if (!from.failed() && from.next() != snapshot::end_section) from.fail("another section");
  static_cast<void>(from.size() + from.size());
  from.end();
  from.end_file();
  return from.failed() ? from.error().message() : "done";
}

}  // namespace

TEST_CASE("sections are read as they were written, over the borders of pieces") {
  CHECK(read_file(written_file()) == "done");
}

TEST_CASE("no part of a file, and no file with a changed bit or something behind it, is read") {
  const auto whole = written_file();
  const std::span<const std::byte> all(whole);
  std::string accepted;
  for (std::size_t size = 0; size < whole.size(); size += size < 100 || size > whole.size() - 100 ? 1 : 331) {
    if (read_file(all.first(size)) == "done") accepted += " size " + std::to_string(size);
  }
  for (std::size_t at = 0; at < whole.size(); at += at < 100 || at > whole.size() - 100 ? 1 : 331) {
    auto changed = whole;
    changed[at] ^= std::byte{0x10};
    if (read_file(changed) == "done") accepted += " bit at " + std::to_string(at);
  }
  auto longer = whole;
  longer.push_back(std::byte{0});
  if (read_file(longer) == "done") accepted += " a longer one";
  CHECK(accepted.empty());
}

TEST_CASE("an error says where it is and what it is") {
  auto bytes = written_file();
  bytes[70'000] ^= std::byte{1};
  CHECK(read_file(bytes) == "at byte 65588: the checksum of a piece is wrong");
  CHECK(read_file(std::span(bytes).first(20)) == "at byte 20: the header ends early");
  CHECK(read_file(bytes_of("this is a text of more than 32 characters")) == "at byte 0: this is not a snapshot");
  auto newer = written_file();
  newer[8] = std::byte{3};
  Encoder sum;
  sum.number(snapshot::crc32c(std::span(newer).first(28)));
  std::copy(sum.written().begin(), sum.written().end(), newer.begin() + 28);
  CHECK(read_file(newer) == "at byte 8: it has version 3, and this program reads up to 2");
}

}  // namespace codec_test
