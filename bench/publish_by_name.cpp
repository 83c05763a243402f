// publish_by_name.cpp — publishing to a name that subscribers have asked for, by itself and by patterns. The rival is a
// mutex, a hash table of names, a list of patterns, and a queue for each subscriber.
#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <brook/pubsub.hpp>

#include "cases.hpp"
#include "harness.hpp"
#include "payload.hpp"
#include "topics.hpp"

namespace bench {
namespace {

const std::string the_name = "sport.football.results";

/// Who subscribes: so many to the name, all to nothing but that or each to a name of its own too; and so many each to a
/// pattern. The name matches the first of these.
struct Audience {
  std::size_t by_name = 0;
  std::size_t by_pattern = 0;
  bool apart = false;

  [[nodiscard]] std::size_t size() const noexcept { return by_name + by_pattern; }
  [[nodiscard]] bool gets(std::size_t n) const noexcept { return n <= by_name && n < size(); }
  [[nodiscard]] std::size_t reached() const noexcept { return by_name + (by_pattern > 0 ? 1 : 0); }

  [[nodiscard]] static std::string own_name(std::size_t n) { return "own." + std::to_string(n); }
  [[nodiscard]] std::string pattern(std::size_t n) const {
    return n == by_name ? "sport.*.results" : "sport.*.tables." + std::to_string(n);
  }
};

template <class T>
class PubSubTopic {
 public:
  PubSubTopic(Seats& seats, const Audience& who) : seats_(seats) {
    for (std::size_t n = 0; n < who.size(); ++n) {
      if (n >= who.by_name) subscriptions_.push_back(topics_.psubscribe(who.pattern(n)));
      else if (who.apart) subscriptions_.push_back(topics_.subscribe({the_name, Audience::own_name(n)}));
      else subscriptions_.push_back(topics_.subscribe(the_name));
    }
  }
  [[nodiscard]] std::size_t publish(T&& value) { return topics_.publish(the_name, std::move(value)); }
  void receive_all(std::size_t n) {
    const auto messages = subscriptions_[n].receive_batch(brook::no_limit, brook::Wait());
    if (!messages) return expect(false, "a subscription has ended");
    for (const auto& message : *messages) seats_[n].see(number_of(*message));
  }

 private:
  Seats& seats_;
  brook::PubSub<T> topics_;
  std::vector<brook::TopicSubscription<T>> subscriptions_;
};

template <class T>
class LockedTable {
 public:
  LockedTable(Seats& seats, const Audience& who) : seats_(seats), queues_(who.size()) {
    for (std::size_t n = 0; n < who.size(); ++n) {
      if (n >= who.by_name) patterns_.emplace_back(who.pattern(n), n);
      else names_[the_name].push_back(n);
      if (n < who.by_name && who.apart) names_[Audience::own_name(n)].push_back(n);
    }
  }
  [[nodiscard]] std::size_t publish(T&& value) {
    const std::lock_guard held(mutex_);
    std::size_t reached = 0;
    if (const auto named = names_.find(the_name); named != names_.end()) {
      for (const std::size_t n : named->second) queues_[n].push_back(value);
      reached += named->second.size();
    }
    for (const auto& [pattern, n] : patterns_) {
      if (fnmatch(pattern.c_str(), the_name.c_str(), 0) != 0) continue;
      queues_[n].push_back(value);
      ++reached;
    }
    return reached;
  }
  void receive_all(std::size_t n) {
    std::deque<T> values;
    {
      const std::lock_guard held(mutex_);
      values.swap(queues_[n]);
    }
    for (const T& value : values) seats_[n].see(number_of(value));
  }

 private:
  Seats& seats_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::vector<std::size_t>> names_;
  std::vector<std::pair<std::string, std::size_t>> patterns_;
  std::vector<std::deque<T>> queues_;
};

/// Nanoseconds for a publish, and for each message that a subscriber receives; in turns, on one thread.
template <class T, class Topic>
Sample publish_in_turns(const Audience& who, std::size_t count) {
  constexpr std::size_t turn = 128;
  Seats seats(who.size());
  Topic topic(seats, who);
  pin(0);
  std::int64_t publishing = 0;
  std::int64_t receiving = 0;
  std::size_t published = 0;
  std::size_t deliveries = 0;
  while (published < count) {
    const std::int64_t started = now_ns();
    for (std::size_t i = 0; i < turn; ++i) deliveries += topic.publish(make<T>(published++));
    const std::int64_t done = now_ns();
    for (std::size_t n = 0; n < who.size(); ++n) topic.receive_all(n);
    publishing += done - started;
    receiving += now_ns() - done;
  }
  expect(deliveries == published * who.reached(), "a publish did not reach everyone");
  for (std::size_t n = 0; n < who.size(); ++n) seats[n].expect_all(who.gets(n) ? published : 0);
  return {static_cast<double>(publishing) / static_cast<double>(published),
          static_cast<double>(receiving) / static_cast<double>(deliveries)};
}

template <class T>
void add_names(Suite& suite, const std::string& payload, std::size_t count) {
  for (const Audience& who : std::initializer_list<Audience>{{1, 0}, {1, 10}, {64, 0}, {64, 10}, {64, 0, true}}) {
    suite
        .add("publish/" + payload + "/by_name/" + std::to_string(who.by_name) + (who.apart ? "/apart" : "") +
                 (who.by_pattern > 0 ? "/patterns" + std::to_string(who.by_pattern) : ""),
             {"ns a publish", "ns a receipt"})
        .peer("brook", [=] { return publish_in_turns<T, PubSubTopic<T>>(who, count); })
        .peer("mutex + hash table + deques", [=] { return publish_in_turns<T, LockedTable<T>>(who, count); });
  }
}

}  // namespace

void add_publish_by_name(Suite& suite) {
  const std::size_t count = suite.work(50'000);
  add_names<std::uint64_t>(suite, "u64", count);
  add_names<std::string>(suite, "string100", count / 2);
}

}  // namespace bench
