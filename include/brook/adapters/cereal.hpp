// cereal.hpp — values in snapshots by cereal: for types that cereal can serialise already. Needs cereal 1.3 (libcereal-dev).
//
//   struct Order {
//     int id;
//     std::vector<std::string> lines;
//     template <class Archive>
//     void serialize(Archive& archive) { archive(id, lines); }
//   };
//   template <>
//   struct brook::Codec<Order> : brook::CerealCodec<Order> {};
//
// The bytes are the same on every machine: numbers are little-endian. What cereal and the type's functions throw stays inside:
// a value that cannot be saved is a codec_error, bytes that make no sense are corrupt; but std::bad_alloc comes out.
//
// Bytes are not trusted. cereal makes room for as many elements as a container says it has, and follows pointers as deep as they
// go. So all containers of a value together may have no more elements than the value has bytes, and values lie in values no
// deeper than 200; what does not keep to that is not saved either.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string>
#include <type_traits>

#include <cereal/cereal.hpp>

#include <brook/core/text.hpp>
#include <brook/error.hpp>
#include <brook/snapshot/bytes.hpp>
#include <brook/snapshot/codec.hpp>
#include <brook/snapshot/type_text.hpp>

namespace brook {
namespace adapters {

/// How deep values lie in values, on the way to one.
class CerealDepth {
 public:
  void enter() {
    if (++depth_ > most) throw ::cereal::Exception("values lie too deep in each other");
  }
  void leave() noexcept { --depth_; }

 private:
  static constexpr int most = 200;
  int depth_ = 0;
};

/// cereal's output, into an Encoder.
class CerealOutput : public ::cereal::OutputArchive<CerealOutput, ::cereal::AllowEmptyClassElision>,
                     public CerealDepth {
 public:
  explicit CerealOutput(Encoder& to) : OutputArchive(this), to_(to), before_(to.written_size()) {}

  template <class Number>
  void number(Number number) {
    if constexpr (std::integral<Number> && !std::same_as<Number, bool>) to_.number(number);
    else to_.value(number);
  }
  void bytes(const void* from, std::size_t size) { to_.bytes(from, size); }
  void elements(std::uint64_t count) {
    elements_ = count <= ~elements_ ? elements_ + count : ~std::uint64_t{0};
    to_.number(count);
  }
  /// Whether the bytes can be read again.
  [[nodiscard]] bool readable() const noexcept { return elements_ <= to_.written_size() - before_; }

 private:
  Encoder& to_;
  const std::size_t before_;
  std::uint64_t elements_ = 0;
};

/// cereal's input, from a Decoder.
class CerealInput : public ::cereal::InputArchive<CerealInput, ::cereal::AllowEmptyClassElision>, public CerealDepth {
 public:
  explicit CerealInput(Decoder& from) : InputArchive(this), from_(from), elements_left_(from.left()) {}

  template <class Number>
  void number(Number& number) {
    const auto read = from_.value<Number>();
    if (!read) throw ::cereal::Exception("the bytes end early");
    number = *read;
  }
  void bytes(void* to, std::size_t size) {
    const auto read = from_.bytes(size);
    if (!read) throw ::cereal::Exception("the bytes end early");
    if (size > 0) std::memcpy(to, read->data(), size);
  }
  [[nodiscard]] std::uint64_t elements() {
    std::uint64_t count = 0;
    number(count);
    if (count > elements_left_) throw ::cereal::Exception("more elements than there are bytes");
    elements_left_ -= count;
    return count;
  }

 private:
  Decoder& from_;
  std::uint64_t elements_left_;
};

template <class Archive>
concept CerealArchive = std::same_as<Archive, CerealOutput> || std::same_as<Archive, CerealInput>;

// — what cereal asks an archive for —

template <class T>
requires std::is_arithmetic_v<T>
void CEREAL_SAVE_FUNCTION_NAME(CerealOutput& archive, const T& number) { archive.number(number); }
template <class T>
requires std::is_arithmetic_v<T>
void CEREAL_LOAD_FUNCTION_NAME(CerealInput& archive, T& number) { archive.number(number); }

template <CerealArchive Archive, class T>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& archive, ::cereal::NameValuePair<T>& pair) {
  archive(pair.value);
}

template <class T>
void CEREAL_SAVE_FUNCTION_NAME(CerealOutput& archive, const ::cereal::SizeTag<T>& tag) {
  archive.elements(static_cast<std::uint64_t>(tag.size));
}
template <class T>
void CEREAL_LOAD_FUNCTION_NAME(CerealInput& archive, ::cereal::SizeTag<T>& tag) {
  tag.size = static_cast<std::remove_reference_t<decltype(tag.size)>>(archive.elements());
}

// Numbers of more than one byte are turned round where the machine is not little-endian.
template <class T>
void CEREAL_SAVE_FUNCTION_NAME(CerealOutput& archive, const ::cereal::BinaryData<T>& data) {
  using Number = std::remove_const_t<std::remove_pointer_t<T>>;
  if constexpr (std::endian::native == std::endian::little || sizeof(Number) == 1) {
    archive.bytes(data.data, static_cast<std::size_t>(data.size));
  } else {
    for (std::size_t i = 0; i < data.size / sizeof(Number); ++i) archive.number(data.data[i]);
  }
}
template <class T>
void CEREAL_LOAD_FUNCTION_NAME(CerealInput& archive, ::cereal::BinaryData<T>& data) {
  using Number = std::remove_pointer_t<T>;
  if constexpr (std::endian::native == std::endian::little || sizeof(Number) == 1) {
    archive.bytes(data.data, static_cast<std::size_t>(data.size));
  } else {
    for (std::size_t i = 0; i < data.size / sizeof(Number); ++i) archive.number(data.data[i]);
  }
}

template <CerealArchive Archive, class T>
void prologue(Archive& archive, const T&) {
  archive.enter();
}
template <CerealArchive Archive, class T>
void epilogue(Archive& archive, const T&) {
  archive.leave();
}

}  // namespace adapters

/// A Codec of a type by what cereal knows of it, for Codec<T> to derive from, as above. T must be default constructible. Two types
/// of the same name are taken for the same: a derived Codec may say another type().
template <class T>
struct CerealCodec {
  /// As Codec says; what cereal throws is an error.
  static void encode(Encoder& to, const T& value) {
    try {
      adapters::CerealOutput archive(to);
      archive(value);
      if (!archive.readable()) to.fail();
    } catch (const std::bad_alloc&) { throw; } catch (...) {
      to.fail();
    }
  }
  /// As Codec says; what cereal throws is an error.
  static expected<T, Errc> decode(Decoder& from) {
    try {
      T value{};
      adapters::CerealInput archive(from);
      archive(value);
      return value;
    } catch (const std::bad_alloc&) { throw; } catch (...) {
      return from.fail();
    }
  }
  /// Its name, and by what it was encoded.
  static std::string type() { return snapshot::name_of_type<T>() + " by cereal"; }
};

}  // namespace brook

CEREAL_REGISTER_ARCHIVE(brook::adapters::CerealOutput)
CEREAL_REGISTER_ARCHIVE(brook::adapters::CerealInput)
CEREAL_SETUP_ARCHIVE_TRAITS(brook::adapters::CerealInput, brook::adapters::CerealOutput)
