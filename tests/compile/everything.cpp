// Every template of the library, with all of its members: what the compiler and the linter see of it.
#include <brook/adapters/coroutine.hpp>
#include <brook/brook.hpp>

#include <string>

template class brook::Entries<std::string>;
template class brook::Stream<std::string>;
template class brook::Group<std::string>;
template class brook::Consumer<std::string>;
template class brook::Delivery<std::string>;
template class brook::Deliveries<std::string>;
template class brook::BlockingList<std::string>;
