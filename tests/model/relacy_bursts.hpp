// relacy_bursts.hpp — a random scheduler for Relacy whose threads run in bursts.
//
// Relacy's own changes threads at every step, so that all keep the same pace: hardly ever does one stand still while
// another does a whole operation, which is what most faults need. Here each execution draws how long a burst lasts on
// average: two steps, eight, or thirty-two.
#pragma once

#include <cstdint>
#include <istream>
#include <ostream>

#include "relacy_sync.hpp"

namespace brook::model {

template <rl::thread_id_t threads>
class BurstyScheduler : public rl::scheduler<BurstyScheduler<threads>, rl::scheduler_thread_info, threads> {
  using Base = rl::scheduler<BurstyScheduler, rl::scheduler_thread_info, threads>;

 public:
  using thread_info_t = typename Base::thread_info_t;
  using shared_context_t = typename Base::shared_context_t;
  struct task_t {};

  BurstyScheduler(rl::test_params& params, shared_context_t& shared, rl::thread_id_t dynamic_threads)
      : Base(params, shared, dynamic_threads) {}

  // — what rl::scheduler asks of its derived class —

  rl::thread_id_t iteration_begin_impl() {
    random_ = this->iter_ << 32;
    burst_ = 2U << (2 * below(3));
    return any_running();
  }

  bool iteration_end_impl() { return this->iter_ == this->params_.iteration_count; }

  rl::thread_id_t schedule_impl(rl::unpark_reason& reason, unsigned yields) {
    const bool someone_runs = this->running_threads_count != 0;
    if (this->timed_thread_count_ != 0 && (!someone_runs || below(4 * burst_) == 0)) {
      reason = rl::unpark_reason_timeout;
      return woken(this->timed_threads_[below(static_cast<unsigned>(this->timed_thread_count_))]);
    }
    if (this->spurious_thread_count_ != 0 && someone_runs && below(16 * burst_) == 0) {
      reason = rl::unpark_reason_spurious;
      return woken(this->spurious_threads_[below(static_cast<unsigned>(this->spurious_thread_count_))]);
    }
    reason = rl::unpark_reason_normal;
    const bool goes_on = this->thread_->state_ == rl::thread_state_running && yields == 0 && below(burst_) != 0;
    return goes_on ? this->thread_->index_ : any_running();
  }

  unsigned rand_impl(unsigned limit, rl::sched_type) { return below(limit); }
  rl::iteration_t iteration_count_impl() { return this->params_.iteration_count; }
  void get_state_impl(std::ostream&) {}
  void set_state_impl(std::istream&) {}
  void on_thread_block(rl::thread_id_t, bool) {}

 private:
  // SplitMix64 (Steele, Lea, Flood 2014).
  unsigned below(unsigned limit) {
    std::uint64_t mixed = random_ += 0x9e3779b97f4a7c15U;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
    return static_cast<unsigned>((mixed ^ (mixed >> 31)) % limit);
  }

  rl::thread_id_t any_running() {
    return this->running_threads[below(static_cast<unsigned>(this->running_threads_count))];
  }

  rl::thread_id_t woken(thread_info_t* thread) {
    this->unpark_thread(thread->index_);
    return thread->index_;
  }

  std::uint64_t random_ = 0;
  unsigned burst_ = 2;
};

}  // namespace brook::model
