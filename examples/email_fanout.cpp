// One stream of e-mails, three groups that each see all of them at their own pace: a log, notifications, statistics. A
// notification that cannot be delivered is tried three times and ends as a dead letter.
#include <iostream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <brook/stream.hpp>

namespace {

struct Email {
  std::string from;
  std::string to;
  std::string subject;
};

using Emails = brook::Stream<Email>;

// What the three have made of the e-mails, each of a part of its own.
struct Seen {
  std::vector<std::string> lines;
  int notified = 0;
  std::map<std::string, int> received;

  bool log(const Email& email) {
    lines.push_back(email.from + " -> " + email.to + ": " + email.subject);
    return true;
  }
  bool notify(const Email& email) {
    if (email.to.find('@') == std::string::npos) return false;
    ++notified;
    return true;
  }
  bool count(const Email& email) {
    ++received[email.to];
    return true;
  }
};

void print(const char* title, const std::vector<std::string>& lines) {
  std::cout << title << '\n';
  for (const std::string& line : lines) std::cout << "  " << line << '\n';
}

void print(const char* title, const std::map<std::string, int>& counts) {
  std::cout << title << '\n';
  for (const auto& [who, count] : counts) std::cout << "  " << who << ' ' << count << '\n';
}

// Hands every e-mail to `handle`; one that it does not manage is given back.
template <class Handle>
std::thread subscribe(const brook::Group<Email>& group, Handle handle) {
  return std::thread([me = group.consumer("worker"), handle]() mutable {
    while (const auto batch = me.read({.count = 16, .block = brook::forever})) {
      for (const auto& email : *batch) {
        if (handle(*email)) email.ack();
        else email.nack();
      }
    }
  });
}

}  // namespace

int main() {
  brook::Stream<brook::DeadLetter<Email>> undelivered;
  Emails emails;
  const auto log = emails.create_group("log", brook::earliest).value();
  const auto notify =
      emails.create_group("notify", brook::earliest, {.max_deliveries = 3, .dead_letter = &undelivered}).value();
  const auto statistics = emails.create_group("statistics", brook::earliest).value();

  Seen seen;
  std::vector<std::thread> subscribers;
  subscribers.push_back(subscribe(log, [&seen](const Email& email) { return seen.log(email); }));
  subscribers.push_back(subscribe(notify, [&seen](const Email& email) { return seen.notify(email); }));
  subscribers.push_back(subscribe(statistics, [&seen](const Email& email) { return seen.count(email); }));

  emails.add({"ann@example.org", "bob@example.org", "lunch?"});
  emails.add({"bob@example.org", "ann@example.org", "at noon"});
  emails.add({"cat@example.org", "nobody", "hello"});
  emails.add({"dan@example.org", "bob@example.org", "invoice"});
  while (notify.info()->lag > 0 || notify.info()->pending > 0) std::this_thread::yield();
  emails.close();
  for (auto& subscriber : subscribers) subscriber.join();

  print("log", seen.lines);
  std::cout << "notified " << seen.notified << '\n';
  for (const auto& [id, letter] : undelivered.range()) {
    std::cout << "undelivered after " << letter.deliveries << " attempts: \"" << letter.value.subject << "\" to "
              << letter.value.to << '\n';
  }
  print("received", seen.received);
}
