// Orders of a type that cereal can serialise already, for files or a network: brook saves them by the same functions. One line
// makes that known, pointers and maps included; and what those functions throw does not come out.
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>

#include <cereal/types/map.hpp>
#include <cereal/types/memory.hpp>
#include <cereal/types/string.hpp>

#include <brook/adapters/cereal.hpp>
#include <brook/snapshot.hpp>

namespace shop {

struct Address {
  std::string town;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(town);
  }
};

struct Order {
  int number = 0;
  std::map<std::string, int> items;
  std::shared_ptr<Address> ship_to;

  template <class Archive>
  void serialize(Archive& archive) {
    if (number < 0) throw std::runtime_error("no such number");
    archive(number, items, ship_to);
  }
};

}  // namespace shop

template <>
struct brook::Codec<shop::Order> : brook::CerealCodec<shop::Order> {};

int main() {
  const auto path = std::filesystem::temp_directory_path() / "brook_cereal_orders.brook";
  brook::Stream<shop::Order> orders;
  orders.add({1, {{"tea", 2}, {"cups", 4}}, std::make_shared<shop::Address>(shop::Address{"Ulm"})});
  orders.add({2, {{"milk", 1}}, nullptr});
  if (const auto saved = brook::save(path, orders); !saved) std::cout << saved.error().message() << '\n';

  brook::Stream<shop::Order> loaded;
  if (const auto done = brook::load(path, loaded); !done) std::cout << done.error().message() << '\n';
  for (const auto& [id, order] : loaded.range()) {
    std::cout << "order " << order.number << " to " << (order.ship_to ? order.ship_to->town : "nowhere yet") << ':';
    for (const auto& [item, count] : order.items) std::cout << ' ' << count << ' ' << item;
    std::cout << '\n';
  }

  orders.add({-1, {}, nullptr});
  const auto saved = brook::save(path, orders);
  std::cout << "order -1: " << (saved ? "saved" : saved.error().message()) << '\n';
  const auto again = brook::load(path, loaded);
  std::cout << "the file is what it was: " << (again ? loaded.size() : 0) << " orders\n";
  std::filesystem::remove(path);
}
