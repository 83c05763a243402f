// sink.hpp — where the bytes of a snapshot go to and come from: anything that takes, or gives, some bytes at a time.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <istream>
#include <ostream>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <brook/error.hpp>
#include <brook/snapshot/error.hpp>

namespace brook {

/// Takes the bytes of a snapshot. For one thread.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  /// Takes all bytes, or says why not; it is not called again then.
  [[nodiscard]] virtual expected<void, SnapshotError> write(std::span<const std::byte> bytes) = 0;
};

/// Gives the bytes of a snapshot. For one thread.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Gives up to so many bytes, one at least, and says how many; 0 when there are no more.
  [[nodiscard]] virtual expected<std::size_t, SnapshotError> read(std::span<std::byte> to) = 0;
};

namespace snapshot {

/// Into memory.
class MemorySink final : public ByteSink {
 public:
  explicit MemorySink(std::vector<std::byte>& to) noexcept : to_(to) {}
  Result write(std::span<const std::byte> bytes) override {
    to_.insert(to_.end(), bytes.begin(), bytes.end());
    return {};
  }

 private:
  std::vector<std::byte>& to_;
};
class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::span<const std::byte> from) noexcept : left_(from) {}
  expected<std::size_t, SnapshotError> read(std::span<std::byte> to) override {
    const std::size_t count = std::min(to.size(), left_.size());
    if (count > 0) std::memcpy(to.data(), left_.data(), count);
    left_ = left_.subspan(count);
    return count;
  }

 private:
  std::span<const std::byte> left_;
};

class OstreamSink final : public ByteSink {
 public:
  explicit OstreamSink(std::ostream& to) noexcept : to_(to) {}
  Result write(std::span<const std::byte> bytes) override {
    to_.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!to_) return unexpected(SnapshotError(Errc::io_error, "the stream took no more"));
    return {};
  }

 private:
  std::ostream& to_;
};
class IstreamSource final : public ByteSource {
 public:
  explicit IstreamSource(std::istream& from) noexcept : from_(from) {}
  expected<std::size_t, SnapshotError> read(std::span<std::byte> to) override {
    const bool was_never_good = from_.fail() && !from_.eof();  // as of a file that could not be opened
    from_.read(reinterpret_cast<char*>(to.data()), static_cast<std::streamsize>(to.size()));
    if (was_never_good || from_.bad()) return unexpected(SnapshotError(Errc::io_error, "reading the stream failed"));
    return static_cast<std::size_t>(from_.gcount());
  }

 private:
  std::istream& from_;
};

/// A function that takes bytes, and says whether it could.
template <class Function>
concept TakesBytes = std::is_invocable_r_v<bool, Function&, std::span<const std::byte>>;
/// A function that fills a buffer as far as it can, and says how far.
template <class Function>
concept GivesBytes = std::is_invocable_r_v<std::size_t, Function&, std::span<std::byte>>;

template <TakesBytes Function>
class FunctionSink final : public ByteSink {
 public:
  explicit FunctionSink(Function& function) noexcept : function_(function) {}
  Result write(std::span<const std::byte> bytes) override {
    if (!function_(bytes)) return unexpected(SnapshotError(Errc::io_error, "the bytes were not taken"));
    return {};
  }

 private:
  Function& function_;
};
template <GivesBytes Function>
class FunctionSource final : public ByteSource {
 public:
  explicit FunctionSource(Function& function) noexcept : function_(function) {}
  expected<std::size_t, SnapshotError> read(std::span<std::byte> to) override {
    return std::min(static_cast<std::size_t>(function_(to)), to.size());
  }

 private:
  Function& function_;
};

// — what a caller may give, as a sink or a source —

[[nodiscard]] inline ByteSink& sink_of(ByteSink& sink) noexcept { return sink; }
[[nodiscard]] inline MemorySink sink_of(std::vector<std::byte>& to) noexcept { return MemorySink(to); }
[[nodiscard]] inline OstreamSink sink_of(std::ostream& to) noexcept { return OstreamSink(to); }
template <class Function>
requires(TakesBytes<Function> && !std::derived_from<Function, ByteSink>)
    [[nodiscard]] FunctionSink<Function> sink_of(Function& to) noexcept {
  return FunctionSink<Function>(to);
}

[[nodiscard]] inline ByteSource& source_of(ByteSource& source) noexcept { return source; }
[[nodiscard]] inline MemorySource source_of(std::span<const std::byte> from) noexcept { return MemorySource(from); }
[[nodiscard]] inline IstreamSource source_of(std::istream& from) noexcept { return IstreamSource(from); }
template <class Function>
requires(GivesBytes<Function> && !std::derived_from<Function, ByteSource>)
    [[nodiscard]] FunctionSource<Function> source_of(Function& from) noexcept {
  return FunctionSource<Function>(from);
}

}  // namespace snapshot

/// What a snapshot can be saved to: a ByteSink, a std::ostream, a std::vector<std::byte>, to which it is appended, or a
/// function that takes a std::span<const std::byte> and returns whether it could.
template <class To>
concept SnapshotSink = requires(To& to) {
  snapshot::sink_of(to);
};
/// What a snapshot can be loaded from: a ByteSource, a std::istream, bytes in memory, or a function that fills a
/// std::span<std::byte> as far as it can and returns how far, 0 at the end.
template <class From>
concept SnapshotSource = requires(From& from) {
  snapshot::source_of(from);
};

}  // namespace brook
