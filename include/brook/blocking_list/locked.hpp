// locked.hpp — the locks of a list, and of the lists to which those who wait at it move their elements, and so on.
//
// What an operation does, and what follows from it for others, is thereby one step. Locks are taken in the order of the
// lists' addresses. Which ones are needed is known only with them: while some are missing, all are given up and taken
// anew.
//
// A call that waits at several lists takes from the first of them, in its own order, that has something. Where an element is
// moved on, or pushed to several at one instant, there may be two that have, for once: the later one then leaves the call to
// the earlier one. Somebody is always served: who waits at a list has joined those it asks before that still earlier.
//
// Memory orders
//   row  thread  operation             order    meets  because
//   LY   holder  which lists are       relaxed  -      only what it wrote itself says that it has the lock
//                locked together
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <brook/blocking_list/state.hpp>
#include <brook/core/later.hpp>
#include <brook/core/patient_lock.hpp>
#include <brook/core/sync.hpp>

namespace brook::blocking_list {

template <class T>
class Locked {
 public:
  using State = blocking_list::State<T>;

  explicit Locked(State& list) : list_(list) {
    core::lock_patiently(list.mutex()).release();
    if (list.movers == 0) {
      begin_record(list);
      return;
    }
    list.mutex().unlock();
    lock_all({&list});
  }
  Locked(State& list, State& other) : list_(list) { lock_all({&list, &other}); }
  explicit Locked(std::span<State* const> lists) : list_(*lists.front()) { lock_all({lists.begin(), lists.end()}); }

  /// Serves who waits, and unlocks.
  ~Locked() {
    if (others_) {
      finish_all();
    } else {
      list_.serve_or_wake();
      list_.settle();
      end_record(list_);
      list_.mutex().unlock();
    }
  }

  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  // What happens with the locks held is one record.
  static void begin_record(State& list) noexcept {
    if (core::Recorder* const recorder = list.recorder()) [[unlikely]]
      recorder->begin();
  }
  static void end_record(State& list) noexcept {
    if (core::Recorder* const recorder = list.recorder()) [[unlikely]]
      recorder->end();
  }

  // An element that was moved on may be moved on again, round and round, and so may what makes room behind it.
  [[gnu::noinline]] void finish_all() noexcept {
    const std::vector<State*>& all = others_->all;
    serve_all();
    for (State* const list : all) list->locked_with.store(nullptr, sync::relaxed);  // LY
    serve_all();  // who was left to a list that cannot serve yet whom it has to serve before
    for (State* const list : all) list->settle();
    for (State* const list : all) end_record(*list);
    for (State* const list : all) list->mutex().unlock();
  }

  void serve_all() noexcept {
    for (bool served = true; served;) {
      served = false;
      for (State* const list : others_->all) served = list->serve_or_wake() || served;
    }
  }

  [[gnu::noinline]] void lock_all(std::vector<State*> lists) {
    others_.emplace();
    std::vector<std::shared_ptr<State>>& kept = others_->kept;
    for (;;) {
      std::sort(lists.begin(), lists.end(), std::less<>());
      lists.erase(std::unique(lists.begin(), lists.end()), lists.end());
      std::vector<sync::unique_lock<sync::mutex>> locks;
      locks.reserve(lists.size());
      for (State* const list : lists) locks.emplace_back(list->mutex());
      const std::size_t known = kept.size();
      keep_missing(lists, kept);
      if (kept.size() == known) {
        others_->all = std::move(lists);
        for (auto& lock : locks) lock.release();
        for (State* const list : others_->all) {
          list->locked_with.store(this, sync::relaxed);  // LY
          begin_record(*list);
        }
        return;
      }
      for (std::size_t i = known; i < kept.size(); ++i) lists.push_back(kept[i].get());
    }
  }

  // The lists that must be locked as well, given those that are.
  static void keep_missing(const std::vector<State*>& locked, std::vector<std::shared_ptr<State>>& kept) {
    for (State* const list : locked) {
      for (auto* place = list->poppers.first(); place != nullptr; place = place->behind) {
        const auto& to = place->waiter.destination.list;
        if (to && !std::binary_search(locked.begin(), locked.end(), to.get(), std::less<>())) kept.push_back(to);
      }
    }
  }

  // When they are several.
  struct Others {
    std::vector<State*> all{};
    std::vector<std::shared_ptr<State>> kept{};  // those that may end meanwhile
  };

  const core::Later later_;  // those who are served may be completions, whose handlers are the user's code
  State& list_;
  std::optional<Others> others_;
};

}  // namespace brook::blocking_list
