// requests.hpp — questions that are answered: a request goes to one of those who serve, and its reply to who asked.
//
//   brook::Requests<std::string, double> prices;
//   std::jthread server([&, service = prices.serve()]() mutable {
//     while (auto request = service.receive()) request->reply(price_of(**request));
//   });
//   if (auto price = prices.ask("ACME", 1s)) std::cout << *price << '\n';
#pragma once

#include <chrono>
#include <concepts>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include <brook/channel.hpp>
#include <brook/clock.hpp>
#include <brook/core/sync.hpp>
#include <brook/error.hpp>
#include <brook/message.hpp>
#include <brook/options.hpp>
#include <brook/subscription.hpp>
#include <brook/wait.hpp>
#include <brook/wait/at_gate.hpp>
#include <brook/wait/await.hpp>
#include <brook/wait/case.hpp>
#include <brook/wait/choice.hpp>
#include <brook/wait/gate.hpp>
#include <brook/wait/wakeable.hpp>

namespace brook {

namespace channel {

/// Where one answer is waited for. It is given once; what comes later is dropped. An answer that throws as it is moved stays
/// where it was: so it is not moved within an expected, whose own move ends the program then.
template <class Answer>
class Pending {
 public:
  /// False when there is one already, or nobody waits any more.
  bool give(Answer&& answer) {
    return end([&] { answer_.emplace(std::move(answer)); });
  }
  /// Gives an error instead. As above.
  bool refuse(Errc why) {
    return end([&]() noexcept { why_ = why; });
  }
  /// Errors: those of the answer, timed_out, cancelled; unanswered when it was taken before. The clock is needed only as long
  /// as it is not over.
  [[nodiscard]] expected<Answer, Errc> wait(Clock& clock, const Wait& wait, std::chrono::microseconds spin) {
    if (over()) return take();
    const auto come = [this] { return over(); };
    const auto outcome = wait::await(gate_, clock, wait.deadline(clock), wait, spin, come);
    const sync::unique_lock<sync::mutex> held(mutex_);
    const bool late = !over_.exchange(true, sync::seq_cst);
    if (!late) return take_locked();
    return unexpected(outcome == wait::Outcome::cancelled ? Errc::cancelled : Errc::timed_out);
  }
  [[nodiscard]] bool over() const noexcept { return over_.load(sync::seq_cst); }

  /// The answer, once over() says so; unanswered when there is none, or it was taken before.
  [[nodiscard]] expected<Answer, Errc> take() {
    const sync::unique_lock<sync::mutex> held(mutex_);
    return take_locked();
  }
  [[nodiscard]] wait::Gate& gate() noexcept { return gate_; }

 private:
  // It is gone once it has been moved, not when that threw.
  struct Drop {
    std::optional<Answer>& answer;
    const int thrown = std::uncaught_exceptions();
    ~Drop() {
      if (std::uncaught_exceptions() == thrown) answer.reset();
    }
  };

  template <class Give>
  bool end(const Give& give) {
    {
      const sync::unique_lock<sync::mutex> held(mutex_);
      if (over_.load(sync::seq_cst)) return false;
      give();
      over_.store(true, sync::seq_cst);
    }
    gate_.announce();
    return true;
  }
  [[nodiscard]] expected<Answer, Errc> take_locked() {
    if (!answer_) return unexpected(std::exchange(why_, Errc::unanswered));
    const Drop drop{answer_};
    return expected<Answer, Errc>(tl::in_place, *std::move(answer_));
  }

  sync::mutex mutex_;
  wait::Gate gate_;
  sync::atomic<bool> over_{false};
  std::optional<Answer> answer_;
  Errc why_ = Errc::unanswered;  // there is none
};

template <class Question, class Answer>
struct Asked {
  Question question;
  std::shared_ptr<Pending<Answer>> pending;
};

}  // namespace channel

/// A question that came to who serves. One that dies without a reply tells who asked: Errc::unanswered.
template <class Question, class Answer>
class Request {
 public:
  /// The other one is then none.
  Request(Request&& other) noexcept : message_(std::exchange(other.message_, std::nullopt)) {}
  Request& operator=(Request other) noexcept {
    std::swap(message_, other.message_);
    return *this;
  }
  ~Request() {
    if (message_) static_cast<void>((*message_)->pending->refuse(Errc::unanswered));
  }

