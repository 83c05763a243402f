// glob_against_double.cpp — random patterns and names: brook and a double that tries everything must agree which match.
//
//   glob_against_double [seed] [pairs]
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>

#include <brook/pubsub/glob.hpp>

#include "fuzz.hpp"
#include "glob_double.hpp"

namespace {

using namespace fuzz;

std::uint64_t fuzz_globs(const Arguments& how, Random& random, Journal& journal) {
  GlobTexts texts(random);
  std::uint64_t matched = 0;
  for (std::uint64_t i = 0; i < how.operations; ++i) {
    const std::string name = texts.name();
    const std::string pattern = random.one_in(2) ? texts.pattern() : texts.pattern_like(name);
    journal.note(GlobTexts::shown(pattern), " against ", GlobTexts::shown(name));
    const bool brook = brook::pubsub::matches(pattern, name);
    journal.result(text(brook));
    same("whether it matches", brook, GlobDouble(pattern).matches(name));
    matched += brook ? 1 : 0;
  }
  return matched;
}

}  // namespace

int main(int count, char** values) {
  const Arguments how = arguments(count, values, {.seed = 1, .operations = 200'000});
  Random random(how.seed);
  Journal journal;
  std::uint64_t matched = 0;
  try {
    matched = fuzz_globs(how, random, journal);
  } catch (const std::exception& problem) { return report("glob_against_double", how, journal, problem); }
  std::printf("glob_against_double: seed %llu, %llu pairs, of which %llu match, no difference\n",
              static_cast<unsigned long long>(how.seed), static_cast<unsigned long long>(how.operations),
              static_cast<unsigned long long>(matched));
  return 0;
}
