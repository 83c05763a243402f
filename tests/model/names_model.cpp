// names_model.cpp — broker/names.hpp under the C++ memory model: is what is found what was there under that name, is nothing
// missed that is there, and is a name that moves always somewhere?
#include <array>
#include <memory>
#include <optional>
#include <string>

#include "relacy_model.hpp"

#include <brook/broker/names.hpp>

namespace {

using namespace brook;

struct Object {
  explicit Object(int what) : number(what) {}
  sync::plain<int> number;
};

// Objects live as long as the claim: the counts of std::shared_ptr are not seen by Relacy.
template <class Self, int threads>
struct NamesClaim : model::Claim<Self, threads> {
  using Names = broker::Names<Object>;

  std::optional<Names> names;
  sync::mutex mutex;
  std::array<std::shared_ptr<Object>, 4> objects;

  void begin(std::size_t slots) {
    names.emplace(slots);
    for (int i = 0; i < 4; ++i) objects[i] = std::make_shared<Object>(0);
  }
  void after() {
    names.reset();
    for (auto& object : objects) object.reset();
  }

  void insert(const char* name, int i) {
    const sync::unique_lock<sync::mutex> held(mutex);
    objects[i]->number = i;
    names->insert(name, objects[i]);
  }
  void erase(const char* name) {
    const sync::unique_lock<sync::mutex> held(mutex);
    names->erase(name);
  }
  void move(const char* from, const char* to) {
    const sync::unique_lock<sync::mutex> held(mutex);
    names->move(from, to);
  }
  // Which object a name stands for; -1 when it stands for none.
  int find(const char* name) {
    int number = -1;
    const auto tell = [&](const std::shared_ptr<Object>& object) { number = object->number; };
    if (names->find(name, tell) != Names::Found::unknown) return number;
    const sync::unique_lock<sync::mutex> held(mutex);
    const auto found = names->find_surely(name);
    return found == nullptr ? -1 : static_cast<int>(found->number);
  }
};

struct WhatIsFoundHasThatName : NamesClaim<WhatIsFoundHasThatName, 3> {
  void before() {
    begin(16);
    insert("a", 0);
  }
  void thread(unsigned id) {
    if (id == 0) {
      erase("a");
      insert("b", 1);
      erase("b");
      insert("a", 2);
    } else {
      const int a = find("a");
      model::demand(a == -1 || a == 0 || a == 2, "another name's object");
      const int b = find("b");
      model::demand(b == -1 || b == 1, "another name's object");
      if (b == 1) model::demand(find("a") != 0, "what was there before is found after");
    }
  }
};

struct WhatIsThereIsFound : NamesClaim<WhatIsThereIsFound, 3> {
  void before() {
    begin(2);
    insert("stays", 0);
  }
  void thread(unsigned id) {
    if (id == 0) {
      for (int i = 1; i < 4; ++i) {
        insert("comes", i);
        erase("comes");
      }
    } else {
      model::demand(find("stays") == 0, "what is there is not found");
      model::demand(find("stays") == 0, "what is there is not found");
    }
  }
};

// There are two arrays of a size, which are filled in turn.
struct WhatIsThereIsFoundInAnArrayThatIsUsedAgain : NamesClaim<WhatIsThereIsFoundInAnArrayThatIsUsedAgain, 2> {
  void before() {
    begin(8);
    insert("stays", 0);
  }
  void thread(unsigned id) {
    if (id == 0) {
      for (const char* name : {"1", "2", "3", "4", "5", "6", "7", "8"}) {
        insert(name, 1);
        erase(name);
      }
    } else {
      model::demand(find("stays") == 0, "what is there is not found");
    }
  }
};

struct WhatWasInsertedIsFound : NamesClaim<WhatWasInsertedIsFound, 2> {
  sync::atomic<int> told{0};

  void before() { begin(2); }
  void thread(unsigned id) {
    if (id == 0) {
      insert("a", 1);
      insert("b", 2);
      insert("c", 3);
      told.store(1, sync::release);
    } else {
      const bool all = told.load(sync::acquire) == 1;
      const int c = find("c");
      model::demand(c == 3 || (c == -1 && !all), "what was inserted is not found");
      if (c == 3) model::demand(find("a") == 1, "what was inserted before is not found");
    }
  }
};

struct AMovedNameIsSomewhere : NamesClaim<AMovedNameIsSomewhere, 3> {
  void before() {
    begin(16);
    insert("a", 1);
  }
  void thread(unsigned id) {
    if (id == 0) {
      move("a", "b");
    } else if (find("a") == -1) {
      model::demand(find("b") == 1, "it has gone, and not come");
    } else if (find("b") == 1) {
      model::demand(find("a") == -1, "it is in two places");
    }
  }
};

struct AMoveTakesTheOthersPlace : NamesClaim<AMoveTakesTheOthersPlace, 2> {
  void before() {
    begin(16);
    insert("a", 1);
    insert("b", 2);
  }
  void thread(unsigned id) {
    if (id == 0) {
      move("a", "b");
    } else {
      const int b = find("b");
      model::demand(b == 1 || b == 2, "a name that is overwritten is missed");
      if (b == 1) model::demand(find("a") == -1, "it is in two places");
    }
  }
};

struct WhatIsErasedIsGone : NamesClaim<WhatIsErasedIsGone, 2> {
  void before() {
    begin(16);
    insert("a", 0);
    insert("b", 1);
  }
  void thread(unsigned id) {
    if (id == 0) {
      erase("a");
      erase("b");
    } else if (find("b") == -1) {
      model::demand(find("a") == -1, "what was erased before is found after");
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  model::Claims claims(argc, argv);
  claims.random<WhatIsFoundHasThatName>(60'000);
  claims.random<WhatIsThereIsFound>(60'000);
  claims.random<WhatIsThereIsFoundInAnArrayThatIsUsedAgain>(60'000);
  claims.random<WhatWasInsertedIsFound>(60'000);
  claims.random<AMovedNameIsSomewhere>(60'000);
  claims.random<AMoveTakesTheOthersPlace>(60'000);
  claims.random<WhatIsErasedIsGone>(60'000);
  claims.result();
}
