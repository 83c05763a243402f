// catch2.hpp — brook's matchers for Catch2, 2.13 or 3; an assertion that fails shows a dump of the object.
//
//   using namespace brook::matchers;
//   CHECK_THAT(orders, HasLength(2) && HasEntry(Order{7}));
//   CHECK_THAT(*orders.group("billing"), IsDrained());
//   CHECK_THAT(recorder, Saw(2, {.operation = Operation::publish, .name = "ticks"}));
//
// The two versions differ here in the headers, and in how the story of a failed test is found to be due: see
// StoryOnFailure.
#pragma once

#if __has_include(<catch2/catch_tostring.hpp>)
#include <catch2/catch_test_case_info.hpp>
#include <catch2/catch_tostring.hpp>
#include <catch2/interfaces/catch_interfaces_capture.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#else
#include <catch2/catch.hpp>
#endif

#include <exception>
#include <iostream>
#include <string>
#include <type_traits>

#include <brook/core/config.hpp>
#include <brook/core/text.hpp>
#include <brook/error.hpp>
#include <brook/message.hpp>
#include <brook/testing.hpp>
#include <brook/testing/matcher.hpp>

namespace brook::testing {

template <class Object>
struct DumpedForCatch {
  static std::string convert(const Object& object) { return core::text({"\n", dump(object)}); }
};

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
struct Catch::StringMaker<brook::Recorder> {
  static std::string convert(const brook::Recorder& recorder) { return core::text({"\n", recorder.story()}); }
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
struct Catch::StringMaker<brook::expected<T, brook::Errc>> {
  static std::string convert(const brook::expected<T, brook::Errc>& answer) {
    if (!answer) return core::text({"nothing: ", brook::message(answer.error())});
    if constexpr (std::is_void_v<T>) return "done";
    else return Catch::Detail::stringify(*answer);
  }
};

namespace brook::testing {

/// Prints the story that a recorder tells when a test fails; for as long as that is to be seen to. It fails when an
/// exception leaves the scope that this lives in, as a REQUIRE throws one, or when the last assertion before its end was
/// not met.
class StoryOnFailure {
 public:
  explicit StoryOnFailure(const Recorder& recorder, std::ostream& to = std::cout) : recorder_(recorder), to_(to) {}
  StoryOnFailure(const StoryOnFailure&) = delete;
  StoryOnFailure& operator=(const StoryOnFailure&) = delete;
  ~StoryOnFailure() {
    const bool thrown = std::uncaught_exceptions() > exceptions_;
    if (!thrown && Catch::getResultCapture().lastAssertionPassed()) return;
    BROOK_TRY { to_ << "what happened:\n" << recorder_.story() << std::flush; }
    BROOK_CATCH_ALL {}
  }

 private:
  const Recorder& recorder_;
  std::ostream& to_;
  const int exceptions_ = std::uncaught_exceptions();
};

}  // namespace brook::testing
