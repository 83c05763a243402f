// snapshot.cpp — a stream saved and loaded, in memory and as a file, beside what only moves the same bytes there: memcpy, and
// fwrite and fread with as much care for the disk; and beside a redis-server's SAVE of the same entries.
//
// What is saved to memory, or loaded, lies in memory that was not there before, and the first touch of its pages may cost more
// than all else. So the allocator gives back what it has before each measurement but those of "memcpy" and "fread", which go
// over the same bytes again. And whoever loads makes values, not bytes, which take more room than the bytes that they come from: a
// copy of a std::deque of ids and values does the same, and "memcpy of as much as it takes" touches as much new memory.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <unistd.h>

#include <brook/snapshot.hpp>

#include "cases.hpp"
#include "harness.hpp"
#include "heap.hpp"
#include "payload.hpp"
#include "redis_server.hpp"

namespace bench {
namespace {

using Bytes = std::vector<std::byte>;

/// A stream, its snapshot, and room for what a peer makes of it; made when it is first needed.
template <class T>
class Scene {
 public:
  explicit Scene(std::size_t entries) : entries_(entries) {}
  ~Scene() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  void make() {
    if (!bytes_.empty()) return;
    for (std::size_t i = 0; i < entries_; ++i) expect(stream_.add(bench::make<T>(i)).has_value(), "an add failed");
    expect(brook::save(bytes_, stream_).has_value(), "a save failed");
    room_.resize(bytes_.size());
    path_ = std::filesystem::temp_directory_path() / ("brook-bench-" + std::to_string(::getpid()));
  }

  [[nodiscard]] Sample per_entry_and_mb(double ns) const {
    return {ns / static_cast<double>(entries_), ns / static_cast<double>(bytes_.size()) * 1e3};
  }
  [[nodiscard]] std::size_t entries() const noexcept { return entries_; }

  [[nodiscard]] Sample save_to_memory() {
    Bytes bytes;
    bytes.reserve(bytes_.size() + 64 * 1024);
    forget_free_memory();
    const double ns = alone([&] { expect(brook::save(bytes, stream_).has_value(), "a save failed"); });
    expect(bytes.size() == bytes_.size(), "a snapshot has another size");
    return per_entry_and_mb(ns);
  }
  [[nodiscard]] Sample copy() {
    const double ns = alone([&] { std::memcpy(room_.data(), bytes_.data(), bytes_.size()); });
    keep(room_);
    return per_entry_and_mb(ns);
  }
  [[nodiscard]] Sample copy_to_new() {
    Bytes copy;
    forget_free_memory();
    const double ns = alone([&] { copy = bytes_; });
    keep(copy);
    return per_entry_and_mb(ns);
  }
#ifdef BROOK_BENCH_HEAP
  [[nodiscard]] Sample copy_as_much() {
    if (values_.empty()) {
      brook::Stream<T> loaded;
      const double before = in_use();
      expect(brook::load(std::span<const std::byte>(bytes_), loaded).has_value(), "a load failed");
      values_.resize(static_cast<std::size_t>(in_use() - before));
    }
    Bytes copy;
    forget_free_memory();
    const double ns = alone([&] { copy = values_; });
    keep(copy);
    return per_entry_and_mb(ns);
  }
#endif
  [[nodiscard]] Sample save_to_file() {
    return per_entry_and_mb(alone([&] { expect(brook::save(path_, stream_).has_value(), "a save failed"); }));
  }
  [[nodiscard]] Sample write_file() {
    return per_entry_and_mb(alone([&] {
      const std::filesystem::path temporary = path_.string() + ".new";
      std::FILE* const file = std::fopen(temporary.c_str(), "wb");
      expect(file != nullptr && std::fwrite(bytes_.data(), 1, bytes_.size(), file) == bytes_.size(), "no fwrite");
      expect(std::fflush(file) == 0 && ::fsync(::fileno(file)) == 0 && std::fclose(file) == 0, "no fsync");
      std::filesystem::rename(temporary, path_);
    }));
  }
  [[nodiscard]] Sample load_from_memory() {
    brook::Stream<T> loaded;
    forget_free_memory();
    const double ns =
        alone([&] { expect(brook::load(std::span<const std::byte>(bytes_), loaded).has_value(), "a load failed"); });
    expect(loaded.size() == entries_, "entries were lost");
    return per_entry_and_mb(ns);
  }
  [[nodiscard]] Sample copy_values() {
    using Values = std::deque<std::pair<brook::Id, T>>;
    Values values;
    for (const auto entry : stream_.range()) values.emplace_back(entry.id, entry.value);
    Values copy;
    forget_free_memory();
    const double ns = alone([&] { copy = values; });
    expect(copy.size() == entries_, "entries were lost");
    return per_entry_and_mb(ns);
  }
  [[nodiscard]] Sample load_from_file() {
    expect(brook::save(path_, stream_).has_value(), "a save failed");
    brook::Stream<T> loaded;
    forget_free_memory();
    const double ns = alone([&] { expect(brook::load(path_, loaded).has_value(), "a load failed"); });
    expect(loaded.size() == entries_, "entries were lost");
    return per_entry_and_mb(ns);
  }
  [[nodiscard]] Sample read_file() {
    return read_file_into([this]() -> Bytes& { return room_; });
  }
  [[nodiscard]] Sample read_file_into_new() {
    Bytes made;
    forget_free_memory();
    return read_file_into([this, &made]() -> Bytes& { return made = Bytes(bytes_.size()); });
  }

