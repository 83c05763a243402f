// asio.hpp — all that can be waited for, as an asynchronous operation of asio, with any completion token. It is standalone asio
// where that is found, and Boost.Asio elsewhere; 1.20 (Boost 1.77) or later, for its cancellation slots.
//
//   while (auto job = co_await brook::async_ready(io, brook::forever, jobs, asio::use_awaitable)) work(*job);
//   auto got = brook::async_ready(io, 5s, jobs, ticks, asio::use_future);
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#if __has_include(<asio/associated_cancellation_slot.hpp>)
#include <asio/associated_allocator.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/execution/context.hpp>
#include <asio/execution_context.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/query.hpp>
namespace brook::async {
namespace net = ::asio;
}
#else
#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>
namespace brook::async {
namespace net = ::boost::asio;
}
#endif

#include <brook/core/sync.hpp>
#include <brook/core/undo.hpp>
#include <brook/error.hpp>
#include <brook/select.hpp>
#include <brook/select/sources.hpp>
#include <brook/wait.hpp>
#include <brook/wait/completion.hpp>

namespace brook {

namespace async {

// An operation that waits, as its execution context knows it.
class Operation {
 public:
  virtual ~Operation() = default;
  // Its handler dies uncalled.
  virtual void drop() noexcept = 0;

 private:
  friend class Waiting;

  std::weak_ptr<wait::AnyCompletion> completion_;
  Operation* before_ = nullptr;
  Operation* behind_ = nullptr;
  bool listed_ = false;
};

// The operations of an execution context that wait: when it dies they end, so that nothing is ever posted to it then. Since it
// shuts down its services before what runs the handlers, whoever is just posting may finish that.
class Waiting final : public net::execution_context::service {
 public:
  static inline net::execution_context::id id;

  explicit Waiting(net::execution_context& context) : service(context) {}

  void enter(Operation& operation, const std::shared_ptr<wait::AnyCompletion>& completion) {
    const sync::unique_lock<sync::mutex> held(mutex_);
    operation.completion_ = completion;
    operation.behind_ = std::exchange(first_, &operation);
    if (operation.behind_ != nullptr) operation.behind_->before_ = &operation;
    operation.listed_ = true;
  }
  void leave(Operation& operation) noexcept {
    const sync::unique_lock<sync::mutex> held(mutex_);
    (operation.before_ != nullptr ? operation.before_->behind_ : first_) = operation.behind_;
    if (operation.behind_ != nullptr) operation.behind_->before_ = operation.before_;
    operation.listed_ = false;
    left_.notify_all();
  }

 private:
  void shutdown() noexcept override {
    for (;;) {
      sync::unique_lock<sync::mutex> held(mutex_);
      if (first_ == nullptr) return;
      Operation& operation = *first_;
      const auto completion = operation.completion_.lock();  // which owns it, and lives until it has left
      held.unlock();
      if (completion->abandon()) {
        operation.drop();
        leave(operation);
      } else {
        held.lock();
        while (operation.listed_) left_.wait(held);
        held.unlock();
      }
    }
  }

  sync::mutex mutex_;
  sync::condition_variable left_;
  Operation* first_ = nullptr;
};

template <class Handler, class Executor>
using ExecutorOf = net::associated_executor_t<Handler, Executor>;

// A handler, with what keeps the context busy that it will be called in.
template <class Handler, class Executor>
struct Bound {
  Bound(Handler&& called, const Executor& executor)
      : work(net::get_associated_executor(called, executor)), handler(std::move(called)) {}

  net::executor_work_guard<ExecutorOf<Handler, Executor>> work;
  Handler handler;
};

// A handler on its way into its context. When that dies before it is called, nobody wants what was taken for it.
template <class Handler, class Executor, class Completion>
class Posted {
 public:
  using allocator_type = net::associated_allocator_t<Handler>;
  using executor_type = ExecutorOf<Handler, Executor>;

  Posted(Bound<Handler, Executor>&& bound, std::shared_ptr<Completion> completion) noexcept
      : bound_(std::move(bound)), completion_(std::move(completion)) {}
  Posted(Posted&&) = default;
  ~Posted() {
    if (completion_ != nullptr) completion_->give_back();
  }
  Posted& operator=(Posted&&) = delete;

  [[nodiscard]] allocator_type get_allocator() const noexcept { return net::get_associated_allocator(bound_.handler); }
  [[nodiscard]] executor_type get_executor() const noexcept { return bound_.work.get_executor(); }

  void operator()() {
    auto result = std::exchange(completion_, nullptr)->result_or_why_not();
    std::move(bound_.handler)(std::move(result));
  }

 private:
  Bound<Handler, Executor> bound_;
  std::shared_ptr<Completion> completion_;  // null once it is called
};

template <class Handler, class Executor>
class WithHandler final : public Operation {
 public:
  WithHandler(Waiting& waiting, Handler&& handler, const Executor& executor)
      : waiting_(waiting), parts_(std::in_place, executor, std::move(handler)) {}

