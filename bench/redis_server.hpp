// redis_server.hpp — a redis-server of our own on a unix socket, and one connection to it.
//
// The server is started on the processor of the thread that starts it, where the client then stays: two processes on two
// processors would spend their time waking each other.
#pragma once

#ifdef BROOK_BENCH_HIREDIS

#include <hiredis/hiredis.h>
#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

namespace bench {

struct FreeReply {
  void operator()(redisReply* reply) const noexcept { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

class RedisServer {
 public:
  /// Throws std::runtime_error when it does not start within 10 s.
  RedisServer();
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  /// Whether there is a program of that name.
  [[nodiscard]] static bool installed();

  /// Puts a command into the pipeline.
  void send(const std::vector<std::string_view>& words);
  /// The next answer. An error as an answer is a failed check.
  [[nodiscard]] Reply receive();
  Reply call(const std::vector<std::string_view>& words) {
    send(words);
    return receive();
  }

 private:
  struct Disconnect {
    void operator()(redisContext* context) const noexcept { redisFree(context); }
  };

  void spawn();
  void connect();
  void stop() noexcept;

  std::filesystem::path folder_;
  pid_t process_ = -1;
  std::unique_ptr<redisContext, Disconnect> connection_;
};

}  // namespace bench

#endif
