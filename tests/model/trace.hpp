// trace.hpp — what the threads of one execution did, for people; and which row of a table of memory orders a line has.
#pragma once

#include <cstddef>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "schedule.hpp"

namespace brook::model {

[[nodiscard]] inline std::string_view file_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

/// The lines of a source file, read once; empty when it cannot be read.
[[nodiscard]] inline const std::vector<std::string>& lines_of(const char* path) {
  static std::map<std::string, std::vector<std::string>> files;
  const auto [file, fresh] = files.try_emplace(path);
  if (fresh) {
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) file->second.push_back(line);
  }
  return file->second;
}

/// The letters at the end of a line, as in `if (armed_.load(sync::seq_cst) == 0) return;  // B`, or `// A AK` for the two
/// orders of an exchange; of a statement that spans several lines, the first that there are. Empty where there are none.
[[nodiscard]] inline std::string rows_of(const std::source_location& at) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ ";
  const auto& lines = lines_of(at.file_name());
  for (std::size_t i = at.line(); i != 0 && i <= lines.size(); ++i) {
    const std::string& line = lines[i - 1];
    const std::size_t slashes = line.rfind("// ");
    if (slashes != line.npos) {
      const std::string rows = line.substr(slashes + 3);
      if (!rows.empty() && rows.size() <= 8 && rows.find_first_not_of(letters) == rows.npos) return rows;
    }
    if (line.find_first_of(";{") != line.npos) break;  // the statement ends here
  }
  return {};
}

[[nodiscard]] inline bool has_row(const std::source_location& at, const std::string& row) {
  return (' ' + rows_of(at) + ' ').find(' ' + row + ' ') != std::string::npos;
}

class Trace {
 public:
  void add(int thread, const Site& site) {
    std::ostringstream line;
    line << "  thread " << thread << "  ";
    if (site.at.line() != 0) line << file_name(site.at.file_name()) << ':' << site.at.line();
    const std::string rows = rows_of(site.at);
    if (!rows.empty()) line << " row " << rows;
    line << "  " << site.what;
    if (site.object != nullptr) line << " #" << number_of(site.object);
    lines_.push_back(line.str());
  }

  /// What came of the step that was added last.
  void result(const std::string& text) {
    if (!lines_.empty()) lines_.back() += "  " + text;
  }

  [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }

 private:
  // Objects are numbered as they appear, which reads better than addresses and is the same in each run.
  [[nodiscard]] std::size_t number_of(const void* object) {
    return numbers_.try_emplace(object, numbers_.size() + 1).first->second;
  }

  std::vector<std::string> lines_;
  std::map<const void*, std::size_t> numbers_;
};

}  // namespace brook::model
