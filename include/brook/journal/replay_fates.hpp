// replay_fates.hpp — which groups there are at the end of a journal, and of what names: found out before anything is replayed.
//
// A group needs its functions from its first change on, and Policies tell them for what there is at last. So a group that is
// gone by then is not made, which would need functions that nobody has any more; and one that stays is looked for under the
// name that its stream will have.
#pragma once

#include <map>
#include <set>
#include <string>

#include <brook/journal/codes.hpp>
#include <brook/journal/replay_records.hpp>
#include <brook/journal/scan.hpp>
#include <brook/snapshot/error.hpp>
#include <brook/snapshot/reader.hpp>

namespace brook::journal {

class Fates {
 public:
  /// Looks through all records. Errors: what reading them answers.
  [[nodiscard]] snapshot::Result read(const Scan& scan) {
    for (const Scanned& file : scan.files) {
      if (!file.begun) continue;
      if (auto failed = read_records(file, [this](snapshot::Reader& from) { read_record(from); }); !failed)
        return failed;
    }
    return {};
  }

  /// Whether a group of this stream is still there at the end, and can be come by.
  [[nodiscard]] bool stays(Number group, Number stream) const {
    return !gone_.contains(group) && !gone_.contains(stream);
  }

  /// The name at the end of what has this one somewhere before.
  [[nodiscard]] const std::string& name_at_end(Number object, const std::string& before) const {
    const auto found = renamed_.find(object);
    return found == renamed_.end() ? before : found->second;
  }

 private:
  void read_record(snapshot::Reader& from) {
    static_cast<void>(read_time(from));
    read_changes(from, [&](Change change, Number number) {
      if (change == Change::object_renamed) renamed_[number] = from.text();
      if (change == Change::object_erased || change == Change::group_destroyed) gone_.insert(number);
      return change == Change::object_renamed;
    });
  }

  std::set<Number> gone_;
  std::map<Number, std::string> renamed_;
};

}  // namespace brook::journal
