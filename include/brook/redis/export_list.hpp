// export_list.hpp — a list as pushes.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include <brook/blocking_list.hpp>
#include <brook/redis/exporting.hpp>
#include <brook/redis/format.hpp>
#include <brook/redis/write.hpp>
#include <brook/snapshot/bytes.hpp>
#include <brook/snapshot/error.hpp>
#include <brook/snapshot/looked_list.hpp>

namespace brook::redis {

/// Encodes elements, as a LookedList wants it.
template <class T>
struct Texts {
  void write(Encoder& to, const T& value) const {
    const auto& text = RedisFormat<T>::text(value);
    to.text(std::string_view(text));
  }
};

template <class T>
class ExportingList final : public snapshot::LookedList<Exporting, T, Texts<T>> {
 public:
  using Base = snapshot::LookedList<Exporting, T, Texts<T>>;

  ExportingList(std::shared_ptr<blocking_list::State<T>> list, ExportHead its_head)
      : Base(std::move(list), std::move(its_head)) {}

  [[nodiscard]] bool is_there() const noexcept override { return there_; }

 protected:
  [[nodiscard]] snapshot::Result write(Writer& to) override {
    return this->write_elements([&](std::span<const std::byte> encoded) { return push(to, encoded); });
  }

 private:
  [[nodiscard]] snapshot::Result push(Writer& to, std::span<const std::byte> encoded) {
    std::size_t count = 0;
    for (Decoder each(encoded); each.left() > 0; ++count) static_cast<void>(each.text());
    if (count == 0) return {};
    there_ = true;
    to.begin(count + 2).word(this->from_right() ? "LPUSH" : "RPUSH").word(this->head.name);
    for (Decoder each(encoded); each.left() > 0;) to.word(*each.text());
    return to.end();
  }

  bool there_ = false;
};

}  // namespace brook::redis
