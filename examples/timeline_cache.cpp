// The newest 100 posts of those users whose timelines are being looked at: each post goes to the timelines of who follows its
// author, but only to those that are cached (LPUSHX), and nothing older than the hundredth is kept (LTRIM).
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include <brook/blocking_list.hpp>

namespace {

constexpr int newest = 100;

class Timelines {
 public:
  /// Somebody begins to look: from now on there is something to add to.
  void cache(const std::string& user) { lists_[user].lpush("welcome, " + user); }

  void deliver(const std::vector<std::string>& followers, const std::string& post) {
    for (const std::string& user : followers) {
      auto& timeline = lists_[user];
      if (*timeline.lpushx(post) > newest) timeline.ltrim(0, newest - 1);
    }
  }

  [[nodiscard]] const brook::BlockingList<std::string>& of(const std::string& user) { return lists_[user]; }

 private:
  std::map<std::string, brook::BlockingList<std::string>> lists_;
};

}  // namespace

int main() {
  Timelines timelines;
  timelines.cache("ada");
  timelines.cache("grace");
  for (int i = 1; i <= 150; ++i) timelines.deliver({"ada", "linus"}, "post " + std::to_string(i));
  timelines.deliver({"grace"}, "hello");

  for (const char* user : {"ada", "grace", "linus"}) {
    const auto& timeline = timelines.of(user);
    std::cout << user << " has " << timeline.size() << " posts";
    for (const std::string& post : timeline.lrange(0, 1)) std::cout << " · " << post;
    std::cout << '\n';
  }
}
