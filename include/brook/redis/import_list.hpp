// import_list.hpp — a list as pushes make it, or as a reply tells it.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

#include <brook/blocking_list.hpp>
#include <brook/blocking_list/restore.hpp>
#include <brook/error.hpp>
#include <brook/log/payload.hpp>
#include <brook/options.hpp>
#include <brook/redis/format.hpp>
#include <brook/redis/importing.hpp>
#include <brook/redis/read.hpp>
#include <brook/snapshot/error.hpp>

namespace brook::redis {

template <class T>
class ImportingList final : public Importing {
 public:
  explicit ImportingList(const ListOptions& options)
      : Importing(ObjectKind::list), state_(std::make_shared<blocking_list::State<T>>(options)) {}

  snapshot::Result apply(const Command& command) override {
    const bool right = same_word(command[0], "RPUSH");
    if ((!right && !same_word(command[0], "LPUSH")) || command.size() < 3) return not_understood(command);
    for (std::size_t i = 2; i < command.size(); ++i) {
      if (auto failed = push(right ? Side::right : Side::left, command[i]); !failed) return failed;
    }
    return {};
  }
  /// Errors: codec_error, or what from_text() said; invalid_argument. Throws std::bad_alloc.
  [[nodiscard]] snapshot::Result push(Side side, std::string_view text) {
    auto value = RedisFormat<T>::from_text(text);
    if (!value) return refuse(value.error(), "an element that no value can be made of");
    if (!blocking_list::restore_element<T>(*state_, side, log::make_payload<T>(*std::move(value))))
      return refuse(Errc::invalid_argument, "the list has more elements than its options allow");
    return {};
  }

  [[nodiscard]] const std::shared_ptr<blocking_list::State<T>>& state() const noexcept { return state_; }

 private:
  std::shared_ptr<blocking_list::State<T>> state_;
};

}  // namespace brook::redis
