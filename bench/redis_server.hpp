// redis_server.hpp — a redis-server of our own on a unix socket, and connections to it.
//
// The server is started on the processor of the thread that starts it, where the client then stays: two processes on
// two processors would spend their time waking each other.
#pragma once

#ifdef BROOK_BENCH_HIREDIS

#include <hiredis/hiredis.h>
#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace bench {

struct FreeReply {
  void operator()(redisReply* reply) const noexcept { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

class RedisConnection {
 public:
  /// Throws std::runtime_error when nobody answers within 10 s.
  explicit RedisConnection(const std::filesystem::path& socket);

  /// Puts a command into the pipeline.
  void send(const std::vector<std::string_view>& words);
  /// Sends what is in the pipeline.
  void flush();
  /// The next answer. An error as an answer is a failed check.
  [[nodiscard]] Reply receive();
  Reply call(const std::vector<std::string_view>& words) {
    send(words);
    return receive();
  }
  /// Reads what has come, at most so many bytes; how many. For who needs no more of an answer than that it came.
  [[nodiscard]] std::size_t receive_bytes(std::span<char> room);

 private:
  struct Disconnect {
    void operator()(redisContext* context) const noexcept { redisFree(context); }
  };

  std::unique_ptr<redisContext, Disconnect> context_;
};

class RedisServer {
 public:
  /// Throws std::runtime_error when it does not start within 10 s.
  RedisServer();
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  /// Whether there is a program of that name.
  [[nodiscard]] static bool installed();

  /// One connection that is there from the start.
  void send(const std::vector<std::string_view>& words) { connection_->send(words); }
  [[nodiscard]] Reply receive() { return connection_->receive(); }
  Reply call(const std::vector<std::string_view>& words) { return connection_->call(words); }

  /// Another one.
  [[nodiscard]] RedisConnection connect() const { return RedisConnection(socket()); }

 private:
  [[nodiscard]] std::filesystem::path socket() const { return folder_ / "socket"; }
  void spawn();
  void stop() noexcept;

  std::filesystem::path folder_;
  pid_t process_ = -1;
  std::optional<RedisConnection> connection_;
};

}  // namespace bench

#endif
