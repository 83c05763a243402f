// reply.hpp — a reply as Redis sends it, value by value, in RESP2 or RESP3. Nothing of it is trusted: counts take no memory, and
// what is passed over may be nested as deep as it likes, for it is only counted how much is still to come.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include <brook/core/text.hpp>
#include <brook/error.hpp>
#include <brook/redis/wire.hpp>
#include <brook/snapshot/error.hpp>
#include <brook/snapshot/sink.hpp>

namespace brook::redis {

/// Whoever reads a value says what it is to be: `what` is told in the error when it is not. After an error all answer nothing,
/// 0 or false. For one thread. Throws std::bad_alloc, and what the source throws.
class ReplyReader {
 public:
  explicit ReplyReader(ByteSource& from) noexcept : wire_(from, "the reply ends early") {}

  /// Comes to the reply: passes over the +OK of commands before it. False when there is none, or it is an error, which is told.
  [[nodiscard]] bool begin() {
    pass_states();
    if (!wire_.fill()) return wire_.fail("there is no reply");
    if (constexpr std::string_view kinds = "*%$:_,#(~=-!"; kinds.find(wire_.peek()) == kinds.npos)
      return wire_.fail("a reply was to begin here, as the bytes that Redis sends and not as a program shows it");
    return wire_.peek() != '-' && wire_.peek() != '!' ? true : refused();
  }
  /// When it has been read: passes over the +OK of commands behind it, as QUIT. Behind them nothing must have come; whether
  /// anything comes, it waits for only when the source is to be read to its end.
  [[nodiscard]] bool end(bool to_the_end) {
    const auto more = [&] { return !failed() && (to_the_end ? wire_.fill() : wire_.has_more()); };
    while (more() && wire_.peek() == '+') static_cast<void>(line());
    return more() ? wire_.fail("something comes behind the reply") : !failed();
  }

  [[nodiscard]] snapshot::Result result() const { return wire_.result(); }
  [[nodiscard]] bool failed() const noexcept { return wire_.failed(); }
  /// False.
  bool fail(Errc why, std::string text, std::uint64_t offset) { return wire_.fail(why, std::move(text), offset); }
  bool fail(const snapshot::Result& result, std::uint64_t offset) {
    return fail(result.error().code(), result.error().message(), offset);
  }
  bool fail_as_no(std::string_view what, std::uint64_t offset) {
    return fail(Errc::corrupt, core::text({what, " was to be here"}), offset);
  }

  /// Where the next value begins.
  [[nodiscard]] std::uint64_t offset() {
    static_cast<void>(kind());
    return wire_.offset();
  }
  /// The byte that the next value begins with, which says what it is; 0 when there is none.
  [[nodiscard]] char kind() {
    pass_asides();
    return wire_.fill() ? wire_.peek() : '\0';
  }

  /// An array: how many values follow.
  [[nodiscard]] std::uint64_t array(std::string_view what) {
    const Head head = next();
    if (head.kind == '*' || failed()) return head.count;
    fail_as_no(what, head.offset);
    return 0;
  }
  /// An array, or a map: how many values follow. Of a map they are names and values by turns.
  [[nodiscard]] std::uint64_t values(std::string_view what) {
    const Head head = next();
    if (head.kind == '%') return 2 * head.count;
    if (head.kind == '*' || failed()) return head.count;
    fail_as_no(what, head.offset);
    return 0;
  }
  /// A text, which replaces what was in `to`.
  [[nodiscard]] bool text(std::string& to, std::string_view what) {
    to.clear();
    const Head head = next();
    return head.kind == '$' ? wire_.text(head.count, to) : fail_as_no(what, head.offset);
  }
  /// A text, or nil.
  [[nodiscard]] bool text_or_nil(std::optional<std::string>& to, std::string_view what) {
    const Head head = next();
    if (head.kind == '_') return to.reset(), true;
    return head.kind == '$' ? wire_.text(head.count, to.emplace()) : fail_as_no(what, head.offset);
  }
  [[nodiscard]] std::int64_t number(std::string_view what) {
    const Head head = next();
    if (head.kind == ':' || failed()) return head.number;
    fail_as_no(what, head.offset);
    return 0;
  }
  /// One that is not negative.
  [[nodiscard]] std::uint64_t count(std::string_view what) {
    const std::uint64_t where = offset();
    const std::int64_t number = this->number(what);
    if (number >= 0) return static_cast<std::uint64_t>(number);
    fail_as_no(what, where);
    return 0;
  }
  /// Passes over a value, whatever it is.
  void skip() { skip_values(1); }

