// stream_against_redis.cpp — random operations on a Stream and on a stream of a real redis-server 7.0, which this
// program starts for itself; all answers must be equal but for those in known_differences.hpp. Where hiredis or
// redis-server is absent it says so and succeeds.
//
//   stream_against_redis [seed] [operations]
#include <cstdio>

#ifndef BROOK_TEST_HIREDIS

int main() {
  std::puts("stream_against_redis: skipped: built without hiredis (apt-get install libhiredis-dev redis-server)");
  return 0;
}

#else

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <brook/brook.hpp>
#include <brook/testing/manual_clock.hpp>

#include "fuzz.hpp"
#include "known_differences.hpp"
#include "redis.hpp"

namespace {

using namespace fuzz;
using brook::no_limit;
using Stream = brook::Stream<std::string>;
using Group = brook::Group<std::string>;
using Command = Redis::Command;
template <class R>
using Expected = brook::expected<R, Errc>;

/// What brook calls the error that redis told.
Errc error_of(const Reply& reply, KnownDifferences& known) {
  const std::string told = reply.text();
  const auto says = [&told](std::string_view part) { return told.find(part) != std::string::npos; };
  if (!reply.is_error()) throw Difference("redis answers " + told + " where brook has an error");
  if (says("is equal or smaller than")) return Errc::id_too_small;
  if (says("must be greater than 0-0")) return Errc::invalid_id;
  if (says("exhausted the last possible ID")) return Errc::id_exhausted;
  if (says("Invalid stream ID")) return Errc::invalid_id;
  if (says("BUSYGROUP")) return Errc::group_exists;
  if (says("NOGROUP")) return Errc::no_such_group;
  if (says("Elements are too large")) {
    known.met(Known::auto_seq_text);
    return Errc::id_too_small;
  }
  throw Difference("redis: " + told);
}

Id id_of(const Reply& reply) {
  const Expected<Id> id = Id::parse(reply.text());
  if (!id) throw Difference("redis tells the id '" + reply.text() + "', which brook cannot read");
  same("how an id is written", brook::to_string(*id), reply.text());
  return *id;
}

/// One stream on both sides from its beginning to its end.
class Life {
 public:
  Life(Redis& redis, KnownDifferences& known, Random& random, Journal& journal)
      : redis_(redis),
        known_(known),
        random_(random),
        journal_(journal),
        ids_(random),
        clock_(std::chrono::milliseconds(random.of_any_size(42))),
        options_(choose_options()),
        wild_ids_(random.one_in(3)),
        removes_(!random.one_in(4)),
        stream_(options_) {
    journal_.note("a new stream, max_len ", options_.max_len);
    redis_({"FLUSHALL"});
    redis_({"XGROUP", "CREATE", "s", "first", "0", "MKSTREAM"});
    redis_({"XGROUP", "DESTROY", "s", "first"});
  }

  void run(std::uint64_t operations) {
    for (std::uint64_t i = 1; i <= operations; ++i) {
      step();
      if (i % 64 == 0) compare_all();
    }
    compare_all();
  }

 private:
  void step() {
    const std::uint64_t choice = random_.below(100);
    if (choice < 26) add();
    else if (choice < 30) add_range();
    else if (choice < 34) move_clock();
    else if (choice < 42) range();
    else if (choice < 50) rev_range();
    else if (choice < 55) read();
    else if (choice < 61) erase();
    else if (choice < 65) trim();
    else if (choice < 75) parse();
    else if (choice < 79) create_group();
    else step_group();
  }

  void step_group() {
    const std::optional<Group> group = choose_group();
    if (!group) return;
    const std::uint64_t choice = random_.below(100);
    if (choice < 30) read_group(*group);
    else if (choice < 44) history(*group);
    else if (choice < 57) ack(*group);
    else if (choice < 64) set_id(*group);
    else if (choice < 70) pending(*group);
    else if (choice < 75) list_pending(*group);
    else if (choice < 84) claim(*group);
    else if (choice < 92) auto_claim(*group);
    else if (choice < 96) delete_consumer(*group);
    else destroy_group(*group);
  }

  // — adding —

  void add() {
    const std::string value = std::to_string(next_value_++);
    switch (random_.below(wild_ids_ ? 6 : 4)) {
      case 0: return add_at_their_time(value);
      case 1:
      case 2: return add_at_our_time(value);
      case 3: return add_in_millisecond(value);
      default: return add_exactly(value);
    }
  }

  // Their clock is the machine's; brook's is set to what it must have said.
  void add_at_their_time(const std::string& value) {
    journal_.note("XADD *");
    const Reply reply = redis_(add_command("*", value));
    if (!reply.is_error()) {
      const std::uint64_t ms = id_of(reply).ms;
      set_clock(ms <= top >> 2 ? ms : 0);
    }
    compare_add(reply, stream_.add(value));
  }

