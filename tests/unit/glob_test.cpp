#include <brook/pubsub/glob.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "../catch.hpp"

namespace glob_test {

namespace {

using brook::pubsub::matches;
using namespace std::string_view_literals;

static_assert(matches("news.*", "news.art") && !matches("news.*", "new.art"));
static_assert(!matches("*", "") && matches("", ""));
static_assert(matches("h[^e-g]ll?", "hallo") && !matches("h[^e-g]ll?", "hello"));
static_assert(noexcept(matches("", "")));

/// A pattern, names that it matches, names that it does not.
struct Row {
  std::string_view pattern;
  std::vector<std::string_view> fit;
  std::vector<std::string_view> misfit;
};

// All rows were asked of redis-server 7.0.15, by PSUBSCRIBE and PUBLISH.
void check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    for (const std::string_view name : row.fit) {
      INFO('"' << row.pattern << "\" matches \"" << name << '"');
      CHECK(matches(row.pattern, name));
    }
    for (const std::string_view name : row.misfit) {
      INFO('"' << row.pattern << "\" does not match \"" << name << '"');
      CHECK_FALSE(matches(row.pattern, name));
    }
  }
}

}  // namespace

TEST_CASE("matches: a pattern without signs matches the same name") {
  check({
      {"news", {"news"}, {"", "new", "newss", "News", "NEWS", "anews", "news "}},
      {"a.b/c", {"a.b/c"}, {"a-b/c"}},
      {"]", {"]"}, {"", "a"}},
      {"^a-c!", {"^a-c!"}, {"b", "^b"}},
      {"a]", {"a]"}, {"a"}},
  });
}

TEST_CASE("matches: a question mark is one byte") {
  check({
      {"?", {"a", "?", "*", "\xff", "\n"}, {"", "ab"}},
      {"h?llo", {"hello", "hallo", "h.llo"}, {"hllo", "heello"}},
      {"??", {"ab", "\xc3\xa4"}, {"a", "abc"}},
  });
}

TEST_CASE("matches: a star is any bytes") {
  check({
      {"*", {"a", "abc", "a.b/c", "*", "\n", "\xff"}, {""}},
      {"**", {"a", "ab"}, {""}},
      {"a*", {"a", "ab", "aaa", "a*"}, {"", "b", "ba"}},
      {"a**", {"a", "ab"}, {"", "b"}},
      {"*a", {"a", "ba", "aaa"}, {"", "ab"}},
      {"*a*", {"a", "ba", "ab", "bab"}, {"", "b", "bb"}},
      {"a*b", {"ab", "aab", "abb", "acdb", "a*b"}, {"a", "b", "abc", "ba"}},
      {"a*b*c", {"abc", "abbcc", "axbxc", "abcbc"}, {"acb", "ab", "abcd"}},
      {"news.*", {"news.", "news.art", "news.art.music"}, {"news", "new.art"}},
      {"*.art.*", {"news.art.music", ".art.", "art.art.art"}, {"news.art", "art.music"}},
      {"*?", {"a", "ab"}, {""}},
      {"?*", {"a", "ab"}, {""}},
      {"a*?", {"ab", "abc"}, {"a", "b"}},
      {"*??*", {"ab", "abc"}, {"", "a"}},
      {"*ab", {"ab", "aab", "abab"}, {"aba", "b"}},
      {"*aab*aab", {"aabaab", "aaabaaab", "aab.aab"}, {"aab", "aabab", "aabaaba"}},
  });
}

TEST_CASE("matches: only the empty pattern matches the empty name") {
  CHECK(matches("", ""));
  CHECK(matches(std::string_view(), std::string_view()));
  for (const std::string_view pattern :
       {"*",   "**",   "***", "?",   "*?", "[",   "[]",  "[^", "[^]", "[a]", "[^a]", "\\",
        "\\a", "\\\\", "*\\", "\\*", "*[", "*[^", "*[]", "a*", "*a",  "[]*", "]",    "a"}) {
    INFO(pattern);
    CHECK_FALSE(matches(pattern, ""));
  }
  CHECK_FALSE(matches("", "a"));
}

