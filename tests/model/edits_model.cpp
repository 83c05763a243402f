// edits_model.cpp — log/edits.hpp under the C++ memory model: are states read whole, and is every wish for a trim fulfilled?
#include "relacy_model.hpp"

#include <brook/log/edits.hpp>

namespace {

using namespace brook;
using log::Edits;
using log::EditState;

// The state after so many edits, with every field telling how many.
EditState state_after(std::uint64_t edits) {
  return {.edit = edits, .boundary = edits + 10, .removed = edits + 20, .max_deleted = {edits + 30, edits + 40}};
}

struct Nothing {
  void operator()() const {}
};

// Edits follow each other so fast that a reader's buffer is filled anew while it reads.
struct StatesAreReadWhole : model::Claim<StatesAreReadWhole, 2> {
  Edits edits;
  sync::atomic<std::uint64_t> mark{0};  // like the mark on a slot: written before the commit, with no order of its own

  void thread(unsigned id) { id == 0 ? edit() : read(); }

  void edit() {
    for (std::uint64_t number = 1; number <= 3; ++number) {
      mark.store(number, sync::relaxed);
      edits.commit(state_after(number));
    }
  }

  void read() {
    std::uint64_t before = 0;
    for (int i = 0; i < 2; ++i) {
      const EditState state = edits.read();
      model::demand(state.edit >= before, "time runs backwards");
      before = state.edit;
      if (state.edit == 0) continue;
      const EditState whole = state_after(state.edit);
      model::demand(state.boundary == whole.boundary && state.removed == whole.removed, "a state is read in parts");
      model::demand(state.max_deleted == whole.max_deleted, "a state is read in parts");
      model::demand(mark.load(sync::relaxed) >= state.edit, "an edit is there before its marks");
    }
  }
};

// What is published after an edit must not be seen by a look that holds the edit for still to come.
struct ALookIsOfOneInstant : model::Claim<ALookIsOfOneInstant, 2> {
  Edits edits;
  sync::atomic<int> published{0};

  void thread(unsigned id) { id == 0 ? edit_then_publish() : look(); }

  void edit_then_publish() {
    edits.commit(state_after(1));
    published.store(1, sync::release);
  }

  void look() {
    const EditState state = edits.read();
    const int seen = published.load(sync::acquire);
    if (edits.still(state.edit))
      model::demand(seen == 0 || state.edit == 1, "an entry is seen without an earlier edit");
  }
};

// Each appender adds an entry and wants a trim; whoever trims last must have seen every entry.
template <class Self>
struct Trimming : model::Claim<Self, 3> {
  Edits edits;
  sync::atomic<int> entries[3]{};
  sync::plain<int> seen{};  // by the last trim: plain, because only the turn protects it

  void before() { seen = 0; }

  void append(unsigned id) {
    entries[id].store(1, sync::relaxed);
    edits.want([this] { trim(); });
  }

  void trim() {
    int count = 0;
    for (const auto& entry : entries) count += entry.load(sync::relaxed);
    seen = count;
  }

  void demand_all_seen(int expected) { model::demand(seen == expected, "an entry was left to nobody's trim"); }
};

struct EveryWishIsFulfilled : Trimming<EveryWishIsFulfilled> {
  void thread(unsigned id) { append(id); }
  void after() { demand_all_seen(3); }
};

struct AnEditorFulfilsWishes : Trimming<AnEditorFulfilsWishes> {
  struct Trim {
    AnEditorFulfilsWishes* self;
    void operator()() const { self->trim(); }
  };

  void thread(unsigned id) {
    if (id < 2) return append(id);
    const Edits::Turn<Trim> turn(edits, Trim{this});
    trim();
  }
  void after() { demand_all_seen(2); }
};

// Two editors and an appender: nobody edits at the same time.
struct EditorsTakeTurns : model::Claim<EditorsTakeTurns, 3> {
  Edits edits;
  sync::plain<int> count{};

  void before() { count = 0; }

  void thread(unsigned id) {
    if (id == 2) return edits.want([this] { count = count + 1; });
    const Edits::Turn<Nothing> turn(edits, Nothing{});
    count = count + 1;
  }

  void after() { model::demand(count == 2 || count == 3, "an edit is lost"); }
};

// Who edits looks for sleepers afterwards, and who is about to sleep looks at the edits: one of them sees the other.
struct ASleeperSeesAnEditOrIsSeen : model::Claim<ASleeperSeesAnEditOrIsSeen, 2> {
  Edits edits;
  sync::atomic<int> armed{0};
  bool edit_seen = false;
  bool sleeper_seen = false;

  void thread(unsigned id) { id == 0 ? edit() : sleep(); }

  void edit() {
    edits.want([this] { edits.commit(state_after(1)); });
    sleeper_seen = armed.load(sync::seq_cst) == 1;
  }
  void sleep() {
    armed.fetch_add(1, sync::seq_cst);
    edit_seen = edits.read_for_sleeper().edit == 1;
  }

  void after() { model::demand(edit_seen || sleeper_seen, "an edit is slept through"); }
};

}  // namespace

int main(int argc, char** argv) {
  model::Claims claims(argc, argv);
  claims.random<StatesAreReadWhole>(100'000);
  claims.random<ALookIsOfOneInstant>(50'000);
  claims.random<EveryWishIsFulfilled>(100'000);
  claims.random<AnEditorFulfilsWishes>(100'000);
  claims.random<EditorsTakeTurns>(50'000);
  claims.random<ASleeperSeesAnEditOrIsSeen>(50'000);
  claims.result();
}