 private:
  // What a value begins with. Arrays, texts and nil have one kind each.
  struct Head {
    char kind = '\0';
    std::uint64_t count = 0;  // of bytes, values or pairs that follow
    std::int64_t number = 0;
    std::uint64_t offset = 0;
  };

  // The next value, or what is said beside it.
  [[nodiscard]] Head any() {
    Head head{.offset = wire_.offset()};
    if (!wire_.fill()) return static_cast<void>(wire_.fail("the reply ends early")), head;
    head.kind = wire_.peek();
    static_cast<void>(wire_.take(head.kind, ""));
    switch (head.kind) {
      case '$':
      case '!':
      case '=':
      case '*':
      case '~':
      case '>':
      case '%':
      case '|': read_count(head); break;
      case ':': read_number(head); break;
      case '_': static_cast<void>(wire_.end_line()); break;
      case '+':
      case '-':
      case ',':
      case '#':
      case '(': skip_line(); break;
      default: wire_.fail(Errc::corrupt, "a value was to begin here", head.offset);
    }
    if (failed()) return {};
    return head;
  }
  [[nodiscard]] Head next() {
    pass_asides();
    return any();
  }
  void read_count(Head& head) {
    const bool nil = (head.kind == '$' || head.kind == '*') && wire_.fill() && wire_.peek() == '-';
    if (nil) static_cast<void>(wire_.take('-', ""));
    const auto count = wire_.number(Wire::digits_of_length);
    if (!count) return;
    head.count = nil ? 0 : *count;
    if (!nil) return;
    head.kind = '_';
    if (*count != 1) wire_.fail(Errc::corrupt, "a length must not be negative", head.offset);
  }
  void read_number(Head& head) {
    const bool negative = wire_.fill() && wire_.peek() == '-';
    if (negative) static_cast<void>(wire_.take('-', ""));
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    const auto number = wire_.number(19);
    if (!number) return;
    if (*number > most + (negative ? 1 : 0)) wire_.fail(Errc::corrupt, "a number is too large", head.offset);
    head.number = static_cast<std::int64_t>(negative ? 0 - *number : *number);
  }

  void skip_values(std::uint64_t left) {
    constexpr std::uint64_t most = std::uint64_t{1} << 60;
    while (left > 0 && !failed()) {
      const Head head = any();
      --left;
      switch (head.kind) {
        case '$':
        case '!':
        case '=': static_cast<void>(wire_.skip_text(head.count)); break;
        case '*':
        case '~': left += head.count; break;
        case '%': left += 2 * head.count; break;
        case '>': left += head.count + 1; break;  // beside a value, which is still to come
        case '|': left += 2 * head.count + 1; break;
        default: break;
      }
      if (left > most) wire_.fail(Errc::corrupt, "the values are too many", head.offset);
    }
  }
  // What the server says of its own accord (RESP3), and what it says about the value that follows.
  void pass_asides() {
    while (wire_.fill() && (wire_.peek() == '>' || wire_.peek() == '|')) {
      const Head head = any();
      skip_values(head.kind == '|' ? 2 * head.count : head.count);
    }
  }
  void pass_states() {
    for (pass_asides(); wire_.fill() && wire_.peek() == '+'; pass_asides()) static_cast<void>(line());
  }

  void skip_line() { static_cast<void>(line()); }
  // The rest of a line.
  std::string line() {
    constexpr std::size_t longest = 64 * 1024;
    std::string text;
    for (; wire_.fill() && wire_.peek() != '\r'; static_cast<void>(wire_.take(wire_.peek(), ""))) {
      if (text.size() == longest) return wire_.fail("a line is too long"), text;
      text += wire_.peek();
    }
    static_cast<void>(wire_.end_line());
    return text;
  }
  // Fails with the error that Redis answered.
  bool refused() {
    const std::uint64_t where = wire_.offset();
    std::string said;
    if (wire_.peek() == '-') {
      said = line().substr(1);
    } else if (const Head head = any(); !failed()) {
      static_cast<void>(wire_.text(head.count, said));
    }
    const Errc why = said.starts_with("WRONGTYPE ")        ? Errc::wrong_type
                     : said.starts_with("ERR no such key") ? Errc::no_such_key
                                                           : Errc::io_error;
    return fail(why, core::text({"Redis answered: ", said}), where);
  }

  Wire wire_;
};

}  // namespace brook::redis
