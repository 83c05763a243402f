// names.hpp — names, and what each stands for: looked up without a lock, changed by one thread at a time.
//
// Use it    for names that are looked up far more often than they come and go.
// Not for   anything in order: who wants that sorts what each() shows.
//
// Shape     array_ ─▶ slots, each empty, or an entry, or a grave (an entry was there). A name is looked for from the slot
//           of its hash on, up to an empty one. When too few are empty another array is filled, and takes its place.
// Lives     Entries and arrays are type-stable: they are used again, and freed with the table. So who has an old pointer
//           can look, and then asks by pinning an entry (log/pins.hpp) whether it is in a life, and whether it has the
//           name in that.
//
// Invariants
//   I1  A pinned entry stays what it is: its name and its object are not touched before the last pin is dropped.
//
//   I2  Names come and go by a change of one slot each. Where it takes more, as an array is filled again or a name moves,
//       moves_ is odd meanwhile, and is another one afterwards.
//
// Linearizable   a name that was found was there when its entry was pinned. One that was not found was not there at some time
//                since moves_ was read first, if it is the same still, and even; else who must know looks with the writers'
//                lock
//
// Memory orders
//   row  thread  operation           order    meets  because
//   NA   finder  read array_         acquire  NB     the array's slots
//   NB   writer  array_ = another    release  NA     the same
//   NE   finder  read a slot         acquire  NF     the entry; and that moves_ has changed since, if it has
//   NF   writer  change a slot       release  NE     the same
//   NM   finder  read moves_ first   acquire  NN     what was moved until then
//   NN   writer  moves_ += 1, at the release  NM     the same
//                end
//   NG   finder  read the hash       relaxed  -      a hint: what counts is the name, once the entry is pinned
//   NJ   writer  take all spares     acquire  NL     their last lives are over
//   NL   ender   push a spare        release  NJ     the same
//   NK   anyone  what only writers   relaxed  -      a lock orders writers; or nothing is learnt; or by NE and NF
//                write, or failed;
//                moves_ but for NM, NN
// Locking   one writer at a time, which the caller sees to
// Proof     tests/model/names_model.cpp
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <brook/core/later.hpp>
#include <brook/core/sync.hpp>
#include <brook/core/undo.hpp>
#include <brook/log/pins.hpp>

namespace brook::broker {

template <class Object>
class Names {
 public:
  using Ptr = std::shared_ptr<Object>;

  Names() : Names(16) {}
  /// With so many slots at least, a power of two.
  explicit Names(std::size_t slots) : smallest_(slots) { use(make_array(slots)); }
  /// No call is running; but perhaps a handler is that has erased names, and destroys this.
  ~Names() {
    for (Entry* entry = made_; entry != nullptr;) {
      core::Later::forget(*entry);
      delete std::exchange(entry, entry->made_before);
    }
    for (Array* array = arrays_; array != nullptr;) delete std::exchange(array, array->made_before);
  }
  Names(const Names&) = delete;
  Names& operator=(const Names&) = delete;

  // — by any thread —

  enum class Found : unsigned char { yes, no, unknown };  // unknown: only who has the lock can tell, as names move

  /// Calls `use(pointer)` with what a name stands for, which it does until that returns. O(1).
  template <class Use>
  Found find(std::string_view name, Use&& use) const {
    const std::uint64_t moves = moves_.load(sync::acquire);  // NM
    const std::size_t hash = std::hash<std::string_view>()(name);
    const Array& array = *array_.load(sync::acquire);  // NA
    std::size_t at = hash & array.mask;
    for (std::size_t seen = 0; seen <= array.mask; ++seen, at = (at + 1) & array.mask) {
      Entry* const entry = array.slots[at].load(sync::acquire);  // NE
      if (entry == nullptr) break;
      if (entry == grave() || entry->hash.load(sync::relaxed) != hash) continue;  // NG
      const Pin pin(*entry);
      if (!pin.held || entry->text() != name) continue;
      use(static_cast<const Ptr&>(entry->object));
      return Found::yes;
    }
    const bool stood_still = moves % 2 == 0 && moves_.load(sync::relaxed) == moves;  // NK
    return stood_still ? Found::no : Found::unknown;
  }

  // — by one thread at a time —

