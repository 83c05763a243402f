// The stream of events is the truth; what is known of the accounts is derived from it. Replaying the events rebuilds the
// same state, as of any event, and a projection that is thought of later starts from the beginning.
#include <iostream>
#include <map>
#include <string>

#include <brook/stream.hpp>

namespace {

struct Event {
  std::string account;
  int amount;  // paid in, or out when negative
};

using Balances = std::map<std::string, int>;

Balances replay(const brook::Stream<Event>& events, brook::Id until = brook::Id::max()) {
  Balances balances;
  for (const auto& [id, event] : events.range(brook::Id::min(), until)) balances[event.account] += event.amount;
  return balances;
}

void print(const char* title, const Balances& balances) {
  std::cout << title << '\n';
  for (const auto& [account, balance] : balances) std::cout << "  " << account << ' ' << balance << '\n';
}

}  // namespace

int main() {
  brook::Stream<Event> events;
  const auto current = events.create_group("balances", brook::earliest).value().consumer("projector");
  Balances balances;
  const auto project = [&] {
    const auto batch = current.read();
    for (const auto& event : *batch) balances[event->account] += event->amount;
    batch->ack();
  };

  events.add({"ann", 100});
  events.add({"bob", 50});
  project();
  const brook::Id yesterday = events.last_id();
  events.add({"ann", -30});
  events.add({"bob", 25});
  events.add({"ann", -5});
  project();

  print("now", balances);
  print("as of yesterday", replay(events, yesterday));
  std::cout << "rebuilt " << (replay(events) == balances ? "the same" : "ANOTHER STATE") << '\n';

  // A new question, asked of old events.
  const auto withdrawals = events.create_group("withdrawals", brook::earliest).value().consumer("projector");
  int count = 0;
  const auto batch = withdrawals.read();
  for (const auto& event : *batch) count += event->amount < 0 ? 1 : 0;
  batch->ack();
  std::cout << count << " withdrawals since the beginning\n";

  // The same event, sent again by a client that saw no answer, is not a second one.
  const auto first = events.add({"bob", 10}, {.producer = "till-1", .key = "receipt-17"});
  const auto again = events.add({"bob", 10}, {.producer = "till-1", .key = "receipt-17"});
  std::cout << (first == again ? "counted once" : "COUNTED TWICE") << ", bob has " << replay(events)["bob"] << '\n';
}
