// Many short histories of real threads on a PubSub: publishers to several names, which may lie on different parts,
// subscriptions that change meanwhile, and functions. Of each publish and change it is noted when it began and ended, and
// of each subscription what it got. Then there must be, for each subscription, an instant for each change, so that every
// publish reached it in exactly the ways that it was then interested in; nothing came twice or out of nowhere; and if one
// publish returned before another began, nobody got them the other way round.

#include <algorithm>
#include <atomic>
#include <barrier>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <brook/pubsub.hpp>

#include "../catch.hpp"
#include "histories.hpp"

namespace pubsub_histories_test {

namespace {

using brook::CallbackSubscription;
using brook::CallOn;
using brook::Message;
using brook::Overflow;
using brook::PubSub;
using brook::TopicSubscription;
using Random = std::minstd_rand;
using Strings = std::vector<std::string>;

constexpr auto last_of_all = std::numeric_limits<std::size_t>::max();

const Strings all_names{"a", "b", "c"};
const Strings all_patterns{"*", "[ab]", "a"};

/// In what way a message came: to which name, and by which pattern, if it was by one.
struct Way {
  std::string name;
  std::string pattern;

  friend auto operator<=>(const Way&, const Way&) = default;
};
using Ways = std::vector<Way>;

struct Interest {
  std::set<std::string> names{};
  std::set<std::string> patterns{};

  /// Of a publish to these names; patterns in no particular order.
  [[nodiscard]] Ways ways(const Strings& published) const {
    Ways ways;
    for (const std::string& name : published) {
      if (names.contains(name)) ways.push_back({name, ""});
      for (const std::string& pattern : patterns)
        if (brook::pubsub::matches(pattern, name)) ways.push_back({name, pattern});
    }
    return ways;
  }
};

struct Span {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// A publish; its number is its value.
struct Publish {
  Strings names{};
  Span span{};
  std::size_t deliveries = 0;
};

/// A change, and the interest that it leaves.
struct Change {
  Interest to{};
  Span span{};
};

struct Got {
  std::size_t publish;
  Way way;
};

/// One subscription: its interests, the first of which it began with, and what it got.
struct Account {
  std::vector<Change> interests{};
  std::vector<Got> got{};

  std::atomic<bool> complete{false};  // it got the last of all

  void note(const Message<std::size_t>& message) {
    if (*message == last_of_all) {
      complete = true;
      complete.notify_all();
      return;
    }
    got.push_back({*message, {std::string(message.channel()), std::string(message.pattern())}});
  }
};

/// What is wrong, if anything. Of the first kind that is found.
class Judge {
 public:
  Judge(const std::vector<Publish>& publishes, const std::deque<Account>& accounts)
      : publishes_(publishes), accounts_(accounts) {}

  [[nodiscard]] std::string verdict() {
    std::vector<std::size_t> deliveries(publishes_.size(), 0);
    for (const Account& account : accounts_) {
      check_one(account);
      for (const Got& got : account.got) ++deliveries[got.publish];
    }
    for (std::size_t i = 0; i < publishes_.size(); ++i)
      expect(deliveries[i] == publishes_[i].deliveries, "a publish tells how many deliveries there are", i);
    for (const Account& a : accounts_) {
      for (const Account& b : accounts_) check_both(a, b);
    }
    return found_;
  }

 private:
  // The messages of one publish, as they came; they must come together.
  struct Group {
    std::size_t publish;
    Ways ways{};
  };

  void expect(bool holds, const char* what, std::size_t publish) {
    if (!holds && found_.empty()) found_ = std::string(what) + ": publish " + std::to_string(publish);
  }

  void check_one(const Account& account) {
    std::vector<Group> groups;
    std::set<std::size_t> seen;
    for (const Got& got : account.got) {
      if (got.publish >= publishes_.size()) return expect(false, "nothing is invented", got.publish);
      if (groups.empty() || groups.back().publish != got.publish) {
        expect(seen.insert(got.publish).second, "what is published at once comes at once", got.publish);
        groups.push_back({got.publish});
      }
      groups.back().ways.push_back(got.way);
    }
    check_times(groups);
    check_ways(account, groups);
    for (std::size_t i = 0; i < publishes_.size(); ++i) {
      if (!seen.contains(i))
        expect(instant(account, 0, i, {}).has_value(), "what one is subscribed to all the time comes", i);
    }
  }

  // Nobody gets the second of two before the first.
  void check_times(const std::vector<Group>& groups) {
    std::uint64_t latest_begin = 0;
    for (const Group& group : groups) {
      expect(publishes_[group.publish].span.end > latest_begin, "what was over before comes before", group.publish);
      latest_begin = std::max(latest_begin, publishes_[group.publish].span.begin);
    }
  }

