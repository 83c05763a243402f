// command_line.hpp — what the user asks for, and the text of the file that was named.
#pragma once

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <istream>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include <brook/error.hpp>

namespace shop {

inline constexpr std::string_view usage =
    R"(usage: order_day [--rejected] [FILE | -]

Sends a day of a shop's order lines through a stream to three consumer groups
(payment, stock, shipping), proves that each group saw every line exactly once,
and prints a summary.

  FILE        comma-separated values with the columns
              InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
              (default: the day of a real shop that comes with the examples)
  -           read standard input
  --rejected  list every line that a group could not process, with the reason
  --help      print this text

exit status: 0 all lines were processed     1 some lines were broken
             2 nothing could be processed   3 the proof failed
)";

struct CommandLine {
  std::string file;
  bool help = false;
  bool list_rejected = false;
};

/// The file that comes with the examples.
[[nodiscard]] inline std::string default_file() {
#ifdef BROOK_EXAMPLE_DATA  // the folder that holds it
  const std::string folder = BROOK_EXAMPLE_DATA;
#else
  const std::string folder = "examples/data";
#endif
  return folder + "/online-retail-2010-12-01.csv";
}

/// What the arguments say, or what is wrong with them.
[[nodiscard]] inline brook::expected<CommandLine, std::string> parse_arguments(std::span<char*> arguments) {
  CommandLine command;
  bool options = true;  // until "--"
  for (const std::string_view argument : arguments) {
    const bool option = options && argument.starts_with('-') && argument != "-";
    if (option && argument == "--") options = false;
    else if (option && (argument == "--help" || argument == "-h")) command.help = true;
    else if (option && argument == "--rejected") command.list_rejected = true;
    else if (option) return brook::unexpected("unknown option '" + std::string{argument} + "'");
    else if (argument.empty()) return brook::unexpected(std::string{"the name of the file is empty"});
    else if (!command.file.empty())
      return brook::unexpected("one file at a time, not also '" + std::string{argument} + "'");
    else command.file = argument;
  }
  if (command.file.empty()) command.file = default_file();
  return command;
}

/// Without the folder.
[[nodiscard]] inline std::string file_name(const std::string& file) {
  return std::filesystem::path{file}.filename().string();
}

/// The whole text of a file, or of standard input for "-"; otherwise why it cannot be had.
[[nodiscard]] inline brook::expected<std::string, std::string> read_text(const std::string& file) {
  std::error_code ignored;
  if (file != "-" && std::filesystem::is_directory(file, ignored))
    return brook::unexpected(std::string{"it is a folder"});
  std::ifstream stream;
  if (file != "-") stream.open(file, std::ios::binary);
  std::istream& in = file == "-" ? std::cin : stream;
  if (!in) return brook::unexpected("cannot open it: " + std::generic_category().message(errno));
  std::string text;
  std::string block(1 << 16, '\0');
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())) || in.gcount() > 0) {
    text.append(block, 0, static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad()) return brook::unexpected(std::string{"cannot read it"});
  return text;
}

}  // namespace shop
