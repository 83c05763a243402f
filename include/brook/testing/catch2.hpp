// catch2.hpp — brook's matchers for Catch2, 2.13 or 3; an assertion that fails shows a dump of the object.
//
//   using namespace brook::matchers;
//   CHECK_THAT(orders, HasLength(2) && HasEntry(Order{7}));
//   CHECK_THAT(*orders.group("billing"), IsDrained());
//   CHECK_THAT(recorder, Saw(2, {.operation = Operation::publish, .name = "ticks"}));
//
// A test that begins with `StoryOnFailure story(recorder);` tells what happened when it fails. The two versions differ in
// their headers, and in where listeners are to be had, as FailureListener is one: in Catch2 2.13 only where
// CATCH_CONFIG_EXTERNAL_INTERFACES is defined before its header is included.
#pragma once

#if __has_include(<catch2/catch_tostring.hpp>)
#include <catch2/catch_test_case_info.hpp>
#include <catch2/catch_tostring.hpp>
#include <catch2/interfaces/catch_interfaces_capture.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/reporters/catch_reporter_event_listener.hpp>
#include <catch2/reporters/catch_reporter_registrars.hpp>
#else
#include <catch2/catch.hpp>
#endif

#include <cstdint>
#include <exception>
#include <iostream>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include <brook/core/config.hpp>
#include <brook/core/sync.hpp>
#include <brook/core/text.hpp>
#include <brook/delivery.hpp>
#include <brook/entries.hpp>
#include <brook/error.hpp>
#include <brook/message.hpp>
#include <brook/testing.hpp>
#include <brook/testing/matcher.hpp>

namespace brook::testing {

template <class Object>
struct DumpedForCatch {
  static std::string convert(const Object& object) { return core::text({"\n", dump(object)}); }
};

/// What a call answered; of one of several things also which.
template <class Value>
[[nodiscard]] std::string told_of(const Value& value) {
  return Catch::Detail::stringify(value);
}
template <class... Values>
[[nodiscard]] std::string told_of(const std::variant<Values...>& value) {
  const auto told = [](const auto& one) { return Catch::Detail::stringify(one); };
  return core::text({"number ", std::to_string(value.index()), ": ", std::visit(told, value)});
}

}  // namespace brook::testing

// What an assertion shows.
template <class T>
struct Catch::StringMaker<brook::Stream<T>> : brook::testing::DumpedForCatch<brook::Stream<T>> {};
template <class T>
struct Catch::StringMaker<brook::Group<T>> : brook::testing::DumpedForCatch<brook::Group<T>> {};
template <class T>
struct Catch::StringMaker<brook::BlockingList<T>> : brook::testing::DumpedForCatch<brook::BlockingList<T>> {};
template <class T>
struct Catch::StringMaker<brook::Channel<T>> : brook::testing::DumpedForCatch<brook::Channel<T>> {};
template <class T>
struct Catch::StringMaker<brook::PubSub<T>> : brook::testing::DumpedForCatch<brook::PubSub<T>> {};
template <>
struct Catch::StringMaker<brook::Broker> : brook::testing::DumpedForCatch<brook::Broker> {};
template <>
struct Catch::StringMaker<brook::Recorder> {
  static std::string convert(const brook::Recorder& recorder) { return brook::core::text({"\n", recorder.story()}); }
};
template <>
struct Catch::StringMaker<brook::Faults> {
  static std::string convert(const brook::Faults& faults) {
    std::string text = "faults; these have hit nothing:";
    for (const std::string& rule : faults.unused()) text += "\n  " + rule;
    return text;
  }
};
template <>
struct Catch::StringMaker<brook::Errc> {
  static std::string convert(brook::Errc error) { return std::string(brook::message(error)); }
};
template <class T>
struct Catch::StringMaker<brook::Message<T>> {
  static std::string convert(const brook::Message<T>& message) { return brook::testing::shown(*message); }
};
template <class T>
struct Catch::StringMaker<brook::Delivery<T>> {
  static std::string convert(const brook::Delivery<T>& delivery) { return brook::testing::shown(*delivery); }
};
template <class T>
struct Catch::StringMaker<brook::Entry<T>> {
  static std::string convert(const brook::Entry<T>& entry) {
    return brook::core::text({to_string(entry.id), "  ", brook::testing::shown(entry.value)});
  }
};
template <class T>
struct Catch::StringMaker<brook::Popped<T>> {
  static std::string convert(const brook::Popped<T>& popped) {
    return brook::core::text({"number ", std::to_string(popped.index), ": ", brook::testing::shown(popped.value)});
  }
};
template <class T>
struct Catch::StringMaker<brook::PoppedMany<T>> {
  static std::string convert(const brook::PoppedMany<T>& popped) {
    return brook::core::text({"number ", std::to_string(popped.index), ": ", Catch::Detail::stringify(popped.values)});
  }
};
template <class T>
struct Catch::StringMaker<brook::expected<T, brook::Errc>> {
  static std::string convert(const brook::expected<T, brook::Errc>& answer) {
    if (!answer) return brook::core::text({"nothing: ", brook::message(answer.error())});
    if constexpr (std::is_void_v<T>) return "done";
    else return brook::testing::told_of(*answer);
  }
};
template <class T>
struct Catch::StringMaker<brook::expected<T, brook::NameError>> {
  static std::string convert(const brook::expected<T, brook::NameError>& answer) {
    return answer ? "an object" : brook::core::text({"nothing: ", answer.error().message()});
  }
};

