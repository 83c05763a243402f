// journal.cpp — adds to a stream of a broker that has a journal, with each way of flushing it, by one producer and by two, beside
// write() and fdatasync() of as many bytes for each record by hand, under a mutex.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <brook/journal.hpp>

#include "cases.hpp"
#include "harness.hpp"
#include "payload.hpp"

namespace bench {
namespace {

/// A folder of its own, gone at the end.
struct Folder {
  Folder() : path(std::filesystem::temp_directory_path() / ("brook-bench-journal-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::filesystem::path path;
};

template <class T>
class Scene {
 public:
  Scene(brook::Flush flush, std::size_t producers, std::size_t records)
      : flush_(flush), producers_(producers), each_(records / producers) {}

  [[nodiscard]] Sample journaled() {
    const Folder folder;
    brook::Broker broker;
    const auto journal =
        brook::Journal::open(folder.path, broker, brook::types<T>, {.flush = flush_, .compact_factor = 0});
    expect(journal.has_value(), "a journal could not be opened");
    const auto stream = broker.stream<T>("stream").value();
    const std::uint64_t before = journal->info().bytes;
    const double ns = together(producers_, [&](std::size_t producer) {
      for (std::size_t i = 0; i < each_; ++i)
        expect(stream->add(make<T>(message(producer, i))).has_value(), "an add failed");
    });
    const auto info = journal->info();
    expect(!info.error, "the journal failed");
    size_ = (info.bytes - before) / (each_ * producers_);
    return per_record_and_mb(ns);
  }
  [[nodiscard]] Sample by_hand() {
    if (size_ == 0) static_cast<void>(journaled());
    const Folder folder;
    const int file = ::open((folder.path / "file").c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
    std::mutex mutex;
    std::int64_t flushed = now_ns();
    const double ns = together(producers_, [&](std::size_t) {
      const std::vector<std::byte> record(size_);
      for (std::size_t i = 0; i < each_; ++i) {
        const std::unique_lock held(mutex);
        expect(::write(file, record.data(), size_) == static_cast<::ssize_t>(size_), "no write");
        if (flush_ == brook::Flush::never) continue;
        if (flush_ == brook::Flush::every_second && now_ns() - flushed < 1'000'000'000) continue;
        expect(::fdatasync(file) == 0, "no fdatasync");
        flushed = now_ns();
      }
    });
    expect(::close(file) == 0, "no close");
    return per_record_and_mb(ns);
  }

 private:
  [[nodiscard]] Sample per_record_and_mb(double ns) const {
    const double per_record = ns / static_cast<double>(each_ * producers_);
    return {per_record, per_record / static_cast<double>(size_) * 1e3};
  }

  const brook::Flush flush_;
  const std::size_t producers_;
  const std::size_t each_;
  std::size_t size_ = 0;  // of a record in the file
};

template <class T>
void add_cases(Suite& suite, const std::string& payload) {
  const auto add = [&](const char* name, brook::Flush flush, std::size_t records) {
    for (const std::size_t producers : {1U, 2U}) {
      const auto scene = std::make_shared<Scene<T>>(flush, producers, suite.work(records));
      const std::string what = std::string("journal/") + name + '/' + payload + '/' + std::to_string(producers);
      suite.add(what, {"ns/record", "us/MB"})
          .peer("brook", [scene] { return scene->journaled(); })
          .peer("write and fdatasync", [scene] { return scene->by_hand(); });
    }
  };
  add("never", brook::Flush::never, 200'000);
  add("every_second", brook::Flush::every_second, 200'000);
  add("always", brook::Flush::always, 2'000);
}

}  // namespace

void add_journal(Suite& suite) {
  add_cases<std::uint64_t>(suite, "u64");
  add_cases<std::string>(suite, "string100");
}

}  // namespace bench