  void add_at_our_time(const std::string& value) {
    journal_.note("add at ", clock_.unix_ms());
    const Expected<Id> outcome = stream_.add(value);
    compare_add(redis_(add_command(outcome ? text(*outcome) : "*", value)), outcome);
  }

  void add_in_millisecond(const std::string& value) {
    const std::uint64_t last = stream_.last_id().ms;
    std::uint64_t ms = last;
    if (random_.one_in(3)) ms = last - std::min(last, random_.below(3));
    else if (random_.one_in(2)) ms = Ids::plus(last, wild_ids_ ? ids_.far() : random_.below(3));
    journal_.note("XADD ", ms, "-*");
    compare_add(redis_(add_command(std::to_string(ms) + "-*", value)), stream_.add(brook::AutoSeq{ms}, value));
  }

  void add_exactly(const std::string& value) {
    const std::string spelt = spell(ids_.after(stream_.last_id()));
    journal_.note("XADD ", spelt);
    const Expected<Id> id = Id::parse(spelt);
    same("an id is read", id.has_value(), true);
    compare_add(redis_(add_command(spelt, value)), stream_.add(*id, value));
  }

  [[nodiscard]] Command add_command(const std::string& id, const std::string& value) const {
    if (options_.max_len == brook::unlimited) return {"XADD", "s", id, "v", value};
    return {"XADD", "s", "MAXLEN", "=", std::to_string(options_.max_len), id, "v", value};
  }

  void compare_add(const Reply& reply, const Expected<Id>& outcome) {
    journal_.result(text(outcome));
    if (!outcome) return same("add", outcome.error(), error_of(reply, known_));
    same("add", text(*outcome), reply.text());
    ids_.remember(*outcome);
    removed_ = removed_ || options_.max_len != brook::unlimited;
  }

  void add_range() {
    std::vector<std::string> values;
    for (std::uint64_t n = random_.below(random_.one_in(5) ? 600 : 20); n > 0; --n)
      values.push_back(std::to_string(next_value_++));
    journal_.note("add_range of ", values.size(), " at ", clock_.unix_ms());
    const Expected<brook::IdRange> outcome = stream_.add_range(values);
    if (!outcome) {
      journal_.result(text(outcome.error()));
      same("add_range", outcome.error(), Errc::id_exhausted);
      return same("add_range near the largest id", top - stream_.last_id().seq <= values.size(), true);
    }
    same("ids of add_range", std::uint64_t{outcome->size()}, std::uint64_t{values.size()});
    for (std::size_t i = 0; i < values.size(); ++i) redis_.send(add_command(text((*outcome)[i]), values[i]));
    for (std::size_t i = 0; i < values.size(); ++i) compare_add(redis_.receive(), (*outcome)[i]);
  }

  void move_clock() {
    switch (random_.below(wild_ids_ ? 4 : 3)) {
      case 0: clock_.advance(std::chrono::microseconds(random_.below(5000))); break;
      case 1: clock_.advance(std::chrono::milliseconds(random_.of_any_size(30))); break;
      case 2: set_clock(clock_.unix_ms() - std::min(clock_.unix_ms(), random_.of_any_size(34))); break;
      default: set_clock(random_.of_any_size(62)); break;
    }
    journal_.note("the clock says ", clock_.unix_ms());
  }
  void set_clock(std::uint64_t ms) { clock_.set_unix(std::chrono::milliseconds(static_cast<std::int64_t>(ms))); }

  // — reading —

  /// An end of a range, as redis is told and as brook is; brook has no word for what lies beyond the ids there are.
  struct Bound {
    std::string spelt;
    std::optional<Id> id;
  };

  Bound some_bound(bool is_end) {
    if (random_.one_in(4)) return is_end ? Bound{"+", Id::max()} : Bound{"-", Id::min()};
    if (random_.one_in(12)) return is_end ? Bound{"-", Id::min()} : Bound{"+", Id::max()};
    const Id id = ids_.any();
    std::string spelt = random_.one_in(4) ? std::to_string(id.ms) : spell(id);
    const Id read = *Id::parse(spelt, is_end ? top : 0);
    if (!random_.one_in(3)) return {spelt, read};
    if (is_end) return {"(" + spelt, read == Id::min() ? std::nullopt : std::optional(read.prev())};
    return {"(" + spelt, read == Id::max() ? std::nullopt : std::optional(read.next())};
  }

