// expect: brook needs C\+\+20
#include <brook/brook.hpp>

// Compiled as C++17.