TEST_CASE("matches: a set is one of its bytes, or with a caret one of the others") {
  check({
      {"[abc]", {"a", "b", "c"}, {"", "d", "ab", "A", "[abc]"}},
      {"[^abc]", {"d", "A", "^", "]", "\xff"}, {"", "a", "b", "c", "dd"}},
      {"h[ae]llo", {"hello", "hallo"}, {"hillo", "hllo", "haello"}},
      {"h[^e]llo", {"hallo", "h^llo"}, {"hello", "hllo"}},
      {"[a^]", {"a", "^"}, {"b"}},
      {"[^^]", {"a"}, {"^"}},
      {"[\\^a]", {"^", "a"}, {"b", "\\"}},
      {"[!a]", {"!", "a"}, {"b"}},
      {"[a*]", {"a", "*"}, {"b", "ab"}},
      {"[?]", {"?"}, {"a"}},
      {"[[]", {"["}, {"a", "]"}},
      {"[aa]", {"a"}, {"b"}},
      {"*[ab]", {"a", "xb", "aab"}, {"", "c", "ac"}},
      {"[ab]*[cd]", {"ac", "bxd", "acbd"}, {"a", "c", "ca", "acb"}},
      {"[ab][cd]", {"ac", "bd"}, {"ab", "cd", "a"}},
  });
}

TEST_CASE("matches: a bracket closes a set wherever it stands") {
  check({
      {"[]", {}, {"", "a", "]", "[]"}},
      {"[]a]", {}, {"a", "]", "a]", "aa]", "]a]"}},
      {"[^]", {"a", "]", "^", "\xff"}, {"", "ab"}},
      {"[^]a", {"ba", "aa", "]a"}, {"a", "ab"}},
      {"[^]a]", {"xa]"}, {"b", "x", "a"}},
      {"[\\]]", {"]"}, {"\\", "a", "\\]"}},
      {"[^\\]]", {"\\", "a"}, {"]"}},
      {"[a\\]b]", {"a", "]", "b"}, {"\\", "a]"}},
      {"*[]", {}, {"", "a", "[]"}},
      {"a[]", {}, {"a", "ab", "a]"}},
  });
}

TEST_CASE("matches: a set that nothing closes runs to the end of the pattern") {
  check({
      {"[", {}, {"", "[", "a"}},
      {"[^", {"a", "[", "^"}, {"", "ab"}},
      {"[a", {"a"}, {"", "b", "[", "[a"}},
      {"[^a", {"b", "^"}, {"a", "bb"}},
      {"[abc", {"a", "b", "c"}, {"abc", "["}},
      {"[a*", {"a", "*"}, {"ab", "b"}},
      {"a[", {}, {"a", "a[", "ab"}},
      {"a[^", {"ab", "a["}, {"a", "abc"}},
      {"*[", {}, {"a", "["}},
      {"[a-c", {"a", "b", "c"}, {"-", "d"}},
  });
}

TEST_CASE("matches: a range has both of its ends, in either order") {
  check({
      {"[a-c]", {"a", "b", "c"}, {"d", "-", "A", "`"}},
      {"[c-a]", {"a", "b", "c"}, {"d", "-"}},
      {"[a-a]", {"a"}, {"b", "-"}},
      {"[^a-c]", {"d", "-"}, {"a", "b", "c"}},
      {"[a-cx-z]", {"b", "y", "x"}, {"d", "w", "-"}},
      {"[a-c-e]", {"b", "-", "e"}, {"d"}},
      {"[0-9a]", {"0", "5", "9", "a"}, {"b", "-"}},
      {"[\x80-\xff]", {"\x80", "\x90", "\xff"}, {"a", "\x7f"}},
      {"[\xff-\x80]", {"\x90"}, {"a"}},
      {"[\x01-\x7f]", {"\x01", "a", "\x7f"}, {"\x80", "\xff"}},
  });
}

TEST_CASE("matches: a hyphen without room for a range, and odd ends of ranges") {
  check({
      {"[-a]", {"-", "a"}, {"b"}},
      {"[a-", {"a", "-"}, {"b", "]"}},
      {"[-", {"-"}, {"a"}},
      {"[--", {"-"}, {"a"}},
      {"[a-]", {"a", "]", "^", "_"}, {"-", "b"}},
      {"[a-]]", {"a", "]", "_"}, {"-", "a]", "b"}},
      {"[^-a]", {"b", "^"}, {"-", "a"}},
      {"[^a-]", {"-", "b"}, {"a", "]", "_"}},
      {"[a-\\]", {"a", "\\", "]", "_"}, {"b", "-"}},
      {"[a-\\z]", {"a", "\\", "]", "z"}, {"b", "-"}},
      {"[\\a-c]", {"a", "-", "c"}, {"b", "\\"}},
      {"[!--]", {"!", "-", "+"}, {".", "a"}},
      {"[*-,]", {"*", "+", ","}, {"-"}},
  });
}

