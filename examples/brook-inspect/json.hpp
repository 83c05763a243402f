// json.hpp — what is in a snapshot, for programs. Text that is not UTF-8 is told byte by byte, as U+0080 to U+00FF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include "contents.hpp"
#include "table.hpp"

namespace inspect {

[[nodiscard]] inline bool is_utf8(std::string_view text) {
  const auto byte = [text](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const unsigned first = byte(i);
    if (first < 0x80) continue;
    if (first < 0xc2 || first > 0xf4) return false;
    // Neither longer than it must be, nor half of a pair, nor beyond the last character.
    const unsigned least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    const unsigned most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (byte(i + 1) < least || byte(i + 1) > most) return false;
    const std::size_t follow = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    for (std::size_t k = 2; k <= follow; ++k) {
      if ((byte(i + k) & 0xc0) != 0x80) return false;
    }
    i += follow;
  }
  return true;
}

class Json {
 public:
  explicit Json(std::ostream& out) : out_(out) {}

  void print(const File& file) {
    out_ << "{";
    text("file", file.name, "");
    if (file.begins) {
      text("contents", file.contents == snapshot::Contents::broker ? "broker" : "object");
      number("version", file.version);
      number("saved_ms", file.saved_ms);
    }
    number("bytes", file.bytes);
    flag("whole", !file.damage);
    if (file.damage) {
      text("damage", file.damage->message());
      if (file.damage->offset()) number("damage_at", *file.damage->offset());
    }
    array("objects", file.objects, [this](const Object& object) { print(object); });
    out_ << "}\n";
  }

 private:
  void print(const Object& object) {
    out_ << "\n  {";
    text("name", object.head.name, "");
    text("kind", to_string(object.head.kind));
    text("type", object.head.type);
    number("bytes", object.bytes);
    flag("whole", object.whole);
    if (object.told) told(object);
    out_ << "}";
  }
  void told(const Object& object) {
    flag("closed", object.closed);
    if (object.head.expires) number("expires_in_ms", object.head.expires->count() / 1'000'000);
    if (object.head.kind == brook::ObjectKind::stream) {
      number("entries", object.count);
      number("added", object.added);
      text("first_id", to_string(object.first));
      text("last_entry_id", to_string(object.last));
      text("last_id", to_string(object.last_id));
      text("max_deleted_id", to_string(object.max_deleted));
      number("producer_keys", object.keys);
    } else if (object.head.kind == brook::ObjectKind::list) {
      number("elements", object.count);
    }
    facts("options", object.options);
    if (object.head.kind == brook::ObjectKind::stream)
      array("groups", object.groups, [this](const snapshot::GroupRecord& group) { print(group); });
    if (!object.shown.empty()) array("shown", object.shown, [this](const Shown& shown) { print(shown); });
  }
  void print(const snapshot::GroupRecord& group) {
    out_ << "\n    {";
    text("name", group.name, "");
    text("last_delivered_id", to_string(group.progress.last_delivered));
    facts("options", options_of(group));
    array("consumers", group.members, [this](const brook::group::MemberImage& member) {
      out_ << "{";
      text("name", member.name, "");
      number("seen_ms_before", member.seen.count() / 1'000'000);
      if (member.active) number("active_ms_before", member.active->count() / 1'000'000);
      out_ << "}";
    });
    array("pending", group.pending, [&](const brook::group::PendingImage& entry) {
      out_ << "\n      {";
      text("id", to_string(entry.id), "");
      text("consumer", entry.consumer > 0 ? group.members[entry.consumer - 1].name : std::string());
      number("deliveries", entry.deliveries);
      number("age_ms", entry.age);
      out_ << "}";
    });
    out_ << "}";
  }
  void print(const Shown& shown) {
    out_ << "\n    {";
    text("id", shown.id ? to_string(*shown.id) : std::string(), "");
    text("value", shown.value);
    out_ << "}";
  }

  void facts(std::string_view name, const Facts& all) {
    key(name, ", ");
    out_ << "{";
    const char* between = "";
    for (const Fact& fact : all) {
      key(fact.name, std::exchange(between, ", "));
      out_ << (fact.is_number ? fact.text : escaped(fact.text));
    }
    out_ << "}";
  }
  template <class All, class Print>
  void array(std::string_view name, const All& all, Print&& print_one) {
    key(name, ", ");
    out_ << "[";
    const char* between = "";
    for (const auto& one : all) {
      out_ << std::exchange(between, ",");
      print_one(one);
    }
    out_ << "]";
  }
  void key(std::string_view name, std::string_view between) { out_ << between << escaped(name) << ": "; }
  void text(std::string_view name, std::string_view value, std::string_view between = ", ") {
    key(name, between);
    out_ << escaped(value);
  }
  template <class Number>
  void number(std::string_view name, Number value) {
    key(name, ", ");
    out_ << value;
  }
  void flag(std::string_view name, bool value) {
    key(name, ", ");
    out_ << (value ? "true" : "false");
  }
  [[nodiscard]] static std::string escaped(std::string_view text) {
    if (is_utf8(text)) return in_quotes(text);
    std::string all = "\"";
    for (const char letter : text) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(letter)));
      all += code;
    }
    return all + '"';
  }

  std::ostream& out_;
};

}  // namespace inspect
