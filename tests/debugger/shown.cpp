// What a debugger is asked to show; the expected text is in CMakeLists.txt.
#include <string>

#include <brook/stream.hpp>

// May throw when it moves, and so lies outside of its slot.
struct Word {
  Word(const char* its_text) : text(its_text) {}
  Word(Word&& other) : text(other.text) {}
  std::string text;
};

void stop_here(const brook::Stream<int>&, const brook::Stream<std::string>&, const brook::Stream<Word>&) {}

int main() {
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
  const brook::Id last = numbers.last_id();
  const brook::Entries<int> range = numbers.range();
  const auto added = boxed.add(brook::Id{9, 1}, "tea");
  const auto refused = words.add("salt");
  stop_here(numbers, words, boxed);
  static_cast<void>(last);
  static_cast<void>(added);
  static_cast<void>(refused);
  return 0;
}