  // Each publish reached the subscription between two changes, and they follow each other.
  void check_ways(const Account& account, const std::vector<Group>& groups) {
    std::size_t at = 0;
    for (const Group& group : groups) {
      const auto& names = publishes_[group.publish].names;
      for (std::size_t i = 1; i < group.ways.size(); ++i) {
        const bool same_name = group.ways[i].name == group.ways[i - 1].name;
        expect(!same_name || !group.ways[i].pattern.empty(), "by name comes first", group.publish);
        const auto place = [&](const Way& way) { return std::find(names.begin(), names.end(), way.name); };
        expect(place(group.ways[i - 1]) <= place(group.ways[i]), "names come in their order", group.publish);
      }
      const auto instant_of = instant(account, at, group.publish, group.ways);
      expect(instant_of.has_value(), "a publish comes in the ways there are at one instant", group.publish);
      if (instant_of) at = *instant_of;
    }
  }

  // The first interest from `from` on that may have been there when it was published, and that gives these ways.
  [[nodiscard]] std::optional<std::size_t> instant(const Account& account, std::size_t from, std::size_t publish,
                                                   Ways ways) const {
    const Publish& published = publishes_[publish];
    std::sort(ways.begin(), ways.end());
    for (std::size_t i = from; i < account.interests.size(); ++i) {
      const bool too_early =
          i + 1 < account.interests.size() && account.interests[i + 1].span.end < published.span.begin;
      if (too_early) continue;
      if (account.interests[i].span.begin > published.span.end) return std::nullopt;
      Ways there = account.interests[i].to.ways(published.names);
      std::sort(there.begin(), there.end());
      if (there == ways) return i;
    }
    return std::nullopt;
  }

  // Messages of one channel come in one order.
  void check_both(const Account& a, const Account& b) {
    for (const std::string& name : all_names) {
      std::map<std::size_t, std::size_t> places;
      for (std::size_t i = 0; i < a.got.size(); ++i)
        if (a.got[i].way.name == name) places[a.got[i].publish] = i;
      std::size_t last = 0;
      for (const Got& got : b.got) {
        const auto at = got.way.name == name ? places.find(got.publish) : places.end();
        if (at == places.end()) continue;
        expect(at->second >= last, "a channel has one order", got.publish);
        last = at->second;
      }
    }
  }

  const std::vector<Publish>& publishes_;
  const std::deque<Account>& accounts_;
  std::string found_{};
};

class Round {
 public:
  explicit Round(std::uint64_t number)
      : random_(static_cast<unsigned>(number * 2654435761U + 1)),
        hub_({.shards = 1 + number % 3, .spin = std::chrono::microseconds(number % 4 == 0 ? 20 : 0)}),
        publishers_(2 + random_() % 2),
        each_(2 + random_() % 5) {}

  [[nodiscard]] std::string run() {
    begin();
    publishes_.resize(publishers_ * each_);
    std::barrier start(static_cast<std::ptrdiff_t>(publishers_ + 2));
    std::vector<std::thread> receivers;
    for (auto& changing : changing_) receivers.emplace_back([&] { receive(changing); });
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < publishers_; ++i) threads.emplace_back([&, i] { publish(start, i); });
    for (unsigned i = 0; i < 2; ++i) threads.emplace_back([&, i] { change(start, i); });
    for (std::thread& thread : threads) thread.join();
    hub_.publish({"a", "b", "c"}, last_of_all);
    for (const auto& [callback, account] : callbacks_) {
      if (!account.interests.front().to.ways(all_names).empty()) account.complete.wait(false);
    }
    hub_.close();
    for (std::thread& thread : receivers) thread.join();
    callbacks_.clear();
    return Judge(publishes_, accounts_).verdict();
  }

 private:
  struct Changing {
    TopicSubscription<std::size_t> subscription;
    Account& account;
    bool in_batches;
  };

  struct Called {
    CallbackSubscription subscription;
    Account& account;
  };

