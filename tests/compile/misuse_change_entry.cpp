// expect: read-only|const-qualified
#include <brook/stream.hpp>

void change(const brook::Stream<int>& stream) {
  for (const auto& [id, value] : stream.range()) value = 1;
}