  void range() {
    const Bound first = some_bound(false);
    const Bound last = some_bound(true);
    const std::size_t count = some_count();
    journal_.note("XRANGE ", first.spelt, " ", last.spelt, " count ", count);
    const Reply reply = redis_(with_count({"XRANGE", "s", first.spelt, last.spelt}, count));
    if (!first.id || !last.id) return same("XRANGE fails", reply.is_error(), true);
    compare("range", stream_.range(*first.id, *last.id, count), reply);
  }

  void rev_range() {
    const Bound first = some_bound(false);
    const Bound last = some_bound(true);
    const std::size_t count = some_count();
    journal_.note("XREVRANGE ", last.spelt, " ", first.spelt, " count ", count);
    const Reply reply = redis_(with_count({"XREVRANGE", "s", last.spelt, first.spelt}, count));
    if (!first.id || !last.id) return same("XREVRANGE fails", reply.is_error(), true);
    compare("rev_range", stream_.rev_range(*last.id, *first.id, count), reply);
  }

  void read() {
    const Place place = some_place();
    const std::size_t count = some_count();
    journal_.note("XREAD ", place.spelt, " count ", count);
    const Expected<brook::Entries<std::string>> outcome = stream_.read(place.position, {.count = count});
    same("read succeeds", outcome.has_value(), true);
    if (count == 0) {
      known_.met(Known::count_zero);
      return same("read of nothing", outcome->empty(), true);
    }
    Command command = with_count({"XREAD"}, count);
    command.insert(command.end(), {"STREAMS", "s", place.spelt});
    const Reply reply = redis_(command);
    if (reply.is_nil()) return same("read finds nothing", std::uint64_t{outcome->size()}, std::uint64_t{0});
    compare("read", *outcome, reply[0][1]);
  }

  Command with_count(Command command, std::size_t count) {
    if (count == no_limit) return command;
    if (count == 0) known_.met(Known::count_zero);
    command.insert(command.end(), {"COUNT", std::to_string(count)});
    return command;
  }

  static void compare(const char* what, const brook::Entries<std::string>& entries, const Reply& reply) {
    if (reply.is_error()) throw Difference(std::string(what) + ": redis says " + reply.text());
    same(what, std::uint64_t{entries.size()}, std::uint64_t{reply.size()});
    std::size_t i = 0;
    for (const auto& [id, value] : entries) {
      const Reply one = reply[i++];
      same(what, text(id), one[0].text());
      same(what, value, one[1][1].text());
    }
  }

  // — removing —

  void erase() {
    if (!removes_) return;
    const std::vector<Id> ids = some_ids();
    if (ids.empty()) return;
    const Command command = with_ids({"XDEL", "s"}, ids);
    journal_.note(joined(command));
    const std::size_t outcome = stream_.erase(ids);
    removed_ = removed_ || outcome > 0;
    same("erase", std::uint64_t{outcome}, redis_(command).number());
  }

  void trim() {
    if (!removes_) return;
    const std::uint64_t length = stream_.size();
    brook::TrimOptions options;
    Command command{"XTRIM", "s"};
    if (random_.one_in(2)) {
      options.max_len = random_.one_in(6) ? random_.of_any_size(10) : length - std::min(length, random_.below(12));
      command.insert(command.end(), {"MAXLEN", "=", std::to_string(*options.max_len)});
    } else {
      const brook::Entries<std::string> oldest = stream_.range(Id::min(), Id::max(), 8);
      const std::string spelt = spell(oldest.empty() || random_.one_in(4) ? ids_.any() : oldest.back().id);
      options.min_id = *Id::parse(spelt);
      command.insert(command.end(), {"MINID", "=", spelt});
    }
    journal_.note(joined(command));
    const Expected<std::uint64_t> outcome = stream_.trim(options);
    same("trim succeeds", outcome.has_value(), true);
    removed_ = removed_ || *outcome > 0;
    same("trim", *outcome, redis_(command).number());
  }

  // — the grammar of ids —

  void parse() {
    const std::string spelt = some_text();
    journal_.note("the id '", escaped(spelt), "'");
    redis_.send({"XDEL", "s", spelt});
    redis_.send({"DEL", "fresh"});
    redis_.send({"XADD", "fresh", spelt, "v", "1"});
    Expected<Id> id = Id::parse(spelt);
    const Reply erased = redis_.receive();
    redis_.receive();
    const Reply added = redis_.receive();
    if (id) removed_ = stream_.erase(*id) > 0 || removed_;
    else id = read_otherwise(spelt, erased);
    same("the text is an id", id.has_value(), !erased.is_error());
    const std::string read = c_string(spelt);
    const std::size_t dash = read.find('-');
    if (read == "*" || (dash != read.npos && read.substr(dash + 1) == "*")) return;  // no id, and an entry all the same
    if (!id || *id == Id::min()) return same("the text names no entry", Errc::invalid_id, error_of(added, known_));
    same("the text read", text(*id), added.text());
    if (dash != read.npos) return;
    same("a text without a sequence number", *Id::parse(read, top), Id{id->ms, top});
  }

