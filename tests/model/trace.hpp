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

/// The tag at the end of a line, as in `if (armed_.load(sync::seq_cst) == 0) return;  // B`; of an operation that spans
/// several lines, the first tag. Empty where there is none.
[[nodiscard]] inline std::string row_of(const std::source_location& at) {
  const auto& lines = lines_of(at.file_name());
  for (std::size_t i = at.line(); i != 0 && i <= lines.size(); ++i) {
    const std::string& line = lines[i - 1];
    const std::size_t slashes = line.rfind("// ");
    if (slashes != line.npos) {
      const std::string tag = line.substr(slashes + 3);
      const bool is_tag = tag.size() <= 2 && tag.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == tag.npos;
      if (is_tag && !tag.empty()) return tag;
    }
    if (line.find(';') != line.npos || line.find('{') != line.npos) break;  // the statement ends here
  }
  return {};
}

class Trace {
 public:
  void add(int thread, const Site& site) {
    std::ostringstream line;
    line << "  thread " << thread << "  ";
    if (site.at.line() != 0) line << file_name(site.at.file_name()) << ':' << site.at.line();
    const std::string row = row_of(site.at);
    if (!row.empty()) line << " row " << row;
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
