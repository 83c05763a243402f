// redis.hpp — a redis-server of one's own for the time of a test, and a connection to it. Needs hiredis and Linux or
// another POSIX system.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hiredis/hiredis.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#ifdef __linux__
#include <sys/prctl.h>
#endif

namespace fuzz {

/// The comparison cannot take place here.
struct Skipped : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A redis-server with an empty data set on a socket in a directory of its own; both are gone at the end.
class RedisServer {
 public:
  /// Throws Skipped where there is no redis-server.
  RedisServer() {
    std::string made = (std::filesystem::temp_directory_path() / "brook-redis-XXXXXX").string();
    if (::mkdtemp(made.data()) == nullptr) throw std::runtime_error("no temporary directory " + made);
    directory_ = made;
    start();
  }
  ~RedisServer() { stop(); }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  [[nodiscard]] std::string socket() const { return (directory_ / "socket").string(); }

 private:
  void start() {
    int output[2];
    if (::pipe(output) != 0) throw std::runtime_error("no pipe");
    process_ = ::fork();
    if (process_ < 0) throw std::runtime_error("no process");
    if (process_ == 0) run(output);
    ::close(output[1]);
    output_ = output[0];
    const std::string told = wait_until_ready();
    if (told.empty()) return;
    const bool absent = stop() == no_such_program;
    if (absent) throw Skipped("there is no redis-server in PATH");
    throw std::runtime_error("redis-server does not start:\n" + told);
  }

  // In the child.
  [[noreturn]] void run(const int* output) const {
#ifdef __linux__
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    ::dup2(output[1], STDOUT_FILENO);
    ::dup2(output[1], STDERR_FILENO);
    ::close(output[0]);
    ::close(output[1]);
    const std::string where = directory_.string();
    const std::string socket_path = socket();
    ::execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", socket_path.c_str(), "--dir", where.c_str(),
             "--save", "", "--appendonly", "no", "--daemonize", "no", "--logfile", "", static_cast<char*>(nullptr));
    ::_exit(no_such_program);
  }

  // Reads what the server says until it says that it is ready; all of it, when it ends instead.
  [[nodiscard]] std::string wait_until_ready() const {
    std::string told;
    char part[512];
    for (;;) {
      const ssize_t size = ::read(output_, part, sizeof part);
      if (size <= 0) return told.empty() ? "(nothing)" : told;
      told.append(part, static_cast<std::size_t>(size));
      if (told.find("eady to accept connections") != std::string::npos) return {};
    }
  }

  // The exit code, or -1.
  int stop() noexcept {
    int status = 0;
    if (process_ > 0) {
      ::kill(process_, SIGTERM);
      ::waitpid(process_, &status, 0);
      process_ = -1;
    }
    if (output_ >= 0) ::close(std::exchange(output_, -1));
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  static constexpr int no_such_program = 127;

  std::filesystem::path directory_;
  pid_t process_ = -1;
  int output_ = -1;
};

/// What the server answered.
class Reply {
 public:
  Reply() = default;
  explicit Reply(redisReply* reply) : whole_(reply, freeReplyObject), part_(reply) {}

  [[nodiscard]] bool is_nil() const { return part_->type == REDIS_REPLY_NIL; }
  [[nodiscard]] bool is_error() const { return part_->type == REDIS_REPLY_ERROR; }
  [[nodiscard]] bool is_status() const { return part_->type == REDIS_REPLY_STATUS; }
  [[nodiscard]] bool is_number() const { return part_->type == REDIS_REPLY_INTEGER; }

  [[nodiscard]] std::uint64_t number() const {
    if (!is_number() || part_->integer < 0) throw std::runtime_error("redis: no number: " + text());
    return static_cast<std::uint64_t>(part_->integer);
  }
  /// Of a string, a status or an error.
  [[nodiscard]] std::string text() const {
    switch (part_->type) {
      case REDIS_REPLY_STRING:
      case REDIS_REPLY_STATUS:
      case REDIS_REPLY_ERROR: return std::string(part_->str, part_->len);
      case REDIS_REPLY_INTEGER: return std::to_string(part_->integer);
      case REDIS_REPLY_NIL: return "(nil)";
      default: return "(" + std::to_string(part_->elements) + " elements)";
    }
  }
  /// Elements of an array; nil has none.
  [[nodiscard]] std::size_t size() const {
    if (is_nil()) return 0;
    if (part_->type != REDIS_REPLY_ARRAY) throw std::runtime_error("redis: no array: " + text());
    return part_->elements;
  }
  [[nodiscard]] Reply operator[](std::size_t i) const {
    if (i >= size()) throw std::runtime_error("redis: a shorter array than expected");
    return Reply(whole_, part_->element[i]);
  }
  /// The value after this name in an array of names and values.
  [[nodiscard]] Reply operator[](std::string_view name) const {
    for (std::size_t i = 0; i + 1 < size(); i += 2) {
      if ((*this)[i].text() == name) return (*this)[i + 1];
    }
    throw std::runtime_error("redis: no field " + std::string(name));
  }

 private:
  Reply(std::shared_ptr<redisReply> whole, redisReply* part) : whole_(std::move(whole)), part_(part) {}

  std::shared_ptr<redisReply> whole_;
  redisReply* part_ = nullptr;
};

/// A connection. Throws std::runtime_error when it breaks.
class Redis {
 public:
  explicit Redis(const RedisServer& server) : context_(redisConnectUnix(server.socket().c_str()), redisFree) {
    if (context_ == nullptr || context_->err != 0) throw std::runtime_error("no connection to redis-server");
  }

  using Command = std::vector<std::string>;

  Reply operator()(const Command& command) {
    send(command);
    return receive();
  }

  /// For several commands in one go: as many receive() as send().
  void send(const Command& command) {
    std::vector<const char*> words;
    std::vector<std::size_t> sizes;
    for (const std::string& word : command) {
      words.push_back(word.data());
      sizes.push_back(word.size());
    }
    if (redisAppendCommandArgv(context_.get(), static_cast<int>(command.size()), words.data(), sizes.data()) !=
        REDIS_OK)
      throw std::runtime_error(context_->errstr);
  }
  Reply receive() {
    void* reply = nullptr;
    if (redisGetReply(context_.get(), &reply) != REDIS_OK) throw std::runtime_error(context_->errstr);
    return Reply(static_cast<redisReply*>(reply));
  }

 private:
  std::unique_ptr<redisContext, decltype(&redisFree)> context_;
};

}  // namespace fuzz
