#include "harness.hpp"

#include <fnmatch.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <mutex>

#include "machine.hpp"

namespace bench {
namespace {

std::mutex failures_mutex;
int failure_count = 0;
std::string current_cell;

struct Spread {
  double median = 0;
  double min = 0;
  double max = 0;
};

Spread spread_of(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  const double median = values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
  return {median, values.front(), values.back()};
}

// rounds[peer][round] is a sample.
using Rounds = std::vector<std::vector<Sample>>;

std::vector<double> column(const std::vector<Sample>& samples, std::size_t metric) {
  std::vector<double> values;
  for (const Sample& sample : samples) values.push_back(sample[metric]);
  return values;
}

Spread ratio_of(const Rounds& rounds, std::size_t peer, std::size_t metric) {
  std::vector<double> ratios = column(rounds[0], metric);
  const std::vector<double> theirs = column(rounds[peer], metric);
  for (std::size_t round = 0; round < ratios.size(); ++round) ratios[round] /= theirs[round];
  return spread_of(std::move(ratios));
}

void progress(std::string_view text) {
  static const bool terminal = isatty(STDERR_FILENO) != 0;
  if (terminal) std::fprintf(stderr, "\r\033[K%.*s", static_cast<int>(text.size()), text.data());
}

Rounds measure(Case& subject, const Options& options) {
  const std::size_t peers = subject.peers.size();
  Rounds rounds(peers);
  for (int round = -1; round < options.rounds; ++round) {  // round -1 warms up
    for (std::size_t i = 0; i < peers; ++i) {
      const std::size_t peer = (i + static_cast<std::size_t>(round + 1)) % peers;
      current_cell = subject.name + ", " + subject.peers[peer].name;
      progress(current_cell + ", round " + std::to_string(round + 1) + " of " + std::to_string(options.rounds));
      Sample sample = subject.peers[peer].measure();
      sample.resize(subject.metrics.size(), std::nan(""));
      if (round >= 0) rounds[peer].push_back(std::move(sample));
    }
  }
  progress("");
  return rounds;
}

void print_heading() {
  std::printf("\n%-42s %-28s %10s %10s %10s   %10s %8s %8s\n", "case, metric", "peer", "median", "min", "max",
              "brook/peer", "min", "max");
}

void print(const Case& subject, const Rounds& rounds) {
  for (std::size_t metric = 0; metric < subject.metrics.size(); ++metric) {
    for (std::size_t peer = 0; peer < subject.peers.size(); ++peer) {
      const std::string title = peer == 0 ? subject.name + ", " + subject.metrics[metric] : "";
      const Spread own = spread_of(column(rounds[peer], metric));
      std::printf("%-42s %-28s %10.4g %10.4g %10.4g", title.c_str(), subject.peers[peer].name.c_str(), own.median,
                  own.min, own.max);
      if (peer > 0) {
        const Spread ratio = ratio_of(rounds, peer, metric);
        std::printf("   %10.3g %8.3g %8.3g", ratio.median, ratio.min, ratio.max);
      }
      std::printf("\n");
    }
  }
  std::fflush(stdout);
}

void write(std::ostream& csv, const Case& subject, const Rounds& rounds) {
  for (std::size_t metric = 0; metric < subject.metrics.size(); ++metric) {
    for (std::size_t peer = 0; peer < subject.peers.size(); ++peer) {
      const Spread own = spread_of(column(rounds[peer], metric));
      const Spread ratio = ratio_of(rounds, peer, metric);
      csv << subject.name << ',' << subject.metrics[metric] << ",\"" << subject.peers[peer].name << "\","
          << rounds[peer].size() << ',' << own.median << ',' << own.min << ',' << own.max << ',' << ratio.median << ','
          << ratio.min << ',' << ratio.max << '\n';
    }
  }
}

bool matches(const std::string& glob, const std::string& name) { return fnmatch(glob.c_str(), name.c_str(), 0) == 0; }

}  // namespace

void expect(bool ok, std::string_view what) {
  if (ok) return;
  const std::lock_guard held(failures_mutex);
  if (++failure_count <= 20) std::cerr << "\nbrook_bench: check failed: " << current_cell << ": " << what << '\n';
}

int failures() {
  const std::lock_guard held(failures_mutex);
  return failure_count;
}

double percentile(std::vector<double>& samples, double p) {
  if (samples.empty()) return std::nan("");
  const auto rank = static_cast<std::size_t>(p / 100 * static_cast<double>(samples.size() - 1));
  std::ranges::nth_element(samples, samples.begin() + static_cast<std::ptrdiff_t>(rank));
  return samples[rank];
}

void Suite::list() const {
  for (const Case& subject : cases_) {
    std::printf("%s:", subject.name.c_str());
    for (const Peer& peer : subject.peers)
      std::printf(" %s%s", peer.name.c_str(), &peer == &subject.peers.back() ? "\n" : ",");
  }
  for (const std::string& line : left_out_) std::printf("left out: %s\n", line.c_str());
}

bool Suite::run() {
  if (std::ranges::none_of(cases_, [this](const Case& one) { return matches(options_.only, one.name); })) {
    std::cerr << "brook_bench: no case is called '" << options_.only << "'; see --list\n";
    return false;
  }
  std::ofstream csv;
  if (!options_.csv.empty()) {
    csv.open(options_.csv);
    if (!csv) {
      std::cerr << "brook_bench: cannot write " << options_.csv << '\n';
      return false;
    }
  }
  std::vector<std::string> facts = machine(options_);
  for (const std::string& line : left_out_) facts.push_back("left out: " + line);
  for (const std::string& line : facts) {
    std::printf("%s\n", line.c_str());
    csv << "# " << line << '\n';
  }
  csv << "case,metric,peer,rounds,median,min,max,ratio,ratio_min,ratio_max\n";
  print_heading();
  for (Case& subject : cases_) {
    if (!matches(options_.only, subject.name)) continue;
    const Rounds rounds = measure(subject, options_);
    print(subject, rounds);
    write(csv, subject, rounds);
    csv.flush();
    for (Peer& peer : subject.peers) peer.measure = nullptr;  // and with it what it had prepared
  }
  return true;
}

}  // namespace bench
