// order_day — a day of a real online shop on brook.
//
// Four producers publish every order line of a file to a stream. Three independent groups (payment, stock, shipping) of
// three consumers each see every line: the consumers of a group share the lines, those of one invoice in their order, and
// acknowledge what they have handled. Now and then a department cannot be reached, and the line is tried again. What a
// group cannot process ends as a dead letter in a second stream; departments.hpp says who refuses what. At the end the
// program proves that nothing was lost, doubled or miscounted, against a plain loop over the file.
//
// All lines of an invoice go through the same producer, so they stand in the stream in the order of the file.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <iostream>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <brook/stream.hpp>

#include "order_day/command_line.hpp"
#include "order_day/day.hpp"
#include "order_day/departments.hpp"
#include "order_day/ledger.hpp"
#include "order_day/outcome.hpp"
#include "order_day/progress.hpp"
#include "order_day/proof.hpp"
#include "order_day/report.hpp"
#include "order_day/timing.hpp"

namespace {

using namespace shop;
using std::chrono::steady_clock;

constexpr std::size_t producers = 4;
constexpr std::size_t consumers = 3;  // in each group

/// One producer: publishes the invoices that fall to it.
void publish(const std::vector<OrderLine>& lines, std::size_t producer, brook::Stream<OrderLine>& orders) {
  for (const OrderLine& line : lines) {
    if (std::hash<std::string>{}(line.invoice) % producers != producer) continue;
    OrderLine order = line;
    order.published = steady_clock::now();
    if (const auto id = orders.add(std::move(order)); !id) std::cerr << "order_day: " << message(id.error()) << '\n';
  }
}

/// One consumer: handles what is new and acknowledges it, until the stream is closed and nothing is left.
Ledger work(brook::Consumer<OrderLine> worker, const Department& department, InvoiceOrder& order_of_invoices,
            std::stop_token stop) {
  Ledger ledger;
  while (auto batch = worker.read({.count = 64, .block = brook::forever, .stop = stop})) {
    for (auto& order : *batch) {
      if (order.count() == 1 && cannot_be_reached(*order)) {
        ++ledger.retries;
        order.nack();
        continue;
      }
      order_of_invoices.see(*order);
      const auto reason = department.refuses(*order);
      ledger.enter(*order, reason.has_value());
      if (reason) order.nack({.fatal = true});
      else order.ack();
      ledger.finished = steady_clock::now();
      ledger.latencies.push_back(ledger.finished - order->published);
    }
  }
  return ledger;
}

/// What all groups have acknowledged, as a part of all that there is to do.
double part_done(const brook::Stream<OrderLine>& orders, const std::vector<brook::Group<OrderLine>>& groups,
                 std::size_t lines) {
  double done = 0;
  for (const auto& group : groups) {
    const auto published = static_cast<double>(orders.size());
    if (const auto info = group.info()) done += published - static_cast<double>(info->lag + info->pending);
  }
  return done / static_cast<double>(groups.size() * lines);
}

/// The whole day: every line through the stream and all groups.
Outcome process(const std::vector<OrderLine>& lines) {
  brook::Stream<OrderLine> orders;
  brook::Stream<brook::DeadLetter<OrderLine>> rejected;
  std::vector<brook::Group<OrderLine>> groups;
  for (const Department& department : departments) {
    groups.push_back(*orders.create_group(
        department.name, brook::earliest,
        {.dead_letter = &rejected, .ordered_by = [](const OrderLine& line) -> auto& { return line.invoice;
  }
}));
}  // namespace

Outcome outcome;
std::array<std::array<Ledger, consumers>, departments.size()> ledgers;
std::array<InvoiceOrder, departments.size()> invoices;
{
  const Progress progress([&] { return part_done(orders, groups, lines.size()); });
  std::vector<std::jthread> workers, publishers;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    for (std::size_t j = 0; j < consumers; ++j) {
      workers.emplace_back([&, i, j](std::stop_token stop) {
        ledgers[i][j] = work(groups[i].consumer("worker-" + std::to_string(j + 1)), departments[i], invoices[i], stop);
      });
    }
  }
  outcome.started = steady_clock::now();
  for (std::size_t i = 0; i < producers; ++i) publishers.emplace_back([&, i] { publish(lines, i, orders); });
  for (auto& publisher : publishers) publisher.join();
  outcome.all_published = steady_clock::now();
  orders.close();                              // nothing more comes: the workers finish what is there, and end
  for (auto& worker : workers) worker.join();  // before ~jthread, which would tell them to stop at once
}
collect(orders, rejected, outcome);
for (std::size_t i = 0; i < groups.size(); ++i)
  collect(groups[i], departments[i], ledgers[i], invoices[i].violations(), outcome);
return outcome;
}

enum Exit { all_processed = 0, some_broken = 1, nothing_processed = 2, not_proved = 3 };

int run(const CommandLine& command) {
  const std::string name = printable(command.file == "-" ? "standard input" : command.file);
  const auto text = read_text(command.file);
  if (!text) {
    std::cerr << "order_day: " << name << ": " << text.error() << '\n';
    return nothing_processed;
  }
  const Day day = read_day(*text);
  for (const auto& [line, reason] : day.broken)
    std::cerr << "order_day: " << name << ", line " << line << ": " << reason << '\n';
  if (day.lines.empty()) {
    if (day.right_header) std::cerr << "order_day: " << name << ": there is no order line to process\n";
    return nothing_processed;
  }
  const Outcome outcome = process(day.lines);
  const auto wrong = differences(day.lines, outcome);

  std::cout << "A day of a shop: " << file_name(name) << '\n';
  print_counts(std::cout, day);
  print_rejections(std::cout, outcome.rejected);
  if (command.list_rejected) list_rejections(std::cout, outcome.rejected);
  print_revenue(std::cout, outcome.groups.front().ledger.countries);
  print_proof(std::cout, outcome, wrong);
  print_timing(std::cout, outcome);
  if (!wrong.empty()) return not_proved;
  return day.broken.empty() ? all_processed : some_broken;
}

}  // namespace

int main(int count, char** arguments) {
  const auto command = parse_arguments({arguments + 1, static_cast<std::size_t>(std::max(count, 1) - 1)});
  if (!command) {
    std::cerr << "order_day: " << command.error() << "\n\n" << usage;
    return nothing_processed;
  }
  const int status = command->help ? (std::cout << usage, all_processed) : run(*command);
  if (!std::cout.flush()) {
    std::cerr << "order_day: cannot write to standard output\n";
    return nothing_processed;
  }
  return status;
}
