// unknown.hpp — the objects of a broker that are not of a type that was told, or cannot be told in bytes: which, and what helps.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <brook/broker/named.hpp>
#include <brook/broker/type_name.hpp>
#include <brook/core/text.hpp>
#include <brook/error.hpp>
#include <brook/id.hpp>
#include <brook/snapshot/bytes.hpp>
#include <brook/snapshot/codec.hpp>
#include <brook/snapshot/error.hpp>
#include <brook/snapshot/object.hpp>
#include <brook/snapshot/type_text.hpp>
#include <brook/snapshot/types.hpp>

namespace brook::snapshot {

/// Objects that cannot be saved, or exported, because of their types. Throws std::bad_alloc.
class UnknownTypes {
 public:
  /// `customisation`: what a type must have.
  explicit UnknownTypes(std::string_view customisation) noexcept : customisation_(customisation) {}

  template <class... Ts>
  void note(std::string_view name, const broker::Named& named) {
    std::string& list = (broker::holds<Ts>(named) || ...) ? bare_ : untold_;
    list += core::text({list.empty() ? "'" : ", '", name, "' (", named.description(), ")"});
  }
  [[nodiscard]] Result result() const {
    if (untold_.empty() && bare_.empty()) return {};
    std::string text;
    if (!untold_.empty()) text = core::text({"types that were not told in brook::types<...>: ", untold_});
    if (!bare_.empty())
      text += core::text({text.empty() ? "" : "; ", "types that have no ", customisation_, ": ", bare_});
    return unexpected(SnapshotError(Errc::wrong_type, std::move(text)));
  }

 private:
  const std::string_view customisation_;
  std::string untold_;
  std::string bare_;
};

/// What a program calls a type of the ones that are told, if it is the one that a snapshot describes so.
template <class... Ts>
[[nodiscard]] std::string name_among(Types<Ts...>, std::string_view type) {
  std::string name(type);
  static_cast<void>(((type == text_of_type<Ts>() && (name = broker::type_name<Ts>(), true)) || ...));
  return name;
}
/// An object of a snapshot, for people: the simple types are called what UnknownTypes calls them.
[[nodiscard]] inline std::string described(const ObjectHead& head) {
  using Simple = Types<std::string, bool, char, signed char, unsigned char, short, unsigned short, int, unsigned,
                       std::int64_t, std::uint64_t, float, double, Id>;
  return broker::described(head.kind, name_among(Simple(), head.type));
}
/// What is wrong with objects of a snapshot, as `'name' (description), …`: that a type has no Codec cannot be known of one that
/// was not told.
[[nodiscard]] inline std::string not_known(std::string_view objects) {
  return core::text(
      {"types that were not told in brook::types<...>, or whose Codec is missing or another than when it was saved: ",
       objects});
}

}  // namespace brook::snapshot