  [[nodiscard]] const Question& operator*() const noexcept { return (*message_)->question; }
  [[nodiscard]] const Question* operator->() const noexcept { return std::addressof(**this); }

  /// Whether nobody waits for the answer any more.
  [[nodiscard]] bool over() const noexcept { return (*message_)->pending->over(); }

  /// Answers. False when nobody waits for it any more, or it has been answered: the reply is then dropped. Throws what
  /// Answer's move constructor throws, and then it has not been answered.
  bool reply(Answer answer) { return (*message_)->pending->give(std::move(answer)); }
  /// Answers with an error.
  bool refuse(Errc error) { return (*message_)->pending->refuse(error); }

  /// For the library.
  explicit Request(Message<channel::Asked<Question, Answer>>&& message) noexcept : message_(std::move(message)) {}

 private:
  std::optional<Message<channel::Asked<Question, Answer>>> message_;
};

/// One who serves. Those who do share the questions: each goes to the one that has waited longest.
template <class Question, class Answer>
class Service {
 public:
  /// The next question, waiting as `wait` says. Errors: timed_out; cancelled; closed. Questions that nobody waits for
  /// any more are passed over.
  [[nodiscard]] expected<Request<Question, Answer>, Errc> receive(const Wait& wait = forever) {
    const Wait until = wait.until(subscription_.clock());  // of all of them together
    for (;;) {
      auto request = receive_any(until);
      if (!request || !request->over()) return request;
    }
  }
  /// Serves until it ends, with what `answer(question)` returns. When that throws the question is unanswered, and it
  /// throws on.
  template <std::invocable<const Question&> F>
  void run(F&& answer) {
    while (auto request = receive()) request->reply(answer(**request));
  }
  /// Serves no more. A receive() that waits answers `closed`. When it was the last one who serves, questions that nobody has
  /// received are unanswered. May be called again.
  void unsubscribe() noexcept {
    if (subscription_.depart_if_last()) {
      while (receive_any(Wait())) {}
    }
    subscription_.unsubscribe();
  }

  /// The other one serves no more.
  Service(Service&&) noexcept = default;
  /// As unsubscribe(), and then the same.
  Service& operator=(Service&& other) noexcept {
    if (this == &other) return *this;
    unsubscribe();
    subscription_ = std::move(other.subscription_);
    return *this;
  }
  ~Service() { unsubscribe(); }

  /// For the library.
  explicit Service(Subscription<channel::Asked<Question, Answer>> subscription) noexcept
      : subscription_(std::move(subscription)) {}

 private:
  friend Subscription<channel::Asked<Question, Answer>>& subscription_of(Service& service) noexcept {
    return service.subscription_;
  }

  [[nodiscard]] expected<Request<Question, Answer>, Errc> receive_any(const Wait& wait) {
    auto message = subscription_.receive(wait);
    if (!message) return unexpected(message.error());
    return Request<Question, Answer>(*std::move(message));
  }

  Subscription<channel::Asked<Question, Answer>> subscription_;
};

namespace channel {

template <class Answer>
class Answered;

/// What is waited for: the source that makes the case.
template <class Answer>
struct AnswerFrom {
  using Case = Answered<Answer>;
  std::shared_ptr<Pending<Answer>> pending;
  Clock* clock;
};

/// An answer, as a case of a selection (wait/selection.hpp).
template <class Answer>
class Answered final : public wait::Case {
 public:
  using Value = Answer;

  explicit Answered(AnswerFrom<Answer> what) : pending_(std::move(what.pending)), clock_(what.clock) {}

