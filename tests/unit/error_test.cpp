#include <brook/error.hpp>

#include <set>
#include <string>
#include <string_view>
#include <system_error>

#include "../catch.hpp"

namespace error_test {

namespace {

using brook::Errc;

constexpr Errc all[] = {Errc::timed_out,    Errc::closed,
                        Errc::cancelled,    Errc::full,
                        Errc::id_too_small, Errc::id_exhausted,
                        Errc::invalid_id,   Errc::no_such_group,
                        Errc::group_exists, Errc::no_such_key,
                        Errc::wrong_type,   Errc::invalid_argument,
                        Errc::corrupt,      Errc::unsupported_version,
                        Errc::io_error,     Errc::codec_error,
                        Errc::not_pending,  Errc::no_subscriber,
                        Errc::unanswered,   Errc::out_of_memory,
                        Errc::exception};

static_assert(!brook::message(Errc::closed).empty());
static_assert(std::is_error_code_enum_v<Errc>);

}  // namespace

TEST_CASE("Errc: every error has a message of its own, without a full stop") {
  std::set<std::string_view> messages;
  for (const Errc error : all) {
    const std::string_view text = message(error);
    INFO(static_cast<int>(error) << ": " << text);
    REQUIRE_FALSE(text.empty());
    CHECK(text.back() != '.');
    CHECK(text.find('\n') == text.npos);
    CHECK(text != message(static_cast<Errc>(1000)));
    messages.insert(text);
  }
  CHECK(messages.size() == std::size(all));
}

TEST_CASE("Errc: what is no error of brook has a message too") {
  CHECK_FALSE(message(static_cast<Errc>(0)).empty());
  CHECK_FALSE(message(static_cast<Errc>(-1)).empty());
  CHECK_FALSE(message(static_cast<Errc>(1000)).empty());
}

TEST_CASE("Errc: messages say what happened") {
  using Catch::Matchers::ContainsSubstring;
  const auto text = [](Errc error) { return std::string(message(error)); };
  CHECK_THAT(text(Errc::timed_out), ContainsSubstring("timed out"));
  CHECK_THAT(text(Errc::closed), ContainsSubstring("closed"));
  CHECK_THAT(text(Errc::cancelled), ContainsSubstring("cancelled"));
  CHECK_THAT(text(Errc::full), ContainsSubstring("full"));
  CHECK_THAT(text(Errc::id_too_small), ContainsSubstring("smaller"));
  CHECK_THAT(text(Errc::id_exhausted), ContainsSubstring("exhausted"));
  CHECK_THAT(text(Errc::invalid_id), ContainsSubstring("id"));
  CHECK_THAT(text(Errc::no_such_group), ContainsSubstring("no such"));
  CHECK_THAT(text(Errc::group_exists), ContainsSubstring("already"));
  CHECK_THAT(text(Errc::no_such_key), ContainsSubstring("name"));
  CHECK_THAT(text(Errc::wrong_type), ContainsSubstring("type"));
  CHECK_THAT(text(Errc::invalid_argument), ContainsSubstring("argument"));
  CHECK_THAT(text(Errc::corrupt), ContainsSubstring("damaged"));
  CHECK_THAT(text(Errc::unsupported_version), ContainsSubstring("version"));
  CHECK_THAT(text(Errc::io_error), ContainsSubstring("reading or writing"));
  CHECK_THAT(text(Errc::codec_error), ContainsSubstring("encoded"));
}

TEST_CASE("Errc: converts to std::error_code") {
  for (const Errc error : all) {
    const std::error_code code = error;
    CHECK(code);  // no error is success
    CHECK(code.value() == static_cast<int>(error));
    CHECK(code.message() == message(error));
    CHECK(&code.category() == &brook::category());
    CHECK(code == error);
    CHECK(code == make_error_code(error));
  }
  CHECK(std::string(brook::category().name()) == "brook");
  CHECK(std::error_code(Errc::closed) != std::error_code(Errc::full));
  CHECK(std::error_code(Errc::timed_out) !=
        std::error_code(static_cast<int>(Errc::timed_out), std::generic_category()));
}

TEST_CASE("Errc: travels in std::system_error") {
  const std::system_error thrown(brook::Errc::closed, "orders");
  CHECK(thrown.code() == Errc::closed);
  CHECK_THAT(thrown.what(), Catch::Matchers::ContainsSubstring("orders"));
  CHECK_THAT(thrown.what(), Catch::Matchers::ContainsSubstring(std::string(message(Errc::closed))));
}

TEST_CASE("expected: carries a value or an error") {
  const brook::expected<int, Errc> value = 5;
  const brook::expected<int, Errc> error = brook::unexpected(Errc::full);
  REQUIRE(value.has_value());
  CHECK(*value == 5);
  REQUIRE_FALSE(error.has_value());
  CHECK(error.error() == Errc::full);
  CHECK(error.value_or(7) == 7);
}

}  // namespace error_test
