// brook-inspect — shows what is in a snapshot, whatever its types, and checks that it is whole.
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "brook-inspect/contents.hpp"
#include "brook-inspect/json.hpp"
#include "brook-inspect/table.hpp"

namespace {

constexpr std::string_view usage =
    R"(usage: brook-inspect [--json] [--entries[=N]] FILE

Shows what is in a snapshot that brook has saved: its objects with their types,
sizes, ids, options, groups and consumers; and checks every checksum.

  --json         for programs
  --entries[=N]  also the first N values of each object (10), where they are
                 strings or numbers; of the others how many bytes they have
  --help         print this text

exit status: 0 the file is whole   1 it is damaged, or no snapshot; what could
               be read is shown    2 it could not be read, or the output not written
)";

struct CommandLine {
  std::string file{};
  bool json = false;
  bool help = false;
  std::uint64_t entries = 0;
};

/// Whether an argument was understood.
bool read_argument(std::string_view argument, CommandLine& command) {
  constexpr std::string_view entries = "--entries";
  if (argument == "--json") return command.json = true;
  if (argument == "--help" || argument == "-h") return command.help = true;
  if (argument == entries) return (command.entries = 10) > 0;
  if (argument.starts_with("--entries=")) {
    const std::string_view number = argument.substr(entries.size() + 1);
    const char* const end = number.data() + number.size();
    const auto [stop, failed] = std::from_chars(number.data(), end, command.entries);
    return failed == std::errc() && stop == end;
  }
  if (argument.starts_with("-") || !command.file.empty()) return false;
  command.file = argument;
  return true;
}

constexpr std::string_view hint_of_journals = "What a journal begins with is in its directory, in N.snapshot.\n";

std::string_view hint(const std::string& file) {
  std::error_code unknown;
  return std::filesystem::is_directory(file, unknown) ? hint_of_journals : "";
}

}  // namespace

int main(int count, char** values) {
  CommandLine command;
  for (const std::string_view argument : std::span(values, static_cast<std::size_t>(count)).subspan(1)) {
    if (read_argument(argument, command)) continue;
    std::cerr << "brook-inspect: not understood: " << argument << " (see --help)\n";
    return 2;
  }
  if (command.help || command.file.empty()) {
    (command.help ? std::cout : std::cerr) << usage;
    return command.help ? 0 : 2;
  }
  const inspect::File file = inspect::Inspection(command.file, command.entries).run();
  if (file.damage && file.damage->code() == brook::Errc::io_error) {
    std::cerr << "brook-inspect: " << file.damage->message() << '\n' << hint(command.file);
    return 2;
  }
  if (file.contents == inspect::snapshot::Contents::journal) {
    std::cerr << "brook-inspect: these are a journal's records. " << hint_of_journals;
    return 2;
  }
  if (command.json) inspect::Json(std::cout).print(file);
  else inspect::Table(std::cout).print(file);
  if (!std::cout.flush()) {
    std::cerr << "brook-inspect: the output could not be written\n";
    return 2;
  }
  return file.damage ? 1 : 0;
}
