// publishing.hpp — one publish of a PubSub, to one name or several.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <brook/channel/registry.hpp>
#include <brook/clock.hpp>
#include <brook/core/later.hpp>
#include <brook/core/sync.hpp>
#include <brook/error.hpp>
#include <brook/log/request.hpp>
#include <brook/message.hpp>
#include <brook/pubsub/feed.hpp>
#include <brook/pubsub/shard.hpp>
#include <brook/pubsub/table.hpp>
#include <brook/wait.hpp>

namespace brook::pubsub {

template <class T>
class Publishing {
 public:
  using Parcel = channel::Parcel<T>;
  using State = typename Feed<T>::State;

  Publishing(Table<T>& table, std::shared_ptr<const Parcel> parcel) : table_(table), parcel_(std::move(parcel)) {
    for (const std::string& name : parcel_->channels) shards_.push_back(&table.shard_of(name));
    std::sort(shards_.begin(), shards_.end());
    shards_.erase(std::unique(shards_.begin(), shards_.end()), shards_.end());
  }

  /// Publishes; how many deliveries that are. Where there is no room it waits. Errors: full when it does not wait;
  /// timed_out, cancelled; closed. Throws std::bad_alloc; some subscriptions may have got it then.
  [[nodiscard]] expected<std::size_t, Errc> publish(const Wait& wait) {
    std::optional<Clock::time_point> deadline;
    std::shared_ptr<State> called;
    for (;;) {
      std::uint64_t news = 0;
      const Telling telling{*this};
      const std::shared_ptr<State> full = try_publish(news);
      if (full == nullptr) {
        if (!reached() && table_.closed()) return unexpected(Errc::closed);
        return deliveries();
      }
      if (std::exchange(called, full) != full) {  // as in channel::State::publish()
        full->call();
        continue;
      }
      if (!deadline) deadline = wait.deadline(table_.clock());
      if (const auto failed = full->wait_for_room(news, wait, *deadline)) return unexpected(*failed);
    }
  }

  /// Publishes if there is room everywhere, once. Else it answers a feed that has none, and the news of room there before that
  /// was found out. Tells nobody. Throws std::bad_alloc; some subscriptions may have got it then.
  [[nodiscard]] std::shared_ptr<State> try_publish(std::uint64_t& news) {
    const core::Later later;
    const Locked locked(shards_);
    find();
    std::list<typename State::Locked> held;
    std::shared_ptr<State> full = find_full(news, held);
    if (full == nullptr) append();
    return full;
  }
  /// Tells those who got it, once no lock is held.
  void tell() {
    for (const Told& told : told_) told.state->tell(told.appended);
  }

  /// Whether somebody may have got it; and how many have.
  [[nodiscard]] bool reached() const noexcept { return !told_.empty(); }
  [[nodiscard]] std::size_t deliveries() const noexcept { return deliveries_; }

 private:
  struct Match {
    State* state;
    const std::shared_ptr<State>* kept;
    std::size_t order;
    Post<T> post;
  };
  struct Told {
    std::shared_ptr<State> state;
    log::Appended appended;
  };
  // Also when there was no memory for the others.
  struct Telling {
    Publishing& publishing;
    ~Telling() { publishing.tell(); }
  };
  struct Locked {
    explicit Locked(const std::vector<Shard<T>*>& which) : shards(which) {
      for (Shard<T>* shard : shards) shard->mutex.lock();
    }
    ~Locked() {
      for (Shard<T>* shard : shards) shard->mutex.unlock();
    }
    const std::vector<Shard<T>*>& shards;
  };

  // All matches, those of one feed together, in the order of the names, and of the matches of each.
  void find() {
    matches_.clear();
    for (const std::string& name : parcel_->channels) {
      table_.shard_of(name).each_match(name, [&](const auto& feed, Name pattern) {
        if (feed->state->registry.audience().size() > 0)
          matches_.push_back({feed->state.get(), &feed->state, matches_.size(), {parcel_, &name, std::move(pattern)}});
      });
    }
    if (matches_.size() < 2) return;
    std::sort(matches_.begin(), matches_.end(), [](const Match& a, const Match& b) {
      return std::less<>()(a.state, b.state) || (a.state == b.state && a.order < b.order);
    });
  }

  // Calls `use(first match, end)` for each feed, until it answers false.
  template <class Use>
  void each_feed(Use&& use) {
    for (auto at = matches_.begin(); at != matches_.end();) {
      const auto end = std::find_if(at, matches_.end(), [&](const Match& match) { return match.state != at->state; });
      if (!use(at, end)) return;
      at = end;
    }
  }

  // A feed that has no room, and the news of room there before that was found out. Where there is room there will be
  // until `held` is let go: names of one feed may lie on several shards.
  [[nodiscard]] std::shared_ptr<State> find_full(std::uint64_t& news, std::list<typename State::Locked>& held) {
    std::shared_ptr<State> full;
    each_feed([&](auto first, auto end) {
      State& state = *first->state;
      if ((state.registry.audience().bits & channel::Audience::blocks) == 0) return true;
      held.emplace_back(state.registry);
      news = state.room_news();
      const auto count = static_cast<std::size_t>(end - first);
      if (!state.log.sealed() && !state.registry.has_room(count)) full = *first->kept;
      return full == nullptr;
    });
    return full;
  }

  void append() {
    told_.reserve(matches_.size());
    std::vector<typename Feed<T>::Payload> posts;
    each_feed([&](auto first, auto end) {
      const auto count = static_cast<std::size_t>(end - first);
      posts.clear();
      posts.reserve(count);
      for (auto at = first; at != end; ++at) posts.push_back(std::move(at->post));
      const std::size_t audience = first->state->registry.audience().size();
      if (const auto appended = first->state->append({posts.data(), count})) {
        told_.push_back({*first->kept, *appended});
        deliveries_ += count * audience;
      }
      return true;
    });
  }

  Table<T>& table_;
  const std::shared_ptr<const Parcel> parcel_;
  std::vector<Shard<T>*> shards_;
  std::vector<Match> matches_;
  std::vector<Told> told_;
  std::size_t deliveries_ = 0;
};

}  // namespace brook::pubsub