  // Text that brook refuses and redis does not.
  Expected<Id> read_otherwise(const std::string& spelt, const Reply& erased) {
    const Expected<Id> refused = brook::unexpected(Errc::invalid_id);
    if (erased.is_error()) return refused;
    // What redis found was removed there.
    const auto answer = [&](Id id) {
      if (erased.number() > 0) stream_.erase(id);
      removed_ = true;
      return id;
    };
    const std::string before_nul = c_string(spelt);
    const Expected<Id> as_c_string = Id::parse(before_nul);
    if (before_nul.size() < spelt.size()) known_.met(Known::nul_in_id);
    if (as_c_string) return answer(*as_c_string);
    const std::size_t dash = before_nul.find('-');
    const std::size_t minus = dash == before_nul.npos ? dash : before_nul.find_first_not_of(" \t\n\v\f\r", dash + 1);
    if (minus == before_nul.npos || before_nul[minus] != '-') return refused;
    std::string positive = before_nul;
    positive[minus] = '+';
    const Expected<Id> turned = Id::parse(positive);
    if (!turned) return refused;
    known_.met(Known::minus_in_seq);
    return answer({turned->ms, 0 - turned->seq});
  }

  static std::string c_string(const std::string& spelt) { return spelt.substr(0, spelt.find('\0')); }

  // — groups —

  void create_group() {
    const std::string name = some_name();
    const Place place = some_place();
    journal_.note("XGROUP CREATE ", name, " ", place.spelt);
    const Expected<Group> outcome = stream_.create_group(name, place.position);
    const Reply reply = redis_({"XGROUP", "CREATE", "s", name, place.spelt});
    if (!outcome) return same("create_group", outcome.error(), error_of(reply, known_));
    same("create_group", "OK", reply.text());
  }

  std::optional<Group> choose_group() {
    const std::string name = some_name();
    const Expected<Group> outcome = stream_.group(name);
    if (outcome) return *outcome;
    journal_.note("no group ", name);
    const Reply reply = redis_({"XREADGROUP", "GROUP", name, "ann", "STREAMS", "s", ">"});
    same("group", outcome.error(), error_of(reply, known_));
    same("a group that is not there is destroyed", redis_({"XGROUP", "DESTROY", "s", name}).number(), std::uint64_t{0});
    return std::nullopt;
  }

  brook::Consumer<std::string> some_consumer(const Group& group) {
    const std::string name = random_.one_of({"ann", "bob", "Cleo", ""});
    if (redis_({"XGROUP", "CREATECONSUMER", "s", group.name(), name}).number() == 1)
      known_.met(Known::consumer_on_read);
    return group.consumer(name);
  }

  void read_group(const Group& group) {
    const auto consumer = some_consumer(group);
    const brook::ReadOptions options{.count = some_count(), .no_ack = random_.one_in(4)};
    journal_.note("XREADGROUP ", group.name(), " ", consumer.name(), " count ", options.count,
                  options.no_ack ? " NOACK" : "");
    const Expected<brook::Deliveries<std::string>> outcome = consumer.read(options);
    same("read of a group succeeds", outcome.has_value(), true);
    if (options.count == 0) {
      known_.met(Known::count_zero);
      return same("read of nothing", outcome->empty(), true);
    }
    Command command = with_count({"XREADGROUP", "GROUP", group.name(), consumer.name()}, options.count);
    if (options.no_ack) command.push_back("NOACK");
    command.insert(command.end(), {"STREAMS", "s", ">"});
    const Reply reply = redis_(command);
    if (reply.is_nil()) return same("the group has nothing new", std::uint64_t{outcome->size()}, std::uint64_t{0});
    compare("read of a group", outcome->entries(), reply[0][1]);
    ack_some(group, *outcome, options.no_ack);
  }

  void history(const Group& group) {
    const auto consumer = some_consumer(group);
    const Id after = random_.one_in(2) ? Id::min() : ids_.any();
    const std::size_t count = some_count();
    journal_.note("XREADGROUP ", group.name(), " ", consumer.name(), " ", after, " count ", count);
    const Expected<brook::Deliveries<std::string>> outcome = consumer.history(after, count);
    same("history succeeds", outcome.has_value(), true);
    if (count == 0 || after == Id::max()) {
      known_.met(count == 0 ? Known::count_zero : Known::history_after_max);
      return same("history of nothing", outcome->empty(), true);
    }
    Command command{"XREADGROUP", "GROUP", group.name(), consumer.name()};
    if (outcome->size() == count) {
      const Reply upto = pending_of(consumer.name(), group, after, outcome->back().id());
      command.insert(command.end(), {"COUNT", std::to_string(upto.size())});
    }
    command.insert(command.end(), {"STREAMS", "s", text(after)});
    compare_history(*outcome, redis_(command)[0][1]);
    compare_counts(*outcome, pending_of(consumer.name(), group, after, Id::max()));
    ack_some(group, *outcome);
  }

