// Every template of the library, with all of its members: what the compiler and the linter see of it.
#include <brook/adapters/coroutine.hpp>
#include <brook/brook.hpp>
#include <brook/redis.hpp>

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

template class brook::Entries<std::string>;
template class brook::Stream<std::string>;
template class brook::Group<std::string>;
template class brook::Consumer<std::string>;
template class brook::Delivery<std::string>;
template class brook::Deliveries<std::string>;
template class brook::BlockingList<std::string>;

namespace everything {

using Rows = brook::Stream<brook::RedisFields>;
using Texts = brook::BlockingList<std::string>;

// All that <brook/redis.hpp> has, from and to files and memory.
bool redis(const std::filesystem::path& path, Rows& rows, Texts& texts,
                                          brook::Broker& broker) {
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