TEST_CASE("matches: a backslash takes the meaning from what follows") {
  check({
      {"\\*", {"*"}, {"", "a", "\\*", "\\"}},
      {"\\?", {"?"}, {"a"}},
      {"\\[a]", {"[a]"}, {"a"}},
      {"\\a", {"a"}, {"\\a", "\\"}},
      {"\\\\", {"\\"}, {"\\\\", "a"}},
      {"a\\*b", {"a*b"}, {"ab", "axb", "a\\xb"}},
      {"\\**", {"*", "*a"}, {"a"}},
      {"*\\*", {"*", "a*"}, {"a"}},
      {"a\\*", {"a*"}, {"a", "ab", "a\\b"}},
  });
}

TEST_CASE("matches: a backslash at the end is a backslash") {
  check({
      {"\\", {"\\"}, {"", "a", "\\\\"}},
      {"a\\", {"a\\"}, {"a", "ab"}},
      {"*\\", {"\\", "a\\"}, {"a"}},
      {"?\\", {"a\\"}, {"a"}},
      {"\\\\\\", {"\\\\"}, {"\\", "\\\\\\"}},
      {"[\\", {"\\"}, {"a", "["}},
      {"[a\\", {"a", "\\"}, {"b"}},
      {"[^\\", {"a"}, {"\\"}},
      {"[a-\\", {"a", "\\", "]"}, {"b", "-"}},
      {"[\\a", {"a"}, {"\\", "b"}},
  });
}

TEST_CASE("matches: zero bytes are bytes") {
  check({
      {"\0"sv, {"\0"sv}, {"", "\0\0"sv, "a"}},
      {"a\0b"sv, {"a\0b"sv}, {"a", "ab", "a\0c"sv}},
      {"a\0[\0]*\0"sv, {"a\0\0b\0"sv, "a\0\0\0"sv}, {"a\0\0"sv, "a\0b\0"sv}},
      {"*", {"\0"sv}, {}},
      {"?", {"\0"sv}, {}},
      {"[\0-\x05]"sv, {"\0"sv, "\x03"}, {"a"}},
      {"[^a]", {"\0"sv}, {}},
  });
}

// Redis compares char here, so that its answer is the machine's.
TEST_CASE("matches: bytes of a range are unsigned") {
  for (const std::string_view pattern : {"[a-\xff]", "[\xff-a]", "[^\1-`]"}) {
    for (unsigned byte = 1; byte < 256; ++byte) {
      INFO(pattern << " against " << byte);
      CHECK(matches(pattern, std::string(1, static_cast<char>(byte))) == (byte >= 'a'));
    }
  }
}

TEST_CASE("matches: neither is read further than its end") {
  constexpr std::string_view pattern = "a[b-c]*\\d";
  constexpr std::string_view name = "abcd";
  CHECK(matches(pattern, name));
  CHECK(matches(pattern.substr(0, 1), name.substr(0, 1)));        // a
  CHECK_FALSE(matches(pattern.substr(0, 2), name.substr(0, 2)));  // a[
  CHECK(matches(pattern.substr(0, 3), name.substr(0, 2)));        // a[b
  CHECK(matches(pattern.substr(0, 4), name.substr(0, 2)));        // a[b-
  CHECK(matches(pattern.substr(0, 5), name.substr(0, 2)));        // a[b-c
  CHECK(matches(pattern.substr(0, 7), name));                     // a[b-c]*
  CHECK_FALSE(matches(pattern.substr(0, 8), name));               // a[b-c]* and a backslash
}

// Where each star tried all places for all places of those before it, these would not end.
TEST_CASE("matches: many stars take no longer than pattern times name") {
  const std::string name(10'000, 'a');
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "*a";
  CHECK(matches(pattern, name));
  CHECK_FALSE(matches(pattern + "*b", name));
  CHECK_FALSE(matches(pattern + 'b', name));
  CHECK(matches(pattern + "*b", name + 'b'));
  std::string sets;
  for (int i = 0; i < 50; ++i) sets += "*[^b]?";
  CHECK(matches(sets, name));
  CHECK_FALSE(matches(sets + 'b', name));
  CHECK_FALSE(matches('*' + std::string(100, 'a') + 'b', name));
  CHECK(matches(std::string(100'000, '*'), name));
}

TEST_CASE("matches: more than a thousand stars") {
  std::string pattern;
  for (int i = 0; i < 5000; ++i) pattern += "*a";
  CHECK(matches(pattern, std::string(5000, 'a')));
  CHECK_FALSE(matches(pattern, std::string(4999, 'a')));
}

}  // namespace glob_test
