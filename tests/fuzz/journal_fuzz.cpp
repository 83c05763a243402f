// What a journal makes again looks as it was, after any operations; cut off anywhere it is a state that there was before; and
// damaged anywhere it never crashes, and takes no more memory than it justifies.
//
// usage: journal_fuzz [SEED [STATES]]
#include <brook/journal.hpp>
#include <brook/testing.hpp>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "../unit/snapshot_support.hpp"
#include "counted_new.hpp"
#include "snapshot_scene.hpp"

namespace {

using namespace fuzz;
using brook::test::all_types;
using brook::test::Directory;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

// But for how many adds were duplicates, and when who got nothing was last seen.
std::string seen_of(brook::Broker& broker, bool with_times = true) {
  std::ostringstream out;
  for (const std::string& name : broker.keys()) {
    const auto expires = *broker.expires_in(name);
    out << name << ' ' << *broker.type(name) << ' ' << (expires && with_times ? expires->count() : -1) << '\n';
    if (const auto list = broker.list<std::string>(name)) {
      out << (*list)->info().capacity;
      for (const auto& text : (*list)->lrange(0, -1)) out << ' ' << text;
      out << '\n';
    } else if (const auto stream = broker.stream<std::string>(name)) {
      const auto info = (*stream)->info();
      out << info.length << ' ' << info.capacity << ' ' << info.entries_added << ' ' << info.first_id << ' '
          << info.last_id << ' ' << info.max_deleted_id << ' ' << info.producer_keys << '\n';
      for (const auto& [id, value] : (*stream)->range()) out << id << '=' << value << '\n';
      for (const std::string& group : (*stream)->groups()) {
        const auto told = *(*stream)->group(group)->full_info(brook::no_limit);
        out << group << ' ' << told.pending << ' ' << told.returned << ' ' << told.last_delivered_id << ' '
            << told.entries_read << ' ' << told.lag << ' ' << told.lost << '\n';
        for (const auto& entry : told.entries)
          out << ' ' << entry.id << ' ' << entry.consumer << ' ' << (with_times ? entry.idle.count() : 0) << ' '
              << entry.deliveries << '\n';
        for (const auto& member : told.members) out << ' ' << member.name << ' ' << member.pending << '\n';
      }
    } else if (const auto dead = broker.stream<brook::DeadLetter<std::string>>(name)) {
      for (const auto& [id, letter] : (*dead)->range())
        out << id << '=' << letter.value << ' ' << letter.id << ' ' << letter.group << ' ' << letter.deliveries << '\n';
    }
  }
  return out.str();
}

// Whatever a broker can do, by chance.
class Shop {
 public:
  Shop(Random& random, brook::ManualClock& clock, brook::Broker& broker, bool names_expire = true)
      : random_(random), clock_(clock), broker_(broker), names_expire_(names_expire) {}

  [[nodiscard]] static brook::JournalOptions options() {
    brook::JournalOptions how{.flush = brook::Flush::never, .compact_factor = 0};
    for (const char* name : {"s0", "s1", "s2", "s3"})
      how.policies.group<std::string>(name, "ordered", Scene::options("ordered"));
    return how;
  }

  void step() {
    switch (random_.below(20)) {
      case 0: clock_.advance(std::chrono::milliseconds(random_.below(3000))); break;
      case 1: return rename_or_so();
      case 2: return group_step();
      case 3: return erase();
      case 4:
      case 5:
      case 6: return list_step();
      case 7:
      case 8: return forward();
      case 9:
      case 10:
      case 11:
      case 12: return consume();
      default: return add();
    }
  }

 private:
  using Text = brook::Stream<std::string>;
  using Texts = brook::BlockingList<std::string>;

