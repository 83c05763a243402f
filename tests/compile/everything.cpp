// Every template of the library, with all of its members: what the compiler and the linter see of it.
#include <brook/adapters/coroutine.hpp>
#include <brook/brook.hpp>
#include <brook/journal.hpp>
#include <brook/redis.hpp>
#include <brook/snapshot.hpp>
#include <brook/testing.hpp>

#ifdef __linux__
#include <brook/adapters/eventfd.hpp>
#endif

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

template class brook::Entries<std::string>;
template class brook::Stream<std::string>;
template class brook::Group<std::string>;
template class brook::Consumer<std::string>;
template class brook::Delivery<std::string>;
template class brook::Deliveries<std::string>;
template class brook::BlockingList<std::string>;
template class brook::Channel<std::string>;
template class brook::Message<std::string>;
template class brook::BasicMessages<brook::log::PayloadOf<std::string>, brook::channel::ShowValue<std::string>>;
template class brook::BasicSubscription<std::string, brook::channel::Source<std::string>>;
template class brook::Subscription<std::string>;
template class brook::PubSub<std::string>;
template class brook::BasicSubscription<std::string, brook::pubsub::Source<std::string>>;
template class brook::TopicSubscription<std::string>;
template class brook::Requests<std::string, int>;
template class brook::Request<std::string, int>;
template class brook::Service<std::string, int>;
template class brook::Reply<int>;

namespace everything {

using Rows = brook::Stream<brook::RedisFields>;
using Texts = brook::BlockingList<std::string>;
using Lines = brook::Stream<std::string>;

struct Given {
  const std::vector<std::string>& all;
  const brook::Wait& wait;
};

// What takes a function or a range, or makes one.
std::uint64_t channels(brook::Channel<std::string>& channel, brook::PubSub<std::string>& pubsub, const Given& given) {
  const auto heard = [](const std::string&) {};
  const auto read = [](const brook::Message<std::string>&) {};
  const auto all = channel.subscribe(heard);
  const auto messages = channel.subscribe(read, {.thread = brook::CallOn::own_thread});
  const auto topics = pubsub.subscribe({"a"}, heard, {"b*"});
  auto named = pubsub.subscribe(given.all, {.patterns = {"c?"}});
  std::uint64_t lengths = channel.publish_range(given.all) + channel.publish_range(given.all, given.wait).value_or(0);
  for (const brook::Message<std::string>& message : named) lengths += message->size() + message.channel().size();
  return lengths + all.waiting() + messages.waiting() + topics.waiting();
}

bool requests(brook::Requests<std::string, int>& requests) {
  requests.serve().run([](const std::string& question) { return static_cast<int>(question.size()); });
  return requests.ask("how long?").has_value();
}

bool waits(Lines& lines, brook::Consumer<std::string>& worker, Texts& texts, brook::Channel<std::string>& channel,
           brook::PubSub<std::string>& pubsub, const brook::Wait& wait) {
  brook::Rotation turn;
  auto ticks = channel.subscribe();
  auto news = pubsub.subscribe("news");
  const auto handler = [](const auto&) {};
  brook::on_ready(handler, wait, worker, texts, ticks, news).cancel();
  return brook::select(wait, worker, texts, ticks, news) && brook::select(wait, turn, texts, ticks) &&
         brook::read(wait, brook::from(lines, brook::latest)) && brook::blpop(wait, texts, texts) &&
         brook::brpop(wait, texts, texts);
}

bool names(brook::Broker& broker) {
  return broker.stream<std::string>("lines") && broker.list<std::string>("texts") &&
         broker.channel<std::string>("ticks") && broker.pubsub<std::string>("news") && broker.rename("a", "b") &&
         broker.keys().empty() && broker.info().empty();
}

// All that <brook/snapshot.hpp> has, to and from files, memory and standard streams.
bool snapshots(const std::filesystem::path& path, Lines& lines, Texts& texts, brook::Broker& broker) {
  constexpr auto types = brook::types<std::string>;
  std::vector<std::byte> bytes;
  std::span<const std::byte> from(bytes);
  std::stringstream file;
  return brook::save(path, lines) && brook::save(bytes, lines) && brook::save(file, lines) &&
         brook::save(path, texts) && brook::save(bytes, texts) && brook::save(file, texts) &&
         brook::save(path, broker, types) && brook::save(bytes, broker, types) && brook::save(file, broker, types) &&
         brook::load(path, lines) && brook::load(from, lines) && brook::load(file, lines) && brook::load(path, texts) &&
         brook::load(from, texts) && brook::load(file, texts) && brook::load(path, broker, types) &&
         brook::load(from, broker, types) && brook::load(file, broker, types);
}

bool journal(const std::filesystem::path& path, brook::Broker& broker) {
  auto journal = brook::Journal::open(path, broker, brook::types<std::string, int>);
  return journal && journal->flush() && journal->compact() && !journal->error() && journal->info().records == 0;
}

// All that <brook/redis.hpp> has, from and to files and memory.
bool redis(const std::filesystem::path& path, Rows& rows, Texts& texts, brook::Broker& broker) {
  constexpr auto types = brook::types<brook::RedisFields, std::string>;
  std::vector<std::byte> bytes;
  const std::span<const std::byte> from(bytes);
  return brook::export_to_redis(path, "rows", rows) && brook::export_to_redis(bytes, "rows", rows) &&
         brook::export_to_redis(path, "texts", texts) && brook::export_to_redis(bytes, "texts", texts) &&
         brook::export_to_redis(path, broker, types) && brook::export_to_redis(bytes, broker, types) &&
         brook::import_from_redis(path, "rows", rows) && brook::import_from_redis(from, "rows", rows) &&
         brook::import_from_redis(path, "texts", texts) && brook::import_from_redis(from, "texts", texts) &&
         brook::import_from_redis(path, broker, types) && brook::import_from_redis(from, broker, types) &&
         brook::import_redis_reply(path, rows) && brook::import_redis_reply(from, rows) &&
         brook::import_redis_reply(path, texts) && brook::import_redis_reply(from, texts);
}

}  // namespace everything