  void drop() noexcept override { parts_.reset(); }

  // Once; a post that fails terminates.
  template <class Completion>
  void post(const std::shared_ptr<Completion>& completion) noexcept {
    net::post(parts_->work.get_executor(), Posted<Handler, Executor, Completion>(std::move(parts_->bound), completion));
    parts_.reset();
    waiting_.leave(*this);
  }

 private:
  struct Parts {
    Parts(const Executor& executor, Handler&& handler) : work(executor), bound(std::move(handler), executor) {}

    net::executor_work_guard<Executor> work;  // until the handler is posted
    Bound<Handler, Executor> bound;
  };

  Waiting& waiting_;
  std::optional<Parts> parts_;
};

template <class Handler, class Executor>
struct Post {
  std::shared_ptr<WithHandler<Handler, Executor>> operation;

  template <class Completion>
  void operator()(const std::shared_ptr<Completion>& completion) noexcept {
    operation->post(completion);
  }
};

template <class Executor>
class Initiate {
 public:
  using executor_type = Executor;

  explicit Initiate(const Executor& executor) : executor_(executor) {}

  [[nodiscard]] executor_type get_executor() const noexcept { return executor_; }

  template <class Handler, class... Sources>
  void operator()(Handler&& handler, const Wait& wait, Sources&&... sources) const {
    using H = std::decay_t<Handler>;
    using Completion = wait::Completion<Post<H, Executor>, typename std::remove_cvref_t<Sources>::Case...>;
    const auto slot = net::get_associated_cancellation_slot(handler);
    auto& waiting = net::use_service<Waiting>(net::query(executor_, net::execution::context));
    const auto operation =
        std::make_shared<WithHandler<H, Executor>>(waiting, H(std::forward<Handler>(handler)), executor_);
    const auto completion =
        std::make_shared<Completion>(Post<H, Executor>{operation}, wait, 0, std::forward<Sources>(sources)...);
    waiting.enter(*operation, completion);
    core::Undo undo([&] { waiting.leave(*operation); });
    if (slot.is_connected()) assign(slot, CancelHandle(completion));
    const bool ended = Completion::start(completion);
    undo.keep();
    if (ended) operation->post(completion);
  }

 private:
  template <class Slot>
  static void assign(Slot slot, const CancelHandle& handle) {
    slot.assign([handle](net::cancellation_type type) {
      if (type != net::cancellation_type::none) handle.cancel();
    });
  }

  Executor executor_;
};

template <class Where>
[[nodiscard]] auto executor_of(Where&& where) {
  if constexpr (std::is_convertible_v<Where&, net::execution_context&>) return where.get_executor();
  else return std::decay_t<Where>(std::forward<Where>(where));
}

template <class Executor, class Token, Source... Sources>
decltype(auto) start(const Executor& executor, Token&& token, Wait wait, Sources... sources) {
  return net::async_initiate<Token, void(expected<Selected<Sources...>, Errc>)>(
      Initiate<Executor>(executor), token, std::move(wait), std::move(sources)...);  // a token may keep these
}

}  // namespace async

/// `async_ready(where, wait, sources…, token)`: an asynchronous operation of asio that completes with what
/// select(wait, sources…) would return. `where` is an execution context or an executor; `token` any completion token for the
/// signature `void(expected<Selected<Sources…>, Errc>)`. That there is nothing is an answer here as everywhere in brook, and
/// not an exception: so no error code comes first, and what is taken need not be default constructible.
///
/// The handler is called as if by post() to `where`, by its own executor and with its own allocator, never within this call;
/// until then there is outstanding work. Its cancellation slot, whatever the type of cancellation, ends the wait with
/// Errc::cancelled, unless there was something before: what was taken always comes to the handler. When the execution context
/// dies with the operation in it the handler dies with it, and what had been taken for it can be taken again, as
/// adapters/coroutine.hpp says of ready(). Errors: those of on_ready(). Throws as select(), and std::bad_alloc; the handler
/// is then not called.
template <class Where, class... SourcesAndToken>
requires(sizeof...(SourcesAndToken) > 1) decltype(auto)
    async_ready(Where&& where, const Wait& wait, SourcesAndToken&&... sources_and_token) {
  constexpr std::size_t sources = sizeof...(SourcesAndToken) - 1;
  auto all = std::forward_as_tuple(std::forward<SourcesAndToken>(sources_and_token)...);
  return [&]<std::size_t... at>(std::index_sequence<at...>)->decltype(auto) {
    return async::start(async::executor_of(std::forward<Where>(where)), std::get<sources>(std::move(all)), wait,
                        selection::kept(brook::from(std::get<at>(std::move(all))))...);
  }
  (std::make_index_sequence<sources>());
}

}  // namespace brook
