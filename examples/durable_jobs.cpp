// Jobs that outlive their process. Each change is recorded before its call returns; then the process dies in the middle of a
// job, and the next one goes on: nothing that was done is done again, and nothing that was accepted is forgotten.
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#include <brook/journal.hpp>

namespace {

namespace fs = std::filesystem;

struct Job {
  int number;
  std::string what;
};

}  // namespace

template <>
struct brook::Codec<Job> : brook::MemberCodec<Job, &Job::number, &Job::what> {};

namespace {

// Opens what there is, or begins.
brook::Journal open(const fs::path& directory, brook::Broker& broker) {
  auto journal =
      brook::Journal::open(directory, broker, brook::types<Job, std::string>, {.flush = brook::Flush::always});
  if (!journal) {
    std::cerr << journal.error().message() << '\n';
    std::exit(1);
  }
  return *std::move(journal);
}

// Accepts three jobs, and does one and a half of them.
void before_the_crash(brook::Broker& broker) {
  const auto jobs = *broker.stream<Job>("jobs");
  const auto receipts = *broker.list<std::string>("receipts");
  const auto workers = *jobs->create_group("workers", brook::earliest);
  for (const char* what : {"print", "bind", "ship"}) jobs->add({static_cast<int>(jobs->size()) + 1, what});
  const auto batch = workers.consumer("ann").read({.count = 2});
  const auto& first = batch->front();
  // The job is acknowledged and its receipt is there, or neither, also after a crash.
  if (first.forward(*receipts, "done: " + first->what)) std::cout << "ann did job " << first->number << '\n';
  std::cout << "ann has begun job " << (*batch)[1]->number << ", and the power fails\n";
}

void after_the_crash(brook::Broker& broker) {
  const auto jobs = *broker.stream<Job>("jobs");
  const auto receipts = *broker.list<std::string>("receipts");
  const auto ann = jobs->group("workers")->consumer("ann");
  for (const auto& receipt : receipts->lrange(0, -1)) std::cout << "there is a receipt: " << receipt << '\n';
  const auto begun = ann.history();
  for (const auto& job : *begun) {
    std::cout << "ann had begun job " << job->number << ", and does it now\n";
    job.forward(*receipts, "done: " + job->what);
  }
  const auto fresh = ann.read();
  for (const auto& job : *fresh) {
    std::cout << "nobody had begun job " << job->number << '\n';
    job.forward(*receipts, "done: " + job->what);
  }
  std::cout << receipts->size() << " receipts, " << jobs->group("workers")->info()->pending << " jobs pending\n";
}

}  // namespace

int main() {
  const fs::path directory = fs::temp_directory_path() / "brook_durable_jobs";
  const fs::path as_it_was = fs::temp_directory_path() / "brook_durable_jobs_crashed";
  fs::remove_all(directory);
  fs::remove_all(as_it_was);
  {
    brook::Broker broker;
    const brook::Journal journal = open(directory, broker);
    before_the_crash(broker);
    fs::copy(directory, as_it_was);  // what a crash would leave at this moment
  }
  {
    brook::Broker broker;
    brook::Journal journal = open(as_it_was, broker);
    std::cout << "found " << journal.recovery().records << " records\n";
    after_the_crash(broker);
    if (journal.compact()) std::cout << "compacted: " << journal.info().bytes << " bytes of records are left\n";
  }
  fs::remove_all(directory);
  fs::remove_all(as_it_was);
}