  Reply pending_of(const std::string& consumer, const Group& group, Id after, Id last) {
    return redis_({"XPENDING", "s", group.name(), text(after.next()), text(last), "1000000", consumer});
  }

  void compare_history(const brook::Deliveries<std::string>& batch, const Reply& reply) {
    auto at = batch.begin();
    for (std::size_t i = 0; i < reply.size(); ++i) {
      const Reply one = reply[i];
      if (one[1].is_nil()) {
        known_.met(Known::history_of_removed);
        const Id id = id_of(one[0]);
        same("an entry without fields is removed", stream_.range(id, id).empty(), true);
        continue;
      }
      if (at == batch.end()) throw Difference("history: redis has " + one[0].text() + " as well");
      same("history", text(at->id()), one[0].text());
      same("history", **at, one[1][1].text());
      ++at;
    }
    if (at != batch.end()) throw Difference("history: redis does not have " + text(at->id()));
  }

  // Rows of XPENDING are id, consumer, idle time, number of deliveries.
  static void compare_counts(const brook::Deliveries<std::string>& batch, const Reply& rows) {
    std::size_t row = 0;
    for (const auto& delivery : batch) {
      while (rows[row][0].text() != text(delivery.id())) ++row;
      same("deliveries of " + text(delivery.id()), delivery.count(),
           std::min<std::uint64_t>(rows[row][3].number(), 1023));
    }
  }

  // What was read with NOACK is not pending with its reader, so that acknowledging the delivery does nothing; ids still do,
  // as in Redis: somebody else may have the entry.
  void ack_some(const Group& group, const brook::Deliveries<std::string>& batch, bool no_ack = false) {
    if (batch.empty() || !random_.one_in(3)) return;
    std::vector<Id> ids;
    for (const auto& delivery : batch) ids.push_back(delivery.id());
    const Reply reply = redis_(with_ids({"XACK", "s", group.name()}, ids));
    journal_.note("ack of the batch");
    const std::size_t acknowledged = no_ack ? batch.ack() + group.ack(ids) : batch.ack();
    same("ack of a batch", std::uint64_t{acknowledged}, reply.number());
  }

  void ack(const Group& group) {
    const std::vector<Id> ids = some_ids();
    if (ids.empty()) return;
    const Command command = with_ids({"XACK", "s", group.name()}, ids);
    journal_.note(joined(command));
    same("ack", std::uint64_t{group.ack(ids)}, redis_(command).number());
  }

  // — claims: always at once, because the two clocks differ —

  void claim(const Group& group) {
    const auto consumer = some_consumer(group);
    const std::vector<Id> ids = some_ids();
    if (ids.empty()) return;
    brook::ClaimOptions options{.force = random_.one_in(3), .just_id = random_.one_in(3)};
    if (random_.one_in(4)) options.retry_count = random_.below(1200);
    if (random_.one_in(8)) options.last_id = ids_.any();
    passed_over_ = passed_over_ || options.last_id.has_value();
    Command command = with_ids({"XCLAIM", "s", group.name(), consumer.name(), "0"}, ids);
    if (options.retry_count) command.insert(command.end(), {"RETRYCOUNT", std::to_string(*options.retry_count)});
    if (options.last_id) command.insert(command.end(), {"LASTID", text(*options.last_id)});
    if (options.force) command.push_back("FORCE");
    if (options.just_id) command.push_back("JUSTID");
    journal_.note(joined(command));
    const Expected<brook::Deliveries<std::string>> outcome = consumer.claim(ids, options);
    same("claim succeeds", outcome.has_value(), true);
    compare_claimed(*outcome, redis_(command), options.just_id);
    compare_list(group, {});
    ack_some(group, *outcome);
  }