  [[nodiscard]] Clock* clock() const noexcept override { return pending_->over() ? nullptr : clock_; }
  [[nodiscard]] wait::Found poll() override { return pending_->over() ? wait::Found::some : wait::Found::nothing; }
  void enlist(wait::Wakeable& call, const wait::Bid& bid) override { line_.enlist(pending_->gate(), call, bid); }
  [[nodiscard]] wait::Found look() override {
    return line_.look([this] { return pending_->over(); }, [this] { return poll(); });
  }
  void withdraw() noexcept override { line_.withdraw(); }
  [[nodiscard]] expected<Value, Errc> result() { return pending_->take(); }

 private:
  const std::shared_ptr<Pending<Answer>> pending_;
  Clock* const clock_;
  wait::AtGate line_;
};

}  // namespace channel

/// An answer that is on its way. When all copies of it, and what selects from it, have died nobody waits for the answer any
/// more: Request::over().
template <class Answer>
class Reply {
 public:
  /// Waits for it; once. Errors: timed_out; cancelled; and with what it was refused. It is then too late for the answer.
  /// Further: unanswered, when who served has gone, or when it was taken before. Throws what Answer's move constructor
  /// throws, and std::bad_alloc; the answer can then still be got.
  [[nodiscard]] expected<Answer, Errc> get(const Wait& wait = forever) { return pending_->wait(*clock_, wait, spin_); }
  /// Whether it is there.
  [[nodiscard]] bool ready() const noexcept { return pending_->over(); }

  /// For the library.
  Reply(std::shared_ptr<channel::Pending<Answer>> pending, Clock& clock, std::chrono::microseconds spin) noexcept
      : pending_(std::move(pending)), clock_(&clock), spin_(spin) {}

 private:
  friend channel::AnswerFrom<Answer> source_of(Reply& reply) noexcept { return {reply.pending_, reply.clock_}; }

  std::shared_ptr<channel::Pending<Answer>> pending_;
  Clock* clock_;
  std::chrono::microseconds spin_;
};

/// Questions and answers, on a channel: each question goes to one of those who serve, its answer to who asked, and to
/// nobody else. A question is unanswered when all who serve leave before one of them has received it.
/// Asking takes a lock, with which the question is moved to its place: so either who leaves sees it, or it is refused.
/// Thread-safety: any member may be called at any time from any thread, but for the destructor.
template <class Question, class Answer>
class Requests {
 public:
  Requests() : Requests(ChannelOptions{}) {}
  explicit Requests(const ChannelOptions& options)
      : clock_(clock_or_system(options.clock)), spin_(options.spin), questions_(options, {}) {}

  /// Asks, and waits for the answer. Errors: no_subscriber when nobody serves; unanswered; timed_out; cancelled;
  /// closed; and with what it was refused.
  [[nodiscard]] expected<Answer, Errc> ask(Question question, const Wait& wait = forever) {
    auto reply = send(std::move(question));
    if (!reply) return unexpected(reply.error());
    return reply->get(wait);
  }
  /// Asks, and goes on with other work until the answer is wanted. Errors: no_subscriber; closed.
  [[nodiscard]] expected<Reply<Answer>, Errc> send(Question question) {
    auto pending = std::make_shared<channel::Pending<Answer>>();
    std::shared_ptr<channel::Pending<Answer>> wanted(
        pending.get(), [pending](auto* given_up) noexcept { static_cast<void>(given_up->refuse(Errc::cancelled)); });
    const auto sent =
        questions_.publish(channel::Asked<Question, Answer>{std::move(question), std::move(pending)}, forever);
    if (!sent) return unexpected(sent.error());
    if (*sent == 0) return unexpected(Errc::no_subscriber);
    return Reply<Answer>(std::move(wanted), clock_, spin_);
  }

  /// Takes part in serving, from now on and for as long as the service lives.
  [[nodiscard]] Service<Question, Answer> serve() {
    return Service<Question, Answer>(questions_.subscribe({.share = "serve"}));
  }

  /// No more questions; those that have been asked can still be answered, and then those who serve end.
  void close() { questions_.close(); }

 private:
  Clock& clock_;
  const std::chrono::microseconds spin_;
  Channel<channel::Asked<Question, Answer>> questions_;
};

}  // namespace brook
