// What a debugger is asked to show; the expected text is in CMakeLists.txt.
#include <string>

#include <brook/blocking_list.hpp>
#include <brook/channel.hpp>
#include <brook/pubsub.hpp>
#include <brook/stream.hpp>

// May throw when it moves, and so lies outside of its slot.
struct Word {
  Word(const char* its_text) : text(its_text) {}
  Word(Word&& other) : text(other.text) {}
  std::string text;
};

void stop_here() {}

void streams() {
  brook::Stream<int> numbers;
  for (std::uint64_t i = 1; i <= 30; ++i) numbers.add(brook::Id{i, 0}, static_cast<int>(i * i));
  numbers.trim({.max_len = 4});
  numbers.erase(brook::Id{28, 0});
  brook::Stream<std::string> words;
  words.add(brook::Id{5, 0}, "tea");
  words.add(brook::Id{6, 0}, "milk");
  words.add(brook::Id{7, 0}, "sugar");
  words.erase(words.last_id());
  words.trim({.max_len = 1});
  words.close();
  brook::Stream<Word> boxed;
  boxed.add(brook::Id{8, 0}, "salt");
  [[maybe_unused]] const brook::Id last = numbers.last_id();
  [[maybe_unused]] const brook::Entries<int> range = numbers.range();
  [[maybe_unused]] const auto added = boxed.add(brook::Id{9, 1}, "tea");
  [[maybe_unused]] const auto refused = words.add("salt");
  auto group = *boxed.create_group("kitchen", brook::earliest);
  auto cook = group.consumer("cook");
  const auto batch = *cook.read();
  [[maybe_unused]] const auto delivery = batch.back();
  stop_here();
}

void lists() {
  brook::BlockingList<int> queue;  // of several segments
  for (int i = 1; i <= 12; ++i) static_cast<void>(queue.rpush(i));
  for (int i = 1; i <= 9; ++i) static_cast<void>(queue.lpop());
  brook::BlockingList<int> turned;  // pushed at the left
  for (int i = 1; i <= 3; ++i) static_cast<void>(turned.lpush(i));
  static_cast<void>(turned.rpop());
  brook::BlockingList<Word> boxes;
  static_cast<void>(boxes.lpush("tea"));
  static_cast<void>(boxes.lpush("milk"));
  brook::BlockingList<bool> flags;
  static_cast<void>(flags.rpush(true));
  brook::BlockingList<std::string> edited;
  static_cast<void>(edited.rpush("salt"));
  static_cast<void>(edited.rpush("tea"));
  static_cast<void>(edited.lset(0, "sugar"));
  brook::BlockingList<int> both;  // some gathered, and some behind them in the queue
  for (int i = 1; i <= 3; ++i) static_cast<void>(both.rpush(i));
  static_cast<void>(both.lset(0, 100));
  for (int i = 1; i <= 32; ++i) static_cast<void>(both.rpush(i));
  for (int i = 1; i <= 33; ++i) static_cast<void>(both.lpop());
  for (int i = 33; i <= 34; ++i) static_cast<void>(both.rpush(i));
  const brook::BlockingList<int> empty;
  stop_here();
}

void channels() {
  brook::Channel<int> ticks;
  const auto all = ticks.subscribe();
  auto some = ticks.subscribe();
  const auto last_two = ticks.subscribe({.backlog = 2, .overflow = brook::Overflow::drop_oldest});
  const auto too_slow = ticks.subscribe({.backlog = 2, .overflow = brook::Overflow::disconnect});
  auto gone = ticks.subscribe();
  for (int i = 1; i <= 4; ++i) ticks.publish(i * i);
  gone.unsubscribe();
  [[maybe_unused]] const auto tick = *some.receive();
  brook::Channel<Word> boxed;
  const auto words = boxed.subscribe();
  boxed.publish("tea");
  brook::PubSub<std::string> news;
  auto sports = news.subscribe({}, {.patterns = {"news.*"}});
  news.publish("news.sport", "1:0");
  [[maybe_unused]] const auto message = *sports.receive();
  stop_here();
}

int main() {
  streams();
  lists();
  channels();
}
