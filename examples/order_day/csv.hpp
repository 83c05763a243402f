// csv.hpp — reads comma-separated values as RFC 4180 describes them, and says in which line something is wrong.
//
// Understood: quoted fields with commas, doubled quotes and line breaks in them; lines that end in LF or CRLF, the last
// one in nothing; a UTF-8 byte order mark. Empty lines are skipped. The first record fixes the number of columns.
// After a broken record, reading goes on below the line in which it began: a quote that somebody forgot to close costs
// that line, not the rest of the file.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <brook/error.hpp>

namespace csv {

struct Record {
  std::size_t line = 0;  ///< The line in which the record begins, counted from 1.
  std::vector<std::string> fields;
};

/// A record that cannot be used.
struct Broken {
  std::size_t line = 0;  ///< The line in which the record begins, counted from 1.
  std::string reason;
};

/// Reads records from a text, which must outlive the reader.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (text_.starts_with(byte_order_mark)) here_.at = byte_order_mark.size();
  }

  /// The next record, or what is wrong with it, or nothing at the end of the text.
  [[nodiscard]] std::optional<brook::expected<Record, Broken>> next() {
    while (take_line_end()) {}
    if (at_end()) return std::nullopt;
    const Place start = here_;
    Record record{start.line, {}};
    auto problem = read_fields(record.fields);
    if (!problem) problem = check_columns(record.fields.size(), start.line);
    if (!problem) {
      take_line_end();
      return record;
    }
    here_ = start;
    skip_line();
    return brook::unexpected(Broken{start.line, std::move(*problem)});
  }

 private:
  struct Place {
    std::size_t at = 0;
    std::size_t line = 1;
  };
  using Problem = std::optional<std::string>;

  Problem read_fields(std::vector<std::string>& fields) {
    do {
      std::string& field = fields.emplace_back();
      if (auto problem = take('"') ? read_quoted(field) : read_plain(field)) return problem;
    } while (take(','));
    return std::nullopt;
  }

  /// A field without quotes: everything up to the next comma or line end.
  Problem read_plain(std::string& field) {
    const std::size_t start = here_.at;
    here_.at = std::min(text_.find_first_of(",\n\"", start), text_.size());
    if (sees('"')) return "a quote inside a field that does not begin with one";
    if (!sees(',') && here_.at > start && text_[here_.at - 1] == '\r') --here_.at;
    field = text_.substr(start, here_.at - start);
    return std::nullopt;
  }

  /// A quoted field, from behind its opening quote to behind its closing one. Two quotes inside it mean one.
  Problem read_quoted(std::string& field) {
    const std::size_t opened_in = here_.line;
    for (;;) {
      const std::size_t quote = text_.find('"', here_.at);
      if (quote == text_.npos) return "a quoted field is never closed";
      field += text_.substr(here_.at, quote - here_.at);
      here_.at = quote + 1;
      if (!take('"')) break;
      field += '"';
    }
    here_.line += static_cast<std::size_t>(std::count(field.begin(), field.end(), '\n'));
    if (at_end() || sees(',') || sees_line_end()) return std::nullopt;
    if (here_.line == opened_in) return "text behind the closing quote of a field";
    return "a quoted field is not closed where it should be: text follows the next quote, in line " +
           std::to_string(here_.line);
  }

  Problem check_columns(std::size_t count, std::size_t first_line) {
    if (columns_ == 0) columns_ = count;
    if (count == columns_) return std::nullopt;
    auto problem =
        std::to_string(count) + (count == 1 ? " column" : " columns") + " instead of " + std::to_string(columns_);
    if (here_.line != first_line) problem += "; is a closing quote missing?";
    return problem;
  }

  bool at_end() const { return here_.at == text_.size(); }
  bool sees(char c) const { return !at_end() && text_[here_.at] == c; }
  bool sees_line_end() const {
    const std::string_view rest = text_.substr(here_.at);
    return rest.starts_with('\n') || rest.starts_with("\r\n") || rest == "\r";
  }

  bool take(char c) {
    if (!sees(c)) return false;
    ++here_.at;
    return true;
  }

  bool take_line_end() {
    if (!sees_line_end()) return false;
    take('\r');
    if (take('\n')) ++here_.line;
    return true;
  }

  void skip_line() {
    here_.at = std::min(text_.find('\n', here_.at), text_.size());
    take_line_end();
  }

  std::string_view text_;
  Place here_;
  std::size_t columns_ = 0;  // 0 until the first record is read
};

}  // namespace csv