  std::string text() {
    return std::string(static_cast<std::size_t>(random_.of_any_size(6)), 'a') + std::to_string(random_.bits() % 100);
  }
  std::shared_ptr<Text> stream() {
    const std::string name = random_.one_of<const char*>({"s0", "s1", "s2", "s3"});
    const brook::StreamOptions options{
        .max_len = random_.one_in(3) ? random_.between(1, 30) : brook::unlimited,
        .capacity = random_.one_in(5) ? 40 : brook::unlimited,
        .max_age = std::chrono::milliseconds(random_.one_in(4) ? 20'000 : 0),
        .until_acked = random_.one_in(4),
        .idempotency = {.keys = 3},
    };
    const auto found = broker_.stream<std::string>(name, options);
    if (!found) throw Difference("a stream is not to be had: " + found.error().message());
    for (const char* group : {"plain", "ordered", "delayed"}) {
      if (!random_.one_in(3)) continue;
      auto how = Scene::options(group);
      how.dead_letter =
          group == std::string("delayed") ? *broker_.stream<brook::DeadLetter<std::string>>("dead") : nullptr;
      static_cast<void>(
          (*found)->create_group(group, random_.one_in(2) ? brook::Position(brook::earliest) : brook::latest, how));
    }
    return *found;
  }
  std::shared_ptr<Texts> list() {
    return *broker_.list<std::string>(
        random_.one_of<const char*>({"l0", "l1", "l2"}),
        {.capacity = random_.one_in(3) ? 5 : brook::no_limit,
         .overflow = random_.one_in(2) ? brook::Overflow::drop_oldest : brook::Overflow::reject});
  }
  std::optional<brook::Group<std::string>> group_of(Text& of) {
    const auto names = of.groups();
    if (names.empty()) return std::nullopt;
    return *of.group(random_.one_of(names));
  }

  void add() {
    const auto to = stream();
    switch (random_.below(6)) {
      case 0:
        static_cast<void>(to->add(
            text(), {.producer = random_.one_of<const char*>({"p", "q"}), .key = std::to_string(random_.below(6))}));
        break;
      case 1:
        static_cast<void>(
            to->add(brook::Id{to->last_id().ms + random_.of_any_size(10), random_.of_any_size(20) + 1}, "far"));
        break;
      default: {
        std::vector<std::string> batch(static_cast<std::size_t>(random_.between(1, 5)));
        for (auto& one : batch) one = text();
        static_cast<void>(to->add_range(batch));
      }
    }
  }
  void erase() {
    const auto from = stream();
    if (random_.one_in(4)) return static_cast<void>(from->trim({.max_len = random_.below(20)}));
    std::vector<brook::Id> ids;
    for (const auto& entry : from->range(brook::Id::min(), brook::Id::max(), 30)) {
      if (random_.one_in(4)) ids.push_back(entry.id);
    }
    from->erase(ids);
  }
  void group_step() {
    const auto of = stream();
    const auto group = group_of(*of);
    if (!group) return;
    switch (random_.below(8)) {
      case 0: static_cast<void>(group->destroy()); break;
      case 1: static_cast<void>(group->set_id(brook::Id{random_.below(2) * of->last_id().ms, 0})); break;
      case 2:
        static_cast<void>(
            group->delete_consumer("cy", random_.one_in(2) ? brook::Orphans::drop : brook::Orphans::hand_back));
        break;
      case 3:
        if (group->name() == "ordered") break;
        static_cast<void>(group->consumer("cy").claim({of->last_id()}, {.retry_count = 2, .force = true}));
        break;
      case 4: static_cast<void>(group->consumer("di").history()); break;
      default: static_cast<void>(group->consumer("ann").auto_claim({.min_idle = 1s, .count = 3}));
    }
  }
  void consume() {
    const auto from = stream();
    const auto group = group_of(*from);
    if (!group) return;
    const auto consumer = group->consumer(random_.one_of<const char*>({"ann", "bob", "cy"}));
    const auto batch =
        consumer.read({.count = random_.between(1, 6), .no_ack = group->name() == "plain" && random_.one_in(9)});
    for (const auto& delivery : *batch) {
      if (random_.one_in(2)) delivery.ack();
      else if (random_.one_in(3)) static_cast<void>(delivery.nack({.fatal = random_.one_in(4)}));
    }
    if (random_.one_in(6)) static_cast<void>(batch->ack());
  }
  void forward() {
    const auto from = stream();
    const auto group = group_of(*from);
    if (!group) return;
    const auto batch = group->consumer("bob").read({.count = 2});
    for (const auto& delivery : *batch) {
      const auto to = stream();
      if (random_.one_in(2)) static_cast<void>(delivery.forward(*to, text()));
      else static_cast<void>(delivery.forward(brook::into(*to, text()), brook::into(*list(), text())));
    }
  }
  void list_step() {
    const auto of = list();
    switch (random_.below(14)) {
      case 0: static_cast<void>(of->lmove(*list(), side(), side())); break;
      case 1: static_cast<void>(of->lset(random_.one_in(2) ? 0 : -1, text())); break;
      case 2:
        if (const auto first = of->lindex(1)) static_cast<void>(of->linsert_before(*first, text()));
        break;
      case 3:
        if (const auto first = of->lindex(0)) static_cast<void>(of->lrem(random_.one_in(2) ? 0 : -1, *first));
        break;
      case 4: of->ltrim(static_cast<std::ptrdiff_t>(random_.below(3)), -1); break;
      case 5:
        if (random_.one_in(4)) of->clear();
        break;
      case 6: static_cast<void>(of->lpop(random_.below(4))); break;
      case 7: static_cast<void>(of->rpop()); break;
      case 8: static_cast<void>(of->lpushx(text())); break;
      case 9: static_cast<void>(brook::lmpop(side(), 2, *of, *list())); break;
      default: {
        std::vector<std::string> batch(static_cast<std::size_t>(random_.between(1, 4)));
        for (auto& one : batch) one = text();
        if (random_.one_in(2)) static_cast<void>(of->lpush_range(batch));
        else static_cast<void>(of->rpush_range(batch));
      }
    }
  }
  void rename_or_so() {
    const std::string name = random_.one_of<const char*>({"s2", "s3", "l1", "l2", "c"});
    switch (random_.below(6)) {
      case 0: static_cast<void>(broker_.erase(name)); break;
      case 1:
        if (name != "c") static_cast<void>(broker_.rename(name, name[0] == 's' ? "s3" : "l2"));
        break;
      case 2:
        if (!names_expire_) break;
        static_cast<void>(broker_.expire_after(name, std::chrono::milliseconds(random_.below(5000))));
        break;
      case 3: static_cast<void>(broker_.persist(name)); break;
      default: static_cast<void>(broker_.channel<std::string>("c"));
    }
  }
  brook::Side side() { return random_.one_in(2) ? brook::Side::left : brook::Side::right; }

  Random& random_;
  brook::ManualClock& clock_;
  brook::Broker& broker_;
  const bool names_expire_;
};

Bytes read_file(const fs::path& path) {
  const std::string text = Directory::read(path);
  Bytes bytes(text.size());
  if (!text.empty()) std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}
void write_file(const fs::path& path, std::span<const std::byte> bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

// What is found in a directory, or why nothing is.
struct Found {
  std::string state{};
  std::uint64_t records = 0;
};
Found found_in(const fs::path& path, brook::ManualClock& clock, bool with_times = true, bool compact = false) {
  struct NoDisk final : brook::snapshot::Files {
    std::error_code flush(Handle) override { return {}; }
    std::error_code flush_directory(const fs::path&) override { return {}; }
  } no_disk;
  brook::Broker broker({.clock = &clock});
  brook::JournalOptions options = Shop::options();
  options.files = &no_disk;
  auto journal = brook::Journal::open(path, broker, all_types, options);
  if (!journal) return {"! " + journal.error().message()};
  Found found{seen_of(broker, with_times), journal->recovery().records};
  if (compact) {
    if (const auto done = journal->compact(); !done) throw Difference("compacting: " + done.error().message());
  }
  return found;
}

// Lives several times in the same directory, and looks the same after each.
void lives(Random& random, Journal& log) {
  const Directory directory;
  brook::ManualClock clock{1000s};
  std::string before;
  for (std::uint64_t life = random.between(1, 4); life > 0; --life) {
    brook::Broker broker({.clock = &clock});
    auto journal = brook::Journal::open(directory.path, broker, all_types, Shop::options());
    if (!journal) throw Difference("opening: " + journal.error().message());
    same("what is found", seen_of(broker), before);
    Shop shop(random, clock, broker);
    for (std::uint64_t steps = random.of_any_size(8); steps > 0; --steps) {
      shop.step();
      if (!random.one_in(40)) continue;
      if (const auto done = journal->compact(); !done) throw Difference("compacting: " + done.error().message());
    }
    if (const auto error = journal->error()) throw Difference("the journal failed: " + error->message());
    before = seen_of(broker);
    log.note("a life of ", journal->info().records, " records");
  }
  same("what is found in the end", found_in(directory.path, clock).state, before);
}

// Cut off at every byte the journal is one of the states that there were; with bytes changed it is refused, or one of those, or
// if their checksums were mended anything at all that can be there. Whatever it is, it is found again after a compaction.
void damages(Random& random) {
  const Directory directory;
  brook::ManualClock clock{1000s};
  std::map<std::uint64_t, std::string> states{{0, ""}};  // by how many records lead to them
  {
    brook::Broker broker({.clock = &clock});
    auto journal = brook::Journal::open(directory.path, broker, all_types, Shop::options());
    Shop shop(random, clock, broker, false);
    for (int steps = 0; steps < 25; ++steps) {
      shop.step();
      std::string state = seen_of(broker, false);  // who looks may find something too old
      states[journal->info().records] = std::move(state);
    }
  }
  const fs::path file = directory.path / "1.journal";
  const Bytes whole = read_file(file);
  const auto open_with = [&](std::span<const std::byte> bytes, bool compact = false) {
    fs::remove_all(directory.path);
    fs::create_directory(directory.path);
    write_file(file, bytes);
    const Allocations allocations;
    Found found = found_in(directory.path, clock, false, compact);
    const auto limit = static_cast<std::int64_t>(bytes.size() * 200 + 3'000'000);
    if (allocations.most() > limit)
      throw Difference("opening took " + std::to_string(allocations.most()) + " bytes for " +
                       std::to_string(bytes.size()));
    if (compact && found.state[0] != '!')
      same("after a compaction", found_in(directory.path, clock, false).state, found.state);
    return found;
  };
  for (std::size_t size = 0; size <= whole.size(); size += random.between(1, 40)) {
    const Found found = open_with(std::span(whole).first(size), random.one_in(4));
    if (found.state[0] == '!') throw Difference("a journal that is cut off is refused: " + found.state);
    if (const auto state = states.find(found.records); state != states.end())
      same("after " + std::to_string(found.records) + " records", found.state, state->second);
  }
  for (int i = 0; i < 40; ++i) {
    Bytes bytes = whole;
    mutate(random, bytes);
    const bool mended = random.one_in(2);
    if (mended) mend(bytes);
    static_cast<void>(open_with(bytes, mended));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments how = arguments(argc, argv, {1, 12});
  Journal log;
  for (std::uint64_t state = 0; state < how.operations; ++state) {
    try {
      Random random(how.seed + state);
      log.note("state ", state);
      lives(random, log);
      damages(random);
    } catch (const std::exception& problem) { return report("journal_fuzz", {how.seed + state, 1}, log, problem); }
  }
  return 0;
}