  void auto_claim(const Group& group) {
    const auto consumer = some_consumer(group);
    const brook::AutoClaimOptions options{.start = random_.one_in(2) ? Id::min() : ids_.any(),
                                          .count = 1 + random_.below(20),
                                          .just_id = random_.one_in(3)};
    Command command{"XAUTOCLAIM", "s",
                    group.name(), consumer.name(),
                    "0",          text(options.start),
                    "COUNT",      std::to_string(options.count)};
    if (options.just_id) command.push_back("JUSTID");
    journal_.note(joined(command));
    const Expected<brook::AutoClaimed<std::string>> outcome = consumer.auto_claim(options);
    same("auto_claim succeeds", outcome.has_value(), true);
    const Reply reply = redis_(command);
    same("auto_claim: next", text(outcome->next), reply[0].text());
    compare_claimed(outcome->deliveries, reply[1], options.just_id);
    same("auto_claim: deleted", std::uint64_t{outcome->deleted.size()}, std::uint64_t{reply[2].size()});
    for (std::size_t i = 0; i < outcome->deleted.size(); ++i)
      same("auto_claim: a deleted id", text(outcome->deleted[i]), reply[2][i].text());
    compare_list(group, {});
    ack_some(group, outcome->deliveries);
  }

  void compare_claimed(const brook::Deliveries<std::string>& batch, const Reply& reply, bool just_id) {
    if (!just_id) return compare("claimed", batch.entries(), reply);
    same("claimed", std::uint64_t{batch.size()}, std::uint64_t{reply.size()});
    for (std::size_t i = 0; i < batch.size(); ++i) same("claimed", text(batch[i].id()), reply[i].text());
  }

  void list_pending(const Group& group) {
    brook::PendingOptions options{.count = 1 + random_.below(30)};
    if (random_.one_in(2)) options.first = ids_.any();
    if (random_.one_in(2)) options.last = ids_.any();
    compare_list(group, options);
  }

  void compare_list(const Group& group, const brook::PendingOptions& options) {
    const std::uint64_t count = std::min<std::uint64_t>(options.count, 1'000'000);
    const Command command{"XPENDING",           "s", group.name(), text(options.first), text(options.last),
                          std::to_string(count)};
    journal_.note(joined(command));
    const Expected<std::vector<brook::PendingEntry>> outcome = group.pending(options);
    same("pending succeeds", outcome.has_value(), true);
    const Reply reply = redis_(command);
    same("pending list", std::uint64_t{outcome->size()}, std::uint64_t{reply.size()});
    for (std::size_t i = 0; i < outcome->size(); ++i) {
      same("pending list: id", text((*outcome)[i].id), reply[i][0].text());
      same("pending list: consumer", (*outcome)[i].consumer, reply[i][1].text());
      const std::uint64_t deliveries = reply[i][3].number();
      if (deliveries > 1023) known_.met(Known::count_ends);
      same("pending list: deliveries", (*outcome)[i].deliveries, std::min<std::uint64_t>(deliveries, 1023));
    }
  }

  void delete_consumer(const Group& group) {
    const auto consumer = some_consumer(group);
    journal_.note("XGROUP DELCONSUMER ", group.name(), " ", consumer.name());
    const Expected<std::size_t> outcome = group.delete_consumer(consumer.name(), brook::Orphans::drop);
    same("delete_consumer succeeds", outcome.has_value(), true);
    same("delete_consumer", std::uint64_t{*outcome},
         redis_({"XGROUP", "DELCONSUMER", "s", group.name(), consumer.name()}).number());
  }

  void set_id(const Group& group) {
    const Place place = some_place();
    journal_.note("XGROUP SETID ", group.name(), " ", place.spelt);
    same("set_id succeeds", group.set_id(place.position).has_value(), true);
    same("XGROUP SETID", "OK", redis_({"XGROUP", "SETID", "s", group.name(), place.spelt}).text());
  }

  void pending(const Group& group) {
    journal_.note("XPENDING ", group.name());
    const Expected<brook::PendingSummary> outcome = group.pending();
    same("pending succeeds", outcome.has_value(), true);
    const Reply reply = redis_({"XPENDING", "s", group.name()});
    same("pending: count", outcome->count, reply[0].number());
    same("pending: consumers", std::uint64_t{outcome->consumers.size()}, std::uint64_t{reply[3].size()});
    if (outcome->count == 0) return;
    same("pending: first", text(outcome->first), reply[1].text());
    same("pending: last", text(outcome->last), reply[2].text());
    for (std::size_t i = 0; i < outcome->consumers.size(); ++i) {
      same("pending: a consumer", outcome->consumers[i].name, reply[3][i][0].text());
      same("pending: of a consumer", std::to_string(outcome->consumers[i].count), reply[3][i][1].text());
    }
  }

  void destroy_group(const Group& group) {
    journal_.note("XGROUP DESTROY ", group.name());
    const std::uint64_t pending = redis_({"XPENDING", "s", group.name()})[0].number();
    const Expected<std::size_t> outcome = group.destroy();
    same("destroy succeeds", outcome.has_value(), true);
    same("destroy", std::uint64_t{*outcome}, pending);
    same("XGROUP DESTROY", redis_({"XGROUP", "DESTROY", "s", group.name()}).number(), std::uint64_t{1});
  }