 private:
  template <class Room>
  [[nodiscard]] Sample read_file_into(Room&& make_room) {
    expect(brook::save(path_, stream_).has_value(), "a save failed");
    return per_entry_and_mb(alone([&] {
      Bytes& room = make_room();
      std::FILE* const file = std::fopen(path_.c_str(), "rb");
      expect(file != nullptr && std::fread(room.data(), 1, room.size(), file) == room.size(), "no fread");
      expect(std::fclose(file) == 0, "no fclose");
    }));
  }

  const std::size_t entries_;
  brook::Stream<T> stream_;
  Bytes bytes_;
  Bytes room_;
  Bytes values_;  // as many as the stream takes when it was loaded
  std::filesystem::path path_;
};

#ifdef BROOK_BENCH_HIREDIS
/// A server that has the same entries, started when it is first needed.
class Saver {
 public:
  template <class T>
  [[nodiscard]] Sample save(Scene<T>& scene) {
    if (!server_) {
      server_ = std::make_unique<RedisServer>();
      constexpr std::size_t depth = 100;
      for (std::size_t i = 0; i < scene.entries(); i += depth) {
        for (std::size_t k = 0; k < depth; ++k)
          server_->send({"XADD", "stream", "*", "f", bench::make<std::string>(i + k)});
        for (std::size_t k = 0; k < depth; ++k) static_cast<void>(server_->receive());
      }
    }
    return scene.per_entry_and_mb(alone([&] {
      const Reply reply = server_->call({"SAVE"});
      expect(reply->type == REDIS_REPLY_STATUS, "a SAVE failed");
    }));
  }

 private:
  std::unique_ptr<RedisServer> server_;
};
#endif

template <class T>
void add_cases(Suite& suite, const std::string& payload, std::size_t entries) {
  const auto scene = std::make_shared<Scene<T>>(entries);
  const auto with = [scene](Sample (Scene<T>::*measure)()) {
    return [scene, measure] {
      scene->make();
      return (*scene.*measure)();
    };
  };
  const std::vector<std::string> metrics{"ns/entry", "us/MB"};
  suite.add("snapshot/save/memory/" + payload, metrics)
      .peer("brook", with(&Scene<T>::save_to_memory))
      .peer("memcpy to new memory", with(&Scene<T>::copy_to_new))
      .peer("memcpy", with(&Scene<T>::copy));
  Case& to_file = suite.add("snapshot/save/file/" + payload, metrics)
                      .peer("brook", with(&Scene<T>::save_to_file))
                      .peer("fwrite and fsync", with(&Scene<T>::write_file));
#ifdef BROOK_BENCH_HIREDIS
  if constexpr (std::is_same_v<T, std::string>) {
    if (RedisServer::installed()) {
      const auto saver = std::make_shared<Saver>();
      to_file.peer("redis SAVE", [scene, saver] {
        scene->make();
        return saver->save(*scene);
      });
    }
  }
#endif
  static_cast<void>(to_file);
  Case& from_memory = suite.add("snapshot/load/memory/" + payload, metrics)
                          .peer("brook", with(&Scene<T>::load_from_memory))
                          .peer("a copy of a std::deque", with(&Scene<T>::copy_values));
#ifdef BROOK_BENCH_HEAP
  from_memory.peer("memcpy of as much as it takes", with(&Scene<T>::copy_as_much));
#endif
  from_memory.peer("memcpy to new memory", with(&Scene<T>::copy_to_new)).peer("memcpy", with(&Scene<T>::copy));
  suite.add("snapshot/load/file/" + payload, metrics)
      .peer("brook", with(&Scene<T>::load_from_file))
      .peer("fread to new memory", with(&Scene<T>::read_file_into_new))
      .peer("fread", with(&Scene<T>::read_file));
}

}  // namespace

void add_snapshot(Suite& suite) {
  const std::size_t entries = suite.work(1'000'000);
  add_cases<std::uint64_t>(suite, "u64", entries);
  add_cases<std::string>(suite, "string100", entries / 2);
}

}  // namespace bench