namespace brook::testing {

/// How many assertions have failed so far; below 0 where no FailureListener counts them.
inline sync::atomic<std::int64_t> failed_assertions{-1};

/// Prints the story that a recorder tells when a test fails while this lives: when an exception leaves the scope that it
/// lives in, as a REQUIRE throws one, or when an assertion was not met. Where no FailureListener is registered, only the last
/// assertion before its end is seen to.
class StoryOnFailure {
 public:
  explicit StoryOnFailure(const Recorder& recorder, std::ostream& to = std::cout) : recorder_(recorder), to_(to) {}
  StoryOnFailure(const StoryOnFailure&) = delete;
  StoryOnFailure& operator=(const StoryOnFailure&) = delete;
  ~StoryOnFailure() {
    if (std::uncaught_exceptions() <= exceptions_ && !has_failed()) return;
    BROOK_TRY { to_ << "what happened:\n" << recorder_.story() << std::flush; }
    BROOK_CATCH_ALL {}
  }

 private:
  [[nodiscard]] bool has_failed() const {
    if (failed_before_ < 0) return !Catch::getResultCapture().lastAssertionPassed();
    return failed_assertions.load(sync::seq_cst) > failed_before_;
  }

  const Recorder& recorder_;
  std::ostream& to_;
  const int exceptions_ = std::uncaught_exceptions();
  const std::int64_t failed_before_ = failed_assertions.load(sync::seq_cst);
};

#if __has_include(<catch2/catch_tostring.hpp>) || defined(CATCH_CONFIG_EXTERNAL_INTERFACES)

#if __has_include(<catch2/catch_tostring.hpp>)
using ListenerBase = Catch::EventListenerBase;
#else
using ListenerBase = Catch::TestEventListenerBase;
#endif

/// Has a StoryOnFailure see all assertions that are not met, those too after which a test goes on (CHECK). In one source
/// file of a test program: `using brook::testing::FailureListener; CATCH_REGISTER_LISTENER(FailureListener)`.
class FailureListener : public ListenerBase {
  using Ended = decltype(std::declval<ListenerBase&>().assertionEnded(std::declval<const Catch::AssertionStats&>()));

 public:
  using ListenerBase::ListenerBase;

  void testRunStarting(const Catch::TestRunInfo&) override { failed_assertions.store(0, sync::seq_cst); }
  Ended assertionEnded(const Catch::AssertionStats& stats) override {
    if (!stats.assertionResult.isOk()) failed_assertions.fetch_add(1, sync::seq_cst);
    return Ended();
  }
};

#endif

}  // namespace brook::testing