  // — all there is —

  void compare_all() {
    same("size", stream_.size(), redis_({"XLEN", "s"}).number());
    const Reply reply = redis_({"XINFO", "STREAM", "s"});
    const brook::StreamInfo info = stream_.info();
    same("info: length", info.length, reply["length"].number());
    same("info: entries_added", info.entries_added, reply["entries-added"].number());
    same("info: last_id", text(info.last_id), reply["last-generated-id"].text());
    same("info: max_deleted_id", text(info.max_deleted_id), reply["max-deleted-entry-id"].text());
    same("info: first_id", text(info.first_id), reply["recorded-first-entry-id"].text());
    same("info: groups", std::uint64_t{info.groups}, reply["groups"].number());
    if (info.length > 0) {
      same("the first entry", text(stream_.range().front().id), reply["first-entry"][0].text());
      same("the last entry", text(stream_.rev_range().front().id), reply["last-entry"][0].text());
    }
    compare("all entries", stream_.range(), redis_({"XRANGE", "s", "-", "+"}));
    compare("all entries backwards", stream_.rev_range(), redis_({"XREVRANGE", "s", "+", "-"}));
    compare_groups(redis_({"XINFO", "GROUPS", "s"}));
  }

  void compare_groups(const Reply& reply) {
    const std::vector<std::string> names = stream_.groups();
    same("groups", std::uint64_t{names.size()}, std::uint64_t{reply.size()});
    for (std::size_t i = 0; i < names.size(); ++i) {
      const Reply row = reply[i];
      const Group group = *stream_.group(names[i]);
      const brook::GroupInfo info = *group.info();
      same("a group's name", names[i], row["name"].text());
      same("a group's name in its info", info.name, names[i]);
      same("a group's consumers", std::uint64_t{info.consumers}, row["consumers"].number());
      same("a group's pending entries", info.pending, row["pending"].number());
      same("a group's last id", text(info.last_delivered_id), row["last-delivered-id"].text());
      compare_lag(info, row["lag"]);
      compare_consumers(group);
      pending(group);
    }
  }

  void compare_lag(const brook::GroupInfo& info, const Reply& theirs) {
    if (info.last_delivered_id == Id::max()) return same("lag", info.lag, std::uint64_t{0});
    const Reply behind = redis_({"XRANGE", "s", "(" + text(info.last_delivered_id), "+"});
    same("lag", info.lag, std::uint64_t{behind.size()});
    if (theirs.is_nil() || ((removed_ || passed_over_) && theirs.number() != info.lag)) return known_.met(Known::lag);
    same("their lag", info.lag, theirs.number());
  }

  void compare_consumers(const Group& group) {
    const std::vector<std::string> names = group.consumers();
    const Reply reply = redis_({"XINFO", "CONSUMERS", "s", group.name()});
    same("consumers", std::uint64_t{names.size()}, std::uint64_t{reply.size()});
    for (std::size_t i = 0; i < names.size(); ++i) same("a consumer", names[i], reply[i]["name"].text());
  }

  // — chance —

  /// Where to read from, for both.
  struct Place {
    std::string spelt;
    brook::Position position;
  };

  Place some_place() {
    if (random_.one_in(4)) return {"$", brook::latest};
    if (random_.one_in(3)) return {"0", brook::earliest};
    const std::string spelt = spell(ids_.any());
    return {spelt, *Id::parse(spelt)};
  }

  brook::StreamOptions choose_options() {
    brook::StreamOptions options{.clock = &clock_};
    if (random_.one_in(3)) options.max_len = random_.of_any_size(9);
    return options;
  }

  std::size_t some_count() {
    switch (random_.below(6)) {
      case 0: return random_.one_in(3) ? 0 : 1;
      case 1: return static_cast<std::size_t>(random_.of_any_size(62));
      case 2: return static_cast<std::size_t>(random_.below(20));
      default: return no_limit;
    }
  }

  std::vector<Id> some_ids() {
    std::vector<Id> ids;
    for (std::uint64_t n = random_.below(random_.one_in(10) ? 100 : 5); n > 0; --n)
      ids.push_back(!ids.empty() && random_.one_in(5) ? Id(random_.one_of(ids)) : ids_.any());
    return ids;
  }
  static Command with_ids(Command command, const std::vector<Id>& ids) {
    for (const Id id : ids) command.push_back(text(id));
    return command;
  }

  std::string some_name() { return random_.one_of({"billing", "shipping", "Stock"}); }