  // Two or three subscriptions that change, often with equal interests, and one or two functions that do not.
  void begin() {
    const Interest usual = some_interest();
    for (auto i = 2 + random_() % 2; i > 0; --i) {
      Account& account = add_account(random_() % 2 == 0 ? usual : some_interest());
      const Interest& interest = account.interests.front().to;
      const bool blocks = random_() % 4 == 0;
      changing_.push_back(
          {hub_.subscribe(interest.names, {.patterns = {interest.patterns.begin(), interest.patterns.end()},
                                           .backlog = blocks ? 1 + random_() % 3 : brook::unlimited,
                                           .overflow = blocks ? Overflow::block : Overflow::drop_oldest}),
           account, random_() % 4 == 0});
    }
    for (auto i = random_() % 3; i > 0; --i) {
      Account& account = add_account(random_() % 2 == 0 ? usual : some_interest());
      const Interest& interest = account.interests.front().to;
      std::vector<std::string_view> names(interest.names.begin(), interest.names.end());
      names.resize(3, names.empty() ? "none" : names.front());
      const CallOn thread = random_() % 2 == 0 ? CallOn::publisher : CallOn::own_thread;
      callbacks_.push_back({hub_.subscribe({names[0], names[1], names[2]},
                                           [&account](const Message<std::size_t>& message) { account.note(message); },
                                           {interest.patterns.begin(), interest.patterns.end()}, {.thread = thread}),
                            account});
    }
  }

  Interest some_interest() {
    Interest interest;
    for (const std::string& name : all_names)
      if (random_() % 2 == 0) interest.names.insert(name);
    for (const std::string& pattern : all_patterns)
      if (random_() % 4 == 0) interest.patterns.insert(pattern);
    return interest;
  }
  Account& add_account(const Interest& interest) {
    accounts_.emplace_back();
    accounts_.back().interests.push_back({interest, {}});
    return accounts_.back();
  }

  template <class Call>
  Span timed(Call&& call) {
    Span span;
    span.begin = time_.fetch_add(1);
    call();
    span.end = time_.fetch_add(1);
    return span;
  }

  static void rest(Random& random) {
    for (auto n = random() % 4; n > 2; --n) std::this_thread::yield();
    for (auto spin = random() % 128; spin > 0; --spin) brook::sync::pause();
  }

  void publish(std::barrier<>& start, std::size_t me) {
    Random random(static_cast<unsigned>(me) * 7919U + static_cast<unsigned>(each_));
    start.arrive_and_wait();
    for (std::size_t i = me * each_; i < (me + 1) * each_; ++i) {
      Publish& one = publishes_[i];
      one.names = {all_names[random() % 3]};
      if (const auto& more = all_names[random() % 3]; random() % 3 == 0 && more != one.names.front())
        one.names.push_back(more);
      one.span = timed([&] {
        if (one.names.size() == 1) one.deliveries = hub_.publish(one.names[0], i);
        else one.deliveries = hub_.publish({one.names[0], one.names[1]}, i);
      });
      rest(random);
    }
  }

  // Of the changing ones each has one thread that changes it.
  void change(std::barrier<>& start, unsigned me) {
    Random random(me * 104'729U + static_cast<unsigned>(publishers_));
    start.arrive_and_wait();
    for (std::size_t i = 0; i < each_ + 2; ++i) {
      for (std::size_t which = me; which < changing_.size(); which += 2) change(changing_[which], random);
      rest(random);
    }
  }
  void change(Changing& one, Random& random) {
    Change change{one.account.interests.back().to, {}};
    const bool by_name = random() % 3 != 0;
    const std::string& text = by_name ? all_names[random() % 3] : all_patterns[random() % 3];
    auto& set = by_name ? change.to.names : change.to.patterns;
    const bool adds = set.insert(text).second;
    if (!adds) set.erase(text);
    auto& sub = one.subscription;
    change.span = timed([&] {
      if (adds) static_cast<void>(by_name ? sub.subscribe(text) : sub.psubscribe(text));
      else static_cast<void>(by_name ? sub.unsubscribe(text) : sub.punsubscribe(text));
    });
    one.account.interests.push_back(std::move(change));
  }

  static void receive(Changing& one) {
    if (one.in_batches) {
      while (const auto batch = one.subscription.receive_batch(3)) {
        for (const auto& message : *batch) one.account.note(message);
      }
    } else {
      while (const auto message = one.subscription.receive()) one.account.note(*message);
    }
  }

  Random random_;
  std::deque<Account> accounts_{};
  PubSub<std::size_t> hub_;
  std::deque<Changing> changing_{};
  std::deque<Called> callbacks_{};
  std::size_t publishers_;
  std::size_t each_;
  std::vector<Publish> publishes_{};
  std::atomic<std::uint64_t> time_{1};
};

}  // namespace

TEST_CASE("Concurrent histories of a PubSub keep its promises") {
  const std::uint64_t histories = brook::contract::how_many_histories(1'500);
  for (std::uint64_t number = 0; number < histories; ++number) {
    CAPTURE(number);
    const std::string wrong = Round(number).run();
    REQUIRE(wrong == "");
  }
}

}  // namespace pubsub_histories_test