  /// What a name stands for; null when it stands for nothing. O(1).
  [[nodiscard]] Ptr find_surely(std::string_view name) const noexcept {
    const sync::atomic<Entry*>* const slot = slot_of(name);
    return slot == nullptr ? Ptr() : Ptr(slot->load(sync::relaxed)->object);  // NK
  }
  /// Precondition: the name stands for nothing. Throws std::bad_alloc, and then nothing has changed. O(1) amortised.
  void insert(std::string_view name, Ptr object) {
    Entry& entry = prepare(name, std::move(object));
    put(current(), entry);
    entry.pins.raise();
  }
  /// Several, none of which stands for anything. Throws std::bad_alloc, and then nothing has changed.
  void insert_all(const std::vector<std::pair<std::string, Ptr>>& added) {
    std::vector<Entry*> prepared;
    prepared.reserve(added.size());
    core::Undo undo([&] {
      for (Entry* const entry : prepared) take_back(*entry);
    });
    make_room(added.size());
    for (const auto& [name, object] : added) prepared.push_back(&prepare(name, object));
    undo.keep();
    for (Entry* const entry : prepared) {
      put(current(), *entry);
      entry->pins.raise();
    }
  }
  /// Whether there was such a name.
  bool erase(std::string_view name) noexcept {
    sync::atomic<Entry*>* const slot = slot_of(name);
    if (slot != nullptr) retire(*slot);
    return slot != nullptr;
  }
  /// What `from` stands for is what `to` stands for from now on. Precondition: `from` is there. Nobody finds both. Throws
  /// std::bad_alloc, and then nothing has changed.
  void move(std::string_view from, std::string_view to) {
    Entry& entry = prepare(to, find_surely(from));
    const Moving moving(*this);
    if (auto* const before = slot_of(to)) retire(*before);
    retire(*slot_of(from));
    put(current(), entry);
    entry.pins.raise();
  }
  /// Calls `use(name, object)` for each.
  template <class Use>
  void each(Use&& use) {
    Array& array = current();
    for (std::size_t i = 0; i <= array.mask; ++i) {
      Entry* const entry = array.slots[i].load(sync::relaxed);  // NK
      if (entry == nullptr || entry == grave()) continue;
      use(entry->text(), static_cast<const Ptr&>(entry->object));
    }
  }

 private:
  struct Entry : core::Task {
    explicit Entry(Names& whose) noexcept
        : Task([](core::Task& over) noexcept { static_cast<Entry&>(over).end(); }), table(&whose) {}

    // Nobody has it pinned any more.
    void end() noexcept {
      const Ptr last = object;
      object = nullptr;
      name = std::string();
      table->give(*this);
    }

    [[nodiscard]] const std::string& text() const noexcept { return name; }

    log::Pins pins;
    sync::atomic<std::size_t> hash{0};
    sync::plain<std::string> name;
    sync::plain<Ptr> object;
    Names* table;
    Entry* made_before = nullptr;
  };

  struct Array {
    explicit Array(std::size_t size) : mask(size - 1), slots(new sync::atomic<Entry*>[size]()) {}

    const std::size_t mask;
    const std::unique_ptr<sync::atomic<Entry*>[]> slots;
    std::size_t used = 0;  // slots that are not empty
    Array* made_before = nullptr;
  };

  // What stands where an entry was.
  [[nodiscard]] static Entry* grave() noexcept { return reinterpret_cast<Entry*>(alignof(Entry)); }

  struct Pin {
    explicit Pin(Entry& which) noexcept : entry(which) {
      bool last = false;
      held = entry.pins.pin(last);
      if (last) core::Later::run(entry);
    }
    ~Pin() {
      if (held && entry.pins.unpin()) core::Later::run(entry);
    }
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;

    Entry& entry;
    bool held = false;
  };

  // While it lives, who finds nothing knows nothing.
  struct Moving {
    explicit Moving(Names& whose) noexcept : names(whose), moves(whose.moves_.load(sync::relaxed)) {  // NK
      names.moves_.store(moves + 1, sync::relaxed);                                                   // NK
    }
    ~Moving() { names.moves_.store(moves + 2, sync::release); }  // NN
    Moving(const Moving&) = delete;
    Moving& operator=(const Moving&) = delete;

    Names& names;
    const std::uint64_t moves;
  };

  [[nodiscard]] Array& current() const noexcept { return *array_.load(sync::relaxed); }  // NK