  // An id as one may write it: most often as redis does.
  std::string spell(Id id) {
    if (!random_.one_in(5)) return text(id);
    const std::string seq = id.seq == 0 && random_.one_in(2) ? "" : "-" + decorated(id.seq);
    return decorated(id.ms) + seq;
  }
  std::string decorated(std::uint64_t number) {
    std::string spelt = std::to_string(number);
    if (random_.one_in(3)) spelt.insert(0, static_cast<std::size_t>(random_.below(8)), '0');
    if (random_.one_in(4)) spelt.insert(0, 1, '+');
    if (random_.one_in(4)) spelt.insert(0, 1, random_.one_of({' ', '\t', '\n', '\v', '\f', '\r'}));
    return spelt;
  }

  // An id with mistakes in it, or no id at all.
  std::string some_text() {
    static const std::string letters("0123456789-+ \t\n\v\f\r*(x.,eE\0\xa0", 28);
    std::string spelt;
    if (random_.one_in(3)) {
      for (std::uint64_t n = random_.below(6); n > 0; --n) spelt += random_.one_of(letters);
    } else {
      spelt = some_number();
      if (!random_.one_in(4)) spelt += "-" + some_number();
    }
    for (std::uint64_t n = random_.below(3); n > 0; --n) {
      const auto at = static_cast<std::size_t>(random_.below(spelt.size() + 1));
      if (random_.one_in(2) && at < spelt.size()) spelt.erase(at, 1);
      else spelt.insert(at, 1, random_.one_of(letters));
    }
    if (random_.one_in(10)) spelt.insert(0, static_cast<std::size_t>(random_.between(100, 130)), '0');
    return spelt;
  }
  std::string some_number() {
    switch (random_.below(5)) {
      case 0:
        return random_.one_of({"18446744073709551615", "18446744073709551616", "18446744073709551614",
                               "9223372036854775807", "9223372036854775808", "99999999999999999999",
                               "-18446744073709551615", "-9223372036854775808", "184467440737095516150"});
      case 1: return (random_.one_in(3) ? " -" : "-") + decorated(random_.of_any_size());
      case 2: return std::to_string(random_.below(3));
      default: return decorated(random_.of_any_size());
    }
  }

  static std::string escaped(const std::string& spelt) {
    std::string shown;
    for (const char c : spelt) {
      char code[8];
      std::snprintf(code, sizeof code, c >= ' ' && c <= '~' ? "%c" : "\\x%02x", static_cast<unsigned char>(c));
      shown += code;
    }
    return shown;
  }
  static std::string joined(const Command& command) {
    std::string line;
    for (std::size_t i = 0; i < std::min<std::size_t>(command.size(), 16); ++i) line += escaped(command[i]) + " ";
    return line;
  }

  Redis& redis_;
  KnownDifferences& known_;
  Random& random_;
  Journal& journal_;
  Ids ids_;
  brook::ManualClock clock_;
  const brook::StreamOptions options_;
  const bool wild_ids_;
  const bool removes_;        // whether entries are removed at all, so that redis' lag can be trusted
  bool passed_over_ = false;  // whether XCLAIM LASTID did, which their count of what a group has read does not know of
  bool removed_ = false;      // whether any was, or may have been
  Stream stream_;
  std::uint64_t next_value_ = 1;
};

void demand_version(Redis& redis) {
  const std::string info = redis({"INFO", "server"}).text();
  const std::string before = "redis_version:";
  const std::size_t at = info.find(before);
  const std::string version =
      at == info.npos ? "?" : info.substr(at + before.size(), info.find('\r', at) - at - before.size());
  if (version.rfind("7.0.", 0) != 0) throw Skipped("the redis-server is a " + version + ", and this compares with 7.0");
}

void fuzz_streams(const Arguments& how, KnownDifferences& known, Random& random, Journal& journal) {
  const RedisServer server;
  Redis redis(server);
  demand_version(redis);
  for (std::uint64_t left = how.operations; left > 0;) {
    const std::uint64_t operations = std::min<std::uint64_t>(left, random.between(1, 400));
    Life(redis, known, random, journal).run(operations);
    left -= operations;
  }
}

}  // namespace

int main(int count, char** values) {
  const Arguments how = arguments(count, values, {.seed = 1, .operations = 10000});
  Random random(how.seed);
  Journal journal;
  KnownDifferences known;
  try {
    fuzz_streams(how, known, random, journal);
  } catch (const Skipped& reason) {
    std::printf("stream_against_redis: skipped: %s\n", reason.what());
    return 0;
  } catch (const std::exception& problem) { return report("stream_against_redis", how, journal, problem); }
  std::printf("stream_against_redis: seed %llu, %llu operations, no unknown difference\n",
              static_cast<unsigned long long>(how.seed), static_cast<unsigned long long>(how.operations));
  known.print();
  return 0;
}

#endif
