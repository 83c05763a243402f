#include "redis_server.hpp"

#ifdef BROOK_BENCH_HIREDIS

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

#include "harness.hpp"

namespace bench {

bool RedisServer::installed() {
  const char* const path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (access((folder + "/redis-server").c_str(), X_OK) == 0) return true;
  }
  return false;
}

RedisServer::RedisServer() {
  std::string name = (std::filesystem::temp_directory_path() / "brook_bench.XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
  folder_ = name;
  try {
    pin(0);
    spawn();
    connection_.emplace(socket());
  } catch (...) {
    stop();
    throw;
  }
}

RedisServer::~RedisServer() { stop(); }

void RedisServer::spawn() {
  const std::string folder = folder_.string();
  std::vector<std::string> words = {
      "redis-server", "--port", "0", "--unixsocket", socket().string(), "--dir", folder, "--appendonly",
      "no",           "--save", ""};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  const int error = posix_spawnp(&process_, "redis-server", &files, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) {
    process_ = -1;
    throw std::runtime_error("redis-server cannot be started");
  }
}

void RedisServer::stop() noexcept {
  connection_.reset();
  if (process_ > 0) {
    kill(process_, SIGTERM);
    waitpid(process_, nullptr, 0);
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

RedisConnection::RedisConnection(const std::filesystem::path& socket) {
  for (int attempt = 0; attempt < 500; ++attempt) {
    context_.reset(redisConnectUnix(socket.c_str()));
    if (context_ && context_->err == 0) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  throw std::runtime_error("redis-server does not answer");
}

void RedisConnection::send(const std::vector<std::string_view>& words) {
  std::vector<const char*> starts;
  std::vector<std::size_t> sizes;
  for (const std::string_view word : words) {
    starts.push_back(word.data());
    sizes.push_back(word.size());
  }
  redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()), starts.data(), sizes.data());
}

void RedisConnection::flush() {
  for (int done = 0; done == 0;) {
    if (redisBufferWrite(context_.get(), &done) != REDIS_OK) throw std::runtime_error("redis-server has gone away");
  }
}

Reply RedisConnection::receive() {
  void* reply = nullptr;
  if (redisGetReply(context_.get(), &reply) != REDIS_OK) throw std::runtime_error("redis-server has gone away");
  Reply answer(static_cast<redisReply*>(reply));
  expect(answer->type != REDIS_REPLY_ERROR, "redis-server answered with an error");
  return answer;
}

std::size_t RedisConnection::receive_bytes(std::span<char> room) {
  const ssize_t count = read(context_->fd, room.data(), room.size());
  if (count <= 0) throw std::runtime_error("redis-server has gone away");
  return static_cast<std::size_t>(count);
}

}  // namespace bench

#endif