  [[nodiscard]] sync::atomic<Entry*>* slot_of(std::string_view name) const noexcept {
    Array& array = current();
    std::size_t at = std::hash<std::string_view>()(name) & array.mask;
    for (std::size_t seen = 0; seen <= array.mask; ++seen, at = (at + 1) & array.mask) {
      Entry* const entry = array.slots[at].load(sync::relaxed);  // NK
      if (entry == nullptr) return nullptr;
      if (entry != grave() && entry->text() == name) return &array.slots[at];
    }
    return nullptr;
  }

  static void set(sync::atomic<Entry*>& slot, Entry* to) noexcept { slot.store(to, sync::release); }  // NF

  void retire(sync::atomic<Entry*>& slot) noexcept {
    Entry& entry = *slot.load(sync::relaxed);  // NK
    set(slot, grave());
    --size_;
    if (entry.pins.retire()) core::Later::run(entry);
  }

  // So that there is room for so many entries more.
  void make_room(std::size_t entries) {
    if ((current().used + entries) * 2 > current().mask + 1) use(spare_array((size_ + entries) * 4));
  }
  // Of an entry that is prepared, and was not put anywhere.
  void take_back(Entry& entry) noexcept {
    entry.object = nullptr;
    entry.next_task = std::exchange(free_, &entry);
    --size_;
  }
  // An entry that nobody can pin yet; and room for it.
  [[nodiscard]] Entry& prepare(std::string_view name, Ptr object) {
    make_room(1);
    if (free_ == nullptr) free_ = spares_.exchange(nullptr, sync::acquire);  // NJ
    if (free_ == nullptr) {
      auto* const entry = new Entry(*this);
      entry->made_before = std::exchange(made_, entry);
      free_ = entry;
    }
    auto& entry = static_cast<Entry&>(*free_);
    entry.name = std::string(name);
    free_ = std::exchange(entry.next_task, nullptr);
    entry.object = std::move(object);
    entry.hash.store(std::hash<std::string_view>()(name), sync::relaxed);  // NG
    ++size_;
    return entry;
  }

  static void put(Array& array, Entry& entry) noexcept {
    std::size_t at = entry.hash.load(sync::relaxed) & array.mask;  // NG
    for (;; at = (at + 1) & array.mask) {
      Entry* const there = array.slots[at].load(sync::relaxed);  // NK
      if (there != nullptr && there != grave()) continue;
      if (there == nullptr) ++array.used;
      set(array.slots[at], &entry);
      return;
    }
  }

  // Fills another array with what is there, and has it looked at from now on.
  void use(Array& array) noexcept {
    const Moving moving(*this);
    for (std::size_t i = 0; i <= array.mask; ++i) set(array.slots[i], nullptr);
    array.used = 0;
    if (Array* const before = array_.load(sync::relaxed)) {  // NK
      for (std::size_t i = 0; i <= before->mask; ++i) {
        Entry* const entry = before->slots[i].load(sync::relaxed);  // NK
        if (entry != nullptr && entry != grave()) put(array, *entry);
      }
    }
    array_.store(&array, sync::release);  // NB
  }

  // One with at least so many slots that is not in use; at most two of each size are ever made.
  [[nodiscard]] Array& spare_array(std::size_t slots) {
    const std::size_t size = std::bit_ceil(slots < smallest_ ? smallest_ : slots);
    for (Array* array = arrays_; array != nullptr; array = array->made_before) {
      if (array->mask + 1 == size && array != &current()) return *array;
    }
    return make_array(size);
  }
  [[nodiscard]] Array& make_array(std::size_t size) {
    auto* const array = new Array(size);
    array->made_before = std::exchange(arrays_, array);
    return *array;
  }

  // By any thread: an entry that is over.
  void give(Entry& entry) noexcept {
    core::Task* first = spares_.load(sync::relaxed);  // NK
    do entry.next_task = first;
    while (!spares_.compare_exchange_weak(first, &entry, sync::release, sync::relaxed));  // NL NK
  }

  const std::size_t smallest_;
  sync::atomic<Array*> array_{nullptr};
  sync::atomic<std::uint64_t> moves_{0};
  sync::atomic<core::Task*> spares_{nullptr};
  // Only the writer.
  core::Task* free_ = nullptr;
  Entry* made_ = nullptr;
  Array* arrays_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace brook::broker
